//! Which incidents a question asks for, and in which pages. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::{Incident, IncidentId, Severity, Status};

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

impl IncidentQuery {
    /// How many incidents the page holds at most.
    pub fn page(&self) -> usize {
        self.limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE)
    }

    /// Whether the incident is asked for.
    pub fn covers(&self, incident: &Incident) -> bool {
        let finding = &incident.finding;
        let equal = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        equal(&self.cluster, &finding.subject.cluster)
            && equal(&self.namespace, &finding.subject.namespace)
            && self.condition.as_deref().is_none_or(|wanted| is_or_is_in(wanted, finding.condition.as_str()))
            && self.severity.is_none_or(|least| finding.severity >= least)
            && self.state.is_none_or(|state| state == StateFilter::from(&incident.status))
            && self.text.as_deref().is_none_or(|text| mentions(incident, &text.to_lowercase()))
    }

    /// The page of `incidents` that is asked for, newest first, and where the next one begins.
    pub fn select<'i>(
        &self,
        incidents: impl IntoIterator<Item = &'i Incident>,
    ) -> (Vec<&'i Incident>, Option<IncidentId>) {
        let after = self.after.as_ref().map(number);
        let mut found: Vec<&Incident> = incidents
            .into_iter()
            .filter(|incident| after.is_none_or(|after| number(&incident.id) < after))
            .filter(|incident| self.covers(incident))
            .collect();
        found.sort_by_key(|incident| std::cmp::Reverse(number(&incident.id)));
        let more = found.len() > self.page();
        found.truncate(self.page());
        let next = found.last().filter(|_| more).map(|incident| incident.id.clone());
        (found, next)
    }
}

/// `image.` covers `image.not-found`.
fn is_or_is_in(wanted: &str, condition: &str) -> bool {
    wanted == condition || (wanted.ends_with('.') && condition.starts_with(wanted))
}

fn number(id: &IncidentId) -> u64 {
    id.as_str().trim_start_matches("i-").parse().unwrap_or_default()
}

fn mentions(incident: &Incident, text: &str) -> bool {
    let finding = &incident.finding;
    let has = |place: &str| place.to_lowercase().contains(text);
    has(incident.id.as_str())
        || has(&finding.title)
        || has(&finding.cause)
        || has(finding.condition.as_str())
        || has(&finding.key.place.name)
        || finding.quotes.iter().any(|quote| has(&quote.text))
        || finding.variables.values().any(|value| has(value))
        || incident.members.listed.iter().any(|member| has(&member.name) || has(&member.namespace))
}
