//! The chain of records: each carries the digest of the one before, so that none can be changed, removed or
//! put in between unnoticed.
//!
//! One chain runs over the entries of all incidents, so that the removal of a whole incident shows too. A
//! record's digest covers the *digest* of its body, and the body's digest is over the very bytes that were
//! stored, so that a record can be verified by a program that knows more (or less) fields than its writer.
//!
//! **Retention.** Forgetting an incident removes the bodies of its records and leaves their heads, and adds
//! an [`Upkeep::Forgotten`] that names it: a missing body without that later record is a broken chain. When
//! the oldest records of the chain have all lost their bodies, the heads go too, and an
//! [`Upkeep::Checkpoint`] remembers the digest that the next record must follow. So what remains verifies
//! by itself: a chain that does not begin at record 1 must hold the checkpoint of its own beginning.
//!
//! What a chain without a secret cannot show: that somebody with write access recomputed all of it, or cut
//! off its newest end. For that, keep the head (`seq` and `hash` of the last record) somewhere else and
//! compare; the store keeps its own copy and compares with that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Actor, Digest, Entry, IncidentId};

/// An entry as it stands in the records.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Its place among all records, from 1.
    pub seq: u64,
    /// Its place among the entries of its incident, from 1: the incident's version after it.
    pub number: u64,
    pub at: Timestamp,
    pub incident: IncidentId,
    /// The digest of the record before, whichever incident that was about.
    pub prev: Digest,
    pub hash: Digest,
    pub entry: Entry,
}

/// A record as the audit shows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audited {
    Incident(Recorded),
    General(General),
}

/// A record that concerns no single incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct General {
    pub seq: u64,
    pub at: Timestamp,
    pub prev: Digest,
    pub hash: Digest,
    #[serde(rename = "entry")]
    pub what: Upkeep,
}

/// A record for verification: its head, and its body as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub seq: u64,
    /// 0 for [`Upkeep`].
    pub number: u64,
    pub at: Timestamp,
    /// `""` for [`Upkeep`].
    pub incident: IncidentId,
    pub prev: Digest,
    /// The digest of the body's bytes.
    pub body: Digest,
    pub hash: Digest,
    /// The body itself: an [`Entry`] or an [`Upkeep`]; `None` once the incident is forgotten.
    pub entry: Option<Box<RawValue>>,
}

/// What concerns no single incident: the store's upkeep of the chain, and the brake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Upkeep {
    /// The retention of an incident was over; the bodies of its records are removed.
    Forgotten { incident: IncidentId, entries: u64 },
    /// All records up to `through` are removed; the next one follows `hash`.
    Checkpoint { through: u64, hash: Digest },
    /// Somebody pulled the brake: no execution goes on.
    Paused { by: Actor },
    /// Somebody let it go.
    Resumed { by: Actor },
}

/// The end of a chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// 0 for an empty chain.
    pub seq: u64,
    pub hash: Digest,
}

impl Head {
    /// What the first record follows.
    pub fn start() -> Self {
        Self { seq: 0, hash: Digest::of_bytes(b"kubemend records, from the first") }
    }
}

/// The record that follows `head` and holds `body`.
pub fn link(head: &Head, number: u64, at: Timestamp, incident: &IncidentId, body: Box<RawValue>) -> Record {
    let digest = Digest::of_bytes(body.get().as_bytes());
    let mut record = Record {
        seq: head.seq + 1,
        number,
        at,
        incident: incident.clone(),
        prev: head.hash.clone(),
        body: digest,
        hash: head.hash.clone(),
        entry: Some(body),
    };
    record.hash = hash(&record);
    record
}

impl Record {
    /// The head of a chain that ends with this record.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    fn is_upkeep(&self) -> bool {
        self.incident.as_str().is_empty()
    }
}

/// Field by field with a separator that none of them contains, so that no two records give the same bytes.
fn hash(record: &Record) -> Digest {
    let Record { seq, number, at, incident, prev, body, hash: _, entry: _ } = record;
    Digest::of_bytes(format!("{prev}\n{seq}\n{number}\n{at}\n{incident}\n{body}").as_bytes())
}

/// Where a chain is broken.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("the records are broken at number {seq}: {why}")]
pub struct BrokenChain {
    pub seq: u64,
    pub why: String,
}

/// What a whole chain shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    pub records: u64,
    pub head: Head,
}

