//! Who did something: a verified identity and the way it came in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Text;

/// A person, or kubemend itself acting under a playbook in mode `auto`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    pub via: Via,
    /// The verified id within `via`: a token's name, a Slack user id; never a display name.
    pub id: Text,
    /// What to call them in messages.
    pub name: Text,
}

/// The border an identity was verified at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    Api,
    Console,
    Terminal,
    Slack,
    Discord,
    /// kubemend itself.
    Auto,
}

impl Actor {
    /// kubemend acting by a rule that an operator wrote.
    pub fn auto() -> Self {
        Self { via: Via::Auto, id: "auto".into(), name: "kubemend".into() }
    }
}
