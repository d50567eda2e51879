//! Slack as the outbox needs it: post, edit, reply, and find what was posted.
//!
//! Each message carries the outbox's nonce in its metadata, so that after a crash Slack itself can say
//! whether it was posted. (`client_msg_id` is not among the arguments that Slack documents.)

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::views::without_unfurls;
use super::web::{Web, WebError};
use crate::chat::outbox::{
    Attachment, ChannelTrouble, MessageId, Outgoing, Platform, PostError, Scope, Sent, ThreadId,
};
use crate::incident::Text;

/// What messages of kubemend are called in their metadata.
const EVENT: &str = "kubemend_message";
/// How many of a channel's newest messages are looked through for a nonce.
const NEWEST: &str = "200";
/// How many of a thread's.
const IN_THREAD: &str = "999";

/// Slack's channels.
#[derive(Clone)]
pub struct Channels {
    web: Arc<Web>,
}

impl Channels {
    pub fn new(web: Arc<Web>) -> Self {
        Self { web }
    }

    async fn send(
        &self,
        channel: &Text,
        thread: Option<&str>,
        message: &Outgoing,
    ) -> Result<Sent, PostError> {
        let mut body = fields(&message.body);
        body.insert("channel".into(), json!(channel));
        body.insert("unfurl_links".into(), json!(false));
        body.insert("unfurl_media".into(), json!(false));
        body.insert("metadata".into(), metadata(&message.nonce));
        if let Some(thread) = thread {
            body.insert("thread_ts".into(), json!(thread));
        }
        let told = self.web.post("chat.postMessage", &Value::Object(body)).await.map_err(|e| posting(&e))?;
        let ts = told["ts"].as_str().ok_or_else(|| PostError::Unknown("Slack gave no ts".to_owned()))?;
        let id = Text::unpooled(ts);
        let thread = thread.map_or_else(|| id.clone(), Text::unpooled);
        Ok(Sent { message: MessageId(id), thread: Some(ThreadId(thread)) })
    }
}

impl Platform for Channels {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn post(&self, channel: &Text, message: &Outgoing) -> Result<Sent, PostError> {
        self.send(channel, None, message).await
    }

    async fn edit(&self, channel: &Text, id: &MessageId, message: &Outgoing) -> Result<(), PostError> {
        let mut body = message.body.clone();
        without_unfurls(&mut body);
        let mut body = fields(&body);
        body.insert("channel".into(), json!(channel));
        body.insert("ts".into(), json!(id.0));
        body.insert("metadata".into(), metadata(&message.nonce));
        self.web.post("chat.update", &Value::Object(body)).await.map(drop).map_err(|error| editing(&error))
    }

    async fn reply(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        _title: &str,
        message: &Outgoing,
    ) -> Result<Sent, PostError> {
        let parent = thread.map_or(&id.0, |thread| &thread.0);
        self.send(channel, Some(parent), message).await
    }

    async fn attach(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        file: &Attachment,
    ) -> Result<Sent, PostError> {
        let parent = thread.map_or(&id.0, |thread| &thread.0);
        let length = file.text.len().to_string();
        let asked = [("filename", file.name.as_str()), ("length", &length)];
        // Until it is completed nothing is there: whatever goes wrong before is as if it had not been sent.
        let place =
            self.web.get("files.getUploadURLExternal", &asked).await.map_err(|error| unsent(&error))?;
        let (Some(url), Some(name)) = (place["upload_url"].as_str(), place["file_id"].as_str()) else {
            return Err(PostError::NotSent("Slack gave no place for a file".to_owned()));
        };
        self.web.upload(url, &file.text).await.map_err(|error| unsent(&error))?;
        let done = json!({
            "files": [{"id": name, "title": file.title}],
            "channel_id": channel,
            "thread_ts": parent,
        });
        self.web.post("files.completeUploadExternal", &done).await.map_err(|error| posting(&error))?;
        Ok(Sent { message: MessageId(Text::unpooled(name)), thread: Some(ThreadId(Text::unpooled(parent))) })
    }

    async fn find(
        &self,
        channel: &Text,
        thread: Option<&ThreadId>,
        nonce: &Text,
    ) -> Result<Option<Sent>, PostError> {
        let with = ("include_all_metadata", "true");
        let told = match thread {
            None => {
                let asked = [("channel", channel.as_str()), ("limit", NEWEST), with];
                self.web.get("conversations.history", &asked).await
            }
            Some(thread) => {
                let asked = [("channel", channel.as_str()), ("ts", &thread.0), ("limit", IN_THREAD), with];
                self.web.get("conversations.replies", &asked).await
            }
        };
        let told = match told {
            Err(error) if error.code() == Some("thread_not_found") => return Err(PostError::MessageGone),
            told => told.map_err(|error| posting(&error))?,
        };
        let messages = told["messages"].as_array().into_iter().flatten();
        let found = messages
            .filter(|message| is_ours(message, nonce) || has_file(message, nonce))
            .find_map(|message| message["ts"].as_str());
        Ok(found.map(|ts| {
            let id = Text::unpooled(ts);
            let thread = thread.cloned().unwrap_or_else(|| ThreadId(id.clone()));
            Sent { message: MessageId(id), thread: Some(thread) }
        }))
    }
}

