//! The pages, for whoever is signed in: asks the engine, fills in what the pages show.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;

use super::answer::{self, Failure};
use super::list::{Part as Rendered, Wanted};
use super::pages::{
    Cards, Cluster, Filter, IncidentPage, Incidents, Page, Part, PlaybookDoc, PlaybookPage, Playbooks,
    ProposalPage, Queue, Row, StatusPage, Visitor,
};
use super::visit::{Signed, Visit};
use super::{Console, Sampled};
use crate::engine::Playbook;
use crate::incident::{ConditionId, Digest, IncidentId, ProposalId, Scope, Text};

/// A playbook's own incidents that its page shows.
const FEW: usize = 20;

type Asked = Query<Vec<(String, String)>>;

/// `GET /incidents`
pub(super) async fn incidents(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Query(asked): Asked,
) -> Response {
    let filter = Filter::of(asked);
    match visit.part {
        Some(Part::Live) => console.live_list(&visit, filter).await,
        None => {
            let shown = console.0.list.snapshot();
            console.with_list(&filter, &shown.rows, shown.more, |page| {
                console.page(&visit, StatusCode::OK, page)
            })
        }
    }
}

impl Console {
    /// The same for all who look at the same filter in the same language, so it is made for nobody in
    /// particular: without a name, without a form's secret.
    async fn live_list(&self, visit: &Visit, filter: Filter) -> Response {
        let (now, status) = (self.0.engine.now(), self.0.engine.status());
        let clusters: Vec<_> = status.clusters.iter().map(|c| (&c.name, c.connected)).collect();
        let stands = Digest::of(&(status.paused, clusters));
        let wanted = Wanted { filter, locale: visit.locale, stands };
        let ready = |part: &Rendered| {
            answer::ready("text/html; charset=utf-8", &part.html, &part.packed, &visit.headers)
        };
        if let Some(part) = self.0.list.part(&wanted, now) {
            return ready(&part);
        }
        let _turn = self.0.list.turn().await;
        if let Some(part) = self.0.list.part(&wanted, now) {
            return ready(&part);
        }
        let shown = self.0.list.snapshot();
        let anybody = Visitor {
            who: None,
            csrf: String::new(),
            locale: visit.locale,
            theme: super::pages::Theme::default(),
            now,
            demo: self.0.demo,
            paused: status.paused,
            notices: Vec::new(),
            live: true,
            part: Some(Part::Live),
            here: format!("/incidents{}", wanted.filter.query(wanted.filter.page)),
        };
        let filter = &wanted.filter;
        let made =
            self.with_list(filter, &shown.rows, shown.more, |page| self.0.pages.render(page, &anybody));
        match made {
            Ok(text) => {
                let html = Bytes::from(text);
                let packed = answer::packed(&html, Compression::new(4));
                let part = Rendered { revision: shown.revision, made: now, html, packed };
                let response = ready(&part);
                self.0.list.keep_part(wanted, part);
                response
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the list could not be rendered");
                answer::html(StatusCode::INTERNAL_SERVER_ERROR, String::new(), &visit.headers)
            }
        }
    }

