//! Discord as the outbox needs it: post, edit, reply in a thread, and find what was posted.
//!
//! Each message carries the outbox's nonce, and Discord posts none twice within a few minutes
//! (`enforce_nonce`). Discord keeps the nonce no longer than that and does not give it back, so the first
//! digits of it stand in the message's small print, too, where they are found after a longer outage.
//!
//! A thread that begins at a message has the message's id. In a forum every incident is a post: a thread whose
//! first message is the card, tagged with state and severity where tags of these names exist. Most requests are
//! one; what is learned of a channel is kept for a while, and an archived thread is opened first.

mod mark;
mod places;
mod refusals;
mod threads;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::web::{File, Route, Web, WebError};
use crate::chat::cut::{Unit, cut, fit};
use crate::chat::dialect::Dialect;
use crate::chat::outbox::{Attachment, MessageId, Outgoing, Platform, PostError, Sent, ThreadId};
use crate::incident::Text;
use places::{Kind, Place, Places, Tags};
use refusals::{Doing, refused};
use threads::Note;

/// How many of the newest messages are looked through for a nonce: as many as Discord gives at once.
const NEWEST: &str = "limit=100";
/// How many of the newest posts of a forum.
const POSTS: usize = 25;
/// The longest name of a thread.
const LONGEST_NAME: usize = 100;
/// The longest title of an embed.
const LONGEST_TITLE: usize = 256;
/// After so many minutes without a message Discord files a thread away; the next message brings it back.
const ARCHIVED_AFTER: u32 = 1440;
/// Shows a message's embeds again, where somebody hid them.
const NO_FLAGS: u32 = 0;

/// Discord's channels. Clones know the same.
#[derive(Clone)]
pub struct Channels {
    shared: Arc<Shared>,
}

struct Shared {
    web: Arc<Web>,
    places: Places,
    tags: Tags,
    /// The bot's own id.
    me: OnceCell<String>,
}

impl Channels {
    pub fn new(web: Arc<Web>) -> Self {
        let shared = Shared { web, places: Places::default(), tags: Tags::default(), me: OnceCell::new() };
        Self { shared: Arc::new(shared) }
    }
}

impl Platform for Channels {
    fn name(&self) -> &'static str {
        "discord"
    }

    async fn post(&self, channel: &Text, message: &Outgoing) -> Result<Sent, PostError> {
        let shared = &self.shared;
        let place = shared.place(channel).await.map_err(|error| not_done(refused(&error, Doing::Look)))?;
        match &place.kind {
            Kind::Plain => shared.post(channel, &with_nonce(message), None, Doing::Post).await,
            Kind::Forum { .. } => shared.post_in_forum(channel, &place, message).await,
        }
    }

    async fn edit(&self, channel: &Text, id: &MessageId, message: &Outgoing) -> Result<(), PostError> {
        let shared = &self.shared;
        let place = shared.place(channel).await.map_err(|error| not_done(refused(&error, Doing::Look)))?;
        let mut body = marked(message);
        // What is left out stays as it was.
        body.entry("content").or_insert(Value::Null);
        body.entry("components").or_insert_with(|| json!([]));
        body.insert("flags".into(), json!(NO_FLAGS));
        let (home, doing) = match place.kind {
            Kind::Plain => (channel, Doing::Edit),
            Kind::Forum { .. } => (&id.0, Doing::EditPost),
        };
        let route = Route::patch("channels/{}/messages/{}", &[home, &id.0]);
        let body = Value::Object(body);
        shared.in_thread(home, &route, &body).await.map_err(|error| refused(&error, doing))?;
        shared.tag(&place, &id.0, message).await
    }

    async fn reply(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        title: &str,
        message: &Outgoing,
    ) -> Result<Sent, PostError> {
        let note = Note { nonce: &message.nonce, title, body: with_nonce(message), file: None };
        self.shared.answer(channel, id, thread, &note).await
    }

    async fn attach(
        &self,
        channel: &Text,
        id: &MessageId,
        thread: Option<&ThreadId>,
        file: &Attachment,
    ) -> Result<Sent, PostError> {
        let Attachment { nonce, name, title, thread: begun, text } = file;
        let written = fit(title, LONGEST_TITLE, Unit::Utf16, &|text| Dialect::Discord.text(text));
        let body = json!({"embeds": [{"title": written}]});
        let message = Outgoing { nonce: nonce.clone(), body, summary: title.clone(), tags: Vec::new() };
        let file = Some(File { name: plain(name).into(), text: text.clone() });
        let note = Note { nonce, title: begun, body: with_nonce(&message), file };
        self.shared.answer(channel, id, thread, &note).await
    }

    async fn find(
        &self,
        channel: &Text,
        thread: Option<&ThreadId>,
        nonce: &Text,
    ) -> Result<Option<Sent>, PostError> {
        let shared = &self.shared;
        if let Some(thread) = thread {
            let found = shared.find_in(&thread.0, nonce).await;
            let found = found.map_err(|error| refused(&error, Doing::Reply))?;
            return Ok(found.map(|sent| Sent { thread: Some(thread.clone()), ..sent }));
        }
        let place = shared.place(channel).await.map_err(|error| refused(&error, Doing::Look))?;
        let found = match &place.kind {
            Kind::Plain => shared.find_in(channel, nonce).await,
            Kind::Forum { guild, .. } => shared.find_post(guild, channel, nonce).await,
        };
        found.map_err(|error| refused(&error, Doing::Look))
    }
}

