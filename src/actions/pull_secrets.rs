//! What adding and removing a pull secret share: a ServiceAccount, a secret's name, and the list.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::live::Live;
use super::named::Named;
use super::patch::{Guarded, marker_pointer};
use super::{Why, arguments, names};
use crate::incident::{Change, Check, Evidence, ProposalId, Target, Text};

pub(super) const LIST: &str = "/imagePullSecrets";

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PullSecretOf {
    pub service_account: Named,
    /// The Secret's name; it is in the ServiceAccount's namespace.
    pub secret: Text,
    /// The registry that it is for, such as `registry.example.com:5000`; held against what the secret covers.
    #[serde(default)]
    pub registry: Text,
}

impl PullSecretOf {
    pub(super) fn parse(value: &Value) -> Result<(Target, Self), Why> {
        let of: Self = arguments(value)?;
        let target = of.service_account.target_of(&["ServiceAccount"])?;
        if !names::is_subdomain(&of.secret) {
            return Err(Why::Arguments(format!("{:?} is not a Secret's name", of.secret)));
        }
        Ok((target, of))
    }
}

pub(super) fn inputs(value: &Value, _evidence: &Evidence) -> Result<Vec<Target>, Why> {
    PullSecretOf::parse(value).map(|(target, _)| vec![target])
}

/// The list as it is.
pub(super) fn listed(live: &Live<'_>) -> Vec<Value> {
    live.at(LIST).as_array().cloned().unwrap_or_default()
}

pub(super) fn names_it(list: &[Value], secret: &str) -> bool {
    list.iter().any(|entry| entry["name"] == secret)
}

/// The change from the list as it is to `after`.
///
/// Where there is a list, the patch tests it whole; where there is none, the version. A ServiceAccount has no
/// status, so its version changes only when somebody changes the ServiceAccount.
pub(super) fn change(live: &Live<'_>, after: &[Value], marker: &ProposalId, summary: String) -> Change {
    let mut patch = Guarded::of(&live.target);
    if live.at(LIST).is_null() {
        patch.rely(LIST, &Value::Null);
        patch.hold_version(live);
    } else {
        patch.test(LIST, live.at(LIST));
    }
    patch.add(LIST, &json!(after));
    patch.mark(live, marker);
    patch.change(summary)
}

/// The way back: only if the list and the marker are as the change left them.
pub(super) fn way_back(live: &Live<'_>, after: &[Value], marker: &ProposalId, summary: String) -> Change {
    let mut patch = Guarded::of(&live.target);
    patch.test(LIST, &json!(after));
    patch.test(&marker_pointer(), &json!(marker));
    if live.at(LIST).is_null() {
        patch.remove(LIST);
    } else {
        patch.add(LIST, live.at(LIST));
    }
    patch.add(&marker_pointer(), &json!(marker));
    patch.change(summary)
}

pub(super) fn check(live: &Live<'_>, after: &[Value]) -> Check {
    Check::Field { target: live.target.clone(), pointer: LIST.into(), value: json!(after) }
}
