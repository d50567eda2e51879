//! The list of incidents: filtered, counted, grouped by what a person has to do, and cut into pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::filter::{Filter, StateFilter, severity_tag};
use super::super::model::{Cluster, Incidents};
use super::super::row::{Row, Stage};
use super::super::say::Say;
use super::View;
use super::strip::strip;
use crate::incident::{Severity, Verdict};

/// How many incidents one page shows.
const A_PAGE: usize = 50;
/// The longest cause in a line.
const LONGEST: usize = 280;
/// The most names offered in a field of the filter.
const MOST_CHOICES: usize = 200;

pub(super) fn view(page: &Incidents<'_>, say: Say<'_>) -> View {
    let open = page.rows.iter().filter(|row| row.stage != Stage::Resolved);
    let count = open.clone().count().to_string();
    View {
        template: "incidents",
        title: say.fill("incidents.window", &[("count", &count)]),
        section: "incidents",
        live: "list".to_owned(),
        data: json!({
            "filter": fields(page, say),
            "here": page.filter.query(page.filter.page),
            "live": live(page, say),
        }),
    }
}

fn live(page: &Incidents<'_>, say: Say<'_>) -> Value {
    let mut found: Vec<&Row> = page.rows.iter().filter(|row| page.filter.holds(row)).collect();
    found.sort_by(|a, b| order(a).cmp(&order(b)).then(b.opened.cmp(&a.opened)));
    let pages = found.len().div_ceil(A_PAGE).max(1);
    let number = (page.filter.page as usize).clamp(1, pages);
    let cut = &found[(number - 1) * A_PAGE..(number * A_PAGE).min(found.len())];
    json!({
        "counts": counts(page.rows, say),
        "strip": strip(&found, say),
        "groups": groups(&found, cut, say),
        "found": say.count("incidents.found", found.len() as u64),
        "empty": empty(page, &found, say),
        "pager": pager(page.filter, number, pages, say),
        "more": page.more,
        "trouble": trouble(page.clusters, say),
    })
}

/// What a person has to do first, the worst of it first.
fn order(row: &Row) -> (Stage, std::cmp::Reverse<Severity>) {
    (row.stage, std::cmp::Reverse(row.severity))
}

fn counts(rows: &[Row], say: Say<'_>) -> Value {
    let of = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).count();
    let one = |tag: &str, query: &str, count: usize| {
        let word = say.t(&format!("count.{tag}"));
        json!({ "tag": tag, "word": word, "count": count, "query": query, "zero": count == 0 })
    };
    let open = |row: &Row| row.stage != Stage::Resolved;
    json!([
        one("open", "?state=open", of(&open)),
        one("awaiting", "?state=awaiting", of(&|row| row.stage == Stage::Awaiting)),
        one("repairing", "?state=repairing", of(&|row| row.stage == Stage::Repairing)),
        one(
            "critical",
            "?state=open&severity=critical",
            of(&|row| open(row) && row.severity == Severity::Critical)
        ),
        one("resolved", "?state=resolved", of(&|row| row.stage == Stage::Resolved)),
    ])
}

fn groups(all: &[&Row], cut: &[&Row], say: Say<'_>) -> Vec<Value> {
    let stages = [Stage::Awaiting, Stage::Repairing, Stage::Open, Stage::Absorbed, Stage::Resolved];
    let group = |stage: Stage| {
        let rows: Vec<Value> =
            cut.iter().filter(|row| row.stage == stage).map(|row| line(row, say)).collect();
        let count = all.iter().filter(|row| row.stage == stage).count();
        let key = stage_tag(stage);
        (!rows.is_empty()).then(
            || json!({ "tag": key, "title": say.t(&format!("group.{key}")), "count": count, "rows": rows }),
        )
    };
    stages.into_iter().filter_map(group).collect()
}

/// A line of the list.
pub(super) fn line(row: &Row, say: Say<'_>) -> Value {
    json!({
        "id": row.id,
        "title": row.title,
        "cause": cut(&row.cause, LONGEST),
        "severity": say.tag("severity", severity_tag(row.severity)),
        "stage": standing(row, say),
        "condition": row.condition,
        "cluster": row.cluster,
        "place": row.place,
        "namespace": row.namespace,
        "since": say.when(row.opened),
        "resolved": say.maybe(row.resolved),
        "expires": (row.stage == Stage::Awaiting).then(|| say.maybe(row.expires)),
        "members": (row.stage != Stage::Resolved).then(|| say.count("incident.members", row.members)),
        "proposals": (row.stage == Stage::Awaiting && row.open_proposals > 0).then(|| say.count("incidents.proposals", row.open_proposals)),
        "silenced": say.maybe(row.silenced_until),
        "part_of": row.part_of,
        "again": (row.reopened > 0).then(|| say.count("incident.again", row.reopened)),
        "verdict": row.verdict.map(|verdict| say.tag("verdict", verdict_tag(verdict))),
    })
}

