//! What people do by form: decisions, silence, taking back, settling, the brake. No choices are made here: the
//! engine's gate judges each.
//!
//! After a form comes the page of what it was about, by GET, with a notice of what became of it; a script gets
//! the page's live part instead. A refusal for lack of rights is a page of its own.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;

use super::Console;
use super::answer::{self, Failure};
use super::form::Posted;
use super::pages::{Locale, Notice, Tone};
use super::visit::Signed;
use crate::engine::{Kind, Refused};
use crate::incident::{DecisionKind, Digest, ExecutionId, IncidentId, ProposalId, Text};

/// The longest silence: four weeks.
const LONGEST_SILENCE: i64 = 28 * 24 * 60;

/// `POST /proposals/ID/decide`
pub(super) async fn decide(
    State(console): State<Console>,
    Path(id): Path<ProposalId>,
    Posted { signed, form }: Posted,
) -> Response {
    let kind = match form.get("kind") {
        "approve" => DecisionKind::Approve,
        "deny" => DecisionKind::Deny,
        "withdraw" => DecisionKind::Withdraw,
        _ => return Failure::invalid("`kind` is approve, deny or withdraw").into_response(),
    };
    let Some(seen) = Digest::parse(form.get("digest")) else {
        return Failure::invalid("`digest` is not a SHA-256 in lowercase hexadecimal").into_response();
    };
    let typed = Some(form.get("confirmation").trim().to_owned()).filter(|typed| !typed.is_empty());
    let decided = console.0.engine.decide(&signed.who, &id, kind, seen, typed, form.note()).await;
    let place = format!("/incidents/{}", incident_of(&id));
    after(&console, &signed, &place, decided.map(|_| said_of(kind)))
}

/// `POST /incidents/ID/silence`
pub(super) async fn silence(
    State(console): State<Console>,
    Path(id): Path<IncidentId>,
    Posted { signed, form }: Posted,
) -> Response {
    let minutes =
        form.get("minutes").parse::<i64>().ok().filter(|minutes| (1..=LONGEST_SILENCE).contains(minutes));
    let until = minutes
        .and_then(|minutes| console.0.engine.now().checked_add(SignedDuration::from_mins(minutes)).ok());
    let Some(until) = until else {
        return Failure::invalid("`minutes` is a number from 1 to 40320").into_response();
    };
    let done = console.0.engine.silence(&signed.who, &id, until, form.note()).await;
    after(&console, &signed, &format!("/incidents/{id}"), done.map(|_| Said::Silenced))
}

/// `POST /incidents/ID/unsilence`
pub(super) async fn unsilence(
    State(console): State<Console>,
    Path(id): Path<IncidentId>,
    Posted { signed, .. }: Posted,
) -> Response {
    let done = console.0.engine.unsilence(&signed.who, &id).await;
    after(&console, &signed, &format!("/incidents/{id}"), done.map(|_| Said::Unsilenced))
}

/// `POST /executions/ID/undo`
pub(super) async fn undo(
    State(console): State<Console>,
    Path(id): Path<ExecutionId>,
    Posted { signed, .. }: Posted,
) -> Response {
    let made = console.0.engine.undo(&signed.who, &id).await;
    let place = incident_page(&id);
    after(&console, &signed, &place, made.map(|_| Said::UndoProposed))
}

/// `POST /executions/ID/settle`
pub(super) async fn settle(
    State(console): State<Console>,
    Path(id): Path<ExecutionId>,
    Posted { signed, form }: Posted,
) -> Response {
    let applied = match form.get("applied") {
        "yes" => true,
        "no" => false,
        _ => return Failure::invalid("`applied` is yes or no").into_response(),
    };
    let Ok(index) = form.get("index").parse() else {
        return Failure::invalid("`index` is the number of a change").into_response();
    };
    let settled = console.0.engine.settle(&signed.who, &id, index, applied).await;
    after(&console, &signed, &incident_page(&id), settled.map(|_| Said::Settled))
}

/// `POST /pause`
pub(super) async fn pause(State(console): State<Console>, Posted { signed, form }: Posted) -> Response {
    let paused = console.0.engine.pause(&signed.who).await;
    after(&console, &signed, back(form.get("back")), paused.map(|_| Said::Paused))
}

/// `POST /resume`
pub(super) async fn resume(State(console): State<Console>, Posted { signed, form }: Posted) -> Response {
    let resumed = console.0.engine.resume(&signed.who).await;
    after(&console, &signed, back(form.get("back")), resumed.map(|()| Said::Resumed))
}

/// What was done, for the notice.
#[derive(Clone, Copy)]
enum Said {
    Approved,
    Denied,
    Withdrawn,
    Silenced,
    Unsilenced,
    UndoProposed,
    Settled,
    Paused,
    Resumed,
}

fn said_of(kind: DecisionKind) -> Said {
    match kind {
        DecisionKind::Approve => Said::Approved,
        DecisionKind::Deny => Said::Denied,
        DecisionKind::Withdraw => Said::Withdrawn,
    }
}

impl Said {
    fn text(self, locale: Locale) -> &'static str {
        let (en, zh) = match self {
            Self::Approved => ("Your approval is recorded.", "您的批准已记录。"),
            Self::Denied => ("The proposal is denied.", "该提议已被拒绝。"),
            Self::Withdrawn => ("Your approval is withdrawn.", "您的批准已撤回。"),
            Self::Silenced => ("The incident is silenced.", "该事件已静默。"),
            Self::Unsilenced => ("The incident is heard again.", "该事件已取消静默。"),
            Self::UndoProposed => (
                "Taking it back is proposed; it must be approved like anything else.",
                "已提议撤销；它同样需要批准。",
            ),
            Self::Settled => ("What became of the change is recorded.", "变更的结果已记录。"),
            Self::Paused => ("All executions are paused.", "所有执行已暂停。"),
            Self::Resumed => ("Executions go on.", "执行已恢复。"),
        };
        match locale {
            Locale::En => en,
            Locale::ZhCn => zh,
        }
    }
}

fn after(console: &Console, signed: &Signed, place: &str, done: Result<Said, Refused>) -> Response {
    let notice = match done {
        Ok(said) => {
            let text = said.text(signed.visit.locale).to_owned();
            Notice { tone: Tone::Good, text, hint: String::new() }
        }
        Err(refused) => match refused.kind() {
            Kind::Forbidden | Kind::NotFound | Kind::Unavailable => {
                return Failure::from(refused).into_response();
            }
            Kind::StaleDigest | Kind::Expired | Kind::Conflict | Kind::Invalid => {
                Notice { tone: Tone::Bad, text: refused.to_string(), hint: refused.hint().to_owned() }
            }
        },
    };
    console.0.sessions.tell(&signed.session, notice);
    if signed.visit.scripted { answer::see_whole(place) } else { answer::see(place) }
}

fn back(wanted: &str) -> &str {
    if wanted.is_empty() { "/status" } else { answer::own_path(wanted) }
}

fn incident_page(id: &ExecutionId) -> String {
    let proposal = id.as_str().strip_prefix("x-").unwrap_or(id.as_str());
    format!("/incidents/{}", incident_of(&ProposalId::from(proposal)))
}

/// `i-42` of `i-42.p1`, fit for a path: the id comes from one.
fn incident_of(id: &ProposalId) -> Text {
    let incident = id.as_str().rsplit_once(".p").map_or(id.as_str(), |(incident, _)| incident);
    let plain = incident.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(30);
    plain.collect::<String>().into()
}
