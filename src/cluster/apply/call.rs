//! Requests for one object, by its kind's four names: read it, change it, or only try to.
//!
//! Bodies and paths are built here rather than by kube's typed calls, so that exactly the approved bytes go out
//! and the answer's status is known even where its body is lost. Every request has a time limit, every answer
//! a size limit.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::actions::names;
use crate::incident::{Actor, ApiKind, Change, Delete, Operation, Patch, Target, Text, Via};

const MANAGER: &str = "kubemend";
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
const LONGEST_REASON: usize = 500;
const TRIES: u32 = 3;

/// Sends requests for single objects.
#[derive(Clone)]
pub(in crate::cluster) struct Caller {
    client: Client,
    pub(super) patience: Duration,
    name: Option<Impersonated>,
}

/// Whether a change is made or only tried (`dryRun=All`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Trial {
    Yes,
    No,
}

/// What an object's name led to; `None`: nothing is there.
pub(in crate::cluster) type Found = Option<Value>;

/// What came back.
pub(in crate::cluster) enum Answer {
    /// 2xx. The body is missing where it was lost after the status.
    Made(Option<Value>),
    /// A status that says that nothing was done.
    Refused { code: u16, why: Text },
    /// No answer, or one that does not say whether it was done (5xx).
    Lost(Text),
    /// It could not be put into a request; nothing was sent.
    Unfit(Text),
}

/// The Kubernetes user that stands for an approver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impersonated {
    pub user: Text,
    pub groups: Vec<Text>,
}

/// Which approver is which Kubernetes user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Impersonation {
    names: BTreeMap<(Via, Text), Impersonated>,
}

impl Impersonation {
    /// From verified identities to users.
    pub fn new(names: impl IntoIterator<Item = ((Via, Text), Impersonated)>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    pub(super) fn of(&self, actor: &Actor) -> Option<&Impersonated> {
        self.names.get(&(actor.via, actor.id.clone()))
    }
}

impl Caller {
    pub(in crate::cluster) fn new(client: Client, patience: Duration) -> Self {
        Self { client, patience, name: None }
    }

    pub(super) fn in_the_name_of(&self, name: &Impersonated) -> Self {
        Self { name: Some(name.clone()), ..self.clone() }
    }

    /// The object at the target's name, whatever its uid.
    pub(in crate::cluster) async fn read(&self, target: &Target) -> Result<Found, Text> {
        let words = target.in_cluster(&Text::default());
        let path = object_path(target).map_err(Text::from)?;
        let request = self.request(Method::GET, &path, None, Vec::new())?;
        match self.exchange(request).await {
            Answer::Made(Some(json)) => Ok(Some(json)),
            Answer::Refused { code: 404, .. } => Ok(None),
            Answer::Refused { code, why } => Err(format!("{words} could not be read: {code} {why}").into()),
            Answer::Made(None) => Err(format!("{words} could not be read: the answer broke off").into()),
            Answer::Lost(why) | Answer::Unfit(why) => Err(format!("{words} could not be read: {why}").into()),
        }
    }

    /// The same, tried a few times: reading is harmless.
    pub(super) async fn read_patiently(&self, target: &Target) -> Result<Found, Text> {
        let mut pause = self.patience / 30;
        for _ in 1..TRIES {
            match self.read(target).await {
                Ok(found) => return Ok(found),
                Err(_) => wait(pause).await,
            }
            pause *= 2;
        }
        self.read(target).await
    }

    /// Sends a change, once.
    pub(in crate::cluster) async fn send(&self, change: &Change, trial: Trial) -> Answer {
        let request = match self.change_request(change, trial) {
            Ok(request) => request,
            Err(why) => return Answer::Unfit(why),
        };
        self.exchange(request).await
    }

