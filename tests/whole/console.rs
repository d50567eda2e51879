//! The console over HTTP, with a real engine before a simulated cluster: what people do, and what nobody may.

use std::time::Duration;

use crate::support::browser::{Answer, Browser};
use crate::support::house::{ALICE, House, NOBODY, VIEWER};
use crate::support::sent::{Stream, bound, contains, harmless, raw, sha256};
use crate::support::{eventually, seed};
use base64::Engine as _;
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kubemend::incident::{Actor, Digest, Via};
use kubemend::store::Session;
use regex::Regex;
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(240);
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{csrf}}</textarea>${7*7}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_signs_in_reads_approves_by_form_and_sees_it_fixed() {
    let house = House::started(json!({})).await;
    house.sim.play("pull-secret").await.unwrap();
    let api = house.api(ALICE);
    let incident = api.incident("image.auth-missing", "payments", LONG).await;
    let incident = incident["id"].as_str().unwrap().to_owned();
    let proposal = api.proposal_with(&incident, "pull-secrets.add", 4, LONG).await;
    let id = proposal["id"].as_str().unwrap();

    let mut browser = Browser::at(house.address());
    let stranger = browser.get(&format!("/incidents/{incident}")).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    assert_eq!(stranger.location(), format!("/login?next=%2Fincidents%2F{incident}"));
    let way_in = browser.get(stranger.location()).await;
    assert_eq!(way_in.field("next"), format!("/incidents/{incident}"));
    let csrf = way_in.csrf();
    let next = way_in.field("next");
    let answer = browser.post("/login", &[("csrf", &csrf), ("token", ALICE), ("next", &next)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, next.as_str()));

    assert_eq!(browser.get("/").await.location(), "/incidents");
    let list = eventually("the list shows the incident", LONG, || {
        let mut look = browser.copy();
        let incident = incident.clone();
        async move {
            let list = look.get("/incidents").await;
            if list.text.contains(&format!("/incidents/{incident}")) { Ok(list) } else { Err(list.text) }
        }
    })
    .await;
    assert_eq!(list.status, StatusCode::OK);
    let page = browser.get(&format!("/incidents/{incident}")).await;
    assert_eq!(
        (page.status, page.field("digest")),
        (StatusCode::OK, proposal["digest"].as_str().unwrap().into())
    );
    assert_eq!(browser.get(&format!("/proposals/{id}")).await.status, StatusCode::OK);

    let decided = decide(&mut browser, id, &page, "approve").await;
    assert_eq!(
        (decided.status, decided.location()),
        (StatusCode::SEE_OTHER, format!("/incidents/{incident}").as_str())
    );
    let after = browser.get(decided.location()).await;
    assert!(after.text.contains("Your approval is recorded."), "{}", after.text);
    let again = browser.get(decided.location()).await;
    assert!(!again.text.contains("Your approval is recorded."), "a notice is shown once");
    let decisions = api.look(&proposal).await;
    assert_eq!(decisions["approvals"][0], json!({"via": "console", "id": "alice", "name": "Alice"}));
    assert_eq!(api.verdict(&proposal, LONG).await, "fixed");
    api.resolved(&incident, LONG).await;

    let twice = decide(&mut browser, id, &page, "approve").await;
    assert_eq!(twice.status, StatusCode::SEE_OTHER);
    let told = browser.get(twice.location()).await;
    assert!(told.text.contains("executed"), "{}", told.text);
    every_page_is_there(&mut browser, &incident, id).await;
    house.end().await;
}

const PAGES: &str = "/incidents?state=resolved&text=harbor /incidents?part=live /playbooks \
    /playbooks?text=pull /playbooks/image.auth-missing /audit /audit?check=1 \
    /audit?actor=console:alice&since=2020-01-01&kind=decided /audit?since=nonsense /status \
    /cards /cards?name=form /cards?name=hostile&part=live";

