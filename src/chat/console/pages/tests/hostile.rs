//! What a cluster says stays text in every page.

use super::samples::{self, Far, folded, visitor};
use super::shown;
use crate::chat::console::pages::book::TEMPLATES;
use crate::chat::console::pages::*;
use crate::chat::templates::Mistake;
use crate::incident::objects::Event;
use crate::incident::{Actor, Entry, Gap, LogTail, ObjectRef, Quote, Text, Via};

const EVIL: &str = "</p></script><script>alert(1)</script><img src=x onerror=alert(2)>\" ' onclick='x' {{csrf}} {{{page}}} \u{202e}drow\u{200b} javascript:alert(3)";

/// What must not come out of any page: ours carry none of these.
const FORBIDDEN: [&str; 5] = ["<script>", "<img", "href=\"javascript", "\u{202e}", "\u{200b}"];

fn check(name: &str, html: &str) {
    for bad in FORBIDDEN {
        assert!(!html.contains(bad), "{name} holds {bad}:\n{}", around(html, bad));
    }
    let handler = regex::Regex::new(r"<[a-z][^<>]*\son[a-z]+=").unwrap();
    assert!(!handler.is_match(html), "{name}: {:?}", handler.find(html));
    assert!(html.contains("&lt;script&gt;"), "{name} does not show the text");
}

fn around<'h>(html: &'h str, bad: &str) -> &'h str {
    let at = html.find(bad).unwrap_or_default();
    let from =
        (0..=at.saturating_sub(120)).rev().find(|from| html.is_char_boundary(*from)).unwrap_or_default();
    let to = (at + 120..html.len()).find(|to| html.is_char_boundary(*to)).unwrap_or(html.len());
    &html[from..to]
}

/// An incident in which every text of the cluster, of people and of playbooks is hostile.
fn hostile() -> Vec<(jiff::Timestamp, Entry)> {
    let evil = || Text::from(EVIL);
    let object = |object: &mut ObjectRef| {
        (object.name, object.namespace, object.cluster) = (evil(), evil(), evil());
    };
    let mut entries = samples::entries("i-7", Far::Fixed);
    for (_, entry) in &mut entries {
        match entry {
            Entry::Opened { finding, members, .. } => {
                (finding.title, finding.cause) = (evil(), EVIL.into());
                (finding.condition, finding.key.condition) = (EVIL.into(), EVIL.into());
                (finding.key.cluster, finding.key.place.name) = (evil(), evil());
                object(&mut finding.subject);
                members.listed.iter_mut().for_each(object);
                finding.quotes = finding
                    .quotes
                    .iter()
                    .map(|quote| Quote { origin: evil(), text: evil(), ..quote.clone() })
                    .collect();
                finding.variables = [(evil(), evil())].into();
                finding.also_possible = vec![EVIL.into()];
            }
            Entry::Proposed { proposal } => {
                (proposal.remedy.title, proposal.plan.warnings) = (evil(), vec![evil()]);
                proposal.preview.diff =
                    format!("--- {EVIL} (now)\n+++ b\n@@ -1,1 +1,2 @@\n {EVIL}: {EVIL}\n+{EVIL}\n");
                proposal.preview.kubectl = vec![EVIL.into()];
                proposal.preview.gaps = vec![evil()];
                for change in &mut proposal.plan.changes {
                    change.summary = evil();
                }
                for rule in &mut proposal.plan.rules {
                    (rule.resource, rule.namespace) = (evil(), evil());
                }
                proposal.digest = proposal.plan.digest();
            }
            _ => {}
        }
    }
    let Entry::Proposed { proposal } = entries[1].1.clone() else {
        unreachable!("the second entry proposes")
    };
    for (_, entry) in &mut entries {
        match entry {
            Entry::Decided { decision, .. } => {
                decision.digest = proposal.digest.clone();
                decision.note = evil();
                decision.by = Actor { via: Via::Slack, id: evil(), name: evil() };
            }
            Entry::ExecutionStarted { digest, approvers, .. } => {
                *digest = proposal.digest.clone();
                *approvers = vec![Actor { via: Via::Slack, id: evil(), name: evil() }];
            }
            Entry::Verified { checks, .. } => {
                for check in checks {
                    (check.check, check.detail) = (evil(), evil());
                }
            }
            _ => {}
        }
    }
    entries
}

