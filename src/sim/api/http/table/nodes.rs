//! The cells of a node.

use serde_json::{Value, json};

use super::super::super::meta::{list, text};
use super::cells::NONE;

pub(super) fn cell(column: &str, node: &Value) -> Value {
    let info = |key: &str| json!(text(&node["status"]["nodeInfo"], &format!("/{key}")));
    let address = |kind: &str| {
        let found = list(node, "/status/addresses").iter().find(|one| text(one, "/type") == kind);
        json!(found.map_or(NONE, |one| text(one, "/address")))
    };
    match column {
        "Status" => {
            let ready = list(node, "/status/conditions").iter().find(|one| text(one, "/type") == "Ready");
            let mut word = match ready.map(|one| text(one, "/status")) {
                Some("True") => "Ready".to_owned(),
                Some(_) => "NotReady".to_owned(),
                None => "Unknown".to_owned(),
            };
            if node["spec"]["unschedulable"] == true {
                word.push_str(",SchedulingDisabled");
            }
            json!(word)
        }
        "Roles" => {
            let roles: Vec<&str> = node["metadata"]["labels"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
                .collect();
            json!(if roles.is_empty() { NONE.to_owned() } else { roles.join(",") })
        }
        "Version" => info("kubeletVersion"),
        "Internal-IP" => address("InternalIP"),
        "External-IP" => address("ExternalIP"),
        "OS-Image" => info("osImage"),
        "Kernel-Version" => info("kernelVersion"),
        _ => info("containerRuntimeVersion"),
    }
}