    fn with_list<T>(&self, filter: &Filter, rows: &[Row], more: bool, to: impl FnOnce(&Page<'_>) -> T) -> T {
        let clusters: Vec<Cluster> = self.0.engine.status().clusters.iter().map(Cluster::from).collect();
        let playbooks = self.0.engine.book().len();
        to(&Page::Incidents(Incidents { rows, filter, more, clusters: &clusters, playbooks }))
    }
}

/// `GET /incidents/ID`
pub(super) async fn incident(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Path(id): Path<IncidentId>,
) -> Result<Response, Failure> {
    let engine = &console.0.engine;
    let view = engine.incident(&id).await?;
    let book = engine.book();
    let finding = &view.incident.finding;
    let titles: BTreeMap<ConditionId, Text> =
        book.iter().map(|playbook| (playbook.id.clone(), playbook.title.clone())).collect();
    let manual = view.evidence.as_ref().and_then(|evidence| engine.manual(&view.incident, evidence));
    let page = IncidentPage {
        incident: &view.incident,
        entries: &view.entries,
        evidence: view.evidence.as_deref(),
        explanation: book.get(&finding.condition).map(|playbook| playbook.explanation.as_str()),
        manual: manual.as_deref(),
        titles: &titles,
    };
    Ok(console.page(&visit, StatusCode::OK, &Page::Incident(page)))
}

/// `GET /proposals/ID`
pub(super) async fn proposal(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Path(id): Path<ProposalId>,
) -> Result<Response, Failure> {
    let incident = console.0.engine.proposal(&id).await?;
    let record = incident.proposals.get(&id).ok_or_else(Failure::not_found)?;
    let page = Page::Proposal(ProposalPage { incident: &incident, record });
    Ok(console.page(&visit, StatusCode::OK, &page))
}

/// `GET /playbooks?text`
pub(super) async fn playbooks(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Query(asked): Asked,
) -> Response {
    let text = one(&asked, "text");
    let playbooks: Vec<PlaybookDoc> = console.0.engine.book().iter().map(playbook_doc).collect();
    console.page(&visit, StatusCode::OK, &Page::Playbooks(Playbooks { playbooks: &playbooks, text }))
}

/// `GET /playbooks/ID`
pub(super) async fn playbook(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Path(id): Path<ConditionId>,
) -> Result<Response, Failure> {
    let book = console.0.engine.book();
    let doc = playbook_doc(book.get(&id).ok_or_else(Failure::not_found)?);
    let shown = console.0.list.snapshot();
    let rows: Vec<Row> = shown.rows.iter().filter(|row| row.condition == id).take(FEW).cloned().collect();
    let page = Page::Playbook(PlaybookPage { playbook: &doc, rows: &rows });
    Ok(console.page(&visit, StatusCode::OK, &page))
}

/// `GET /status`
pub(super) async fn status(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
) -> Result<Response, Failure> {
    let engine = &console.0.engine;
    let (status, head) = (engine.status(), engine.head().await?);
    let clusters: Vec<Cluster> = status.clusters.iter().map(Cluster::from).collect();
    let waiting = u64::try_from(status.waiting).unwrap_or(u64::MAX);
    let queues = [Queue { name: "looks".to_owned(), waiting, left_out: status.left_out }];
    let links = (console.0.links_to_chat)();
    let page = StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        started: Some(console.0.started),
        paused: status.paused,
        open_incidents: status.open_incidents,
        clusters: &clusters,
        links: &links,
        queues: &queues,
        playbooks: engine.book().len(),
        problems: &[],
        head: Some(&head),
    };
    Ok(console.page(&visit, StatusCode::OK, &Page::Status(page)))
}

/// `GET /cards?name`
pub(super) async fn cards(
    State(console): State<Console>,
    Signed { visit, .. }: Signed,
    Query(asked): Asked,
) -> Result<Response, Failure> {
    let sampled = (console.0.cards)(one(&asked, "name"), visit.locale).ok_or_else(Failure::not_found)?;
    let Sampled { names, chosen, cards, mistakes } = &sampled;
    let page = Cards { names, chosen, cards, mistakes };
    Ok(console.page(&visit, StatusCode::OK, &Page::Cards(page)))
}

pub(super) fn one<'a>(asked: &'a [(String, String)], name: &str) -> &'a str {
    let value = asked.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
    value.char_indices().nth(200).map_or(value, |(end, _)| &value[..end])
}

fn playbook_doc(playbook: &Playbook) -> PlaybookDoc {
    PlaybookDoc { scope: scope(playbook.scope).into(), ..PlaybookDoc::of(playbook) }
}

/// As playbooks write it.
fn scope(scope: Scope) -> String {
    serde_json::to_value(scope).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