impl Shared {
    async fn place(&self, channel: &Text) -> Result<Arc<Place>, WebError> {
        self.places.get(&self.web, channel).await
    }

    async fn post(
        &self,
        channel: &Text,
        body: &Map<String, Value>,
        file: Option<&File>,
        doing: Doing,
    ) -> Result<Sent, PostError> {
        let told = self.web.post(channel, &Value::Object(body.clone()), file).await;
        let told = told.map_err(|error| {
            self.places.forget_if_misjudged(channel, &error);
            refused(&error, doing)
        })?;
        sent(&told, None)
    }

    async fn post_in_forum(
        &self,
        channel: &Text,
        place: &Place,
        message: &Outgoing,
    ) -> Result<Sent, PostError> {
        let tags = place.tags_for(&message.tags, &[]);
        let body = json!({"name": name(&message.summary), "auto_archive_duration": ARCHIVED_AFTER,
            "applied_tags": tags, "message": marked(message)});
        let route = Route::post("channels/{}/threads", &[channel]);
        let told = self.web.call(&route, Some(&body)).await.map_err(|error| {
            self.places.forget_if_misjudged(channel, &error);
            refused(&error, Doing::PostInForum)
        })?;
        let id = told["id"].as_str().ok_or_else(|| no_id("the post"))?;
        self.tags.remember(id, tags);
        let id = Text::unpooled(id);
        Ok(Sent { message: MessageId(id.clone()), thread: Some(ThreadId(id)) })
    }

