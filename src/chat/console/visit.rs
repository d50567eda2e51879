//! Who comes with a request: recognised once, before any route, and handed to it.
//!
//! Owns the headers that bind the browser, the way to sign in for whoever must, and the page that a failure
//! becomes. Refuses to tell a stranger whether something exists.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Console;
use super::answer::{self, Failure};
use super::cookie::Looks;
use super::pages::{Can, ErrorPage, Locale, Notice, Page, Part, Visitor, Who};
use super::secret::Secret;
use crate::incident::{Actor, Digest, Via};

/// The page's own style and script, and nothing else from anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, HeaderValue); 8] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Not `no-referrer`: browsers would then say `Origin: null` with our own forms.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Who comes, and with what wishes.
#[derive(Clone)]
pub(super) struct Visit {
    /// Signs forms: the session's id, or the visit's before sign-in.
    pub secret: Option<Secret>,
    pub signed: Option<(Digest, Actor)>,
    pub looks: Looks,
    pub locale: Locale,
    pub part: Option<Part>,
    /// Path and query.
    pub here: String,
    /// Whether a script asks, for a part of its page.
    pub scripted: bool,
    pub address: Option<IpAddr>,
    pub headers: HeaderMap,
    /// Whether whoever comes may look without signing in.
    pub anybody: bool,
}

/// A visitor who is signed in and has a role.
#[derive(Clone)]
pub(super) struct Signed {
    pub session: Digest,
    pub who: Actor,
    pub visit: Visit,
}

/// Recognises the visitor, hands the request on, and dresses the answer.
pub(super) async fn attend(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = console.recognise(&parts).await;
    console.pass_on(visit, Request::from_parts(parts, body), next).await
}

/// The same where there is nothing to sign in for. Forms are signed all the same.
pub(super) async fn attend_anybody(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut visit = console.recognise(&parts).await;
    visit.anybody = true;
    let new = visit.secret.is_none().then(Secret::random);
    visit.secret = visit.secret.or_else(|| new.clone());
    let mut response = console.pass_on(visit, Request::from_parts(parts, body), next).await;
    if let Some(secret) = new {
        response.headers_mut().append(header::SET_COOKIE, console.0.cookies.set_visit(&secret));
    }
    response
}

impl Console {
    async fn pass_on(&self, visit: Visit, mut request: Request, next: Next) -> Response {
        request.extensions_mut().insert(visit.clone());
        let mut response = next.run(request).await;
        if let Some(failure) = response.extensions().get::<Failure>().cloned() {
            let (headers, page) = (response.headers().clone(), self.failed(&visit, &failure));
            response = page;
            if let Some(after) = headers.get(header::RETRY_AFTER) {
                response.headers_mut().insert(header::RETRY_AFTER, after.clone());
            }
        }
        for (name, value) in HEADERS {
            response.headers_mut().entry(name).or_insert(value);
        }
        response
    }
}

impl Console {
    async fn recognise(&self, asked: &Parts) -> Visit {
        let (headers, cookies) = (&asked.headers, self.0.cookies);
        let session = cookies.session(headers);
        let signed = match session.as_ref().map(Secret::digest) {
            Some(id) => self.0.sessions.find(&id).await.map(|who| (id, who)),
            None => None,
        };
        let secret = if signed.is_some() { session } else { cookies.visit(headers) };
        let looks = cookies.looks(headers);
        let accepted = text(headers, header::ACCEPT_LANGUAGE);
        let here = asked.uri.path_and_query().map_or("/", |here| here.as_str());
        let query = asked.uri.query().unwrap_or_default();
        let part = query.split('&').find_map(|pair| pair.strip_prefix("part="));
        Visit {
            secret,
            signed,
            locale: looks.locale.unwrap_or_else(|| Locale::accepted(accepted)),
            looks,
            part: part.and_then(Part::of_tag),
            here: answer::own_path(here).to_owned(),
            scripted: headers.contains_key("hx-request"),
            address: self.address(asked),
            headers: headers.clone(),
            anybody: false,
        }
    }

