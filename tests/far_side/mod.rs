//! A scripted API server: a few collections, their history, and what is to go wrong with the next requests.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use kubemend::cluster::Access;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// How the server answers a wish for a streamed listing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    Streamed,
    /// It says 400 to streaming, and gives pages.
    RefusesStreaming,
    /// It does not know the parameter, and never says where the listing ends.
    IgnoresStreaming,
    Paged,
}

/// What happens to one request.
pub(crate) enum Act {
    Pass,
    /// An HTTP status, with `Retry-After`.
    Status(u16, Option<u64>),
    /// A watch that says this in its first line.
    ErrorLine(u16),
    /// A watch that ends in the middle of its first line.
    CutInLine,
    /// A watch that says nothing, ever.
    Silent,
    /// A watch as it should be: only to count requests.
    Hold,
}

type Sender = mpsc::UnboundedSender<Result<Vec<u8>, std::io::Error>>;

#[derive(Default)]
struct Collection {
    objects: BTreeMap<String, Value>,
    history: Vec<(u64, String)>,
    watchers: Vec<Sender>,
    lists: VecDeque<Act>,
    watches: VecDeque<Act>,
    seen: Vec<(Instant, String)>,
}

#[derive(Default)]
struct World {
    version: u64,
    uids: u64,
    collections: HashMap<String, Collection>,
    forbidden: HashSet<String>,
    token: Option<String>,
}

#[derive(Clone)]
pub(crate) struct FarSide {
    world: Arc<Mutex<World>>,
    lists: Lists,
    address: std::net::SocketAddr,
    _task: Arc<tokio::task::JoinSet<()>>,
}

impl FarSide {
    pub(crate) async fn start(lists: Lists) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(World { version: 100, ..World::default() }));
        let router = Router::new().fallback(answer).with_state((Arc::clone(&world), lists));
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { world, lists, address, _task: Arc::new(task) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn access(&self) -> Access {
        assert!(matches!(
            self.lists,
            Lists::Streamed | Lists::Paged | Lists::RefusesStreaming | Lists::IgnoresStreaming
        ));
        Access::Direct(Box::new(kube::Config::new(self.url().parse().unwrap())))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn at<R>(&self, path: &str, work: impl FnOnce(&mut Collection) -> R) -> R {
        work(self.world().collections.entry(path.to_owned()).or_default())
    }

    /// Creates or updates; watchers hear of it.
    pub(crate) fn put(&self, path: &str, mut object: Value) {
        let mut world = self.world();
        world.version += 1;
        let version = world.version;
        world.uids += 1;
        let fresh = format!("00000000-0000-0000-0000-{:012}", world.uids);
        let collection = world.collections.entry(path.to_owned()).or_default();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let known = collection.objects.get(&name);
        object["metadata"]["uid"] = known.map_or(json!(fresh), |known| known["metadata"]["uid"].clone());
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let kind = if known.is_some() { "MODIFIED" } else { "ADDED" };
        collection.say(version, &json!({"type": kind, "object": object}));
        collection.objects.insert(name, object);
    }

    pub(crate) fn delete(&self, path: &str, name: &str) {
        let mut world = self.world();
        world.version += 1;
        let version = world.version;
        let collection = world.collections.entry(path.to_owned()).or_default();
        let mut object = collection.objects.remove(name).unwrap();
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        collection.say(version, &json!({"type": "DELETED", "object": object}));
    }

    /// Deletes, and forgets that it ever happened.
    pub(crate) fn delete_unseen(&self, path: &str, name: &str) {
        self.world().version += 1;
        self.at(path, |collection| collection.objects.remove(name).unwrap());
    }

    pub(crate) fn get(&self, path: &str, name: &str) -> Value {
        self.at(path, |collection| collection.objects[name].clone())
    }

    /// Says the whole history again, backwards, to whoever watches.
    pub(crate) fn repeat_in_disorder(&self, path: &str) {
        self.at(path, |collection| {
            for (_, line) in collection.history.iter().rev().chain(&collection.history) {
                for watcher in &collection.watchers {
                    let _ = watcher.send(Ok(line.clone().into_bytes()));
                }
            }
        });
    }

    pub(crate) fn raw(&self, path: &str, text: &str) {
        self.at(path, |collection| collection.tell(text));
    }

    /// Breaks off all watches of the collection.
    pub(crate) fn cut(&self, path: &str) {
        self.at(path, |collection| {
            for watcher in collection.watchers.drain(..) {
                let _ = watcher.send(Err(std::io::Error::other("cut")));
            }
        });
    }

    pub(crate) fn next_list(&self, path: &str, act: Act) {
        self.at(path, |collection| collection.lists.push_back(act));
    }

    pub(crate) fn next_watch(&self, path: &str, act: Act) {
        self.at(path, |collection| collection.watches.push_back(act));
    }

    pub(crate) fn forbid(&self, path: &str) {
        self.world().forbidden.insert(path.to_owned());
    }

    pub(crate) fn allow(&self, path: &str) {
        self.world().forbidden.remove(path);
    }

    pub(crate) fn accept(&self, token: &str) {
        self.world().token = Some(format!("Bearer {token}"));
    }

    /// The requests to the collection.
    pub(crate) fn seen(&self, path: &str) -> Vec<String> {
        self.at(path, |collection| collection.seen.iter().map(|(_, uri)| uri.clone()).collect())
    }

    pub(crate) fn times(&self, path: &str) -> Vec<Instant> {
        self.at(path, |collection| collection.seen.iter().map(|(at, _)| *at).collect())
    }

    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        self.at(path, |collection| collection.objects.keys().cloned().collect())
    }

    /// The names of pods with a waiting container.
    pub(crate) fn bad(&self, path: &str) -> Vec<String> {
        let waits = |pod: &Value| pod["status"]["containerStatuses"][0]["state"].get("waiting").is_some();
        self.at(path, |c| {
            c.objects.iter().filter(|(_, pod)| waits(pod)).map(|(name, _)| name.clone()).collect()
        })
    }
}

