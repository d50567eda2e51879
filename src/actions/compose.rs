//! The steps of one remedy, put together into one plan.
//!
//! A person approves the whole: all changes in their order, one digest. Refuses a plan that changes one object
//! by two patches (they would carry the same marker, and after a lost answer nobody could tell which of them
//! arrived), and one that is longer than a person reads.

use serde_json::Value;

use super::live::words;
use super::{ACTIONS, Action, Given, LiveObjects, Part, PlanError, Why};
use crate::incident::{
    Change, Check, Evidence, Finding, Operation, Plan, ProposalId, Risk, Rule, Target, Text, Undo,
};

/// More changes than this are not put into one plan.
const MOST_CHANGES: usize = 50;

/// Everything a plan is made from.
pub struct Order<'a> {
    /// The proposal that the plan is for.
    pub marker: &'a ProposalId,
    /// The actions in order, each with its arguments.
    pub steps: &'a [(Text, Value)],
    pub finding: &'a Finding,
    pub evidence: &'a Evidence,
    /// What [`inputs`] named, read just now.
    pub live: &'a LiveObjects,
    /// Checks beyond those of the actions.
    pub checks: &'a [Check],
    pub check_timeout_seconds: u32,
    /// The remedy's own risk; the plan's is the highest of all.
    pub risk: Risk,
}

/// The objects whose live JSON must be read before [`plan`]. Their uid is `""` where the arguments name none.
pub fn inputs(steps: &[(Text, Value)], evidence: &Evidence) -> Result<Vec<Target>, PlanError> {
    let mut targets = Vec::new();
    for (name, arguments) in steps {
        let action = action(name)?;
        targets.extend((action.inputs)(arguments, evidence).map_err(|why| error(name, why))?);
    }
    targets.sort();
    targets.dedup();
    Ok(targets)
}

/// The plan of a remedy.
pub fn plan(order: &Order<'_>) -> Result<Plan, PlanError> {
    let given =
        Given { marker: order.marker, finding: order.finding, evidence: order.evidence, live: order.live };
    let mut plan = empty(order);
    let mut ways_back = Vec::new();
    for (name, arguments) in order.steps {
        let action = action(name)?;
        let part = (action.plan)(arguments, &given).map_err(|why| error(name, why))?;
        refuse_clash(&plan, &part).map_err(|why| error(name, why))?;
        plan.risk = plan.risk.max(action.risk);
        ways_back.push(take_in(&mut plan, part));
    }
    plan.undo = together(ways_back);
    plan.rules = rules(&plan.changes);
    plan.checks.push(Check::ConditionGone {
        condition: order.finding.condition.clone(),
        key: order.finding.key.clone(),
    });
    for check in order.checks {
        push_new(&mut plan.checks, check.clone());
    }
    Ok(plan)
}

/// The rights that changes need, each once: to read the target again, and to change it.
pub fn rules(changes: &[Change]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for Change { target, operation, .. } in changes {
        let verb = match operation {
            Operation::Patch(_) => "patch",
            Operation::Delete(_) => "delete",
            Operation::Create(_) => "create",
        };
        for verb in ["get", verb] {
            push_new(&mut rules, rule(target, verb));
        }
    }
    rules
}

fn rule(target: &Target, verb: &str) -> Rule {
    // A right to create cannot be limited to a name: the API server does not know it yet when it asks.
    let name = if verb == "create" { Text::default() } else { target.name.clone() };
    Rule {
        verb: verb.into(),
        group: target.api.group.clone(),
        resource: target.api.plural.clone(),
        namespace: target.namespace.clone(),
        name,
    }
}

fn empty(order: &Order<'_>) -> Plan {
    Plan {
        marker: order.marker.clone(),
        actions: order.steps.iter().map(|(name, _)| name.clone()).collect(),
        changes: Vec::new(),
        checks: Vec::new(),
        check_timeout_seconds: order.check_timeout_seconds,
        risk: order.risk,
        undo: Undo::Needless("nothing is changed".into()),
        rules: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Adds a part to the plan and returns its way back.
fn take_in(plan: &mut Plan, part: Part) -> Undo {
    let Part { changes, checks, undo, warnings } = part;
    plan.changes.extend(changes);
    for check in checks {
        push_new(&mut plan.checks, check);
    }
    for warning in warnings {
        push_new(&mut plan.warnings, warning);
    }
    undo
}

fn refuse_clash(plan: &Plan, part: &Part) -> Result<(), Why> {
    if plan.changes.len() + part.changes.len() > MOST_CHANGES {
        return super::refuse(format!("one plan has at most {MOST_CHANGES} changes; do it in portions"));
    }
    let earlier = plan.changes.iter().chain(&part.changes);
    for (index, change) in plan.changes.iter().chain(&part.changes).enumerate() {
        let mut before = earlier.clone().take(index);
        if let Some(twice) = before.find(|other| clash(other, change)) {
            return super::refuse(format!("{} would be changed twice in one plan", words(&twice.target)));
        }
    }
    Ok(())
}

/// Two changes of one object fit into one plan only if the second is a delete after a patch.
fn clash(earlier: &Change, later: &Change) -> bool {
    let patch_then_delete =
        matches!((&earlier.operation, &later.operation), (Operation::Patch(_), Operation::Delete(_)));
    earlier.target.uid == later.target.uid && !patch_then_delete
}

/// The whole can be taken back only if each part can, last part first.
fn together(ways_back: Vec<Undo>) -> Undo {
    let mut impossible = Vec::new();
    let mut needless = Vec::new();
    let mut changes = Vec::new();
    for way in ways_back.into_iter().rev() {
        match way {
            Undo::Impossible(why) => impossible.insert(0, why),
            Undo::Needless(why) => needless.insert(0, why),
            Undo::Changes(back) => changes.extend(back),
        }
    }
    let joined = |texts: &[Text]| Text::from(texts.iter().map(Text::as_str).collect::<Vec<_>>().join("; "));
    if !impossible.is_empty() {
        Undo::Impossible(joined(&impossible))
    } else if changes.is_empty() {
        Undo::Needless(joined(&needless))
    } else {
        Undo::Changes(changes)
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn action(name: &Text) -> Result<&'static Action, PlanError> {
    let names = || ACTIONS.iter().map(|action| action.name).collect::<Vec<_>>().join(", ");
    Action::named(name).ok_or_else(|| error(name, Why::UnknownAction(names())))
}

fn error(action: &Text, why: Why) -> PlanError {
    PlanError { action: action.clone(), why }
}
