//! Pages that keep themselves up to date: `GET /live` as server-sent events.
//!
//! One task hears the engine and beats a few times a second for everybody; a beat names the incidents that
//! changed and whether the list or the status did, and each open page takes from it what it shows. Events carry
//! ids alone: what happened is fetched, as the one who looks. An incident is told of at most once per beat,
//! the list at most once a second. Whoever falls behind is told to fetch everything it shows.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Console;
use super::answer::Failure;
use super::visit::Signed;
use crate::engine::EngineStatus;
use crate::incident::{Digest, IncidentId};

/// The shortest time between two beats.
const BEAT: Duration = Duration::from_millis(250);
/// The shortest time between two times the list is told to have changed.
const LIST: Duration = Duration::from_secs(1);
/// How long a stream is silent before it shows that it is there.
const ALIVE: Duration = Duration::from_secs(15);
/// Beats a slow page may be behind.
const KEPT: usize = 16;
/// How many changed incidents one beat names; beyond, every page fetches what it shows.
const MOST: usize = 1000;

/// What changed since the beat before.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Clone, Debug, Default)]
struct Beat {
    incidents: BTreeSet<IncidentId>,
    /// More changed than could be named.
    everything: bool,
    list: bool,
    status: bool,
    cards: bool,
}

impl Beat {
    fn is_empty(&self) -> bool {
        let Self { incidents, everything, list, status, cards } = self;
        incidents.is_empty() && !everything && !list && !status && !cards
    }
}

/// Where beats come from, and how many listen.
pub(super) struct Pulse {
    beats: broadcast::Sender<Arc<Beat>>,
    places: Arc<Semaphore>,
    cards_changed: AtomicBool,
    stop: CancellationToken,
}

/// What a page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Shown {
    List,
    Status,
    /// The cards of the other platforms.
    Cards,
    Incident(IncidentId),
}

#[derive(Deserialize)]
pub(super) struct On {
    #[serde(default)]
    on: String,
}

impl Pulse {
    pub(super) fn new(streams: usize, stop: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(streams));
        Self { beats: broadcast::channel(KEPT).0, places, cards_changed: AtomicBool::new(false), stop }
    }
}

impl Console {
    /// Keeps the list of incidents and all open pages up to date until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut news = self.0.engine.subscribe();
        let mut clock = interval(BEAT);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut hearing = Hearing::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                heard = news.recv() => match heard {
                    Ok(update) => {
                        self.0.list.put(&update.incident);
                        hearing.incident(&update.incident.id);
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.reread().await;
                        hearing.next.everything = true;
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = clock.tick() => {
                    hearing.status(&self.0.engine.status());
                    hearing.next.cards |= self.0.pulse.cards_changed.swap(false, Ordering::Relaxed);
                    if let Some(beat) = hearing.beat(Instant::now()) {
                        if beat.list {
                            self.0.list.told();
                        }
                        // Nobody listening is no failure.
                        let _ = self.0.pulse.beats.send(Arc::new(beat));
                    }
                }
            }
        }
    }

    /// The templates of the cards changed: pages that show them fetch them anew.
    pub fn cards_changed(&self) {
        self.0.pulse.cards_changed.store(true, Ordering::Relaxed);
    }

    async fn reread(&self) {
        if let Err(error) = self.0.list.reread(&self.0.engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the list of incidents could not be read"
            );
        }
    }
}

/// What was heard since the last beat.
struct Hearing {
    next: Beat,
    list_changed: bool,
    list_told: Option<Instant>,
    told: Instant,
    stands: Option<(bool, Vec<(bool, usize)>)>,
}

impl Hearing {
    fn new() -> Self {
        Self {
            next: Beat::default(),
            list_changed: false,
            list_told: None,
            told: Instant::now(),
            stands: None,
        }
    }

    fn incident(&mut self, id: &IncidentId) {
        self.list_changed = true;
        if self.next.incidents.len() < MOST {
            self.next.incidents.insert(id.clone());
        } else {
            self.next.everything = true;
        }
    }

    /// Whether kubemend is paused and how it stands to its clusters, as far as a page says it at a glance.
    fn status(&mut self, status: &EngineStatus) {
        let synced = |kinds: &[crate::engine::KindState]| kinds.iter().filter(|kind| kind.synced).count();
        let clusters = status.clusters.iter().map(|cluster| (cluster.connected, synced(&cluster.kinds)));
        let stands = Some((status.paused, clusters.collect()));
        if self.stands != stands {
            self.next.status |= self.stands.is_some();
            self.stands = stands;
        }
    }

    /// What to tell now; an empty beat shows that the stream is there.
    fn beat(&mut self, now: Instant) -> Option<Beat> {
        self.list_changed |= self.next.everything | self.next.status;
        let list_due = self.list_told.is_none_or(|told| now.duration_since(told) >= LIST);
        if self.list_changed && list_due {
            (self.next.list, self.list_changed, self.list_told) = (true, false, Some(now));
        }
        if self.next.is_empty() && now.duration_since(self.told) < ALIVE {
            return None;
        }
        self.told = now;
        Some(std::mem::take(&mut self.next))
    }
}

impl Shown {
    fn of(on: &str) -> Option<Self> {
        match on {
            "list" => Some(Self::List),
            "status" => Some(Self::Status),
            "cards" => Some(Self::Cards),
            _ => {
                let id = on.strip_prefix("incident:")?;
                let known = id.len() <= 30 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                known.then(|| Self::Incident(IncidentId::from(id)))
            }
        }
    }

