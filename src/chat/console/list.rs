//! The incidents as the list shows them: one small row each, made once per change.
//!
//! Holds the newest that the store knows and everything that is on; what ended long ago makes room. The live
//! part of the list is the same for all who look at the same filter in the same language, so it is rendered
//! and packed once per change and not once per page: it holds nothing that is somebody's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::pages::{Filter, Locale, Row, Stage};
use crate::engine::{Handle, IncidentFilter, Refused};
use crate::incident::{Digest, Incident, IncidentId};

/// Rows at a time.
const MOST: usize = 2000;
/// How many are read at the start.
const READ: u32 = 1000;
/// Renderings at a time.
const MOST_PARTS: usize = 64;
/// How long a rendering serves while nothing changes.
const KEPT_FOR: SignedDuration = SignedDuration::from_secs(5);

/// All rows.
#[derive(Default)]
pub(super) struct List {
    table: Mutex<Table>,
    making: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Table {
    rows: BTreeMap<u64, Row>,
    /// Whether the store has older ones.
    more: bool,
    /// Counts the changes.
    revision: u64,
    /// The revision of which open pages were told last.
    told: u64,
    shown: Option<Snapshot>,
    parts: Vec<(Wanted, Part)>,
}

/// The rows at one moment.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub rows: Arc<Vec<Row>>,
    pub more: bool,
    pub revision: u64,
}

/// Whose list looks the same.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub filter: Filter,
    pub locale: Locale,
    /// What else the part shows: whether kubemend is paused, how it stands to its clusters.
    pub stands: Digest,
}

/// A rendered part of the list.
#[derive(Clone)]
pub(super) struct Part {
    pub revision: u64,
    /// When it was made: relative times grow old.
    pub made: Timestamp,
    pub html: Bytes,
    pub packed: Bytes,
}

impl List {
    /// Reads what there is.
    pub(super) async fn reread(&self, engine: &Handle) -> Result<(), Refused> {
        let stored = engine.incidents(&IncidentFilter::default(), READ).await?;
        let current = engine.current();
        let mut rows: BTreeMap<u64, Row> =
            stored.iter().map(|incident| (number(&incident.id), Row::of(incident))).collect();
        rows.extend(current.iter().map(|incident| (number(&incident.id), Row::of(incident))));
        let mut table = self.table.lock();
        table.more = stored.len() == READ as usize;
        table.rows = rows;
        table.changed();
        Ok(())
    }

    /// An incident changed.
    pub(super) fn put(&self, incident: &Incident) {
        let mut table = self.table.lock();
        table.rows.insert(number(&incident.id), Row::of(incident));
        table.make_room();
        table.changed();
    }

    /// The rows as they are now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut table = self.table.lock();
        let (revision, more) = (table.revision, table.more);
        if let Some(shown) = table.shown.as_ref().filter(|shown| shown.revision == revision) {
            return shown.clone();
        }
        let snapshot =
            Snapshot { rows: Arc::new(table.rows.values().rev().cloned().collect()), more, revision };
        table.shown = Some(snapshot.clone());
        snapshot
    }

    /// Open pages are being told that the list changed.
    pub(super) fn told(&self) {
        let mut table = self.table.lock();
        table.told = table.revision;
    }

    /// A rendering with everything in it that pages were told of, and not too old.
    pub(super) fn part(&self, wanted: &Wanted, now: Timestamp) -> Option<Part> {
        let table = self.table.lock();
        let found = table.parts.iter().find(|(key, _)| key == wanted).map(|(_, part)| part.clone());
        found.filter(|part| part.revision >= table.told && now.duration_since(part.made) < KEPT_FOR)
    }

    /// Waits while somebody else renders a part, which may be the one that is wanted: all open lists ask at the
    /// same moment, and one rendering serves them.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.making.lock().await
    }

    /// Keeps a rendering for others.
    pub(super) fn keep_part(&self, wanted: Wanted, part: Part) {
        let mut table = self.table.lock();
        table.parts.retain(|(key, _)| *key != wanted);
        if table.parts.len() >= MOST_PARTS {
            table.parts.remove(0);
        }
        table.parts.push((wanted, part));
    }
}

impl Table {
    fn changed(&mut self) {
        self.revision += 1;
    }

    /// What ended makes room for what is on, the oldest first.
    fn make_room(&mut self) {
        while self.rows.len() > MOST {
            let ended =
                self.rows.iter().find(|(_, row)| row.stage == Stage::Resolved).map(|(number, _)| *number);
            let gone = ended.or_else(|| self.rows.keys().next().copied());
            gone.and_then(|number| self.rows.remove(&number));
            self.more = true;
        }
    }
}

/// The counter in an incident's id, by which the list is ordered.
fn number(id: &IncidentId) -> u64 {
    id.as_str().strip_prefix("i-").and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::samples;

    fn incident(number: usize) -> Incident {
        let (entries, _) = samples::executing();
        Incident { id: IncidentId::from(format!("i-{number}").as_str()), ..samples::fold(&entries[..1]) }
    }

    #[test]
    fn the_newest_come_first_and_an_incident_has_one_row() {
        let list = List::default();
        for number in [2, 10, 2, 1] {
            list.put(&incident(number));
        }
        let ids: Vec<String> = list.snapshot().rows.iter().map(|row| row.id.to_string()).collect();
        assert_eq!(ids, ["i-10", "i-2", "i-1"]);
        assert_eq!(list.snapshot().revision, 4);
    }

    #[test]
    fn the_list_is_bounded_and_says_that_there_is_more() {
        let list = List::default();
        for number in 0..MOST + 10 {
            list.put(&incident(number));
        }
        let shown = list.snapshot();
        assert_eq!((shown.rows.len(), shown.more), (MOST, true));
        assert_eq!(shown.rows[0].id.as_str(), format!("i-{}", MOST + 9));
    }

    #[test]
    fn a_rendering_serves_until_pages_are_told_of_something_newer() {
        let at = |second: i64| Timestamp::from_second(second).expect("a small number");
        let list = List::default();
        let wanted = |text: &str| Wanted {
            filter: Filter { text: text.into(), ..Filter::default() },
            locale: Locale::En,
            stands: Digest::of_bytes(b""),
        };
        let part = Part { revision: 0, made: at(100), html: Bytes::new(), packed: Bytes::new() };
        list.keep_part(wanted("a"), part);
        assert!(list.part(&wanted("a"), at(104)).is_some());
        assert!(list.part(&wanted("b"), at(100)).is_none());
        assert!(list.part(&wanted("a"), at(105)).is_none(), "its times are too old");
        list.put(&incident(1));
        assert!(list.part(&wanted("a"), at(101)).is_some(), "nobody was told yet");
        list.told();
        assert!(list.part(&wanted("a"), at(101)).is_none());
    }
}
