//! `kubemend diagnose`: one look at a cluster, or at files of one, and what is broken there.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::explain::Output;
use super::failure::{Exit, Failure, note, print};
use crate::cluster::dump::Dump;
use crate::cluster::{Access, Cluster, ClusterConfig};
use crate::diagnosis::{assemble, diagnose, registry_trouble, wants_of_pod};
use crate::incident::{ApiKind, Evidence, Finding, ObjectRef, Quote, Source, Text, Wants};
use crate::playbook::{Book, manual, remedies};

/// No larger file is read.
const LARGEST_FILE: u64 = 1 << 30;

#[derive(ClapArgs, Debug)]
pub(super) struct Args {
    /// The object, such as `pod/checkout-api-6f-x1`; everything where it is missing.
    object: Option<String>,
    /// A context of the kubeconfig.
    #[arg(long)]
    pub(super) context: Option<String>,
    /// Only this namespace.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// A file as `kubectl get -o json` writes it, `-` for standard input; several belong together. Give the
    /// events too: `kubectl get pods,events,nodes,deployments,replicasets,serviceaccounts -o json`.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// A finding with the evidence it is from.
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) evidence: Evidence,
}

impl Args {
    /// Whether files are to be looked at, and no cluster.
    pub(super) fn is_from_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The object that was asked for by name, of a kind that kubemend knows.
    fn named(&self, cluster: &Text) -> Result<Option<ObjectRef>, Failure> {
        let Some(object) = &self.object else { return Ok(None) };
        let (kind, name) = object.split_once('/').unwrap_or(("pod", object));
        let kind = kind.to_lowercase();
        let known = KINDS.iter().find(|known| {
            let plural = ApiKind::known(known).is_some_and(|api| api.plural == kind.as_str());
            known.to_lowercase() == kind || short(known) == kind || plural
        });
        let Some(api) = known.and_then(|known| ApiKind::known(known)) else {
            return Err(Failure::new(
                format!("`{kind}` is not a kind that can be looked at"),
                KINDS.join(", "),
            ));
        };
        let cluster_wide = matches!(api.kind.as_str(), "Node" | "Namespace" | "PersistentVolume");
        let namespace = if cluster_wide { "" } else { self.namespace.as_deref().unwrap_or("default") };
        Ok(Some(ObjectRef {
            cluster: cluster.clone(),
            api,
            namespace: Text::new(namespace),
            name: Text::new(name),
            uid: Text::default(),
        }))
    }

    /// Whether an object is one of those that were asked for.
    pub(super) fn wants(&self, subject: &ObjectRef) -> bool {
        let Some(object) = &self.object else { return true };
        let (kind, name) = object.split_once('/').unwrap_or(("", object));
        let kind = kind.to_lowercase();
        let named = [
            subject.api.kind.to_lowercase(),
            subject.api.plural.to_string(),
            short(&subject.api.kind).to_owned(),
        ];
        subject.name == name && (kind.is_empty() || named.contains(&kind))
    }
}

/// The kinds that may be asked for by name.
const KINDS: &[&str] = &[
    "Pod",
    "Node",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "PersistentVolumeClaim",
    "ServiceAccount",
    "Namespace",
];

/// kubectl's short names.
fn short(kind: &str) -> &str {
    match kind {
        "Pod" => "po",
        "Node" => "no",
        "Deployment" => "deploy",
        "ReplicaSet" => "rs",
        "StatefulSet" => "sts",
        "DaemonSet" => "ds",
        "PersistentVolumeClaim" => "pvc",
        "PersistentVolume" => "pv",
        "Namespace" => "ns",
        "ConfigMap" => "cm",
        "ServiceAccount" => "sa",
        other => other,
    }
}

/// Looks at files.
pub(super) fn run(arguments: &Args) -> Result<Exit, Failure> {
    let mut dump = Dump::default();
    for file in &arguments.files {
        dump.read(&read(file)?);
    }
    for unreadable in &dump.unreadable {
        note(&format!("left out: {unreadable}"));
    }
    let subjects: Vec<ObjectRef> = dump
        .subjects(&Text::new("files"), arguments.namespace.as_deref())
        .into_iter()
        .filter(|subject| arguments.wants(subject))
        .collect();
    if subjects.is_empty() {
        let what = match &arguments.object {
            Some(object) => format!("`{object}` is not in the files"),
            None => "the files hold nothing that can be diagnosed".to_owned(),
        };
        return Err(Failure::new(what, "give what `kubectl get pods,events,nodes -o json` prints"));
    }
    let book = Book::shipped();
    let found = look(&book, &dump, &subjects);
    report(&book, arguments, &found, subjects.len())
}

