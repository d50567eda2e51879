//! The ways in from Discord, against a strict fake: the gateway and signed HTTP, what both survive and refuse.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fake_discord::client::Small;
use crate::fake_discord::guild::Kind;
use crate::fake_discord::people::Place;
use crate::fake_discord::{
    APPLICATION, BOT_TOKEN, FakeDiscord, Fault, GUILD, Order, Scope, endpoint, gateway,
};
use crate::support::sent::too_long;
use jiff::Timestamp;
use kubemend::chat::discord::inbound::What;
use kubemend::chat::discord::settings::{GatewaySettings, Mode, Secret, Secrets, Settings};
use kubemend::chat::discord::web::Web;
use kubemend::chat::discord::{Ears, Link, People, registration};
use kubemend::chat::identity::{Caller, Unheard};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(120);
const CHANNEL: &str = "440000000000000001";
const FORUM: &str = "440000000000000002";
const ANN: &str = "550000000000000001";
const BEN: &str = "550000000000000002";

fn settings(discord: &FakeDiscord, mode: Mode) -> Settings {
    Settings {
        mode,
        application_id: APPLICATION.into(),
        public_key: Some(endpoint::public_key()),
        guilds: vec![GUILD.into()],
        api_url: discord.api_url(),
        gateway: GatewaySettings { silent_seconds: 1, longest_pause_seconds: 2, report_gaps_over_seconds: 0 },
        ..Settings::default()
    }
}

fn secrets() -> Secrets {
    Secrets { bot: Secret::parse(BOT_TOKEN, &Settings::default().source()).unwrap() }
}

fn web(discord: &FakeDiscord) -> Arc<Web> {
    Arc::new(Web::new(&settings(discord, Mode::Gateway), &secrets()).unwrap())
}

fn ears(discord: &FakeDiscord, mode: Mode) -> Ears {
    let clock = Arc::new(Timestamp::now);
    Ears::new(&settings(discord, mode), &secrets(), web(discord), clock).unwrap()
}

/// A server in which `/mend` is registered.
async fn discord() -> FakeDiscord {
    let discord = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    discord.add_forum(FORUM, "posts", &["open", "over"]);
    discord.add_user(ANN, "ann", Kind::Member, &[]);
    discord.add_user(BEN, "ben", Kind::Member, &[]);
    let path = format!("/applications/{APPLICATION}/guilds/{GUILD}/commands");
    let commands = registration::commands(registration::Scope::Guild);
    assert_eq!(Small::new(&discord).put(&path, json!(commands)).await.status, 200);
    discord
}

struct House {
    discord: FakeDiscord,
    ears: Ears,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn house() -> House {
    let discord = discord().await;
    discord.with(|state| {
        state.heartbeat = Duration::from_secs(1);
        // What is sent while nothing is linked is answered after the resume; how long that takes is not asked here.
        state.first_within = Duration::from_secs(60);
    });
    let house = begun(discord);
    house.until("it is heard", || house.discord.linked() == 1).await;
    house
}

fn begun(discord: FakeDiscord) -> House {
    let mut ears = ears(&discord, Mode::Gateway);
    let stop = CancellationToken::new();
    let link = std::mem::replace(&mut ears.link, nothing(&discord));
    let task = tokio::spawn(link.run(stop.clone()));
    House { discord, ears, stop, task }
}

/// A link that is nothing, in the place of the one that runs.
fn nothing(discord: &FakeDiscord) -> Link {
    ears(discord, Mode::Http).link
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
        let next = tokio::time::timeout(PATIENCE, self.ears.taken.recv());
        next.await.expect("something comes").unwrap().inbound.what
    }

    async fn status(&self) -> String {
        self.discord.command(ANN, CHANNEL, "mend status", &[]).await
    }

    fn met(&self) -> (usize, usize) {
        self.discord.with(|state| (state.identified, state.resumed))
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the link closes").unwrap();
        assert_eq!(self.discord.with(|state| state.resumed_elsewhere), 0);
    }
}

