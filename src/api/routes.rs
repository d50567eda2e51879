//! Every route: where it is, what it takes and gives, who serves it. Router and OpenAPI document are both
//! made from this list.

use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use super::problem::Code;
use super::{Api, asks, filter, openapi, serve, view};

/// One route.
pub(super) struct Route {
    pub method: Method,
    pub path: &'static str,
    /// The operation's id in the document.
    pub id: &'static str,
    pub summary: &'static str,
    pub access: Access,
    pub query: Option<openapi::SchemaOf>,
    pub body: Option<openapi::SchemaOf>,
    pub answer: Answer,
    /// Errors of this route beyond those of its access.
    pub errors: &'static [Code],
    pub handler: MethodRouter<Api>,
}

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Anyone,
    /// Whoever has a token; what the identity may do is the gate's to say.
    TokenHolders,
}

/// What a route gives when all is well.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Json(openapi::SchemaOf),
    Events(openapi::SchemaOf),
    Document,
}

use Answer::{Document, Events, Json};
use Code::{Conflict, Expired, Invalid, NotFound, StaleDigest, TooLarge};
use openapi::of;

const DECIDING: &[Code] = &[NotFound, StaleDigest, Conflict, Expired, TooLarge, Invalid];
const CHANGING: &[Code] = &[NotFound, Conflict, TooLarge, Invalid];

/// All of them, in the order of the document.
pub(super) fn all() -> Vec<Route> {
    let mut routes = incidents();
    routes.extend(decisions());
    routes.extend(executions());
    routes.extend(log());
    routes.extend(house());
    routes
}

fn incidents() -> Vec<Route> {
    vec![
        read("/api/v1/incidents", "listIncidents", "Incidents, newest first", get(serve::incidents))
            .query(of::<filter::IncidentQuery>)
            .gives(of::<view::IncidentPage>)
            .errors(&[Invalid]),
        read(
            "/api/v1/incidents/{id}",
            "getIncident",
            "One incident: finding, evidence, proposals, entries",
            get(serve::incident),
        )
        .gives(of::<view::IncidentDetail>)
        .errors(&[NotFound]),
        act(
            "/api/v1/incidents/{id}/silence",
            "silenceIncident",
            "No messages for a while",
            post(serve::silence),
        )
        .takes(of::<asks::Silence>)
        .gives(of::<view::IncidentSummary>)
        .errors(CHANGING),
        act(
            "/api/v1/incidents/{id}/unsilence",
            "unsilenceIncident",
            "Messages again",
            post(serve::unsilence),
        )
        .takes(of::<asks::Nothing>)
        .gives(of::<view::IncidentSummary>)
        .errors(CHANGING),
    ]
}

fn decisions() -> Vec<Route> {
    let decide = |path, id, summary, handler| {
        act(path, id, summary, handler)
            .takes(of::<asks::Decide>)
            .gives(of::<view::ProposalDetail>)
            .errors(DECIDING)
    };
    vec![
        read(
            "/api/v1/proposals/{id}",
            "getProposal",
            "One proposal: plan, preview, decisions",
            get(serve::proposal),
        )
        .gives(of::<view::ProposalDetail>)
        .errors(&[NotFound]),
        decide(
            "/api/v1/proposals/{id}/approve",
            "approve",
            "Approve the digest that was seen",
            post(serve::approve),
        ),
        decide("/api/v1/proposals/{id}/deny", "deny", "End the proposal", post(serve::deny)),
        decide(
            "/api/v1/proposals/{id}/withdraw",
            "withdraw",
            "Take back one's approval",
            post(serve::withdraw),
        ),
    ]
}

fn executions() -> Vec<Route> {
    vec![
        act("/api/v1/executions/{id}/undo", "undo", "Propose to take an execution back", post(serve::undo))
            .takes(of::<asks::Nothing>)
            .gives(of::<view::ProposalDetail>)
            .errors(CHANGING),
        act(
            "/api/v1/executions/{id}/settle",
            "settle",
            "Say whether a change of unknown effect happened",
            post(serve::settle),
        )
        .takes(of::<asks::Settle>)
        .gives(of::<view::ProposalDetail>)
        .errors(CHANGING),
    ]
}

fn log() -> Vec<Route> {
    vec![
        read("/api/v1/audit", "listAudit", "The audit log, oldest first", get(serve::audit))
            .query(of::<asks::AuditQuery>)
            .gives(of::<view::AuditPage>)
            .errors(&[Invalid]),
        Route {
            answer: Events(of::<view::EntryView>),
            ..read("/api/v1/events", "followEvents", "Entries as they are made", get(super::events::follow))
                .query(of::<asks::EventsQuery>)
                .errors(&[Invalid])
        },
    ]
}

fn house() -> Vec<Route> {
    vec![
        read(
            "/api/v1/status",
            "getStatus",
            "Clusters, counts, whether executions are paused",
            get(serve::status),
        )
        .gives(of::<view::StatusView>),
        read("/api/v1/whoami", "whoAmI", "Who the token stands for, and its roles", get(serve::whoami))
            .gives(of::<view::WhoAmI>),
        read("/api/v1/playbooks", "listPlaybooks", "The playbooks in force", get(serve::playbooks))
            .gives(of::<view::PlaybookList>),
        act("/api/v1/pause", "pause", "Stop all executions", post(serve::pause))
            .takes(of::<asks::Nothing>)
            .gives(of::<view::PauseView>)
            .errors(&[TooLarge, Invalid]),
        act("/api/v1/resume", "resume", "Let executions go on", post(serve::resume))
            .takes(of::<asks::Nothing>)
            .gives(of::<view::PauseView>)
            .errors(&[TooLarge, Invalid]),
        Route {
            access: Access::Anyone,
            ..read("/api/v1/openapi.json", "getOpenApi", "This document", get(serve::document))
        },
    ]
}

fn read(path: &'static str, id: &'static str, summary: &'static str, handler: MethodRouter<Api>) -> Route {
    Route {
        method: Method::GET,
        path,
        id,
        summary,
        access: Access::TokenHolders,
        query: None,
        body: None,
        answer: Document,
        errors: &[],
        handler,
    }
}

fn act(path: &'static str, id: &'static str, summary: &'static str, handler: MethodRouter<Api>) -> Route {
    Route { method: Method::POST, ..read(path, id, summary, handler) }
}

impl Route {
    fn query(self, query: openapi::SchemaOf) -> Self {
        Self { query: Some(query), ..self }
    }

    fn takes(self, body: openapi::SchemaOf) -> Self {
        Self { body: Some(body), ..self }
    }

    fn gives(self, answer: openapi::SchemaOf) -> Self {
        Self { answer: Json(answer), ..self }
    }

    fn errors(self, errors: &'static [Code]) -> Self {
        Self { errors, ..self }
    }
}
