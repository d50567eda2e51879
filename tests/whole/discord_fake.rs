//! The fake Discord is as strict as Discord: what it refuses, with which code; what it lets people do.

use std::time::Duration;

use crate::fake_discord::client::{Line, Small};
use crate::fake_discord::guild::Kind;
use crate::fake_discord::people::Place;
use crate::fake_discord::{
    APPLICATION, BOT_TOKEN, FakeDiscord, Fault, GUILD, Order, Scope, endpoint, gateway, permissions, show,
};
use serde_json::{Value, json};

const CHANNEL: &str = "440000000000000001";
const FORUM: &str = "440000000000000002";
const ANN: &str = "550000000000000001";
const MESSAGES: &str = "/channels/440000000000000001/messages";

async fn discord() -> (FakeDiscord, Small) {
    let discord = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    discord.add_forum(FORUM, "posts", &["open", "fixed"]);
    discord.add_user(ANN, "ann", Kind::Member, &[]);
    // What is refused is asked often here; how often it may be asked has a test of its own.
    discord.with(|state| {
        for limit in state.limits.values_mut() {
            limit.0 = 1000;
        }
    });
    let small = Small::new(&discord);
    (discord, small)
}

fn embed(text: &str) -> Value {
    json!({"title": "t", "description": text})
}

fn button(id: &str) -> Value {
    json!({"type": 2, "style": 3, "label": "Go", "custom_id": id})
}

fn row(parts: &[Value]) -> Value {
    json!({"type": 1, "components": parts})
}

