//! Watches over HTTP: initial events, bookmarks, timeouts, selectors that objects enter and leave, and the
//! faults that strike watches.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::faults::What;
use super::super::meta;
use super::super::selector::Selector;
use super::super::status::{Cause, Status};
use super::super::store::{Change, WatchType, event_line};
use super::super::watching::Feed;
use super::answer::{self, Answer};
use super::read::{Form, form, metadata_only, selector};
use super::{Asked, table};

/// A watch without `timeoutSeconds` lasts this long.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(45);

/// Time for what was sent to leave before a connection is cut.
const FLUSH: Duration = Duration::from_millis(20);

struct Stream {
    asked: Asked,
    feed: Feed,
    selector: Selector,
    form: Form,
    until: Instant,
    bookmark: Option<(Duration, Instant)>,
    pending: VecDeque<Bytes>,
    /// What comes when `pending` is sent.
    then: Then,
    columns_sent: bool,
}

#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    End,
    Cut,
}

pub(super) fn serve(asked: Asked) -> Answer {
    let mut stream = Stream::open(asked)?;
    if stream.asked.faults.contains(&What::Gone) {
        stream.fail(&Status::too_old(1, 2));
    }
    let body = futures::stream::unfold(stream, |mut stream| async move {
        let next = stream.next().await;
        next.map(|chunk| (chunk, stream))
    });
    Ok(answer::bytes(200, "application/json", Body::from_stream(body)))
}

impl Stream {
    fn open(asked: Asked) -> Result<Self, Status> {
        let selector = selector(&asked.res, &asked.query)?;
        let query = &asked.query;
        let options = *asked.api.inner.options.lock();
        let initial = query.is("sendInitialEvents");
        if initial {
            check_initial(&asked, options.watch_list)?;
        }
        let since: u64 = query.number("resourceVersion").unwrap_or(0);
        let timeout = query.number("timeoutSeconds").filter(|seconds| *seconds > 0);
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
        let bookmark = query
            .is("allowWatchBookmarks")
            .then(|| (options.bookmark_every, Instant::now() + options.bookmark_every));
        let feed = Feed::new(&asked.api, asked.res.stored_as, since);
        let form = form(&asked.parts);
        let mut stream = Self {
            asked,
            feed,
            selector,
            form,
            until: Instant::now() + timeout,
            bookmark,
            pending: VecDeque::new(),
            then: Then::GoOn,
            columns_sent: false,
        };
        if since == 0 || initial {
            stream.start(initial);
        }
        Ok(stream)
    }

    /// The objects of now come first.
    fn start(&mut self, marked: bool) {
        let state = self.asked.api.inner.state.lock();
        let objects = state.store.all(&self.asked.res.stored_as, self.asked.target.ns());
        self.feed.cursor = state.store.revision;
        drop(state);
        for object in &objects {
            if self.wants(object) {
                let line = self.line(WatchType::Added, object);
                self.pending.push_back(line);
            }
        }
        if marked {
            let line = self.bookmark_line(Some("k8s.io/initial-events-end"));
            self.pending.push_back(line);
        }
    }

    fn wants(&self, object: &Value) -> bool {
        let target = &self.asked.target;
        (target.namespace.is_empty() || meta::namespace(object) == target.namespace)
            && (target.name.is_empty() || meta::name(object) == target.name)
            && (self.selector.is_all() || self.selector.matches(object))
    }