    fn change_request(&self, change: &Change, trial: Trial) -> Result<Request<Body>, Text> {
        let Change { target, operation, .. } = change;
        let path = match operation {
            Operation::Create(_) => collection_path(target),
            Operation::Patch(_) | Operation::Delete(_) => object_path(target),
        }
        .map_err(Text::from)?;
        let dry = if trial == Trial::Yes { "dryRun=All" } else { "" };
        let query = match operation {
            Operation::Delete(_) => dry.to_owned(),
            Operation::Patch(_) | Operation::Create(_) if dry.is_empty() => format!("fieldManager={MANAGER}"),
            Operation::Patch(_) | Operation::Create(_) => format!("fieldManager={MANAGER}&{dry}"),
        };
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let (method, kind, body) = match operation {
            Operation::Patch(Patch::Json(body)) => {
                (Method::PATCH, "application/json-patch+json", body.to_string())
            }
            Operation::Patch(Patch::Merge(body)) => {
                (Method::PATCH, "application/merge-patch+json", body.to_string())
            }
            Operation::Patch(Patch::Strategic(body)) => {
                (Method::PATCH, "application/strategic-merge-patch+json", body.to_string())
            }
            Operation::Delete(delete) => {
                (Method::DELETE, "application/json", deletion(target, delete, trial).to_string())
            }
            Operation::Create(body) => (Method::POST, "application/json", body.to_string()),
        };
        self.request(method, &path, Some(kind), body.into_bytes())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Request<Body>, Text> {
        let mut request =
            Request::builder().method(method).uri(path).header(http::header::ACCEPT, "application/json");
        if let Some(kind) = kind {
            request = request.header(http::header::CONTENT_TYPE, kind);
        }
        if let Some(Impersonated { user, groups }) = &self.name {
            request = request.header("Impersonate-User", user.as_str());
            for group in groups {
                request = request.header("Impersonate-Group", group.as_str());
            }
        }
        request.body(Body::from(body)).map_err(|error| Text::from(error.to_string()))
    }

    async fn exchange(&self, request: Request<Body>) -> Answer {
        let limit = tokio::time::Instant::now() + self.patience;
        let response = match tokio::time::timeout_at(limit, self.client.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Answer::Lost(chain(&error)),
            Err(_) => return Answer::Lost(format!("no answer within {:?}", self.patience).into()),
        };
        let status = response.status();
        let body = tokio::time::timeout_at(limit, json_body(response)).await.ok().flatten();
        answer(status, body)
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between two tries to read")]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// 4xx statuses say that the API server did not do it. A 5xx may come from a proxy, or from an API server that
/// lost its store in the middle of the write, so it says nothing.
fn answer(status: StatusCode, body: Option<Value>) -> Answer {
    let why = || {
        let message = body.as_ref().and_then(|json| json["message"].as_str()).unwrap_or_default();
        Text::from(cut(message))
    };
    if status.is_success() {
        Answer::Made(body)
    } else if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        Answer::Refused { code: status.as_u16(), why: why() }
    } else {
        Answer::Lost(format!("the answer was {} {}", status.as_u16(), why()).into())
    }
}

async fn json_body(response: Response<Body>) -> Option<Value> {
    let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

/// A trial is said in the body: an API server that gets a body for a DELETE does not look at the query at all,
/// and deletes.
fn deletion(target: &Target, delete: &Delete, trial: Trial) -> Value {
    let mut options =
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": target.uid}});
    if trial == Trial::Yes {
        options["dryRun"] = json!(["All"]);
    }
    if let Some(seconds) = delete.grace_seconds {
        options["gracePeriodSeconds"] = seconds.into();
    }
    options
}

fn object_path(target: &Target) -> Result<String, String> {
    Ok(format!("{}/{}", collection_path(target)?, target.name))
}

/// Every part is held to Kubernetes' rules for names, none of which needs escaping in a path.
fn collection_path(target: &Target) -> Result<String, String> {
    names::target(target)?;
    let Target { api, namespace, .. } = target;
    let ApiKind { group, version, plural, kind: _ } = api;
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    Ok(if namespace.is_empty() {
        format!("{root}/{plural}")
    } else {
        format!("{root}/namespaces/{namespace}/{plural}")
    })
}

/// The innermost reason: kube's own texts repeat those below them.
fn chain(error: &dyn std::error::Error) -> Text {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Text::from(cut(&innermost.to_string()))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST_REASON {
        return text.to_owned();
    }
    text.chars().take(LONGEST_REASON).chain(std::iter::once('…')).collect()
}
