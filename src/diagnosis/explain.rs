//! A failure message alone, with whatever is known besides: the same judgement as for objects, on less.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::conclude::variables;
use super::image::ImageName;
use super::judge::{Match, cut, fitting, spoken};
use super::pieces::Piece;
use crate::incident::{ConditionId, Source, Text};
use crate::playbook::{Book, ContainerFacts, Facts, ImageView, exit_meaning};

/// No longer text is looked at.
const LONGEST_TEXT: usize = 16 * 1024;

/// A message as a cluster wrote it, and what is known besides. Everything may be missing.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    #[serde(deserialize_with = "unpooled")]
    pub id: Text,
    /// The kind of the object it is about.
    #[serde(deserialize_with = "or_default")]
    pub kind: Text,
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub event_type: Text,
    /// The reason of the event or of the container's state; `""` where it is not known.
    #[serde(deserialize_with = "or_default")]
    pub reason: Text,
    #[serde(deserialize_with = "or_default")]
    pub component: Text,
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    #[serde(deserialize_with = "or_default")]
    pub context: Context,
}

/// What is known beside the message.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    #[serde(deserialize_with = "or_default")]
    pub container_state: States,
    #[serde(deserialize_with = "or_default")]
    pub pod_phase: Text,
    pub has_pull_secret: Option<bool>,
    pub secret_covers_registry: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub log_tail: String,
    #[serde(deserialize_with = "or_default")]
    pub memory_limit: Text,
}

/// One state, or `state` and `lastState` as in the API.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct States {
    pub waiting: Option<Told>,
    pub running: Option<serde::de::IgnoredAny>,
    pub terminated: Option<Told>,
    pub state: Option<Box<States>>,
    pub last_state: Option<Box<States>>,
    pub restart_count: Option<u32>,
}

/// A state's reason, message and exit code.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Told {
    #[serde(deserialize_with = "or_default")]
    pub reason: Text,
    #[serde(deserialize_with = "unpooled")]
    pub message: Text,
    pub exit_code: Option<i32>,
}

/// `null` means not known.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What every message has of its own would only fill the pool of shared texts.
fn unpooled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|text| Text::unpooled(&text)).unwrap_or_default())
}

/// What a message means.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `None`: nothing that a playbook knows.
    pub condition: Option<ConditionId>,
    #[serde(rename = "also_possible")]
    pub also_possible: Vec<ConditionId>,
    pub variables: BTreeMap<Text, Text>,
}

/// Names the condition that a message tells of.
pub fn explain(book: &Book, message: &Message) -> Explanation {
    judged(book, message).map_or_else(Explanation::default, |(best, facts)| Explanation {
        condition: Some(best.playbook.id.clone()),
        variables: variables(&facts),
        also_possible: best.also_possible,
    })
}

/// The cause in one sentence, for people; `""` without a condition.
pub fn cause(book: &Book, message: &Message) -> String {
    judged(book, message).map_or_else(String::new, |(best, facts)| best.playbook.cause(&facts))
}

fn judged<'b>(book: &'b Book, message: &Message) -> Option<(Match<'b>, Facts)> {
    let (pieces, own) = pieces(book, message);
    let spoken = spoken(book, &message.kind, &pieces);
    if spoken.is_empty() {
        return None;
    }
    let mut facts = facts(message);
    let best = fitting(book, spoken, &pieces, &facts)
        .into_iter()
        .find(|found| about_the_message(message, own, found))?;
    facts.captures.clone_from(&best.captures);
    Some((best, facts))
}

/// What is known besides may support an explanation of the message and must not replace it, unless the
/// message says nothing by itself.
fn about_the_message(message: &Message, own: usize, found: &Match<'_>) -> bool {
    found.pieces.iter().any(|&at| at < own) || message.reason.is_empty() || says_nothing(message)
}

fn says_nothing(message: &Message) -> bool {
    let text = message.message.as_str();
    match message.reason.as_str() {
        "Failed" => matches!(
            text,
            "Error: ErrImagePull" | "Error: ImagePullBackOff" | "Error: CreateContainerConfigError"
        ),
        "BackOff" => {
            text.contains("restarting failed")
                || text.starts_with("Back-off pulling image") && !text.contains("ErrImagePull")
        }
        "FailedSync" => text == "Error syncing pod",
        _ => text.is_empty(),
    }
}

