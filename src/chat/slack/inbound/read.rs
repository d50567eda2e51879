//! From a payload's bytes to what happened. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::wire::{Action, Callback, Command, Event, Interaction, State};
use super::{Asker, Inbound, Place, What};
use crate::incident::Text;

/// How a payload came: what kind of envelope, or which path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    Commands,
    Interactions,
    Events,
}

/// A payload that is not what Slack sends.
#[derive(Debug, Error)]
#[error("a payload of {channel:?} cannot be read")]
pub struct Unreadable {
    channel: Channel,
    source: serde_json::Error,
}

/// The longest text of a person that is looked at.
const LONGEST: usize = 3_000;

/// What a payload says happened.
pub fn read(channel: Channel, payload: &str) -> Result<Inbound, Unreadable> {
    let refuse = |source| Unreadable { channel, source };
    match channel {
        Channel::Commands => serde_json::from_str(payload).map(command).map_err(refuse),
        Channel::Interactions => {
            serde_json::from_str(payload).map(|read| interaction(read, payload)).map_err(refuse)
        }
        Channel::Events => serde_json::from_str(payload).map(event).map_err(refuse),
    }
}

fn command(command: Command) -> Inbound {
    let Command { team_id, user_id, channel_id, text, thread_ts, response_url, trigger_id } = command;
    Inbound {
        key: format!("trigger {trigger_id}"),
        by: Asker { user: user_id.into(), team: team_id.into() },
        place: Place {
            channel: Some(channel_id.into()),
            thread: thread_ts.map(Text::from),
            trigger: Some(trigger_id.into()),
            response_url: Some(response_url),
            ..Place::default()
        },
        what: What::Commanded { text: cut(&text) },
    }
}

fn interaction(read: Interaction, payload: &str) -> Inbound {
    let what = done(&read);
    let Interaction { team, user, channel, container, message, view, trigger_id, response_url, .. } = read;
    let team = user.as_ref().and_then(|user| user.team_id.clone()).or(team.map(|team| team.id));
    let (at, inside) = container.map_or((None, None), |c| (c.channel_id, Some((c.message_ts, c.thread_ts))));
    let (container_ts, container_thread) = inside.unwrap_or_default();
    let (message_ts, message_thread) = message.map_or((None, None), |m| (m.ts, m.thread_ts));
    let (view, note) =
        view.map_or((None, String::new()), |v| ((v.kind != "home").then_some(v.id), v.private_metadata));
    Inbound {
        key: trigger_id.as_ref().map_or_else(|| digest(payload), |id| format!("trigger {id}")),
        by: Asker {
            user: user.map(|user| user.id.into()).unwrap_or_default(),
            team: team.map(Text::from).unwrap_or_default(),
        },
        place: Place {
            channel: channel.map(|channel| channel.id).or(at).map(Text::from),
            message: container_ts.or(message_ts).map(Text::from),
            thread: container_thread.or(message_thread).map(Text::from),
            view: view.map(Text::from),
            note,
            trigger: trigger_id.map(Text::from),
            response_url,
        },
        what,
    }
}

fn done(read: &Interaction) -> What {
    match read.kind.as_str() {
        "block_actions" => read.actions.first().map_or(What::Nothing, pressed),
        "view_submission" => read.view.as_ref().map_or(What::Nothing, |view| What::Filled {
            form: view.callback_id.clone(),
            values: view.state.as_ref().map(values).unwrap_or_default(),
        }),
        "message_action" => What::Shortcut {
            callback: read.callback_id.clone(),
            text: read.message.as_ref().map(|message| cut(&message.text)).unwrap_or_default(),
        },
        _ => What::Nothing,
    }
}

/// A menu says what was chosen; a button says its value, or itself.
fn pressed(action: &Action) -> What {
    let chosen = action.selected_option.as_ref().map(|option| &option.value);
    let id = chosen.or(action.value.as_ref()).unwrap_or(&action.id);
    What::Pressed { id: id.clone() }
}

fn values(state: &State) -> BTreeMap<String, String> {
    let fields = state.values.values().flatten();
    fields
        .map(|(name, value)| {
            let chosen = value.selected_option.as_ref().map(|option| option.value.as_str());
            (name.clone(), cut(chosen.or(value.value.as_deref()).unwrap_or_default()))
        })
        .collect()
}

/// What is called a mention however it became known: told by Slack, or found in the channel after a gap.
pub(in crate::chat::slack) fn mention_key(channel: &str, ts: &str) -> String {
    format!("mention {channel} {ts}")
}

fn event(callback: Callback) -> Inbound {
    let Callback { team_id, event_id, event } = callback;
    let what = happened(&event);
    let Event { user, user_team, channel, ts, thread_ts, .. } = event;
    let key = match (&what, &channel, &ts) {
        (What::Mentioned { .. }, Some(channel), Some(ts)) => mention_key(channel, ts),
        _ => format!("event {event_id}"),
    };
    Inbound {
        key,
        by: Asker {
            user: user.map(Text::from).unwrap_or_default(),
            team: user_team.unwrap_or(team_id).into(),
        },
        place: Place {
            channel: channel.map(Text::from),
            thread: thread_ts.map(Text::from),
            message: ts.map(Text::from),
            ..Place::default()
        },
        what,
    }
}

