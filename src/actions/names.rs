//! What may stand in a request's path.
//!
//! Names come from rendered templates and from objects that anybody can create. They are held to the rules
//! of the Kubernetes API before they get near a URL or a command; what does not fit is refused, not escaped.

use crate::incident::{ApiKind, Target};

/// Every part of a target, or what is wrong with the first bad one. An empty uid is allowed (not known yet).
pub(crate) fn target(target: &Target) -> Result<(), String> {
    api(&target.api)?;
    if !target.namespace.is_empty() {
        held(is_label(&target.namespace), "namespace", &target.namespace)?;
    }
    held(is_object_name(&target.api, &target.name), "name", &target.name)?;
    held(target.uid.is_empty() || is_uid(&target.uid), "uid", &target.uid)
}

/// The four names of a kind.
pub(crate) fn api(api: &ApiKind) -> Result<(), String> {
    held(api.group.is_empty() || is_subdomain(&api.group), "API group", &api.group)?;
    held(is_label(&api.version), "API version", &api.version)?;
    held(is_kind(&api.kind), "kind", &api.kind)?;
    held(is_label(&api.plural), "resource", &api.plural)
}

/// A finalizer as the API takes it: `example.com/name`, or one of the old ones without a domain.
pub(crate) fn is_finalizer(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
    !text.is_empty() && text.len() <= 317 && text.bytes().all(plain)
}

/// `my-name.example`: lowercase labels with dots between.
pub(crate) fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    // Labels end at 63 characters, but names of objects are only held to the 253 of the whole.
    text.len() <= 253 && edge(text.bytes().next()) && edge(text.bytes().last()) && text.bytes().all(inner)
}

/// RBAC objects have names such as `system:node`; all others are held to the stricter rule, which every kind
/// that an action changes obeys.
fn is_object_name(api: &ApiKind, name: &str) -> bool {
    if api.group == "rbac.authorization.k8s.io" {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        return !name.is_empty()
            && name.len() <= 253
            && name != "."
            && name != ".."
            && !name.starts_with('-')
            && name.bytes().all(plain);
    }
    is_subdomain(name)
}

fn is_kind(text: &str) -> bool {
    text.len() <= 63
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_uid(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    text.len() <= 128 && text.bytes().all(plain)
}

fn held(holds: bool, what: &str, text: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{text:?} is not a {what} that Kubernetes takes")) }
}
