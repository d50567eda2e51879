//! Places where a test may kill the process: between any two effects of an execution.
//!
//! An ordinary value of the options. Without one nothing is checked but an `Option`; with one the process
//! aborts at the named place, as if the machine had lost its power, so that tests can show what a restart
//! makes of it.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place between two effects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Failpoint {
    BeforeDecided,
    AfterDecided,
    BeforeStarted,
    AfterStarted,
    BeforeIntended,
    AfterIntended,
    /// The intent is stored, nothing is sent.
    BeforeSend,
    /// It was sent and answered; the answer is not stored.
    AfterSend,
    BeforeDone,
    AfterDone,
    BeforeFinished,
    AfterFinished,
    BeforeVerified,
    AfterVerified,
    BeforeLookUp,
    AfterLookUp,
}

impl Failpoint {
    /// Every place, in the order in which an execution comes past them; those of a look-up come last.
    pub const ALL: &'static [Self] = &[
        Self::BeforeDecided,
        Self::AfterDecided,
        Self::BeforeStarted,
        Self::AfterStarted,
        Self::BeforeIntended,
        Self::AfterIntended,
        Self::BeforeSend,
        Self::AfterSend,
        Self::BeforeDone,
        Self::AfterDone,
        Self::BeforeFinished,
        Self::AfterFinished,
        Self::BeforeVerified,
        Self::AfterVerified,
        Self::BeforeLookUp,
        Self::AfterLookUp,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeDecided => "before-decided",
            Self::AfterDecided => "after-decided",
            Self::BeforeStarted => "before-started",
            Self::AfterStarted => "after-started",
            Self::BeforeIntended => "before-intended",
            Self::AfterIntended => "after-intended",
            Self::BeforeSend => "before-send",
            Self::AfterSend => "after-send",
            Self::BeforeDone => "before-done",
            Self::AfterDone => "after-done",
            Self::BeforeFinished => "before-finished",
            Self::AfterFinished => "after-finished",
            Self::BeforeVerified => "before-verified",
            Self::AfterVerified => "after-verified",
            Self::BeforeLookUp => "before-look-up",
            Self::AfterLookUp => "after-look-up",
        }
    }
}

/// Where to end, and at which passing: `after-send`, or `after-send:2` for the second change.
#[derive(Clone, Debug)]
pub struct CrashAt {
    point: Failpoint,
    /// How many passings are left before the fatal one.
    left: Arc<AtomicU32>,
}

/// There is no such place.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no failpoint {0:?}; there are: {names}", names = names())]
pub struct UnknownFailpoint(String);

fn names() -> String {
    Failpoint::ALL.iter().map(|point| point.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for CrashAt {
    type Err = UnknownFailpoint;

    fn from_str(text: &str) -> Result<Self, UnknownFailpoint> {
        let unknown = || UnknownFailpoint(text.to_owned());
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let passing: u32 = passing.parse().ok().filter(|n| *n > 0).ok_or_else(unknown)?;
        let point = Failpoint::ALL.iter().copied().find(|point| point.name() == name).ok_or_else(unknown)?;
        Ok(Self { point, left: Arc::new(AtomicU32::new(passing - 1)) })
    }
}

impl CrashAt {
    /// Ends the process at once if this is the place and the passing.
    pub(super) fn pass(this: Option<&Self>, here: Failpoint) {
        if this.is_some_and(|crash| crash.is_fatal(here)) {
            tracing::error!(failpoint = here.name(), "ending the process here, as asked by --crash-at");
            std::process::abort();
        }
    }

    fn is_fatal(&self, here: Failpoint) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.point == here && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_failpoint_has_a_name_of_its_own_and_is_found_by_it() {
        let names: BTreeSet<&str> = Failpoint::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Failpoint::ALL.len());
        for name in names {
            assert_eq!(name.parse::<CrashAt>().expect("known").point.name(), name);
        }
    }

    #[test]
    fn a_counted_failpoint_lets_the_first_passings_go() {
        let crash: CrashAt = "after-send:3".parse().expect("known");
        assert!(!crash.is_fatal(Failpoint::BeforeSend));
        assert!(!crash.is_fatal(Failpoint::AfterSend));
        assert!(!crash.is_fatal(Failpoint::AfterSend));
        assert!(crash.is_fatal(Failpoint::AfterSend));
    }

    #[test]
    fn an_unknown_failpoint_is_refused_with_the_known_ones() {
        let told = "after-sned".parse::<CrashAt>().expect_err("unknown").to_string();
        assert!(told.contains("after-sned") && told.contains("after-send"), "{told}");
        assert!("after-send:0".parse::<CrashAt>().is_err());
    }
}
