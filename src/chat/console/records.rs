//! The audit page and its export. Whoever has no right to the records gets neither.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tokio::sync::OwnedSemaphorePermit;

use super::Console;
use super::answer::Failure;
use super::pages::{AuditPage, AuditQuery, ChainCheck, Page};
use super::visit::Signed;
use crate::engine::{AuditFilter, Kind, Order, Refused};
use crate::incident::chain::Audited;
use crate::incident::{Actor, IncidentId};

/// Records on a page, and in a piece of an export.
const PAGE: u32 = 50;
const PIECE: u32 = 256;

/// `GET /audit`
pub(super) async fn page(
    State(console): State<Console>,
    Signed { who, visit, .. }: Signed,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let query = AuditQuery::of(asked);
    let (filter, problem) = match filter(&query) {
        Ok(filter) => (filter, String::new()),
        Err(problem) => (AuditFilter::default(), problem),
    };
    let mut records = console.0.engine.audit(&who, &filter, Order::NewestFirst, PAGE + 1).await?;
    let more = records.len() > PAGE as usize;
    records.truncate(PAGE as usize);
    let check = if query.check { Some(console.check(&who).await?) } else { None };
    let page = AuditPage { records: &records, query: &query, more, check: check.as_ref(), problem: &problem };
    Ok(console.page(&visit, StatusCode::OK, &Page::Audit(page)))
}

/// `GET /audit/export`: JSON lines, oldest first. Without a filter, what `kubemend audit verify --file` takes.
pub(super) async fn export(
    State(console): State<Console>,
    Signed { who, .. }: Signed,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let query = AuditQuery::of(asked);
    let filter = filter(&query).map_err(Failure::invalid)?;
    let whole = filter == AuditFilter { before: None, ..AuditFilter::default() };
    let place = console.heavy()?;
    let mut export = Export { console, who, filter, whole, after: 0, _place: place };
    // The first piece now, so that a refusal is an answer and not a broken file.
    let first = export.next().await?;
    let rest = stream::unfold(export, |mut export| async move {
        match export.next().await {
            Ok(None) => None,
            Ok(Some(piece)) => Some((Ok(piece), export)),
            Err(refused) => Some((Err(refused), export)),
        }
    });
    let pieces = futures::StreamExt::chain(stream::iter(first.map(Ok::<_, Refused>)), rest);
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl; charset=utf-8"));
    let name = "attachment; filename=\"kubemend-audit.jsonl\"";
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}

struct Export {
    console: Console,
    who: Actor,
    filter: AuditFilter,
    whole: bool,
    after: u64,
    _place: OwnedSemaphorePermit,
}

impl Export {
    /// The next lines; rights are asked again for each piece.
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        let engine = &self.console.0.engine;
        let mut text = String::new();
        if self.whole {
            for record in engine.export(&self.who, self.after).await? {
                self.after = record.seq;
                push(&mut text, &record);
            }
        } else {
            let filter = AuditFilter { after: Some(self.after), ..self.filter.clone() };
            for record in engine.audit(&self.who, &filter, Order::OldestFirst, PIECE).await? {
                self.after = match &record {
                    Audited::Incident(recorded) => recorded.seq,
                    Audited::General(general) => general.seq,
                };
                push(&mut text, &record);
            }
        }
        Ok((!text.is_empty()).then(|| Bytes::from(text)))
    }
}

impl Console {
    /// One at a time: it reads everything.
    async fn check(&self, who: &Actor) -> Result<ChainCheck, Failure> {
        let _place = self.heavy()?;
        match self.0.engine.verify(who).await {
            Ok(Ok(verified)) => Ok(ChainCheck::Whole { records: verified.records, head: verified.head }),
            Ok(Err(broken)) => Ok(ChainCheck::Broken(broken)),
            Err(refused) if refused.kind() == Kind::Unavailable => {
                tracing::error!(
                    error = &refused as &dyn std::error::Error,
                    "the records could not be verified"
                );
                Ok(ChainCheck::Failed(refused.to_string()))
            }
            Err(refused) => Err(refused.into()),
        }
    }

    fn heavy(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let place = Arc::clone(&self.0.heavy).try_acquire_owned();
        place.map_err(|_| {
            Failure::too_many("Somebody else is reading all records right now. Try again in a moment.")
        })
    }
}

fn push(text: &mut String, record: &impl serde::Serialize) {
    text.push_str(&serde_json::to_string(record).expect("plain data always serialises"));
    text.push('\n');
}

/// What the query asks for, or what is wrong with it.
fn filter(query: &AuditQuery) -> Result<AuditFilter, String> {
    let AuditQuery { incident, kind, actor, since, until, before, check: _ } = query;
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Ok(AuditFilter {
        incident: some(incident).map(|id| IncidentId::from(id.as_str())),
        kind: some(kind),
        actor: some(actor),
        since: moment(since, Span::new())?,
        until: moment(until, Span::new().days(1))?,
        after: None,
        before: *before,
    })
}

/// A timestamp, or the beginning of a day (UTC) and then some.
fn moment(text: &str, then: Span) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    let day = text.parse::<Date>().ok().and_then(|day| day.checked_add(then).ok());
    let begins = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    begins
        .map(Some)
        .ok_or_else(|| format!("{text} is no day (2026-01-31) and no time (2026-01-31T08:00:00Z)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_bound_what_is_shown() {
        let asked = AuditQuery::of([("since", "2026-01-30"), ("until", "2026-01-31"), ("actor", "api:ann")]);
        let filter = filter(&asked).expect("readable");
        assert_eq!(filter.since, "2026-01-30T00:00:00Z".parse().ok());
        assert_eq!(filter.until, "2026-02-01T00:00:00Z".parse().ok(), "the whole day");
        assert_eq!(filter.actor.as_deref(), Some("api:ann"));
        let exact = moment("2026-01-31T08:00:00Z", Span::new().days(1)).expect("readable");
        assert_eq!(exact, "2026-01-31T08:00:00Z".parse().ok());
        assert!(moment("yesterday", Span::new()).is_err());
    }
}
