//! Evidence cut into pieces that patterns can be held against: one heap for the object, and one for each
//! container that something may be wrong with.
//!
//! Old news is left out here: a pull that failed before one that worked, an earlier failure of the same pull.

use jiff::Timestamp;

use crate::incident::objects::{Container, ContainerState, Event, Pod, Terminated};
use crate::incident::{Evidence, Gathered, LogTail, Source, Text};
use crate::playbook::{Sight, container_of, meta};

/// No more events are looked at, newest first.
const MOST_EVENTS: usize = 200;
/// Log lines that are held against patterns, from the end.
const LOG_LINES: usize = 50;

/// One piece, and where it stood.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub place: Option<Source>,
    pub reason: Text,
    pub kind: Text,
    pub status: Text,
    pub exit_code: Option<i32>,
    pub text: Text,
    pub origin: Text,
    pub at: Option<Timestamp>,
    pub since: Option<Timestamp>,
}

impl Piece {
    pub(super) fn sight(&self) -> Option<Sight<'_>> {
        Some(Sight {
            place: self.place?,
            reason: &self.reason,
            kind: &self.kind,
            status: &self.status,
            exit_code: self.exit_code,
            text: &self.text,
        })
    }
}

/// The pieces that are about one thing.
#[derive(Debug, Default)]
pub(super) struct Focus {
    /// `None`: about the object as a whole.
    pub container: Option<Text>,
    pub pieces: Vec<Piece>,
}

/// The object as a whole first, then its containers.
pub(super) fn focuses(evidence: &Evidence) -> Vec<Focus> {
    let seen = &evidence.seen;
    let mut all = vec![Focus { container: None, pieces: whole(seen) }];
    // What is being deleted has one problem left: that it does not go.
    if let Some(pod) = seen.pod.as_ref().filter(|pod| pod.meta.deleting.is_none() && pod.phase != "Succeeded")
    {
        let troubled = pod.containers.iter().filter(|container| troubled(container));
        all.extend(troubled.map(|container| Focus {
            container: Some(container.name.clone()),
            pieces: of_container(seen, pod, container),
        }));
    }
    all
}

fn troubled(container: &Container) -> bool {
    let ended_badly = |ended: &Terminated| ended.exit_code != 0 || ended.reason == "OOMKilled";
    match &container.state {
        ContainerState::Unknown | ContainerState::Waiting { .. } => true,
        ContainerState::Running { .. } => container.last.as_ref().is_some_and(ended_badly),
        ContainerState::Terminated(ended) => ended_badly(ended),
    }
}

fn whole(seen: &Gathered) -> Vec<Piece> {
    let deleting = meta(seen).and_then(|meta| meta.deleting);
    let mut pieces = vec![Piece {
        place: Some(Source::ObjectMeta),
        origin: Text::unpooled(&seen.subject.to_string()),
        text: deleting.map(|due| Text::unpooled(&format!("deletionTimestamp: {due}"))).unwrap_or_default(),
        at: deleting,
        since: deleting,
        ..Piece::default()
    }];
    let events = newest(seen).filter(|event| container_of(event).is_none());
    pieces.extend(events.map(of_event));
    if let Some(pod) = &seen.pod {
        pieces.extend(conditions(&pod.conditions, Source::PodCondition));
    } else if let Some(node) = seen.node.as_ref().filter(|_| seen.subject.api.kind == "Node") {
        pieces.extend(conditions(&node.conditions, Source::NodeCondition));
    }
    pieces
}

fn conditions(
    conditions: &[crate::incident::objects::Condition],
    place: Source,
) -> impl Iterator<Item = Piece> {
    conditions.iter().map(move |condition| Piece {
        place: Some(place),
        reason: condition.reason.clone(),
        kind: condition.kind.clone(),
        status: condition.status.clone(),
        text: condition.message.clone(),
        origin: Text::from(format!("condition {}={}", condition.kind, condition.status)),
        at: condition.since,
        since: condition.since,
        exit_code: None,
    })
}

fn of_container(seen: &Gathered, pod: &Pod, container: &Container) -> Vec<Piece> {
    let origin = Text::from(format!("container {}", container.name));
    let mut pieces = Vec::new();
    match &container.state {
        ContainerState::Waiting { reason, message } => pieces.push(Piece {
            place: Some(Source::ContainerState),
            reason: reason.clone(),
            text: message.clone(),
            origin: origin.clone(),
            ..Piece::default()
        }),
        ContainerState::Terminated(ended) => pieces.push(of_end(ended, Source::ContainerState, &origin)),
        ContainerState::Unknown | ContainerState::Running { .. } => {}
    }
    pieces.extend(container.last.as_ref().map(|ended| of_end(ended, Source::LastState, &origin)));
    let only = pod.containers.len() == 1;
    let events = newest(seen).filter(|event| match container_of(event) {
        Some(name) => container.name == name,
        None => only && event.reason == "BackOff",
    });
    pieces.extend(current(events.collect(), container).into_iter().map(of_event));
    pieces.extend(seen.logs.iter().filter(|tail| tail.container == container.name).map(of_log));
    pieces
}

fn of_end(ended: &Terminated, place: Source, origin: &Text) -> Piece {
    let told = if ended.message.is_empty() {
        format!("{} (exit code {})", ended.reason, ended.exit_code)
    } else {
        format!("{} (exit code {}): {}", ended.reason, ended.exit_code, ended.message)
    };
    Piece {
        place: Some(place),
        reason: ended.reason.clone(),
        exit_code: Some(ended.exit_code),
        text: Text::from(told),
        origin: origin.clone(),
        at: ended.finished,
        since: ended.finished,
        ..Piece::default()
    }
}

fn of_event(event: &Event) -> Piece {
    Piece {
        place: Some(Source::Event),
        reason: event.reason.clone(),
        text: event.message.clone(),
        origin: Text::from(format!("event {}", event.reason)),
        at: event.last.or(event.first),
        since: event.first.or(event.last),
        ..Piece::default()
    }
}

fn of_log(tail: &LogTail) -> Piece {
    let lines = &tail.lines[tail.lines.len().saturating_sub(LOG_LINES)..];
    let which = if tail.previous { "log before the restart" } else { "log" };
    Piece {
        place: Some(Source::Log),
        text: Text::from(lines.join("\n")),
        origin: Text::from(format!("{which} of {}", tail.container)),
        ..Piece::default()
    }
}

fn newest(seen: &Gathered) -> impl Iterator<Item = &Event> {
    seen.events[seen.events.len().saturating_sub(MOST_EVENTS)..].iter()
}

/// The events that still describe the container: of pull failures only the last, and none at all once a pull
/// worked or the container got further.
fn current<'e>(events: Vec<&'e Event>, container: &Container) -> Vec<&'e Event> {
    let pulls =
        |event: &&&Event| event.reason == "Failed" && event.message.starts_with("Failed to pull image");
    let time = |event: &&Event| event.last.or(event.first);
    let last_failure = events.iter().filter(pulls).max_by_key(|event| time(event)).copied();
    let pulled = events.iter().filter(|event| event.reason == "Pulled").filter_map(time).max();
    let beyond = !matches!(container.waiting_reason(), "" | "ContainerCreating" | "PodInitializing")
        && !container.waiting_reason().contains("Image")
        || matches!(container.state, ContainerState::Running { .. } | ContainerState::Terminated(_));
    let stale = beyond || last_failure.is_some_and(|failure| pulled > time(&failure));
    events
        .into_iter()
        .filter(|event| {
            !pulls(&event) || (!stale && last_failure.is_some_and(|last| std::ptr::eq(last, *event)))
        })
        .collect()
}
