//! Messages in Discord, against a strict fake: posting, editing, threads, forums, finding again, and what became
//! of a request.

use std::sync::Arc;
use std::time::Duration;

use crate::fake_discord::client::Small;
use crate::fake_discord::{APPLICATION, BOT_TOKEN, FakeDiscord, Fault, GUILD, Scope, permissions};
use kubemend::chat::discord::Channels;
use kubemend::chat::discord::settings::{Secret, Secrets, Settings};
use kubemend::chat::discord::web::Web;
use kubemend::chat::outbox::{self, Attachment, ChannelTrouble, MessageId, Outgoing, Platform, PostError};
use serde_json::json;

const CHANNEL: &str = "440000000000000001";
const FORUM: &str = "440000000000000002";

fn settings(discord: &FakeDiscord) -> Settings {
    let (application_id, guilds) = (APPLICATION.into(), vec![GUILD.into()]);
    Settings { application_id, guilds, api_url: discord.api_url(), ..Settings::default() }
}

fn secrets() -> Secrets {
    Secrets { bot: Secret::parse(BOT_TOKEN, &Settings::default().source()).unwrap() }
}

fn web(discord: &FakeDiscord) -> Arc<Web> {
    Arc::new(Web::new(&settings(discord), &secrets()).unwrap())
}

async fn discord() -> FakeDiscord {
    let discord = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    discord.add_forum(FORUM, "posts", &["open", "over"]);
    discord
}