async fn every_page_is_there(browser: &mut Browser, incident: &str, proposal: &str) {
    let live = [format!("/incidents/{incident}?part=live"), format!("/proposals/{proposal}?part=live")];
    for path in PAGES.split(' ').chain(live.iter().map(String::as_str)) {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        let shows_templates = path.starts_with("/playbooks/");
        assert!(shows_templates || !page.text.contains("{{"), "{path}");
    }
    for path in [
        "/incidents/i-999",
        "/proposals/i-9.p9",
        "/playbooks/none",
        "/nowhere",
        "/cards?name=none",
        "/incidents/%ff",
    ] {
        let page = browser.get(path).await;
        assert!(page.status.is_client_error(), "{path}: {}", page.status);
    }
    let export = browser.get("/audit/export").await;
    let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["seq"], 1);
    assert!(lines.len() > 5, "{}", export.text);
    let mine = browser.get("/audit/export?actor=console:alice").await;
    assert!(mine.text.lines().all(|line| line.contains("console")), "{}", mine.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_who_may_not() {
    let mut house = House::new(json!({})).await;
    let store = house.store().await;
    seed::incidents(&store, 1, "checkout", Timestamp::now()).await;
    store.close().await;
    house.start().await;
    let (address, api) = (house.address(), house.api(ALICE));
    let mut alice = Browser::signed_in(address, ALICE).await;
    let page = alice.get("/incidents/i-1").await;
    let good = [("csrf", page.csrf()), ("digest", page.field("digest")), ("kind", "approve".to_owned())];
    let fields = |csrf: &str| -> Vec<(&'static str, String)> {
        vec![("csrf", csrf.to_owned()), good[1].clone(), good[2].clone()]
    };

    // Forms that are not of this session, or of none.
    let mut other = Browser::signed_in(address, ALICE).await;
    let foreign = other.get("/incidents/i-1").await.csrf();
    for csrf in ["", "x", &foreign, &page.csrf()[..40], &"A".repeat(86)] {
        assert_eq!(send(&mut alice, &fields(csrf)).await.status, StatusCode::FORBIDDEN, "csrf {csrf}");
    }
    let without: Vec<(&str, String)> = fields("")[1..].to_vec();
    assert_eq!(send(&mut alice, &without).await.status, StatusCode::FORBIDDEN);

    // Forms from elsewhere, with everything else right.
    let site = alice.site.clone();
    for says in [
        vec![],
        vec![("origin", "null".to_owned())],
        vec![("origin", "http://evil.example".to_owned())],
        vec![("origin", site.replace("127.0.0.1", "localhost"))],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned()), ("origin", site.clone())],
    ] {
        alice.says = says.clone();
        let csrf = alice.get("/incidents/i-1").await.csrf();
        assert_eq!(send(&mut alice, &fields(&csrf)).await.status, StatusCode::FORBIDDEN, "{says:?}");
    }
    alice.says = vec![("origin", site)];

    // What is no small form.
    let large = "x".repeat(20_000);
    let mut much = fields(&page.csrf());
    much.push(("note", large));
    assert_eq!(send(&mut alice, &much).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let mut twice = fields(&page.csrf());
    twice.push(good[2].clone());
    assert_eq!(send(&mut alice, &twice).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = Bytes::from(json!({"csrf": page.csrf(), "kind": "approve"}).to_string());
    let headers = [("origin", alice.site.clone()), ("content-type", "application/json".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let json = alice.send(Method::POST, "/proposals/i-1.p1/decide", body, &headers).await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let by_get = alice.get(&format!("/proposals/i-1.p1/decide?kind=approve&csrf={}", page.csrf())).await;
    assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);

    // People without the right.
    let mut viewer = Browser::signed_in(address, VIEWER).await;
    let theirs = viewer.get("/incidents/i-1").await;
    assert_eq!(theirs.status, StatusCode::OK);
    assert!(!theirs.text.contains("value=\"approve\""), "nothing is offered to a viewer");
    let refused = send(&mut viewer, &fields(&theirs.csrf())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    for path in ["/pause", "/resume", "/incidents/i-1/unsilence"] {
        let refused = viewer.post(path, &[("csrf", &theirs.csrf())]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/audit", "/audit/export"] {
        assert_eq!(viewer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut nobody = Browser::signed_in(address, NOBODY).await;
    for path in ["/incidents", "/incidents/i-1", "/status", "/live?on=list", "/incidents?part=live"] {
        assert_eq!(nobody.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let record = api.get("/api/v1/proposals/i-1.p1").await;
    assert_eq!((&record["state"]["is"], &record["approvals"]), (&json!("open"), &json!([])), "{record}");

    // And with everything right it works, so that the refusals above say something.
    let denied = decide(&mut alice, "i-1.p1", &page, "deny").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER, "{}", denied.text);
    assert_eq!(api.get("/api/v1/proposals/i-1.p1").await["state"]["is"], "denied");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_ones_own_and_ends() {
    let mut house = House::new(json!({"sessions": {"idleHours": 1, "longestHours": 2}})).await;
    let now = Timestamp::now();
    let ago = |hours| now.checked_sub(SignedDuration::from_mins(hours)).unwrap();
    let later = now.checked_add(SignedDuration::from_hours(1)).unwrap();
    let credential = Digest::of_bytes(&sha256(ALICE.as_bytes()));
    let who = Actor { via: Via::Console, id: "alice".into(), name: "Alice".into() };
    let good = Session { who, roles: Vec::new(), credential, begun: ago(30), ends: later, seen: ago(30) };
    let sessions = [
        ("kept", good.clone(), StatusCode::OK),
        ("over", Session { ends: ago(1), ..good.clone() }, StatusCode::SEE_OTHER),
        ("idle", Session { seen: ago(61), ..good.clone() }, StatusCode::SEE_OTHER),
        (
            "by a token that is gone",
            Session { credential: Digest::of_bytes(b"old"), ..good },
            StatusCode::SEE_OTHER,
        ),
    ];
    let store = house.store().await;
    for (name, session, _) in &sessions {
        store.keep_session(&Digest::of_bytes(&sha256(name.as_bytes())), session, 100).await.unwrap();
    }
    store.close().await;
    house.start().await;
    for (name, _, status) in &sessions {
        let mut browser = Browser::at(house.address());
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha256(name.as_bytes()));
        browser.cookies.insert("kubemend-session".to_owned(), id);
        assert_eq!(browser.get("/incidents").await.status, *status, "{name}");
    }

    // Signed in, through a restart.
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    let cookie = alice.cookies["kubemend-session"].clone();
    house.stop().await;
    house.start().await;
    alice.site = format!("http://{}", house.address());
    alice.says = vec![("origin", alice.site.clone())];
    let page = alice.get("/incidents").await;
    assert_eq!(page.status, StatusCode::OK, "a restart logs nobody out");
    let database = std::fs::read(house.database()).unwrap();
    let wal = std::fs::read(house.database().with_extension("db-wal")).unwrap_or_default();
    let stored = [database, wal].concat();
    assert!(!contains(&stored, cookie.as_bytes()), "the id itself is nowhere");

    // Signing in anew takes another name, and ends the one before.
    let mut fixed = Browser::at(house.address());
    fixed.cookies.insert("kubemend-session".to_owned(), "A".repeat(43));
    fixed.sign_in(ALICE).await;
    assert_ne!(fixed.cookies["kubemend-session"], "A".repeat(43));
    assert_eq!(fixed.get("/incidents").await.status, StatusCode::OK);

    // Signed out: the cookie is worth nothing any more, and the form neither.
    let csrf = page.csrf();
    let out = alice.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!((out.status, out.location()), (StatusCode::SEE_OTHER, "/login"));
    assert!(!alice.cookies.contains_key("kubemend-session"));
    alice.cookies.insert("kubemend-session".to_owned(), cookie);
    assert_eq!(alice.get("/incidents").await.status, StatusCode::SEE_OTHER, "replayed");
    let replayed = alice.post("/pause", &[("csrf", &csrf)]).await;
    assert!(
        replayed.status == StatusCode::SEE_OTHER && replayed.location().starts_with("/login"),
        "{}",
        replayed.status
    );
    for forged in ["", "x", &"A".repeat(43), &"A".repeat(5000), "..%2f"] {
        alice.cookies.insert("kubemend-session".to_owned(), forged.to_owned());
        assert_eq!(alice.get("/incidents").await.status, StatusCode::SEE_OTHER, "forged {forged}");
    }
    assert_eq!(house.api(ALICE).get("/api/v1/status").await["paused"], false);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_works_once_and_tries_to_sign_in_are_counted() {
    let house = House::started(json!({})).await;
    let mut first = Browser::at(house.address());
    let link = house.link().to_owned();
    let answer = first.get(&link).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/incidents"));
    assert_eq!(first.get("/incidents").await.status, StatusCode::OK);
    let mut second = Browser::at(house.address());
    assert_eq!(second.get(&link).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(second.get("/incidents").await.status, StatusCode::SEE_OTHER);

    let elsewhere = second.get("/login?next=//evil.example/").await;
    assert_eq!(elsewhere.field("next"), "/incidents");
    let mut tried = 0;
    let refused = loop {
        let answer = second.sign_in("a-wrong-token-0123456789").await;
        tried += 1;
        if answer.status != StatusCode::UNAUTHORIZED || tried > 50 {
            break answer;
        }
    };
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty() && tried <= 13, "{tried}");
    assert_eq!(second.sign_in(ALICE).await.status, StatusCode::TOO_MANY_REQUESTS, "the right one neither");
    assert_eq!(first.get("/incidents").await.status, StatusCode::OK, "who is in stays in");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cluster_says_stays_text_on_every_page() {
    let mut house = House::new(json!({})).await;
    let store = house.store().await;
    seed::incidents(&store, 2, EVIL, Timestamp::now()).await;
    store.close().await;
    house.start().await;
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    let page = alice.get("/incidents/i-1").await;
    let note = [("csrf", page.csrf()), ("minutes", "5".to_owned()), ("note", EVIL.to_owned())];
    let note: Vec<(&str, &str)> = note.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(alice.post("/incidents/i-1/silence", &note).await.status, StatusCode::SEE_OTHER);
    let evil = form_urlencoded::byte_serialize(EVIL.as_bytes()).collect::<String>();
    let mut seen = 0;
    for path in [
        "/incidents".to_owned(),
        "/incidents?part=live".to_owned(),
        format!(
            "/incidents?text={evil}&cluster={evil}&condition={evil}&namespace={evil}&state={evil}&page={evil}"
        ),
        "/incidents/i-1".to_owned(),
        "/incidents/i-1?part=live".to_owned(),
        "/proposals/i-1.p1".to_owned(),
        format!("/playbooks?text={evil}"),
        format!("/audit?incident={evil}&kind={evil}&actor={evil}&since={evil}"),
        "/audit".to_owned(),
        format!("/login?next={evil}"),
        format!("/incidents/{evil}"),
        format!("/proposals/{evil}"),
        format!("/playbooks/{evil}"),
        format!("/{evil}"),
        format!("/cards?name={evil}"),
    ] {
        let page = alice.get(&path).await;
        harmless(&path, &page.text);
        seen += usize::from(page.text.contains("&lt;script&gt;alert(1)"));
        assert!(
            !page.text.contains(alice.cookies["kubemend-session"].as_str()),
            "{path}: the session's id is on no page"
        );
    }
    assert!(seen >= 6, "the text was shown on {seen} pages only, so little was tested");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_binds_the_browser_and_files_are_those_of_the_list() {
    let house = House::started(json!({})).await;
    let mut browser = Browser::at(house.address());
    let login = browser.get("/login").await;
    let asset = Regex::new("/assets/[^\"]+\\.css").unwrap().find(&login.text).unwrap().as_str().to_owned();
    let mut signed = Browser::signed_in(house.address(), ALICE).await;
    for (known, path, status) in [
        (false, "/login", 200),
        (true, "/incidents", 200),
        (true, "/status", 200),
        (true, "/nowhere", 404),
        (true, "/logout", 405),
        (true, &asset, 200),
        (true, "/assets/nothing.css", 404),
    ] {
        let browser = if known { &mut signed } else { &mut browser };
        let answer = browser.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        bound(path, &answer);
        assert_eq!(answer.header("cache-control").contains("immutable"), path == asset, "{path}");
    }
    for answer in [browser.post("/pause", &[]).await, browser.get("/live").await, browser.get("/").await] {
        bound("refusals", &answer);
    }
    let packed = signed.send(Method::GET, "/incidents", Bytes::new(), &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");

    for path in [
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/....//....//etc/passwd",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/..\\..\\etc\\passwd",
        "/assets/%252e%252e%252fetc%252fpasswd",
        "/assets/console.css/../../../etc/passwd",
        "/assets/",
    ] {
        let answer = raw(house.address(), path).await;
        let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
        assert!(["400", "404"].contains(&status.as_str()), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}");
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_pages_hear_of_what_they_show() {
    let mut house = House::new(json!({"liveStreams": 3})).await;
    let store = house.store().await;
    seed::incidents(&store, 2, "checkout", Timestamp::now()).await;
    store.close().await;
    house.start().await;
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    assert_eq!(Browser::at(house.address()).get("/live?on=list").await.status, StatusCode::UNAUTHORIZED);
    let invalid = alice.get("/live?on=nothing").await;
    assert_eq!(invalid.status, StatusCode::UNPROCESSABLE_ENTITY);

    let mut one = Stream::open(&house, &alice, "incident:i-1").await;
    let mut two = Stream::open(&house, &alice, "incident:i-2").await;
    let mut list = Stream::open(&house, &alice, "list").await;
    assert_eq!(alice.get("/live?on=list").await.status, StatusCode::TOO_MANY_REQUESTS);

    let api = house.api(ALICE);
    api.post("/api/v1/incidents/i-1/silence", &json!({"minutes": 5})).await;
    one.until("event: incident\ndata: i-1\n\n").await;
    list.until("event: list\ndata: list\n\n").await;
    assert!(!two.text.contains("event: incident"), "{}", two.text);
    let part = alice.get("/incidents?part=live").await;
    assert!(!part.text.contains("<html") && !part.text.contains("csrf"), "{}", part.text);
    api.post("/api/v1/pause", &json!({})).await;
    two.until("event: incident\ndata: i-2\n\n").await;
    assert!(alice.get("/incidents/i-2?part=live").await.text.contains("csrf"));

    // Whoever signs out hears nothing more; a stop ends the others.
    let csrf = alice.get("/incidents").await.csrf();
    let mut other = Browser::signed_in(house.address(), ALICE).await;
    drop(two);
    let mut others = eventually("a place is free", LONG, || async {
        let stream = Stream::try_open(&house, &other, "list").await;
        if stream.text.starts_with("HTTP/1.1 200") { Ok(stream) } else { Err(stream.text) }
    })
    .await;
    assert_eq!(other.get("/incidents").await.status, StatusCode::OK);
    alice.post("/logout", &[("csrf", &csrf)]).await;
    api.post("/api/v1/resume", &json!({})).await;
    one.end().await;
    list.end().await;
    others.until("event: list").await;
    house.stop().await;
    others.end().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_look_as_people_want_them_and_cookies_are_for_https_where_people_come_by_it() {
    let mut house = House::started(json!({})).await;
    let mut browser = Browser::at(house.address());
    let english = browser.get("/login").await;
    assert!(english.text.contains("lang=\"en\""), "{}", english.text);
    let accepted =
        browser.send(Method::GET, "/login", Bytes::new(), &[("accept-language", "zh-CN,en;q=0.5")]).await;
    assert!(accepted.text.contains("lang=\"zh-CN\""));
    let csrf = english.csrf();
    let set = browser
        .post("/settings", &[("csrf", &csrf), ("locale", "zh-CN"), ("theme", "dark"), ("back", "/login")])
        .await;
    assert_eq!((set.status, set.location()), (StatusCode::SEE_OTHER, "/login"));
    let chosen = browser.get("/login").await;
    assert!(chosen.text.contains("lang=\"zh-CN\"") && chosen.text.contains("dark"), "{}", chosen.text);
    house.stop().await;

    house.configure(|config| config["console"] = json!({"publicUrl": "https://kubemend.example.com"}));
    house.start().await;
    let mut browser = Browser::at(house.address());
    browser.says = vec![("origin", "https://kubemend.example.com".to_owned())];
    let page = browser.get("/login").await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-kubemend-visit=") && cookie.contains("; Secure"), "{cookie}");
    assert_eq!(browser.sign_in(ALICE).await.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.contains_key("__Host-kubemend-session"));
    house.stop().await;

    house.configure(|config| config["console"] = json!({"enabled": false}));
    house.start().await;
    let off = Browser::at(house.address()).get("/incidents").await;
    assert!(off.status == StatusCode::NOT_FOUND && off.text.contains("notFound"), "{}", off.text);
    house.end().await;
}

async fn decide(browser: &mut Browser, proposal: &str, page: &Answer, kind: &str) -> Answer {
    let (csrf, digest) = (page.csrf(), page.field("digest"));
    let fields = [("csrf", csrf.as_str()), ("digest", &digest), ("kind", kind), ("note", "by form")];
    browser.post(&format!("/proposals/{proposal}/decide"), &fields).await
}

async fn send(browser: &mut Browser, fields: &[(&str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/proposals/i-1.p1/decide", &fields).await
}