/// Verifies a whole chain.
pub fn verify<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Verified, BrokenChain> {
    let mut verifier = Verifier::default();
    for record in records {
        verifier.take(record)?;
    }
    verifier.finish()
}

/// Verifies a chain record by record. Holds no more than the last head and the incidents whose bodies are
/// missing so far.
#[derive(Debug, Default)]
pub struct Verifier {
    records: u64,
    head: Option<Head>,
    /// What the first record follows, if it is not the start: to be confirmed by a checkpoint.
    unconfirmed: Option<Head>,
    /// Incidents with missing bodies, and the first such record.
    missing: BTreeMap<IncidentId, u64>,
}

impl Verifier {
    /// The next record, in order.
    pub fn take(&mut self, record: &Record) -> Result<(), BrokenChain> {
        let expected = match self.head.take() {
            Some(head) => head,
            None => self.begin(record),
        };
        follows(&expected, record)?;
        match &record.entry {
            Some(body) => self.read(record, body)?,
            None if record.is_upkeep() => return Err(broken(record, "its body is missing")),
            None => {
                self.missing.entry(record.incident.clone()).or_insert(record.seq);
            }
        }
        self.head = Some(record.head());
        self.records += 1;
        Ok(())
    }

    /// The last record taken.
    pub fn head(&self) -> Head {
        self.head.clone().unwrap_or_else(Head::start)
    }

    /// After the last record.
    pub fn finish(self) -> Result<Verified, BrokenChain> {
        let head = self.head.unwrap_or_else(Head::start);
        if let Some(begin) = self.unconfirmed {
            let why = format!(
                "the records before it are missing and no checkpoint says that {} was reached",
                begin.hash
            );
            return Err(BrokenChain { seq: begin.seq + 1, why });
        }
        if let Some((incident, seq)) = self.missing.into_iter().min_by_key(|(_, seq)| *seq) {
            let why = format!("its body is missing and incident {incident} was never forgotten");
            return Err(BrokenChain { seq, why });
        }
        Ok(Verified { records: self.records, head })
    }

    fn begin(&mut self, record: &Record) -> Head {
        if record.seq == 1 {
            return Head::start();
        }
        let before = Head { seq: record.seq.saturating_sub(1), hash: record.prev.clone() };
        self.unconfirmed = Some(before.clone());
        before
    }

    fn read(&mut self, record: &Record, body: &RawValue) -> Result<(), BrokenChain> {
        if Digest::of_bytes(body.get().as_bytes()) != record.body {
            return Err(broken(record, "its body was changed"));
        }
        if !record.is_upkeep() {
            return Ok(());
        }
        let upkeep = serde_json::from_str(body.get())
            .map_err(|source| broken(record, &format!("its body cannot be read: {source}")))?;
        match upkeep {
            Upkeep::Forgotten { incident, entries: _ } => drop(self.missing.remove(&incident)),
            Upkeep::Checkpoint { through, hash } => {
                self.unconfirmed.take_if(|begin| begin.seq == through && begin.hash == hash);
            }
            Upkeep::Paused { by: _ } | Upkeep::Resumed { by: _ } => {}
        }
        Ok(())
    }
}

fn follows(expected: &Head, record: &Record) -> Result<(), BrokenChain> {
    if record.seq != expected.seq + 1 {
        let why =
            format!("it follows number {}; records in between are missing or out of order", expected.seq);
        return Err(BrokenChain { seq: record.seq, why });
    }
    if record.prev != expected.hash {
        return Err(broken(record, "it does not follow the record before it"));
    }
    if record.hash != hash(record) {
        return Err(broken(record, "its head was changed"));
    }
    Ok(())
}

