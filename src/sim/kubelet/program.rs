//! What the simulated images do when they run. Owns the behaviour table: which program an image holds and
//! how it ends. Refuses to know how the kubelet reacts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sim::registry::{ImageRef, Registries};

/// Everything outside the API that decides how pods fare: registries and the programs in their images.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub registries: Registries,
    programs: BTreeMap<String, Program>,
}

/// The behaviour of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Written to the log when a container starts.
    pub says: Vec<String>,
    /// From start to passing its readiness probe (real life).
    pub ready_after: Duration,
    /// Memory it needs, in bytes; under a lower limit the kernel kills it.
    pub needs_memory: Option<u64>,
    /// How it ends by itself.
    pub ending: Ending,
    /// What it does when asked to stop.
    pub on_stop: OnStop,
}

/// How a program ends by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It does not.
    Never,
    /// After a while, with a code and last words.
    Exits(Exit),
    /// Ends at once if the ConfigMap key had this value when the pod (not the container) started: an init
    /// step rendered it into the pod, so that only a new pod reads the value anew.
    IfPodStartedWith { config_map: String, key: String, value: String, exit: Exit },
}

/// An end: when, how, and the last words.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    pub after: Duration,
    pub code: i32,
    pub says: Vec<String>,
}

/// What a program does with SIGTERM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// Leaves within a second, code 0.
    Exits,
    /// Ignores it and is killed when the grace period is over, code 137.
    Ignores,
    /// Hangs in the kernel (a dead mount): not even SIGKILL ends it.
    Unkillable,
}

impl Program {
    /// A well-behaved server.
    pub fn server(says: &[&str]) -> Self {
        Self {
            says: lines(says),
            ready_after: Duration::from_secs(1),
            needs_memory: None,
            ending: Ending::Never,
            on_stop: OnStop::Exits,
        }
    }

    /// A program that ends with `code` soon after its start.
    pub fn failing(after: Duration, code: i32, says: &[&str]) -> Self {
        let ending = Ending::Exits(Exit { after, code, says: lines(says) });
        Self { ending, ready_after: Duration::from_hours(1), ..Self::server(&[]) }
    }

    /// A program that does its work and ends well.
    pub fn task(after: Duration, says: &[&str]) -> Self {
        Self::failing(after, 0, says)
    }

    /// The same program, needing that much memory.
    #[must_use]
    pub fn needing(self, bytes: u64) -> Self {
        Self { needs_memory: Some(bytes), ..self }
    }

    /// The same program, answering SIGTERM so.
    #[must_use]
    pub fn stopping(self, on_stop: OnStop) -> Self {
        Self { on_stop, ..self }
    }
}

impl World {
    /// Says what the image does; unnamed images are quiet servers.
    pub fn set_program(&mut self, image: &str, program: Program) {
        self.programs.insert(normal(image), program);
    }

    /// What the image does.
    pub fn program(&self, image: &str) -> Program {
        self.programs.get(&normal(image)).cloned().unwrap_or_else(|| Program::server(&["listening on :8080"]))
    }
}

pub(super) fn lines(says: &[&str]) -> Vec<String> {
    says.iter().map(|line| (*line).to_owned()).collect()
}

fn normal(image: &str) -> String {
    ImageRef::parse(image).map_or_else(|| image.to_owned(), |image| image.to_string())
}