    /// Puts the tags of a forum's post right, if they are others than before.
    async fn tag(&self, place: &Place, id: &Text, message: &Outgoing) -> Result<(), PostError> {
        if message.tags.is_empty() || !matches!(place.kind, Kind::Forum { .. }) {
            return Ok(());
        }
        match self.tags.put(&self.web, place, id, &message.tags).await {
            Err(WebError::RateLimited { after, scope, .. }) => {
                Err(PostError::RateLimited { after, scope: refusals::reach(scope) })
            }
            Err(error) => {
                // The card says it as well.
                tracing::warn!(error = &error as &dyn std::error::Error, "the post {id} cannot be tagged");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn find_in(&self, channel: &Text, nonce: &Text) -> Result<Option<Sent>, WebError> {
        let me = self.me().await?;
        let route = Route::get("channels/{}/messages", &[channel]).with(NEWEST);
        let told = self.web.call(&route, None).await?;
        let found = told.as_array().into_iter().flatten().find(|message| mark::is_on(message, me, nonce));
        Ok(found.and_then(|message| {
            let thread = message["thread"]["id"].as_str().map(|id| ThreadId(Text::unpooled(id)));
            sent(message, thread).ok()
        }))
    }

    /// Looks through the newest posts of a forum. Only kubemend's own, and only until it is found.
    async fn find_post(&self, guild: &str, forum: &Text, nonce: &Text) -> Result<Option<Sent>, WebError> {
        let me = self.me().await?;
        let told = self.web.call(&Route::get("guilds/{}/threads/active", &[guild]), None).await?;
        let threads = told["threads"].as_array().into_iter().flatten();
        let ours = threads.filter(|thread| thread["parent_id"] == forum.as_str() && thread["owner_id"] == me);
        let mut ids: Vec<(u64, &str)> = ours
            .filter_map(|thread| thread["id"].as_str())
            .map(|id| (id.parse().unwrap_or_default(), id))
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        for (_, id) in ids.into_iter().take(POSTS) {
            let message = match self.web.call(&Route::get("channels/{}/messages/{}", &[id, id]), None).await {
                // Somebody removed the post's first message.
                Err(error) if error.status() == Some(404) => continue,
                told => told?,
            };
            if mark::is_on(&message, me, nonce) {
                let id = Text::unpooled(id);
                return Ok(Some(Sent { message: MessageId(id.clone()), thread: Some(ThreadId(id)) }));
            }
        }
        Ok(None)
    }

    async fn me(&self) -> Result<&str, WebError> {
        let me = self.me.get_or_try_init(|| async { self.web.myself().await.map(|me| me.id) }).await?;
        Ok(me)
    }
}

/// The body with its mark; nobody is called but who the layout names, and everybody never.
fn marked(message: &Outgoing) -> Map<String, Value> {
    let mut body = message.body.as_object().cloned().unwrap_or_default();
    mark::put(&mut body, &message.nonce);
    let named = |name: &str| message.body["allowed_mentions"][name].as_array().cloned().unwrap_or_default();
    let (users, roles) = (named("users"), named("roles"));
    body.insert("allowed_mentions".into(), json!({"parse": [], "users": users, "roles": roles}));
    body
}

fn with_nonce(message: &Outgoing) -> Map<String, Value> {
    let mut body = marked(message);
    body.insert("nonce".into(), json!(message.nonce));
    body.insert("enforce_nonce".into(), json!(true));
    body
}

fn sent(told: &Value, thread: Option<ThreadId>) -> Result<Sent, PostError> {
    let id = told["id"].as_str().ok_or_else(|| no_id("the message"))?;
    Ok(Sent { message: MessageId(Text::unpooled(id)), thread })
}

fn no_id(of: &str) -> PostError {
    PostError::Unknown(format!("Discord gave {of} no id"))
}

/// Something that comes before the message failed, so the message is certainly not there.
fn not_done(error: PostError) -> PostError {
    match error {
        PostError::Unknown(why) => PostError::NotSent(why),
        other => other,
    }
}

/// A file's name, as it may stand in a header.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
}

/// A thread's name: one line, never empty.
fn name(title: &str) -> String {
    let line = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = cut(&line, LONGEST_NAME, Unit::Utf16);
    if name.is_empty() { "kubemend".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(body: Value) -> Outgoing {
        Outgoing { nonce: "0123456789abcdef01234567".into(), body, summary: String::new(), tags: Vec::new() }
    }

    #[test]
    fn nobody_is_called_but_who_is_named() {
        let asked = json!({"parse": ["everyone", "roles"], "roles": ["7"], "replied_user": true});
        let body = marked(&outgoing(json!({"embeds": [{}], "allowed_mentions": asked})));
        assert_eq!(body["allowed_mentions"], json!({"parse": [], "users": [], "roles": ["7"]}));
    }

    #[test]
    fn a_message_is_posted_once_by_its_nonce() {
        let body = with_nonce(&outgoing(json!({"embeds": [{}]})));
        assert_eq!(
            (&body["nonce"], &body["enforce_nonce"]),
            (&json!("0123456789abcdef01234567"), &json!(true))
        );
    }

    #[test]
    fn a_files_name_breaks_out_of_no_header() {
        assert_eq!(plain("i-1-0123abcd.txt"), "i-1-0123abcd.txt");
        assert_eq!(plain("a\"\r\nX: y/../é.txt"), "aXy...txt");
    }

    #[test]
    fn a_thread_has_a_name_of_one_line_that_discord_takes() {
        assert_eq!(name("Private registry\n without  credentials"), "Private registry without credentials");
        assert_eq!(name("  "), "kubemend");
        assert!(name(&"𝄞".repeat(200)).encode_utf16().count() <= 100);
    }
}