fn said(line: &str) -> What {
    What::Commanded { line: line.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_answered_and_taken_once_however_often_it_is_delivered() {
    let mut house = house().await;
    let first = house.status().await;
    house.discord.acknowledged(&first).await;
    assert_eq!(house.next().await, said("status"));
    for _ in 0..5 {
        house.discord.send_again(&first).await;
    }
    let second = house.discord.command(ANN, CHANNEL, "mend show", &[("incident", "i-1")]).await;
    house.discord.acknowledged(&second).await;
    assert_eq!(house.next().await, said("show i-1"), "the duplicates were dropped");
    assert_eq!(house.discord.answered(&first), (1, Some(json!({"type": 5, "data": {"flags": 64}}))));
    assert!(house.ears.taken.try_recv().is_err());
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_do_not_wait_for_what_is_done_with_it() {
    let house = house().await;
    let mut ids = Vec::new();
    for _ in 0..500 {
        ids.push(house.status().await);
    }
    let mut slowest = Duration::ZERO;
    for id in &ids {
        slowest = slowest.max(house.discord.acknowledged(id).await);
    }
    assert!(slowest < Duration::from_secs(2), "nobody takes anything, and yet: {slowest:?}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_ends_is_resumed_where_discord_says_and_nothing_is_missed() {
    for (number, order) in [
        gateway::reconnect(),
        gateway::invalid_session(true),
        Order::Drop,
        Order::Close(Some(4000)),
        Order::Close(Some(4009)),
        Order::Close(None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut house = house().await;
        let keeps = !matches!(order, Order::Close(Some(4009)));
        house.discord.to_all_links(&order);
        house.until("the old link is gone", || house.discord.linked() == 0).await;
        let id = house.status().await;
        if keeps {
            house.discord.acknowledged(&id).await;
            assert_eq!(house.next().await, said("status"), "{order:?}");
        }
        house.until("it is heard again", || house.discord.linked() == 1).await;
        let (identified, resumed) = house.met();
        assert_eq!(identified, 1 + usize::from(!keeps), "case {number}: {order:?}");
        assert_eq!(resumed, usize::from(keeps), "case {number}: {order:?}");
        house.until("deaf no more", || house.ears.hearing.deaf().is_none()).await;
        house.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_over_is_begun_anew_without_haste_and_the_gap_is_told() {
    let mut house = house().await;
    house.discord.forget_sessions();
    house.discord.to_all_links(&gateway::invalid_session(false));
    let gap = tokio::time::timeout(PATIENCE, house.ears.gaps.recv()).await.unwrap().expect("a gap is told");
    assert!(gap.lasted().as_secs() < 60, "{gap:?}");
    assert_eq!(house.met(), (2, 0));
    let id = house.status().await;
    house.discord.acknowledged(&id).await;
    assert_eq!(house.next().await, said("status"));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_that_are_not_acknowledged_end_a_dead_link() {
    let mut house = house().await;
    let before = Timestamp::now();
    house.discord.to_all_links(&Order::FallSilent);
    let id = house.status().await;
    house.discord.acknowledged(&id).await;
    assert_eq!(house.next().await, said("status"), "what was sent into the void came again");
    let gap = tokio::time::timeout(PATIENCE, house.ears.gaps.recv()).await.unwrap().expect("a gap is told");
    let off = gap.from.duration_since(before).abs();
    assert!(off.as_secs() < 5, "it began with the last frame that was heard: {gap:?}");
    assert_eq!(house.met(), (1, 1));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_get_better_is_not_tried_again_and_says_why() {
    for (code, word) in [(4004, "token"), (4014, "intent")] {
        let house = house().await;
        let asked = house.discord.called("GET /gateway/bot");
        house.discord.to_all_links(&Order::Close(Some(code)));
        house.until("deaf", || house.ears.hearing.deaf().is_some()).await;
        let why = house.ears.hearing.deaf().unwrap().why;
        assert!(why.contains(word), "{code}: {why}");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!((house.met(), house.discord.called("GET /gateway/bot")), ((1, 0), asked), "{code}");
        house.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_used_up_are_not_begun() {
    let discord = discord().await;
    discord.with(|state| state.starts_left = 0);
    let house = begun(discord);
    let says = || house.ears.hearing.deaf().is_some_and(|deaf| deaf.why.contains("no more sessions"));
    house.until("it says so", says).await;
    assert_eq!(house.met(), (0, 0));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_discord_does_not_answer_tries_grow_rare_and_it_is_obeyed() {
    let house = house().await;
    let limit = Fault::RateLimited(Duration::from_secs(2), Scope::Global);
    house.discord.fail_for("GET /gateway/bot", limit, Duration::from_secs(4));
    house.discord.forget_sessions();
    let before = house.discord.called("GET /gateway/bot");
    house.discord.to_all_links(&gateway::invalid_session(false));
    house.until("it is heard again", || house.discord.linked() == 1).await;
    let tries = house.discord.called("GET /gateway/bot") - before;
    assert!(tries <= 5, "{tries} tries in a few seconds, though Discord asked for 2 s each time");
    assert!(house.discord.with(|state| state.closed.clone()).is_empty(), "nothing it sent was wrong");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_meets_trouble_is_tried_until_the_three_seconds_are_over() {
    let mut house = house().await;
    let route = "POST /interactions/{interaction_id}/{interaction_token}/callback";
    for fault in [Fault::Status(503), Fault::Cut, Fault::DoneAnd502, Fault::DoneAndCut] {
        house.discord.fail(route, fault.clone(), 1);
        let id = house.status().await;
        house.discord.acknowledged(&id).await;
        let taken = tokio::time::timeout(PATIENCE, house.ears.taken.recv()).await.unwrap().unwrap();
        let kubemend::chat::discord::Acker::Deferred(acked) = taken.ack else {
            panic!("deferred: {fault:?}")
        };
        assert_eq!(acked.arrived().await, Ok(()), "{fault:?}");
    }
    house.end().await;
}

async fn listening() -> (FakeDiscord, Ears, String) {
    let discord = discord().await;
    let mut ears = ears(&discord, Mode::Http);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/discord/interactions", listener.local_addr().unwrap());
    let routes = std::mem::take(&mut ears.routes);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    discord.with(|state| state.endpoint = Some(url.clone()));
    (discord, ears, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_discord_can_convince_itself_that_the_address_is_right() {
    let (_discord, _ears, url) = listening().await;
    assert_eq!(endpoint::probe(&url).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_the_same_things_are_heard() {
    let (discord, mut ears, _) = listening().await;
    let options = [("object", "pod/web-0"), ("namespace", "shop")];
    discord.command(ANN, CHANNEL, "mend diagnose", &options).await;
    let message = discord.write(BEN, CHANNEL, "why is pod/web-0 -n shop so slow?");
    discord.point(ANN, CHANNEL, &message, "Diagnose").await;
    let heard: Vec<What> =
        std::iter::from_fn(|| ears.taken.try_recv().ok()).map(|taken| taken.inbound.what).collect();
    let text = "why is pod/web-0 -n shop so slow?".to_owned();
    assert_eq!(
        heard,
        [said("diagnose --namespace shop pod/web-0"), What::Pointed { name: "Diagnose".into(), text }]
    );
    assert!(discord.transcript().contains("writes"), "{}", discord.transcript());
    assert!(!discord.transcript().contains("failed"), "{}", discord.transcript());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_only_what_discord_signed_just_now_for_the_first_time_is_let_in() {
    let (discord, mut ears, url) = listening().await;
    let payload = discord.with(|state| {
        let data = json!({"id": "1", "name": "mend", "type": 1, "options": [{"type": 1, "name": "help", "options": []}]});
        let id = crate::fake_discord::people::interaction(state, ANN, CHANNEL.into(), 2, data, None);
        state.interactions[&id].payload.to_string()
    });
    let moment = endpoint::now();
    let good = endpoint::sign(&moment, &payload);
    let cases = [
        ("unsigned", None),
        ("another body's", Some((moment.clone(), endpoint::sign(&moment, "{}")))),
        ("no hexadecimal", Some((moment.clone(), "z".repeat(128)))),
        ("short", Some((moment.clone(), good[..64].to_owned()))),
        ("another moment's", Some(("1700000000".to_owned(), good.clone()))),
    ];
    for (what, signed) in cases {
        let signed = signed.as_ref().map(|(moment, signature)| (moment.as_str(), signature.as_str()));
        assert_eq!(endpoint::request(&url, &payload, signed).await.0, 401, "{what}");
    }
    for off in [-330, 330] {
        let then = (Timestamp::now().as_second() + off).to_string();
        let signature = endpoint::sign(&then, &payload);
        assert_eq!(
            endpoint::request(&url, &payload, Some((&then, &signature))).await.0,
            401,
            "five minutes at most"
        );
    }
    assert!(ears.taken.try_recv().is_err());
    assert_eq!(endpoint::request(&url, &payload, Some((&moment, &good))).await.0, 200);
    assert_eq!(endpoint::request(&url, &payload, Some((&moment, &good))).await.0, 401, "a replay is refused");
    assert!(ears.taken.try_recv().is_ok() && ears.taken.try_recv().is_err());
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(endpoint::request(&url, &large, None).await.0, 413, "refused before it is read");
    assert_eq!(too_long(&url, 1024 * 1024).await, (413, 413), "announced, and unannounced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_who_discord_says_they_are_and_only_members_of_the_server_are_heard() {
    let mut house = house().await;
    house.discord.add_role("330000000000000001", "operators", false);
    house.discord.with(|state| {
        state.users.get_mut(ANN).unwrap().roles.as_mut().unwrap().insert("330000000000000001".to_owned());
        state.users.get_mut(BEN).unwrap().timed_out = true;
    });
    let people = People::new(&[GUILD.into()]);
    let mut callers = Vec::new();
    for (user, place) in
        [(ANN, CHANNEL.into()), (ANN, Place::Direct), (ANN, Place::Elsewhere), (BEN, CHANNEL.into())]
    {
        house.discord.command_from(user, place, "mend status", &[]).await;
        let taken = tokio::time::timeout(PATIENCE, house.ears.taken.recv()).await.unwrap().unwrap();
        callers.push(Caller::of(people.who(&taken.inbound.by, Timestamp::now())));
    }
    let ann = callers[0].as_ref().expect("a member");
    assert_eq!((ann.actor.id.as_str(), ann.actor.name.as_str()), (ANN, "ann"));
    assert_eq!(ann.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["330000000000000001"]);
    assert_eq!(callers[1..3], [Err(Unheard::Elsewhere), Err(Unheard::Elsewhere)]);
    assert!(callers[3].is_err(), "{:?}", callers[3]);
    house.end().await;
}
