//! Which playbooks fit the pieces, and which of them fits best.
//!
//! A playbook fits when a piece speaks for it, none speaks against it, and its condition on the facts holds.
//! Of several that fit, one that says it wins over another excludes it; what remains beside the first is also
//! possible. The order of the book decides between equals, so the same evidence always gives the same answer.

use std::collections::BTreeMap;

use super::pieces::Piece;
use crate::incident::ConditionId;
use crate::playbook::{Book, Facts, Hit, Known, Playbook, Says};

/// The longest captured text.
const LONGEST_CAPTURE: usize = 300;

/// A playbook that fits.
#[derive(Clone, Debug)]
pub(super) struct Match<'b> {
    pub playbook: &'b Playbook,
    /// The pieces that speak for it.
    pub pieces: Vec<usize>,
    pub captures: BTreeMap<String, String>,
    pub also_possible: Vec<ConditionId>,
}

/// Playbooks that pieces speak for and none against: the place in the book, and which pieces they are.
pub(super) type Spoken<'b> = BTreeMap<usize, Vec<(usize, Hit<'b>)>>;

/// What the pieces say by themselves. Mostly nothing, and then no facts need be put together.
pub(super) fn spoken<'b>(book: &'b Book, kind: &str, pieces: &[Piece]) -> Spoken<'b> {
    let mut found = Vec::new();
    let mut spoken = Spoken::new();
    for (at, sight) in pieces.iter().enumerate().filter_map(|(at, piece)| Some((at, piece.sight()?))) {
        book.hits(&sight, &mut found);
        for hit in found.drain(..) {
            spoken.entry(hit.playbook).or_default().push((at, hit));
        }
    }
    let about = |playbook: &Playbook| {
        kind.is_empty() || playbook.kinds.iter().any(|wanted| *wanted == kind || *wanted == "*")
    };
    spoken.retain(|place, hits| hits.iter().all(|(_, hit)| hit.says == Says::For) && about(book.at(*place)));
    spoken
}

/// Of those that pieces speak for, all that fit the facts, best first.
pub(super) fn fitting<'b>(
    book: &'b Book,
    spoken: Spoken<'b>,
    pieces: &[Piece],
    facts: &Facts,
) -> Vec<Match<'b>> {
    let known = Known::new(facts);
    let fits = spoken.into_iter().filter_map(|(place, hits)| fit(book.at(place), pieces, &hits, &known));
    let mut left = unbeaten(fits.collect());
    for found in &mut left {
        found.also_possible = found.playbook.rivals(&known, &found.captures);
    }
    admit_others(&mut left);
    left
}

fn fit<'b>(
    playbook: &'b Playbook,
    pieces: &[Piece],
    hits: &[(usize, Hit<'b>)],
    known: &Known<'_>,
) -> Option<Match<'b>> {
    let mut captures: BTreeMap<String, String> =
        playbook.captures().map(|name| (name.to_owned(), String::new())).collect();
    for (at, hit) in hits {
        capture(hit, &pieces[*at].text, &mut captures);
    }
    if !playbook.holds(known, &captures) {
        return None;
    }
    let mut spoke: Vec<usize> = hits.iter().map(|(at, _)| *at).collect();
    spoke.dedup();
    Some(Match { playbook, pieces: spoke, captures, also_possible: Vec::new() })
}

/// The first text that a group caught stays.
fn capture(hit: &Hit<'_>, text: &str, captures: &mut BTreeMap<String, String>) {
    let Some(pattern) = hit.pattern.filter(|pattern| pattern.captures_len() > 1) else { return };
    let Some(caught) = pattern.captures(text.as_bytes()) else { return };
    for name in pattern.capture_names().flatten() {
        if let Some(group) = caught.name(name)
            && let Some(value) = captures.get_mut(name)
            && value.is_empty()
        {
            value.push_str(cut(&String::from_utf8_lossy(group.as_bytes()), LONGEST_CAPTURE));
        }
    }
}

/// The winner first, and what no other one wins over.
fn unbeaten(fitting: Vec<Match<'_>>) -> Vec<Match<'_>> {
    let beaten = |loser: &Match<'_>| fitting.iter().any(|other| other.playbook.beats(&loser.playbook.id));
    let beaten: Vec<bool> = fitting.iter().map(beaten).collect();
    // Two that each claim to win over the other would leave nothing: the linter's tests show it, and here the
    // book's order decides.
    if beaten.iter().all(|beaten| *beaten) {
        return fitting;
    }
    fitting.into_iter().zip(beaten).filter(|(_, beaten)| !beaten).map(|(found, _)| found).collect()
}

/// What the winner does not exclude is also possible.
fn admit_others(left: &mut [Match<'_>]) {
    let Some((first, others)) = left.split_first_mut() else { return };
    for other in others {
        if !first.also_possible.contains(&other.playbook.id) {
            first.also_possible.push(other.playbook.id.clone());
        }
    }
}

/// The text up to `longest` bytes, on a character border.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
