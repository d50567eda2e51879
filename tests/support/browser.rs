//! A browser as far as a server sees one: cookies, forms, where a form comes from. Follows nothing by itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use regex::Regex;

pub struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    pub site: String,
    pub cookies: BTreeMap<String, String>,
    /// What it says of where forms come from; headers replace each other by name.
    pub says: Vec<(&'static str, String)>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn at(address: SocketAddr) -> Self {
        let site = format!("http://{address}");
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            says: vec![("origin", site.clone()), ("sec-fetch-site", "same-origin".to_owned())],
            cookies: BTreeMap::new(),
            site,
        }
    }

    /// The same browser in another window.
    pub fn copy(&self) -> Self {
        let mut copy = Self::at(self.site.trim_start_matches("http://").parse().expect("an address"));
        copy.cookies.clone_from(&self.cookies);
        copy
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, Bytes::new(), &[]).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let says: Vec<(&str, String)> = self.says.clone();
        let mut headers: Vec<(&str, &str)> =
            says.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        self.send(Method::POST, path, Bytes::from(body), &headers).await
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.site) };
        let mut request = Request::builder().method(method).uri(url);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let answer = self.client.request(request).await.expect("the server answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().expect("text"));
        }
        let bytes = answer.into_body().collect().await.expect("a whole answer").to_bytes();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        if cookie.contains("Max-Age=0") || value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Signs in by token; the answer to the form.
    pub async fn sign_in(&mut self, token: &str) -> Answer {
        let page = self.get("/login").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let csrf = page.csrf();
        self.post("/login", &[("csrf", &csrf), ("token", token), ("next", "/incidents")]).await
    }

    /// The same, and it works.
    pub async fn signed_in(address: SocketAddr, token: &str) -> Self {
        let mut browser = Self::at(address);
        let answer = browser.sign_in(token).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/incidents"),
            "{}",
            answer.text
        );
        browser
    }
}

impl Answer {
    pub fn location(&self) -> &str {
        self.header("location")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What the page's first form carries against forgery.
    pub fn csrf(&self) -> String {
        self.field("csrf")
    }

    /// The value of the page's first hidden field of that name.
    pub fn field(&self, name: &str) -> String {
        let pattern = Regex::new(&format!("name=\"{name}\" value=\"([^\"]*)\"")).expect("a pattern");
        let found = pattern.captures(&self.text).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        found[1].to_owned()
    }
}
