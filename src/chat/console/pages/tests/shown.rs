//! Every page with sample data, written to `target/pages/` to be looked at.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::samples::{self, Far, book, clusters, incident, rows, visitor};
use crate::chat::console::pages::*;
use crate::incident::chain::{Audited, Head};
use crate::incident::{Digest, Evidence, Incident, Recorded, Risk};

/// Renders every sample page, and gives each its name and HTML.
pub(super) fn all(change: &dyn Fn(&mut Visitor)) -> Vec<(String, String)> {
    let pages = Pages::load(None).unwrap();
    let mut made = Vec::new();
    let mut show = |name: &str, page: &Page<'_>| {
        let mut visitor = visitor();
        change(&mut visitor);
        made.push((
            name.to_owned(),
            pages.render(page, &visitor).unwrap_or_else(|e| panic!("{name}: {e:?}")),
        ));
    };
    lists(&mut show);
    incidents(&mut show);
    others(&mut show);
    made
}

type Show<'s> = &'s mut dyn FnMut(&str, &Page<'_>);

fn lists(show: Show<'_>) {
    let (rows, clusters) = (rows(), clusters());
    let all = Filter::of::<&str, &str>([]);
    let filtered = Filter::of([("text", "nothing like it"), ("severity", "critical")]);
    let page = |rows, filter, clusters| {
        Page::Incidents(Incidents { rows, filter, more: false, clusters, playbooks: 21 })
    };
    show("incidents", &page(&rows, &all, &clusters[..1]));
    show("disconnected", &page(&rows, &all, &clusters));
    show("filtered", &page(&rows, &filtered, &clusters[..1]));
    show("empty", &page(&[], &all, &clusters[..1]));
    let mut loading = clusters[..1].to_vec();
    loading[0].kinds[0].synced = false;
    show("loading", &page(&[], &all, &loading));
}

fn incidents(show: Show<'_>) {
    for (name, far) in [
        ("proposed", Far::Proposed),
        ("executing", Far::Executing),
        ("verifying", Far::Verifying),
        ("fixed", Far::Fixed),
    ] {
        let (incident, records) = incident("i-7", far);
        one(name, &incident, &records, &samples::evidence(), show);
    }
    let mut entries = samples::entries("i-5", Far::Proposed);
    entries[1].1 =
        crate::incident::Entry::Proposed { proposal: Box::new(samples::proposal("i-5.p1", Risk::High)) };
    let (high, _) = samples::folded("i-5", entries);
    let record = high.proposals.values().next().unwrap();
    show("proposal", &Page::Proposal(ProposalPage { incident: &high, record }));
}

pub(super) fn one(
    name: &str,
    incident: &Incident,
    entries: &[Recorded],
    evidence: &Evidence,
    show: Show<'_>,
) {
    let book = book();
    let titles = book.iter().map(|one| (one.id.clone(), one.title.clone())).collect::<BTreeMap<_, _>>();
    let explanation = book.iter().find(|one| one.id == incident.finding.condition);
    show(
        name,
        &Page::Incident(IncidentPage {
            incident,
            entries,
            evidence: Some(evidence),
            explanation: explanation.map(|one| one.explanation.as_str()),
            manual: Some(
                "1. Find the secret: `kubectl -n payments get secrets`\n2. Add it to the ServiceAccount.\n3. Delete the waiting pods.",
            ),
            titles: &titles,
        }),
    );
}

fn others(show: Show<'_>) {
    let (_, records) = incident("i-7", Far::Fixed);
    let book = book();
    show("playbooks", &Page::Playbooks(Playbooks { playbooks: &book, text: "" }));
    let playbook = book.iter().find(|one| one.id.as_str() == "image.auth-missing").unwrap();
    show("playbook", &Page::Playbook(PlaybookPage { playbook, rows: &rows()[..1] }));
    let audited: Vec<Audited> = records.into_iter().rev().map(Audited::Incident).collect();
    let head = Head { seq: 51, hash: Digest::of_bytes(b"head") };
    let check = ChainCheck::Whole { records: 51, head: head.clone() };
    let query = AuditQuery::default();
    show(
        "audit",
        &Page::Audit(AuditPage {
            records: &audited,
            query: &query,
            more: true,
            check: Some(&check),
            problem: "",
        }),
    );
    let links = [
        ChatLink {
            name: "Slack".into(),
            state: LinkState::Connected,
            since: Some(samples::ago(7_000)),
            waiting: 0,
            trouble: None,
        },
        ChatLink {
            name: "Discord".into(),
            state: LinkState::Down,
            since: Some(samples::ago(90)),
            waiting: 4,
            trouble: Some("the gateway closed the connection (4004)".into()),
        },
    ];
    let queues = [Queue { name: "looks".into(), waiting: 3, left_out: 0 }];
    let status = StatusPage {
        version: "0.1.0",
        started: Some(samples::ago(7_300)),
        paused: false,
        open_incidents: 6,
        clusters: &clusters(),
        links: &links,
        queues: &queues,
        playbooks: 21,
        problems: &[],
        head: Some(&head),
    };
    show("status", &Page::Status(status));
    show(
        "login",
        &Page::Login(Login {
            token: true,
            oidc: Some("Keycloak"),
            next: "/incidents",
            problem: Some(LoginProblem::Token),
        }),
    );
    show(
        "error",
        &Page::Error(ErrorPage {
            status: 409,
            detail: "proposal i-7.p1 was replaced by i-7.p2",
            reference: "r-83c1",
        }),
    );
    cards(show);
}

fn cards(show: Show<'_>) {
    let slack = json!({ "blocks": [
        { "type": "header", "text": { "type": "plain_text", "text": "Private registry without credentials" } },
        { "type": "section", "text": { "type": "mrkdwn", "text": "*ServiceAccount* `payments/default` in *demo*, 3 pods since 3 min\n> 401 Unauthorized" } },
        { "type": "actions", "elements": [{ "type": "button", "style": "primary", "text": { "type": "plain_text", "text": "Approve" } }, { "type": "button", "text": { "type": "plain_text", "text": "Preview" } }] },
        { "type": "context", "elements": [{ "type": "mrkdwn", "text": "i-7 · Medium risk" }] },
    ]});
    let discord = json!({ "embeds": [{ "title": "Private registry without credentials", "color": 0x00c9_9a2e_u32, "description": "`payments/default` in **demo**", "fields": [{ "name": "Objects", "value": "3 pods", "inline": true }, { "name": "Since", "value": "3 min", "inline": true }] }], "components": [{ "type": 1, "components": [{ "type": 2, "style": 3, "label": "Approve" }, { "type": 2, "style": 2, "label": "Preview" }] }] });
    let card =
        |platform, layout| RenderedCard { platform, locale: "en".to_owned(), layout, problems: Vec::new() };
    let cards = [card(Platform::Slack, slack), card(Platform::Discord, discord)];
    let names = ["open".to_owned(), "fixed".to_owned()];
    show("cards", &Page::Cards(Cards { names: &names, chosen: "open", cards: &cards, mistakes: &[] }));
}

#[test]
fn every_page_can_be_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for file in ["console.css", "console.js", "htmx.js", "htmx-sse.js", "idiomorph.js", "icon.svg"] {
        std::fs::write(folder.join("assets").join(file), asset(file).unwrap().bytes).unwrap();
    }
    let local = regex::Regex::new(r"/assets/(\w[\w-]*)-[0-9a-f]{12}\.").unwrap();
    for (suffix, locale, theme) in [
        ("", Locale::En, Theme::Light),
        ("-dark", Locale::En, Theme::Dark),
        ("-zh", Locale::ZhCn, Theme::Light),
    ] {
        for (name, html) in all(&|visitor| (visitor.locale, visitor.theme) = (locale, theme)) {
            assert!(html.ends_with("</html>\n"), "{name} is not whole");
            let html = local.replace_all(&html, "assets/$1.").into_owned();
            std::fs::write(folder.join(format!("{name}{suffix}.html")), html).unwrap();
        }
    }
}