    /// Where the request comes from. A proxy is believed only if an operator said so.
    fn address(&self, asked: &Parts) -> Option<IpAddr> {
        let ConnectInfo(peer) = asked.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let peer = peer.ip().to_canonical();
        let trusted = &self.0.settings.trusted_proxies;
        if !trusted.contains(&peer) {
            return Some(peer);
        }
        let named = asked.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = named.flat_map(|line| line.split(',')).map(str::trim).collect();
        let addresses = hops.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
        Some(addresses.map(|hop| hop.to_canonical()).find(|hop| !trusted.contains(hop)).unwrap_or(peer))
    }

    /// The visitor as the pages know them. Notices are shown once, on a whole page.
    pub(super) fn visitor(&self, visit: &Visit, notices: Vec<Notice>) -> Visitor {
        let who = visit.signed.as_ref().map(|(_, who)| {
            let may = self.0.engine.may(who);
            let can = Can { decide: may.decide, silence: may.silence, pause: may.pause, audit: may.audit };
            Who { actor: who.clone(), can }
        });
        Visitor {
            live: who.is_some() || visit.anybody,
            who,
            csrf: visit.secret.as_ref().map(Secret::csrf).unwrap_or_default(),
            locale: visit.locale,
            theme: visit.looks.theme,
            now: self.0.engine.now(),
            demo: self.0.demo,
            paused: self.0.engine.status().paused,
            notices,
            part: visit.part,
            here: visit.here.clone(),
        }
    }

    /// A page for a visitor; a whole one shows what there is to tell them.
    pub(super) fn page(&self, visit: &Visit, status: StatusCode, page: &Page<'_>) -> Response {
        let told = visit.signed.as_ref().filter(|_| visit.part.is_none());
        let notices = told.map(|(id, _)| self.0.sessions.take_notices(id)).unwrap_or_default();
        self.rendered(visit, status, page, &self.visitor(visit, notices))
    }

    fn rendered(&self, visit: &Visit, status: StatusCode, page: &Page<'_>, visitor: &Visitor) -> Response {
        match self.0.pages.render(page, visitor) {
            Ok(text) => answer::html(status, text, &visit.headers),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made; the log says why")
                    .into_response()
            }
        }
    }

    fn failed(&self, visit: &Visit, failure: &Failure) -> Response {
        let page = ErrorPage { status: failure.status.as_u16(), detail: &failure.detail, reference: "" };
        let whole = Visit { part: None, ..visit.clone() };
        self.rendered(&whole, failure.status, &Page::Error(page), &self.visitor(&whole, Vec::new()))
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Failure> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ""))
    }
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, console).await.map_err(Failure::into_response)?;
        let by_get = parts.method == Method::GET;
        console.signed(visit, by_get)
    }
}

impl Console {
    /// Whoever is signed in and may look; everybody else is shown the way in.
    #[expect(clippy::result_large_err, reason = "it is the answer, made once")]
    pub(super) fn signed(&self, visit: Visit, by_get: bool) -> Result<Signed, Response> {
        if visit.anybody {
            let who = Actor { via: Via::Console, id: "anybody".into(), name: "anybody".into() };
            return Ok(Signed { session: Digest::of_bytes(b"anybody"), who, visit });
        }
        let Some((session, who)) = visit.signed.clone() else {
            return Err(way_in(&visit, by_get));
        };
        if self.0.engine.roles(&who).is_empty() {
            let detail = "You are signed in, but have no role here. Ask whoever keeps kubemend's configuration for one.";
            return Err(Failure::forbidden(detail).into_response());
        }
        Ok(Signed { session, who, visit })
    }
}

/// To the sign-in, and back from there; where a page asks for a part of itself, the whole page goes.
fn way_in(visit: &Visit, by_get: bool) -> Response {
    let next = if by_get && !visit.scripted { visit.here.as_str() } else { "/incidents" };
    let place = format!("/login?next={}", encoded(next));
    if visit.scripted || visit.part.is_some() || visit.here.starts_with("/live") {
        let mut response = StatusCode::UNAUTHORIZED.into_response();
        let place = HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static("/login"));
        response.headers_mut().insert("hx-redirect", place);
        return response;
    }
    answer::see(&place)
}

pub(super) fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