/// The message itself in all the places it may be from, and how many these are; then what is known besides.
fn pieces(book: &Book, message: &Message) -> (Vec<Piece>, usize) {
    let text = cut(&message.message, LONGEST_TEXT);
    let main = Piece {
        place: Some(Source::Event),
        reason: message.reason.clone(),
        text: Text::unpooled(text),
        ..Piece::default()
    };
    let mut pieces = vec![main.clone()];
    // Without a reason it may be a state's text or a line of a log; with a state's reason it is the state's.
    if message.reason.is_empty() || book.names(Source::ContainerState, &message.reason) {
        pieces.push(Piece { place: Some(Source::ContainerState), ..main.clone() });
    }
    // The reasons that the condition Ready has while it is not True.
    if matches!(message.reason.as_str(), "KubeletNotReady" | "NodeStatusUnknown" | "NodeStatusNeverUpdated") {
        let (kind, status) = ("Ready".into(), "False".into());
        pieces.push(Piece { place: Some(Source::NodeCondition), kind, status, ..main.clone() });
    }
    if message.reason.is_empty() && !text.is_empty() {
        pieces.push(Piece { place: Some(Source::Log), ..main });
    }
    let own = pieces.len();
    let states = &message.context.container_state;
    states_of(states, Source::ContainerState, &mut pieces);
    if let Some(state) = &states.state {
        states_of(state, Source::ContainerState, &mut pieces);
    }
    if let Some(last) = &states.last_state {
        states_of(last, Source::LastState, &mut pieces);
    }
    if !message.context.log_tail.is_empty() {
        let text = Text::unpooled(cut(&message.context.log_tail, LONGEST_TEXT));
        pieces.push(Piece { place: Some(Source::Log), text, ..Piece::default() });
    }
    (pieces, own)
}

fn states_of(states: &States, place: Source, pieces: &mut Vec<Piece>) {
    for told in states.waiting.iter().chain(&states.terminated) {
        let is_known = |piece: &Piece| {
            piece.place == Some(place)
                && piece.reason == told.reason
                && piece.exit_code == told.exit_code
                && piece.text == told.message
        };
        // Mostly it is the message itself that is told again.
        if pieces.iter().any(is_known) {
            continue;
        }
        pieces.push(Piece {
            place: Some(place),
            reason: told.reason.clone(),
            exit_code: told.exit_code,
            text: told.message.clone(),
            ..Piece::default()
        });
    }
}

/// The image that a text names in quotes: `pull image "nginx"`, `Image "nginx"`.
fn image_named(text: &str) -> Option<&str> {
    const BEFORE: &str = "mage \"";
    text.match_indices(BEFORE).find_map(|(at, _)| {
        let name = text[at + BEFORE.len()..].split_once('"')?.0;
        let quoted =
            text[..at].ends_with(['i', 'I']) && !name.is_empty() && !name.contains(char::is_whitespace);
        quoted.then_some(name)
    })
}

fn facts(message: &Message) -> Facts {
    let context = &message.context;
    let mut facts = Facts::default();
    facts.subject.kind = message.kind.to_string();
    facts.pod.phase = context.pod_phase.to_string();
    facts.subject.deleting = context.pod_phase == "Terminating";
    facts.container = container(context);
    facts.image = image(message);
    facts
}

fn container(context: &Context) -> ContainerFacts {
    let states = &context.container_state;
    let now = states.state.as_deref().unwrap_or(states);
    let waiting = now.waiting.as_ref();
    let ended =
        now.terminated.as_ref().or(states.last_state.as_ref().and_then(|last| last.terminated.as_ref()));
    let exit_code = ended.and_then(|ended| ended.exit_code).map_or(-1, i64::from);
    ContainerFacts {
        waiting: waiting.map(|told| told.reason.to_string()).unwrap_or_default(),
        running: now.running.is_some(),
        restarts: states.restart_count.unwrap_or_default().into(),
        memory_limit: context.memory_limit.to_string(),
        exit_meaning: exit_meaning(exit_code),
        exit_code,
        end_reason: ended.map(|ended| ended.reason.to_string()).unwrap_or_default(),
        log: context
            .log_tail
            .lines()
            .rev()
            .take(10)
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
        ..ContainerFacts::default()
    }
}

fn image(message: &Message) -> ImageView {
    let context = &message.context;
    let coverage = match (context.has_pull_secret, context.secret_covers_registry) {
        (Some(false), _) => "none",
        (_, Some(true)) => "covered",
        (Some(true), Some(false)) => "invalid",
        (Some(true) | None, _) => "unknown",
    };
    let mut view = ImageView {
        coverage: coverage.to_owned(),
        secret_named: context.has_pull_secret == Some(true),
        ..ImageView::default()
    };
    if let Some(name) = image_named(&message.message) {
        let parsed = ImageName::parse(name);
        view.known = true;
        name.clone_into(&mut view.name);
        view.docker_hub = parsed.registry == "docker.io";
        view.official = view.docker_hub && parsed.repository.starts_with("library/");
        (view.registry, view.repository, view.tag) = (parsed.registry, parsed.repository, parsed.tag);
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_in_quotes_is_found() {
        let failed = r#"Failed to pull image "registry.example.com/team/api:1": rpc error: not found"#;
        assert_eq!(image_named(failed), Some("registry.example.com/team/api:1"));
        assert_eq!(image_named(r#"Container image "busybox" already present on machine"#), Some("busybox"));
        assert_eq!(image_named(r#"Image "a b" is bad, image "c" is not"#), Some("c"));
        assert_eq!(image_named(r#"no image "", no mage "x", and an open image "y "#), None);
    }
}
