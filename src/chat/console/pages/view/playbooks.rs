//! Every condition with its documentation, how it is recognised, and what can be done.

use serde_json::{Value, json};

use super::super::filter::severity_tag;
use super::super::markdown::markdown;
use super::super::model::{PlaybookDoc, PlaybookPage, Playbooks, RemedyDoc};
use super::super::say::Say;
use super::View;
use super::incidents::{cut, line};
use super::proposal::risk_mark;

pub(super) fn list(page: &Playbooks<'_>, say: Say<'_>) -> View {
    let wanted = page.text.to_lowercase();
    let found: Vec<&PlaybookDoc> = page.playbooks.iter().filter(|one| says(one, &wanted)).collect();
    View {
        template: "playbooks",
        title: say.t("playbooks.title"),
        section: "playbooks",
        live: String::new(),
        data: json!({
            "text": page.text,
            "found": say.count("playbooks.found", found.len() as u64),
            "families": families(&found, say),
            "none": found.is_empty(),
        }),
    }
}

fn says(playbook: &PlaybookDoc, text: &str) -> bool {
    let own = [playbook.id.as_str(), &playbook.title, &playbook.explanation, &playbook.source];
    text.is_empty() || own.iter().any(|part| part.to_lowercase().contains(text))
}

fn families(found: &[&PlaybookDoc], say: Say<'_>) -> Vec<Value> {
    let family = |one: &PlaybookDoc| one.id.as_str().split('.').next().unwrap_or_default().to_owned();
    let mut families: Vec<(String, Vec<Value>)> = Vec::new();
    for playbook in found {
        let (name, shown) = (family(playbook), summary(playbook, say));
        match families.last_mut() {
            Some((last, rows)) if *last == name => rows.push(shown),
            Some(_) | None => families.push((name, vec![shown])),
        }
    }
    families.into_iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect()
}

fn summary(playbook: &PlaybookDoc, say: Say<'_>) -> Value {
    let first = playbook.explanation.split("\n\n").next().unwrap_or_default();
    json!({
        "id": playbook.id,
        "title": playbook.title,
        "severity": say.tag("severity", severity_tag(playbook.severity)),
        "text": cut(&first.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" "), 220),
        "remedies": playbook.remedies.iter().map(|one| remedy(one, say)).collect::<Vec<_>>(),
    })
}

fn explained(one: &RemedyDoc, say: Say<'_>) -> Value {
    let mut shown = remedy(one, say);
    shown["explanation"] = markdown(&one.explanation).into();
    shown
}

fn remedy(remedy: &RemedyDoc, say: Say<'_>) -> Value {
    json!({ "id": remedy.id, "title": remedy.title, "risk": risk_mark(remedy.risk, say) })
}

pub(super) fn one(page: &PlaybookPage<'_>, say: Say<'_>) -> View {
    let playbook = page.playbook;
    View {
        template: "playbook",
        title: playbook.title.to_string(),
        section: "playbooks",
        live: String::new(),
        data: json!({
            "id": playbook.id,
            "severity": say.tag("severity", severity_tag(playbook.severity)),
            "explanation": markdown(&playbook.explanation),
            "kinds": playbook.kinds,
            "scope": playbook.scope,
            "lasting": say.span(u64::from(playbook.hold_off_seconds)),
            "absorbs": playbook.absorbs,
            "over": playbook.over,
            "remedies": playbook.remedies.iter().map(|one| explained(one, say)).collect::<Vec<_>>(),
            "file": playbook.file,
            "match": section(&playbook.source, "match"),
            "source": playbook.source,
            "rows": page.rows.iter().map(|row| line(row, say)).collect::<Vec<_>>(),
        }),
    }
}

/// A section of the specification as it is written, with what stands below it; `""` where there is none.
fn section(source: &str, name: &str) -> String {
    let head = format!("  {name}:");
    let mut lines = source.lines().skip_while(|line| line.trim_end() != head).skip(1);
    let mut found: Vec<&str> = Vec::new();
    for line in &mut lines {
        let deeper = line.starts_with("   ") || line.trim().is_empty() || line.starts_with("  -");
        if !deeper {
            break;
        }
        found.push(line.strip_prefix("    ").unwrap_or(line));
    }
    found.join("\n").trim_end().to_owned()
}
