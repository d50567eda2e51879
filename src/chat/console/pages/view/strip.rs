//! The last day as a picture: how many incidents were open in each half hour, by severity.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::row::{Row, Stage};
use super::super::say::{Say, clock};
use crate::incident::Severity;

const BARS: i64 = 48;
const BAR_SECONDS: i64 = 1_800;
/// The picture is this wide and high in its own units.
const STEP: f64 = 20.0;
const HEIGHT: f64 = 64.0;
/// A single incident is still to be seen beside fifty.
const LEAST: f64 = 4.0;

/// Bars from the bottom up, marks of the time, and the same in words.
pub(super) fn strip(rows: &[&Row], say: Say<'_>) -> Value {
    let start = first_bar(say.now);
    let counts: Vec<[u32; 3]> = (0..BARS).map(|bar| counted(rows, bounds(start, bar))).collect();
    let most = counts.iter().map(|count| count.iter().sum::<u32>()).max().unwrap_or_default();
    let bars: Vec<Value> =
        (0..BARS).zip(&counts).filter_map(|(bar, count)| shown(bar, count, most, start, say)).collect();
    let marks: Vec<Value> = (0..4).map(|quarter| mark(quarter, start)).collect();
    let peak = most.to_string();
    json!({
        "bars": bars,
        "marks": marks,
        "most": most,
        "width": 20 * BARS,
        "label": say.fill("strip.label", &[("most", &peak)]),
    })
}

/// The picture ends with the half hour that is now.
fn first_bar(now: Timestamp) -> Timestamp {
    let end = (now.as_second().div_euclid(BAR_SECONDS) + 1) * BAR_SECONDS;
    Timestamp::from_second(end - BARS * BAR_SECONDS).unwrap_or(now)
}

fn bounds(start: Timestamp, bar: i64) -> (Timestamp, Timestamp) {
    let from = start.saturating_add(SignedDuration::from_secs(bar * BAR_SECONDS)).unwrap_or(start);
    let to = from.saturating_add(SignedDuration::from_secs(BAR_SECONDS)).unwrap_or(from);
    (from, to)
}

/// Critical, warning, info: open at some time within the bounds. What is part of a wider one counts there.
fn counted(rows: &[&Row], (from, to): (Timestamp, Timestamp)) -> [u32; 3] {
    let mut counts = [0; 3];
    for row in rows.iter().filter(|row| row.stage != Stage::Absorbed) {
        if row.opened < to && row.resolved.is_none_or(|at| at >= from) {
            counts[place(row.severity)] += 1;
        }
    }
    counts
}

fn place(severity: Severity) -> usize {
    match severity {
        Severity::Critical => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    }
}

fn shown(bar: i64, count: &[u32; 3], most: u32, start: Timestamp, say: Say<'_>) -> Option<Value> {
    let total: u32 = count.iter().sum();
    let (from, to) = bounds(start, bar);
    if total == 0 || from > say.now {
        return None;
    }
    let column = i32::try_from(bar).unwrap_or_default();
    let mut top = HEIGHT;
    let mut blocks = Vec::new();
    for (class, of) in ["critical", "warning", "info"].into_iter().zip(count).filter(|(_, of)| **of > 0) {
        let high = (f64::from(*of) / f64::from(most) * HEIGHT).max(LEAST).min(top);
        top -= high;
        blocks.push(json!({ "class": class, "y": round(top), "height": round(high) }));
    }
    let span = format!("{}–{}", clock(from), clock(to));
    let title = say.fill("strip.bar", &[("span", &span), ("count", &total.to_string())]);
    Some(
        json!({ "x": round(f64::from(column) * STEP + 2.0), "width": STEP - 4.0, "blocks": blocks, "title": title }),
    )
}

fn mark(quarter: i64, start: Timestamp) -> Value {
    let (at, _) = bounds(start, quarter * BARS / 4);
    json!({ "text": clock(at), "iso": super::super::say::iso(at) })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
