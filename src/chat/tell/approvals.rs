//! Whose approvals stand, as the decisions say. What counts is judged by the gate; this is for showing.

use crate::incident::{Actor, Decision, DecisionKind};

/// Those whose last word is an approval, oldest first.
pub fn standing(decisions: &[Decision]) -> Vec<Actor> {
    let mut actors: Vec<Actor> = Vec::new();
    for decision in decisions {
        let by = &decision.by;
        actors.retain(|actor| (actor.via, &actor.id) != (by.via, &by.id));
        match decision.kind {
            DecisionKind::Approve => actors.push(by.clone()),
            DecisionKind::Deny | DecisionKind::Withdraw => {}
        }
    }
    actors
}
