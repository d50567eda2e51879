//! One plan: the candidate's steps for all members, the objects they need read, and the planner asked.

use serde_json::Value;

use super::checks::Seen;
use super::offer;
use super::seat::Seat;
use super::shared::Shared;
use crate::actions::{self, LiveObjects, Order};
use crate::incident::objects::Meta;
use crate::incident::{
    ApiKind, Candidate, Check, Evidence, Finding, Incident, ObjectRef, Plan, ProposalId, Target, Text,
    WantedCheck,
};

/// What a plan is made of, before it has a marker.
pub(super) struct Draft<'a> {
    pub incident: &'a Incident,
    pub candidate: &'a Candidate,
    pub finding: &'a Finding,
    pub evidence: &'a Evidence,
}

/// Why there is no plan.
pub(super) enum NoDraft {
    /// The planner refuses; the reason is for people.
    Refused(String),
    /// Something could not be read just now.
    Unread(Text),
}

impl Shared {
    /// The plan as it would be at this moment, under that marker.
    pub(super) async fn plan(
        &self,
        seat: &Seat,
        draft: &Draft<'_>,
        marker: &ProposalId,
    ) -> Result<Plan, NoDraft> {
        let Draft { incident, candidate, finding, evidence } = draft;
        let members = self.members(incident);
        let (others, cut) = offer::others(&finding.subject, members);
        let steps = steps(seat, candidate, &finding.subject, &others).await?;
        let refused = |error: actions::PlanError| NoDraft::Refused(error.why.to_string());
        let targets = actions::inputs(&steps, evidence).map_err(refused)?;
        let live = read(seat, &targets).await?;
        let order = Order {
            marker,
            steps: &steps,
            finding,
            evidence,
            live: &live,
            checks: &wanted(candidate, finding, evidence),
            check_timeout_seconds: candidate.timeout_seconds,
            risk: candidate.risk,
        };
        let mut plan = actions::plan(&order).map_err(refused)?;
        plan.warnings.extend(cut);
        Ok(plan)
    }

    fn members(&self, incident: &Incident) -> Vec<ObjectRef> {
        let board = self.board.lock();
        board.group(&incident.finding.key).map(|group| group.subjects().collect()).unwrap_or_default()
    }
}

/// The checks that the playbook wants beside those that the actions bring along. What names no object here is
/// brought by them: they know the generation that a rollout must pass, and every plan checks the condition.
fn wanted(candidate: &Candidate, finding: &Finding, evidence: &Evidence) -> Vec<Check> {
    let check = |wanted: &WantedCheck| match wanted {
        WantedCheck::SubjectGone => Some(Check::Gone(Target::from(&finding.subject))),
        WantedCheck::WorkloadReady => top_workload(evidence).map(Check::Ready),
        WantedCheck::RolledOut | WantedCheck::ConditionGone => None,
    };
    candidate.checks.iter().filter_map(check).collect()
}

fn top_workload(evidence: &Evidence) -> Option<Target> {
    let top = evidence.seen.owners.last()?;
    let counts_ready = matches!(top.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
    let api = ApiKind::known(&top.kind).filter(|_| counts_ready)?;
    let Meta { namespace, name, uid, .. } = top.meta.clone();
    Some(Target { api, namespace, name, uid })
}

async fn read(seat: &Seat, targets: &[Target]) -> Result<LiveObjects, NoDraft> {
    let mut live = LiveObjects::default();
    for target in targets {
        match seat.read(target).await {
            Seen::Object(json) => live.insert(target, Some(json)),
            Seen::NotThere => live.insert(target, None),
            Seen::Unreadable(why) => return Err(NoDraft::Unread(why)),
        }
    }
    Ok(live)
}

/// The candidate's steps. Where one deletes the subject, it deletes the other members too.
async fn steps(
    seat: &Seat,
    candidate: &Candidate,
    subject: &ObjectRef,
    others: &[ObjectRef],
) -> Result<Vec<(Text, Value)>, NoDraft> {
    let mut steps = Vec::new();
    for step in &candidate.steps {
        let mut arguments = step.arguments.clone();
        if let Some(wanted) = Going::wanted_by(&step.action)
            && names(&arguments, subject)
        {
            widen(&mut arguments, &still_there(seat, others, wanted).await?);
        }
        steps.push((step.action.clone(), arguments));
    }
    Ok(steps)
}

/// Whether an object is being deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    Yes,
    No,
}

impl Going {
    /// Which pods an action that deletes pods is for.
    fn wanted_by(action: &str) -> Option<Self> {
        match action {
            "pods.delete" => Some(Self::No),
            "pods.force-delete" => Some(Self::Yes),
            _ => None,
        }
    }
}

/// Those that are what the board remembers, and in the state that the action is for.
async fn still_there(seat: &Seat, others: &[ObjectRef], wanted: Going) -> Result<Vec<ObjectRef>, NoDraft> {
    let mut there = Vec::new();
    for other in others {
        match seat.read(&Target::from(other)).await {
            Seen::Object(json) if fits(&json, other, wanted) => there.push(other.clone()),
            Seen::Object(_) | Seen::NotThere => {}
            Seen::Unreadable(why) => return Err(NoDraft::Unread(why)),
        }
    }
    Ok(there)
}

fn fits(json: &Value, other: &ObjectRef, wanted: Going) -> bool {
    let uid = json.pointer("/metadata/uid").and_then(Value::as_str);
    let deleting = json.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    let going = if deleting { Going::Yes } else { Going::No };
    uid == Some(other.uid.as_str()) && going == wanted
}

fn names(arguments: &Value, subject: &ObjectRef) -> bool {
    let text = |pointer| arguments.pointer(pointer).and_then(Value::as_str);
    text("/pod/name") == Some(&subject.name) && arguments.get("pods").is_none()
}

fn widen(arguments: &mut Value, others: &[ObjectRef]) {
    if others.is_empty() {
        return;
    }
    let named =
        |pod: &ObjectRef| serde_json::json!({"namespace": pod.namespace, "name": pod.name, "uid": pod.uid});
    arguments["pods"] = others.iter().map(named).collect();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::incident::samples::pod;

    #[test]
    fn a_step_that_deletes_the_subject_deletes_the_other_members_too() {
        let mut arguments = json!({"pod": {"namespace": "payments", "name": "a"}});
        assert!(names(&arguments, &pod("a")));
        widen(&mut arguments, &[pod("b"), pod("c")]);
        assert_eq!(arguments["pods"][1], json!({"namespace": "payments", "name": "c", "uid": "uid-c"}));
        assert_eq!(arguments["pod"]["name"], "a");
    }

    #[test]
    fn a_step_about_something_else_is_left_as_it_is() {
        assert!(!names(&json!({"pod": {"namespace": "payments", "name": "another"}}), &pod("a")));
        assert!(!names(&json!({"pod": {"name": "a"}, "pods": []}), &pod("a")));
    }

    #[test]
    fn only_members_that_are_still_the_same_and_not_going_already_are_deleted() {
        let live = json!({"metadata": {"uid": "uid-b"}});
        assert!(fits(&live, &pod("b"), Going::No));
        assert!(!fits(&live, &pod("c"), Going::No));
        let going = json!({"metadata": {"uid": "uid-b", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert!(!fits(&going, &pod("b"), Going::No));
        assert!(fits(&going, &pod("b"), Going::Yes));
    }
}
