//! Exactly what would be done, and exactly how one would see that it helped.
//!
//! A plan is what a person approves: its digest covers every byte that will be sent, the preconditions and
//! the checks. The planner (`actions`) makes it from evidence; the writer (`cluster`) applies it unchanged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ApiKind, ConditionId, Digest, IncidentKey, ObjectRef, ProposalId, Text};

/// Changes in the order they will be made, and the checks that follow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Patches and creates carry this mark as the annotation `kubemend.dev/execution`, so that a change
    /// whose answer was lost can be found again.
    pub marker: ProposalId,
    /// The actions of the playbook's steps, in order, such as `pods.delete`.
    pub actions: Vec<Text>,
    pub changes: Vec<Change>,
    pub checks: Vec<Check>,
    /// How long the checks may take to come true.
    pub check_timeout_seconds: u32,
    pub risk: Risk,
    /// How to take it back, decided before anything is done.
    pub undo: Undo,
    /// RBAC rules that the changes need.
    pub rules: Vec<Rule>,
    /// What a person should know: what may be left behind, who will revert it.
    pub warnings: Vec<Text>,
}

impl Plan {
    /// The annotation in which a patched or created object carries the plan's `marker`.
    pub const MARKER: &'static str = "kubemend.dev/execution";

    /// What an approval names.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// One change of one object.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub target: Target,
    /// What must still be true when it is made; read again just before.
    pub relies_on: Vec<Reliance>,
    pub operation: Operation,
    /// In words: `add pull secret harbor-pull to ServiceAccount payments/default`.
    pub summary: Text,
}

/// The object a change is about. Its uid is always a precondition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub api: ApiKind,
    #[serde(default)]
    pub namespace: Text,
    pub name: Text,
    pub uid: Text,
}

impl Target {
    /// The target within its cluster.
    pub fn in_cluster(&self, cluster: &Text) -> ObjectRef {
        ObjectRef {
            cluster: cluster.clone(),
            api: self.api.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

impl From<&ObjectRef> for Target {
    fn from(object: &ObjectRef) -> Self {
        Self {
            api: object.api.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            uid: object.uid.clone(),
        }
    }
}

/// A field value that the plan was made from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reliance {
    /// A JSON pointer into the live object, such as `/metadata/finalizers`.
    pub pointer: Text,
    /// `null` means that the field is absent.
    pub value: Value,
}

/// What is sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    Patch(Patch),
    Delete(Delete),
    /// The body of a POST to the collection.
    Create(Value),
}

/// A patch, to the byte.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Patch {
    /// RFC 7386.
    Merge(Value),
    /// RFC 6902: a list of operations.
    Json(Value),
    /// Kubernetes' own.
    Strategic(Value),
}

/// A delete; the uid of the target goes along as a precondition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    /// `Some(0)` is a force delete; `None` is the object's own grace period.
    pub grace_seconds: Option<u32>,
}

/// What must become true for the remedy to have helped.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// The object with this uid is gone.
    Gone(Target),
    /// A field of the object has this value.
    Field { target: Target, pointer: Text, value: Value },
    /// The workload has rolled out: its controller has seen generation `generation_above` + 1 or later, and
    /// all wanted pods are updated and ready.
    RolledOut { target: Target, generation_above: i64 },
    /// All wanted pods of the workload are ready.
    Ready(Target),
    /// Diagnosis of fresh evidence no longer finds the condition at this key.
    ConditionGone { condition: ConditionId, key: IncidentKey },
}

/// How much can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Risk {
    /// A controller makes good what is done (delete a pod that a ReplicaSet replaces).
    Low,
    /// Users may notice, and it can be taken back (restart, roll back, patch a ServiceAccount).
    Medium,
    /// Can lose data or break an invariant (strip finalizers, force delete).
    High,
}

/// The way back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Undo {
    /// There is none; the text says why.
    Impossible(Text),
    /// There is nothing to take back; the text says why.
    Needless(Text),
    /// These changes restore what was. `relies_on` of each holds only if nobody changed it since.
    Changes(Vec<Change>),
}

/// An RBAC rule, for exactly what is needed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub verb: Text,
    pub group: Text,
    /// `pods`, `pods/eviction`.
    pub resource: Text,
    /// `""` for cluster-scoped objects.
    pub namespace: Text,
    /// `""` for any name.
    pub name: Text,
}
