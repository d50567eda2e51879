//! The API's way to the engine: every question and request, and how a refusal is told.
//!
//! The only file here that calls the engine's handle. Whoever has a role may read; everything that changes
//! something, and the audit log, is judged behind the handle.

use tokio::sync::broadcast;

use super::asks::{AuditQuery, Decide, Settle, Silence};
use super::filter::IncidentQuery;
use super::problem::{Code, Problem};
use super::view::{
    AuditPage, EntryView, IncidentDetail, IncidentPage, IncidentSummary, PauseView, PlaybookList,
    PlaybookView, ProposalDetail, StatusView, WhoAmI,
};
use crate::engine::{AuditFilter, Handle, Kind, Order, Refused, Update};
use crate::incident::{Actor, DecisionKind, ExecutionId, Incident, IncidentId, ProposalId};

type Reply<T> = Result<T, Problem>;

const USUAL_PAGE: usize = 100;

pub(super) async fn incidents(engine: &Handle, who: &Actor, query: &IncidentQuery) -> Reply<IncidentPage> {
    reader(engine, who)?;
    let page = query.page();
    let asked = u32::try_from(page + 1).unwrap_or(u32::MAX);
    let mut found = engine.incidents(&query.filter(), asked).await.map_err(refused)?;
    let more = found.len() > page;
    found.truncate(page);
    let next = found.last().filter(|_| more).map(|incident| incident.id.clone());
    Ok(IncidentPage { incidents: found.iter().map(IncidentSummary::of).collect(), next })
}

pub(super) async fn incident(engine: &Handle, who: &Actor, id: &IncidentId) -> Reply<IncidentDetail> {
    reader(engine, who)?;
    let view = engine.incident(id).await.map_err(refused)?;
    Ok(IncidentDetail {
        incident: view.incident.as_ref().clone(),
        evidence: view.evidence,
        entries: view.entries.iter().map(EntryView::of).collect(),
    })
}

pub(super) async fn silence(
    engine: &Handle,
    who: Actor,
    id: IncidentId,
    ask: &Silence,
) -> Reply<IncidentSummary> {
    let until = ask.end(engine.status().at);
    let until =
        until.ok_or_else(|| Problem::invalid("give either `minutes`, or an `until` that lies ahead"))?;
    let silenced = engine.silence(&who, &id, until, ask.note()).await.map_err(refused)?;
    Ok(IncidentSummary::of(&silenced))
}

pub(super) async fn unsilence(engine: &Handle, who: Actor, id: IncidentId) -> Reply<IncidentSummary> {
    engine.unsilence(&who, &id).await.map(|incident| IncidentSummary::of(&incident)).map_err(refused)
}

pub(super) async fn proposal(engine: &Handle, who: &Actor, id: &ProposalId) -> Reply<ProposalDetail> {
    reader(engine, who)?;
    detail(engine, id).await
}

pub(super) async fn decide(
    engine: &Handle,
    who: Actor,
    id: ProposalId,
    kind: DecisionKind,
    ask: &Decide,
) -> Reply<ProposalDetail> {
    let seen =
        ask.digest().ok_or_else(|| Problem::invalid("`digest` is not a SHA-256 in lowercase hexadecimal"))?;
    engine.decide(&who, &id, kind, seen, ask.confirmation.clone(), ask.note()).await.map_err(refused)?;
    detail(engine, &id).await
}

pub(super) async fn undo(engine: &Handle, who: Actor, id: ExecutionId) -> Reply<ProposalDetail> {
    let made = engine.undo(&who, &id).await.map_err(refused)?;
    detail(engine, &made).await
}

pub(super) async fn settle(
    engine: &Handle,
    who: Actor,
    id: ExecutionId,
    ask: &Settle,
) -> Reply<ProposalDetail> {
    let settled = engine.settle(&who, &id, ask.index, ask.applied).await.map_err(refused)?;
    let proposal = settled.executions.get(&id).map(|execution| &execution.proposal);
    shown(&settled, proposal.ok_or_else(|| Problem::not_found("such execution"))?)
}

