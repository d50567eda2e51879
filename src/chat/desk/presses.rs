//! What each button does.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;

use super::{Desk, Reply, no};
use crate::chat::answer::{Answer, Form, Input, InputKind};
use crate::chat::identity::Caller;
use crate::chat::press::{Press, Seen};
use crate::chat::tell::standing;
use crate::engine::Refused;
use crate::incident::{
    Actor, Candidate, DecisionKind, IncidentId, ProposalId, ProposalRecord, ProposalState, Text,
};

/// How long "not a problem" is quiet.
const DISMISSED: SignedDuration = SignedDuration::from_hours(24 * 7);
/// No silence is longer.
const LONGEST_SILENCE_MINUTES: u32 = 30 * 24 * 60;
/// What is typed to confirm.
const CONFIRM: &str = "confirm";

impl Desk {
    pub(super) async fn pressed(
        &self,
        who: &Actor,
        press: Press,
        values: &BTreeMap<String, String>,
    ) -> Reply {
        match press {
            Press::Approve { proposal, seen } => self.approve(who, &proposal, &seen, None).await,
            Press::Confirm { proposal, seen } => {
                // A button in the place of a form that could not be shown asks again.
                self.approve(who, &proposal, &seen, values.get(CONFIRM).cloned()).await
            }
            Press::Deny { proposal, seen } => {
                self.decide_as_seen(who, &proposal, &seen, DecisionKind::Deny, "answer.denied").await
            }
            Press::Withdraw { proposal, seen } => {
                self.decide_as_seen(who, &proposal, &seen, DecisionKind::Withdraw, "answer.withdrawn").await
            }
            Press::Preview { proposal } => self.preview(&proposal).await,
            Press::Undo { execution } => {
                let made = self.engine.undo(who, &execution).await?;
                self.put_forward(&made, "answer.undo").await
            }
            Press::Settle { execution, index, applied } => {
                self.engine.settle(who, &execution, index, applied).await?;
                Ok(self.done("answer.settled", &json!({"index": index + 1, "applied": applied})))
            }
            Press::Show { incident } => self.show(&incident).await,
            Press::Silence { incident, minutes } => {
                let lasting = i64::from(minutes.clamp(1, LONGEST_SILENCE_MINUTES));
                self.silence(who, &incident, SignedDuration::from_mins(lasting), Text::default()).await
            }
            Press::Dismiss { incident } => {
                self.silence(who, &incident, DISMISSED, self.words.word("button.dismiss").into()).await
            }
            Press::Unsilence { incident } => {
                self.engine.unsilence(who, &incident).await?;
                Ok(self.done("answer.unsilenced", &json!({"id": incident})))
            }
            Press::Run { incident, remedy } => {
                let chosen = values.iter().filter(|(_, value)| !value.trim().is_empty());
                let parameters = chosen.map(|(name, value)| (name.into(), value.into())).collect();
                self.run(who, &incident, &remedy, &parameters).await
            }
        }
    }

    /// What must be looked at before it is decided about.
    pub(super) async fn preview(&self, id: &ProposalId) -> Reply {
        let (incident, record) = self.record(id).await?;
        Ok(Answer::Sheet(self.with_teller(|teller, _| teller.preview(&incident, &record))))
    }

    async fn approve(&self, who: &Actor, id: &ProposalId, seen: &Seen, typed: Option<String>) -> Reply {
        let (_, record) = self.record(id).await?;
        if !seen.is(&record.proposal.digest) {
            return Ok(no(self.words.say("answer.stale_press", &json!({"id": id}))));
        }
        if let (None, Some(form)) = (&typed, self.confirmation_of(&record, seen)) {
            return Ok(Answer::Form(form));
        }
        let (digest, kind) = (record.proposal.digest.clone(), DecisionKind::Approve);
        let decided = self.engine.decide(who, id, kind, digest, typed, Text::default()).await?;
        Ok(self.approved(&decided))
    }

    pub(super) fn approved(&self, record: &ProposalRecord) -> Answer {
        let id = &record.proposal.id;
        let need = usize::from(record.proposal.policy.approvals.max(1));
        let missing = need.saturating_sub(standing(&record.decisions).len());
        if record.state == ProposalState::Open && missing > 0 {
            return self.done("answer.approved.more", &json!({"id": id, "n": missing}));
        }
        let state = self.words.word("card.run.approved");
        self.done("answer.approved", &json!({"id": id, "state": state}))
    }

    /// What must be typed before the proposal is approved as it was seen, if anything.
    fn confirmation_of(&self, record: &ProposalRecord, seen: &Seen) -> Option<Form> {
        let proposal = &record.proposal;
        let wanted = proposal.policy.typed_confirmation.as_ref()?;
        let asks = record.state == ProposalState::Open && seen.is(&proposal.digest);
        asks.then(|| self.confirmation(&proposal.id, seen, wanted)).flatten()
    }

