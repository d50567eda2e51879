//! What the demo shows and takes: incidents as they come, decisions from the keyboard (or by itself).

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::failure::{Failure, print};
use super::keys::{HELP, Key, read};
use super::paint::harmless;
use super::stage::Stage;
use super::tell::{Said, Teller};
use crate::engine::{Handle, IncidentFilter, Refused};
use crate::incident::{
    Actor, DecisionKind, ExecutionState, Incident, IncidentId, Proposal, ProposalId, ProposalState, Status,
    Text, Via,
};

/// How many incidents are looked at; a demo has fewer.
const MOST: u32 = 500;
/// How often the cluster itself is asked whether all is repaired.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The board, and what was said so far.
pub(super) struct Board {
    engine: Handle,
    teller: Teller,
    approves: bool,
    said: HashMap<IncidentId, Said>,
    /// A proposal's number on the keyboard is its place here, from 1.
    numbers: Vec<ProposalId>,
}

impl Board {
    pub(super) fn new(engine: Handle, teller: Teller, approves: bool) -> Self {
        Self { engine, teller, approves, said: HashMap::new(), numbers: Vec::new() }
    }

    /// Shows and takes until somebody quits, `stop`, or (if wanted) everything is repaired.
    pub(super) async fn attend(
        mut self,
        stage: &Stage,
        on_terminal: bool,
        exit_when_done: bool,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let mut news = self.engine.subscribe();
        let mut lines = if on_terminal { keyboard() } else { mpsc::channel(1).1 };
        let mut clock = tokio::time::interval(LOOK_EVERY);
        if on_terminal {
            print(&format!("{HELP}\n\n"))?;
        }
        loop {
            let open = self.look().await?;
            if exit_when_done && open == 0 && stage.is_repaired() {
                return print("everything that was played is repaired\n").map(drop);
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                heard = news.recv() => match heard {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => news = news.resubscribe(),
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                Some(line) = lines.recv() => match read(&line) {
                    Key::Quit => return Ok(()),
                    key => self.obey(key).await?,
                },
                _ = clock.tick() => {}
            }
        }
    }

    /// Says what is new, decides if that is wanted, and counts what is still on.
    async fn look(&mut self) -> Result<usize, Failure> {
        let incidents = self
            .engine
            .incidents(&IncidentFilter::default(), MOST)
            .await
            .map_err(|refused| told(&refused))?;
        let mut lines = Vec::new();
        for incident in incidents.iter().rev() {
            let (said, numbers) = (self.said.entry(incident.id.clone()).or_default(), &mut self.numbers);
            lines.extend(self.teller.news(said, incident, &mut |id| number(numbers, id)));
        }
        show(&lines)?;
        if self.approves {
            for proposal in incidents.iter().filter_map(next_to_approve) {
                let typed = proposal.policy.typed_confirmation.as_ref().map(ToString::to_string);
                self.decide(DecisionKind::Approve, proposal, typed).await?;
            }
        }
        Ok(incidents.iter().filter(|incident| !matches!(incident.status, Status::Resolved { .. })).count())
    }

    async fn obey(&mut self, key: Key) -> Result<(), Failure> {
        match key {
            Key::Approve { number, confirmation } => {
                self.decide_by(number, DecisionKind::Approve, confirmation).await
            }
            Key::Deny { number } => self.decide_by(number, DecisionKind::Deny, None).await,
            Key::Withdraw { number } => self.decide_by(number, DecisionKind::Withdraw, None).await,
            Key::Preview { number } => match self.proposal(number).await {
                Ok(proposal) => show(&self.teller.preview(&proposal)),
                Err(why) => show(&[why]),
            },
            Key::List => {
                self.said.clear();
                Ok(())
            }
            Key::Help => show(&[HELP.to_owned()]),
            Key::Unknown(why) => show(&[why]),
            Key::Nothing | Key::Quit => Ok(()),
        }
    }

    async fn decide_by(
        &self,
        number: usize,
        kind: DecisionKind,
        typed: Option<String>,
    ) -> Result<(), Failure> {
        match self.proposal(number).await {
            Ok(proposal) => self.decide(kind, &proposal, typed).await,
            Err(why) => show(&[why]),
        }
    }

    async fn decide(
        &self,
        kind: DecisionKind,
        proposal: &Proposal,
        typed: Option<String>,
    ) -> Result<(), Failure> {
        let who = Actor { via: Via::Terminal, id: "demo".into(), name: "you".into() };
        let decided = self
            .engine
            .decide(&who, &proposal.id, kind, proposal.digest.clone(), typed, Text::default())
            .await;
        match decided {
            Ok(_) => Ok(()),
            Err(refused) => show(&[format!("{}: {}", proposal.id, sentence(&refused))]),
        }
    }

    /// The proposal of that number as it stands, or what to say instead.
    async fn proposal(&self, number: usize) -> Result<Proposal, String> {
        let id = number.checked_sub(1).and_then(|place| self.numbers.get(place));
        let id = id.ok_or_else(|| format!("there is no proposal {number}; l lists them"))?;
        let incident = self.engine.proposal(id).await.map_err(|refused| sentence(&refused))?;
        let record =
            incident.proposals.get(id).ok_or_else(|| format!("there is no proposal {number} any more"))?;
        Ok(record.proposal.clone())
    }
}

/// The first open remedy of an incident on which nothing else is under way.
fn next_to_approve(incident: &Incident) -> Option<&Proposal> {
    let busy = incident
        .executions
        .values()
        .any(|execution| !matches!(execution.state, ExecutionState::Finished { .. }))
        || incident.proposals.values().any(|record| record.state == ProposalState::Approved);
    let open = |record: &&crate::incident::ProposalRecord| {
        record.state == ProposalState::Open
            && record.decisions.is_empty()
            && record.proposal.missing_rights.is_empty()
    };
    if busy || incident.status != Status::Open {
        return None;
    }
    incident
        .proposals
        .values()
        .filter(open)
        .map(|record| &record.proposal)
        .min_by_key(|proposal| (proposal.made, place(&proposal.id)))
}

/// The counter in `i-4.p12`.
fn place(id: &ProposalId) -> u32 {
    id.as_str().rsplit_once(".p").and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

fn number(numbers: &mut Vec<ProposalId>, id: &ProposalId) -> usize {
    let place = numbers.iter().position(|known| known == id).unwrap_or_else(|| {
        numbers.push(id.clone());
        numbers.len() - 1
    });
    place + 1
}

fn sentence(refused: &Refused) -> String {
    let hint = refused.hint();
    let text = harmless(&refused.to_string(), 500);
    if hint.is_empty() { text } else { format!("{text} ({hint})") }
}

fn told(refused: &Refused) -> Failure {
    Failure::new(refused.to_string(), refused.hint())
}

fn show(lines: &[String]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    print(&(lines.join("\n") + "\n")).map(drop)
}

/// Lines from the keyboard. The thread ends with the process: a blocked read cannot be called back.
fn keyboard() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
        // The end of input is a wish to end.
        let _ = sender.blocking_send("q".to_owned());
    });
    lines
}
