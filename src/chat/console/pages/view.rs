//! From the values of a page to what its template shows.
//!
//! Owns every choice of words and marks; a template only places them. Nothing here escapes: templates do.

mod audit;
mod cards;
mod evidence;
mod execution;
mod history;
mod incident;
mod incidents;
mod playbooks;
mod proposal;
mod status;
mod strip;

use serde_json::{Value, json};

use super::model::{ErrorPage, Login, LoginProblem, Page};
use super::say::Say;
use super::visitor::Visitor;

/// What a template needs.
pub(super) struct View {
    /// The template; its live part is `<template>-live`.
    pub template: &'static str,
    pub title: String,
    /// The entry of the navigation that is lit; `""` for none.
    pub section: &'static str,
    /// What of the live events concerns this page; `""` for nothing.
    pub live: String,
    pub data: Value,
}

/// What the template of a page shows.
pub(super) fn view(page: &Page<'_>, say: Say<'_>, visitor: &Visitor) -> View {
    match page {
        Page::Login(login) => self::login(login, say),
        Page::Incidents(page) => incidents::view(page, say),
        Page::Incident(page) => incident::view(page, say, visitor),
        Page::Proposal(page) => proposal::view(page, say, visitor),
        Page::Playbooks(page) => playbooks::list(page, say),
        Page::Playbook(page) => playbooks::one(page, say),
        Page::Audit(page) => audit::view(page, say),
        Page::Status(page) => status::view(page, say),
        Page::Cards(page) => cards::view(page, say),
        Page::Error(page) => error(page, say),
    }
}

fn login(page: &Login<'_>, say: Say<'_>) -> View {
    let problem = page.problem.map(|problem| match problem {
        LoginProblem::Token => "login.problem.token",
        LoginProblem::TooMany => "login.problem.too-many",
        LoginProblem::Provider => "login.problem.provider",
        LoginProblem::Expired => "login.problem.expired",
    });
    View {
        template: "login",
        title: say.t("login.title"),
        section: "",
        live: String::new(),
        data: json!({
            "token": page.token,
            "oidc": page.oidc.map(|name| say.fill("login.with", &[("provider", name)])),
            "next": page.next,
            "problem": problem.map(|key| say.t(key)),
        }),
    }
}

fn error(page: &ErrorPage<'_>, say: Say<'_>) -> View {
    let known = match page.status {
        400 | 422 => "bad",
        403 => "forbidden",
        404 => "missing",
        409 => "conflict",
        410 => "expired",
        429 => "too-many",
        503 => "unavailable",
        _ => "broken",
    };
    View {
        template: "error",
        title: say.t(&format!("error.{known}.title")),
        section: "",
        live: String::new(),
        data: json!({
            "status": page.status,
            "advice": say.t(&format!("error.{known}.advice")),
            "detail": page.detail,
            "reference": page.reference,
        }),
    }
}
