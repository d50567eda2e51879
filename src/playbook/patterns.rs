//! Which playbooks a piece of evidence speaks for or against: by place and reason first, then one set of
//! patterns for all playbooks at once. Linear in the text, whatever the patterns are. Patterns see bytes, not
//! Unicode: clusters speak ASCII, and classes and word borders stay small and fast that way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::incident::Source;

/// The longest pattern, in bytes, and the memory a compiled one may take.
const LONGEST: usize = 1_500;
const COMPILED_LIMIT: usize = 2 << 20;
/// RegexSet's default makes it thrash with many patterns.
const CACHE_LIMIT: usize = 64 << 20;

/// A piece of evidence as the patterns see it.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    pub place: Source,
    /// `""`: not known, so that any reason may be meant.
    pub reason: &'a str,
    /// The type and status of a condition, `""` elsewhere.
    pub kind: &'a str,
    pub status: &'a str,
    pub exit_code: Option<i32>,
    pub text: &'a str,
}

/// What a matcher says about its playbook.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Says {
    For,
    Against,
}

/// A matcher that recognised a piece of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'i> {
    /// The playbook's place in the book.
    pub playbook: usize,
    pub says: Says,
    pub pattern: Option<&'i Regex>,
}

/// One matcher of one playbook, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    pub playbook: usize,
    pub says: Says,
    pub places: Vec<Source>,
    pub reasons: Vec<String>,
    pub kinds: Vec<String>,
    pub statuses: Vec<String>,
    pub exit_codes: Vec<i32>,
    pub patterns: Vec<Regex>,
}

/// All matchers of a book.
#[derive(Debug, Default)]
pub(super) struct Index {
    rules: Vec<Rule>,
    places: BTreeMap<Source, Slot>,
}

/// The matchers of one place: by reason, without any reason, and all of them.
#[derive(Debug)]
struct Slot {
    by_reason: HashMap<String, Arc<Bucket>>,
    others: Arc<Bucket>,
    all: Arc<Bucket>,
}

/// Matchers that are tried together. The set is built when it is first needed.
#[derive(Debug, Default)]
struct Bucket {
    plain: Vec<usize>,
    /// Rule and pattern behind each place of the set.
    entries: Vec<(usize, usize)>,
    set: OnceLock<Option<RegexSet>>,
}

/// Compiles a pattern within the limits.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    if text.len() > LONGEST {
        return Err(format!("a pattern is at most {LONGEST} bytes long, this one has {}", text.len()));
    }
    if text.ends_with(".*") && !text.ends_with("\\.*") {
        return Err("a trailing `.*` finds nothing more and makes matching slow; leave it out".to_owned());
    }
    let pattern = RegexBuilder::new(text).unicode(false).size_limit(COMPILED_LIMIT).build();
    pattern.map_err(|error| format!("not a pattern: {error}"))
}

