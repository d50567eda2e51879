//! The console's pages: data in, HTML out.
//!
//! Owns what every page shows ([`Page`]), the compiled templates and words ([`Pages`]) and the files a
//! browser fetches ([`asset()`]). Pure after [`Pages::load`]: no server, no clock, no engine. Refuses to put
//! anything from a cluster into a page unescaped, to script inline, and to style inline.
//!
//! # What the server serves
//!
//! | request | page or effect |
//! |---|---|
//! | `GET /incidents?cluster&namespace&condition&severity&state&text&page` | [`Page::Incidents`]; [`Filter::of`] reads the query |
//! | `GET /incidents/ID` | [`Page::Incident`] |
//! | `GET /proposals/ID` | [`Page::Proposal`] |
//! | `GET /playbooks?text`, `GET /playbooks/ID` | [`Page::Playbooks`], [`Page::Playbook`] |
//! | `GET /audit?incident&kind&actor&since&until&before&check` | [`Page::Audit`]; `check=1` verifies the chain |
//! | `GET /audit/export?…` | the same records as JSON lines |
//! | `GET /status`, `GET /cards?name`, `GET /login?next` | the others |
//! | any of them with `?part=live` | the same page's live part alone ([`Part::Live`]) |
//! | `GET /live?on=list`, `?on=status`, `?on=incident:ID` | server-sent events `list`, `status`, `incident` (data: the id) |
//! | `POST /proposals/ID/decide` | `csrf kind(approve,deny,withdraw) digest confirmation note` |
//! | `POST /executions/ID/undo` | `csrf` |
//! | `POST /executions/ID/settle` | `csrf index applied(yes,no)` |
//! | `POST /incidents/ID/silence`, `…/unsilence` | `csrf minutes note` |
//! | `POST /pause`, `POST /resume` | `csrf` |
//! | `POST /login`, `GET /login/oidc?next`, `POST /logout` | `csrf token next` |
//! | `POST /settings` | `csrf locale(en,zh-CN) theme(system,light,dark) back`; both are optional |
//! | `GET /assets/NAME` | [`asset()`] |
//!
//! The live part of the incident list holds nothing of the visitor but locale, so that one rendering serves
//! all who look at the same filter.

mod asset;
mod book;
mod cards;
mod diff;
mod filter;
mod markdown;
mod model;
mod row;
mod say;
mod view;
mod visitor;

pub use asset::{Asset, asset};
pub use book::{Pages, PagesError};
pub use filter::{AuditQuery, Filter, StateFilter};
pub use model::{
    AuditPage, Cards, ChainCheck, ChatLink, Cluster, ErrorPage, IncidentPage, Incidents, Kind, LinkState,
    Login, LoginProblem, Page, Platform, PlaybookDoc, PlaybookPage, Playbooks, ProposalPage, Queue,
    RemedyDoc, RenderedCard, StatusPage,
};
pub use row::{Row, Stage};
pub use visitor::{Can, Locale, Notice, Part, Theme, Tone, Visitor, Who};

#[cfg(test)]
mod tests;