pub(super) async fn audit(engine: &Handle, who: &Actor, query: &AuditQuery) -> Reply<AuditPage> {
    let page = query.limit.unwrap_or(USUAL_PAGE).clamp(1, super::filter::LARGEST_PAGE);
    let filter =
        AuditFilter { incident: query.incident.clone(), after: query.after, ..AuditFilter::default() };
    let asked = u32::try_from(page + 1).unwrap_or(u32::MAX);
    let mut found = engine.audit(who, &filter, Order::OldestFirst, asked).await.map_err(refused)?;
    let more = found.len() > page;
    found.truncate(page);
    let entries: Vec<EntryView> = found.iter().map(EntryView::of_audited).collect();
    let next = entries.last().filter(|_| more).map(|entry| entry.seq);
    Ok(AuditPage { entries, next })
}

pub(super) fn status(engine: &Handle, who: &Actor) -> Reply<StatusView> {
    reader(engine, who)?;
    Ok(StatusView::of(engine.status()))
}

pub(super) fn whoami(engine: &Handle, who: Actor) -> WhoAmI {
    WhoAmI { roles: engine.roles(&who), actor: who }
}

pub(super) fn playbooks(engine: &Handle, who: &Actor) -> Reply<PlaybookList> {
    reader(engine, who)?;
    Ok(PlaybookList { playbooks: engine.book().iter().map(PlaybookView::of).collect() })
}

pub(super) async fn pause(engine: &Handle, who: Actor) -> Reply<PauseView> {
    engine.pause(&who).await.map(|_| PauseView { paused: true }).map_err(refused)
}

pub(super) async fn resume(engine: &Handle, who: Actor) -> Reply<PauseView> {
    engine.resume(&who).await.map(|()| PauseView { paused: false }).map_err(refused)
}

/// Where an event stream begins that wants nothing old.
pub(super) async fn newest(engine: &Handle) -> Reply<u64> {
    engine.newest().await.map_err(refused)
}

/// The entries after `seq`, for whoever follows.
pub(super) async fn entries_after(engine: &Handle, seq: u64, limit: u32) -> Reply<Vec<EntryView>> {
    let found = engine.entries_after(seq, limit).await.map_err(refused)?;
    Ok(found.iter().map(EntryView::of_audited).collect())
}

/// That something happened. What happened is read from the store.
pub(super) struct News(broadcast::Receiver<Update>);

pub(super) fn news(engine: &Handle) -> News {
    News(engine.subscribe())
}

impl News {
    /// From here on only what happens next counts as news.
    pub(super) fn forget(&mut self) {
        self.0 = self.0.resubscribe();
    }

    /// Waits until something happened; `None` when nothing can happen any more.
    pub(super) async fn wait(&mut self) -> Option<()> {
        match self.0.recv().await {
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => Some(()),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Whoever has a role may look.
pub(super) fn reader(engine: &Handle, who: &Actor) -> Reply<()> {
    if engine.roles(who).is_empty() {
        let hint = "ask whoever keeps kubemend's configuration to give this token a role";
        return Err(Problem::new(Code::Forbidden, format!("{} has no role", who.id), hint));
    }
    Ok(())
}

async fn detail(engine: &Handle, id: &ProposalId) -> Reply<ProposalDetail> {
    let incident = engine.proposal(id).await.map_err(refused)?;
    shown(&incident, id)
}

fn shown(incident: &Incident, id: &ProposalId) -> Reply<ProposalDetail> {
    ProposalDetail::of(incident, id).ok_or_else(|| Problem::not_found("such proposal"))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err, which gives the error away")]
/// What a person is told; the inside of a failure goes to the log.
fn refused(refused: Refused) -> Problem {
    let code = match refused.kind() {
        Kind::NotFound => Code::NotFound,
        Kind::Forbidden => Code::Forbidden,
        Kind::StaleDigest => Code::StaleDigest,
        Kind::Expired => Code::Expired,
        Kind::Conflict => Code::Conflict,
        Kind::Invalid => Code::Invalid,
        Kind::Unavailable => Code::Unavailable,
    };
    if let Some(source) = std::error::Error::source(&refused).filter(|_| code == Code::Unavailable) {
        tracing::error!(error = source, "{refused}");
    }
    Problem::new(code, refused.to_string(), refused.hint())
}
