//! Why not, in sentences for the person who asked: what would be needed, and what to do.

use jiff::Timestamp;

use super::policy::{Ask, Right};
use crate::incident::{Actor, Digest, ProposalId, ProposalState, Rule, Text};

/// A wish that was not granted. Nothing happened.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The identity belongs to nobody in the configuration.
    #[error(
        "kubemend does not know you ({via} {id}). Ask whoever keeps its configuration to add this identity to `people`",
        via = via(who), id = who.id
    )]
    Unknown { who: Actor },
    /// None of the person's roles has a grant that covers it.
    #[error("{}", no_grant(who, ask, roles))]
    NoGrant { who: Actor, ask: Box<Ask>, roles: Vec<Text> },
    /// None of the person's roles has the right.
    #[error("{}", no_right(who, *right, roles))]
    NoRight { who: Actor, right: Right, roles: Vec<Text> },
    /// There is no such proposal.
    #[error("the incident has no proposal {0}")]
    NoProposal(ProposalId),
    /// What was seen is not what is proposed now.
    #[error("what you saw ({}) is not what is proposed now ({}); look at the proposal again and decide about that", seen.short(), now.short())]
    OtherDigest { seen: Digest, now: Digest },
    /// The stored plan does not match its digest.
    #[error(
        "the plan of {0} does not match the digest that was approved; nothing is done. Check the store (`kubemend audit verify`)"
    )]
    Tampered(ProposalId),
    /// Nobody decided in time.
    #[error("the proposal expired at {0}; if the condition still holds, a fresh one is made")]
    Expired(Timestamp),
    /// It is not open for this any more.
    #[error("{}", closed(state))]
    Closed { state: ProposalState },
    /// The same person approved it already.
    #[error("you have approved this already; {missing} more approval(s) by other people are needed")]
    AlreadyApproved { missing: usize },
    /// There is no approval of theirs to take back.
    #[error("you have not approved this, so there is nothing to withdraw")]
    NothingToWithdraw,
    /// Whoever asked for it may not approve it.
    #[error("you asked for this yourself, and at this risk somebody else must approve it")]
    OwnRequest,
    /// kubemend itself lacks rights on the cluster.
    #[error("{}", missing_rights(rules))]
    MissingRights { rules: Vec<Rule> },
    /// High risk: the name was not typed as it is.
    #[error("this is of high risk: type `{wanted}` exactly to confirm it")]
    NotConfirmed { wanted: Text },
    /// Somebody paused all executions.
    #[error("kubemend is paused; nothing is executed until somebody with the right `pause` resumes it")]
    Paused,
    /// The condition is gone.
    #[error("the incident is over; nothing needs to be done")]
    IncidentOver,
    /// Not enough people approved, counting those who still may.
    #[error("{have} of {need} approvals: {}", not_enough(lost))]
    NotEnough { have: usize, need: u8, lost: Vec<Text> },
    /// The execution is over.
    #[error("the proposal was executed already; nothing is done twice")]
    ExecutedAlready,
}

impl Refusal {
    /// A word for programs; each variant has its own, and they do not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-identity",
            Self::NoGrant { .. } => "no-grant",
            Self::NoRight { .. } => "no-right",
            Self::NoProposal(_) => "no-proposal",
            Self::OtherDigest { .. } => "other-digest",
            Self::Tampered(_) => "tampered",
            Self::Expired(_) => "expired",
            Self::Closed { .. } => "closed",
            Self::AlreadyApproved { .. } => "already-approved",
            Self::NothingToWithdraw => "nothing-to-withdraw",
            Self::OwnRequest => "own-request",
            Self::MissingRights { .. } => "missing-rights",
            Self::NotConfirmed { .. } => "not-confirmed",
            Self::Paused => "paused",
            Self::IncidentOver => "incident-over",
            Self::NotEnough { .. } => "not-enough",
            Self::ExecutedAlready => "executed-already",
        }
    }
}

fn via(who: &Actor) -> String {
    format!("{:?}", who.via).to_lowercase()
}

fn no_grant(who: &Actor, ask: &Ask, roles: &[Text]) -> String {
    let place = if ask.namespace.is_empty() {
        format!("in cluster {}, outside of namespaces", ask.cluster)
    } else {
        format!("in namespace {} of cluster {}", ask.namespace, ask.cluster)
    };
    let risk = format!("{:?}", ask.risk).to_lowercase();
    format!(
        "{} may not have `{}` done {place} for `{}` at {risk} risk. {}",
        who.name,
        ask.action,
        ask.condition,
        who_could(roles, "add a grant for it under `roles`")
    )
}

fn no_right(who: &Actor, right: Right, roles: &[Text]) -> String {
    let right = format!("{right:?}").to_lowercase();
    format!(
        "{} does not have the right `{right}`. {}",
        who.name,
        who_could(roles, "add it to a role's `rights`")
    )
}

fn who_could(roles: &[Text], way_out: &str) -> String {
    let names: Vec<&str> = roles.iter().map(Text::as_str).collect();
    if names.is_empty() {
        format!("No role allows it; whoever keeps kubemend's configuration can {way_out}")
    } else {
        format!("It takes the role {}: ask somebody who has it, or to be given it", names.join(" or "))
    }
}

fn closed(state: &ProposalState) -> String {
    match state {
        ProposalState::Open | ProposalState::Approved => {
            "the proposal is not open for this decision".to_owned()
        }
        ProposalState::Denied => {
            "the proposal was denied; that is final. Ask for a new one if it is still wanted".to_owned()
        }
        ProposalState::Expired => {
            "the proposal has expired; if the condition still holds, a fresh one is made".to_owned()
        }
        ProposalState::Stale { why } => {
            format!("the proposal is stale: {why}. A fresh one replaces it if one applies")
        }
        ProposalState::Superseded { by } => {
            format!("the proposal was replaced by {by}; decide about that one")
        }
        ProposalState::Executed { execution } => {
            format!("the proposal is being or was executed as {execution}")
        }
    }
}

fn missing_rights(rules: &[Rule]) -> String {
    let named: Vec<String> = rules.iter().take(5).map(rule).collect();
    let more = rules.len().saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "kubemend itself may not do this on the cluster: it lacks {}{more}. Grant it to kubemend's ServiceAccount \
         (`kubemend deploy` writes the rules of the enabled actions)",
        named.join(", ")
    )
}

fn rule(rule: &Rule) -> String {
    let Rule { verb, group, resource, namespace, name: _ } = rule;
    let resource = if group.is_empty() { resource.to_string() } else { format!("{resource}.{group}") };
    let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
    format!("`{verb} {resource}`{place}")
}

fn not_enough(lost: &[Text]) -> String {
    if lost.is_empty() {
        "others must approve first".to_owned()
    } else {
        let names: Vec<&str> = lost.iter().map(Text::as_str).collect();
        format!("the approval of {} does not count any more, since the right to it is gone", names.join(", "))
    }
}
