//! Sign-in to the console by a real OpenID Connect provider, which runs on this machine: `.ci/oidc/`.
//!
//! `npm ci --prefix .ci/oidc` makes it ready. Where there is no Node.js these tests say so loudly and test
//! nothing; in CI that is a failure.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::browser::{Answer, Browser};
use crate::support::house::{ALICE, House};
use bytes::Bytes;
use http::{Method, StatusCode};
use regex::Regex;
use serde_json::{Value, json};

/// The provider, as long as it is held.
struct Provider {
    issuer: String,
    child: Child,
    /// Open as long as it runs: it would stumble over a closed one.
    _says: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    /// `None` where it cannot be had.
    fn start(redirect: &str) -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".ci/oidc");
        if !is_ready(&folder) {
            let why = "NOT TESTED: sign-in by OpenID Connect needs Node.js and `npm ci --prefix .ci/oidc`";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("\n{why}\n");
            return None;
        }
        let port = free_port();
        let mut child = Command::new("node")
            .arg(folder.join("provider.mjs"))
            .args([&port.to_string(), redirect])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        says.read_line(&mut line).unwrap();
        let provider = Self { issuer: format!("http://127.0.0.1:{port}"), child, _says: says };
        assert!(line.starts_with("ready"), "the provider did not start: {line}");
        Some(provider)
    }
}

