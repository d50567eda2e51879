//! Endpoints: the addresses of the pods a Service selects. Owns ready against not ready; refuses slices and
//! topology, which nothing here reads.

use serde_json::{Value, json};

use super::Controllers;
use super::pods::PodFacts;
use crate::sim::api::{User, gvr};
use crate::sim::objects::{items, matches_labels, name, namespace};

const COMPONENT: &str = "endpoint-controller";

impl Controllers {
    pub(super) fn sync_endpoints(&mut self, space: &str, own: &str) {
        let Some(service) = self.find(gvr::SERVICES, space, own) else {
            // The Service is gone, and so are its endpoints; there may have been none.
            let options = crate::sim::api::DeleteOptions::default();
            let _ = self.api.delete(&User::system(COMPONENT), &gvr::ENDPOINTS, Some(space), own, options);
            return;
        };
        let selector = &service["spec"]["selector"];
        if !selector.is_object() {
            return;
        }
        let pods: Vec<&PodFacts> = self
            .pods
            .all()
            .filter(|pod| {
                pod.namespace == space
                    && !pod.is_over()
                    && matches_labels(selector, &pod.object["metadata"]["labels"])
            })
            .collect();
        let subsets = subsets(&service, &pods);
        let who = User::system(COMPONENT);
        match self.api.get(&gvr::ENDPOINTS, Some(space), own) {
            Some(known) if known["subsets"] == subsets => {}
            Some(_) => {
                // Deleted meanwhile: the next change makes it anew.
                let _ = self.api.modify(&who, &gvr::ENDPOINTS, None, Some(space), own, |object| {
                    object["subsets"] = subsets.clone();
                });
            }
            None => {
                let object = json!({
                    "apiVersion": "v1", "kind": "Endpoints",
                    "metadata": {"name": own, "labels": service["metadata"]["labels"]}, "subsets": subsets,
                });
                // Refused only when the namespace is going away.
                let _ = self.api.create(&who, &gvr::ENDPOINTS, Some(space), object);
            }
        }
    }
}

fn subsets(service: &Value, pods: &[&PodFacts]) -> Value {
    let addresses = |ready: bool| -> Vec<Value> {
        let mut found: Vec<Value> = pods
            .iter()
            .filter(|pod| pod.ready == ready && !pod.deleting)
            .filter_map(|pod| address(&pod.object))
            .collect();
        found.sort_by_key(|one| one["ip"].as_str().unwrap_or_default().to_owned());
        found
    };
    let (ready, waiting) = (addresses(true), addresses(false));
    if ready.is_empty() && waiting.is_empty() {
        return Value::Null;
    }
    let ports: Vec<Value> = items(&service["spec"]["ports"])
        .iter()
        .map(|port| {
            let target = if port["targetPort"].is_i64() { &port["targetPort"] } else { &port["port"] };
            json!({"name": port["name"], "port": target, "protocol": port["protocol"].as_str().unwrap_or("TCP")})
        })
        .collect();
    let mut subset = json!({"ports": ports});
    if !ready.is_empty() {
        subset["addresses"] = json!(ready);
    }
    if !waiting.is_empty() {
        subset["notReadyAddresses"] = json!(waiting);
    }
    json!([subset])
}

fn address(pod: &Value) -> Option<Value> {
    let ip = pod["status"]["podIP"].as_str()?;
    Some(json!({
        "ip": ip, "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": pod["metadata"]["uid"]},
    }))
}
