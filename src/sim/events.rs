//! Writing events as components do with client-go: repeats bump a count, many alike are combined, chatter
//! about one object is cut off. Owns these rules; refuses to decide what is worth an event.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::clock::stamp;
use super::api::{ApiServer, DeleteOptions, User, gvr};
use super::objects::{name, namespace, uid};
use super::tempo::Tempo;

/// Distinct messages of one kind about one object before they are combined.
const ALIKE: usize = 10;
/// Events about one object that one component may write at once; then one per five minutes.
const BURST: f64 = 25.0;
/// Remembered keys; beyond that everything is forgotten, and repeats start new events.
const REMEMBERED: usize = 65_536;
/// Event objects of one component that are kept; the oldest go first.
const KEPT: usize = 100_000;

/// One component that writes events.
pub(in crate::sim) struct Recorder {
    api: ApiServer,
    who: User,
    component: &'static str,
    tempo: Tempo,
    written: HashMap<Key, Written>,
    alike: HashMap<Key, HashSet<String>>,
    allowance: HashMap<String, (f64, Timestamp)>,
    kept: VecDeque<(String, String)>,
    serial: u64,
}

/// What makes two events the same; the message is empty for combined ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    host: String,
    uid: String,
    field_path: String,
    reason: &'static str,
    message: String,
}

struct Written {
    name: String,
    count: i64,
}

/// An event to be written.
pub(in crate::sim) struct Note<'a> {
    pub about: &'a Value,
    pub kind: &'static str,
    pub reason: &'static str,
    pub message: String,
    /// `spec.containers{api}` or empty.
    pub field_path: &'a str,
    /// The node, for kubelets.
    pub host: &'a str,
}

impl<'a> Note<'a> {
    /// A note about the whole object.
    pub(in crate::sim) fn new(
        about: &'a Value,
        kind: &'static str,
        reason: &'static str,
        message: String,
    ) -> Self {
        Self { about, kind, reason, message, field_path: "", host: "" }
    }
}

impl Recorder {
    pub(in crate::sim) fn new(api: &ApiServer, component: &'static str, tempo: Tempo) -> Self {
        Self {
            api: api.clone(),
            who: User::system(component),
            component,
            tempo,
            written: HashMap::new(),
            alike: HashMap::new(),
            allowance: HashMap::new(),
            kept: VecDeque::new(),
            serial: 0,
        }
    }

    /// Writes the event, or counts it, or drops it. What is dropped is counted all the same, so that the
    /// next one that is written says how often it really happened.
    pub(in crate::sim) fn record(&mut self, note: &Note<'_>) {
        let now = self.api.clock().now();
        self.forget_if_full();
        let (key, message) = self.combine(note);
        let allowed = self.is_allowed(uid(note.about), now);
        let space = Self::space(note.about);
        if let Some(known) = self.written.get_mut(&key) {
            known.count += 1;
            let count = known.count;
            if !allowed {
                return;
            }
            let bumped = self.api.modify(&self.who, &gvr::EVENTS, None, Some(space), &known.name, |event| {
                event["count"] = json!(count);
                event["lastTimestamp"] = json!(stamp(now));
                event["message"] = json!(message);
            });
            if bumped.is_ok() {
                return;
            }
        }
        if allowed {
            self.write_new(key, note, &message, now);
        }
    }

    fn forget_if_full(&mut self) {
        if self.written.len().max(self.allowance.len()) > REMEMBERED {
            self.written.clear();
            self.alike.clear();
            self.allowance.clear();
        }
    }

    /// Events go away some time, here by number: the oldest first.
    fn expire(&mut self) {
        while self.kept.len() > KEPT
            && let Some((space, name)) = self.kept.pop_front()
        {
            // Deleted already, with its namespace: that is what was wanted.
            let _ = self.api.delete(&self.who, &gvr::EVENTS, Some(&space), &name, DeleteOptions::default());
        }
    }

    /// The key an event counts under, and the message it gets.
    fn combine(&mut self, note: &Note<'_>) -> (Key, String) {
        let group = Key {
            host: note.host.to_owned(),
            uid: uid(note.about).to_owned(),
            field_path: note.field_path.to_owned(),
            reason: note.reason,
            message: String::new(),
        };
        let alike = self.alike.entry(group.clone()).or_default();
        if alike.len() < ALIKE {
            alike.insert(note.message.clone());
        }
        if alike.len() >= ALIKE && !alike.contains(&note.message) {
            return (group, format!("(combined from similar events): {}", note.message));
        }
        (Key { message: note.message.clone(), ..group }, note.message.clone())
    }