/// What a bot or a workflow posts is nobody's word.
fn happened(event: &Event) -> What {
    match event.kind.as_str() {
        "app_mention" if event.bot_id.is_none() => What::Mentioned { text: without_mention(&event.text) },
        "app_home_opened" if event.tab.as_deref() == Some("home") => What::HomeOpened,
        _ => What::Nothing,
    }
}

/// The text after the first mention, or all of it where the mention stands at its end.
pub(in crate::chat::slack) fn without_mention(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<@") else { return cut(text) };
    let after = rest.split_once('>').map_or("", |(_, after)| after);
    let said = if after.trim().is_empty() { before } else { after };
    cut(said.trim())
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// A name for a payload that brings none.
fn digest(payload: &str) -> String {
    let hash = Sha256::digest(payload.as_bytes());
    hash.iter().take(16).fold("payload ".to_owned(), |mut name, byte| {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn interacted(payload: &serde_json::Value) -> Inbound {
        read(Channel::Interactions, &payload.to_string()).expect("it is what Slack sends")
    }

    #[test]
    fn a_command_is_read() {
        let payload = json!({"command": "/mend", "text": "status", "user_id": "U1", "team_id": "T1",
            "channel_id": "C1", "response_url": "https://hooks.slack.com/commands/1", "trigger_id": "1.2"});
        let read = read(Channel::Commands, &payload.to_string()).expect("a command");
        assert_eq!(read.what, What::Commanded { text: "status".into() });
        assert_eq!((read.by.user.as_str(), read.key.as_str()), ("U1", "trigger 1.2"));
    }

    #[test]
    fn a_click_is_read_whatever_stands_in_its_message() {
        let payload = json!({"type": "block_actions", "user": {"id": "U1", "team_id": "T1"},
            "team": {"id": "T1"}, "trigger_id": "9", "response_url": "https://hooks.slack.com/actions/1",
            "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1", "thread_ts": "0.5"},
            "message": {"ts": "1.0", "blocks": [{"type": "brand_new", "odd": [1, {"a": null}]}]},
            "actions": [{"type": "button", "action_id": "a", "block_id": "b", "value": "k1.sh.i-1"}]});
        let read = interacted(&payload);
        assert_eq!(read.what, What::Pressed { id: "k1.sh.i-1".into() });
        assert_eq!(read.place.message.as_deref(), Some("1.0"));
        assert_eq!(read.place.thread.as_deref(), Some("0.5"));
    }

    #[test]
    fn a_menu_says_what_was_chosen() {
        let payload = json!({"type": "block_actions", "user": {"id": "U1"}, "trigger_id": "9", "actions":
            [{"type": "overflow", "action_id": "more", "selected_option": {"value": "k1.us.i-1"}}]});
        assert_eq!(interacted(&payload).what, What::Pressed { id: "k1.us.i-1".into() });
    }

    #[test]
    fn a_form_gives_its_values_by_name() {
        let payload = json!({"type": "view_submission", "user": {"id": "U1"}, "trigger_id": "9",
            "view": {"id": "V1", "callback_id": "k1.cf.x", "private_metadata": "C1", "state": {"values": {
                "b1": {"name": {"type": "plain_text_input", "value": "web"}},
                "b2": {"size": {"type": "static_select", "selected_option": {"value": "2"}}},
                "b3": {"note": {"type": "plain_text_input", "value": null}}}}}});
        let What::Filled { form, values } = interacted(&payload).what else { panic!("a form") };
        assert_eq!(form, "k1.cf.x");
        let told: Vec<_> = values.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(told, ["name=web", "note=", "size=2"]);
    }

    #[test]
    fn a_mention_by_a_person_is_heard_and_one_by_a_bot_is_not() {
        let mention = |extra: serde_json::Value| {
            let mut event = json!({"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0",
                "text": "hello <@UBOT> diagnose pod web"});
            event.as_object_mut().expect("an object").extend(extra.as_object().cloned().unwrap_or_default());
            let payload = json!({"team_id": "T1", "event_id": "Ev1", "event": event});
            read(Channel::Events, &payload.to_string()).expect("an event").what
        };
        assert_eq!(mention(json!({})), What::Mentioned { text: "diagnose pod web".into() });
        assert_eq!(mention(json!({"bot_id": "B1"})), What::Nothing);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused_without_harm(text in ".{0,400}") {
            for channel in [Channel::Commands, Channel::Interactions, Channel::Events] {
                let _ = read(channel, &text);
            }
            let payload = json!({"type": text, "user": {"id": text}, "actions": [{"value": text}]});
            let _ = read(Channel::Interactions, &payload.to_string());
            let _ = without_mention(&text);
        }
    }
}
