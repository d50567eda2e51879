//! Why the engine did not do what somebody asked: for people, with the way out.

use thiserror::Error;

use crate::gate::Refusal;
use crate::incident::{ExecutionId, Illegal, IncidentId, ProposalId};

/// A request that was not granted. Nothing was changed.
#[derive(Debug, Error)]
pub enum Refused {
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    #[error("there is no proposal {0}")]
    NoProposal(ProposalId),
    #[error("there is no execution {0}")]
    NoExecution(ExecutionId),
    /// The gate says no.
    #[error(transparent)]
    Gate(#[from] Refusal),
    /// The incident's state does not allow it.
    #[error("{0}")]
    State(#[from] Illegal),
    /// There is no plan for what was asked.
    #[error("{0}")]
    Impossible(String),
    /// The cluster could not be asked.
    #[error("cluster {cluster} could not be asked: {why}")]
    Cluster { cluster: String, why: String },
    /// Others keep changing the incident at the same moment.
    #[error("incident {0} is being changed by others at the same moment")]
    Busy(IncidentId),
    /// The store failed; what went wrong is in the log.
    #[error("kubemend's store does not work")]
    Store(#[source] crate::store::StoreError),
}

/// Kinds of refusals, for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    NotFound,
    Forbidden,
    /// The digest named is not the proposal's.
    StaleDigest,
    /// The time to decide is over.
    Expired,
    /// The state is not one in which this can be done.
    Conflict,
    Invalid,
    Unavailable,
}

impl Refused {
    /// What kind of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoIncident(_) | Self::NoProposal(_) | Self::NoExecution(_) => Kind::NotFound,
            Self::Gate(refusal) => of_gate(refusal),
            Self::State(illegal) => of_state(illegal),
            Self::Impossible(_) | Self::Busy(_) => Kind::Conflict,
            Self::Cluster { .. } | Self::Store(_) => Kind::Unavailable,
        }
    }

    /// What to do about it; `""` where the sentence itself says so.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoIncident(_) => "`GET /api/v1/incidents` lists them; ended ones are kept for a while only",
            Self::NoProposal(_) | Self::NoExecution(_) => {
                "look at the incident again; it lists its proposals and executions"
            }
            Self::Gate(_) | Self::Impossible(_) => "",
            Self::State(_) => "look at the incident again, and decide about what it says now",
            Self::Cluster { .. } => {
                "try again when the cluster answers; `status` says how kubemend stands to it"
            }
            Self::Busy(_) => "try again",
            Self::Store(_) => "look at kubemend's log, and at the disk it stores on",
        }
    }
}

fn of_gate(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::Unknown { .. } | Refusal::NoGrant { .. } | Refusal::NoRight { .. } | Refusal::OwnRequest => {
            Kind::Forbidden
        }
        Refusal::NoProposal(_) => Kind::NotFound,
        Refusal::OtherDigest { .. } => Kind::StaleDigest,
        Refusal::Expired(_) => Kind::Expired,
        Refusal::NotConfirmed { .. } => Kind::Invalid,
        Refusal::Tampered(_)
        | Refusal::Closed { .. }
        | Refusal::AlreadyApproved { .. }
        | Refusal::NothingToWithdraw
        | Refusal::MissingRights { .. }
        | Refusal::Paused
        | Refusal::IncidentOver
        | Refusal::NotEnough { .. }
        | Refusal::ExecutedAlready => Kind::Conflict,
    }
}

fn of_state(illegal: &Illegal) -> Kind {
    match illegal {
        Illegal::OtherDigest { .. } => Kind::StaleDigest,
        Illegal::PastExpiry(..) => Kind::Expired,
        Illegal::UnknownProposal(_) | Illegal::UnknownExecution(_) => Kind::NotFound,
        Illegal::SilenceOver { .. } | Illegal::NoSuchChange(..) => Kind::Invalid,
        _ => Kind::Conflict,
    }
}