fn is_ready(folder: &Path) -> bool {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    node.is_ok_and(|status| status.success()) && folder.join("node_modules/oidc-provider").exists()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// kubemend and its provider, both at addresses that were free a moment ago.
async fn start() -> Option<(House, Provider)> {
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let provider = Provider::start(&format!("{public}/login/oidc/callback"))?;
    let mut house = House::new(json!({"publicUrl": public, "oidc": {
        "name": "Example SSO", "issuer": provider.issuer, "clientId": "kubemend",
        "clientSecretEnv": "OIDC_SECRET", "scopes": ["profile", "groups"],
        "roles": {"sre": ["admin"], "everybody": ["viewer"]},
    }}))
    .await;
    house.configure(|config| config["api"]["listen"] = json!(format!("127.0.0.1:{port}")));
    house.start().await;
    Some((house, provider))
}

/// From the sign-in page to the moment the provider sends the browser back; the way back.
async fn to_provider_and_back(browser: &mut Browser, provider: &Provider, name: &str) -> String {
    let page = browser.get("/login").await;
    assert!(page.text.contains("Example SSO"), "{}", page.text);
    let mut answer = browser.get("/login/oidc?next=/status").await;
    for _ in 0..10 {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let place = answer.location().to_owned();
        if place.contains("/login/oidc/callback") {
            return place;
        }
        let place = if place.starts_with('/') { format!("{}{place}", provider.issuer) } else { place };
        answer = browser.get(&place).await;
        if answer.status == StatusCode::OK {
            answer = fill_in(browser, &answer, name).await;
        }
    }
    panic!("the provider sends the browser in circles");
}

/// The provider's own pages: who are you, and do you agree.
async fn fill_in(browser: &mut Browser, page: &Answer, name: &str) -> Answer {
    let action = Regex::new("action=\"([^\"]+)\"").unwrap();
    let action =
        action.captures(&page.text).unwrap_or_else(|| panic!("no form: {}", page.text))[1].to_owned();
    let prompt = if page.text.contains("name=\"login\"") { "login" } else { "consent" };
    let fields = [("prompt", prompt), ("login", name), ("password", "any")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    browser.send(Method::POST, &action, Bytes::from(body), &headers).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_vouches_for_people_and_their_groups_give_roles() {
    let Some((mut house, provider)) = start().await else { return };
    let mut ann = Browser::at(house.address());
    let back = to_provider_and_back(&mut ann, &provider, "ann").await;
    let answer = ann.get(&back).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/status"), "{}", answer.text);
    let status = ann.get("/status").await;
    assert!(status.status == StatusCode::OK && status.text.contains("ANN"), "{}", status.text);
    let csrf = status.csrf();
    assert_eq!(ann.post("/pause", &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER, "sre is admin");
    let api = house.api(ALICE);
    let paused = api.get("/api/v1/status").await;
    assert_eq!(paused["paused"], true);
    let audit = api.get("/api/v1/audit?limit=500").await;
    let by =
        |entry: &Value| entry["entry"]["by"]["id"] == "oidc:ann" && entry["entry"]["by"]["via"] == "console";
    assert!(audit["entries"].as_array().unwrap().iter().any(by), "{audit}");

    let mut vic = Browser::at(house.address());
    let back = to_provider_and_back(&mut vic, &provider, "vic").await;
    assert_eq!(vic.get(&back).await.status, StatusCode::SEE_OTHER);
    let page = vic.get("/status").await;
    assert_eq!(page.status, StatusCode::OK);
    let refused = vic.post("/resume", &[("csrf", &page.csrf())]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "everybody is a viewer");

    let mut eve = Browser::at(house.address());
    let back = to_provider_and_back(&mut eve, &provider, "eve").await;
    assert_eq!(eve.get(&back).await.status, StatusCode::SEE_OTHER);
    assert_eq!(eve.get("/incidents").await.status, StatusCode::FORBIDDEN, "known, and without a role");

    // A restart keeps them in, with their roles; their roles end with their session.
    house.stop().await;
    house.start().await;
    let page = ann.get("/status").await;
    assert_eq!(ann.post("/resume", &[("csrf", &page.csrf())]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.api(ALICE).get("/api/v1/status").await["paused"], false);
    // With another client configured, whoever came by this one is out.
    house.stop().await;
    house.configure(|config| config["console"]["oidc"]["clientId"] = json!("another"));
    house.start().await;
    assert_eq!(ann.get("/status").await.status, StatusCode::SEE_OTHER);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_is_good_once_and_for_the_browser_that_went() {
    let Some((mut house, provider)) = start().await else { return };
    let mut ann = Browser::at(house.address());
    let back = to_provider_and_back(&mut ann, &provider, "ann").await;
    let mut thief = Browser::at(house.address());
    assert_eq!(thief.get(&back).await.status, StatusCode::UNAUTHORIZED, "another browser");
    thief.get("/login").await;
    assert_eq!(thief.get(&back).await.status, StatusCode::UNAUTHORIZED, "another browser's visit");
    assert_eq!(ann.get(&back).await.status, StatusCode::UNAUTHORIZED, "it was tried, so it is spent");

    let back = to_provider_and_back(&mut ann, &provider, "ann").await;
    let stranger = back.replace("code=", "code=x");
    assert_eq!(
        ann.get(&stranger).await.status,
        StatusCode::UNAUTHORIZED,
        "a code that the provider did not give"
    );
    let back = to_provider_and_back(&mut ann, &provider, "ann").await;
    let elsewhere =
        Regex::new("iss=[^&]*").unwrap().replace(&back, "iss=http%3A%2F%2Fevil.example").into_owned();
    assert_ne!(back, elsewhere);
    assert_eq!(ann.get(&elsewhere).await.status, StatusCode::UNAUTHORIZED, "another issuer's answer");
    for made_up in ["", "?code=a&state=b", "?error=access_denied", "?state=", "?code=a"] {
        let answer = ann.get(&format!("/login/oidc/callback{made_up}")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{made_up}");
    }
    assert_eq!(ann.get("/status").await.status, StatusCode::SEE_OTHER, "nobody is in");
    let back = to_provider_and_back(&mut ann, &provider, "ann").await;
    assert_eq!(ann.get(&back).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.get(&back).await.status, StatusCode::UNAUTHORIZED, "replayed");
    assert_eq!(ann.get("/status").await.status, StatusCode::OK, "and who is in stays in");

    // A provider that is gone is said so; tokens work as before.
    drop(provider);
    house.stop().await;
    house.start().await;
    let mut late = Browser::at(house.address());
    assert_eq!(late.get("/login/oidc").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(late.sign_in(ALICE).await.status, StatusCode::SEE_OTHER);
    house.end().await;
}
