//! `GET /api/v1/events`: entries as they are made, as server-sent events.
//!
//! Level, not edge: the stream remembers the last `seq` it gave and reads on from there in the store; news
//! from the engine only wakes it. So a slow client loses nothing, holds one page at a time, and a client that
//! comes back with `Last-Event-ID` goes on where it was.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;

use super::asks::EventsQuery;
use super::problem::Problem;
use super::request::{Params, Who};
use super::view::EntryView;
use super::{Api, desk};

/// Entries read from the store at once.
const PAGE: u32 = 50;

pub(super) async fn follow(
    State(api): State<Api>,
    Who(who): Who,
    Params(query): Params<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    desk::reader(&api.engine, &who)?;
    let place = api.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::too_many("too many event streams are open"))?;
    let after = match last_event_id(&headers)?.or(query.after) {
        Some(after) => after,
        None => desk::newest(&api.engine).await?,
    };
    let heartbeat = Duration::from_secs(api.limits.heartbeat_seconds);
    let stop = api.stop.clone();
    let events = events(api, after, place).map(Ok).take_until(stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(heartbeat).text("alive")))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let seq = value.to_str().ok().and_then(|text| text.parse().ok());
    seq.map(Some).ok_or_else(|| Problem::invalid("Last-Event-ID is not a number"))
}

/// What one open stream holds.
struct Reader {
    api: Api,
    after: u64,
    news: desk::News,
    _open: Open,
}

/// Counts the stream while it is open, and keeps its place taken.
struct Open(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Open {
    fn new(place: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("kubemend_api_event_streams").increment(1.0);
        Self(place)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("kubemend_api_event_streams").decrement(1.0);
    }
}

fn events(api: Api, after: u64, place: OwnedSemaphorePermit) -> impl Stream<Item = Event> {
    let news = desk::news(&api.engine);
    let reader = Reader { api, after, news, _open: Open::new(place) };
    stream::unfold(reader, |mut reader| async {
        let page = reader.next_page().await?;
        Some((stream::iter(page), reader))
    })
    .flatten()
    .map(|entry| event(&entry))
}

impl Reader {
    /// The next entries, as soon as there are any. `None` when the engine is gone or the store fails: the
    /// client then comes back by itself and goes on where it was.
    async fn next_page(&mut self) -> Option<Vec<EntryView>> {
        loop {
            self.news.forget();
            let page = desk::entries_after(&self.api.engine, self.after, PAGE).await.ok()?;
            if let Some(last) = page.last() {
                self.after = last.seq;
                return Some(page);
            }
            self.news.wait().await?;
        }
    }
}

fn event(entry: &EntryView) -> Event {
    let data = serde_json::to_string(entry).unwrap_or_default();
    Event::default().id(entry.seq.to_string()).event(&entry.entry.r#type).data(data)
}
