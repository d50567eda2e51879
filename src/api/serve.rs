//! The routes' handlers: read what was sent, ask the desk, shape the answer. No choices are made here.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::asks::{AuditQuery, Decide, Nothing, Settle, Silence};
use super::filter::IncidentQuery;
use super::problem::Problem;
use super::request::{Body, Params, Who};
use super::view::{
    AuditPage, IncidentDetail, IncidentPage, IncidentSummary, PauseView, PlaybookList, ProposalDetail,
    StatusView, WhoAmI,
};
use super::{Api, desk};
use crate::incident::{DecisionKind, ExecutionId, IncidentId, ProposalId};

type Answer<T> = Result<Json<T>, Problem>;

pub(super) async fn incidents(
    State(api): State<Api>,
    Who(who): Who,
    Params(query): Params<IncidentQuery>,
) -> Answer<IncidentPage> {
    desk::incidents(&api.engine, &who, &query).await.map(Json)
}

pub(super) async fn incident(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<IncidentId>,
) -> Answer<IncidentDetail> {
    desk::incident(&api.engine, &who, &id).await.map(Json)
}

pub(super) async fn silence(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<IncidentId>,
    Body(ask): Body<Silence>,
) -> Answer<IncidentSummary> {
    desk::silence(&api.engine, who, id, &ask).await.map(Json)
}

pub(super) async fn unsilence(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<IncidentId>,
    Body(Nothing {}): Body<Nothing>,
) -> Answer<IncidentSummary> {
    desk::unsilence(&api.engine, who, id).await.map(Json)
}

pub(super) async fn proposal(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ProposalId>,
) -> Answer<ProposalDetail> {
    desk::proposal(&api.engine, &who, &id).await.map(Json)
}

pub(super) async fn approve(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ProposalId>,
    Body(ask): Body<Decide>,
) -> Answer<ProposalDetail> {
    desk::decide(&api.engine, who, id, DecisionKind::Approve, &ask).await.map(Json)
}

pub(super) async fn deny(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ProposalId>,
    Body(ask): Body<Decide>,
) -> Answer<ProposalDetail> {
    desk::decide(&api.engine, who, id, DecisionKind::Deny, &ask).await.map(Json)
}

pub(super) async fn withdraw(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ProposalId>,
    Body(ask): Body<Decide>,
) -> Answer<ProposalDetail> {
    desk::decide(&api.engine, who, id, DecisionKind::Withdraw, &ask).await.map(Json)
}

pub(super) async fn undo(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ExecutionId>,
    Body(Nothing {}): Body<Nothing>,
) -> Answer<ProposalDetail> {
    desk::undo(&api.engine, who, id).await.map(Json)
}

pub(super) async fn settle(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<ExecutionId>,
    Body(ask): Body<Settle>,
) -> Answer<ProposalDetail> {
    desk::settle(&api.engine, who, id, &ask).await.map(Json)
}

pub(super) async fn audit(
    State(api): State<Api>,
    Who(who): Who,
    Params(query): Params<AuditQuery>,
) -> Answer<AuditPage> {
    desk::audit(&api.engine, &who, &query).await.map(Json)
}

pub(super) async fn status(State(api): State<Api>, Who(who): Who) -> Answer<StatusView> {
    desk::status(&api.engine, &who).map(Json)
}

pub(super) async fn whoami(State(api): State<Api>, Who(who): Who) -> Answer<WhoAmI> {
    Ok(Json(desk::whoami(&api.engine, who)))
}

pub(super) async fn playbooks(State(api): State<Api>, Who(who): Who) -> Answer<PlaybookList> {
    desk::playbooks(&api.engine, &who).map(Json)
}

pub(super) async fn pause(
    State(api): State<Api>,
    Who(who): Who,
    Body(Nothing {}): Body<Nothing>,
) -> Answer<PauseView> {
    desk::pause(&api.engine, who).await.map(Json)
}

pub(super) async fn resume(
    State(api): State<Api>,
    Who(who): Who,
    Body(Nothing {}): Body<Nothing>,
) -> Answer<PauseView> {
    desk::resume(&api.engine, who).await.map(Json)
}

pub(super) async fn document() -> Json<Value> {
    Json(super::document())
}
