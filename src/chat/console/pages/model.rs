//! What the pages show, as plain values. Whoever serves them fills these in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::filter::{AuditQuery, Filter};
use super::row::Row;
use crate::chat::templates::Mistake;
use crate::engine::Playbook;
use crate::incident::chain::{Audited, Head};
use crate::incident::{
    BrokenChain, ConditionId, Evidence, Incident, ProposalRecord, Recorded, Risk, Severity, Text,
};

/// One page.
#[derive(Debug)]
pub enum Page<'a> {
    Login(Login<'a>),
    Incidents(Incidents<'a>),
    Incident(IncidentPage<'a>),
    Proposal(ProposalPage<'a>),
    Playbooks(Playbooks<'a>),
    Playbook(PlaybookPage<'a>),
    Audit(AuditPage<'a>),
    Status(StatusPage<'a>),
    Cards(Cards<'a>),
    Error(ErrorPage<'a>),
}

/// The way in.
#[derive(Debug)]
pub struct Login<'a> {
    /// Whether tokens are taken.
    pub token: bool,
    /// What to call the OpenID Connect provider, where there is one.
    pub oidc: Option<&'a str>,
    /// Where to go afterwards: a path of this site.
    pub next: &'a str,
    pub problem: Option<LoginProblem>,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginProblem {
    /// The token is not known.
    Token,
    /// Too many tries.
    TooMany,
    /// The provider refused, or its answer cannot be trusted.
    Provider,
    /// The session is over.
    Expired,
}

/// All incidents.
#[derive(Debug)]
pub struct Incidents<'a> {
    /// All that are known, in any order: the page filters, groups, counts and cuts.
    pub rows: &'a [Row],
    pub filter: &'a Filter,
    /// Whether there are older ones that are not among `rows`.
    pub more: bool,
    pub clusters: &'a [Cluster],
    /// How many conditions are looked for.
    pub playbooks: usize,
}

/// One incident.
#[derive(Debug)]
pub struct IncidentPage<'a> {
    pub incident: &'a Incident,
    /// Oldest first.
    pub entries: &'a [Recorded],
    pub evidence: Option<&'a Evidence>,
    /// The playbook's explanation of the condition, in Markdown.
    pub explanation: Option<&'a str>,
    /// Steps for a person, in Markdown.
    pub manual: Option<&'a str>,
    /// The titles of conditions, for "also possible".
    pub titles: &'a BTreeMap<ConditionId, Text>,
}

/// One proposal: where a link from a chat message leads.
#[derive(Debug)]
pub struct ProposalPage<'a> {
    pub incident: &'a Incident,
    pub record: &'a ProposalRecord,
}

/// All playbooks.
#[derive(Debug)]
pub struct Playbooks<'a> {
    pub playbooks: &'a [PlaybookDoc],
    /// What is looked for; `""` for all.
    pub text: &'a str,
}

/// One playbook.
#[derive(Debug)]
pub struct PlaybookPage<'a> {
    pub playbook: &'a PlaybookDoc,
    /// Its incidents, newest first; a few.
    pub rows: &'a [Row],
}

/// A playbook as people read it.
#[derive(Clone, Debug)]
pub struct PlaybookDoc {
    pub id: ConditionId,
    pub title: Text,
    pub severity: Severity,
    /// Markdown.
    pub explanation: String,
    pub kinds: Vec<Text>,
    pub scope: Text,
    pub hold_off_seconds: u32,
    pub absorbs: Vec<Text>,
    pub over: Vec<Text>,
    pub remedies: Vec<RemedyDoc>,
    /// Where it comes from, and its text as written.
    pub file: String,
    pub source: String,
}

impl PlaybookDoc {
    /// The playbook's pages are made of this.
    pub fn of(playbook: &Playbook) -> Self {
        let remedy = |(id, title, risk): (&Text, &Text, Risk)| RemedyDoc {
            id: id.clone(),
            title: title.clone(),
            risk,
            explanation: playbook.explanation_of(id).unwrap_or_default().to_owned(),
        };
        Self {
            id: playbook.id.clone(),
            title: playbook.title.clone(),
            severity: playbook.severity,
            explanation: playbook.explanation.clone(),
            kinds: playbook.kinds.clone(),
            scope: format!("{:?}", playbook.scope).into(),
            hold_off_seconds: playbook.hold_off_seconds,
            absorbs: playbook.absorbs.clone(),
            over: playbook.over.clone(),
            remedies: playbook.remedies().map(remedy).collect(),
            file: playbook.file.clone(),
            source: playbook.source.clone(),
        }
    }
}

/// A remedy as people read it.
#[derive(Clone, Debug)]
pub struct RemedyDoc {
    pub id: Text,
    pub title: Text,
    pub risk: Risk,
    /// What it does, and when it is right, in Markdown.
    pub explanation: String,
}

/// The records of all that was done.
#[derive(Debug)]
pub struct AuditPage<'a> {
    /// Newest first.
    pub records: &'a [Audited],
    pub query: &'a AuditQuery,
    /// Whether there are more records than these.
    pub more: bool,
    pub check: Option<&'a ChainCheck>,
    /// What is wrong with the query; `""` if nothing is.
    pub problem: &'a str,
}

/// What verifying the whole chain gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChainCheck {
    Whole {
        records: u64,
        head: Head,
    },
    Broken(BrokenChain),
    /// It could not be read.
    Failed(String),
}

/// How kubemend stands.
#[derive(Debug)]
pub struct StatusPage<'a> {
    pub version: &'a str,
    /// Since when this process runs.
    pub started: Option<Timestamp>,
    pub paused: bool,
    pub open_incidents: usize,
    pub clusters: &'a [Cluster],
    pub links: &'a [ChatLink],
    pub queues: &'a [Queue],
    /// How many playbooks are in force, and what is wrong with those that are not.
    pub playbooks: usize,
    pub problems: &'a [String],
    /// The newest record's number and digest.
    pub head: Option<&'a Head>,
}

/// How kubemend stands to a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    pub name: Text,
    pub connected: bool,
    /// Since when it is as it is, where that is known.
    pub since: Option<Timestamp>,
    /// How far behind what is known may be, where that is known.
    pub lag: Option<Duration>,
    pub kinds: Vec<Kind>,
}