fn look(book: &Book, dump: &Dump, subjects: &[ObjectRef]) -> Vec<Found> {
    let registries = registry_trouble(&dump.pods, &dump.events, dump.at);
    let mut found = Vec::new();
    for subject in subjects {
        let mut gathered = dump.gather(subject);
        gathered.neighbours.registries.clone_from(&registries);
        let evidence = assemble(gathered);
        let findings = diagnose(book, &evidence);
        found.extend(findings.into_iter().map(|finding| Found { finding, evidence: evidence.clone() }));
    }
    found
}

/// Looks at a cluster, once.
pub(super) async fn live(arguments: &Args) -> Result<Exit, Failure> {
    let name = arguments.context.as_deref().unwrap_or("cluster");
    let access = Access::Kubeconfig { path: None, context: arguments.context.clone() };
    let mut config = ClusterConfig::new(name, access);
    config.namespaces.extend(arguments.namespace.as_deref().map(Text::new));
    let clock = config.clock.clone();
    let hint = "see `kubectl config get-contexts`; or give files with -f";
    let cluster = Cluster::connect(config)
        .await
        .map_err(|error| Failure::new(format!("the cluster cannot be reached: {error}"), hint))?;
    cluster.settled().await;
    if !cluster.is_fresh() {
        return Err(Failure::new("the cluster does not answer, or lets nothing be read", hint));
    }
    let subjects = match arguments.named(cluster.name())? {
        Some(subject) => vec![subject],
        None => cluster.suspects(),
    };
    let book = Book::shipped();
    let pods = cluster.unhealthy_pods();
    let known = |kind: &str| ApiKind::known(kind).unwrap_or_default();
    let events: Vec<_> = pods
        .iter()
        .flat_map(|pod| cluster.events(&pod.meta.reference(cluster.name(), &known("Pod"))))
        .collect();
    let registries = registry_trouble(pods.iter().map(AsRef::as_ref), &events, clock.now());
    let mut found = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        progress(at + 1, subjects.len());
        let mut gathered = cluster.gather(subject, Wants::default(), clock.now()).await;
        let wants = gathered.pod.as_ref().map(wants_of_pod).unwrap_or_default();
        if wants != Wants::default() {
            gathered = cluster.gather(subject, wants, clock.now()).await;
        }
        gathered.neighbours.registries.clone_from(&registries);
        if arguments.object.is_some() && !is_there(&gathered) {
            return Err(Failure::new(
                format!("{subject} is not there"),
                "is it the right namespace (-n) and context?",
            ));
        }
        let evidence = assemble(gathered);
        let findings = diagnose(&book, &evidence);
        found.extend(findings.into_iter().map(|finding| Found { finding, evidence: evidence.clone() }));
    }
    report(&book, arguments, &found, subjects.len())
}

fn is_there(gathered: &crate::incident::Gathered) -> bool {
    gathered.pod.is_some()
        || gathered.object.is_some()
        || gathered.node.is_some()
        || !gathered.owners.is_empty()
        || gathered.subject.api.kind == "Namespace" && gathered.namespace.is_some()
}

