//! The first answer to an interaction: what Discord waits for, three seconds at most.
//!
//! Nearly everything is deferred where it comes in, before anybody works on it ([`Acker::Deferred`]). What may
//! be answered with a modal or with completions cannot be deferred, because neither may follow a deferral:
//! that is left open for a moment ([`Acker::Open`]) and answers itself when nobody else did. Over the gateway
//! the answer is a request of its own, on a lane where nothing else waits; over HTTP it is the response.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::oneshot;

use super::inbound::{Inbound, Place, What};
use super::lane::{Crowded, Job, Lane, pause};
use super::web::{WebError, callback};
use crate::chat::command;
use crate::chat::owed::Kept;
use crate::chat::press::Press;

/// Until then an answer is tried; Discord gives three seconds.
pub(super) const GOOD_FOR: Duration = Duration::from_millis(2_800);
/// Until then whoever works on an open one should have answered.
const PATIENCE: Duration = Duration::from_secs(2);
/// A response takes a moment to reach Discord, and nothing tells when it has.
const ON_ITS_WAY: Duration = Duration::from_millis(150);
/// For the asker alone.
const EPHEMERAL: u64 = 64;

/// How an interaction stands when it is handed over.
#[derive(Debug)]
pub enum Acker {
    /// It was acknowledged already.
    Deferred(Acked),
    /// It waits for its first answer, until [`Open::by`].
    Open(Open),
}

/// How something was deferred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deferred {
    /// The asker sees that kubemend is thinking; the answer is an edit of that, and stays the asker's alone.
    Thinking,
    /// Everybody sees it, and the answer.
    Aloud,
    /// Nobody sees anything. The answer is a further message, or an edit of the component's own.
    Quietly,
}

/// A first answer.
#[derive(Clone, PartialEq, Debug)]
pub enum First {
    Defer(Deferred),
    /// A modal: `title`, `custom_id`, `components`.
    Modal(Value),
    /// At most 25 of `{name, value}`.
    Choices(Vec<Value>),
    /// A message that only the asker sees.
    Only(Value),
    /// Another body for the message whose component was used.
    Update(Value),
}

/// Why a first answer did not arrive.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Unanswered {
    /// Discord has told the person that it failed, so it should not be done behind their back.
    #[error("the three seconds were over; Discord told the person that it failed")]
    TooLate,
    /// It took too long, so it was deferred; the answer is a further message.
    #[error("it was deferred meanwhile")]
    Meanwhile(Deferred),
    #[error("it was answered before, perhaps by another kubemend with the same token")]
    Twice,
    #[error(transparent)]
    Web(#[from] WebError),
}

impl First {
    pub(super) fn body(self) -> Value {
        match self {
            Self::Defer(Deferred::Thinking) => callback(5, Some(json!({"flags": EPHEMERAL}))),
            Self::Defer(Deferred::Aloud) => callback(5, None),
            Self::Defer(Deferred::Quietly) => callback(6, None),
            Self::Modal(modal) => callback(9, Some(modal)),
            Self::Choices(choices) => callback(8, Some(json!({"choices": choices}))),
            Self::Only(mut message) => {
                message["flags"] = json!(EPHEMERAL);
                callback(4, Some(message))
            }
            Self::Update(message) => callback(7, Some(message)),
        }
    }
}

/// What is to be done at once.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Due {
    Defer(Deferred),
    /// Left open; this is answered if nobody answers.
    Open(First),
    Nothing,
}

/// How an interaction is acknowledged. Everything is deferred, except what may lead to a modal and completions.
pub(super) fn due(what: &What) -> Due {
    match what {
        What::Nothing => Due::Nothing,
        What::Completing { .. } => Due::Open(First::Choices(Vec::new())),
        What::Filled { .. } | What::Pointed { .. } => Due::Defer(Deferred::Thinking),
        What::Commanded { line } => {
            let aloud = command::parse(line).is_ok_and(|command| command.here);
            Due::Defer(if aloud { Deferred::Aloud } else { Deferred::Thinking })
        }
        What::Pressed { id } => pressed(id),
        What::Chosen { values, .. } => pressed(values.first().map_or("", String::as_str)),
    }
}

/// How something is deferred, at once or when nothing else answers it; nothing for what is never deferred.
pub(super) fn deferral(what: &What) -> Option<Deferred> {
    match due(what) {
        Due::Defer(how) | Due::Open(First::Defer(how)) => Some(how),
        Due::Open(_) | Due::Nothing => None,
    }
}

