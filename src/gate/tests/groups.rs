//! Roles that come with a group of a chat platform.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::gate::{GroupConfig, Members};
use crate::incident::Text;

fn with_groups(members: &[(Via, &str, &str)]) -> Policy {
    let group = |via, id: &str| GroupConfig { via, id: id.into(), roles: vec!["sre".into()] };
    let groups = vec![group(Via::Slack, "S-oncall"), group(Via::Discord, "R-oncall")];
    let policy = Policy::new(GateConfig { groups, ..samples::config() }).expect("no mistakes");
    let mut known = Members::new();
    for (via, id, group) in members {
        known.entry((*via, Text::new(id))).or_default().insert(Text::new(group));
    }
    policy.with_members(Arc::new(known))
}

#[test]
fn whoever_is_in_a_group_has_its_roles_as_long_as_they_are_in_it() {
    let member = actor(Via::Slack, "U9");
    let policy = with_groups(&[(Via::Slack, "U9", "S-oncall")]);
    assert_eq!(policy.roles(&member), ["sre"]);
    assert!(can(&policy, &member, Right::Pause).is_ok());
    let left = with_groups(&[]);
    assert!(can(&left, &member, Right::Pause).is_err());
    assert_eq!(left.person(&member), None);
}

#[test]
fn a_group_of_another_platform_or_without_roles_gives_nothing() {
    let policy = with_groups(&[(Via::Discord, "U9", "S-oncall"), (Via::Slack, "U8", "S-other")]);
    assert!(policy.person(&actor(Via::Discord, "U9")).is_none());
    assert!(policy.person(&actor(Via::Slack, "U8")).is_none());
}

#[test]
fn a_person_with_a_name_has_the_roles_of_their_groups_besides_their_own() {
    let policy = with_groups(&[(Via::Slack, "U1", "S-oncall")]);
    assert_eq!(policy.roles(&actor(Via::Slack, "U1")), ["operator", "sre"]);
    assert_eq!(policy.roles(&api("ann")), ["operator"]);
}

#[test]
fn an_approval_counts_only_while_its_giver_is_in_the_group() {
    let member = actor(Via::Slack, "U9");
    let record = approved_by(record(Risk::High, 1), std::slice::from_ref(&member));
    let policy = with_groups(&[(Via::Slack, "U9", "S-oncall")]);
    assert!(permitted(&policy, &incident(record.clone()), false, now()).is_ok());
    assert_eq!(permitted(&with_groups(&[]), &incident(record), false, now()).err(), Some("not-enough"));
}

#[test]
fn people_who_could_be_one_and_the_same_count_as_one() {
    let slack = [(Via::Slack, "U9", "S-oncall"), (Via::Slack, "U8", "S-oncall")];
    let both = [slack[0], slack[1], (Via::Discord, "D9", "R-oncall")];
    let policy = with_groups(&both);
    let enough_by = |people: &[Actor]| enough(&policy, &approved_by(record(Risk::Low, 2), people));
    let (nine, eight) = (actor(Via::Slack, "U9"), actor(Via::Slack, "U8"));
    assert!(enough_by(&[nine.clone(), eight.clone()]), "two accounts of one workspace");
    assert!(!enough_by(&[nine.clone(), actor(Via::Discord, "D9")]), "could be one person in both");
    assert!(enough_by(&[nine.clone(), api("ann")]), "ann has another Slack account");
    assert!(!enough_by(&[nine.clone(), api("bob")]), "bob could be U9");
    assert!(enough_by(&[api("bob"), nine, eight]), "two of the three are certainly different");
}

#[test]
fn who_asked_for_something_cannot_approve_it_from_another_platform() {
    let policy = with_groups(&[(Via::Slack, "U9", "S-oncall"), (Via::Discord, "D9", "R-oncall")]);
    let mut record = record(Risk::High, 1);
    record.proposal.policy.requester_counts = false;
    record.proposal.requested_by = Some(actor(Via::Slack, "U9"));
    let approve = decision(DecisionKind::Approve, actor(Via::Discord, "D9"), &record);
    let refused = decide(&policy, &record, &finding(), &approve, None, now()).expect_err("maybe the same");
    assert_eq!(refused.code(), "own-request");
}

#[test]
fn somebody_of_whom_it_is_not_known_who_else_they_are_can_still_withdraw() {
    let policy = with_groups(&[(Via::Slack, "U9", "S-oncall"), (Via::Discord, "D9", "R-oncall")]);
    let people = [actor(Via::Slack, "U9"), actor(Via::Discord, "D9")];
    let record = approved_by(record(Risk::Low, 3), &people);
    for by in people {
        let withdraw = decision(DecisionKind::Withdraw, by, &record);
        assert_eq!(decide(&policy, &record, &finding(), &withdraw, None, now()), Ok(()));
    }
}

#[test]
fn mistakes_about_groups_are_told() {
    let group = |via, id: &str, role: &str| GroupConfig { via, id: id.into(), roles: vec![role.into()] };
    let groups = vec![group(Via::Api, "x", "sre"), group(Via::Slack, " ", "boss")];
    let mistakes = Policy::new(GateConfig { groups, ..samples::config() }).expect_err("three mistakes");
    let places: BTreeSet<&str> = mistakes.iter().filter_map(|m| m.split(": ").next()).collect();
    assert_eq!(places, BTreeSet::from(["groups[0].via", "groups[1].id", "groups[1].roles"]));
}
