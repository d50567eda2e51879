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
    kept: Arc<Mutex<HashMap<Rule, (Instant, Option<Text>)>>>,
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
        if let Some(why) = self.recall(&rule) {
            return why.map(|why| Missing { rule, why });
        }
        match tokio::time::timeout(PATIENCE, self.review(&rule)).await {
            Ok(Ok(why)) => {
                self.keep(rule.clone(), why.clone());
                why.map(|why| Missing { rule, why })
            }
            Ok(Err(error)) => Some(Missing { rule, why: unasked(&error.to_string()) }),
            Err(_) => Some(Missing { rule, why: unasked("no answer in time") }),
        }
    }

    /// `None`: it has the right.
    async fn review(&self, rule: &Rule) -> Result<Option<Text>, kube::Error> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &request(rule)).await?;
        let status = answer.status.unwrap_or_default();
        if status.allowed {
            return Ok(None);
        }
        let reason = status.reason.or(status.evaluation_error).filter(|reason| !reason.is_empty());
        Ok(Some(reason.map_or_else(|| "no role grants it".into(), Text::from)))
    }

    fn recall(&self, rule: &Rule) -> Option<Option<Text>> {
        let kept = self.kept.lock();
        let (at, why) = kept.get(rule)?;
        (at.elapsed() < FRESH).then(|| why.clone())
    }

    fn keep(&self, rule: Rule, why: Option<Text>) {
        let mut kept = self.kept.lock();
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(rule, (Instant::now(), why));
        }
    }
}

fn unasked(why: &str) -> Text {
    format!("the cluster could not be asked: {why}").into()
}

fn request(rule: &Rule) -> SelfSubjectAccessReview {
    let Rule { verb, group, resource, namespace, name } = rule;
    let (resource, subresource) = resource.split_once('/').map_or((resource.as_str(), None), |(r, s)| (r, Some(s)));
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
