//! The gate, as tables of who wants what.

mod groups;
mod permits;
mod samples;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use self::samples::{actor, api, decision, finding, incident, later, now, plan, policy, record, without};
use super::*;
use crate::incident::{
    Actor, Decision, DecisionKind, Digest, Execution, ExecutionId, ExecutionState, Incident, Outcome, Place,
    ProposalId, ProposalRecord, ProposalState, Risk, Rule, Scope, Status, Via,
};

fn decided(record: &ProposalRecord, kind: DecisionKind, by: Actor) -> Result<(), &'static str> {
    let decision = decision(kind, by, record);
    decide(&policy(), record, &finding(), &decision, None, now()).map_err(|refusal| refusal.code())
}

fn approved_by(mut record: ProposalRecord, people: &[Actor]) -> ProposalRecord {
    for by in people {
        let decision = decision(DecisionKind::Approve, by.clone(), &record);
        record.decisions.push(decision);
    }
    record
}

fn rule() -> Rule {
    Rule {
        verb: "delete".into(),
        group: "".into(),
        resource: "pods".into(),
        namespace: "payments".into(),
        name: "api-1".into(),
    }
}

fn permitted(
    policy: &Policy,
    incident: &Incident,
    paused: bool,
    at: Timestamp,
) -> Result<Permit, &'static str> {
    permit(policy, incident, &ProposalId::from("i-1.p1"), paused, at).map_err(|refusal| refusal.code())
}

#[test]
fn grants_hold_by_action_risk_cluster_namespace_and_condition() {
    let ask = |action: &str, cluster: &str, namespace: &str, condition: &str, risk| Ask {
        action: action.into(),
        cluster: cluster.into(),
        namespace: namespace.into(),
        condition: condition.into(),
        risk,
    };
    for (who, ask, allowed) in [
        ("ann", ask("pods.delete", "prod", "payments", "crash.x", Risk::Medium), true),
        ("ann", ask("pods.delete", "prod", "payments-2", "crash.x", Risk::Low), true),
        ("ann", ask("pods.delete", "prod", "payments", "crash.x", Risk::High), false),
        ("ann", ask("pods.delete", "prod", "kube-system", "crash.x", Risk::Low), false),
        ("ann", ask("workloads.undo", "prod", "payments", "crash.x", Risk::Low), false),
        ("ann", ask("pods.delete", "prod", "", "crash.x", Risk::Low), false),
        ("bob", ask("finalizers.strip", "prod", "", "terminate.x", Risk::High), true),
        ("eve", ask("pods.delete", "prod", "payments", "image.auth-missing", Risk::High), true),
        ("eve", ask("pods.delete", "stage", "payments", "image.auth-missing", Risk::Low), false),
        ("eve", ask("pods.delete", "prod", "payments", "crash.x", Risk::Low), false),
        ("dan", ask("pods.delete", "prod", "payments", "crash.x", Risk::Low), false),
        ("fay", ask("pods.delete", "prod", "payments", "crash.x", Risk::Low), false),
        ("mallory", ask("pods.delete", "prod", "payments", "crash.x", Risk::Low), false),
    ] {
        assert_eq!(may(&policy(), &api(who), &ask).is_ok(), allowed, "{who} {ask:?}");
    }
}

#[test]
fn the_same_id_at_another_border_is_nobody() {
    let record = record(Risk::Low, 1);
    assert_eq!(decided(&record, DecisionKind::Approve, actor(Via::Slack, "ann")), Err("unknown-identity"));
    assert_eq!(decided(&record, DecisionKind::Approve, Actor::auto()), Err("unknown-identity"));
    assert_eq!(decided(&record, DecisionKind::Deny, api("mallory")), Err("unknown-identity"));
    assert_eq!(decided(&record, DecisionKind::Withdraw, api("mallory")), Err("unknown-identity"));
    assert_eq!(decided(&record, DecisionKind::Approve, actor(Via::Slack, "U1")), Ok(()));
}

