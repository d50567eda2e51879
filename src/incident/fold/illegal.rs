//! Why an entry may not stand where it was put. Each way is named, so that a refusal can be explained.

use jiff::Timestamp;
use thiserror::Error;

use crate::incident::{Actor, Digest, ExecutionId, IncidentId, IncidentKey, ProposalId};

/// An entry that the incident's state does not allow.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Illegal {
    #[error("the first entry of an incident must open it")]
    NotOpened,
    #[error("the incident is open already")]
    AlreadyOpened,
    #[error("an entry of incident {entry} was put to incident {here}")]
    OtherIncident { here: IncidentId, entry: IncidentId },
    #[error("the incident is about {here}, the entry about {entry}")]
    OtherKey { here: Box<IncidentKey>, entry: Box<IncidentKey> },
    #[error("the incident is resolved")]
    AlreadyResolved,
    #[error("the incident is not resolved")]
    NotResolved,
    #[error("an incident cannot be part of itself")]
    AbsorbedByItself,
    #[error("the incident is already part of {into}")]
    AlreadyAbsorbed { into: IncidentId },
    #[error("the incident is not part of another one")]
    NotAbsorbed,
    #[error("a silence until {until} is over before it begins")]
    SilenceOver { until: Timestamp },
    #[error("the incident is not silenced")]
    NotSilenced,

    #[error("proposal {0} is not known in this incident")]
    UnknownProposal(ProposalId),
    #[error("proposal {0} exists already")]
    KnownProposal(ProposalId),
    #[error("proposal {0} does not carry a number of this incident")]
    ForeignProposal(ProposalId),
    #[error("proposal {0} holds a plan marked for {1}")]
    OtherMarker(ProposalId, ProposalId),
    #[error("proposal {proposal} has digest {real}, not {named}")]
    OtherDigest { proposal: ProposalId, real: Digest, named: Digest },
    #[error("proposal {0} asks for no approval, and nothing may be done without one")]
    NoApprovalAsked(ProposalId),
    #[error("proposal {0} expires before it is made")]
    BornExpired(ProposalId),
    #[error("proposal {0} is not open: {1}")]
    NotOpenForDecisions(ProposalId, &'static str),
    #[error("proposal {0} expired at {1}")]
    PastExpiry(ProposalId, Timestamp),
    #[error("proposal {0} lives until {1}")]
    NotYetExpired(ProposalId, Timestamp),
    #[error("proposal {0} needs rights that kubemend does not have")]
    MissingRights(ProposalId),
    #[error("{} approved {} already", .1.name, .0)]
    ApprovedTwice(ProposalId, Box<Actor>),
    #[error("{} has no approval of {} to withdraw", .1.name, .0)]
    NothingToWithdraw(ProposalId, Box<Actor>),
    #[error("proposal {0} cannot take its own place")]
    SupersededByItself(ProposalId),
    #[error("proposal {0} would take back {1}, which is not finished")]
    UndoesUnfinished(ProposalId, ExecutionId),

    #[error("execution {0} is not known in this incident")]
    UnknownExecution(ExecutionId),
    #[error("execution {0} exists already")]
    KnownExecution(ExecutionId),
    #[error("execution {0} is not the one execution of proposal {1}")]
    OtherExecution(ExecutionId, ProposalId),
    #[error("proposal {0} is not approved: {1}")]
    NotApproved(ProposalId, &'static str),
    #[error("the approvers named for {0} are not those who approved it")]
    OtherApprovers(ProposalId),
    #[error("execution {0} is still changing objects")]
    AnotherRuns(ExecutionId),
    #[error("execution {0} is {1}; its next change is not due")]
    NotReady(ExecutionId, &'static str),
    #[error("execution {execution} expects change {expected}, not {named}")]
    OtherChange { execution: ExecutionId, expected: u32, named: u32 },
    #[error("execution {0} has no change {1}")]
    NoSuchChange(ExecutionId, u32),
    #[error("change {1} of execution {0} was not intended")]
    NotIntended(ExecutionId, u32),
    #[error("execution {0} stopped at a change that was not made")]
    StoppedAlready(ExecutionId),
    #[error("execution {0} did not end like that")]
    OtherOutcome(ExecutionId),
    #[error("execution {0} is {1}; there is nothing to verify")]
    NotVerifying(ExecutionId, &'static str),
    #[error("change {1} of execution {0} is not in doubt")]
    NotInDoubt(ExecutionId, u32),
}