/// How far it is, where somebody watches; the line is overwritten.
fn progress(at: usize, of: usize) {
    let mut terminal = std::io::stderr().lock();
    if of > 1 && terminal.is_terminal() {
        let end = if at == of { "\n" } else { "" };
        let _ = write!(terminal, "\rlooked at {at} of {of}{end}");
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", file.display()), "");
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    Ok(bytes)
}

/// Prints what was found; the exit status says whether anything was.
pub(super) fn report(
    book: &Book,
    arguments: &Args,
    found: &[Found],
    looked_at: usize,
) -> Result<Exit, Failure> {
    match arguments.output {
        Output::Json => print(&format!("{:#}\n", in_json(book, found)))?,
        Output::Text if found.is_empty() => {
            print(&format!("{looked_at} objects looked at; no playbook finds anything wrong with them.\n"))?
        }
        Output::Text => print(&in_words(book, found))?,
    };
    Ok(if found.is_empty() { Exit::Good } else { Exit::Found })
}

fn in_json(book: &Book, found: &[Found]) -> Value {
    let findings = found.iter().map(|Found { finding, evidence }| {
        let playbook = book.get(&finding.condition);
        let offered = playbook.map(|playbook| remedies(playbook, finding, evidence)).unwrap_or_default();
        let steps = playbook.map(|playbook| manual(playbook, finding, evidence)).unwrap_or_default();
        json!({"finding": finding, "remedies": offered, "manual": steps, "gaps": evidence.seen.gaps})
    });
    json!({"findings": findings.collect::<Vec<_>>()})
}

/// One block for each cause, however many objects it hits.
fn in_words(book: &Book, found: &[Found]) -> String {
    let mut words = String::new();
    let mut told = Vec::new();
    for one in found {
        if told.contains(&&one.finding.key) {
            continue;
        }
        told.push(&one.finding.key);
        let others: Vec<&ObjectRef> = found
            .iter()
            .filter(|f| f.finding.key == one.finding.key)
            .map(|f| &f.finding.subject)
            .skip(1)
            .collect();
        // Writing to a String cannot fail.
        let _ = block(&mut words, book, one, &others);
    }
    words
}

fn block(words: &mut String, book: &Book, one: &Found, others: &[&ObjectRef]) -> std::fmt::Result {
    let Found { finding, evidence } = one;
    let severity = format!("{:?}", finding.severity).to_uppercase();
    writeln!(words, "{severity}  {}  [{}]\n  {}", finding.title, finding.condition, finding.subject)?;
    if !others.is_empty() {
        let shown: Vec<String> = others.iter().take(5).map(ToString::to_string).collect();
        let more = others.len().saturating_sub(5);
        let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(words, "  and {}{tail}", shown.join(", "))?;
    }
    writeln!(words, "\n  {}", finding.cause)?;
    writeln!(words, "\n  Why")?;
    for quote in &finding.quotes {
        writeln!(words, "    {}", quoted(quote))?;
    }
    let decided_by_objects = finding.condition.as_str().starts_with("image.");
    for gap in evidence.seen.gaps.iter().filter(|_| decided_by_objects) {
        writeln!(words, "    could not be looked at: {} ({})", gap.what, gap.why)?;
    }
    if !finding.also_possible.is_empty() {
        let rivals: Vec<&str> =
            finding.also_possible.iter().map(crate::incident::ConditionId::as_str).collect();
        writeln!(words, "    also possible: {}", rivals.join(", "))?;
    }
    let Some(playbook) = book.get(&finding.condition) else { return Ok(()) };
    let offered = remedies(playbook, finding, evidence);
    if !offered.is_empty() {
        writeln!(words, "\n  What kubemend can do, once approved")?;
    }
    for candidate in &offered {
        let risk = format!("{:?}", candidate.risk).to_lowercase();
        let chosen: Vec<String> =
            candidate.parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let chosen = if chosen.is_empty() { String::new() } else { format!(" ({})", chosen.join(", ")) };
        writeln!(words, "    - {}{chosen}; {risk} risk", candidate.title)?;
    }
    writeln!(words, "\n  What you can do")?;
    for line in manual(playbook, finding, evidence).lines() {
        writeln!(words, "{}", format!("    {line}").trim_end())?;
    }
    words.push('\n');
    Ok(())
}

fn quoted(quote: &Quote) -> String {
    let at = quote.at.map(|at| format!("{} ", at.strftime("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
    let text = quote.text.lines().map(str::trim).collect::<Vec<_>>().join(" ⏎ ");
    match quote.source {
        Source::Computed => text,
        Source::Event
        | Source::ContainerState
        | Source::LastState
        | Source::Log
        | Source::PodCondition
        | Source::NodeCondition
        | Source::ObjectMeta => format!("{at}{}: {text}", quote.origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_of_a_dump_holds_no_secret() {
        let (at, told) = ("2026-11-21T09:00:00Z", "cannot log in: password=s3cr3t-word is wrong");
        let ended =
            json!({"terminated": {"exitCode": 1, "reason": "Error", "message": told, "finishedAt": at}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "namespace": "shop", "uid": "u-1", "creationTimestamp": at},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "c", "restartCount": 7, "lastState": ended,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": told}}}]}});
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"},
            "type": "Warning", "reason": "BackOff", "message": format!("Back-off restarting failed container: {told}"),
            "lastTimestamp": at, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "a", "uid": "u-1"}});
        let mut dump = Dump::default();
        dump.read(json!({"apiVersion": "v1", "kind": "List", "items": [pod, event]}).to_string().as_bytes());
        let book = Book::shipped();
        let found = look(&book, &dump, &dump.subjects(&Text::new("files"), None));
        let shown =
            format!("{}\n{}\n{:?}", in_words(&book, &found), in_json(&book, &found), found[0].evidence);
        assert!(!shown.contains("s3cr3t") && shown.contains("password=[redacted] is wrong"), "{shown}");
    }
}