#[test]
fn an_empty_configuration_lets_nobody_do_anything() {
    let empty = Policy::new(GateConfig::default()).expect("no mistakes");
    let record = approved_by(record(Risk::Low, 1), &[api("bob")]);
    assert!(!enough(&empty, &record));
    assert_eq!(permitted(&empty, &incident(record), false, now()).err(), Some("not-enough"));
}

#[test]
fn a_refusal_says_which_role_it_takes() {
    let record = record(Risk::High, 1);
    let approve = decision(DecisionKind::Approve, api("ann"), &record);
    let refusal = decide(&policy(), &record, &finding(), &approve, None, now()).expect_err("too high");
    let text = refusal.to_string();
    assert!(
        text.contains("the role sre") && text.contains("high risk") && text.contains("namespace payments"),
        "{text}"
    );
    let refusal = can(&policy(), &api("ann"), Right::Silence).expect_err("no role has it").to_string();
    assert!(refusal.contains("No role allows it"), "{refusal}");
    assert!(can(&policy(), &api("bob"), Right::Pause).is_ok());
}

#[test]
fn a_decision_names_the_digest_that_was_seen_in_time() {
    let record = record(Risk::Low, 1);
    let mut seen = decision(DecisionKind::Approve, api("ann"), &record);
    let judge = |d: &Decision, at| decide(&policy(), &record, &finding(), d, None, at).map_err(|r| r.code());
    assert_eq!(judge(&seen, later(59)), Ok(()));
    assert_eq!(judge(&seen, later(60)), Err("expired"));
    seen.digest = Digest::of(&"something else");
    assert_eq!(judge(&seen, now()), Err("other-digest"));
}

#[test]
fn what_has_ended_takes_no_decision() {
    for state in [
        ProposalState::Denied,
        ProposalState::Expired,
        ProposalState::Stale { why: "changed".into() },
        ProposalState::Superseded { by: "i-1.p2".into() },
        ProposalState::Executed { execution: "x-i-1.p1".into() },
    ] {
        let mut record = approved_by(record(Risk::Low, 1), &[api("ann")]);
        record.state = state;
        for kind in [DecisionKind::Approve, DecisionKind::Deny, DecisionKind::Withdraw] {
            assert_eq!(decided(&record, kind, api("ann")), Err("closed"), "{kind:?} {:?}", record.state);
        }
    }
}

#[test]
fn one_person_counts_once_by_whatever_identity() {
    let record = approved_by(record(Risk::Low, 2), &[api("ann"), actor(Via::Slack, "U1")]);
    assert!(!enough(&policy(), &record));
    assert_eq!(decided(&record, DecisionKind::Approve, actor(Via::Slack, "U1")), Err("already-approved"));
    assert!(enough(&policy(), &approved_by(record, &[api("bob")])));
}

#[test]
fn an_approval_is_withdrawn_until_it_runs_and_only_by_its_person() {
    let mut record = approved_by(record(Risk::Low, 1), &[api("ann")]);
    record.state = ProposalState::Approved;
    assert_eq!(decided(&record, DecisionKind::Withdraw, api("bob")), Err("nothing-to-withdraw"));
    assert_eq!(decided(&record, DecisionKind::Withdraw, actor(Via::Slack, "U1")), Ok(()));
    let withdrawal = decision(DecisionKind::Withdraw, actor(Via::Slack, "U1"), &record);
    record.decisions.push(withdrawal);
    assert!(!enough(&policy(), &record));
    assert_eq!(permitted(&policy(), &incident(record), false, now()).err(), Some("not-enough"));
}

#[test]
fn what_has_enough_approvals_takes_no_more() {
    let mut record = approved_by(record(Risk::Low, 1), &[api("ann")]);
    record.state = ProposalState::Approved;
    assert_eq!(decided(&record, DecisionKind::Approve, api("bob")), Err("closed"));
}