#[tokio::test]
async fn messages_that_discord_refuses_are_refused_with_its_words() {
    let (discord, small) = discord().await;
    discord.with(|state| {
        state.limits.insert("POST /channels/{channel_id}/messages".to_owned(), (1000, Duration::from_secs(1)))
    });
    let long = |number: usize| "x".repeat(number);
    let option = |value: &str| json!({"label": value, "value": value});
    let menu = |options: &[Value]| json!({"type": 3, "custom_id": "m", "options": options});
    let many: Vec<Value> = (0..26).map(|n| option(&n.to_string())).collect();
    let cases = [
        (json!({}), "400 50006"),
        (json!({"content": "  "}), "400 50006"),
        (json!({"content": long(2001)}), "400 50035 content BASE_TYPE_MAX_LENGTH"),
        (json!({"content": "x", "colour": 1}), "400 50035 colour UNKNOWN_FIELD"),
        (json!({"content": "x", "flags": 64}), "400 50035 flags INVALID_MESSAGE_FLAGS"),
        (json!({"content": "x", "nonce": long(26)}), "400 50035 nonce BASE_TYPE_MAX_LENGTH"),
        (json!({"embeds": [{"title": long(257)}]}), "400 50035 embeds.0.title BASE_TYPE_MAX_LENGTH"),
        (json!({"embeds": [embed(&long(4097))]}), "400 50035 embeds.0.description BASE_TYPE_MAX_LENGTH"),
        (json!({"embeds": [{}]}), "400 50035 embeds.0.description BASE_TYPE_REQUIRED"),
        (
            json!({"embeds": [{"title": "t", "url": "javascript:1"}]}),
            "400 50035 embeds.0.url URL_TYPE_INVALID_SCHEME",
        ),
        (
            json!({"embeds": [{"title": "t", "fields": [{"name": " ", "value": "v"}]}]}),
            "400 50035 embeds.0.fields.0.name BASE_TYPE_REQUIRED",
        ),
        (
            json!({"embeds": [embed(&long(3000)), embed(&long(3000))]}),
            "400 50035 embeds MAX_EMBED_SIZE_EXCEEDED",
        ),
        (
            json!({"embeds": (0..11).map(|_| embed("x")).collect::<Vec<_>>()}),
            "400 50035 embeds BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({"content": "x", "components": (0..6).map(|n| row(&[button(&n.to_string())])).collect::<Vec<_>>()}),
            "400 50035 components BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({"content": "x", "components": [row(&(0..6).map(|n| button(&n.to_string())).collect::<Vec<_>>())]}),
            "400 50035 components.0.components BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({"content": "x", "components": [row(&[button("a"), button("a")])]}),
            "400 50035 components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            json!({"content": "x", "components": [row(&[button(&long(101))])]}),
            "400 50035 components.0.components.0.custom_id BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({"content": "x", "components": [row(&[json!({"type": 2, "style": 1, "label": long(81), "custom_id": "a"})])]}),
            "400 50035 components.0.components.0.label BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({"content": "x", "components": [row(&[menu(&many)])]}),
            "400 50035 components.0.components.0.options BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({"content": "x", "components": [row(&[menu(&[option("a"), option("a")])])]}),
            "400 50035 components.0.components.0.options.1.value SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ),
        (
            json!({"content": "x", "components": [row(&[menu(&[option("a")]), button("b")])]}),
            "400 50035 components.0.components.0 COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ),
        (
            json!({"content": "x", "allowed_mentions": {"parse": ["users"], "users": [ANN]}}),
            "400 50035 allowed_mentions MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
    ];
    for (body, told) in cases {
        assert_eq!(small.post(MESSAGES, body.clone()).await.refusal(), told, "{body}");
    }
    let largest = json!({"content": long(2000), "embeds": [{"title": long(256), "description": long(4096)}]});
    assert_eq!(small.post(MESSAGES, largest).await.status, 200);
    assert_eq!(discord.posted(CHANNEL).len(), 1);
}

#[tokio::test]
async fn a_nonce_that_is_enforced_posts_once_and_is_forgotten_after_some_minutes() {
    let (discord, small) = discord().await;
    let body = json!({"content": "x", "nonce": "n-1", "enforce_nonce": true});
    let first = small.post(MESSAGES, body.clone()).await;
    assert_eq!((first.status, first.body["nonce"].as_str()), (200, Some("n-1")));
    let again = small.post(MESSAGES, body.clone()).await;
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(discord.posted(CHANNEL).len(), 1);
    let listed = small.get(&format!("{MESSAGES}?limit=5")).await;
    assert_eq!(listed.body[0]["nonce"], Value::Null, "Discord keeps no nonce with a message");
    discord.advance(Duration::from_secs(600));
    assert_ne!(small.post(MESSAGES, body).await.body["id"], first.body["id"]);
}

#[tokio::test]
async fn who_may_not_and_what_is_not_there_is_told_with_discords_codes() {
    let (discord, small) = discord().await;
    let text = || json!({"content": "x"});
    assert_eq!(small.post("/channels/440000000000000009/messages", text()).await.refusal(), "404 10003");
    assert_eq!(small.patch(&format!("{MESSAGES}/1"), text()).await.refusal(), "404 10008");
    assert_eq!(small.post(&format!("/channels/{FORUM}/messages"), text()).await.refusal(), "400 50008");
    assert_eq!(small.get("/nothing").await.refusal(), "404 0");
    discord.forbid(CHANNEL, permissions::EMBED);
    assert_eq!(small.post(MESSAGES, json!({"embeds": [embed("x")]})).await.refusal(), "403 50013");
    discord.forbid(CHANNEL, permissions::SEND);
    assert_eq!(small.post(MESSAGES, text()).await.refusal(), "403 50013");
    discord.forbid(CHANNEL, permissions::VIEW);
    assert_eq!(small.post(MESSAGES, text()).await.refusal(), "403 50001");
    discord.allow_again(CHANNEL);
    let mut other = Small::new(&discord);
    other.headers[0].1 = "curl/8".to_owned();
    assert_eq!(other.get("/users/@me").await.refusal(), "403 40333");
    other.headers[0].1 = crate::fake_discord::client::AGENT.to_owned();
    other.headers[1].1 = "Bot other".to_owned();
    assert_eq!(other.get("/users/@me").await.refusal(), "401 0");
    discord.with(|state| {
        let theirs = json!({"id": "7", "author": {"id": ANN}, "content": "x", "channel_id": CHANNEL});
        state.channels.get_mut(CHANNEL).unwrap().messages.push(theirs);
    });
    assert_eq!(small.patch(&format!("{MESSAGES}/7"), text()).await.refusal(), "403 50005");
    let broken =
        small.send_raw("POST", MESSAGES, Some(("application/json".into(), "{".into()))).await.unwrap();
    assert_eq!(broken.refusal(), "400 50109");
}

#[tokio::test]
async fn threads_begin_at_messages_and_archived_or_locked_ones_are_left_alone() {
    let (discord, small) = discord().await;
    let message = small.post(MESSAGES, json!({"content": "x"})).await.body["id"].as_str().unwrap().to_owned();
    let begin = format!("{MESSAGES}/{message}/threads");
    let thread = small.post(&begin, json!({"name": "history"})).await;
    assert_eq!((thread.status, thread.body["id"].as_str()), (201, Some(message.as_str())));
    assert_eq!(small.post(&begin, json!({"name": "history"})).await.refusal(), "400 160004");
    let inside = format!("/channels/{message}/messages");
    let reply = small.post(&inside, json!({"content": "one"})).await.body["id"].as_str().unwrap().to_owned();
    let set = |archived: bool, locked: bool| json!({"archived": archived, "locked": locked});
    small.patch(&format!("/channels/{message}"), set(true, false)).await;
    assert_eq!(
        small.patch(&format!("{inside}/{reply}"), json!({"content": "two"})).await.refusal(),
        "400 50083"
    );
    assert_eq!(small.post(&inside, json!({"content": "two"})).await.status, 200);
    assert!(!discord.with(|state| state.channels[&message].archived), "writing into it opens it");
    small.patch(&format!("/channels/{message}"), set(true, true)).await;
    discord.forbid(CHANNEL, permissions::MANAGE_THREADS);
    assert_eq!(small.post(&inside, json!({"content": "three"})).await.refusal(), "403 160005");
    assert_eq!(
        small.patch(&format!("/channels/{message}"), json!({"archived": false})).await.refusal(),
        "403 50013"
    );
    assert!(
        discord.channel(CHANNEL).contains("in the thread history (archived) (locked)"),
        "{}",
        discord.channel(CHANNEL)
    );
}

#[tokio::test]
async fn forum_posts_have_tags_and_a_first_message_of_the_same_name() {
    let (discord, small) = discord().await;
    let posts = format!("/channels/{FORUM}/threads");
    let tag = discord.with(|state| state.channels[FORUM].tags[0].0.clone());
    let body = json!({"name": "web-0", "applied_tags": [tag], "message": {"content": "broken"}});
    let post = small.post(&posts, body).await;
    assert_eq!((post.status, &post.body["message"]["id"]), (201, &post.body["id"]));
    let id = post.body["id"].as_str().unwrap();
    let unknown = small.patch(&format!("/channels/{id}"), json!({"applied_tags": ["1"]})).await;
    assert_eq!(unknown.refusal(), "400 50035 applied_tags.0 INVALID_FORUM_TAG");
    let nonce = json!({"name": "x", "message": {"content": "x", "nonce": "n"}});
    assert_eq!(small.post(&posts, nonce).await.refusal(), "400 50035 message.nonce UNKNOWN_FIELD");
    discord.with(|state| state.channels.get_mut(FORUM).unwrap().needs_tag = true);
    let untagged = json!({"name": "x", "message": {"content": "x"}});
    assert_eq!(small.post(&posts, untagged).await.refusal(), "400 40067");
    let active = small.get(&format!("/guilds/{GUILD}/threads/active")).await;
    assert_eq!(active.body["threads"][0]["id"], id);
}

/// A message with a button, and somebody who clicks it.
async fn clicked(discord: &FakeDiscord, small: &Small) -> String {
    let body = json!({"content": "x", "components": [row(&[button("go")])]});
    let message = small.post(MESSAGES, body).await.body["id"].as_str().unwrap().to_owned();
    discord.click(ANN, CHANNEL, &message, "Go").await
}

#[tokio::test]
async fn an_interaction_is_answered_once_in_three_seconds_and_followed_up_for_fifteen_minutes() {
    let (discord, small) = discord().await;
    let defer = || json!({"type": 5, "data": {"flags": 64}});
    let late = clicked(&discord, &small).await;
    discord.advance(Duration::from_secs(4));
    assert_eq!(small.answer(&discord, &late, defer()).await.refusal(), "404 10062");
    let id = clicked(&discord, &small).await;
    let token = discord.with(|state| state.interactions[&id].token.clone());
    let hook = format!("/webhooks/{APPLICATION}/{token}");
    assert_eq!(
        small.post(&hook, json!({"content": "x"})).await.refusal(),
        "404 10015",
        "not before the answer"
    );
    assert_eq!(small.answer(&discord, &id, defer()).await.status, 204);
    assert_eq!(small.answer(&discord, &id, defer()).await.refusal(), "400 40060");
    assert_eq!(show::message(&discord.whispered(ANN).unwrap()), "(kubemend is thinking…)\n");
    let edit = |text: &str| json!({"content": text, "embeds": [], "allowed_mentions": {"parse": []}});
    assert_eq!(small.patch(&format!("{hook}/messages/@original"), edit("done")).await.status, 200);
    assert_eq!(show::message(&discord.whispered(ANN).unwrap()), "done\n");
    assert_eq!(small.post(&hook, json!({"content": "more", "flags": 64})).await.status, 200);
    assert_eq!(show::message(&discord.whispered(ANN).unwrap()), "more\n");
    discord.advance(Duration::from_secs(15 * 60));
    assert_eq!(small.patch(&format!("{hook}/messages/@original"), edit("late")).await.refusal(), "401 50027");
    assert_eq!(discord.channel(CHANNEL).matches("more").count(), 0, "only ann sees it");
}

#[tokio::test]
async fn a_modal_is_a_first_answer_and_brings_what_was_filled_in() {
    let (discord, small) = discord().await;
    let input = |label: &str| json!({"type": 1, "components": [{"type": 4, "custom_id": label, "label": label, "style": 1, "max_length": 5}]});
    let modal = |parts: &[Value]| json!({"type": 9, "data": {"custom_id": "f", "title": "Sure?", "components": parts}});
    let id = clicked(&discord, &small).await;
    let six: Vec<Value> = (0..6).map(|n| input(&n.to_string())).collect();
    assert_eq!(
        small.answer(&discord, &id, modal(&six)).await.refusal(),
        "400 50035 data.components BASE_TYPE_BAD_LENGTH"
    );
    let mut long = modal(&[input("name")]);
    long["data"]["title"] = json!("x".repeat(46));
    assert_eq!(
        small.answer(&discord, &id, long).await.refusal(),
        "400 50035 data.title BASE_TYPE_BAD_LENGTH"
    );
    assert_eq!(small.answer(&discord, &id, modal(&[input("name")])).await.status, 204);
    assert_eq!(discord.modal(ANN).unwrap(), "== Sure? ==\n? name: <>\n[[Submit]]\n");
    let filled = discord.submit(ANN, &[("name", "web")]).await;
    let payload = discord.with(|state| state.interactions[&filled].payload.clone());
    assert_eq!(payload["data"]["components"][0]["components"][0]["value"], "web");
    assert_eq!(
        small.answer(&discord, &filled, modal(&[input("name")])).await.refusal(),
        "400 50035 type BASE_TYPE_CHOICES"
    );
    assert_eq!(small.answer(&discord, &filled, json!({"type": 6})).await.status, 204);
}

#[tokio::test]
async fn only_registered_commands_can_be_typed_and_only_good_ones_registered() {
    let (discord, small) = discord().await;
    let path = format!("/applications/{APPLICATION}/guilds/{GUILD}/commands");
    let option = |kind: u8, name: &str, required: bool| json!({"type": kind, "name": name, "description": "d", "required": required});
    let mend = |options: &[Value]| json!([{"name": "mend", "description": "d", "options": options}]);
    for (body, told) in [
        (mend(&[option(3, "Big", false)]), "400 50035 0.options.0.name STRING_TYPE_REGEX"),
        (
            mend(&[option(3, "a", false), option(3, "b", true)]),
            "400 50035 0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            mend(&(0..26).map(|n| option(3, &format!("o{n}"), false)).collect::<Vec<_>>()),
            "400 50035 0.options BASE_TYPE_BAD_LENGTH",
        ),
    ] {
        assert_eq!(small.put(&path, body).await.refusal(), told);
    }
    let mut name = option(3, "name", true);
    name["autocomplete"] = json!(true);
    let show = json!({"type": 1, "name": "show", "description": "d", "options": [name]});
    let kept = small.put(&path, mend(&[show])).await;
    assert_eq!((kept.status, &small.get(&path).await.body), (200, &kept.body));
    assert_eq!(discord.options_of("mend show"), ["name!"]);
    let id = discord.command(ANN, CHANNEL, "mend show", &[("name", "i-1")]).await;
    let answer = json!({"type": 4, "data": {"content": "<@550000000000000001> @everyone"}});
    assert_eq!(small.answer(&discord, &id, answer).await.status, 204);
    assert_eq!(discord.with(|state| state.pings.clone()), ["@ann"], "answers call people and nobody else");
    let completes = {
        let discord = discord.clone();
        tokio::spawn(async move { discord.complete(ANN, CHANNEL, "mend show", &[], ("name", "i-")).await })
    };
    let asked = loop {
        let open = |state: &mut crate::fake_discord::state::State| {
            state.interactions.iter().find(|(_, i)| i.kind == 4).map(|(id, _)| id.clone())
        };
        if let Some(id) = discord.with(open) {
            break id;
        }
        tokio::task::yield_now().await;
    };
    let many: Vec<Value> = (0..26).map(|n| json!({"name": n.to_string(), "value": "v"})).collect();
    let choices = |list: Value| json!({"type": 8, "data": {"choices": list}});
    assert_eq!(
        small.answer(&discord, &asked, choices(json!(many))).await.refusal(),
        "400 50035 data.choices BASE_TYPE_BAD_LENGTH"
    );
    small.answer(&discord, &asked, choices(json!([{"name": "web", "value": "i-1"}]))).await;
    assert_eq!(completes.await.unwrap(), [("web".to_owned(), "i-1".to_owned())]);
}

#[tokio::test]
async fn buckets_empty_and_fill_and_the_global_one_is_above_them() {
    let discord = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    let small = Small::new(&discord);
    let mut left = Vec::new();
    for number in 0..5 {
        let answer = small.post(MESSAGES, json!({"content": number.to_string()})).await;
        left.push(answer.headers["x-ratelimit-remaining"].clone());
    }
    assert_eq!(left, ["4", "3", "2", "1", "0"]);
    let over = small.post(MESSAGES, json!({"content": "x"})).await;
    assert_eq!((over.status, over.headers["x-ratelimit-scope"].as_str()), (429, "user"));
    assert!(over.body["retry_after"].as_f64().unwrap() <= 5.0 && over.body["global"] == false);
    discord.advance(Duration::from_secs(6));
    assert_eq!(small.post(MESSAGES, json!({"content": "x"})).await.status, 200);
    discord.fail("", Fault::RateLimited(Duration::from_secs(2), Scope::Global), 1);
    let global = small.get("/users/@me").await;
    assert_eq!((global.status, global.headers["x-ratelimit-global"].as_str()), (429, "true"));
    discord.fail("", Fault::Cut, 1);
    assert!(small.send_raw("GET", "/users/@me", None).await.is_none());
    let mut calls = Vec::new();
    for _ in 0..60 {
        calls.push(small.get(&format!("/channels/{CHANNEL}")).await.status);
    }
    assert!(calls.contains(&429), "no more than 50 in a second");
}

#[tokio::test]
async fn the_gateway_wants_what_discords_gateway_wants() {
    let (discord, small) = discord().await;
    let url = small.get("/gateway/bot").await.body["url"].as_str().unwrap().to_owned();
    for (token, intents, code) in
        [("wrong", 1, 4004), (BOT_TOKEN, gateway::MESSAGE_CONTENT, 4014), (BOT_TOKEN, 1 << 40, 4013)]
    {
        assert_eq!(Line::open(&url).await.identify(token, intents).await, Err(code));
    }
    let mut line = Line::open(&url).await;
    line.send(json!({"op": 3, "d": {}})).await;
    assert_eq!(line.next().await, Err(4003));
    let mut line = Line::open(&url).await;
    line.send(json!({"op": 2, "d": {"token": "x".repeat(5000)}})).await;
    assert_eq!(line.next().await, Err(4002));
    let mut line = Line::open(&url).await;
    let ready = line.identify(BOT_TOKEN, gateway::GUILDS).await.unwrap();
    assert_eq!((ready["t"].as_str(), ready["s"].as_u64()), (Some("READY"), Some(1)));
    assert_eq!(line.next().await.unwrap()["t"], "GUILD_CREATE");
    line.send(json!({"op": 1, "d": 2})).await;
    assert_eq!(line.next().await.unwrap()["op"], 11);
    let mut second = Line::open(&url).await;
    assert_eq!(second.identify(BOT_TOKEN, 0).await.unwrap()["op"], 9, "one start in five seconds");
    let id = clicked(&discord, &small).await;
    assert_eq!(line.next().await.unwrap()["d"]["id"], id.as_str());
    discord.to_all_links(&Order::Drop);
    assert_eq!(line.next().await, Err(0));
    let missed = clicked(&discord, &small).await;
    let mut back = Line::open(ready["d"]["resume_gateway_url"].as_str().unwrap()).await;
    let session = ready["d"]["session_id"].clone();
    back.send(json!({"op": 6, "d": {"token": BOT_TOKEN, "session_id": session, "seq": 3}})).await;
    assert_eq!(back.next().await.unwrap()["d"]["id"], missed.as_str(), "what was missed comes again");
    assert_eq!(back.next().await.unwrap()["t"], "RESUMED");
    assert_eq!(discord.with(|state| (state.resumed, state.resumed_elsewhere)), (1, 0));
    discord.forget_sessions();
    let mut forgotten = Line::open(&url).await;
    forgotten.send(json!({"op": 6, "d": {"token": BOT_TOKEN, "session_id": session, "seq": 3}})).await;
    assert_eq!(forgotten.next().await.unwrap(), json!({"op": 9, "d": false, "s": null, "t": null}));
}

#[tokio::test]
async fn people_outside_of_the_server_are_told_apart_and_signatures_are_discords() {
    let (discord, _) = discord().await;
    let payload = |place| {
        discord.with(|state| {
            let id = crate::fake_discord::people::interaction(state, ANN, place, 3, json!({}), None);
            state.interactions[&id].payload.clone()
        })
    };
    assert_eq!(payload(Place::Direct)["user"]["id"], ANN);
    assert!(payload(Place::Direct)["guild_id"].is_null() && payload(Place::Direct)["member"].is_null());
    assert_ne!(payload(Place::Elsewhere)["guild_id"], GUILD);
    assert_eq!(payload(CHANNEL.into())["member"]["user"]["id"], ANN);
    let key =
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, bytes_of(&endpoint::public_key()));
    key.verify(b"1700{}", &bytes_of(&endpoint::sign("1700", "{}"))).expect("it is signed by that key");
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
