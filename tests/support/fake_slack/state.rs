//! What the workspace holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::faults::Rule;
use super::{BOT_USER, SCOPES, TEAM};

pub struct State {
    pub users: BTreeMap<String, Value>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub channels: BTreeMap<String, Channel>,
    pub ephemerals: Vec<Ephemeral>,
    pub views: BTreeMap<String, View>,
    pub homes: BTreeMap<String, Value>,
    pub files: Vec<File>,
    pub triggers: BTreeMap<String, Trigger>,
    pub responses: BTreeMap<String, ResponseUrl>,
    pub calls: Vec<Call>,
    pub rules: Vec<Rule>,
    pub scopes: BTreeSet<String>,
    pub links: BTreeMap<u64, LinkHandle>,
    pub tickets: BTreeSet<String>,
    pub envelopes: BTreeMap<String, Envelope>,
    /// Everything people could see happen, in order.
    pub log: Vec<String>,
    /// Pings that a message made.
    pub pings: Vec<String>,
    /// Where payloads are sent instead of over links, and the secret they are signed with.
    pub over_http: Option<(String, String)>,
    /// Where its own web side is.
    pub own_url: String,
    counter: u64,
}

#[derive(Default)]
pub struct Channel {
    pub name: String,
    pub archived: bool,
    pub member: bool,
    pub private: bool,
    /// Oldest first; replies have a `thread_ts`.
    pub messages: Vec<Value>,
}

pub struct Ephemeral {
    pub channel: String,
    pub user: String,
    pub body: Value,
}

pub struct View {
    pub user: String,
    pub body: Value,
    pub open: bool,
}

pub struct File {
    pub id: String,
    pub name: String,
    pub length: usize,
    /// Once it was uploaded.
    pub content: Option<Vec<u8>>,
    /// Channel and thread, once it is there.
    pub shared: Option<(String, String)>,
}

pub struct Trigger {
    pub made: Instant,
    pub used: bool,
    pub user: String,
}

pub struct ResponseUrl {
    pub channel: String,
    pub user: String,
    pub message: Option<String>,
    pub uses: u32,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub arguments: Value,
    pub at: Instant,
    pub outcome: String,
}

pub struct LinkHandle {
    pub frames: mpsc::UnboundedSender<super::link::Order>,
}

pub struct Envelope {
    pub frame: Value,
    pub sent: Instant,
    pub tries: u32,
    pub acked: Option<Duration>,
    pub acks: u32,
    pub reply: Option<Value>,
    /// The modal it submits.
    pub view: Option<String>,
}

impl State {
    pub fn new(channels: &[(&str, &str)]) -> Self {
        let channel = |(id, name): &(&str, &str)| {
            let channel = Channel { name: (*name).to_owned(), member: true, ..Channel::default() };
            ((*id).to_owned(), channel)
        };
        let bot = json!({"id": BOT_USER, "team_id": TEAM, "name": "kubemend", "is_bot": true,
            "deleted": false, "profile": {"real_name": "kubemend"}});
        Self {
            users: BTreeMap::from([(BOT_USER.to_owned(), bot)]),
            groups: BTreeMap::new(),
            channels: channels.iter().map(channel).collect(),
            ephemerals: Vec::new(),
            views: BTreeMap::new(),
            homes: BTreeMap::new(),
            files: Vec::new(),
            triggers: BTreeMap::new(),
            responses: BTreeMap::new(),
            calls: Vec::new(),
            rules: Vec::new(),
            scopes: SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            links: BTreeMap::new(),
            tickets: BTreeSet::new(),
            envelopes: BTreeMap::new(),
            log: Vec::new(),
            pings: Vec::new(),
            over_http: None,
            own_url: String::new(),
            counter: 0,
        }
    }

    pub fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A message's name: seconds and a counter, rising.
    pub fn ts(&mut self) -> String {
        let number = self.number();
        format!("{}.{:06}", jiff::Timestamp::now().as_second(), number)
    }

    pub fn message(&self, channel: &str, ts: &str) -> Option<&Value> {
        self.channels.get(channel)?.messages.iter().find(|message| message["ts"] == ts)
    }

    pub fn name_of(&self, user: &str) -> String {
        let name = self.users.get(user).and_then(|user| user["name"].as_str());
        name.unwrap_or(user).to_owned()
    }

    pub fn channel_name(&self, id: &str) -> String {
        self.channels.get(id).map_or_else(|| id.to_owned(), |channel| format!("#{}", channel.name))
    }

    pub fn say(&mut self, line: String) {
        self.log.push(line);
    }
}