#[test]
fn any_rejection_ends_it_and_may_come_from_whoever_may_approve_at_a_lower_risk() {
    let mut record = approved_by(record(Risk::High, 1), &[api("bob")]);
    assert_eq!(decided(&record, DecisionKind::Deny, api("ann")), Ok(()));
    assert_eq!(decided(&record, DecisionKind::Deny, api("dan")), Err("no-grant"));
    let denial = decision(DecisionKind::Deny, api("ann"), &record);
    record.decisions.push(denial);
    assert!(!enough(&policy(), &record));
    assert_eq!(permitted(&policy(), &incident(record), false, now()).err(), Some("closed"));
}

#[test]
fn where_several_are_changed_the_name_of_what_they_are_part_of_is_typed() {
    let mut plan = plan(Risk::High);
    let mut second = plan.changes[0].clone();
    second.target.name = "api-2".into();
    plan.changes.push(second);
    let typed = |place: &str| {
        let at = Place { scope: Scope::Workload, name: place.into() };
        proposal_policy(&policy(), &plan, &at).0.typed_confirmation.expect("a name")
    };
    assert_eq!(typed("Deployment payments/checkout").as_str(), "checkout");
    assert_eq!(typed("worker-7").as_str(), "worker-7");
    assert_eq!(typed("").as_str(), "api-1", "the whole cluster has no name");
}

#[test]
fn high_risk_wants_the_name_typed_and_another_person() {
    let (wanted, lives) = proposal_policy(&policy(), &plan(Risk::High), &finding().key.place);
    assert_eq!(wanted.typed_confirmation.as_deref(), Some("api-1"));
    assert!(!wanted.requester_counts && lives == SignedDuration::from_hours(1));
    let mut record = record(Risk::High, 1);
    record.proposal.policy = wanted;
    record.proposal.requested_by = Some(api("bob"));
    let judge = |who: &str, typed: Option<&str>| {
        let approve = decision(DecisionKind::Approve, api(who), &record);
        decide(&policy(), &record, &finding(), &approve, typed, now()).map_err(|refusal| refusal.code())
    };
    assert_eq!(judge("cyd", None), Err("not-confirmed"));
    assert_eq!(judge("cyd", Some("api-2")), Err("not-confirmed"));
    assert_eq!(judge("cyd", Some(" api-1 ")), Ok(()));
    assert_eq!(judge("bob", Some("api-1")), Err("own-request"));
    assert!(!enough(&policy(), &approved_by(record.clone(), &[api("bob")])));
    assert!(enough(&policy(), &approved_by(record, &[api("cyd")])));
}

#[test]
fn what_kubemend_may_not_do_itself_is_not_approved() {
    let mut record = record(Risk::Low, 1);
    record.proposal.missing_rights = vec![rule()];
    assert_eq!(decided(&record, DecisionKind::Approve, api("ann")), Err("missing-rights"));
    assert_eq!(decided(&record, DecisionKind::Deny, api("ann")), Ok(()));
}

#[test]
fn a_permit_holds_exactly_what_was_approved() {
    let record = approved_by(record(Risk::Low, 2), &[api("ann"), api("bob")]);
    let permit = permitted(&policy(), &incident(record.clone()), false, now()).expect("a permit");
    assert_eq!(permit.plan(), &record.proposal.plan);
    assert_eq!(permit.digest(), &record.proposal.digest);
    assert_eq!(permit.execution(), &ExecutionId::from("x-i-1.p1"));
    assert_eq!(permit.cluster(), &crate::incident::Text::from("prod"));
    assert_eq!(permit.approvers(), [api("ann"), api("bob")]);
}

