//! When to look at what again, although nothing happens: a heap of times. What was put off or settled since
//! is recognised when its time comes, so nothing has to be searched for and removed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::ids::Uid;
use crate::cluster::kind::Watched;
use crate::incident::Text;

/// What is to be looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Whom {
    Pod(Uid),
    /// An object of another kind, by namespace and name.
    Object(Watched, Text, Text),
}

#[derive(Default)]
pub(super) struct Due {
    heap: BinaryHeap<Reverse<(Timestamp, Whom)>>,
}

impl Due {
    pub(super) fn add(&mut self, at: Timestamp, whom: Whom) {
        self.heap.push(Reverse((at, whom)));
    }

    /// What is due by now.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Whom)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }
}
