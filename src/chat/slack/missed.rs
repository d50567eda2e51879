//! What was missed while nothing could be heard: mentions stand in their channels and are looked for there, once
//! for each gap. Those of a moment ago are answered as if they had been heard; older ones are named in the note,
//! because nobody waits for them any more. Clicks and commands leave no trace that could be found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::inbound::{Asker, Inbound, Place, What, mention_key, without_mention};
use super::inbox::Inbox;
use super::platform::Channels;
use super::web::{Web, WebError};
use crate::chat::card::Mention;
use crate::chat::gaps::GapTeller;
use crate::chat::heard;
use crate::chat::hearing::{Gap, Hearing};
use crate::chat::tell::Asked;
use crate::incident::Text;

/// What was asked longer ago is not answered any more.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// How many of a channel's messages of that time are looked through, the newest.
const NEWEST: &str = "200";

/// Looks for what was missed, and tells of gaps.
pub(super) struct Missed {
    pub(super) web: Arc<Web>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) hearing: Hearing,
    pub(super) teller: GapTeller<Channels>,
    /// Shorter gaps are not told, unless somebody asked something.
    pub(super) tell_over: Duration,
}

impl Missed {
    /// Does so for the time since the last kubemend, and for every gap that ends, until `stop`.
    pub(super) async fn run(
        self,
        last: Option<Timestamp>,
        mut gaps: mpsc::Receiver<Gap>,
        stop: CancellationToken,
    ) {
        let engine = self.teller.engine.clone();
        let why = self.teller.words.word("gap.restarted");
        let restart = tokio::select! {
            () = stop.cancelled() => return,
            gap = heard::since_the_last(&self.hearing, last, || engine.now(), why) => gap,
        };
        if let Some(gap) = restart {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.see_to(&gap, heard::is_long(&gap)) => {}
            }
        }
        loop {
            let gap = tokio::select! {
                () = stop.cancelled() => return,
                gap = gaps.recv() => gap,
            };
            let Some(gap) = gap else { return stop.cancelled().await };
            let long = gap.lasted().unsigned_abs() >= self.tell_over;
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.see_to(&gap, long) => {}
            }
        }
    }

    async fn see_to(&self, gap: &Gap, tell: bool) {
        let mut asked = BTreeMap::new();
        match self.web.myself().await {
            Ok(myself) => {
                for channel in &self.teller.channels {
                    asked.insert(channel.clone(), self.look(channel, gap, &myself.user).await);
                }
            }
            Err(error) => {
                let chain: &dyn std::error::Error = &error;
                tracing::warn!(error = chain, "what was missed cannot be looked for");
            }
        }
        if tell || asked.values().any(|here| !here.is_empty()) {
            self.teller.tell_with(gap, &asked).await;
        }
    }

    /// Takes in the mentions of a moment ago; gives the older ones.
    async fn look(&self, channel: &Text, gap: &Gap, myself: &str) -> Vec<Asked> {
        let messages = match self.messages(channel, gap).await {
            Ok(messages) => messages,
            Err(error) => {
                let chain: &dyn std::error::Error = &error;
                tracing::warn!(error = chain, chat.channel = %channel, "{channel} cannot be looked through for what was missed");
                return Vec::new();
            }
        };
        let mut late = Vec::new();
        for message in &messages {
            let Some((inbound, at)) = mention(channel, message, myself) else { continue };
            if gap.to.duration_since(at) < LATE {
                self.inbox.find(inbound, at);
            } else if !self.inbox.knows(&inbound.key)
                && let What::Mentioned { text } = inbound.what
            {
                late.push(Asked { by: Mention::User(inbound.by.user.to_string()), at, text });
            }
        }
        late
    }

    /// The channel's messages of that time, oldest first.
    async fn messages(&self, channel: &Text, gap: &Gap) -> Result<Vec<Value>, WebError> {
        let moment = |at: Timestamp| format!("{}.{:06}", at.as_second(), at.subsec_microsecond());
        let (oldest, latest) = (moment(gap.from), moment(gap.to));
        let asked = [
            ("channel", channel.as_str()),
            ("oldest", oldest.as_str()),
            ("latest", latest.as_str()),
            ("limit", NEWEST),
        ];
        let mut told = self.web.get("conversations.history", &asked).await?;
        let mut messages = match told["messages"].take() {
            Value::Array(messages) => messages,
            _ => Vec::new(),
        };
        messages.reverse();
        Ok(messages)
    }
}

/// A person's mention of the bot, and when it was made.
fn mention(channel: &Text, message: &Value, myself: &str) -> Option<(Inbound, Timestamp)> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let (ts, user) = (text("ts"), text("user"));
    let by_a_person = !user.is_empty() && user != myself && message["bot_id"].is_null();
    let plain = message["subtype"].is_null() || text("subtype") == "thread_broadcast";
    if !by_a_person || !plain || !text("text").contains(&format!("<@{myself}>")) {
        return None;
    }
    let seconds: i64 = ts.split('.').next()?.parse().ok()?;
    let inbound = Inbound {
        key: mention_key(channel, ts),
        by: Asker { user: Text::unpooled(user), team: Text::default() },
        place: Place {
            channel: Some(channel.clone()),
            message: Some(Text::unpooled(ts)),
            thread: message["thread_ts"].as_str().map(Text::unpooled),
            ..Place::default()
        },
        what: What::Mentioned { text: without_mention(text("text")) },
    };
    Some((inbound, Timestamp::from_second(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_a_person_says_to_the_bot_is_a_mention() {
        let of = |message: &Value| {
            mention(&"C1".into(), message, "UBOT").map(|(inbound, at)| (inbound, at.as_second()))
        };
        let said = json!({"user": "U1", "ts": "17.5", "text": "<@UBOT> status"});
        let (inbound, at) = of(&said).expect("a mention");
        assert_eq!((inbound.what, at), (What::Mentioned { text: "status".into() }, 17));
        assert_eq!(inbound.key, "mention C1 17.5");
        for (name, value) in [
            ("user", json!("UBOT")),
            ("bot_id", json!("B1")),
            ("subtype", json!("channel_join")),
            ("text", json!("<@U2> status")),
            ("ts", json!("soon")),
        ] {
            let mut other = said.clone();
            other[name] = value;
            assert_eq!(of(&other), None, "{name}");
        }
    }
}