fn outgoing(text: &str, tags: &[&'static str]) -> Outgoing {
    let body = json!({"allowed_mentions": {"parse": []}, "embeds": [{"title": text, "description": "because", "color": 5}],
        "components": [{"type": 1, "components": [{"type": 2, "style": 3, "label": "Go", "custom_id": "go"}]}]});
    let nonce = format!("{:0<24}", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
    let tags = tags.to_vec();
    Outgoing { nonce: nonce.as_str().into(), body, summary: text.to_owned(), tags }
}

fn nonce(text: &str) -> kubemend::incident::Text {
    outgoing(text, &[]).nonce
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_posted_edited_answered_and_found_again_whatever_became_of_its_nonce() {
    let discord = discord().await;
    let (channels, channel) = (Channels::new(web(&discord)), CHANNEL.into());
    let sent = channels.post(&channel, &outgoing("one", &[])).await.unwrap();
    assert_eq!(channels.post(&channel, &outgoing("one", &[])).await.unwrap().message, sent.message);
    let edited = Outgoing { nonce: nonce("one"), ..outgoing("two", &[]) };
    channels.edit(&channel, &sent.message, &edited).await.unwrap();
    let reply =
        channels.reply(&channel, &sent.message, None, "history", &outgoing("three", &[])).await.unwrap();
    assert!(reply.thread.is_some());
    let further = channels
        .reply(&channel, &sent.message, reply.thread.as_ref(), "history", &outgoing("four", &[]))
        .await
        .unwrap();
    insta::assert_snapshot!(discord.channel(CHANNEL));
    discord.advance(Duration::from_secs(24 * 3600));
    let found = channels.find(&channel, None, &nonce("one")).await.unwrap().expect("it is there");
    assert_eq!((found.message, found.thread), (sent.message, reply.thread.clone()));
    let found = channels.find(&channel, reply.thread.as_ref(), &nonce("four")).await.unwrap();
    assert_eq!(found.map(|sent| sent.message), Some(further.message));
    assert_eq!(channels.find(&channel, None, &nonce("three")).await.unwrap(), None, "it is in the thread");
    assert_eq!(channels.find(&channel, None, &nonce("five")).await.unwrap(), None);
    assert_eq!(discord.mistakes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_put_into_a_thread_and_found_again() {
    let discord = discord().await;
    let (channels, channel) = (Channels::new(web(&discord)), CHANNEL.into());
    let sent = channels.post(&channel, &outgoing("one", &[])).await.unwrap();
    let file = Attachment {
        nonce: nonce("file"),
        name: "i-1-66696c65.txt".to_owned(),
        title: "More of one".repeat(50),
        thread: "history".to_owned(),
        text: "line\n".repeat(2_000),
    };
    let there = channels.attach(&channel, &sent.message, None, &file).await.unwrap();
    let thread = there.thread.as_ref().expect("it stands in the thread");
    let told = discord.thread(&sent.message.0);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(discord.with(|state| state.channels[thread.0.as_str()].name.clone()), "history");
    assert_eq!(told[0]["attachments"][0]["filename"], "i-1-66696c65.txt");
    discord.with(|state| state.channels.get_mut(thread.0.as_str()).unwrap().archived = true);
    discord.advance(Duration::from_secs(24 * 3600));
    let found = channels.find(&channel, Some(thread), &nonce("file")).await.unwrap();
    assert_eq!(found.map(|sent| sent.message), Some(there.message));
    let next = Attachment { nonce: nonce("next"), ..file };
    channels.attach(&channel, &sent.message, Some(thread), &next).await.unwrap();
    assert_eq!(discord.thread(&sent.message.0).len(), 2);
    discord.forbid(CHANNEL, permissions::ATTACH);
    let refused = Attachment { nonce: nonce("more"), ..next };
    let refused = channels.attach(&channel, &sent.message, Some(thread), &refused).await.unwrap_err();
    assert!(refused.to_string().contains("Attach Files"), "{refused}");
    assert_eq!(discord.mistakes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_forum_a_post_is_made_tagged_answered_and_found_again() {
    let discord = discord().await;
    let (channels, forum) = (Channels::new(web(&discord)), FORUM.into());
    let sent = channels.post(&forum, &outgoing("one", &["open", "unknown"])).await.unwrap();
    let tags = || {
        discord.with(|state| {
            state.channels[&*sent.message.0].tags.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>()
        })
    };
    assert_eq!(tags(), ["open"]);
    assert!(sent.thread.is_some(), "the post is its own thread");
    channels
        .reply(&forum, &sent.message, sent.thread.as_ref(), "history", &outgoing("two", &[]))
        .await
        .unwrap();
    let over = Outgoing { nonce: nonce("one"), ..outgoing("fixed", &["over"]) };
    channels.edit(&forum, &sent.message, &over).await.unwrap();
    assert_eq!(tags(), ["over"]);
    let found = channels.find(&forum, None, &nonce("one")).await.unwrap();
    assert_eq!(found, Some(sent.clone()));
    assert_eq!(channels.find(&forum, None, &nonce("nine")).await.unwrap(), None);
    discord.with(|state| state.channels.get_mut(&*sent.message.0).unwrap().archived = true);
    channels.edit(&forum, &sent.message, &over).await.expect("an archived post is opened first");
    assert_eq!(discord.posted(FORUM).len(), 1, "{}", discord.channel(FORUM));
    assert_eq!(discord.mistakes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_that_are_there_archived_or_removed_do_not_stop_it() {
    let discord = discord().await;
    let (channels, channel) = (Channels::new(web(&discord)), CHANNEL.into());
    let sent = channels.post(&channel, &outgoing("one", &[])).await.unwrap();
    let path = format!("/channels/{CHANNEL}/messages/{}/threads", sent.message.0);
    Small::new(&discord).post(&path, json!({"name": "somebody's"})).await;
    let reply =
        channels.reply(&channel, &sent.message, None, "history", &outgoing("two", &[])).await.unwrap();
    assert_eq!(
        reply.thread.as_ref().map(|thread| thread.0.clone()),
        Some(sent.message.0.clone()),
        "it uses the one there"
    );
    discord.with(|state| state.channels.get_mut(&*sent.message.0).unwrap().archived = true);
    channels
        .reply(&channel, &sent.message, reply.thread.as_ref(), "history", &outgoing("three", &[]))
        .await
        .unwrap();
    discord.remove_thread(&sent.message.0);
    let gone = channels
        .reply(&channel, &sent.message, reply.thread.as_ref(), "history", &outgoing("four", &[]))
        .await;
    assert_eq!(gone.unwrap_err(), PostError::MessageGone);
    let apart =
        channels.reply(&channel, &sent.message, None, "history", &outgoing("four", &[])).await.unwrap();
    assert_ne!(apart.thread, reply.thread);
    discord.forbid(CHANNEL, permissions::CREATE_THREADS);
    let other = channels.post(&channel, &outgoing("five", &[])).await.unwrap();
    let kept = channels.reply(&channel, &other.message, None, "history", &outgoing("six", &[])).await;
    assert!(matches!(&kept, Err(PostError::Channel(ChannelTrouble::MissingScope { .. }))), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_request_is_told_apart() {
    const POST: &str = "POST /channels/{channel_id}/messages";
    let discord = discord().await;
    let (channels, channel) = (Channels::new(web(&discord)), CHANNEL.into());
    let seven = Duration::from_secs(7);
    channels.post(&channel, &outgoing("first", &[])).await.unwrap();
    discord.fail(POST, Fault::RateLimited(seven, Scope::Shared), 1);
    let limited = channels.post(&channel, &outgoing("a", &[])).await.unwrap_err();
    assert!(
        matches!(limited, PostError::RateLimited { after, scope: outbox::Scope::Channel } if after >= seven),
        "{limited:?}"
    );
    let fresh = || Channels::new(web(&discord));
    discord.fail(POST, Fault::RateLimited(seven, Scope::Global), 1);
    let limited = fresh().post(&channel, &outgoing("b", &[])).await.unwrap_err();
    assert!(
        matches!(limited, PostError::RateLimited { scope: outbox::Scope::Everything, .. }),
        "{limited:?}"
    );
    discord.fail(POST, Fault::ShutOut(9), 1);
    let shut = fresh().post(&channel, &outgoing("c", &[])).await.unwrap_err();
    assert!(matches!(shut, PostError::RateLimited { after, .. } if after.as_secs() >= 9), "{shut:?}");
    for (text, fault) in [("d", Fault::DoneAnd502), ("e", Fault::DoneAndCut)] {
        discord.fail(POST, fault, 1);
        let unknown = fresh().post(&channel, &outgoing(text, &[])).await.unwrap_err();
        assert!(matches!(unknown, PostError::Unknown(_)), "{unknown}");
        assert!(
            fresh().find(&channel, None, &nonce(text)).await.unwrap().is_some(),
            "it was posted after all"
        );
    }
    discord.advance(Duration::from_secs(60));
    let gone = fresh().edit(&channel, &MessageId("440000000000000777".into()), &outgoing("f", &[])).await;
    assert_eq!(gone.unwrap_err(), PostError::MessageGone);
    let nowhere = fresh().post(&"440000000000000778".into(), &outgoing("g", &[])).await.unwrap_err();
    assert_eq!(nowhere, ChannelTrouble::Gone.into());
    for (permission, told) in
        [(permissions::EMBED, "mbed"), (permissions::SEND, "end"), (permissions::VIEW, "")]
    {
        discord.forbid(CHANNEL, permission);
        let refused = fresh().post(&channel, &outgoing("h", &[])).await.unwrap_err();
        assert!(
            matches!(&refused, PostError::Channel(_)) && refused.to_string().contains(told),
            "{refused:?}"
        );
    }
    discord.allow_again(CHANNEL);
    let mut long = outgoing("i", &[]);
    long.body["embeds"][0]["title"] = json!("x".repeat(300));
    let refused = fresh().post(&channel, &long).await.unwrap_err();
    assert!(matches!(&refused, PostError::Refused(why) if why.contains("title")), "{refused:?}");
    let unsent = Channels::new(Arc::new(
        Web::new(&Settings { api_url: "http://127.0.0.1:9/api".into(), ..settings(&discord) }, &secrets())
            .unwrap(),
    ));
    let unsent = unsent.post(&channel, &outgoing("j", &[])).await.unwrap_err();
    assert!(matches!(unsent, PostError::NotSent(_)), "{unsent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_bucket_is_not_asked_and_other_channels_are() {
    let discord = discord().await;
    discord.with(|state| {
        let other = crate::fake_discord::state::Channel { name: "other".to_owned(), ..Default::default() };
        state.channels.insert("440000000000000003".to_owned(), other);
    });
    let channels = Channels::new(web(&discord));
    let mut limited = 0;
    for number in 0..9 {
        match channels.post(&CHANNEL.into(), &outgoing(&number.to_string(), &[])).await {
            Ok(_) => {}
            Err(PostError::RateLimited { .. }) => limited += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((discord.posted(CHANNEL).len(), limited), (5, 4));
    let met = discord.with(|state| state.calls.iter().filter(|call| call.status == 429).count());
    assert_eq!(met, 0, "what the headers said is obeyed before Discord refuses");
    channels
        .post(&"440000000000000003".into(), &outgoing("x", &[]))
        .await
        .expect("another channel has its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_know_of_a_thread_says_nothing_twice_in_it() {
    let discord = discord().await;
    let (channels, channel) = (Channels::new(web(&discord)), CHANNEL.into());
    let sent = channels.post(&channel, &outgoing("one", &[])).await.unwrap();
    let said = outgoing("two", &[]);
    let first = channels.reply(&channel, &sent.message, None, "history", &said).await.unwrap();
    discord.advance(Duration::from_secs(24 * 3600));
    let again = channels.reply(&channel, &sent.message, None, "history", &said).await.unwrap();
    assert_eq!(again, first);
    let other =
        channels.reply(&channel, &sent.message, None, "history", &outgoing("three", &[])).await.unwrap();
    assert_ne!(other.message, first.message);
    assert_eq!((discord.thread(&sent.message.0).len(), other.thread), (2, first.thread));
    assert_eq!(discord.mistakes(), Vec::<String>::new());
}