#[test]
fn rights_are_asked_again_when_it_runs() {
    let incident = incident(approved_by(record(Risk::Low, 2), &[api("ann"), api("bob")]));
    assert!(permitted(&policy(), &incident, false, now()).is_ok());
    let refusal =
        permit(&without("ann"), &incident, &"i-1.p1".into(), false, now()).expect_err("ann lost it");
    assert!(refusal.to_string().contains("1 of 2") && refusal.to_string().contains("ann"), "{refusal}");
    assert_eq!(permitted(&policy(), &incident, true, now()).err(), Some("paused"));
    assert_eq!(permitted(&policy(), &incident, false, later(60)).err(), Some("expired"));
}

#[test]
fn a_plan_that_is_not_the_approved_one_gets_no_permit() {
    let mut changed = approved_by(record(Risk::Low, 1), &[api("ann")]);
    changed.proposal.plan.changes[0].target.name = "api-2".into();
    assert_eq!(permitted(&policy(), &incident(changed), false, now()).err(), Some("tampered"));
    let mut resolved = incident(approved_by(record(Risk::Low, 1), &[api("ann")]));
    resolved.status = Status::Resolved { at: now() };
    assert_eq!(permitted(&policy(), &resolved, false, now()).err(), Some("incident-over"));
    resolved.proposals.get_mut(&ProposalId::from("i-1.p1")).expect("there").proposal.undoes =
        Some("x-i-1.p0".into());
    assert!(permitted(&policy(), &resolved, false, now()).is_ok(), "an undo may come after the end");
    assert_eq!(
        permit(&policy(), &resolved, &"i-1.p9".into(), false, now()).expect_err("none").code(),
        "no-proposal"
    );
}

#[test]
fn a_running_execution_gets_its_next_permit_and_an_ended_one_none() {
    let mut record = approved_by(record(Risk::Low, 1), &[api("ann")]);
    record.state = ProposalState::Executed { execution: "x-i-1.p1".into() };
    let mut incident = incident(record.clone());
    assert_eq!(permitted(&policy(), &incident, false, now()).err(), Some("tampered"), "no such execution");
    for (state, allowed) in [
        (ExecutionState::Ready, true),
        (ExecutionState::Intended { index: 0 }, true),
        (ExecutionState::Unsettled { index: 0, why: "lost".into() }, false),
        (ExecutionState::Verifying { since: now(), outcome: Outcome::Applied }, false),
    ] {
        let execution = Execution {
            id: "x-i-1.p1".into(),
            proposal: "i-1.p1".into(),
            digest: record.proposal.digest.clone(),
            approvers: vec![api("ann")],
            started: now(),
            members_before: 1,
            state: state.clone(),
            done: Vec::new(),
        };
        incident.executions.insert("x-i-1.p1".into(), execution);
        assert_eq!(permitted(&policy(), &incident, false, later(120)).is_ok(), allowed, "{state:?}");
    }
    let execution = incident.executions.get_mut(&ExecutionId::from("x-i-1.p1")).expect("there");
    execution.state = ExecutionState::Ready;
    let started = execution.clone();
    for other in [
        Execution { digest: Digest::of(&"something else"), ..started.clone() },
        Execution { proposal: "i-1.p2".into(), ..started },
    ] {
        incident.executions.insert("x-i-1.p1".into(), other);
        assert_eq!(permitted(&policy(), &incident, false, now()).err(), Some("tampered"));
    }
}

#[test]
fn a_plan_without_actions_or_changes_is_not_everybodys() {
    let mut record = record(Risk::Low, 1);
    record.proposal.plan.actions.clear();
    record.proposal.plan.changes.clear();
    record.proposal.digest = record.proposal.plan.digest();
    assert_eq!(decided(&record, DecisionKind::Approve, api("dan")), Err("no-grant"));
    assert_eq!(decided(&record, DecisionKind::Approve, api("ann")), Err("no-grant"));
}

