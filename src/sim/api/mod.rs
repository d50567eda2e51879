//! The API server of the simulated cluster. Owns storage, admission, access and the HTTP face, in the
//! words of a real server. Refuses behaviour: what kubelets and controllers do comes from callers.
//!
//! HTTP requests and callers in this process go the same way; only the latter are trusted and pass neither
//! authorisation nor faults.

mod admit;
mod auth;
pub mod clock;
mod collect;
mod custom;
mod defaults;
mod events;
mod evict;
mod faults;
pub mod gvr;
mod http;
mod logs;
pub mod meta;
mod patch;
mod record;
mod remove;
mod resource;
mod schema;
mod selector;
mod state;
mod status;
mod store;
mod table;
mod user;
mod validate;
mod watching;

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub use clock::SimClock;
pub use faults::{Fault, Faults, Match, What};
pub use gvr::Gvr;
pub use logs::{LogLine, LogStore};
pub use record::RecordedRequest;
pub use remove::{DeleteOptions, Deleted, Propagation};
pub use selector::label_selector_matches;
pub use status::{Cause, Status};
pub use store::WatchType;
pub use user::User;
pub use watching::Watch;

use state::{Call, State};

/// How often a read-modify-write in this process is tried. Nothing can come between read and write here,
/// so one retry is already generous.
const TRIES: usize = 2;

/// The simulated API server; clones share one cluster.
#[derive(Clone)]
pub struct ApiServer {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SimClock,
    state: Mutex<State>,
    logs: LogStore,
    faults: Faults,
    requests: record::Recorder,
    tokens: auth::tokens::Tokens,
    options: Mutex<Options>,
    /// Wakes the collector.
    dirty: Arc<Notify>,
}

/// How the server behaves where real ones differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Watches may ask for initial events (the WatchList feature gate).
    pub watch_list: bool,
    /// Time between bookmarks.
    pub bookmark_every: Duration,
    /// New pods pull their images whenever they start (the AlwaysPullImages admission plugin), so that an image
    /// that lies on a node serves only those who may pull it.
    pub always_pull_images: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { watch_list: true, bookmark_every: Duration::from_secs(10), always_pull_images: false }
    }
}

