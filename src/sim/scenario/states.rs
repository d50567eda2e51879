//! States of the cluster, read from the API as anybody could. Owns the predicates by which scenarios are
//! found broken or fixed; refuses to wait: callers ask again.

use std::sync::Arc;

use serde_json::Value;

use crate::sim::api::{ApiServer, gvr};
use crate::sim::objects::{count, generation, is_deleting, is_true, items, name};

/// The Deployment's rollout is over and all its pods are available.
pub fn deployment_ready(api: &ApiServer, namespace: &str, deployment: &str) -> bool {
    api.get(&gvr::DEPLOYMENTS, Some(namespace), deployment).is_some_and(|object| {
        let (status, wanted) = (&object["status"], count(&object["spec"]["replicas"]));
        status["observedGeneration"].as_i64() == Some(generation(&object))
            && count(&status["updatedReplicas"]) == wanted
            && count(&status["replicas"]) == wanted
            && count(&status["availableReplicas"]) == wanted
    })
}

/// [`deployment_ready`], and no pod of it waits or goes any more.
pub fn deployment_fixed(api: &ApiServer, namespace: &str, deployment: &str) -> bool {
    deployment_ready(api, namespace, deployment)
        && pods_of(api, namespace, deployment).iter().all(|pod| is_true(pod, "Ready") && !is_deleting(pod))
}

/// [`deployment_fixed`], running the image that ends so.
pub fn image_restored(api: &ApiServer, namespace: &str, deployment: &str, ending: &str) -> bool {
    let right = api.get(&gvr::DEPLOYMENTS, Some(namespace), deployment).is_some_and(|object| {
        let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().is_some_and(|image| image.ends_with(ending))
    });
    right && deployment_fixed(api, namespace, deployment)
}

/// All pods of the StatefulSet are there, ready, and none is on its way out.
pub fn stateful_fixed(api: &ApiServer, namespace: &str, set: &str) -> bool {
    let Some(object) = api.get(&gvr::STATEFUL_SETS, Some(namespace), set) else { return false };
    let pods = pods_of(api, namespace, set);
    pods.len() == usize::try_from(count(&object["spec"]["replicas"])).unwrap_or_default()
        && pods.iter().all(|pod| is_true(pod, "Ready") && !is_deleting(pod))
}

/// Some pod of the workload waits for that reason.
pub fn pods_wait(api: &ApiServer, namespace: &str, workload: &str, reason: &str) -> bool {
    pods_of(api, namespace, workload).iter().any(|pod| waits(pod, reason))
}

/// The workload has that many pods and all wait for that reason.
pub fn all_pods_wait(api: &ApiServer, namespace: &str, workload: &str, pods: usize, reason: &str) -> bool {
    let found = pods_of(api, namespace, workload);
    found.len() == pods && found.iter().all(|pod| waits(pod, reason))
}

/// How many pods of the namespace wait for that reason.
pub fn pod_count(api: &ApiServer, namespace: &str, reason: &str) -> usize {
    api.list(&gvr::PODS, Some(namespace)).iter().filter(|pod| waits(pod, reason)).count()
}

/// The pod runs and is ready.
pub fn pod_running(api: &ApiServer, namespace: &str, pod: &str) -> bool {
    api.get(&gvr::PODS, Some(namespace), pod).is_some_and(|pod| is_true(&pod, "Ready"))
}

/// The pod is no longer there.
pub fn pod_gone(api: &ApiServer, namespace: &str, pod: &str) -> bool {
    api.get(&gvr::PODS, Some(namespace), pod).is_none()
}

/// The pod should go, its containers are over, and yet it is there.
pub fn container_gone(api: &ApiServer, namespace: &str, pod: &str) -> bool {
    api.get(&gvr::PODS, Some(namespace), pod).is_some_and(|pod| {
        let statuses = items(&pod["status"]["containerStatuses"]);
        is_deleting(&pod)
            && pod["metadata"]["deletionGracePeriodSeconds"] == 0
            && statuses.iter().all(|status| status["state"]["terminated"].is_object())
    })
}

/// The node gave up killing the pod.
pub fn overdue(api: &ApiServer, namespace: &str, pod: &str) -> bool {
    let told = api
        .list(&gvr::EVENTS, Some(namespace))
        .iter()
        .any(|event| event["reason"] == "FailedKillPod" && event["involvedObject"]["name"] == pod);
    told && api.get(&gvr::PODS, Some(namespace), pod).is_some_and(|pod| is_deleting(&pod))
}

/// The pod should go, and its node does not answer.
pub fn lost_pod(api: &ApiServer, namespace: &str, pod: &str) -> bool {
    api.get(&gvr::PODS, Some(namespace), pod).is_some_and(|pod| {
        let node = pod["spec"]["nodeName"].as_str().and_then(|node| api.get(&gvr::NODES, None, node));
        is_deleting(&pod) && node.is_some_and(|node| !is_true(&node, "Ready"))
    })
}

/// Every node is Ready.
pub fn node_of_lost_pod_back(api: &ApiServer) -> bool {
    api.list(&gvr::NODES, None).iter().all(|node| is_true(node, "Ready"))
}

/// The pods whose label `app` is the workload's name.
pub fn pods_of(api: &ApiServer, namespace: &str, workload: &str) -> Vec<Arc<Value>> {
    let mut pods = api.list(&gvr::PODS, Some(namespace));
    pods.retain(|pod| pod["metadata"]["labels"]["app"] == workload);
    pods.sort_by(|one, other| name(one).cmp(name(other)));
    pods
}

fn waits(pod: &Value, reason: &str) -> bool {
    ["initContainerStatuses", "containerStatuses"]
        .iter()
        .flat_map(|field| items(&pod["status"][field]))
        .any(|status| status["state"]["waiting"]["reason"] == reason)
}
