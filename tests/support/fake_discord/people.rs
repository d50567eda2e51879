//! What people do with messages: click, choose, fill in; and how that becomes an interaction.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::callbacks::{COMPONENT, SUBMIT};
use super::state::{Interaction, State};
use super::{
    APPLICATION, BOT_USER, ELSEWHERE, FakeDiscord, GUILD, channels, endpoint, gateway, guild, messages,
    permissions, show,
};

/// Where somebody does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    Channel(&'a str),
    /// In a conversation with the bot alone.
    Direct,
    /// In another server.
    Elsewhere,
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(channel: &'a str) -> Self {
        Self::Channel(channel)
    }
}

impl FakeDiscord {
    /// Clicks a button, by what is written on it. Returns the interaction's id.
    pub async fn click(&self, user: &str, channel: &str, message: &str, label: &str) -> String {
        self.press(user, channel.into(), message, label).await
    }

    /// Clicks a button or chooses an entry of a menu, wherever the message is shown.
    pub async fn press(&self, user: &str, place: Place<'_>, message: &str, label: &str) -> String {
        let id = self.with(|state| {
            let body = state.any_message(message).cloned().unwrap_or_else(|| panic!("no message {message}"));
            let data = show::pressed(&body, label)
                .unwrap_or_else(|| panic!("nothing says {label:?} in:\n{}", show::message(&body)));
            let line = format!("{} clicks [{label}]", state.name_of(user));
            state.say(line);
            interaction(state, user, place, COMPONENT, data, Some(&body))
        });
        self.deliver(&id).await;
        id
    }

    /// Presses what a message showed at some earlier time.
    pub async fn press_old(&self, user: &str, channel: &str, body: &Value, label: &str) -> String {
        let id = self.with(|state| {
            let data = show::pressed(body, label).expect("it was there");
            let line = format!("{} clicks [{label}] in an old picture of the message", state.name_of(user));
            state.say(line);
            interaction(state, user, channel.into(), COMPONENT, data, Some(body))
        });
        self.deliver(&id).await;
        id
    }

    /// Removes a thread, with all that is in it.
    pub fn remove_thread(&self, id: &str) {
        self.with(|state| {
            state.channels.remove(id);
            state.removed.insert(id.to_owned());
        });
    }

    /// Writes into a channel.
    pub fn write(&self, user: &str, channel: &str, text: &str) -> String {
        self.with(|state| {
            let mut message = messages::kept(state, channel, &json!({"content": text}), &[]);
            message["author"] = guild::user(state, user);
            let line = format!("{} {} writes: {text}", state.channel_name(channel), state.name_of(user));
            state.say(line);
            let id = message["id"].as_str().expect("it has an id").to_owned();
            state.channels.get_mut(channel).expect("a channel").messages.push(message);
            id
        })
    }

    /// Brings an interaction again that was brought before.
    pub async fn send_again(&self, id: &str) {
        let (endpoint, payload) =
            self.with(|state| (state.endpoint.clone(), state.interactions[id].payload.clone()));
        match endpoint {
            None => {
                self.with(|state| gateway::dispatch(state, "INTERACTION_CREATE", &payload, gateway::ALWAYS))
            }
            Some(url) => endpoint::send(self, id, &url, &payload).await,
        }
    }

    /// Fills in the modal that is open for somebody and submits it.
    pub async fn submit(&self, user: &str, values: &[(&str, &str)]) -> String {
        let id = self.with(|state| {
            let open = state.modals.iter_mut().rev().find(|modal| modal.open && modal.user == user);
            let modal = open.unwrap_or_else(|| panic!("no modal is open for {user}"));
            modal.open = false;
            let (body, source, channel) = (modal.body.clone(), modal.source.clone(), modal.channel.clone());
            let data = json!({"custom_id": body["custom_id"], "components": show::filled(&body, values)});
            let told: Vec<String> = values.iter().map(|(field, value)| format!("{field}: {value}")).collect();
            let line = format!("{} submits the modal with {}", state.name_of(user), told.join(", "));
            state.say(line);
            let source = source.and_then(|id| state.any_message(&id).cloned());
            interaction(state, user, Place::Channel(&channel), SUBMIT, data, source.as_ref())
        });
        self.deliver(&id).await;
        id
    }

