//! Which rights kubemend has, asked of the cluster (SelfSubjectAccessReview).
//!
//! Asked before a proposal is offered, so that nobody approves what cannot be done. Answers are kept for a
//! short while, since proposals come in bursts; a right that could not be asked about counts as missing, with
//! the reason, and is not kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;

use crate::incident::{Rule, Text};

const AT_ONCE: usize = 4;
const FRESH: Duration = Duration::from_secs(30);
const MOST_KEPT: usize = 2048;
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks a cluster for kubemend's own rights.
#[derive(Clone)]
pub struct Rights {
    client: Client,
    kept: Arc<Mutex<HashMap<Rule, Kept>>>,
}

struct Kept {
    at: Instant,
    answer: Review,
}

/// What the cluster said.
#[derive(Clone)]
enum Review {
    Allowed,
    Denied(Text),
}

/// A right that kubemend does not have, and why it thinks so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    pub rule: Rule,
    pub why: Text,
}

impl Rights {
    /// Asks through this client.
    pub fn new(client: Client) -> Self {
        Self { client, kept: Arc::default() }
    }

    /// Those of the rules that kubemend lacks, in their order.
    pub async fn missing(&self, rules: &[Rule]) -> Vec<Missing> {
        let answers = stream::iter(rules.to_vec()).map(|rule| self.ask(rule)).buffered(AT_ONCE);
        answers.filter_map(|missing| async { missing }).collect().await
    }

    async fn ask(&self, rule: Rule) -> Option<Missing> {
        let answer = match self.recall(&rule) {
            Some(answer) => answer,
            None => self.ask_cluster(&rule).await,
        };
        match answer {
            Review::Allowed => None,
            Review::Denied(why) => Some(Missing { rule, why }),
        }
    }

    async fn ask_cluster(&self, rule: &Rule) -> Review {
        match tokio::time::timeout(PATIENCE, self.review(rule)).await {
            Ok(Ok(answer)) => {
                self.keep(rule.clone(), answer.clone());
                answer
            }
            Ok(Err(error)) => unasked(&error.to_string()),
            Err(_) => unasked("no answer in time"),
        }
    }

    async fn review(&self, rule: &Rule) -> Result<Review, kube::Error> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &request(rule)).await?;
        let status = answer.status.unwrap_or_default();
        if status.allowed {
            return Ok(Review::Allowed);
        }
        let reason = status.reason.or(status.evaluation_error).filter(|reason| !reason.is_empty());
        Ok(Review::Denied(reason.map_or_else(|| "no role grants it".into(), Text::from)))
    }

    fn recall(&self, rule: &Rule) -> Option<Review> {
        let kept = self.kept.lock();
        let Kept { at, answer } = kept.get(rule)?;
        (at.elapsed() < FRESH).then(|| answer.clone())
    }

    fn keep(&self, rule: Rule, answer: Review) {
        let mut kept = self.kept.lock();
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, kept| kept.at.elapsed() < FRESH);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(rule, Kept { at: Instant::now(), answer });
        }
    }
}

fn unasked(why: &str) -> Review {
    Review::Denied(format!("the cluster could not be asked: {why}").into())
}

fn request(rule: &Rule) -> SelfSubjectAccessReview {
    let Rule { verb, group, resource, namespace, name } = rule;
    let (resource, subresource) =
        resource.split_once('/').map_or((resource.as_str(), None), |(r, s)| (r, Some(s)));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let attributes = ResourceAttributes {
        verb: some(verb),
        group: some(group),
        resource: some(resource),
        subresource: subresource.map(str::to_owned),
        namespace: some(namespace),
        name: some(name),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use http_body_util::BodyExt;
    use kube::client::Body;
    use serde_json::{Value, json};
    use tower::BoxError;

    use super::*;

    fn rule(verb: &str, resource: &str) -> Rule {
        let (namespace, name) = ("payments".into(), "api".into());
        Rule { verb: verb.into(), group: "apps".into(), resource: resource.into(), namespace, name }
    }

    /// A cluster that allows `get` and nothing else, and breaks off when asked for `patch`.
    fn cluster(asked: &Arc<AtomicUsize>, attributes: &Arc<Mutex<Vec<Value>>>) -> Client {
        let (asked, attributes) = (Arc::clone(asked), Arc::clone(attributes));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (asked, attributes) = (Arc::clone(&asked), Arc::clone(&attributes));
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
                let body = request.into_body().collect().await?.to_bytes();
                let mut review: Value = serde_json::from_slice(&body)?;
                let wanted = review["spec"]["resourceAttributes"].clone();
                attributes.lock().push(wanted.clone());
                if wanted["verb"] == "patch" {
                    return Err("connection reset".into());
                }
                review["metadata"] = json!({});
                review["status"] = json!({"allowed": wanted["verb"] == "get", "reason": ""});
                Ok::<_, BoxError>(Response::new(Body::from(review.to_string().into_bytes())))
            }
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn what_is_denied_or_cannot_be_asked_is_missing_with_the_reason() {
        let (asked, attributes) = (Arc::default(), Arc::default());
        let rights = Rights::new(cluster(&asked, &attributes));
        let rules =
            [rule("get", "deployments"), rule("delete", "deployments"), rule("patch", "deployments/scale")];
        let missing = rights.missing(&rules).await;
        let told: Vec<(&Rule, &str)> = missing.iter().map(|m| (&m.rule, m.why.as_str())).collect();
        assert_eq!(told[0], (&rules[1], "no role grants it"));
        assert!(
            told[1].0 == &rules[2] && told[1].1.starts_with("the cluster could not be asked"),
            "{told:?}"
        );
        assert_eq!(missing.len(), 2);
        let scale = attributes.lock().iter().find(|a| a["verb"] == "patch").cloned().expect("asked");
        let expected = json!({"verb": "patch", "group": "apps", "resource": "deployments", "subresource": "scale",
            "namespace": "payments", "name": "api"});
        assert_eq!(scale, expected);
    }

    #[tokio::test]
    async fn answers_are_kept_and_failures_are_asked_again() {
        let (asked, attributes) = (Arc::default(), Arc::default());
        let rights = Rights::new(cluster(&asked, &attributes));
        let rules = [rule("get", "deployments"), rule("delete", "deployments"), rule("patch", "deployments")];
        let first = rights.missing(&rules).await;
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(rights.missing(&rules).await, first);
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }
}
