//! Eviction by taint: pods on a node with a NoExecute taint go when their toleration runs out. Owns the
//! waiting times; refuses to taint.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Controllers, Key, scheduler};
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::items;
use crate::sim::tempo::later;

const COMPONENT: &str = "taint-controller";

/// Pods that will have to go, and when.
#[derive(Debug, Default)]
pub(super) struct Pending {
    until: HashMap<String, Timestamp>,
}

impl Pending {
    pub(super) fn forget(&mut self, uid: &str) {
        self.until.remove(uid);
    }
}

impl Controllers {
    /// A pod or its node changed: is there a taint to mind?
    pub(super) fn taint_pod(&mut self, uid: &str) {
        let Some(facts) = self.pods.get(uid) else { return };
        let tainted = self.shelf(gvr::NODES).get(&(String::new(), facts.node.clone())).is_some_and(|node| {
            items(&node["spec"]["taints"]).iter().any(|taint| taint["effect"] == "NoExecute")
        });
        if tainted || self.taints.until.contains_key(uid) {
            self.enqueue(Key::Taint(uid.to_owned()));
        }
    }

    pub(super) fn sync_taint(&mut self, uid: &str) {
        let Some(facts) = self.pods.get(uid) else { return };
        if facts.deleting {
            self.taints.forget(uid);
            return;
        }
        let pod = facts.object.clone();
        let name = format!("{}/{}", facts.namespace, facts.name);
        let node = self.shelf(gvr::NODES).get(&(String::new(), facts.node.clone())).cloned();
        let now = self.now();
        let stay = node.map_or(Stay::ForGood, |node| stay(&node, &pod));
        match (stay, self.taints.until.get(uid).copied()) {
            (Stay::ForGood, None) => {}
            (Stay::ForGood, Some(_)) => {
                self.taints.forget(uid);
                let message = format!("Cancelling deletion of Pod {name}");
                self.record(COMPONENT, &Note::new(&pod, "Normal", "TaintManagerEviction", message));
            }
            (Stay::For(patience), None) => {
                let until = later(now, self.tempo.of(patience));
                self.taints.until.insert(uid.to_owned(), until);
                self.enqueue_at(until, Key::Taint(uid.to_owned()));
            }
            (Stay::For(_), Some(until)) if now < until => self.enqueue_at(until, Key::Taint(uid.to_owned())),
            (Stay::For(_), Some(_)) => {
                self.taints.forget(uid);
                let message = format!("Marking for deletion Pod {name}");
                self.record(COMPONENT, &Note::new(&pod, "Normal", "TaintManagerEviction", message));
                // Gone already: that is what was wanted.
                let _ = self.delete(&User::system(COMPONENT), gvr::PODS, &pod);
            }
        }
    }
}

/// How long a pod may stay.
enum Stay {
    ForGood,
    For(Duration),
}

fn stay(node: &Value, pod: &Value) -> Stay {
    let mut shortest: Option<Duration> = None;
    for taint in items(&node["spec"]["taints"]).iter().filter(|taint| taint["effect"] == "NoExecute") {
        let patience = match scheduler::toleration(taint, pod) {
            None => Some(0),
            Some(toleration) => toleration["tolerationSeconds"].as_u64(),
        };
        if let Some(patience) = patience.map(Duration::from_secs) {
            shortest = Some(shortest.map_or(patience, |known| known.min(patience)));
        }
    }
    shortest.map_or(Stay::ForGood, Stay::For)
}