fn broken(record: &Record, why: &str) -> BrokenChain {
    BrokenChain { seq: record.seq, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: &impl Serialize) -> Box<RawValue> {
        serde_json::value::to_raw_value(value).expect("plain data")
    }

    fn note(incident: &str, text: &str) -> (IncidentId, Box<RawValue>) {
        (incident.into(), body(&Entry::Noted { text: text.into() }))
    }

    fn upkeep(what: &Upkeep) -> (IncidentId, Box<RawValue>) {
        ("".into(), body(what))
    }

    fn chain(bodies: Vec<(IncidentId, Box<RawValue>)>) -> Vec<Record> {
        let mut head = Head::start();
        let at: Timestamp = "2026-01-02T03:04:05.678901234Z".parse().expect("a time");
        bodies
            .into_iter()
            .map(|(incident, body)| {
                let record = link(&head, 1, at, &incident, body);
                head = record.head();
                record
            })
            .collect()
    }

    fn sample() -> Vec<Record> {
        chain(vec![note("i-1", "a"), note("i-2", "b"), note("i-1", "c"), note("i-2", "d")])
    }

    #[track_caller]
    fn check_broken(records: &[Record], seq: u64, why: &str) {
        let broken = verify(records).expect_err("must be broken");
        assert_eq!(broken.seq, seq, "{broken}");
        assert!(broken.why.contains(why), "{broken}");
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let records = sample();
        let verified = verify(&records).expect("whole");
        assert_eq!(verified, Verified { records: 4, head: records[3].head() });
        assert_eq!(verify(&[]).expect("empty").records, 0);
    }

    #[test]
    fn a_changed_body_is_noticed() {
        let mut records = sample();
        records[1].entry = Some(body(&Entry::Noted { text: "B".into() }));
        check_broken(&records, 2, "body was changed");
    }

    #[test]
    fn a_changed_head_is_noticed() {
        let mut records = sample();
        records[2].incident = "i-9".into();
        check_broken(&records, 3, "head was changed");
        let mut records = sample();
        records[2].at += jiff::SignedDuration::from_nanos(1);
        check_broken(&records, 3, "head was changed");
        let mut records = sample();
        records[2].number += 1;
        check_broken(&records, 3, "head was changed");
    }

    #[test]
    fn a_recomputed_record_is_noticed_by_the_next() {
        let mut records = sample();
        let forged = body(&Entry::Noted { text: "forged".into() });
        records[1] = link(&records[0].head(), 1, records[1].at, &"i-2".into(), forged);
        check_broken(&records, 3, "does not follow");
    }

    #[test]
    fn removing_a_whole_incident_is_noticed() {
        let mut records = sample();
        records.retain(|record| record.incident.as_str() != "i-2");
        check_broken(&records, 3, "missing or out of order");
    }

    #[test]
    fn removing_the_first_records_without_a_checkpoint_is_noticed() {
        check_broken(&sample()[2..], 3, "no checkpoint");
    }

    #[test]
    fn a_missing_body_is_legal_only_for_a_forgotten_incident() {
        let mut records = chain(vec![
            note("i-1", "a"),
            note("i-2", "b"),
            upkeep(&Upkeep::Forgotten { incident: "i-1".into(), entries: 1 }),
        ]);
        records[0].entry = None;
        assert_eq!(verify(&records).expect("forgotten").records, 3);
        records[1].entry = None;
        check_broken(&records, 2, "never forgotten");
        let excuse = Upkeep::Forgotten { incident: "".into(), entries: 1 };
        let mut records = chain(vec![upkeep(&excuse), upkeep(&excuse)]);
        records[0].entry = None;
        check_broken(&records, 1, "its body is missing");
    }

    #[test]
    fn a_chain_that_lost_its_beginning_verifies_by_its_checkpoint() {
        let whole = chain(vec![note("i-1", "a"), note("i-2", "b")]);
        let last = whole[0].head();
        let mut records = whole;
        let checkpoint = body(&Upkeep::Checkpoint { through: last.seq, hash: last.hash });
        let record = link(&records[1].head(), 0, records[1].at, &"".into(), checkpoint);
        records.push(record);
        assert_eq!(verify(&records).expect("before").records, 3);
        assert_eq!(verify(&records[1..]).expect("after").records, 2);
        check_broken(&records[2..], 3, "no checkpoint");
        let elsewhere = Upkeep::Checkpoint { through: 1, hash: Digest::of_bytes(b"another chain") };
        records[2] = link(&records[1].head(), 0, records[1].at, &"".into(), body(&elsewhere));
        check_broken(&records[1..], 2, "no checkpoint");
    }

    #[test]
    fn a_record_survives_its_json() {
        let records = sample();
        let lines: Vec<String> = records.iter().map(|r| serde_json::to_string(r).expect("json")).collect();
        let back: Vec<Record> = lines.iter().map(|l| serde_json::from_str(l).expect("json")).collect();
        assert_eq!(verify(&back).expect("whole").records, 4);
    }
}