fn pressed(id: &str) -> Due {
    match Press::read(id) {
        // An approval asks back where its confirmation must be typed, a remedy where there is a choice.
        Some(Press::Approve { .. } | Press::Confirm { .. } | Press::Run { .. }) => {
            Due::Open(First::Defer(Deferred::Quietly))
        }
        // To be read: the asker sees at once that something will come.
        Some(Press::Show { .. } | Press::Preview { .. }) | None => Due::Defer(Deferred::Thinking),
        // To be done: the message itself will tell.
        Some(
            Press::Deny { .. }
            | Press::Withdraw { .. }
            | Press::Undo { .. }
            | Press::Settle { .. }
            | Press::Silence { .. }
            | Press::Unsilence { .. }
            | Press::Dismiss { .. },
        ) => Due::Defer(Deferred::Quietly),
    }
}

/// An acknowledgement that is on its way.
#[derive(Debug)]
pub struct Acked {
    how: Deferred,
    arrived: oneshot::Receiver<Result<(), Unanswered>>,
    /// How long it is on its way after that.
    then: Duration,
}

impl Acked {
    fn by_request(how: Deferred, arrived: oneshot::Receiver<Result<(), Unanswered>>) -> Self {
        Self { how, arrived, then: Duration::ZERO }
    }

    pub(super) fn in_response(how: Deferred, arrived: oneshot::Receiver<Result<(), Unanswered>>) -> Self {
        Self { how, arrived, then: ON_ITS_WAY }
    }

    /// How it was deferred.
    pub fn how(&self) -> Deferred {
        self.how
    }

    /// Waits until Discord has the acknowledgement. Before that it takes no further answer.
    pub async fn arrived(self) -> Result<(), Unanswered> {
        // Whoever was to tell is gone: kubemend stops.
        self.arrived.await.unwrap_or(Err(Unanswered::TooLate))?;
        pause(self.then).await;
        Ok(())
    }
}

/// An interaction that waits for its first answer. Left alone, it answers itself.
#[derive(Debug)]
pub struct Open {
    by: Instant,
    otherwise: First,
    door: Option<Door>,
}

#[derive(Debug)]
enum Door {
    /// Over the gateway: by a request.
    Lane { lane: Lane, place: Place, good_until: Instant },
    /// Over HTTP: in the response.
    Response(oneshot::Sender<(First, oneshot::Sender<Result<(), Unanswered>>)>),
}

impl Open {
    fn new(at: Instant, otherwise: First, door: Door) -> Self {
        Self { by: at + PATIENCE, otherwise, door: Some(door) }
    }

    /// Until when it should be answered.
    pub fn by(&self) -> Instant {
        self.by
    }

    /// Answers it.
    pub async fn answer(mut self, first: First) -> Result<(), Unanswered> {
        match self.door.take() {
            Some(door) => door.open(first, &self.otherwise).await,
            None => Err(Unanswered::Twice),
        }
    }
}

impl Door {
    async fn open(self, first: First, otherwise: &First) -> Result<(), Unanswered> {
        let (tell, arrived) = oneshot::channel();
        let then = if matches!(self, Self::Response(_)) { ON_ITS_WAY } else { Duration::ZERO };
        let sent = match self {
            Self::Lane { lane, place, good_until } => {
                let job = Job { place, body: first.body(), good_until, kept: Kept::default(), tell };
                lane.send(job).map_err(|Crowded| Unanswered::TooLate)?;
                true
            }
            Self::Response(response) => response.send((first, tell)).is_ok(),
        };
        match (sent, otherwise) {
            (true, _) => {}
            (false, First::Defer(how)) => return Err(Unanswered::Meanwhile(*how)),
            (false, _) => return Err(Unanswered::TooLate),
        }
        arrived.await.unwrap_or(Err(Unanswered::TooLate))?;
        pause(then).await;
        Ok(())
    }
}

impl Drop for Open {
    /// Nobody answered. Over HTTP the route sees that itself.
    fn drop(&mut self) {
        if let Some(Door::Lane { lane, place, good_until }) = self.door.take() {
            let (tell, _) = oneshot::channel();
            // Without room the person sees that it failed, and it is told.
            let body = self.otherwise.clone().body();
            let _ = lane.send(Job { place, body, good_until, kept: Kept::default(), tell });
        }
    }
}