    /// The event for this page, if the beat is about what it shows. Status changes concern every page: all of
    /// them say when kubemend is paused.
    fn event(&self, beat: &Beat) -> Option<Bytes> {
        let changed = match self {
            Self::List => beat.list,
            Self::Status => beat.status || beat.everything,
            Self::Cards => beat.cards,
            Self::Incident(id) => beat.everything || beat.status || beat.incidents.contains(id),
        };
        let quiet = beat.is_empty();
        match (changed, quiet) {
            (true, _) => Some(self.told()),
            (false, true) => Some(Bytes::from_static(b": alive\n\n")),
            (false, false) => None,
        }
    }

    fn told(&self) -> Bytes {
        match self {
            Self::List => Bytes::from_static(b"event: list\ndata: list\n\n"),
            Self::Cards => Bytes::from_static(b"event: cards\ndata: cards\n\n"),
            Self::Status => Bytes::from_static(b"event: status\ndata: status\n\n"),
            Self::Incident(id) => Bytes::from(format!("event: incident\ndata: {id}\n\n")),
        }
    }
}

/// `GET /live?on=list|status|cards|incident:ID`
pub(super) async fn live(
    State(console): State<Console>,
    signed: Signed,
    Query(On { on }): Query<On>,
) -> Result<Response, Failure> {
    let shown =
        Shown::of(&on).ok_or_else(|| Failure::invalid("`on` is list, status, cards or incident:ID"))?;
    let place = console.0.pulse.places.clone().try_acquire_owned();
    let place = place.map_err(|_| Failure::too_many("too many pages keep themselves up to date"))?;
    let beats = console.0.pulse.beats.subscribe();
    let held = (!signed.visit.anybody).then(|| signed.session.clone());
    let open = Open { console, session: held, shown, beats, started: false, _place: place };
    let mut response = Body::from_stream(events(open)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // For proxies that would collect the stream before they pass it on.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One open stream.
struct Open {
    console: Console,
    /// Must hold on; none where whoever comes may look.
    session: Option<Digest>,
    shown: Shown,
    beats: broadcast::Receiver<Arc<Beat>>,
    started: bool,
    _place: OwnedSemaphorePermit,
}

fn events(open: Open) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(open, |mut open| async move {
        let event = open.next().await?;
        Some((Ok(event), open))
    })
}

impl Open {
    /// The next event; `None` when kubemend stops or the session is over. Browsers come back by themselves
    /// after three seconds.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.started {
            self.started = true;
            return Some(Bytes::from_static(b"retry: 3000\n\n"));
        }
        let stop = self.console.0.pulse.stop.clone();
        loop {
            let beat = tokio::select! {
                () = stop.cancelled() => return None,
                beat = self.beats.recv() => beat,
            };
            if self.session.as_ref().is_some_and(|session| !self.console.0.sessions.holds(session)) {
                return None;
            }
            match beat {
                Ok(beat) => {
                    if let Some(event) = self.shown.event(&beat) {
                        return Some(event);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(self.shown.told()),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat_after(hearing: &mut Hearing, start: Instant, millis: u64) -> Option<Beat> {
        hearing.beat(start + Duration::from_millis(millis))
    }

    #[tokio::test]
    async fn an_incident_is_told_of_once_a_beat_and_the_list_once_a_second() {
        let (mut hearing, start) = (Hearing::new(), Instant::now());
        for _ in 0..50 {
            hearing.incident(&"i-7".into());
        }
        let first = beat_after(&mut hearing, start, 250).expect("a beat");
        assert_eq!((first.incidents.len(), first.list), (1, true));
        hearing.incident(&"i-7".into());
        let second = beat_after(&mut hearing, start, 500).expect("a beat");
        assert_eq!((second.incidents.len(), second.list), (1, false));
        assert!(beat_after(&mut hearing, start, 750).is_none());
        let third = beat_after(&mut hearing, start, 1250).expect("the list is still due");
        assert_eq!((third.incidents.len(), third.list), (0, true));
        assert!(beat_after(&mut hearing, start, 9000).is_none());
        assert!(beat_after(&mut hearing, start, 17_000).is_some(), "it shows that it is there");
    }

    #[test]
    fn a_page_hears_of_what_it_shows_alone() {
        let beat = Beat { incidents: ["i-7".into()].into(), ..Beat::default() };
        let event = |on: &str, beat: &Beat| Shown::of(on).expect("known").event(beat);
        assert_eq!(event("incident:i-7", &beat).expect("its own"), "event: incident\ndata: i-7\n\n");
        assert_eq!(event("incident:i-8", &beat), None);
        assert_eq!(event("list", &beat), None);
        assert_eq!(event("status", &Beat::default()).expect("alive"), ": alive\n\n");
        let everything = Beat { everything: true, list: true, ..Beat::default() };
        assert_eq!(event("incident:i-8", &everything).expect("all"), "event: incident\ndata: i-8\n\n");
    }

    #[test]
    fn nothing_but_a_page_can_be_listened_to() {
        for on in ["", "incident:", "lists", "incident:i-7\nevent: x", "incident:<script>"] {
            assert!(!matches!(Shown::of(on), Some(Shown::Incident(id)) if !id.as_str().is_empty()), "{on}");
        }
    }
}
