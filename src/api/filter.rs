//! Which incidents a question asks for, and in which pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{IncidentFilter, StatusFilter};
use crate::incident::{IncidentId, Severity, Status};

/// The most incidents on one page.
pub const LARGEST_PAGE: usize = 500;
const USUAL_PAGE: usize = 50;

/// The query of `GET /api/v1/incidents`. What is left out does not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IncidentQuery {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// A condition id, or its family followed by a dot: `image.`.
    pub condition: Option<String>,
    /// This severity or a worse one.
    pub severity: Option<Severity>,
    pub state: Option<StateFilter>,
    /// Text that stands in the title, the cause, the quotes or the names of the objects; case does not count.
    pub text: Option<String>,
    /// How many at most.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub after: Option<IncidentId>,
}

/// Where an incident stands, for a filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StateFilter {
    Open,
    Absorbed,
    Resolved,
}

impl From<&Status> for StateFilter {
    fn from(status: &Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Absorbed { .. } => Self::Absorbed,
            Status::Resolved { .. } => Self::Resolved,
        }
    }
}

impl From<StateFilter> for StatusFilter {
    fn from(state: StateFilter) -> Self {
        match state {
            StateFilter::Open => Self::Open,
            StateFilter::Absorbed => Self::Absorbed,
            StateFilter::Resolved => Self::Resolved,
        }
    }
}

impl IncidentQuery {
    /// How many incidents the page holds at most.
    pub fn page(&self) -> usize {
        self.limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE)
    }

    /// The same, for the engine.
    pub(super) fn filter(&self) -> IncidentFilter {
        let Self { cluster, namespace, condition, severity, state, text, limit: _, after } = self.clone();
        let status = state.map(StatusFilter::from);
        IncidentFilter { cluster, namespace, condition, severity, status, text, before: after }
    }
}
