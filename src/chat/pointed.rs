//! What a message is about, for the shortcut "Diagnose": the command that looks at it. Pure.
//!
//! Names an incident or an object if the text does; the text is only searched, and what is found is nothing but
//! letters, digits, dots and dashes.

use std::sync::LazyLock;

use regex::Regex;

/// An incident's id.
static INCIDENT: LazyLock<Regex> = LazyLock::new(|| fixed(r"\bi-[0-9]{1,18}\b"));
/// `pod/web-0`, `deployment web`, as people and kubectl write it.
static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?i)\b(pod|po|node|no|deployment|deploy|replicaset|rs|statefulset|sts|daemonset|ds|job|",
        r"persistentvolumeclaim|pvc|serviceaccount|sa|namespace|ns)[/ ]",
        r#"[`"']?(?:([a-z0-9][-a-z0-9]{0,62})/)?([a-z0-9][-a-z0-9.]{0,252})"#,
    ))
});
/// `-n shop`, `namespace: shop`, `in namespace shop`.
static NAMESPACE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r#"(?i)(?:-n|--namespace|namespace:?)[ =][`"']?([a-z0-9][-a-z0-9]{0,62})"#));

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test uses each pattern")
}

/// The line after `/mend` that looks at what the text is about.
pub(super) fn pointed(text: &str) -> Option<String> {
    if let Some(id) = INCIDENT.find(text) {
        return Some(format!("show {}", id.as_str()));
    }
    let found = OBJECT.captures(text)?;
    let kind = found[1].to_lowercase();
    let name = found[3].trim_end_matches(['.', '-']).to_lowercase();
    let namespace = found.get(2).map(|inside| inside.as_str().to_lowercase());
    let said = || NAMESPACE.captures(text).map(|said| said[1].to_lowercase());
    match namespace.or_else(said) {
        Some(namespace) => Some(format!("diagnose {kind}/{name} -n {namespace}")),
        None => Some(format!("diagnose {kind}/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::pointed;

    #[test]
    fn what_a_message_is_about_becomes_a_command() {
        for (text, line) in [
            ("see i-42 please", Some("show i-42")),
            ("pod/web-0 is down again", Some("diagnose pod/web-0")),
            ("Pod shop/web-0 crashes.", Some("diagnose pod/web-0 -n shop")),
            ("kubectl get deploy web -n shop", Some("diagnose deploy/web -n shop")),
            ("the pod `api-7d9` in namespace payments hangs", Some("diagnose pod/api-7d9 -n payments")),
            ("lunch?", None),
            ("pod/; kubectl delete ns prod", Some("diagnose ns/prod")),
        ] {
            assert_eq!(pointed(text).as_deref(), line, "{text}");
        }
    }
}
