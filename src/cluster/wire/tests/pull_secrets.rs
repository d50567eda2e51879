//! The shapes of pull secrets and what can be wrong with them; never a credential.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

use crate::cluster::wire::pull_secret;
use crate::incident::{Defect, PullSecret, Text};

fn shape(kind: &str, key: &str, document: &str) -> PullSecret {
    let data = BTreeMap::from([(key.to_owned(), document.as_bytes().to_vec())]);
    pull_secret(&Text::new("pull"), &Text::new("n"), kind, &data)
}

fn of_entry(entry: &Value) -> Vec<Defect> {
    let document = json!({"auths": {"r.example.com": entry}}).to_string();
    let secret = shape("kubernetes.io/dockerconfigjson", ".dockerconfigjson", &document);
    assert_eq!(secret.defects, [], "the secret as a whole");
    secret.entries[0].defects.clone()
}

fn auth(text: &str) -> Value {
    json!({"auth": STANDARD.encode(text)})
}

#[test]
fn a_well_formed_secret_names_its_registries_and_nothing_else() {
    let document =
        json!({"auths": {"https://index.docker.io/v1/": auth("u:hunter2"), "r:5000/team": auth("u:p")}});
    let secret = shape("kubernetes.io/dockerconfigjson", ".dockerconfigjson", &document.to_string());
    let keys: Vec<_> = secret.entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["https://index.docker.io/v1/", "r:5000/team"]);
    assert!(secret.entries.iter().all(|entry| entry.defects.is_empty()));
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn the_old_form_has_its_entries_outside() {
    let document = json!({"r.example.com": auth("u:p")}).to_string();
    let secret = shape("kubernetes.io/dockercfg", ".dockercfg", &document);
    assert_eq!((secret.entries.len(), secret.defects.len()), (1, 0));
}

#[test]
fn the_kubelet_takes_base64_without_padding_so_do_we() {
    assert_eq!(of_entry(&json!({"auth": STANDARD_NO_PAD.encode("us:pw")})), []);
    assert_eq!(of_entry(&json!({"auth": format!("{}\n", STANDARD.encode("user:pw"))})), []);
    assert_eq!(of_entry(&json!({"username": "u", "password": "p"})), []);
}

#[test]
fn each_defect_of_an_entry_is_told() {
    assert_eq!(of_entry(&json!({"auth": "%%%"})), [Defect::AuthNotBase64]);
    assert_eq!(of_entry(&auth("no colon")), [Defect::AuthNotUserPassword]);
    assert_eq!(of_entry(&auth("user:")), [Defect::EmptyCredential]);
    assert_eq!(of_entry(&json!({})), [Defect::EmptyCredential]);
    assert_eq!(of_entry(&Value::Null), [Defect::EmptyCredential]);
    assert_eq!(of_entry(&auth("user:pw\n")), [Defect::StrayWhitespace]);
    assert_eq!(of_entry(&json!({"username": " u", "password": "p"})), [Defect::StrayWhitespace]);
    let twice = json!({"auth": STANDARD.encode("u:p"), "username": "u", "password": "other"});
    assert_eq!(of_entry(&twice), [Defect::Contradiction]);
    let agreeing = json!({"auth": STANDARD.encode("u:p:q"), "username": "u", "password": "p:q"});
    assert_eq!(of_entry(&agreeing), []);
}

#[test]
fn each_defect_of_a_secret_is_told() {
    let whole = |kind: &str, key: &str, document: &str| shape(kind, key, document).defects;
    let json = "kubernetes.io/dockerconfigjson";
    assert_eq!(whole(json, ".dockerconfigjson", "{"), [Defect::Unparsable]);
    assert_eq!(whole(json, ".dockerconfigjson", r#"{"auths":[]}"#), [Defect::Unparsable]);
    assert_eq!(whole(json, ".dockerconfigjson", r#"{"auths":{}}"#), [Defect::NoEntries]);
    assert_eq!(whole(json, ".dockerconfigjson", r#"{"credsStore":"desktop"}"#), [Defect::NoEntries]);
    assert_eq!(whole(json, "config.json", "{}"), [Defect::MissingKey]);
    assert_eq!(whole("Opaque", "password", "x"), [Defect::WrongType, Defect::MissingKey]);
}

#[test]
fn a_secret_of_the_wrong_type_still_shows_what_it_would_cover() {
    let document = json!({"auths": {"r.example.com": auth("u:p")}}).to_string();
    let secret = shape("Opaque", ".dockerconfigjson", &document);
    assert_eq!(secret.defects, [Defect::WrongType]);
    assert_eq!(secret.entries[0].key, "r.example.com");
}
