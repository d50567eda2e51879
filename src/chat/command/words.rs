//! The list of commands: what each is called, what it takes, and which phrase helps with it.

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// Flags with a value, and flags without.
    pub values: &'static [&'static str],
    pub switches: &'static [&'static str],
    /// Whether it changes something, so that platforms can tell.
    pub changes: bool,
}

const fn reading(
    name: &'static str,
    usage: &'static str,
    values: &'static [&'static str],
    switches: &'static [&'static str],
) -> Spec {
    Spec { name, usage, values, switches, changes: false }
}

const fn changing(name: &'static str, usage: &'static str) -> Spec {
    Spec { name, usage, values: &[], switches: &["--here"], changes: true }
}

const HERE: &[&str] = &["--here"];

/// All commands, in the order of the help.
pub const ALL: &[Spec] = &[
    reading(
        "incidents",
        "/mend incidents [text] [--cluster C] [-n NAMESPACE] [--severity S] [--limit N] [--all] [--here]",
        &["--cluster", "--namespace", "--severity", "--limit"],
        &["--all", "--here"],
    ),
    reading("show", "/mend show i-42 [--here]", &[], HERE),
    reading(
        "diagnose",
        "/mend diagnose pod/NAME [-n NAMESPACE] [--cluster C] [--here]",
        &["--cluster", "--namespace"],
        HERE,
    ),
    reading("actions", "/mend actions i-42 [--here]", &[], HERE),
    changing("run", "/mend run i-42 REMEDY [name=value …] [--here]"),
    changing("approve", "/mend approve i-42.p1"),
    changing("deny", "/mend deny i-42.p1 [reason]"),
    changing("undo", "/mend undo x-i-42.p1"),
    changing("silence", "/mend silence i-42 2h [reason]"),
    changing("pause", "/mend pause"),
    changing("resume", "/mend resume"),
    reading("audit", "/mend audit [i-42] [--here]", &[], HERE),
    reading("status", "/mend status [--here]", &[], HERE),
    reading("whoami", "/mend whoami", &[], HERE),
    reading("help", "/mend help [command] [--here]", &[], HERE),
];

/// The command of that name.
pub fn spec(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name)
}