    async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        if self.asked.faults.contains(&What::SilentWatch) {
            tokio::time::sleep_until(self.until).await;
            return None;
        }
        loop {
            if let Some(line) = self.pending.pop_front() {
                if self.asked.faults.contains(&What::CutAfter) {
                    self.pending.clear();
                    self.then = Then::Cut;
                }
                return Some(Ok(line));
            }
            match self.then {
                Then::GoOn => {}
                Then::End => return None,
                Then::Cut => {
                    self.then = Then::End;
                    // What was sent must leave first: an error at once would take it along.
                    tokio::time::sleep(FLUSH).await;
                    return Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "injected cut")));
                }
            }
            self.pull();
            if self.pending.is_empty() && self.then == Then::GoOn && !self.wait().await {
                return None;
            }
        }
    }

    /// False when the time of the watch is over.
    async fn wait(&mut self) -> bool {
        let mark = self.bookmark.map_or(self.until, |(_, at)| at.min(self.until));
        tokio::select! {
            () = self.feed.wait() => return true,
            () = tokio::time::sleep_until(mark) => {}
        }
        if Instant::now() >= self.until {
            return false;
        }
        if let Some((every, _)) = self.bookmark {
            self.bookmark = Some((every, Instant::now() + every));
            let line = self.bookmark_line(None);
            self.pending.push_back(line);
        }
        true
    }

    fn pull(&mut self) {
        match self.feed.pull() {
            Ok(changes) => self.take(&changes),
            Err(expired) => self.fail(&expired),
        }
    }

    fn fail(&mut self, status: &Status) {
        self.pending.clear();
        self.pending.push_back(event_line(WatchType::Error, &status.to_value()));
        self.then = Then::End;
    }

    fn take(&mut self, changes: &[Arc<Change>]) {
        let mut lines: Vec<(String, Bytes)> = Vec::new();
        for change in changes {
            if let Some((kind, object)) = self.seen(change) {
                let line = if kind == change.kind && self.is_shared() {
                    change.line()
                } else {
                    self.line(kind, &object)
                };
                lines.push((meta::uid(&object).to_owned(), line));
            }
        }
        if self.asked.faults.contains(&What::Reorder) {
            reorder(&mut lines);
        }
        for (_, line) in lines {
            if self.asked.faults.contains(&What::Duplicate) {
                self.pending.push_back(line.clone());
            }
            self.pending.push_back(line);
        }
    }

    /// What a change is to this watch: an object may enter or leave its selector.
    fn seen(&self, change: &Change) -> Option<(WatchType, Arc<Value>)> {
        let now = change.kind != WatchType::Deleted && self.wants(&change.object);
        let before = change.previous.as_ref().is_some_and(|object| self.wants(object));
        let kind = match (before, now) {
            (false, false) => return None,
            (false, true) => WatchType::Added,
            (true, true) => WatchType::Modified,
            (true, false) => WatchType::Deleted,
        };
        Some((kind, Arc::clone(&change.object)))
    }

    fn is_shared(&self) -> bool {
        self.form == Form::Plain && self.asked.res.gvr == self.asked.res.stored_as
    }

    fn line(&mut self, kind: WatchType, object: &Arc<Value>) -> Bytes {
        let shown = self.asked.res.present(object);
        match self.form {
            Form::Plain => event_line(kind, &shown),
            Form::Metadata => event_line(kind, &metadata_only(&shown)),
            Form::Table => {
                let include = self.asked.query.get("includeObject");
                let now = self.asked.api.clock().now();
                let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let mut table = table::of(&self.asked.res, &[shown], &meta, include, now);
                if self.columns_sent {
                    table["columnDefinitions"] = Value::Null;
                }
                self.columns_sent = true;
                event_line(kind, &table)
            }
        }
    }

    fn bookmark_line(&self, note: Option<&str>) -> Bytes {
        let res = &self.asked.res;
        let (kind, version) = match self.form {
            Form::Plain => (res.kind, res.api_version()),
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            Form::Table => ("Table", "meta.k8s.io/v1".to_owned()),
        };
        let mut object = json!({"kind": kind, "apiVersion": version,
            "metadata": {"resourceVersion": self.feed.cursor.to_string(), "creationTimestamp": null}});
        if let Some(note) = note {
            object["metadata"]["annotations"] = json!({note: "true"});
        }
        event_line(WatchType::Bookmark, &object)
    }
}

fn check_initial(asked: &Asked, on: bool) -> Result<(), Status> {
    let refused = |why: &str| {
        Err(Status::invalid("meta.k8s.io", "ListOptions", "", &[Cause::forbidden("sendInitialEvents", why)]))
    };
    if !on {
        return refused(
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        );
    }
    if asked.query.get("resourceVersionMatch") != "NotOlderThan" {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(Status::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            &[Cause::forbidden("resourceVersionMatch", why)],
        ));
    }
    Ok(())
}

/// Reverses neighbours that are about different objects.
fn reorder(lines: &mut [(String, Bytes)]) {
    let mut at = 1;
    while at < lines.len() {
        if lines[at - 1].0 == lines[at].0 {
            at += 1;
        } else {
            lines.swap(at - 1, at);
            at += 2;
        }
    }
}
