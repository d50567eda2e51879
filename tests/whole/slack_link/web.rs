//! Messages, files and windows over the Web API: what is sent, what becomes of it, what is refused.

use std::sync::Arc;
use std::time::Duration;

use kubemend::chat::outbox::{Attachment, ChannelTrouble, MessageId, Outgoing, Platform, PostError};
use kubemend::chat::slack::Channels;
use kubemend::chat::slack::settings::Mode;
use kubemend::chat::slack::web::Web;
use serde_json::json;

use super::{secrets, slack, web};
use crate::fake_slack::{self, Fault};

fn message(text: &str) -> Outgoing {
    let body =
        json!({"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]});
    Outgoing { nonce: format!("n-{text}").as_str().into(), body, summary: text.to_owned(), tags: Vec::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_posted_edited_answered_and_found_again() {
    let slack = slack().await;
    let (channels, channel) = (Channels::new(web(&slack)), "C1".into());
    let sent = channels.post(&channel, &message("one")).await.unwrap();
    channels
        .edit(&channel, &sent.message, &Outgoing { nonce: "n-one".into(), ..message("two") })
        .await
        .unwrap();
    let reply =
        channels.reply(&channel, &sent.message, sent.thread.as_ref(), "t", &message("three")).await.unwrap();
    insta::assert_snapshot!(slack.channel("C1"));
    assert_eq!(channels.find(&channel, None, &"n-one".into()).await.unwrap(), Some(sent.clone()));
    let found = channels.find(&channel, sent.thread.as_ref(), &"n-three".into()).await.unwrap();
    assert_eq!(found, Some(reply));
    assert_eq!(channels.find(&channel, None, &"n-three".into()).await.unwrap(), None, "it is in the thread");
    assert_eq!(channels.find(&channel, None, &"n-four".into()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_put_into_a_thread_and_found_again() {
    let slack = slack().await;
    let (channels, channel) = (Channels::new(web(&slack)), "C1".into());
    let sent = channels.post(&channel, &message("one")).await.unwrap();
    let file = Attachment {
        nonce: "0123456789abcdef".into(),
        name: "i-1-01234567.txt".to_owned(),
        title: "All of it".to_owned(),
        thread: "history".to_owned(),
        text: "ä long text\n".repeat(2_000),
    };
    let found = || channels.find(&channel, sent.thread.as_ref(), &file.nonce);
    assert_eq!(found().await.unwrap(), None);
    slack.fail("files.completeUploadExternal", Fault::DoneAnd502, 1);
    let lost = channels.attach(&channel, &sent.message, sent.thread.as_ref(), &file).await.unwrap_err();
    assert!(matches!(lost, PostError::Unknown(_)), "{lost}");
    assert!(found().await.unwrap().is_some(), "it was put there after all");
    slack.with(|state| {
        let shared = &state.files[0];
        assert_eq!(shared.content.as_deref(), Some(file.text.as_bytes()));
        assert_eq!(shared.shared.as_ref().unwrap().0, "C1");
        state.scopes.remove("files:write");
    });
    let scope = channels.attach(&channel, &sent.message, None, &file).await.unwrap_err();
    assert!(matches!(&scope, PostError::Channel(ChannelTrouble::MissingScope { .. })), "{scope}");
    insta::assert_snapshot!(slack.channel("C1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_request_is_told_apart() {
    let slack = slack().await;
    let (channels, channel) = (Channels::new(web(&slack)), "C1".into());
    slack.fail("chat.postMessage", Fault::RateLimited(7), 1);
    let limited = channels.post(&channel, &message("a")).await.unwrap_err();
    assert!(
        matches!(limited, PostError::RateLimited { after, .. } if after == Duration::from_secs(7)),
        "{limited}"
    );
    slack.fail("chat.postMessage", Fault::DoneAnd502, 1);
    let unknown = channels.post(&channel, &message("b")).await.unwrap_err();
    assert!(matches!(unknown, PostError::Unknown(_)), "{unknown}");
    assert!(channels.find(&channel, None, &"n-b".into()).await.unwrap().is_some(), "it was posted after all");
    let gone = channels.edit(&channel, &MessageId("1.0".into()), &message("c")).await.unwrap_err();
    assert_eq!(gone, PostError::MessageGone);
    slack.with(|state| state.channels.get_mut("C1").unwrap().member = false);
    let out = channels.post(&channel, &message("d")).await.unwrap_err();
    assert!(matches!(&out, PostError::Channel(ChannelTrouble::NotInChannel { .. })), "{out}");
    slack.with(|state| state.channels.get_mut("C1").unwrap().archived = true);
    assert_eq!(channels.post(&channel, &message("e")).await.unwrap_err(), ChannelTrouble::Gone.into());
    slack.with(|state| state.scopes.remove("chat:write"));
    let scope = channels.post(&channel, &message("f")).await.unwrap_err();
    assert!(scope.to_string().contains("chat:write"), "{scope}");
    let nowhere = Arc::new(Web::new("http://127.0.0.1:9", &secrets(Mode::Socket)).unwrap());
    let unsent = Channels::new(nowhere).post(&channel, &message("g")).await.unwrap_err();
    assert!(matches!(unsent, PostError::NotSent(_)), "{unsent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fake_refuses_what_slack_refuses() {
    let slack = slack().await;
    let web = web(&slack);
    let post =
        async |body: serde_json::Value| web.post("chat.postMessage", &body).await.unwrap_err().to_string();
    let long = "x".repeat(3001);
    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let refused = post(json!({"channel": "C1", "text": "t", "blocks": [section(&long)]})).await;
    assert!(
        refused.contains("must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        "{refused}"
    );
    assert!(
        post(json!({"channel": "C1", "text": "t", "client_msg_id": "1"})).await.contains("invalid_arguments")
    );
    assert!(post(json!({"channel": "C1"})).await.contains("no_text"));
    assert!(post(json!({"channel": "C9", "text": "t"})).await.contains("channel_not_found"));
    let many: Vec<_> = (0..51).map(|_| section("x")).collect();
    assert!(post(json!({"channel": "C1", "text": "t", "blocks": many})).await.contains("invalid_blocks"));
    let much: Vec<_> = (0..5).map(|_| section(&"x".repeat(2900))).collect();
    assert!(
        post(json!({"channel": "C1", "text": "t", "blocks": much})).await.contains("msg_blocks_too_long")
    );
    let odd = json!([{"type": "section", "txt": 1, "text": {"type": "mrkdwn", "text": "x"}}]);
    assert!(post(json!({"channel": "C1", "text": "t", "blocks": odd})).await.contains("invalid_blocks"));
    let json = web.post("users.info", &json!({"user": "U1"})).await.unwrap_err().to_string();
    assert!(json.contains("invalid_arguments"), "this method takes no JSON: {json}");
    let view =
        json!({"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": [section("x")]});
    let trigger = slack.with(|state| fake_slack::calls::trigger(state, "U1"));
    let open = json!({"trigger_id": trigger, "view": view});
    web.post("views.open", &open).await.unwrap();
    assert!(web.post("views.open", &open).await.unwrap_err().to_string().contains("exchanged_trigger_id"));
}
