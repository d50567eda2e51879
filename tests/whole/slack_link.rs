//! The ways in from Slack, against a strict fake: Socket Mode and signed HTTP, and what both refuse; people;
//! messages and their traces; the doctor.

#[path = "slack_link/web.rs"]
mod web_api;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fake_slack::people::{Kind, now, request, sign};
use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault, SIGNING_SECRET, link};
use crate::support::sent::too_long;
use kubemend::chat::identity::{Caller, Unheard};
use kubemend::chat::slack::inbound::{Asker, What};
use kubemend::chat::slack::settings::{Mode, Secret, Secrets, Settings, SocketSettings, WayIn};
use kubemend::chat::slack::web::Web;
use kubemend::chat::slack::{Ears, People, doctor};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(120);

struct House {
    slack: FakeSlack,
    ears: Ears,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn settings(slack: &FakeSlack, mode: Mode) -> Settings {
    let socket = SocketSettings {
        connections: 2,
        ping_seconds: 1,
        silent_seconds: 1,
        longest_pause_seconds: 2,
        report_gaps_over_seconds: 0,
    };
    Settings { mode, api_url: slack.api_url(), socket, ..Settings::default() }
}

fn secrets(mode: Mode) -> Secrets {
    let settings = Settings { mode, ..Settings::default() };
    let [bot, way_in] = settings.sources();
    let bot = Secret::parse(BOT_TOKEN, &bot).unwrap();
    let way_in = match mode {
        Mode::Socket => WayIn::Socket(Secret::parse(APP_TOKEN, &way_in).unwrap()),
        Mode::Http => WayIn::Http(Secret::parse(SIGNING_SECRET, &way_in).unwrap()),
    };
    Secrets { bot, way_in }
}

fn web(slack: &FakeSlack) -> Arc<Web> {
    Arc::new(Web::new(&slack.api_url(), &secrets(Mode::Socket)).unwrap())
}

async fn slack() -> FakeSlack {
    let slack = FakeSlack::start(&[("C1", "alerts")]).await;
    slack.add_user("U1", "ann", Kind::Member);
    slack
}

async fn house(connections: usize) -> House {
    let slack = slack().await;
    let mut settings = settings(&slack, Mode::Socket);
    settings.socket.connections = connections;
    let mut ears = Ears::new(&settings, &secrets(Mode::Socket), web(&slack), Arc::new(jiff::Timestamp::now));
    let stop = CancellationToken::new();
    let link = std::mem::replace(&mut ears.link, nothing());
    let task = tokio::spawn(link.run(stop.clone()));
    let house = House { slack, ears, stop, task };
    house.until("all links are up", || house.slack.links().len() == connections).await;
    house
}

/// A link that is nothing, in the place of the one that runs.
fn nothing() -> kubemend::chat::slack::Link {
    let settings = Settings { mode: Mode::Http, ..Settings::default() };
    let secrets = secrets(Mode::Http);
    let web = Arc::new(Web::new("http://127.0.0.1:9", &secrets).unwrap());
    Ears::new(&settings, &secrets, web, Arc::new(jiff::Timestamp::now)).link
}

impl House {
    async fn until(&self, what: &str, is: impl Fn() -> bool) {
        let started = Instant::now();
        while !is() {
            assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn next(&mut self) -> What {
        tokio::time::timeout(PATIENCE, self.ears.taken.recv())
            .await
            .expect("something comes")
            .unwrap()
            .inbound
            .what
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the links close").unwrap();
    }
}

fn said(text: &str) -> What {
    What::Commanded { text: text.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_acknowledged_and_taken_once_however_often_it_is_delivered() {
    let mut house = house(2).await;
    let first = house.slack.command("U1", "C1", "status").await;
    house.slack.acknowledged(&first).await;
    assert_eq!(house.next().await, said("status"));
    for _ in 0..5 {
        house.slack.send_again(&first);
    }
    let second = house.slack.command("U1", "C1", "help").await;
    house.slack.acknowledged(&second).await;
    assert_eq!(house.next().await, said("help"), "the duplicates were dropped");
    let acks = |house: &House| house.slack.with(|state| state.envelopes[&first].acks);
    house.until("each duplicate is acknowledged too", || acks(&house) == 11).await;
    assert!(house.ears.taken.try_recv().is_err());
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_do_not_wait_for_what_is_done_with_it() {
    let house = house(2).await;
    let mut ids = Vec::new();
    for number in 0..500 {
        ids.push(house.slack.command("U1", "C1", &format!("show i-{number}")).await);
    }
    let mut slowest = Duration::ZERO;
    for id in &ids {
        slowest = slowest.max(house.slack.acknowledged(id).await);
    }
    assert!(slowest < Duration::from_secs(2), "nobody takes anything, and yet: {slowest:?}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_renewed_leaves_no_gap() {
    for reason in ["refresh_requested", "warning"] {
        let mut house = house(1).await;
        let old = house.slack.to_oldest_link(link::disconnect(reason));
        house.until("the successor is up beside it", || house.slack.links().len() == 2).await;
        assert!(house.slack.links().contains(&old), "the old one still hears");
        for number in 0..20 {
            let id = house.slack.command("U1", "C1", &number.to_string()).await;
            house.slack.acknowledged(&id).await;
            assert_eq!(house.next().await, said(&number.to_string()));
        }
        house.slack.to_oldest_link(link::Order::Close);
        house.until("the old one is gone", || !house.slack.links().contains(&old)).await;
        assert_eq!(house.ears.hearing.deaf(), None, "{reason}");
        assert!(house.ears.gaps.try_recv().is_err());
        house.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_link_is_replaced_and_what_was_under_way_arrives() {
    let mut house = house(2).await;
    house.slack.to_all_links(&link::Order::Drop);
    let id = house.slack.command("U1", "C1", "status").await;
    house.slack.acknowledged(&id).await;
    assert_eq!(house.next().await, said("status"));
    let gap = tokio::time::timeout(PATIENCE, house.ears.gaps.recv()).await.unwrap().expect("a gap is told");
    assert!(gap.lasted().as_secs() < 10, "{gap:?}");
    assert_eq!(house.ears.hearing.deaf(), None);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_is_noticed_told_and_ended() {
    let mut house = house(2).await;
    house.slack.fail("apps.connections.open", Fault::Status(503), 3);
    let before = jiff::Timestamp::now();
    house.slack.to_all_links(&link::Order::FallSilent);
    house.until("the silence is noticed", || house.ears.hearing.deaf().is_some()).await;
    let deaf = house.ears.hearing.deaf().unwrap();
    assert!(deaf.since.duration_since(before).abs().as_secs() < 3, "it began with the last frame: {deaf:?}");
    // The fake still holds the silent sockets for open; only new ones answer.
    house.slack.with(|state| state.links.clear());
    let id = house.slack.command("U1", "C1", "status").await;
    house.slack.acknowledged(&id).await;
    assert_eq!(house.next().await, said("status"));
    let gap = tokio::time::timeout(PATIENCE, house.ears.gaps.recv()).await.unwrap().expect("a gap is told");
    assert!(gap.why.contains("503") || gap.why.contains("silent"), "{gap:?}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_links_cannot_be_opened_tries_grow_rare_and_slack_is_obeyed() {
    let house = house(2).await;
    let before = house.slack.called("apps.connections.open");
    house.slack.fail_for("apps.connections.open", Fault::RateLimited(2), Duration::from_secs(3));
    house.slack.to_all_links(&link::Order::Drop);
    house.until("links are up again", || house.slack.links().len() == 2).await;
    let tries = house.slack.called("apps.connections.open") - before;
    assert!(tries <= 8, "{tries} tries in a few seconds, though Slack asked for 2 s each time");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_not_wanted_is_not_forced_upon_slack() {
    let house = house(1).await;
    let before = house.slack.called("apps.connections.open");
    house.slack.to_oldest_link(link::disconnect("link_disabled"));
    house.until("deaf", || house.ears.hearing.deaf().is_some()).await;
    let why = house.ears.hearing.deaf().unwrap().why;
    assert!(why.contains("Socket Mode is switched off"), "{why}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(house.slack.called("apps.connections.open"), before, "it waits before it asks again");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filled_in_modal_stays_open_until_its_answer_is_there() {
    let mut house = house(1).await;
    let view = json!({"type": "modal", "callback_id": "k1.x", "title": {"type": "plain_text", "text": "Sure?"},
        "submit": {"type": "plain_text", "text": "Yes"}, "blocks": [{"type": "input", "block_id": "b",
        "label": {"type": "plain_text", "text": "Name"}, "element": {"type": "plain_text_input", "action_id": "name"}}]});
    let trigger = house.slack.with(|state| crate::fake_slack::calls::trigger(state, "U1"));
    web(&house.slack).post("views.open", &json!({"trigger_id": trigger, "view": view})).await.unwrap();
    let id = house.slack.submit("U1", &[("Name", "web")]).await;
    house.slack.acknowledged(&id).await;
    let What::Filled { form, values } = house.next().await else { panic!("a form") };
    assert_eq!((form.as_str(), values["name"].as_str()), ("k1.x", "web"));
    assert!(house.slack.modal("U1").unwrap().contains("…"));
    house.end().await;
}

async fn listening() -> (FakeSlack, Ears, String) {
    let slack = slack().await;
    let settings = settings(&slack, Mode::Http);
    let secrets = secrets(Mode::Http);
    let web = Arc::new(Web::new(&slack.api_url(), &secrets).unwrap());
    let mut ears = Ears::new(&settings, &secrets, web, Arc::new(jiff::Timestamp::now));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = std::mem::take(&mut ears.routes);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    slack.with(|state| state.over_http = Some((base.clone(), SIGNING_SECRET.to_owned())));
    (slack, ears, base)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_same_things_are_heard() {
    let (slack, mut ears, _) = listening().await;
    slack.command("U1", "C1", "diagnose pod web-0 & more").await;
    slack.mention("U1", "C1", "status").await;
    slack.shortcut("U1", "C1", "diagnose", "Back-off pulling image").await;
    let mut heard = Vec::new();
    while let Ok(taken) = ears.taken.try_recv() {
        heard.push(taken.inbound.what);
    }
    let shortcut = What::Shortcut { callback: "diagnose".into(), text: "Back-off pulling image".into() };
    assert_eq!(
        heard,
        [said("diagnose pod web-0 & more"), What::Mentioned { text: "status".into() }, shortcut]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_only_what_slack_signed_just_now_for_the_first_time_is_let_in() {
    let (_slack, mut ears, base) = listening().await;
    let url = format!("{base}/slack/commands");
    let body =
        "user_id=U1&channel_id=C1&text=help&trigger_id=7&response_url=https%3A%2F%2Fhooks.slack.com%2Fx";
    let good = sign(SIGNING_SECRET, now(), body);
    let cases = [
        ("unsigned", request(&url, body, None).await.0),
        ("another secret", request(&url, body, Some((now(), &sign("other", now(), body)))).await.0),
        ("another body", request(&url, &format!("{body}&x=1"), Some((now(), &good))).await.0),
        ("no signature at all", request(&url, body, Some((now(), "v0="))).await.0),
    ];
    for (what, status) in cases {
        assert_eq!(status, 401, "{what}");
    }
    for moment in [now() - 301, now() + 330] {
        let signature = sign(SIGNING_SECRET, moment, body);
        assert_eq!(request(&url, body, Some((moment, &signature))).await.0, 401, "five minutes are the most");
    }
    assert!(ears.taken.try_recv().is_err());
    let moment = now();
    let signature = sign(SIGNING_SECRET, moment, body);
    assert_eq!(request(&url, body, Some((moment, &signature))).await.0, 200);
    assert_eq!(request(&url, body, Some((moment, &signature))).await.0, 401, "a replay is refused");
    assert!(ears.taken.try_recv().is_ok() && ears.taken.try_recv().is_err());
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(request(&url, &large, None).await.0, 413, "refused before it is read");
    for path in ["commands", "interactions", "events"] {
        let refused = too_long(&format!("{base}/slack/{path}"), 1024 * 1024).await;
        assert_eq!(refused, (413, 413), "{path}: announced, and unannounced");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_slack_can_convince_itself_that_the_address_is_right() {
    let (_slack, _ears, base) = listening().await;
    let challenge = json!({"type": "url_verification", "token": "t", "challenge": "3eZbrw1a"}).to_string();
    let signature = sign(SIGNING_SECRET, now(), &challenge);
    let (status, answer) =
        request(&format!("{base}/slack/events"), &challenge, Some((now(), &signature))).await;
    assert_eq!((status, answer.as_str()), (200, r#"{"challenge":"3eZbrw1a"}"#));
    let check = "ssl_check=1&token=t";
    let signature = sign(SIGNING_SECRET, now(), check);
    assert_eq!(request(&format!("{base}/slack/commands"), check, Some((now(), &signature))).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_who_slack_says_they_are() {
    let slack = slack().await;
    for (id, name, kind) in [
        ("U2", "gus", Kind::Guest),
        ("U3", "bot", Kind::Bot),
        ("U4", "dan", Kind::Deactivated),
        ("U5", "eve", Kind::Stranger),
    ] {
        slack.add_user(id, name, kind);
    }
    slack.with(|state| state.groups.insert("S1".to_owned(), vec!["U1".to_owned(), "U2".to_owned()]));
    let people = People::new(web(&slack), Duration::from_secs(60));
    let who = |id: &str| Asker { user: id.into(), team: "T1".into() };
    let ann = Caller::of(people.who(&who("U1")).await.unwrap()).expect("a member");
    assert_eq!((ann.actor.id.as_str(), ann.actor.name.as_str()), ("U1", "ann"));
    assert_eq!(ann.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["S1"]);
    for (id, why) in [
        ("U2", Unheard::Guest),
        ("U3", Unheard::Bot),
        ("U4", Unheard::Deactivated),
        ("U5", Unheard::Guest),
        ("U9", Unheard::Elsewhere),
    ] {
        assert_eq!(Caller::of(people.who(&who(id)).await.unwrap()), Err(why), "{id}");
    }
    let asked = slack.called("users.info");
    people.who(&who("U1")).await.unwrap();
    assert_eq!(slack.called("users.info"), asked, "it is remembered");
    assert_eq!(slack.called("usergroups.list"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_known_serves_while_slack_does_not_answer_and_strangers_stay_strangers() {
    let slack = slack().await;
    slack.add_user("U2", "ben", Kind::Member);
    slack.with(|state| state.groups.insert("S1".to_owned(), vec!["U1".to_owned()]));
    let people = People::new(web(&slack), Duration::from_secs(1));
    let ann = Asker { user: "U1".into(), team: "T1".into() };
    people.who(&ann).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    slack.fail("", Fault::Status(503), 100);
    assert_eq!(people.who(&ann).await.unwrap().groups.len(), 1);
    let ben = Asker { user: "U2".into(), team: "T1".into() };
    assert!(people.who(&ben).await.is_err());
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(people.who(&ann).await.is_err(), "not for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_to_click() {
    let slack = FakeSlack::start(&[("C1", "alerts"), ("C2", "old"), ("C3", "elsewhere")]).await;
    slack.with(|state| {
        state.scopes.remove("usergroups:read");
        state.channels.get_mut("C2").unwrap().archived = true;
        state.channels.get_mut("C3").unwrap().member = false;
    });
    slack.fail("apps.connections.open", Fault::Status(500), 1);
    let channels = ["C1", "C2", "C3", "C4"].map(Into::into);
    let checks = doctor::examine(&settings(&slack, Mode::Socket), &secrets(Mode::Socket), &channels).await;
    let told: Vec<String> = checks
        .iter()
        .map(|check| match &check.wrong {
            None => format!("good: {}", check.what),
            Some((why, way_out)) => format!("wrong: {}: {why}\n  {way_out}", check.what),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
