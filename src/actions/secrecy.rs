//! What must not be stored or shown: values that look like credentials.
//!
//! Plans are stored, previews are shown and receipts are kept, and all three are made from whole objects. A
//! pod template may have a password written into its environment. Two uses: a planner asks whether a value
//! may stand in a plan ([`is_secret`]) and refuses where it may not, since the bytes that are approved are the
//! bytes that are sent; previews and receipts [`hide`] it.

use serde_json::Value;

const HIDDEN: &str = "[hidden]";
const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "credential",
    "auth",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "private",
    "dsn",
    "_key",
    "connection",
];
const BEGINNINGS: &[&str] =
    &["-----BEGIN", "eyJ", "AKIA", "ASIA", "ghp_", "github_pat_", "glpat-", "xox", "AIza"];

/// Whether a value of this name must not be stored or shown.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|part| name.contains(part)) || is_credential(value)
}

/// Whether the text itself gives it away, whatever it is called.
pub(crate) fn is_credential(text: &str) -> bool {
    BEGINNINGS.iter().any(|start| text.starts_with(start)) || has_userinfo(text) || has_flag(text)
}

/// `https://user:password@host`.
fn has_userinfo(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// `--password=…`, `--token=…` within arguments.
fn has_flag(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let Some((flag, value)) = word.split_once('=') else { return false };
        let flag = flag.to_ascii_lowercase();
        !value.is_empty()
            && ["password", "passwd", "secret", "token", "apikey", "api-key", "access-key"]
                .iter()
                .any(|part| flag.ends_with(part))
    })
}

/// Replaces what must not be shown. `kind` is the kind of the whole object.
pub(crate) fn hide(kind: &str, object: &mut Value) {
    if kind == "Secret" {
        hide_all(object);
        return;
    }
    hide_within(object);
}

/// In a Secret everything but the metadata's names is hidden.
fn hide_all(object: &mut Value) {
    match object {
        Value::Object(map) => {
            for (key, value) in map {
                if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "type") {
                    *value = HIDDEN.into();
                }
                if key == "metadata" {
                    hide_within(value);
                }
            }
        }
        other => *other = HIDDEN.into(),
    }
}

fn hide_within(value: &mut Value) {
    match value {
        Value::String(text) if is_credential(text) => HIDDEN.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(hide_within),
        Value::Object(map) => {
            map.remove("kubectl.kubernetes.io/last-applied-configuration");
            let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(Value::String(text)) = map.get_mut("value")
                && is_secret(&name, text)
            {
                HIDDEN.clone_into(text);
            }
            map.values_mut().for_each(hide_within);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn environment_values_that_look_like_credentials_are_hidden_and_others_stay() {
        let mut pod = json!({"spec": {"containers": [{"name": "api", "args": ["--token=abc", "--v=2"], "env": [
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "LOG_LEVEL", "value": "debug"},
            {"name": "UPSTREAM", "value": "postgres://app:hunter2@db/payments"},
            {"name": "GIT", "value": "ghp_hunter2"},
        ]}]}});
        hide("Pod", &mut pod);
        let text = pod.to_string();
        assert!(!text.contains("hunter2") && !text.contains("abc"), "{text}");
        assert!(text.contains("debug") && text.contains("--v=2"), "{text}");
    }

    #[test]
    fn nothing_of_a_secret_but_its_metadata_is_shown() {
        let mut secret = json!({"kind": "Secret", "metadata": {"name": "a", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"k\":\"aHVudGVyMg==\"}}"}},
            "data": {"k": "aHVudGVyMg=="}, "stringData": {"x": "hunter2"}});
        hide("Secret", &mut secret);
        let text = secret.to_string();
        assert!(!text.contains("aHVudGVyMg") && !text.contains("hunter2"), "{text}");
        assert_eq!(secret["metadata"]["name"], "a");
    }
}