/// The acknowledgement of something that came over the gateway just now. What is acknowledged here is written down
/// before, by `keep`.
pub(super) fn over(
    lane: &Lane,
    inbound: &Inbound,
    due: Due,
    at: Instant,
    keep: impl FnOnce(&Inbound) -> Kept,
) -> Result<Acker, Crowded> {
    let (place, good_until) = (inbound.place.clone(), at + GOOD_FOR);
    match due {
        Due::Defer(how) => {
            let (tell, arrived) = oneshot::channel();
            let room = lane.room()?;
            room.send(Job { place, body: First::Defer(how).body(), good_until, kept: keep(inbound), tell });
            Ok(Acker::Deferred(Acked::by_request(how, arrived)))
        }
        Due::Open(otherwise) => {
            let door = Door::Lane { lane: lane.clone(), place, good_until };
            Ok(Acker::Open(Open::new(at, otherwise, door)))
        }
        Due::Nothing => Ok(before(Deferred::Quietly)),
    }
}

/// What was acknowledged before.
pub(super) fn before(how: Deferred) -> Acker {
    let (tell, arrived) = oneshot::channel();
    let _ = tell.send(Ok(()));
    Acker::Deferred(Acked::by_request(how, arrived))
}

/// What an open interaction of HTTP will be answered with, and where to tell that it was.
pub(super) type Response = oneshot::Receiver<(First, oneshot::Sender<Result<(), Unanswered>>)>;

/// An interaction that is answered in the response to the request that brought it.
pub(super) fn in_response(otherwise: First, at: Instant) -> (Acker, Response) {
    let (answer, response) = oneshot::channel();
    (Acker::Open(Open::new(at, otherwise, Door::Response(answer))), response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(id: &str) -> Due {
        due(&What::Pressed { id: id.to_owned() })
    }

    #[test]
    fn what_may_lead_to_a_modal_is_left_open_and_all_else_is_deferred_at_once() {
        let quietly = Due::Open(First::Defer(Deferred::Quietly));
        assert_eq!(press("k1.cf.i-1.p1.0123456789abcdef"), quietly);
        assert_eq!(press("k1.ap.i-1.p1.0123456789abcdef"), quietly);
        assert_eq!(press("k1.rn.i-1.restart"), quietly);
        assert_eq!(press("k1.dn.i-1.p1.0123456789abcdef"), Due::Defer(Deferred::Quietly));
        assert_eq!(press("k1.sh.i-1"), Due::Defer(Deferred::Thinking));
        assert_eq!(press("forged"), Due::Defer(Deferred::Thinking));
        let chosen = What::Chosen { id: "k1.menu".into(), values: vec!["k1.us.i-1".into()] };
        assert_eq!(due(&chosen), Due::Defer(Deferred::Quietly));
        let command = |line: &str| due(&What::Commanded { line: line.to_owned() });
        assert_eq!(command("status"), Due::Defer(Deferred::Thinking));
        assert_eq!(command("status --here"), Due::Defer(Deferred::Aloud));
        assert_eq!(command("nonsense --here"), Due::Defer(Deferred::Thinking));
    }

    #[test]
    fn each_first_answer_has_discords_number() {
        assert_eq!(First::Defer(Deferred::Thinking).body(), json!({"type": 5, "data": {"flags": 64}}));
        assert_eq!(First::Defer(Deferred::Quietly).body(), json!({"type": 6}));
        assert_eq!(First::Choices(Vec::new()).body(), json!({"type": 8, "data": {"choices": []}}));
        assert_eq!(First::Modal(json!({"title": "?"})).body(), json!({"type": 9, "data": {"title": "?"}}));
        let only = First::Only(json!({"content": "no"})).body();
        assert_eq!(only, json!({"type": 4, "data": {"content": "no", "flags": 64}}));
    }

    #[tokio::test]
    async fn what_nobody_answers_answers_itself() {
        let (lane, mut jobs) = Lane::new();
        let inbound = super::super::inbound::read(r#"{"id": "1", "type": 1}"#).expect("an interaction");
        let due = Due::Open(First::Choices(Vec::new()));
        let open = over(&lane, &inbound, due, Instant::now(), |_| Kept::default()).expect("there is room");
        assert!(jobs.try_recv().is_err(), "it is left open");
        drop(open);
        assert_eq!(jobs.try_recv().expect("answered").body["type"], 8);
    }
}