    fn is_allowed(&mut self, uid: &str, now: Timestamp) -> bool {
        let (left, since) = self.allowance.entry(uid.to_owned()).or_insert((BURST, now));
        let gained = now.duration_since(*since).as_secs_f64()
            / self.tempo.of(std::time::Duration::from_mins(5)).as_secs_f64();
        *left = (*left + gained).min(BURST);
        *since = now;
        let allowed = *left >= 1.0;
        if allowed {
            *left -= 1.0;
        }
        allowed
    }

    fn write_new(&mut self, key: Key, note: &Note<'_>, message: &str, now: Timestamp) {
        self.serial += 1;
        let nanos = i64::try_from(now.as_nanosecond())
            .unwrap_or_default()
            .wrapping_add(i64::try_from(self.serial).unwrap_or_default());
        let event_name = format!("{}.{nanos:x}", name(note.about));
        let space = Self::space(note.about);
        let mut source = json!({"component": self.component});
        if !note.host.is_empty() {
            source["host"] = json!(note.host);
        }
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": event_name, "namespace": space},
            "involvedObject": involved(note),
            "reason": note.reason, "message": message, "source": source,
            "firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "count": 1, "type": note.kind,
            "eventTime": null, "reportingComponent": self.component, "reportingInstance": note.host,
        });
        // The namespace may be going away; then nobody reads the event either.
        if self.api.create(&self.who, &gvr::EVENTS, Some(space), event).is_ok() {
            self.kept.push_back((space.to_owned(), event_name.clone()));
            self.written.insert(key, Written { name: event_name, count: 1 });
            self.expire();
        }
    }

    fn space(about: &Value) -> &str {
        let own = namespace(about);
        if own.is_empty() { "default" } else { own }
    }
}

fn involved(note: &Note<'_>) -> Value {
    let about = note.about;
    let mut out = json!({
        "kind": about["kind"], "name": name(about), "uid": uid(about), "apiVersion": about["apiVersion"],
        "resourceVersion": about["metadata"]["resourceVersion"],
    });
    if !namespace(about).is_empty() {
        out["namespace"] = json!(namespace(about));
    }
    if !note.field_path.is_empty() {
        out["fieldPath"] = json!(note.field_path);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sim::api::SimClock;

    fn setting() -> (ApiServer, SimClock, Recorder, Value) {
        let clock = SimClock::stepped(Timestamp::UNIX_EPOCH);
        let api = ApiServer::new(clock.clone());
        let recorder = Recorder::new(&api, "kubelet", Tempo::new(1.0));
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default", "uid": "u-1"}});
        (api, clock, recorder, pod)
    }

    #[test]
    fn a_repeat_bumps_the_count_and_keeps_the_first_time() {
        let (api, clock, mut recorder, pod) = setting();
        for _ in 0..3 {
            recorder.record(&Note::new(
                &pod,
                "Warning",
                "BackOff",
                "Back-off restarting failed container".into(),
            ));
            clock.advance(Duration::from_secs(10));
        }
        let events = api.list(&gvr::EVENTS, Some("default"));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["count"], 3);
        assert_eq!(events[0]["firstTimestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(events[0]["lastTimestamp"], "1970-01-01T00:00:20Z");
    }

    #[test]
    fn many_alike_are_combined_into_one() {
        let (api, _clock, mut recorder, pod) = setting();
        for index in 0..14 {
            recorder.record(&Note::new(
                &pod,
                "Normal",
                "SuccessfulCreate",
                format!("Created pod: web-{index}"),
            ));
        }
        let events = api.list(&gvr::EVENTS, Some("default"));
        let combined: Vec<_> = events
            .iter()
            .filter(|event| event["message"].as_str().is_some_and(|m| m.starts_with("(combined")))
            .collect();
        assert_eq!((events.len(), combined.len()), (11, 1));
        assert_eq!(combined[0]["count"], 4);
    }

    #[test]
    fn chatter_about_one_object_is_cut_off_after_a_burst() {
        let (api, clock, mut recorder, pod) = setting();
        for _ in 0..40 {
            recorder.record(&Note::new(&pod, "Normal", "Pulling", "Pulling image".into()));
        }
        assert_eq!(api.list(&gvr::EVENTS, None)[0]["count"], 25);
        clock.advance(Duration::from_secs(301));
        recorder.record(&Note::new(&pod, "Normal", "Pulling", "Pulling image".into()));
        assert_eq!(api.list(&gvr::EVENTS, None)[0]["count"], 41, "what was not written was counted");
    }
}
