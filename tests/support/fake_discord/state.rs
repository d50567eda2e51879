//! What the server holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use super::faults::Rule;
use super::limits::{Bucket, Limit};
use super::{BOT_ROLE, BOT_USER, GUILD, permissions};

pub struct State {
    pub users: BTreeMap<String, User>,
    pub roles: BTreeMap<String, Role>,
    /// Channels, forums, threads and forum posts.
    pub channels: BTreeMap<String, Channel>,
    /// Threads that somebody removed: none begins at their messages again.
    pub removed: BTreeSet<String>,
    pub ephemerals: Vec<Ephemeral>,
    pub modals: Vec<Modal>,
    /// Every file that was sent, by its name, whatever came of it.
    pub files: BTreeMap<String, String>,
    pub interactions: BTreeMap<String, Interaction>,
    /// By server; `None`: everywhere.
    pub commands: BTreeMap<Option<String>, Vec<Value>>,
    /// Nonces of the last minutes: channel, nonce, message, since when.
    pub nonces: Vec<(String, String, String, Duration)>,
    /// Every nonce that a message was posted with, by message.
    pub named: BTreeMap<String, String>,
    pub sessions: BTreeMap<String, Session>,
    pub links: BTreeMap<u64, Link>,
    /// How many sessions may still be started today.
    pub starts_left: u32,
    pub started_last: Option<Duration>,
    pub heartbeat: Duration,
    /// How long the first answer to an interaction may take.
    pub first_within: Duration,
    /// How long it takes until an endpoint's response is read.
    pub reads_after: Duration,
    /// Bits of intents that the app was granted beyond the ordinary ones.
    pub privileged: u64,
    /// What clients did at the gateway that they should not, and what was told them.
    pub closed: Vec<u16>,
    pub identified: usize,
    pub resumed: usize,
    /// Resumes at another address than the one that READY named.
    pub resumed_elsewhere: usize,
    pub calls: Vec<Call>,
    pub rules: Vec<Rule>,
    pub limits: BTreeMap<String, Limit>,
    pub buckets: BTreeMap<String, Bucket>,
    pub global: VecDeque<Duration>,
    /// Requests answered by 401, 403 or 429: 10,000 in ten minutes and Discord shuts the address out.
    pub invalid: usize,
    /// Where interactions are sent instead of over the gateway.
    pub endpoint: Option<String>,
    /// Everything people could see happen, in order.
    pub log: Vec<String>,
    /// Whom messages really called.
    pub pings: Vec<String>,
    pub shift: Duration,
    started: Instant,
    counter: u64,
}

pub struct User {
    pub name: String,
    pub bot: bool,
    /// `None`: not in the server.
    pub roles: Option<BTreeSet<String>>,
    /// Timed out for an hour.
    pub timed_out: bool,
}

pub struct Role {
    pub name: String,
    pub permissions: u64,
    pub mentionable: bool,
}

pub const TEXT: u8 = 0;
pub const THREAD: u8 = 11;
pub const FORUM: u8 = 15;

#[derive(Default)]
pub struct Channel {
    pub name: String,
    pub kind: u8,
    pub parent: Option<String>,
    /// (role or member, allowed, denied)
    pub overwrites: Vec<(String, u64, u64)>,
    /// Oldest first.
    pub messages: Vec<Value>,
    pub archived: bool,
    pub locked: bool,
    pub owner: String,
    /// Forums: the tags there are (id, name). Posts: those they have (id, id).
    pub tags: Vec<(String, String)>,
    pub needs_tag: bool,
}

pub struct Ephemeral {
    pub user: String,
    pub body: Value,
}

pub struct Modal {
    pub user: String,
    pub body: Value,
    pub open: bool,
    /// The message whose component opened it, and where.
    pub source: Option<String>,
    pub channel: String,
}

pub struct Interaction {
    pub payload: Value,
    pub token: String,
    pub kind: u8,
    pub user: String,
    pub channel: String,
    /// The message that holds the component.
    pub source: Option<String>,
    pub made: Duration,
    pub sent: Instant,
    /// The first answer that counted, and how long it took.
    pub answer: Option<Value>,
    pub took: Option<Duration>,
    pub tries: u32,
    /// The message that answers it.
    pub original: Option<String>,
    pub choices: Option<Value>,
}

pub struct Session {
    pub intents: u64,
    pub seq: u64,
    /// What may have to be sent again.
    pub sent: VecDeque<Value>,
    pub link: Option<u64>,
}