impl Collection {
    fn say(&mut self, version: u64, line: &Value) {
        let line = format!("{line}\n");
        self.tell(&line);
        self.history.push((version, line));
    }

    fn tell(&mut self, text: &str) {
        self.watchers.retain(|watcher| watcher.send(Ok(text.as_bytes().to_vec())).is_ok());
    }
}

/// Waits for a state.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn status(code: u16, after: Option<u64>) -> Response<Body> {
    let mut response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    if let Some(after) = after {
        response = response.header(header::RETRY_AFTER, after);
    }
    response
        .body(Body::from(json!({"kind": "Status", "code": code, "message": "as scripted"}).to_string()))
        .unwrap()
}

async fn answer(
    State((world, lists)): State<(Arc<Mutex<World>>, Lists)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    let mut world = world.lock().unwrap();
    let path = uri.path().to_owned();
    let wanted = world.token.clone();
    if wanted.is_some()
        && headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) != wanted.as_deref()
    {
        return status(401, None);
    }
    let (forbidden, version) = (world.forbidden.contains(&path), world.version);
    let collection = world.collections.entry(path).or_default();
    collection.seen.push((Instant::now(), uri.to_string()));
    if forbidden {
        return status(403, None);
    }
    let query: HashMap<String, String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if query.contains_key("watch") {
        watch(collection, &query, lists, version)
    } else {
        list(collection, &query, version)
    }
}

fn list(collection: &mut Collection, query: &HashMap<String, String>, version: u64) -> Response<Body> {
    if let Some(Act::Status(code, after)) = collection.lists.pop_front() {
        return status(code, after);
    }
    let number = |name: &str| query.get(name).and_then(|value| value.parse::<usize>().ok());
    let (from, limit) = (number("continue").unwrap_or(0), number("limit").unwrap_or(usize::MAX));
    let items: Vec<&Value> = collection.objects.values().skip(from).take(limit).collect();
    let next = from + items.len();
    let more = if next < collection.objects.len() { next.to_string() } else { String::new() };
    let page = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": version.to_string(), "continue": more}, "items": items});
    Response::new(Body::from(page.to_string()))
}

fn watch(
    collection: &mut Collection,
    query: &HashMap<String, String>,
    lists: Lists,
    version: u64,
) -> Response<Body> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let send = |text: String| sender.send(Ok(text.into_bytes())).unwrap();
    let mut keep = true;
    if query.contains_key("sendInitialEvents") {
        match lists {
            Lists::RefusesStreaming | Lists::Paged => return status(400, None),
            Lists::Streamed | Lists::IgnoresStreaming => {}
        }
        for object in collection.objects.values() {
            send(format!("{}\n", json!({"type": "ADDED", "object": object})));
        }
        if lists == Lists::Streamed {
            let end = json!({"k8s.io/initial-events-end": "true"});
            let meta = json!({"resourceVersion": version.to_string(), "annotations": end});
            send(format!("{}\n", json!({"type": "BOOKMARK", "object": {"metadata": meta}})));
        }
    } else {
        let from: u64 = query["resourceVersion"].parse().unwrap();
        match collection.watches.pop_front().unwrap_or(Act::Pass) {
            Act::Status(code, after) => return status(code, after),
            Act::ErrorLine(code) => {
                send(format!("{}\n", json!({"type": "ERROR", "object": {"kind": "Status", "code": code}})));
                keep = false;
            }
            Act::CutInLine => {
                send("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na".to_owned());
                sender.send(Err(std::io::Error::other("cut"))).unwrap();
                keep = false;
            }
            Act::Silent => {
                // The sender lives on where nobody uses it.
                std::mem::forget(sender.clone());
                keep = false;
            }
            Act::Pass | Act::Hold => {
                for (_, line) in collection.history.iter().filter(|(version, _)| *version > from) {
                    send(line.clone());
                }
            }
        }
    }
    if keep {
        collection.watchers.push(sender);
    }
    Response::new(Body::from_stream(UnboundedReceiverStream::new(receiver).map(|chunk| chunk)))
}