impl Index {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let mut index = Self { rules, places: BTreeMap::new() };
        let mut places: Vec<Source> =
            index.rules.iter().flat_map(|rule| rule.places.iter().copied()).collect();
        places.sort();
        places.dedup();
        index.places = places.into_iter().map(|place| (place, index.slot(place))).collect();
        index
    }

    /// Where the reason is not known, a matcher that names reasons needs a pattern to recognise anything.
    fn slot(&self, place: Source) -> Slot {
        let may_be_meant = |rule: &Rule| rule.reasons.is_empty() || !rule.patterns.is_empty();
        let here = |rule: &Rule| rule.places.contains(&place);
        let mut made: HashMap<Vec<usize>, Arc<Bucket>> = HashMap::new();
        let mut bucket = |admits: &dyn Fn(&Rule) -> bool| {
            let rules: Vec<usize> = (0..self.rules.len())
                .filter(|&at| here(&self.rules[at]) && admits(&self.rules[at]))
                .collect();
            Arc::clone(made.entry(rules).or_insert_with_key(|rules| Arc::new(self.bucket(rules))))
        };
        let mut reasons: Vec<&String> =
            self.rules.iter().filter(|r| here(r)).flat_map(|r| &r.reasons).collect();
        reasons.sort();
        reasons.dedup();
        let by_reason = reasons
            .into_iter()
            .map(|reason| {
                (
                    reason.clone(),
                    bucket(&|rule: &Rule| rule.reasons.is_empty() || rule.reasons.contains(reason)),
                )
            })
            .collect();
        Slot { by_reason, others: bucket(&|rule| rule.reasons.is_empty()), all: bucket(&may_be_meant) }
    }

    fn bucket(&self, rules: &[usize]) -> Bucket {
        let (plain, patterned): (Vec<usize>, Vec<usize>) =
            rules.iter().partition(|&&rule| self.rules[rule].patterns.is_empty());
        let entries = patterned
            .into_iter()
            .flat_map(|rule| (0..self.rules[rule].patterns.len()).map(move |pattern| (rule, pattern)))
            .collect();
        Bucket { plain, entries, set: OnceLock::new() }
    }

    /// Whether a matcher names this reason at this place.
    pub(super) fn names(&self, place: Source, reason: &str) -> bool {
        self.places.get(&place).is_some_and(|slot| slot.by_reason.contains_key(reason))
    }

    /// The matchers that recognise this piece, in the book's order.
    pub(super) fn hits<'i>(&'i self, sight: &Sight<'_>, found: &mut Vec<Hit<'i>>) {
        let Some(slot) = self.places.get(&sight.place) else { return };
        let bucket = match sight.reason {
            "" => &slot.all,
            reason => slot.by_reason.get(reason).unwrap_or(&slot.others),
        };
        let mut add = |rule: usize, pattern: Option<usize>| {
            let rule = &self.rules[rule];
            if rule.admits(sight) {
                let pattern = pattern.map(|at| &rule.patterns[at]);
                found.push(Hit { playbook: rule.playbook, says: rule.says, pattern });
            }
        };
        bucket.plain.iter().for_each(|&rule| add(rule, None));
        if let Some(set) = bucket.set.get_or_init(|| self.set(&bucket.entries)) {
            // Which patterns match costs several times as much as whether any does, and mostly none does.
            let text = sight.text.as_bytes();
            if set.is_match(text) {
                for at in set.matches(text) {
                    let (rule, pattern) = bucket.entries[at];
                    add(rule, Some(pattern));
                }
            }
        }
    }

    fn set(&self, entries: &[(usize, usize)]) -> Option<RegexSet> {
        if entries.is_empty() {
            return None;
        }
        let texts = entries.iter().map(|&(rule, pattern)| self.rules[rule].patterns[pattern].as_str());
        let set = RegexSetBuilder::new(texts)
            .unicode(false)
            .size_limit(COMPILED_LIMIT * entries.len())
            .dfa_size_limit(CACHE_LIMIT)
            .build();
        Some(set.expect("each of the patterns compiled alone within its share of the limit"))
    }
}

impl Rule {
    fn admits(&self, sight: &Sight<'_>) -> bool {
        fn named(list: &[String], value: &str) -> bool {
            list.is_empty() || list.iter().any(|wanted| wanted == value)
        }
        named(&self.kinds, sight.kind)
            && named(&self.statuses, sight.status)
            && (self.exit_codes.is_empty()
                || sight.exit_code.is_some_and(|code| self.exit_codes.contains(&code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(playbook: usize, reasons: &[&str], pattern: &str) -> Rule {
        Rule {
            playbook,
            says: Says::For,
            places: vec![Source::Event],
            reasons: reasons.iter().map(|&r| r.to_owned()).collect(),
            kinds: Vec::new(),
            statuses: Vec::new(),
            exit_codes: Vec::new(),
            patterns: vec![compile(pattern).unwrap()],
        }
    }

    fn hit_by(index: &Index, reason: &str, text: &str) -> Vec<usize> {
        let sight = Sight { place: Source::Event, reason, kind: "", status: "", exit_code: None, text };
        let mut found = Vec::new();
        index.hits(&sight, &mut found);
        found.into_iter().map(|hit| hit.playbook).collect()
    }

    #[test]
    fn a_reason_narrows_and_no_reason_admits_all() {
        let index = Index::new(vec![rule(0, &["Failed"], "not found"), rule(1, &[], "found")]);
        assert_eq!(hit_by(&index, "Failed", "x not found"), [0, 1]);
        assert_eq!(hit_by(&index, "FailedMount", "x not found"), [1]);
        assert_eq!(hit_by(&index, "", "x not found"), [0, 1]);
    }

    #[test]
    fn slow_and_boundless_patterns_are_refused() {
        assert!(compile("pull.*").is_err());
        assert!(compile(&"a".repeat(2_000)).is_err());
        assert!(compile("(?:a{1000}){1000}").is_err());
        assert!(compile("(unclosed").is_err());
    }
}