    /// Brings an interaction to the app, the way that is set up.
    pub async fn deliver(&self, id: &str) {
        let (endpoint, payload) = self.with(|state| {
            let interaction = state.interactions.get_mut(id).expect("it was made");
            interaction.sent = Instant::now();
            (state.endpoint.clone(), state.interactions[id].payload.clone())
        });
        match endpoint {
            None => {
                self.with(|state| gateway::dispatch(state, "INTERACTION_CREATE", &payload, gateway::ALWAYS))
            }
            Some(url) => endpoint::send(self, id, &url, &payload).await,
        }
    }

    /// Waits until an interaction is answered; how long that took.
    pub async fn acknowledged(&self, id: &str) -> Duration {
        let started = Instant::now();
        loop {
            if let Some(took) = self.with(|state| state.interactions[id].took) {
                return took;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{id} was never answered");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How often an answer to an interaction was tried, and the first one.
    pub fn answered(&self, id: &str) -> (u32, Option<Value>) {
        self.with(|state| (state.interactions[id].tries, state.interactions[id].answer.clone()))
    }
}

/// Makes an interaction; nobody has heard of it yet.
pub fn interaction(
    state: &mut State,
    user: &str,
    place: Place<'_>,
    kind: u8,
    data: Value,
    source: Option<&Value>,
) -> String {
    let id = state.snowflake();
    let token = format!("interaction-token-{}-{}", state.number(), "x".repeat(40));
    let channel = match place {
        Place::Channel(channel) => channel.to_owned(),
        Place::Direct => "440000000000000098".to_owned(),
        Place::Elsewhere => "440000000000000099".to_owned(),
    };
    let mut payload = json!({"id": id, "application_id": APPLICATION, "type": kind, "token": token, "version": 1,
        "data": data, "channel_id": channel, "locale": "en-US", "entitlements": [],
        "attachment_size_limit": 10_485_760, "app_permissions": permissions::BOT.to_string()});
    whereabouts(state, &mut payload, user, place, &channel);
    if let Some(source) = source {
        payload["message"] = source.clone();
    }
    let made = state.now();
    let interaction = Interaction {
        payload,
        token,
        kind,
        user: user.to_owned(),
        channel,
        source: source.and_then(|source| source["id"].as_str().map(str::to_owned)),
        made,
        sent: Instant::now(),
        answer: None,
        took: None,
        tries: 0,
        original: None,
        choices: None,
    };
    state.interactions.insert(id.clone(), interaction);
    id
}

fn whereabouts(state: &State, payload: &mut Value, user: &str, place: Place<'_>, channel: &str) {
    let owners = |id: &str| json!({"0": id});
    let in_guild = |guild: &str| json!({"id": guild, "locale": "en-US", "features": []});
    let mut member = guild::member_of(state, user).unwrap_or_else(|| {
        let mut member = guild::member_of(state, BOT_USER).expect("the bot is a member");
        (member["user"], member["roles"]) = (guild::user(state, user), json!([]));
        member
    });
    match place {
        Place::Direct => {
            payload["user"] = member["user"].clone();
            payload["context"] = json!(1);
            payload["channel"] = json!({"id": channel, "type": 1, "flags": 0});
            payload["authorizing_integration_owners"] = owners("0");
        }
        Place::Elsewhere => {
            (member["roles"], member["permissions"]) = (json!([]), json!("8"));
            payload["member"] = member;
            payload["guild_id"] = json!(ELSEWHERE);
            payload["guild"] = in_guild(ELSEWHERE);
            payload["guild_locale"] = json!("en-US");
            payload["context"] = json!(0);
            payload["channel"] = json!({"id": channel, "type": 0, "guild_id": ELSEWHERE, "name": "there", "position": 0, "flags": 0});
            payload["authorizing_integration_owners"] = owners(ELSEWHERE);
        }
        Place::Channel(_) => {
            member["permissions"] = json!(permissions::of(state, user, channel).to_string());
            payload["member"] = member;
            payload["guild_id"] = json!(GUILD);
            payload["guild"] = in_guild(GUILD);
            payload["guild_locale"] = json!("en-US");
            payload["context"] = json!(0);
            payload["channel"] = channels::shown(state, channel);
            payload["app_permissions"] = json!(permissions::of(state, BOT_USER, channel).to_string());
            payload["authorizing_integration_owners"] = owners(GUILD);
        }
    }
}
