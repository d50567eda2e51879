//! How a started program will end. Owns the choice between the kernel's kill, the program's own exit and a
//! life without end; refuses to know what the kubelet makes of it.

use std::time::Duration;

use serde_json::Value;

use super::program::{Ending, Program};
use super::sight::Sight;
use crate::sim::objects::quantity;

/// An end that is certain.
#[derive(Debug, Clone)]
pub(super) struct Death {
    pub code: i32,
    pub reason: &'static str,
    pub says: Vec<String>,
}

/// How a program will end, if at all.
pub(super) fn fate(program: &Program, spec: &Value, sight: &Sight<'_>) -> Option<(Duration, Death)> {
    let limit = quantity(&spec["resources"]["limits"]["memory"]);
    #[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52")]
    let starved = program.needs_memory.is_some_and(|need| limit > 0.0 && limit < need as f64);
    if starved {
        return Some((Duration::from_secs(2), Death { code: 137, reason: "OOMKilled", says: Vec::new() }));
    }
    let exit = match &program.ending {
        Ending::Never => return None,
        Ending::Exits(exit) => exit,
        Ending::IfPodStartedWith { config_map, key, value, exit } => {
            if sight.frozen.get(config_map).is_none_or(|map| map["data"][key] != *value) {
                return None;
            }
            exit
        }
    };
    Some((exit.after, Death { code: exit.code, reason: reason_of(exit.code), says: exit.says.clone() }))
}

pub(super) fn reason_of(code: i32) -> &'static str {
    if code == 0 { "Completed" } else { "Error" }
}
