//! Names of things kubemend itself makes, one type each, so that one can never stand for another.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Text;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Text);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Text::new(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.as_str())
            }
        }
    };
}

id! {
    /// An incident: `i-` and a counter, short enough to type (`i-42`).
    IncidentId
}
id! {
    /// A proposal: its incident and a counter (`i-42.p1`). It is also the marker that a patch carries.
    ProposalId
}
id! {
    /// The one execution of a proposal: `x-` and the proposal's id (`x-i-42.p1`).
    ExecutionId
}
id! {
    /// A condition of the catalogue, such as `image.auth-missing`.
    ConditionId
}

impl ExecutionId {
    /// A proposal is executed at most once, so its execution has a name before it exists.
    pub fn of(proposal: &ProposalId) -> Self {
        Self(Text::from(format!("x-{proposal}")))
    }
}

/// A SHA-256 in lowercase hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a value's canonical JSON: `serde_json` writes maps in key order and structs in
    /// declaration order, so equal values give equal bytes.
    pub fn of<T: Serialize>(value: &T) -> Self {
        let canonical = serde_json::to_value(value).expect("plain data with string keys always serialises");
        Self::of_bytes(canonical.to_string().as_bytes())
    }

    /// The digest of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Self(hex)
    }

    /// A digest as somebody typed or stored it.
    pub fn parse(text: &str) -> Option<Self> {
        let ok = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ok.then(|| Self(text.to_owned()))
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
