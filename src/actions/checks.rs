//! The checks that a playbook wants, as checks of named objects.
//!
//! The actions bring their own (the deleted pod is gone, the restarted workload has rolled out its next
//! generation); these add to them and say nothing that the evidence does not name.

use crate::incident::objects::Workload;
use crate::incident::{ApiKind, Check, Evidence, Finding, Target, WantedCheck};

/// The wanted checks, for [`Order::checks`](super::Order::checks). A rollout is followed by the action that starts it, which alone
/// knows the generation; wanted of another action, it is the workload's readiness.
pub fn wanted_checks(wanted: &[WantedCheck], finding: &Finding, evidence: &Evidence) -> Vec<Check> {
    let check = |wanted: &WantedCheck| match wanted {
        WantedCheck::SubjectGone => Some(Check::Gone(Target::from(&finding.subject))),
        WantedCheck::WorkloadReady | WantedCheck::RolledOut => top_workload(evidence).map(Check::Ready),
        WantedCheck::ConditionGone => {
            Some(Check::ConditionGone { condition: finding.condition.clone(), key: finding.key.clone() })
        }
    };
    wanted.iter().filter_map(check).collect()
}

/// The topmost workload above the subject, if it is of a kind that keeps its pods up.
pub(super) fn top_workload(evidence: &Evidence) -> Option<Target> {
    let top: &Workload = evidence.seen.owners.last()?;
    let lasting = matches!(top.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
    let api = ApiKind::known(&top.kind).filter(|_| lasting)?;
    let (namespace, name, uid) = (top.meta.namespace.clone(), top.meta.name.clone(), top.meta.uid.clone());
    Some(Target { api, namespace, name, uid })
}
