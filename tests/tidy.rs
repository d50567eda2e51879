//! Keeps the house in order: who may know whom, what every file has, which names are used once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import from. Arrows point inward, to `incident`; only `engine`, `app` and `cli`
/// know several. `cluster` knows `gate` for its `Permit` alone.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("incident", &[]),
    ("playbook", &["incident"]),
    ("diagnosis", &["incident", "playbook"]),
    ("actions", &["incident"]),
    ("gate", &["incident"]),
    ("cluster", &["incident", "gate"]),
    ("store", &["incident"]),
    ("api", &["incident", "engine"]),
    ("chat", &["incident", "engine"]),
    ("engine", &["incident", "playbook", "diagnosis", "actions", "gate", "cluster", "store"]),
    ("config", &["incident", "gate", "api", "ops", "cluster", "store", "playbook", "engine"]),
    ("ops", &[]),
    ("sim", &[]),
    ("app", &["incident", "playbook", "gate", "cluster", "store", "api", "engine", "config", "ops"]),
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

/// What `cluster` may take from `gate`.
const CLUSTER_FROM_GATE: &[&str] = &["Permit"];

const LONGEST_FILE: usize = 400;

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
fn the_writer_takes_nothing_but_the_permit_from_the_gate() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| room_of(path) == "cluster") {
        let text = shipped_part(&path, &text);
        for (at, found) in text.match_indices("crate::gate::") {
            let rest = &text[at + found.len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !CLUSTER_FROM_GATE.contains(&name.as_str()) {
                wrong.push(format!("{}: gate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    for (path, text) in sources() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if !text.starts_with("//! ") || text.starts_with("//! (charter") {
            wrong.push(format!("{name}: begins without a charter"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE && !MAY_BE_LONG.iter().any(|(long, _)| *long == name) {
            wrong.push(format!("{name}: {lines} lines, more than {LONGEST_FILE}"));
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
    let mut found = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "the sources were not found");
    found
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
    let inner = path.strip_prefix(root().join("src")).unwrap();
    if inner.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs"))) {
        return String::new();
    }
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    code.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
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
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub(super) ")).unwrap_or(line);
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
fn imports_are_read_in_every_form() {
    let text = "use crate::{api, gate::{Permit, x}, ops};\nlet y = crate::sim::Sim::start();\nuse crate::incident::Text;";
    let names: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(names, ["api", "gate", "incident", "ops", "sim"]);
}