/// How far one kind of objects is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kind {
    pub name: Text,
    pub synced: bool,
    pub objects: u64,
    /// Objects that could not be read.
    pub unparsed: u64,
    /// Why it cannot be watched, where it cannot.
    pub trouble: Option<String>,
}

impl From<&crate::engine::ClusterState> for Cluster {
    fn from(state: &crate::engine::ClusterState) -> Self {
        let kinds = state.kinds.iter().map(|kind| Kind {
            name: kind.kind.clone(),
            synced: kind.synced,
            objects: kind.objects,
            unparsed: kind.unparsed,
            trouble: kind.trouble.clone(),
        });
        Self {
            name: state.name.clone(),
            connected: state.connected,
            since: None,
            lag: None,
            kinds: kinds.collect(),
        }
    }
}

/// A link to a chat platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChatLink {
    /// `Slack`, or `Slack acme` where there are several.
    pub name: String,
    pub state: LinkState,
    pub since: Option<Timestamp>,
    /// Messages that wait to be sent.
    pub waiting: u64,
    /// What is wrong, where something is.
    pub trouble: Option<String>,
}

/// Whether a link works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    Connected,
    Connecting,
    Down,
}

/// Something that waits its turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// `looks`, `messages`; words exist for these, others are shown as they are.
    pub name: String,
    pub waiting: u64,
    /// What found no room.
    pub left_out: u64,
}

/// How Slack and Discord would show the sample cards.
#[derive(Debug)]
pub struct Cards<'a> {
    /// The samples there are.
    pub names: &'a [String],
    pub chosen: &'a str,
    pub cards: &'a [RenderedCard],
    /// Of templates that cannot be used; the cards are of those before.
    pub mistakes: &'a [Mistake],
}

/// One card in one platform's own form.
#[derive(Clone, Debug)]
pub struct RenderedCard {
    pub platform: Platform,
    /// Of the words in it.
    pub locale: String,
    /// Slack: an array of blocks, or an object with `blocks` (and `text`). Discord: an object with
    /// `content`, `embeds` and `components`.
    pub layout: Value,
    /// What the platform would refuse, or why there is no layout.
    pub problems: Vec<String>,
}

/// The platforms whose cards can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Platform {
    Slack,
    Discord,
}

/// Something went wrong, or is not there.
#[derive(Debug)]
pub struct ErrorPage<'a> {
    pub status: u16,
    /// What a person may read about it; `""` where the status says it all.
    pub detail: &'a str,
    /// A number to look for in the log; `""` where there is none.
    pub reference: &'a str,
}
