//! The whole way in one process: the engine before a simulated cluster, from first sight to fixed.
//!
//! The cluster is behind a real HTTP API and the real kube client; only the playbooks' hold-off is shortened.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use kubemend::cluster::{Access, Cluster, ClusterConfig};
use kubemend::engine::{Engine, Handle, IncidentFilter, Kind, Options, Parts, Post};
use kubemend::gate::{GateConfig, Policy};
use kubemend::incident::grouping::Rules;
use kubemend::incident::{
    Actor, ChangeOutcome, DecisionKind, Entry, ExecutionState, Incident, IncidentId, Proposal,
    ProposalRecord, ProposalState, Status, Via,
};
use kubemend::playbook::Book;
use kubemend::sim::{Sim, SimOptions};
use kubemend::store::Store;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_mins(4);

/// The shipped playbooks, without waiting for a missing pull secret to last.
fn impatient_book() -> Book {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks"), &mut files);
    Book::of(files, &[]).expect("the shipped playbooks are in order")
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder of playbooks") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).expect("readable");
            let text = if text.contains("name: image.auth-missing") {
                text.replace("  lasting: 30s", "  lasting: 1s")
            } else {
                text
            };
            files.push((path.display().to_string(), text));
        }
    }
}

fn policy() -> Policy {
    let config: GateConfig = serde_json::from_value(json!({
        "roles": {"operator": {
            "grants": [{"actions": ["*"], "maxRisk": "high"}],
            "rights": ["pause", "silence", "audit"],
        }},
        "people": {"ann": {"roles": ["operator"], "identities": [{"via": "api", "id": "ann"}]}},
    }))
    .expect("a gate's configuration");
    Policy::new(config).expect("without mistakes")
}

fn ann() -> Actor {
    Actor { via: Via::Api, id: "ann".into(), name: "Ann".into() }
}

/// Quick enough for a test, otherwise as usual.
fn options() -> Options {
    Options {
        rules: Rules {
            settle: SignedDuration::from_secs(2),
            tell_every: SignedDuration::from_secs(1),
            ..Rules::default()
        },
        reconcile_every: Duration::from_secs(1),
        verify_every: Duration::from_millis(200),
        steady: SignedDuration::from_secs(1),
        ..Options::default()
    }
}