fn fields(body: &Value) -> Map<String, Value> {
    body.as_object().cloned().unwrap_or_default()
}

pub(super) fn metadata(nonce: &Text) -> Value {
    json!({"event_type": EVENT, "event_payload": {"nonce": nonce}})
}

pub(super) fn is_ours(message: &Value, nonce: &Text) -> bool {
    let metadata = &message["metadata"];
    metadata["event_type"] == EVENT && metadata["event_payload"]["nonce"] == nonce.as_str()
}

/// Whether a message brought a file that was named for the nonce.
fn has_file(message: &Value, nonce: &Text) -> bool {
    let part = &nonce[..nonce.len().min(8)];
    let mut files = message["files"].as_array().into_iter().flatten();
    message["bot_id"].is_string()
        && !part.is_empty()
        && files.any(|file| file["name"].as_str().is_some_and(|name| name.contains(part)))
}

/// Nothing was done, whatever went wrong; only a refusal is one.
fn unsent(error: &WebError) -> PostError {
    match posting(error) {
        PostError::Unknown(why) => PostError::NotSent(why),
        other => other,
    }
}

fn posting(error: &WebError) -> PostError {
    match error {
        WebError::RateLimited { after, .. } => {
            PostError::RateLimited { after: *after, scope: Scope::Channel }
        }
        other => common(other),
    }
}

fn editing(error: &WebError) -> PostError {
    match error {
        WebError::RateLimited { after, .. } => PostError::RateLimited { after: *after, scope: Scope::Method },
        other => common(other),
    }
}

fn common(error: &WebError) -> PostError {
    match error {
        WebError::RateLimited { after, .. } => {
            PostError::RateLimited { after: *after, scope: Scope::Everything }
        }
        WebError::NotSent { .. } => PostError::NotSent(error.to_string()),
        WebError::Unknown { .. } => PostError::Unknown(error.to_string()),
        WebError::Api { code, needed, .. } => refused(error, code, needed.as_deref()),
    }
}

/// What Slack's refusals mean for a message.
fn refused(error: &WebError, code: &str, needed: Option<&str>) -> PostError {
    let invite = |way_out: &str| ChannelTrouble::NotInChannel { way_out: way_out.to_owned() }.into();
    match code {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            PostError::RateLimited { after: std::time::Duration::from_secs(30), scope: Scope::Channel }
        }
        "message_not_found" | "cannot_reply_to_message" | "thread_not_found" => PostError::MessageGone,
        "channel_not_found" | "is_archived" | "is_inactive" => ChannelTrouble::Gone.into(),
        "not_in_channel" => invite("type `/invite @kubemend` there"),
        "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "restricted_action_thread_locked"
        | "posting_to_channel_denied"
        | "channel_is_limited_access" => invite("allow kubemend under the channel's posting permissions"),
        "missing_scope" | "not_allowed_token_type" | "no_permission" => ChannelTrouble::MissingScope {
            scope: needed.unwrap_or("chat:write").to_owned(),
            way_out:
                "add it at api.slack.com/apps → your app → OAuth & Permissions and install the app again"
                    .to_owned(),
        }
        .into(),
        // The token is wrong for everything. Nothing was done, and it can be put right.
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
            PostError::NotSent(error.to_string())
        }
        "fatal_error" | "internal_error" | "service_unavailable" | "request_timeout" => {
            PostError::Unknown(error.to_string())
        }
        _ => PostError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> PostError {
        let needed = (code == "missing_scope").then(|| "channels:history".to_owned());
        let error = WebError::Api {
            method: "chat.postMessage",
            code: code.to_owned(),
            detail: String::new(),
            needed,
        };
        posting(&error)
    }

    #[test]
    fn each_refusal_says_what_can_be_done() {
        assert_eq!(said("is_archived"), ChannelTrouble::Gone.into());
        assert_eq!(said("message_not_found"), PostError::MessageGone);
        assert!(said("not_in_channel").to_string().contains("/invite"));
        assert!(said("missing_scope").to_string().contains("channels:history"));
        assert!(matches!(said("invalid_auth"), PostError::NotSent(_)));
        assert!(matches!(said("fatal_error"), PostError::Unknown(_)));
        assert!(matches!(said("invalid_blocks"), PostError::Refused(_)));
    }
}
