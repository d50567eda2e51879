//! Takes secrets out of what was read: every text that a program or a person may have written freely.
//!
//! The one place where evidence is redacted, whether it is from a live cluster or from files. Only log tails
//! and the API server's own words in gaps are redacted where they are cut short, because half a credential no
//! longer looks like one. Names, reasons and images are left as they are: diagnosis compares them, and the
//! API server bounds what they may hold.

use std::borrow::Cow;

use crate::incident::objects::{
    Condition, Container, ContainerState, Event, Node, Pod, Terminated, Workload,
};
use crate::incident::{Gathered, Text, redact, redact_lines};

/// Leaves nothing in the evidence that looks like a credential.
pub(in crate::cluster) fn clean(seen: &mut Gathered) {
    for Event { message, .. } in &mut seen.events {
        text(message);
    }
    if let Some(Pod { message, conditions, containers, .. }) = &mut seen.pod {
        text(message);
        each(conditions);
        containers.iter_mut().for_each(container);
    }
    if let Some(Node { conditions, .. }) = &mut seen.node {
        each(conditions);
    }
    for Workload { status, .. } in seen.owners.iter_mut().chain(&mut seen.revisions) {
        each(&mut status.conditions);
    }
    if let Some(namespace) = &mut seen.namespace {
        each(&mut namespace.conditions);
    }
}

fn each(conditions: &mut [Condition]) {
    for condition in conditions {
        text(&mut condition.message);
    }
}

fn container(container: &mut Container) {
    match &mut container.state {
        ContainerState::Waiting { reason: _, message } => text(message),
        ContainerState::Terminated(ended) => end(ended),
        ContainerState::Unknown | ContainerState::Running { since: _ } => {}
    }
    container.last.as_mut().into_iter().for_each(end);
}

fn end(ended: &mut Terminated) {
    text(&mut ended.message);
}

/// A message may be the end of a log, in which the beginning of a private key was cut off.
fn text(text: &mut Text) {
    if let Cow::Owned(clean) = redact(text) {
        *text = Text::unpooled(&clean);
    }
    if text.contains('\n') {
        let told: Vec<&str> = text.split('\n').collect();
        let clean = redact_lines(&told).join("\n");
        *text = Text::unpooled(&clean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2hunter2";

    #[test]
    fn every_text_that_somebody_wrote_freely_is_clean() {
        let told = || Text::new(&format!("cannot start: password={SECRET} is wrong"));
        let condition = || Condition { message: told(), ..Condition::default() };
        let ended = || Terminated { message: told(), ..Terminated::default() };
        let waiting = ContainerState::Waiting { reason: Text::new("R"), message: told() };
        let mut workload = Workload::default();
        workload.status.conditions.push(condition());
        let mut seen = Gathered {
            events: vec![Event { message: told(), ..Event::default() }],
            pod: Some(Pod {
                message: told(),
                conditions: vec![condition()],
                containers: vec![
                    Container { state: waiting, last: Some(ended()), ..Container::default() },
                    Container { state: ContainerState::Terminated(ended()), ..Container::default() },
                ],
                ..Pod::default()
            }),
            node: Some(Node { conditions: vec![condition()], ..Node::default() }),
            owners: vec![workload.clone()],
            revisions: vec![workload],
            ..Gathered::default()
        };
        assert_eq!(format!("{seen:?}").matches(SECRET).count(), 9);
        clean(&mut seen);
        let shown = format!("{seen:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(shown.matches("cannot start: password=[redacted] is wrong").count(), 9, "{shown}");
    }

    #[test]
    fn a_key_at_the_end_of_a_log_that_became_the_message_leaves_nothing() {
        let message =
            Text::new("it failed:\nMIIEpAIBAAKCAQEA7bq2\nc29tZSBtb3Jl\n-----END RSA PRIVATE KEY-----\nbye");
        let mut ended = Terminated { message, ..Terminated::default() };
        end(&mut ended);
        assert_eq!(ended.message, "it failed:\n[redacted]\n[redacted]\n[redacted]\nbye");
    }
}