impl ApiServer {
    /// An empty cluster with the namespaces and roles every cluster has.
    pub fn new(clock: SimClock) -> Self {
        let dirty = Arc::new(Notify::new());
        let inner = Inner {
            clock,
            state: Mutex::new(State::new(Arc::clone(&dirty))),
            logs: LogStore::default(),
            faults: Faults::default(),
            requests: record::Recorder::default(),
            tokens: auth::tokens::Tokens::default(),
            options: Mutex::default(),
            dirty,
        };
        let api = Self { inner: Arc::new(inner) };
        let system = User::system("apiserver");
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            // The store is empty, so no name is taken.
            let _ = api.create(&system, &gvr::NAMESPACES, None, namespace);
        }
        for role in auth::builtin::cluster_roles() {
            let _ = api.create(&system, &gvr::CLUSTER_ROLES, None, role);
        }
        for binding in auth::builtin::cluster_role_bindings() {
            let _ = api.create(&system, &gvr::CLUSTER_ROLE_BINDINGS, None, binding);
        }
        api
    }

    /// The time of this cluster.
    pub fn clock(&self) -> &SimClock {
        &self.inner.clock
    }

    /// One object.
    pub fn get(&self, r: &Gvr, ns: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let state = self.inner.state.lock();
        let res = state.resource(r).ok()?;
        state.find(&res, ns, name).ok().map(|object| res.present(&object))
    }

    /// All objects of a namespace, or of all namespaces.
    pub fn list(&self, r: &Gvr, ns: Option<&str>) -> Vec<Arc<Value>> {
        let state = self.inner.state.lock();
        let Ok(res) = state.resource(r) else {
            return Vec::new();
        };
        let objects = state.store.all(&res.stored_as, ns);
        drop(state);
        objects.iter().map(|object| res.present(object)).collect()
    }

    /// Creates an object.
    pub fn create(&self, who: &User, r: &Gvr, ns: Option<&str>, obj: Value) -> Result<Arc<Value>, Status> {
        let mut state = self.inner.state.lock();
        let call = self.call(who, state.resource(r)?, None);
        state.create(&call, ns, obj)
    }

    /// Replaces an object or its subresource; a `metadata.resourceVersion` must be the current one.
    pub fn update(&self, who: &User, r: &Gvr, sub: Option<&str>, obj: Value) -> Result<Arc<Value>, Status> {
        let mut state = self.inner.state.lock();
        let call = self.call(who, state.resource(r)?, sub);
        state.update(&call, obj)
    }

    /// Reads, changes and writes an object; retried if somebody else was faster.
    pub fn modify(
        &self,
        who: &User,
        r: &Gvr,
        sub: Option<&str>,
        ns: Option<&str>,
        name: &str,
        mut f: impl FnMut(&mut Value),
    ) -> Result<Arc<Value>, Status> {
        let mut answer = Err(Status::not_found(r, name));
        for _ in 0..TRIES {
            let mut object = match self.get(r, ns, name) {
                Some(object) => (*object).clone(),
                None => return Err(Status::not_found(r, name)),
            };
            f(&mut object);
            answer = self.update(who, r, sub, object);
            if answer.as_ref().err().is_none_or(|status| status.code != 409) {
                break;
            }
        }
        answer
    }

    /// Deletes an object, or marks it if somebody still holds it.
    pub fn delete(
        &self,
        who: &User,
        r: &Gvr,
        ns: Option<&str>,
        name: &str,
        opts: impl Borrow<DeleteOptions>,
    ) -> Result<Deleted, Status> {
        let mut state = self.inner.state.lock();
        let call = self.call(who, state.resource(r)?, None);
        state.remove(&call, ns, name, opts.borrow())
    }

    /// Follows a resource from a revision on, or from the objects of now.
    pub fn watch(&self, r: &Gvr, ns: Option<&str>, since: Option<u64>) -> Watch {
        let shelf = self.inner.state.lock().registry.get(r).map_or(*r, |res| res.stored_as);
        Watch::new(self, shelf, ns, since)
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.inner.state.lock().store.revision
    }

    /// Container logs.
    pub fn logs(&self) -> &LogStore {
        &self.inner.logs
    }

    /// The HTTP face.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// Fault injection; only HTTP requests are struck.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Every HTTP request that would change something, oldest first; the ring is bounded.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.inner.requests.all()
    }

    /// Makes a token stand for a user.
    pub fn add_token(&self, token: &str, user: User) {
        self.inner.tokens.add(token, user, None);
    }

    /// Makes a new token for a user, for ever or until a time.
    pub fn mint_token(&self, user: User, until: Option<Timestamp>) -> String {
        self.inner.tokens.mint(user, until)
    }

    /// Ends a token: whoever shows it gets 401.
    pub fn revoke_token(&self, token: &str) {
        self.inner.tokens.revoke(token);
    }

    /// Whether RBAC allows a verb on a resource (`pods/log` names a subresource).
    pub fn allows(&self, user: &User, verb: &str, r: &Gvr, ns: Option<&str>, name: &str) -> bool {
        let (resource, sub) = r.resource.split_once('/').unwrap_or((r.resource, ""));
        let asked = auth::rbac::Attributes {
            verb,
            group: r.group,
            resource,
            sub,
            namespace: ns.unwrap_or_default(),
            name,
            path: None,
        };
        auth::rbac::allows(&self.inner.state.lock().store, user, &asked)
    }

    /// Changes how the server behaves.
    pub fn set_options(&self, options: Options) {
        *self.inner.options.lock() = options;
        self.inner.state.lock().always_pull_images = options.always_pull_images;
    }

    /// How many changes each resource remembers for watches and pages.
    pub fn keep_history(&self, changes: usize) {
        self.inner.state.lock().store.keep(changes);
    }

    /// Forgets all history, as etcd's compaction does: older watches and pages get 410.
    pub fn compact(&self) {
        self.inner.state.lock().store.compact();
    }

    /// Collects dependents without owners and the content of dying namespaces, for ever.
    pub async fn run(&self) {
        collect::run(self).await;
    }

    /// Collects once, now; true if there was something to do.
    pub fn collect(&self) -> bool {
        collect::sweep(self)
    }

    fn call<'a>(&self, who: &'a User, res: Arc<resource::Resource>, sub: Option<&'a str>) -> Call<'a> {
        Call { who, res, sub, now: self.inner.clock.now(), dry_run: false, manager: None }
    }
}