/// The stage in words. What was repaired and is not over yet is no longer simply open.
pub(super) fn standing(row: &Row, say: Say<'_>) -> Value {
    let watching = row.stage == Stage::Open && row.verdict == Some(Verdict::Fixed);
    say.tag("stage", if watching { "watching" } else { stage_tag(row.stage) })
}

fn stage_tag(stage: Stage) -> &'static str {
    match stage {
        Stage::Awaiting => "awaiting",
        Stage::Repairing => "repairing",
        Stage::Open => "open",
        Stage::Absorbed => "absorbed",
        Stage::Resolved => "resolved",
    }
}

pub(super) fn verdict_tag(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fixed => "fixed",
        Verdict::NotFixed => "not-fixed",
        Verdict::Regressed => "regressed",
        Verdict::Unknown => "unknown",
    }
}

/// At most so many characters, and a mark if there were more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn empty(page: &Incidents<'_>, found: &[&Row], say: Say<'_>) -> Value {
    if !found.is_empty() {
        return Value::Null;
    }
    let loading = page
        .clusters
        .iter()
        .any(|cluster| cluster.kinds.iter().any(|kind| !kind.synced && kind.trouble.is_none()));
    let key = match page {
        _ if page.filter.is_on() => "filtered",
        _ if page.clusters.is_empty() => "no-clusters",
        _ if loading => "loading",
        _ => "well",
    };
    let objects: u64 = page.clusters.iter().flat_map(|cluster| &cluster.kinds).map(|kind| kind.objects).sum();
    let (objects, playbooks) = (objects.to_string(), page.playbooks.to_string());
    let values = [("objects", objects.as_str()), ("playbooks", playbooks.as_str())];
    json!({
        "tag": key,
        "title": say.t(&format!("empty.{key}.title")),
        "text": say.fill(&format!("empty.{key}.text"), &values),
        "reset": page.filter.is_on(),
    })
}

/// Clusters that cannot be seen right now: the list may be old.
fn trouble(clusters: &[Cluster], say: Say<'_>) -> Vec<Value> {
    clusters
        .iter()
        .filter(|cluster| !cluster.connected)
        .map(|cluster| json!({ "name": cluster.name, "since": say.maybe(cluster.since) }))
        .collect()
}

fn pager(filter: &Filter, number: usize, pages: usize, say: Say<'_>) -> Value {
    if pages < 2 {
        return Value::Null;
    }
    let to = |page: usize| filter.query(u32::try_from(page).unwrap_or(1));
    let (at, of) = (number.to_string(), pages.to_string());
    json!({
        "text": say.fill("pager.at", &[("at", &at), ("of", &of)]),
        "previous": (number > 1).then(|| link(&to(number - 1))),
        "next": (number < pages).then(|| link(&to(number + 1))),
    })
}

/// A query that leads to the list even where it is empty.
fn link(query: &str) -> String {
    format!("/incidents{query}")
}

fn fields(page: &Incidents<'_>, say: Say<'_>) -> Value {
    let filter = page.filter;
    let names = |of: &dyn Fn(&Row) -> &str, chosen: &str| {
        let mut all: BTreeSet<&str> = page.rows.iter().map(of).filter(|name| !name.is_empty()).collect();
        if !chosen.is_empty() {
            all.insert(chosen);
        }
        all.into_iter()
            .take(MOST_CHOICES)
            .map(|name| json!({ "value": name, "word": name, "chosen": name == chosen }))
            .collect::<Vec<_>>()
    };
    let severities = [Severity::Critical, Severity::Warning, Severity::Info].map(|severity| {
        let tag = severity_tag(severity);
        json!({ "value": tag, "word": say.t(&format!("severity.{tag}")), "chosen": filter.severity == Some(severity) })
    });
    let states = StateFilter::ALL.map(|state| {
        let tag = state.tag();
        json!({ "value": tag, "word": say.t(&format!("state.{tag}")), "chosen": filter.state == Some(state) })
    });
    json!({
        "on": filter.is_on(),
        "text": filter.text,
        "selects": [
            { "name": "state", "label": say.t("filter.state"), "choices": states },
            { "name": "severity", "label": say.t("filter.severity"), "choices": severities },
            { "name": "cluster", "label": say.t("filter.cluster"), "choices": names(&|row| &row.cluster, &filter.cluster) },
            { "name": "namespace", "label": say.t("filter.namespace"), "choices": names(&|row| &row.namespace, &filter.namespace) },
            { "name": "condition", "label": say.t("filter.condition"), "choices": names(&|row| row.condition.as_str(), &filter.condition) },
        ],
    })
}