#[test]
fn nothing_a_cluster_says_becomes_markup_in_an_incident() {
    let evil = || Text::from(EVIL);
    let mut evidence = samples::evidence();
    evidence.seen.events =
        vec![Event { reason: evil(), message: evil(), component: evil(), ..Event::default() }];
    evidence.seen.logs = vec![LogTail { container: evil(), previous: false, lines: vec![evil()] }];
    evidence.seen.gaps = vec![Gap { what: evil(), why: evil() }];
    let pages = Pages::load(None).unwrap();
    let entries = hostile();
    for far in [2, entries.len()] {
        let (incident, records) = folded("i-7", entries[..far].to_vec());
        let rows = [Row::of(&incident)];
        let record = incident.proposals.values().next().unwrap();
        let filter = Filter::of([("text", ""), ("namespace", EVIL), ("cluster", EVIL), ("condition", EVIL)]);
        let mut views = Vec::new();
        let mut show = |name: &str, page: &Page<'_>| {
            let mut visitor = visitor();
            (visitor.here, visitor.csrf) = (EVIL.into(), EVIL.into());
            visitor.notices = vec![Notice { tone: Tone::Bad, text: EVIL.into(), hint: EVIL.into() }];
            views.push((name.to_owned(), pages.render(page, &visitor).unwrap()));
            visitor.part = Some(Part::Live);
            views.push((format!("{name}, live part"), pages.render(page, &visitor).unwrap()));
        };
        shown::one("incident", &incident, &records, &evidence, &mut show);
        show("proposal", &Page::Proposal(ProposalPage { incident: &incident, record }));
        show(
            "incidents",
            &Page::Incidents(Incidents {
                rows: &rows,
                filter: &Filter::default(),
                more: false,
                clusters: &[],
                playbooks: 1,
            }),
        );
        show(
            "filtered",
            &Page::Incidents(Incidents {
                rows: &rows,
                filter: &filter,
                more: true,
                clusters: &[],
                playbooks: 1,
            }),
        );
        let audited: Vec<_> =
            records.iter().cloned().map(crate::incident::chain::Audited::Incident).collect();
        let query = AuditQuery { actor: EVIL.into(), since: EVIL.into(), ..AuditQuery::default() };
        show(
            "audit",
            &Page::Audit(AuditPage {
                records: &audited,
                query: &query,
                more: true,
                check: Some(&ChainCheck::Failed(EVIL.into())),
                problem: EVIL,
            }),
        );
        for (name, html) in views {
            check(&name, &html);
        }
    }
}

#[test]
fn nothing_becomes_markup_in_the_other_pages() {
    let pages = Pages::load(None).unwrap();
    let kind = Kind { name: EVIL.into(), synced: false, objects: 1, unparsed: 0, trouble: Some(EVIL.into()) };
    let clusters =
        [Cluster { name: EVIL.into(), connected: false, since: None, lag: None, kinds: vec![kind] }];
    let links = [ChatLink {
        name: EVIL.into(),
        state: LinkState::Down,
        since: None,
        waiting: 0,
        trouble: Some(EVIL.into()),
    }];
    let queues = [Queue { name: EVIL.into(), waiting: 0, left_out: 0 }];
    let problems = [EVIL.to_owned()];
    let status = StatusPage {
        version: EVIL,
        started: None,
        paused: true,
        open_incidents: 0,
        clusters: &clusters,
        links: &links,
        queues: &queues,
        playbooks: 0,
        problems: &problems,
        head: None,
    };
    let mut playbook = samples::book().remove(0);
    (playbook.title, playbook.explanation, playbook.source) =
        (EVIL.into(), EVIL.into(), format!("  match:\n    {EVIL}\n"));
    playbook.remedies.iter_mut().for_each(|remedy| remedy.explanation = EVIL.into());
    let layout = serde_json::json!({ "content": EVIL, "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": EVIL } }] });
    let card = |platform| RenderedCard {
        platform,
        locale: EVIL.to_owned(),
        layout: layout.clone(),
        problems: vec![EVIL.into()],
    };
    let names = [EVIL.to_owned()];
    for (name, page) in [
        ("status", Page::Status(status)),
        ("playbooks", Page::Playbooks(Playbooks { playbooks: std::slice::from_ref(&playbook), text: "" })),
        ("search", Page::Playbooks(Playbooks { playbooks: &[], text: EVIL })),
        ("playbook", Page::Playbook(PlaybookPage { playbook: &playbook, rows: &[] })),
        (
            "cards",
            Page::Cards(Cards {
                names: &names,
                chosen: EVIL,
                cards: &[card(Platform::Slack), card(Platform::Discord)],
                mistakes: &[Mistake::new(EVIL, 3, EVIL, EVIL)],
            }),
        ),
        ("login", Page::Login(Login { token: true, oidc: Some(EVIL), next: EVIL, problem: None })),
        ("error", Page::Error(ErrorPage { status: 500, detail: EVIL, reference: EVIL })),
    ] {
        check(name, &pages.render(&page, &visitor()).unwrap());
    }
}

#[test]
fn templates_let_in_html_only_where_it_is_made_of_escaped_parts() {
    let allowed = ["manual", "explanation", "page.explanation", "html"];
    for (name, text) in TEMPLATES {
        for raw in text.split("{{{").skip(1) {
            let what = raw.split("}}}").next().unwrap();
            assert!(allowed.contains(&what), "{name}: {what}");
        }
        assert!(!text.contains("{{&"), "{name}");
    }
}

#[test]
fn no_page_holds_what_the_content_policy_refuses() {
    let handler = regex::Regex::new(r"<[^>]*\s(on[a-z]+|style)=").unwrap();
    for (name, html) in shown::all(&|_| {}) {
        assert!(!handler.is_match(&html), "{name}: {:?}", handler.find(&html));
        assert!(!html.contains("hx-on") && !html.contains("<style"), "{name}");
        assert!(!html.contains("<script>") && !html.contains("src=\"http"), "{name}");
        // A playbook is shown as it is written, its templates with it.
        assert!(name == "playbook" || !html.contains("{{"), "{name}");
    }
}
