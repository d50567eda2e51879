//! The list of commands: what each is called, what it takes, and which phrase helps with it.
//!
//! The one list: lines are read by it, written by it, and platforms with typed options register it.

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// In the order of the line; what must be there comes first.
    pub takes: &'static [Take],
    /// Whether it changes something, so that platforms can tell.
    pub changes: bool,
}

/// Something that a command takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Take {
    /// What it is called where options have names; `option.<name>` is its phrase.
    pub name: &'static str,
    pub thing: Thing,
    pub place: Place,
    pub required: bool,
}

/// What it names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    Incident,
    Proposal,
    Execution,
    Object,
    Remedy,
    Duration,
    Severity,
    /// From 1 to [`super::MOST`].
    Number,
    Namespace,
    Cluster,
    /// Something to look for; often a condition.
    Search,
    /// The name of a command.
    Command,
    /// Anything.
    Text,
    /// Said, or not.
    Switch,
}

/// Where it stands in a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The next word.
    Word,
    /// All further words as one text.
    Rest,
    /// All further words, each by itself.
    Words,
    /// Behind a flag.
    Value(&'static str),
    /// A flag alone.
    Flag(&'static str),
}

impl Spec {
    /// The flags with a value.
    pub fn values(&self) -> impl Iterator<Item = &'static str> {
        self.takes.iter().filter_map(|take| match take.place {
            Place::Value(flag) => Some(flag),
            Place::Word | Place::Rest | Place::Words | Place::Flag(_) => None,
        })
    }

    /// The flags without one.
    pub fn switches(&self) -> impl Iterator<Item = &'static str> {
        self.takes.iter().filter_map(|take| match take.place {
            Place::Flag(flag) => Some(flag),
            Place::Word | Place::Rest | Place::Words | Place::Value(_) => None,
        })
    }

    /// What it takes under that name.
    pub fn take(&self, name: &str) -> Option<&'static Take> {
        self.takes.iter().find(|take| take.name == name)
    }
}

const fn needs(name: &'static str, thing: Thing) -> Take {
    Take { name, thing, place: Place::Word, required: true }
}

const fn may(name: &'static str, thing: Thing, place: Place) -> Take {
    Take { name, thing, place, required: false }
}

const HERE: Take = may("here", Thing::Switch, Place::Flag("--here"));
const CLUSTER: Take = may("cluster", Thing::Cluster, Place::Value("--cluster"));
const NAMESPACE: Take = may("namespace", Thing::Namespace, Place::Value("--namespace"));
const INCIDENT: Take = needs("incident", Thing::Incident);
const PROPOSAL: Take = needs("proposal", Thing::Proposal);
const REASON: Take = may("reason", Thing::Text, Place::Rest);

const fn reading(name: &'static str, usage: &'static str, takes: &'static [Take]) -> Spec {
    Spec { name, usage, takes, changes: false }
}

const fn changing(name: &'static str, usage: &'static str, takes: &'static [Take]) -> Spec {
    Spec { name, usage, takes, changes: true }
}

/// All commands, in the order of the help.
pub const ALL: &[Spec] = &[
    reading(
        "incidents",
        "/mend incidents [text] [--cluster C] [-n NAMESPACE] [--severity S] [--limit N] [--all] [--here]",
        &[
            may("text", Thing::Search, Place::Rest),
            CLUSTER,
            NAMESPACE,
            may("severity", Thing::Severity, Place::Value("--severity")),
            may("limit", Thing::Number, Place::Value("--limit")),
            may("all", Thing::Switch, Place::Flag("--all")),
            HERE,
        ],
    ),
    reading("show", "/mend show i-42 [--here]", &[INCIDENT, HERE]),
    reading(
        "diagnose",
        "/mend diagnose pod/NAME [-n NAMESPACE] [--cluster C] [--here]",
        &[needs("object", Thing::Object), NAMESPACE, CLUSTER, HERE],
    ),
    reading("actions", "/mend actions i-42 [--here]", &[INCIDENT, HERE]),
    changing(
        "run",
        "/mend run i-42 REMEDY [name=value …] [--here]",
        &[INCIDENT, needs("remedy", Thing::Remedy), may("parameters", Thing::Text, Place::Words), HERE],
    ),
    changing("approve", "/mend approve i-42.p1", &[PROPOSAL, HERE]),
    changing("deny", "/mend deny i-42.p1 [reason]", &[PROPOSAL, REASON, HERE]),
    changing("undo", "/mend undo x-i-42.p1", &[needs("execution", Thing::Execution), HERE]),
    changing(
        "silence",
        "/mend silence i-42 2h [reason]",
        &[INCIDENT, needs("duration", Thing::Duration), REASON, HERE],
    ),
    changing("pause", "/mend pause", &[HERE]),
    changing("resume", "/mend resume", &[HERE]),
    reading("audit", "/mend audit [i-42] [--here]", &[may("incident", Thing::Incident, Place::Word), HERE]),
    reading("status", "/mend status [--here]", &[HERE]),
    reading("whoami", "/mend whoami", &[HERE]),
    reading("help", "/mend help [command] [--here]", &[may("command", Thing::Command, Place::Word), HERE]),
];

/// The command of that name.
pub fn spec(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}
