//! A unified diff as a page shows it: one part per object, changed lines marked, long unchanged runs folded.

use serde_json::{Value, json};

/// Unchanged lines beside a change that stay in sight.
const CONTEXT: usize = 3;

/// The parts of a diff: `[{name, added, removed, runs: [{fold, lines: [{kind, sign, text}]}]}]`.
pub(super) fn parts(diff: &str) -> Vec<Value> {
    let mut parts: Vec<Part> = Vec::new();
    for line in diff.lines() {
        if let Some(name) = line.strip_prefix("--- ").filter(|_| fresh(&parts)) {
            parts.push(Part { name: named(name), ..Part::default() });
        } else if let Some(part) = parts.last_mut() {
            part.take(line);
        }
    }
    parts.iter().map(Part::shown).collect()
}

/// Whether a `---` can begin a part here: a removed line `-- x` looks the same within one.
fn fresh(parts: &[Part]) -> bool {
    parts.last().is_none_or(|part| part.left == (0, 0))
}

fn named(header: &str) -> String {
    header.trim_end_matches(" (now)").to_owned()
}

#[derive(Default)]
struct Part {
    name: String,
    lines: Vec<(Kind, String)>,
    /// Old and new lines that the current hunk still owes.
    left: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    Same,
    Gap,
}

impl Part {
    fn take(&mut self, line: &str) {
        let in_hunk = self.left != (0, 0);
        match line.as_bytes().first() {
            Some(b'@') if !in_hunk => self.hunk(line),
            Some(b'+') if !line.starts_with("+++ ") || in_hunk => self.add(Kind::Added, line),
            Some(b'-') => self.add(Kind::Removed, line),
            Some(b' ') => self.add(Kind::Same, line),
            _ => {}
        }
    }

    fn hunk(&mut self, line: &str) {
        match ranges(line) {
            Some(left) => {
                self.left = left;
                if !self.lines.is_empty() {
                    self.lines.push((Kind::Gap, String::new()));
                }
            }
            None => self.lines.push((Kind::Gap, line.trim_matches(['@', ' ']).to_owned())),
        }
    }

    fn add(&mut self, kind: Kind, line: &str) {
        let (old, new) = &mut self.left;
        if kind != Kind::Added {
            *old = old.saturating_sub(1);
        }
        if kind != Kind::Removed {
            *new = new.saturating_sub(1);
        }
        self.lines.push((kind, line[1..].to_owned()));
    }

    fn shown(&self) -> Value {
        let count = |kind: Kind| self.lines.iter().filter(|(of, _)| *of == kind).count();
        json!({
            "name": self.name,
            "added": count(Kind::Added),
            "removed": count(Kind::Removed),
            "runs": self.runs(),
        })
    }

    /// Lines in sight, and runs of unchanged ones folded away.
    fn runs(&self) -> Vec<Value> {
        let near = |at: usize| {
            let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(self.lines.len()));
            self.lines[from..to].iter().any(|(kind, _)| *kind != Kind::Same)
        };
        let mut runs: Vec<(bool, Vec<Value>)> = Vec::new();
        for (at, (kind, text)) in self.lines.iter().enumerate() {
            let fold = !near(at);
            let line = shown_line(*kind, text);
            match runs.last_mut() {
                Some((folded, lines)) if *folded == fold => lines.push(line),
                Some(_) | None => runs.push((fold, vec![line])),
            }
        }
        runs.into_iter()
            .map(|(fold, lines)| json!({ "fold": fold, "count": lines.len(), "lines": lines }))
            .collect()
    }
}

/// `@@ -1,7 +1,9 @@`: how many old and new lines follow.
fn ranges(line: &str) -> Option<(usize, usize)> {
    let mut words = line.strip_prefix("@@ ")?.split(' ');
    let count = |word: &str, sign: char| -> Option<usize> {
        let range = word.strip_prefix(sign)?;
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        start.parse::<usize>().ok()?;
        count.parse().ok()
    };
    Some((count(words.next()?, '-')?, count(words.next()?, '+')?))
}

fn shown_line(kind: Kind, text: &str) -> Value {
    let (class, sign) = match kind {
        Kind::Added => ("add", "+"),
        Kind::Removed => ("del", "-"),
        Kind::Same => ("same", " "),
        Kind::Gap => ("gap", ""),
    };
    // The key of a YAML line is told from its value.
    let (before, key, value) = split(text);
    json!({ "kind": class, "sign": sign, "before": before, "key": key, "value": value, "gap": kind == Kind::Gap })
}

/// `  name: web` is `"  "`, `name:`, ` web`.
fn split(text: &str) -> (&str, &str, &str) {
    let start = text.len() - text.trim_start_matches([' ', '-']).len();
    let (before, rest) = text.split_at(start);
    let end = rest.find(": ").map(|at| at + 1).or_else(|| rest.ends_with(':').then_some(rest.len()));
    let is_key = |key: &str| !key.is_empty() && !key.contains(' ') && key.len() < 80;
    match end.map(|end| rest.split_at(end)) {
        Some((key, value)) if is_key(key) => (before, key, value),
        Some(_) | None => (before, "", rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_of_two_objects_has_two_parts() {
        let diff = "--- ServiceAccount a/default (now)\n+++ ServiceAccount a/default (then)\n@@ -1,2 +1,3 @@\n kind: ServiceAccount\n-- old\n+++ new\n+x: y\n--- Pod a/b (now)\n+++ /dev/null\n@@ delete pod a/b @@\n-Pod a/b (uid 1)\n";
        let parts = parts(diff);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0]["name"], "ServiceAccount a/default");
        assert_eq!((&parts[0]["added"], &parts[0]["removed"]), (&json!(2), &json!(1)));
        assert_eq!(parts[1]["name"], "Pod a/b");
        assert_eq!(parts[1]["removed"], 1);
        assert_eq!(parts[1]["runs"][0]["lines"][0]["value"], "delete pod a/b");
    }

    #[test]
    fn long_unchanged_runs_are_folded() {
        let same = " a: b\n".repeat(12);
        let diff = format!("--- X (now)\n+++ X (then)\n@@ -1,12 +1,13 @@\n+first: 1\n{same}");
        let runs = &parts(&diff)[0]["runs"];
        assert_eq!(runs[0]["count"], 4);
        assert_eq!((&runs[1]["fold"], &runs[1]["count"]), (&json!(true), &json!(9)));
    }
}
