//! The objects a plan is made from, as the API server gave them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Why;
use crate::incident::{Target, Text};

/// Full JSON of objects, by name. An object that was looked for and not found is there as `None`.
#[derive(Clone, Debug, Default)]
pub struct LiveObjects {
    objects: BTreeMap<Key, Option<Value>>,
    claim_users: BTreeMap<(Text, Text), Vec<Text>>,
}

type Key = (Text, Text, Text, Text);

impl LiveObjects {
    /// What was read at a target's name; `None`: not found.
    pub fn insert(&mut self, target: &Target, json: Option<Value>) {
        self.objects.insert(key(target), json);
    }

    /// The pods that mount a claim, where somebody looked. Without it, a claim counts as mounted.
    pub fn insert_claim_users(&mut self, claim: &Target, pods: Vec<Text>) {
        self.claim_users.insert((claim.namespace.clone(), claim.name.clone()), pods);
    }

    /// The object that an argument names: there, and with the uid that was named, if one was.
    pub(super) fn get(&self, target: &Target) -> Result<Live<'_>, Why> {
        let words = words(target);
        let found = self.objects.get(&key(target)).ok_or_else(|| Why::NotRead(words.clone()))?;
        let json = found.as_ref().ok_or_else(|| Why::Gone(words.clone()))?;
        let uid = json.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        if uid.is_empty() {
            return Err(Why::NotRead(words));
        }
        if !target.uid.is_empty() && target.uid != uid {
            return Err(Why::Changed(format!(
                "{words} is another object of the same name now: its uid is {uid}, meant was {}",
                target.uid
            )));
        }
        Ok(Live { target: Target { uid: uid.into(), ..target.clone() }, json })
    }

    /// Which pods mount the claim; `None` where nobody looked.
    pub(super) fn claim_users(&self, claim: &Target) -> Option<&[Text]> {
        self.claim_users.get(&(claim.namespace.clone(), claim.name.clone())).map(Vec::as_slice)
    }
}

fn key(target: &Target) -> Key {
    let Target { api, namespace, name, uid: _ } = target;
    (api.group.clone(), api.kind.clone(), namespace.clone(), name.clone())
}

/// `Pod payments/api-1`.
pub(super) fn words(target: &Target) -> String {
    target.in_cluster(&Text::default()).to_string()
}

/// One object, and its target with the uid filled in.
pub(super) struct Live<'a> {
    pub target: Target,
    pub json: &'a Value,
}

impl<'a> Live<'a> {
    /// The value at a pointer; `null` where there is none.
    pub(super) fn at(&self, pointer: &str) -> &'a Value {
        self.json.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a pointer; `""` where there is none.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    pub(super) fn is_deleting(&self) -> bool {
        !self.at("/metadata/deletionTimestamp").is_null()
    }

    pub(super) fn generation(&self) -> i64 {
        self.at("/metadata/generation").as_i64().unwrap_or_default()
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        self.at("/metadata/annotations").get(name)?.as_str()
    }

    pub(super) fn label(&self, name: &str) -> Option<&'a str> {
        self.at("/metadata/labels").get(name)?.as_str()
    }

    pub(super) fn finalizers(&self) -> Vec<&'a str> {
        let list = self.at("/metadata/finalizers").as_array().map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(Value::as_str).collect()
    }

    /// The owner that controls the object, as `(kind, name)`.
    pub(super) fn controller(&self) -> Option<(&'a str, &'a str)> {
        let owners = self.at("/metadata/ownerReferences").as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        Some((owner["kind"].as_str()?, owner["name"].as_str()?))
    }

    /// `Deployment payments/api`.
    pub(super) fn words(&self) -> String {
        words(&self.target)
    }
}