/// An engine before a simulated cluster.
struct Bench {
    sim: Sim,
    store: Store,
    handle: Handle,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Bench {
    async fn start(scenario: &str) -> Self {
        let sim = Sim::start(SimOptions { pace: 50.0, background: false, ..SimOptions::default() }).await;
        let sim = sim.expect("the simulated cluster starts");
        sim.play(scenario).await.expect("the scenario plays");
        let store = Store::memory().await.expect("memory");
        let (handle, stop, running) = run(&sim, &store).await;
        Self { sim, store, handle, stop, running }
    }

    /// Ends the engine and starts another on the same store and cluster.
    async fn restart(&mut self) {
        self.stop.cancel();
        (&mut self.running).await.expect("ends in order");
        (self.handle, self.stop, self.running) = run(&self.sim, &self.store).await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.await.expect("ends in order");
        self.store.verify().await.expect("the records are whole");
        self.sim.stop().await;
    }

    /// The first incident of that condition, once there is one.
    async fn incident(&self, condition: &str) -> IncidentId {
        let filter = IncidentFilter { condition: Some(condition.to_owned()), ..IncidentFilter::default() };
        eventually(&format!("an incident of {condition}"), async || {
            let found = self.handle.incidents(&filter, 10).await.expect("the store works");
            match found.first() {
                Some(incident) => Ok(incident.id.clone()),
                None => Err(format!("{:#?}", self.handle.status())),
            }
        })
        .await
    }

    /// What the function finds in the incident, once it finds it.
    async fn wait<T>(&self, id: &IncidentId, what: &str, find: impl Fn(&Incident) -> Option<T>) -> T {
        eventually(what, async || {
            let view = self.handle.incident(id).await.expect("there");
            find(&view.incident)
                .ok_or_else(|| view.entries.iter().map(|e| told(&e.entry)).collect::<Vec<_>>().join("\n"))
        })
        .await
    }

    async fn open_proposal(&self, id: &IncidentId, remedy: &str) -> Proposal {
        self.wait(id, "an open proposal", |incident| {
            let fits = |record: &&ProposalRecord| {
                record.state == ProposalState::Open && record.proposal.remedy.id == remedy
            };
            incident.proposals.values().find(fits).map(|record| record.proposal.clone())
        })
        .await
    }

    async fn approve(&self, proposal: &Proposal) -> Result<ProposalRecord, kubemend::engine::Refused> {
        let typed = proposal.policy.typed_confirmation.as_ref().map(ToString::to_string);
        let (digest, kind) = (proposal.digest.clone(), DecisionKind::Approve);
        self.handle.decide(&ann(), &proposal.id, kind, digest, typed, "".into()).await
    }

    async fn entries(&self, id: &IncidentId) -> Vec<Entry> {
        let view = self.handle.incident(id).await.expect("there");
        view.entries.into_iter().map(|recorded| recorded.entry).collect()
    }
}

async fn run(sim: &Sim, store: &Store) -> (Handle, CancellationToken, JoinHandle<()>) {
    let mut config = kube::Config::new(sim.url().parse().expect("a URL"));
    config.auth_info.token = Some(sim.token().to_owned().into());
    let cluster = Cluster::connect(ClusterConfig::new("demo", Access::Direct(Box::new(config)))).await;
    let post = Post { cluster: cluster.expect("a client"), context: "demo".to_owned(), impersonation: None };
    let parts = Parts {
        options: options(),
        store: store.clone(),
        book: impatient_book(),
        policy: policy(),
        posts: vec![post],
    };
    let engine = Engine::new(parts).await.expect("the store works");
    let (handle, stop) = (engine.handle(), CancellationToken::new());
    #[expect(clippy::disallowed_methods, reason = "the bench waits for it when it ends")]
    let running = tokio::spawn(engine.run(stop.clone()));
    (handle, stop, running)
}

/// Asks until there is an answer. Fails with what was last seen.
async fn eventually<T>(what: &str, probe: impl AsyncFn() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        let seen = match probe().await {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(started.elapsed() < LONG, "{what}: not within {LONG:?}; last seen:\n{seen}");
        #[expect(clippy::disallowed_methods, reason = "a pause between two looks")]
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_resolved(incident: &Incident) -> Option<()> {
    matches!(incident.status, Status::Resolved { .. }).then_some(())
}

/// An entry in one line without what differs from run to run.
fn told(entry: &Entry) -> String {
    match entry {
        Entry::Opened { finding, members, .. } => {
            format!("opened: {} at {} ({} members)", finding.condition, finding.key.place.name, members.now)
        }
        Entry::Updated { finding, .. } => format!("updated: {}", finding.condition),
        Entry::MembersChanged { members } => format!("members: {}", members.now),
        Entry::Absorbed { into } => format!("absorbed into {into}"),
        Entry::Released => "released".to_owned(),
        Entry::Resolved => "resolved".to_owned(),
        Entry::Reopened { members, .. } => format!("reopened ({} members)", members.now),
        Entry::Silenced { by, .. } => format!("silenced by {}", by.name),
        Entry::Unsilenced { by } => format!("unsilenced by {}", by.name),
        Entry::Proposed { proposal } => format!(
            "proposed {}: {}; {} changes by {}; missing rights: {}",
            proposal.id,
            proposal.remedy.id,
            proposal.plan.changes.len(),
            proposal.plan.actions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            proposal.missing_rights.len(),
        ),
        Entry::Decided { proposal, decision } => {
            format!("{} {:?}d by {}", proposal, decision.kind, decision.by.name)
        }
        Entry::Expired { proposal } => format!("{proposal} expired"),
        Entry::Stale { proposal, why } => format!("{proposal} is stale: {why}"),
        Entry::Superseded { proposal, by } => format!("{proposal} gave way to {by}"),
        Entry::ExecutionStarted { execution, .. } => format!("{execution} started"),
        Entry::ChangeIntended { execution, index } => format!("{execution} intends change {index}"),
        Entry::ChangeDone { execution, index, outcome } => match outcome {
            ChangeOutcome::Applied { .. } => format!("{execution} made change {index}"),
            other => format!("{execution} change {index}: {other:?}"),
        },
        Entry::ExecutionFinished { execution, outcome } => format!("{execution} finished: {outcome:?}"),
        Entry::Verified { execution, verdict, .. } => format!("{execution} verified: {verdict:?}"),
        Entry::Settled { execution, index, applied, .. } => {
            format!("{execution} change {index} settled: {applied}")
        }
        Entry::Noted { text } => format!("note: {text}"),
    }
}

/// Entries that only count depend on timing; everything else must be as it is.
fn history(entries: &[Entry]) -> String {
    let counts = |entry: &&Entry| !matches!(entry, Entry::MembersChanged { .. } | Entry::Updated { .. });
    entries.iter().filter(counts).map(told).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_pull_secret_is_seen_explained_approved_and_fixed() {
    let bench = Bench::start("pull-secret").await;
    let id = bench.incident("image.auth-missing").await;
    let proposal = bench.open_proposal(&id, "add-pull-secret").await;
    assert!(proposal.preview.diff.contains("harbor-pull"), "{}", proposal.preview.diff);
    assert!(
        proposal.preview.kubectl.iter().any(|command| command.contains("patch")),
        "{:?}",
        proposal.preview
    );
    bench.approve(&proposal).await.expect("Ann may");
    bench.wait(&id, "the end", is_resolved).await;
    insta::assert_snapshot!(history(&bench.entries(&id).await));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_reports_nothing_again_and_goes_on_with_what_was_approved() {
    let mut bench = Bench::start("pull-secret").await;
    let id = bench.incident("image.auth-missing").await;
    let proposal = bench.open_proposal(&id, "add-pull-secret").await;
    bench.restart().await;
    let again = bench.open_proposal(&id, "add-pull-secret").await;
    assert_eq!(again.id, proposal.id, "the same proposal, as nothing has changed");
    bench.handle.pause(&ann()).await.expect("she may");
    bench.approve(&proposal).await.expect("Ann may");
    bench.restart().await;
    assert!(bench.handle.status().paused);
    bench.handle.resume(&ann()).await.expect("she may");
    bench.wait(&id, "the end", is_resolved).await;
    let entries = bench.entries(&id).await;
    let count = |wanted: fn(&Entry) -> bool| entries.iter().filter(|entry| wanted(entry)).count();
    let beginnings = count(|entry| matches!(entry, Entry::Opened { .. } | Entry::Reopened { .. }));
    assert_eq!(beginnings, 1, "{}", history(&entries));
    assert_eq!(count(|entry| matches!(entry, Entry::ExecutionStarted { .. })), 1, "{}", history(&entries));
    let all = bench.handle.incidents(&IncidentFilter::default(), 10).await.expect("readable");
    assert_eq!(all.len(), 1, "{:#?}", all.iter().map(|incident| &incident.finding.key).collect::<Vec<_>>());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_taken_back_by_a_proposal_of_its_own() {
    let bench = Bench::start("pull-secret").await;
    let id = bench.incident("image.auth-missing").await;
    let proposal = bench.open_proposal(&id, "add-pull-secret").await;
    let early = bench.handle.undo(&ann(), &kubemend::incident::ExecutionId::of(&proposal.id)).await;
    assert_eq!(early.expect_err("nothing was done yet").kind(), Kind::NotFound);
    bench.approve(&proposal).await.expect("Ann may");
    let execution = bench
        .wait(&id, "a verdict", |incident| {
            let done =
                |x: &&kubemend::incident::Execution| matches!(x.state, ExecutionState::Finished { .. });
            incident.executions.values().find(done).map(|execution| execution.id.clone())
        })
        .await;
    let undo = bench.handle.undo(&ann(), &execution).await.expect("it can be taken back");
    let incident = bench.handle.proposal(&undo).await.expect("there");
    let back = &incident.proposals[&undo].proposal;
    assert_eq!(back.undoes.as_ref(), Some(&execution));
    bench.approve(back).await.expect("Ann may");
    bench
        .wait(&id, "the undo's verdict", |incident| {
            let mine = incident.executions.values().find(|x| x.proposal == undo)?;
            matches!(mine.state, ExecutionState::Finished { .. }).then_some(())
        })
        .await;
    bench.end().await;
}
