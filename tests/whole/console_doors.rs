//! The console's doors, by people who try them: sessions that are over, ways elsewhere, tries that are counted.

use std::time::Duration;

use crate::support::browser::{Answer, Browser};
use crate::support::house::{ALICE, House};
use crate::support::sent::{Stream, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kubemend::incident::{Actor, Digest, Via};
use kubemend::store::Session;
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);
const SESSION: &str = "kubemend-session";
/// Places that a browser would leave for, and one that it would not understand.
const ELSEWHERE: [&str; 6] = [
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_sign_in_ends_the_session_before_and_no_other() {
    let house = House::started(json!({})).await;
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    let mut elsewhere = Browser::signed_in(house.address(), ALICE).await;
    let mut first = alice.copy();
    let open = Stream::open(&house, &alice, "status").await;

    // By the form, as a page that was loaded before would send it.
    let csrf = alice.get("/status").await.csrf();
    let answer = alice.post("/login", &[("csrf", &csrf), ("token", ALICE), ("next", "/status")]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/status"), "{}", answer.text);
    assert_ne!(alice.cookies[SESSION], first.cookies[SESSION]);
    is_out("the session before", &mut first, &csrf).await;
    assert_eq!(alice.get("/status").await.status, StatusCode::OK, "the new one is on");

    // By a link.
    let mut second = alice.copy();
    let csrf = second.get("/status").await.csrf();
    let answer = alice.get(house.link()).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/incidents"), "{}", answer.text);
    assert_ne!(alice.cookies[SESSION], second.cookies[SESSION]);
    is_out("the one before the link", &mut second, &csrf).await;
    assert_eq!(alice.get("/status").await.status, StatusCode::OK);
    assert_eq!(elsewhere.get("/status").await.status, StatusCode::OK, "another browser's own is untouched");

    // Pages that the first session had open are told nothing more.
    house.api(ALICE).post("/api/v1/pause", &json!({})).await;
    let heard = open.ended(SOON).await;
    assert!(!heard.contains("event:"), "{heard}");
    house.end().await;
}

/// Neither page nor form.
async fn is_out(which: &str, browser: &mut Browser, csrf: &str) {
    let page = browser.get("/status").await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/login?next=%2Fstatus"), "{which}");
    let form = browser.post("/pause", &[("csrf", csrf)]).await;
    assert!(form.location().starts_with("/login"), "{which}: {} {}", form.status, form.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_ends_with_its_session_although_nobody_signs_out() {
    let mut house = House::new(json!({})).await;
    let now = Timestamp::now();
    let ago = now.checked_sub(SignedDuration::from_mins(5)).unwrap();
    // Long enough for kubemend to start, slow as a machine may be.
    let ends = now.checked_add(SignedDuration::from_secs(20)).unwrap();
    let who = Actor { via: Via::Console, id: "alice".into(), name: "Alice".into() };
    let credential = Digest::of_bytes(&sha256(ALICE.as_bytes()));
    let session = Session { who, roles: Vec::new(), credential, begun: ago, ends, seen: ago };
    let id = sha256(b"it ends soon");
    let store = house.store().await;
    store.keep_session(&Digest::of_bytes(&id), &session, 100).await.unwrap();
    store.close().await;
    house.start().await;

    let mut short = Browser::at(house.address());
    short.cookies.insert(SESSION.to_owned(), URL_SAFE_NO_PAD.encode(sha256(b"it ends soon")));
    let mut open = Stream::open(&house, &short, "status").await;
    let long = Browser::signed_in(house.address(), ALICE).await;
    let mut lasting = Stream::open(&house, &long, "status").await;
    let api = house.api(ALICE);
    api.post("/api/v1/pause", &json!({})).await;
    open.next("event: status").await;
    lasting.next("event: status").await;

    let left = ends.duration_since(Timestamp::now()).unsigned_abs() + Duration::from_millis(50);
    tokio::time::sleep(left).await;
    open.text.clear();
    api.post("/api/v1/resume", &json!({})).await;
    let heard = open.ended(SOON).await;
    assert!(!heard.contains("event:"), "{heard}");
    lasting.next("event: status").await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_sent_elsewhere_by_a_link_to_us_or_a_form() {
    let house = House::started(json!({})).await;
    let mut stranger = Browser::at(house.address());
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    for place in ELSEWHERE {
        let query = format!("/login?next={}", encoded(place));
        assert_eq!(stranger.get(&query).await.field("next"), "/incidents", "the form, {place}");
        to("a link to the sign-in", place, "/incidents", &alice.get(&query).await);
        let spent = format!("/login?once=spent&next={}", encoded(place));
        to("a spent link", place, "/incidents", &alice.get(&spent).await);

        let mut new = Browser::at(house.address());
        let csrf = new.get("/login").await.csrf();
        let fields = [("csrf", csrf.as_str()), ("token", ALICE), ("next", place)];
        to("sign-in", place, "/incidents", &new.post("/login", &fields).await);

        let csrf = alice.get("/status").await.csrf();
        for path in ["/settings", "/pause", "/resume"] {
            let fields = [("csrf", csrf.as_str()), ("theme", "dark"), ("back", place)];
            to(path, place, "/incidents", &alice.post(path, &fields).await);
            to_whole(path, place, "/incidents", &scripted(&mut alice, path, &fields).await);
        }
    }
    let link = format!("{}&next={}", house.link(), encoded(ELSEWHERE[0]));
    to("a link that works once", ELSEWHERE[0], "/incidents", &Browser::at(house.address()).get(&link).await);
    let nowhere = alice.get("//evil.example/").await;
    assert_eq!((nowhere.status, nowhere.field("back")), (StatusCode::NOT_FOUND, "/incidents".to_owned()));

    // And where it is one of our own places, people get there.
    let csrf = alice.get("/status").await.csrf();
    let own = "/incidents?state=open";
    for path in ["/settings", "/pause", "/resume"] {
        let fields = [("csrf", csrf.as_str()), ("theme", "dark"), ("back", own)];
        to(path, own, own, &alice.post(path, &fields).await);
        to_whole(path, own, own, &scripted(&mut alice, path, &fields).await);
    }
    let query = format!("/login?next={}", encoded(own));
    to("a link to the sign-in", own, own, &alice.get(&query).await);
    house.end().await;
}

fn encoded(place: &str) -> String {
    form_urlencoded::byte_serialize(place.as_bytes()).collect()
}

fn to(how: &str, wanted: &str, place: &str, answer: &Answer) {
    let got = (answer.status, answer.location());
    assert_eq!(got, (StatusCode::SEE_OTHER, place), "{how}, {wanted}: {}", answer.text);
}

fn to_whole(how: &str, wanted: &str, place: &str, answer: &Answer) {
    let got = (answer.status, answer.header("hx-redirect"));
    assert_eq!(got, (StatusCode::NO_CONTENT, place), "{how} by script, {wanted}: {}", answer.text);
}

/// A form as the page's script sends it.
async fn scripted(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let origin = browser.site.clone();
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [("origin", origin.as_str()), kind, ("hx-request", "true")];
    browser.send(Method::POST, path, Bytes::from(body), &headers).await
}

/// Tries one address has at once, and a few more that it gets while it tries.
const TRIES: usize = 10;
const MORE: usize = 5;

/// How many wrong links get an answer before there were too many; `from` says where the nth comes from.
async fn tries(house: &House, most: usize, from: impl Fn(usize) -> Option<String>) -> usize {
    let mut browser = Browser::at(house.address());
    for n in 0..most {
        let wrong = format!("/login?once={}", URL_SAFE_NO_PAD.encode(sha256(&n.to_be_bytes())));
        let status = match from(n) {
            Some(from) => {
                let headers = [("x-forwarded-for", from.as_str())];
                browser.send(Method::GET, &wrong, Bytes::new(), &headers).await.status
            }
            None => browser.get(&wrong).await.status,
        };
        if status == StatusCode::TOO_MANY_REQUESTS {
            return n;
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED, "try {n}");
    }
    most
}

fn few(tried: usize) -> bool {
    (TRIES..=TRIES + MORE).contains(&tried)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_links_are_tries_like_wrong_tokens() {
    let house = House::started(json!({})).await;
    let inside = Browser::signed_in(house.address(), ALICE).await;
    let tried = tries(&house, 40, |_| None).await;
    assert!(few(tried), "{tried}");
    let mut late = Browser::at(house.address());
    let answer = late.get(house.link()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "the right one neither");
    assert!(!answer.header("retry-after").is_empty() && !late.cookies.contains_key(SESSION));
    let secret = house.link().split_once("once=").expect("a link").1;
    assert!(!answer.text.contains(secret), "it is still good, and on no page: {}", answer.text);
    assert_eq!(late.sign_in(ALICE).await.status, StatusCode::TOO_MANY_REQUESTS, "nor a token");
    assert_eq!(inside.copy().get("/status").await.status, StatusCode::OK, "who is in stays in");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_somebody_comes_from_is_believed_from_trusted_proxies_alone() {
    // Everybody says something else of themselves with each try.
    let made_up = |n: usize| Some(format!("203.0.113.{n}"));
    let mut house = House::started(json!({})).await;
    let tried = tries(&house, 40, made_up).await;
    assert!(few(tried), "nobody is trusted: {tried}");
    house.stop().await;

    house.configure(|config| config["console"] = json!({"trustedProxies": ["192.0.2.7"]}));
    house.start().await;
    let tried = tries(&house, 40, |n| Some(format!("203.0.113.{n}, 192.0.2.7"))).await;
    assert!(few(tried), "another is trusted than the one who comes: {tried}");
    house.stop().await;

    house.configure(|config| config["console"] = json!({"trustedProxies": ["127.0.0.1", "192.0.2.7"]}));
    house.start().await;
    assert_eq!(tries(&house, 20, made_up).await, 20, "a trusted one tells people apart");
    // What people say themselves stands before what the proxies add.
    let behind = |n: usize| Some(format!("203.0.113.{}, 198.51.100.1, 192.0.2.7", 100 + n));
    let tried = tries(&house, 40, behind).await;
    assert!(few(tried), "the first that no trusted one vouches for: {tried}");
    let other = |_| Some("198.51.100.2, 192.0.2.7".to_owned());
    assert_eq!(tries(&house, 5, other).await, 5, "others behind the same proxies have their own tries");
    house.end().await;
}