#[test]
fn a_plan_in_two_namespaces_takes_a_grant_for_both() {
    let mut record = record(Risk::Low, 1);
    let mut second = record.proposal.plan.changes[0].clone();
    for namespace in ["kube-system", "shop"] {
        second.target.namespace = namespace.into();
        record.proposal.plan.changes.truncate(1);
        record.proposal.plan.changes.push(second.clone());
        record.proposal.digest = record.proposal.plan.digest();
        assert_eq!(decided(&record, DecisionKind::Approve, api("ann")), Err("no-grant"), "{namespace}");
        assert_eq!(decided(&record, DecisionKind::Approve, api("bob")), Ok(()), "{namespace}");
    }
}

#[test]
fn a_plan_of_two_actions_takes_a_grant_for_both() {
    for actions in [["pods.delete", "workloads.undo"], ["workloads.undo", "pods.delete"]] {
        let mut record = record(Risk::Low, 1);
        record.proposal.plan.actions = actions.map(Into::into).to_vec();
        record.proposal.digest = record.proposal.plan.digest();
        assert_eq!(decided(&record, DecisionKind::Approve, api("ann")), Err("no-grant"), "{actions:?}");
        assert_eq!(decided(&record, DecisionKind::Approve, api("bob")), Ok(()), "{actions:?}");
    }
}

#[test]
fn every_mistake_of_a_configuration_is_told_with_its_place() {
    let config: GateConfig = serde_json::from_value(json!({
        "roles": {"a": {"grants": [{"actions": [], "maxRisk": "low"}, {"actions": ["pod.delete"], "maxRisk": "low"}]}},
        "people": {
            "x": {"roles": ["b"], "identities": [{"via": "api", "id": "t"}, {"via": "auto", "id": "auto"}, {"via": "api", "id": " "}]},
            "y": {"roles": ["a"], "identities": [{"via": "api", "id": "t"}]},
        },
        "approvals": {"low": {"approvals": 0, "lives": "0s"}},
    }))
    .expect("well-formed");
    let mistakes = Policy::new(config).expect_err("mistakes");
    let starts = [
        "roles.a.grants[0].actions: an empty list",
        "roles.a.grants[1].actions: no action matches \"pod.delete\"",
        "people.x.roles: there is no role \"b\"",
        "people.x.identities: `auto`",
        "people.x.identities: an identity without an id",
        "people.y.identities: Api \"t\" is x already",
        "approvals.low.approvals: 0",
        "approvals.low.lives",
    ];
    for start in starts {
        assert!(mistakes.iter().any(|mistake| mistake.starts_with(start)), "{start} in {mistakes:#?}");
    }
    assert_eq!(mistakes.len(), starts.len(), "{mistakes:#?}");
    let unknown = serde_json::from_value::<GateConfig>(json!({"rolls": {}}));
    assert!(unknown.expect_err("unknown key").to_string().contains("rolls"));
}

#[test]
fn kubemend_itself_approves_only_what_the_operator_lets_it_and_never_high_risk() {
    let with = |auto: serde_json::Value| {
        let mut config = samples::config();
        config.auto = serde_json::from_value(auto).expect("grants");
        Policy::new(config)
    };
    let itself = |policy: &Policy, risk| {
        let record = record(risk, 1);
        let approve = decision(DecisionKind::Approve, Actor::auto(), &record);
        decide(policy, &record, &finding(), &approve, None, now()).map_err(|refusal| refusal.code())
    };
    assert_eq!(itself(&policy(), Risk::Low), Err("unknown-identity"));
    let low = with(json!([{"actions": ["pods.delete"], "maxRisk": "low"}])).expect("no mistakes");
    assert_eq!(itself(&low, Risk::Low), Ok(()));
    assert_eq!(itself(&low, Risk::Medium), Err("no-grant"));
    let approved = approved_by(record(Risk::Low, 1), &[Actor::auto()]);
    assert!(permitted(&low, &incident(approved), false, now()).is_ok());
    let high = with(json!([{"actions": ["*"], "maxRisk": "high"}])).expect_err("a mistake");
    assert!(high[0].starts_with("auto[0].maxRisk"), "{high:?}");
}