pub struct Link {
    pub orders: mpsc::UnboundedSender<super::gateway::Order>,
    pub session: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Call {
    /// `POST /channels/{channel_id}/messages`
    pub route: String,
    pub path: String,
    pub query: String,
    pub body: Value,
    pub status: u16,
    /// Discord's code, where it refused.
    pub code: u64,
    pub answer: Value,
    pub at: Duration,
}

impl State {
    pub fn new(channels: &[(&str, &str)]) -> Self {
        let bot = User {
            name: "kubemend".to_owned(),
            bot: true,
            roles: Some(BTreeSet::from([BOT_ROLE.to_owned()])),
            timed_out: false,
        };
        let role = |name: &str, permissions| Role { name: name.to_owned(), permissions, mentionable: false };
        let channel = |(id, name): &(&str, &str)| {
            ((*id).to_owned(), Channel { name: (*name).to_owned(), kind: TEXT, ..Channel::default() })
        };
        Self {
            users: BTreeMap::from([(BOT_USER.to_owned(), bot)]),
            roles: BTreeMap::from([
                (GUILD.to_owned(), role("@everyone", permissions::EVERYONE)),
                (BOT_ROLE.to_owned(), role("kubemend", permissions::BOT)),
            ]),
            channels: channels.iter().map(channel).collect(),
            removed: BTreeSet::new(),
            ephemerals: Vec::new(),
            files: BTreeMap::new(),
            modals: Vec::new(),
            interactions: BTreeMap::new(),
            commands: BTreeMap::new(),
            nonces: Vec::new(),
            named: BTreeMap::new(),
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            starts_left: 1000,
            started_last: None,
            heartbeat: Duration::from_millis(41_250),
            first_within: Duration::from_secs(3),
            reads_after: Duration::ZERO,
            privileged: 0,
            closed: Vec::new(),
            identified: 0,
            resumed: 0,
            resumed_elsewhere: 0,
            calls: Vec::new(),
            rules: Vec::new(),
            limits: super::limits::usual(),
            buckets: BTreeMap::new(),
            global: VecDeque::new(),
            invalid: 0,
            endpoint: None,
            log: Vec::new(),
            pings: Vec::new(),
            shift: Duration::ZERO,
            started: Instant::now(),
            counter: 0,
        }
    }

    /// How long this Discord exists, with what was skipped.
    pub fn now(&self) -> Duration {
        self.started.elapsed() + self.shift
    }

    pub fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A new name: the milliseconds since Discord began, and a counter; rising.
    pub fn snowflake(&mut self) -> String {
        const BEGAN: i64 = 1_420_070_400_000;
        let number = self.number();
        let now = jiff::Timestamp::now().as_millisecond() - BEGAN + self.shift.as_millis() as i64;
        (((now as u64) << 22) | (number & 0x3f_ffff)).to_string()
    }

    pub fn timestamp(&self) -> String {
        let now = jiff::Timestamp::now() + jiff::SignedDuration::try_from(self.shift).expect("it is short");
        format!("{now:.6}").replace('Z', "+00:00")
    }

    pub fn message(&self, channel: &str, id: &str) -> Option<&Value> {
        self.channels.get(channel)?.messages.iter().find(|message| message["id"] == id)
    }

    /// A message anywhere, ephemeral ones too.
    pub fn any_message(&self, id: &str) -> Option<&Value> {
        let all = self.channels.values().flat_map(|channel| channel.messages.iter());
        all.chain(self.ephemerals.iter().map(|e| &e.body)).find(|message| message["id"] == id)
    }

    pub fn any_message_mut(&mut self, id: &str) -> Option<&mut Value> {
        let all = self.channels.values_mut().flat_map(|channel| channel.messages.iter_mut());
        all.chain(self.ephemerals.iter_mut().map(|e| &mut e.body)).find(|message| message["id"] == id)
    }

    pub fn name_of(&self, user: &str) -> String {
        self.users.get(user).map_or_else(|| user.to_owned(), |user| user.name.clone())
    }

    /// `#alerts`, `#alerts/the thread`
    pub fn channel_name(&self, id: &str) -> String {
        let Some(channel) = self.channels.get(id) else { return id.to_owned() };
        match &channel.parent {
            Some(parent) => format!("{}/{}", self.channel_name(parent), channel.name),
            None => format!("#{}", channel.name),
        }
    }

    pub fn say(&mut self, line: String) {
        self.log.push(line);
    }
}