    fn confirmation(&self, id: &ProposalId, seen: &Seen, wanted: &Text) -> Option<Form> {
        let press = Press::Confirm { proposal: id.clone(), seen: seen.clone() };
        let input = Input {
            name: CONFIRM.to_owned(),
            label: self.words.say("form.confirm.label", &json!({"wanted": wanted})),
            kind: InputKind::Line { placeholder: wanted.to_string() },
            value: String::new(),
            required: true,
        };
        press.id().map(|id| Form {
            id,
            title: self.words.word("form.confirm"),
            intro: vec![crate::chat::layout::text(
                self.words.say("form.confirm.label", &json!({"wanted": wanted})),
            )],
            inputs: vec![input],
            submit: self.words.word("form.confirm.submit"),
        })
    }

    async fn decide_as_seen(
        &self,
        who: &Actor,
        id: &ProposalId,
        seen: &Seen,
        kind: DecisionKind,
        key: &str,
    ) -> Reply {
        let (_, record) = self.record(id).await?;
        if !seen.is(&record.proposal.digest) {
            return Ok(no(self.words.say("answer.stale_press", &json!({"id": id}))));
        }
        self.engine.decide(who, id, kind, record.proposal.digest, None, Text::default()).await?;
        Ok(self.done(key, &json!({"id": id})))
    }

    pub(super) async fn silence(
        &self,
        who: &Actor,
        id: &IncidentId,
        lasting: SignedDuration,
        note: Text,
    ) -> Reply {
        let until = self.engine.now().checked_add(lasting).unwrap_or(jiff::Timestamp::MAX);
        self.engine.silence(who, id, until, note).await?;
        Ok(self.done_at("answer.silenced", &json!({"id": id}), until))
    }

    /// Asks for a remedy; asks back where there is something to choose and nothing was chosen.
    pub(super) async fn run(
        &self,
        who: &Actor,
        id: &IncidentId,
        remedy: &Text,
        parameters: &BTreeMap<Text, Text>,
    ) -> Reply {
        if parameters.is_empty()
            && let Some(form) = self.choices(who, id, remedy).await?
        {
            return Ok(Answer::Form(form));
        }
        let made = self.engine.request(who, id, remedy, parameters).await?;
        self.put_forward(&made, "answer.requested").await
    }

    /// What is to be chosen for a remedy, if anything.
    async fn choices(&self, who: &Actor, id: &IncidentId, remedy: &Text) -> Result<Option<Form>, Refused> {
        let offered = self.engine.remedies(who, id).await?;
        let wanted = offered.iter().find(|candidate| candidate.remedy == *remedy);
        Ok(wanted.filter(|candidate| has_choice(candidate)).and_then(|c| self.questions(id, c)))
    }

    /// The questions that a press would be answered with. Nothing is done and nothing recorded; for platforms
    /// that must know before they acknowledge.
    pub async fn asks(&self, who: &Caller, id: &str) -> Option<Form> {
        self.heed(who);
        if self.is_nobody(&who.actor) {
            return None;
        }
        match Press::read(id)? {
            Press::Approve { proposal, seen } | Press::Confirm { proposal, seen } => {
                let (_, record) = self.record(&proposal).await.ok()?;
                self.confirmation_of(&record, &seen)
            }
            Press::Run { incident, remedy } => {
                self.choices(&who.actor, &incident, &remedy).await.ok().flatten()
            }
            Press::Deny { .. }
            | Press::Withdraw { .. }
            | Press::Preview { .. }
            | Press::Undo { .. }
            | Press::Settle { .. }
            | Press::Show { .. }
            | Press::Silence { .. }
            | Press::Unsilence { .. }
            | Press::Dismiss { .. } => None,
        }
    }

    fn questions(&self, id: &IncidentId, candidate: &Candidate) -> Option<Form> {
        let input = |(name, best): (&Text, &Text)| Input {
            name: name.to_string(),
            label: name.to_string(),
            kind: InputKind::Choice {
                options: std::iter::once(best)
                    .chain(candidate.alternatives.get(name).into_iter().flatten())
                    .take(25)
                    .map(ToString::to_string)
                    .collect(),
            },
            value: best.to_string(),
            required: true,
        };
        let press = Press::Run { incident: id.clone(), remedy: candidate.remedy.clone() };
        press.id().map(|id| Form {
            id,
            title: self.words.word("form.run"),
            intro: vec![crate::chat::layout::text(candidate.title.to_string())],
            inputs: candidate.parameters.iter().take(5).map(input).collect(),
            submit: self.words.word("form.run.submit"),
        })
    }

    /// A proposal that somebody asked for, to be looked at.
    pub(super) async fn put_forward(&self, id: &ProposalId, key: &str) -> Reply {
        let (incident, record) = self.record(id).await?;
        let mut card = self.with_teller(|teller, _| teller.preview(&incident, &record));
        let said = self.words.say(key, &json!({"id": id}));
        card.blocks.insert(0, crate::chat::layout::text(said.clone()));
        card.summary = said;
        Ok(Answer::only(card))
    }
}

fn has_choice(candidate: &Candidate) -> bool {
    candidate.alternatives.values().any(|others| !others.is_empty())
}
