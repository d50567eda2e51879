//! Keeps the house in order: who may know whom, what every file has, which names are used once.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import from. Arrows point inward, to `incident`; only `engine`, `app` and `cli`
/// know several. `cluster` knows `gate` for its `Permit` alone, and of `actions` only how things are named,
/// written as a command and kept secret; `gate` knows `actions` for the list of their names.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("incident", &[]),
    ("playbook", &["incident"]),
    ("diagnosis", &["incident", "playbook"]),
    ("actions", &["incident"]),
    ("gate", &["incident", "actions"]),
    ("cluster", &["incident", "gate", "actions"]),
    ("store", &["incident"]),
    ("api", &["incident", "engine"]),
    ("chat", &["incident", "engine"]),
    ("engine", &["incident", "playbook", "diagnosis", "actions", "gate", "cluster", "store"]),
    ("config", &["incident", "gate", "api", "chat", "ops", "cluster", "store", "playbook", "engine"]),
    ("ops", &[]),
    ("sim", &[]),
    ("app", &["incident", "playbook", "gate", "cluster", "store", "api", "chat", "engine", "config", "ops"]),
    (
        "cli",
        &[
            "incident",
            "playbook",
            "diagnosis",
            "actions",
            "gate",
            "cluster",
            "store",
            "api",
            "chat",
            "engine",
            "config",
            "ops",
            "sim",
            "app",
        ],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// What `cluster` may take from rooms that decide.
const CLUSTER_TAKES: &[(&str, &[&str])] =
    &[("gate", &["Permit"]), ("actions", &["kubectl", "names", "secrecy"])];

const LONGEST_FILE: usize = 400;
/// Lists of cases may be longer.
const LONGEST_TESTS: usize = 500;

/// Longer files, and why they may be.
const MAY_BE_LONG: &[(&str, &str)] = &[];

#[test]
fn rooms_know_only_whom_the_table_says() {
    let table: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        let Some(allowed) = table.get(room.as_str()) else {
            wrong.push(format!("{}: room `{room}` is not in the table", path.display()));
            continue;
        };
        for name in imports(&shipped_part(&path, &text)) {
            if name != room && table.contains_key(name.as_str()) && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: `{room}` must not know `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_room_that_writes_takes_only_the_permit_and_names_from_rooms_that_decide() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| room_of(path) == "cluster") {
        let text = shipped_part(&path, &text);
        for (room, allowed) in CLUSTER_TAKES {
            let taken = taken_from(&text, room).into_iter().filter(|name| !allowed.contains(&name.as_str()));
            wrong.extend(taken.map(|name| format!("{}: {room}::{name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names after each `crate::<room>::`, groups taken apart.
fn taken_from(text: &str, room: &str) -> Vec<String> {
    let start = format!("crate::{room}::");
    let rests = text.match_indices(&start).map(|(at, _)| &text[at + start.len()..]);
    rests
        .flat_map(|rest| rest.strip_prefix('{').map_or_else(|| head(rest).into_iter().collect(), group_heads))
        .collect()
}

#[test]
fn every_file_belongs_to_the_module_tree() {
    let root = root().join("src");
    let mut reached: BTreeSet<PathBuf> = [root.join("lib.rs"), root.join("main.rs")].into();
    let mut open: Vec<PathBuf> = reached.iter().cloned().collect();
    while let Some(file) = open.pop() {
        let text = fs::read_to_string(&file).unwrap();
        for child in declared(&text) {
            let found = [format!("{child}.rs"), format!("{child}/mod.rs")]
                .iter()
                .map(|name| folder_of(&file).join(name))
                .find(|path| path.exists())
                .unwrap_or_else(|| panic!("{}: mod {child} has no file", file.display()));
            if reached.insert(found.clone()) {
                open.push(found);
            }
        }
    }
    let stray: Vec<_> =
        sources().into_iter().map(|(path, _)| path).filter(|p| !reached.contains(p)).collect();
    assert!(stray.is_empty(), "outside the module tree: {stray:?}");
}

#[test]
fn every_file_opens_with_its_charter_and_is_short() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().chain(programs()) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let is_test = is_test(&path);
        if !text.starts_with("//! ") || text.starts_with("//! (charter") {
            wrong.push(format!("{name}: begins without a charter"));
        }
        let lines = text.lines().count();
        let longest = if is_test { LONGEST_TESTS } else { LONGEST_FILE };
        if lines > longest && !MAY_BE_LONG.iter().any(|(long, _)| *long == name) {
            wrong.push(format!("{name}: {lines} lines, more than {longest}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_that_may_be_long_are_still_there() {
    for (name, why) in MAY_BE_LONG {
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name} ({why}): {e}"));
        assert!(text.lines().count() > LONGEST_FILE, "{name} is short now; take it off the list");
    }
}

/// All Rust files under `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let rust = files_under(&root().join("src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let mut found: Vec<(PathBuf, String)> = rust
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    found.sort();
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// All Rust files under `tests` and `benches`.
fn programs() -> Vec<(PathBuf, String)> {
    let all = ["tests", "benches"].into_iter().flat_map(|folder| files_under(&root().join(folder)));
    let rust = all.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `src/api/auth.rs` and `src/api.rs` both belong to `api`.
fn room_of(path: &Path) -> String {
    let inner = path.strip_prefix(root().join("src")).unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The file without its tests, which may know anybody.
fn shipped_part(path: &Path, text: &str) -> String {
    if is_test(path) {
        return String::new();
    }
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    code.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
}

/// Whether the whole file is tests.
fn is_test(path: &Path) -> bool {
    let Ok(inner) = path.strip_prefix(root().join("src")) else { return true };
    inner.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
}

/// The first step after each `crate::`, with `use crate::{a, b::c}` taken apart.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, found) in text.match_indices("crate::") {
        let rest = &text[at + found.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend(head(rest)),
        }
    }
    names
}

/// `a, b::{c, d}, e}` gives `a`, `b`, `e`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut part) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(head(std::mem::take(&mut part).trim())),
            _ if depth == 0 => part.push(c),
            _ => {}
        }
    }
    heads.extend(head(part.trim()));
    heads
}

fn head(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The names of `mod name;` lines.
fn declared(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let line = line.trim();
        let within = line.strip_prefix("pub(").and_then(|rest| rest.split_once(") "));
        let line = within.map_or(line, |(_, rest)| rest);
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    names.collect()
}

/// Where the children of a module file lie.
fn folder_of(file: &Path) -> PathBuf {
    let parent = file.parent().unwrap();
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => parent.to_path_buf(),
        Some(stem) => parent.join(stem),
        None => panic!("{} has no name", file.display()),
    }
}

#[test]
fn the_page_of_actions_is_what_the_actions_say() {
    use kubemend::actions::ACTIONS;
    let names: BTreeSet<&str> = ACTIONS.iter().map(|action| action.name).collect();
    assert_eq!(names.len(), ACTIONS.len(), "two actions have one name");
    let mut page = String::from(
        "# Actions\n\nWhat kubemend can do to a cluster, once somebody entitled to it approves. Made from `src/actions/`; `kubemend deploy rbac`\nprints the rights that they need.\n",
    );
    for action in ACTIONS {
        let undo = if action.undoable { "can be undone" } else { "cannot be undone" };
        page += &format!(
            "\n## `{}`\n\n{}. Risk at least {:?}; {undo}.\n\n{}\n",
            action.name,
            action.title,
            action.risk,
            action.docs.trim()
        );
        page += "\nNeeds:\n\n";
        for grant in action.grants {
            let group = if grant.group.is_empty() { String::new() } else { format!(".{}", grant.group) };
            page += &format!("- `{}{group}`: {}\n", grant.resource, grant.verbs.join(", "));
        }
    }
    is_committed("docs/actions.md", &page);
}

#[test]
fn the_page_of_playbooks_is_what_the_playbooks_say() {
    let book = kubemend::playbook::Book::shipped();
    let files = files_under(&root().join("playbooks"));
    assert_eq!(
        files.len(),
        book.len(),
        "two playbooks have one id, or one is not in the list of the shipped ones"
    );
    let mut page = String::from(
        "# Conditions that kubemend knows\n\nMade from `playbooks/`; `kubemend playbooks show ID` prints one as it is written.\n",
    );
    for playbook in book.iter() {
        page += &format!("\n## `{}`: {}\n\n", playbook.id, playbook.title);
        page += &format!("Severity {:?}.\n\n{}\n", playbook.severity, playbook.explanation.trim());
        let remedies: Vec<String> = playbook
            .remedies()
            .map(|(id, title, risk)| format!("- `{id}`: {title} (risk {risk:?})\n"))
            .collect();
        page += &if remedies.is_empty() {
            "\nNo remedy: a person has to act.\n".to_owned()
        } else {
            format!("\nRemedies:\n\n{}", remedies.concat())
        };
    }
    is_committed("docs/conditions.md", &page);
}

#[test]
fn the_page_of_discord_names_the_rights_and_intents_that_the_code_asks_for() {
    use kubemend::chat::discord::INTENTS;
    use kubemend::chat::discord::permissions::{MENTIONS, NEEDS, all};
    let rows = NEEDS.iter().map(|need| (need.name.to_owned(), need.why));
    holds("docs/discord.md", &table("right", rows));
    holds("docs/discord.md", &format!("kubemend needs *{}*", MENTIONS.name));
    assert!(!all().contains(MENTIONS.permission), "the invitation does not ask for it");
    let asked = serenity::all::GatewayIntents::from_bits(INTENTS).expect("serenity knows them all");
    let names: Vec<&str> = asked.iter_names().map(|(name, _)| name).collect();
    let said = if names.is_empty() {
        "asks for no gateway intents".to_owned()
    } else {
        format!("asks for these gateway intents and no others: {}", names.join(", "))
    };
    holds("docs/discord.md", &said);
    if !asked.intersects(serenity::all::GatewayIntents::privileged()) {
        holds("docs/discord.md", "Leave all *Privileged Gateway Intents* off");
    }
}

#[test]
fn the_page_of_slack_names_the_scopes_that_the_manifest_asks_for() {
    let scopes = kubemend::chat::slack::manifest::SCOPES;
    let rows = scopes.iter().map(|(scope, why)| (format!("`{scope}`"), *why));
    holds("docs/slack.md", &table("scope", rows));
}

/// A table as the pages have them: what is asked for, and what for.
fn table<'w>(what: &str, rows: impl Iterator<Item = (String, &'w str)>) -> String {
    let rows: String = rows.map(|(name, why)| format!("| {name} | {why} |\n")).collect();
    format!("\n| {what} | what for |\n|---|---|\n{rows}\n")
}

/// Whether a page says this to the letter.
#[track_caller]
fn holds(page: &str, said: &str) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    assert!(text.contains(said), "{page} must say:\n{said}");
}

/// Compares a page with its committed form; where they differ, the right one is put where it can be copied from.
fn is_committed(name: &str, page: &str) {
    let committed = fs::read_to_string(root().join(name)).unwrap_or_default();
    if committed != page {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace('/', "-"));
        fs::write(&made, page).unwrap();
        panic!("{name} is out of date: cp {} {name}", made.display());
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::{api, gate::{Permit, x}, ops};\nlet y = crate::sim::Sim::start();\nuse crate::incident::Text;";
    let names: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(names, ["api", "gate", "incident", "ops", "sim"]);
}
