//! Eviction and binding: the two things done to a pod by creating something else.

use serde_json::{Value, json};

use super::clock::stamp;
use super::gvr;
use super::meta::{self, text};
use super::remove::DeleteOptions;
use super::selector::label_selector_matches;
use super::state::{Call, State};
use super::status::Status;

/// Seconds a client waits before it asks for an eviction again.
const RETRY: u32 = 10;

impl State {
    /// Deletes a pod if its disruption budget allows it.
    pub(super) fn evict(
        &mut self,
        call: &Call<'_>,
        pod: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Status> {
        let (ns, name) = meta::key(pod);
        let done = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed" | "Pending");
        if !done && !meta::is_deleting(pod) {
            self.charge_budget(call, pod)?;
        }
        let mut plain = call.on(call.res.clone());
        plain.manager = None;
        self.remove(&plain, Some(&ns), &name, options).map(|_| ())
    }

    fn charge_budget(&mut self, call: &Call<'_>, pod: &Value) -> Result<(), Status> {
        let labels = &pod["metadata"]["labels"];
        let budgets: Vec<_> = self
            .store
            .all(&gvr::POD_DISRUPTION_BUDGETS, Some(meta::namespace(pod)))
            .into_iter()
            .filter(|budget| label_selector_matches(&budget["spec"]["selector"], labels))
            .collect();
        let budget = match budgets.as_slice() {
            [] => return Ok(()),
            [one] => one,
            _ => {
                return Err(Status::internal(
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not \
                     support.",
                ));
            }
        };
        let charged = charged(budget, pod, call)?;
        let budgets = self.resource(&gvr::POD_DISRUPTION_BUDGETS)?;
        self.commit(&call.on(budgets), charged);
        Ok(())
    }

    /// Puts a pod on a node, once.
    pub(super) fn bind(&mut self, call: &Call<'_>, pod: &Value, binding: &Value) -> Result<(), Status> {
        let own = text(pod, "/spec/nodeName");
        if !own.is_empty() {
            let why = format!("pod {} is already assigned to node {own:?}", meta::name(pod));
            return Err(Status::conflict(&gvr::Gvr::of("", "v1", "pods/binding"), meta::name(pod), &why));
        }
        let mut bound = pod.clone();
        bound["spec"]["nodeName"] = json!(text(binding, "/target/name"));
        let condition = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": stamp(call.now)});
        let mut conditions: Vec<Value> = meta::list(pod, "/status/conditions")
            .iter()
            .filter(|one| text(one, "/type") != "PodScheduled")
            .cloned()
            .collect();
        conditions.push(condition);
        bound["status"]["conditions"] = json!(conditions);
        self.commit(call, bound);
        Ok(())
    }
}

/// The budget with one disruption less, or why it allows none.
fn charged(budget: &Value, pod: &Value, call: &Call<'_>) -> Result<Value, Status> {
    let name = meta::name(budget);
    let count = |pointer: &str| budget.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    if count("/status/observedGeneration") < count("/metadata/generation") {
        return Err(refused(&format!(
            "The disruption budget {name} is still being processed by the server."
        )));
    }
    let left = count("/status/disruptionsAllowed");
    if left <= 0 {
        return Err(refused(&format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            count("/status/desiredHealthy"),
            count("/status/currentHealthy")
        )));
    }
    let mut next = budget.clone();
    next["status"]["disruptionsAllowed"] = json!(left - 1);
    next["status"]["disruptedPods"][meta::name(pod)] = json!(stamp(call.now));
    Ok(next)
}

fn refused(cause: &str) -> Status {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let processing = cause.contains("still being processed");
    let mut status = Status::too_many_requests(message, if processing { RETRY } else { 0 });
    if !status.details.is_object() {
        status.details = json!({});
    }
    status.details["causes"] = json!([{"reason": "DisruptionBudget", "message": cause}]);
    status
}
