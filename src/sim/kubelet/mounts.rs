//! subPath mounts and how they go stale: a kubelet that has not noticed the old container's end cannot
//! prepare the path again once the ConfigMap behind it changed. Owns that rule and its wording.

use std::collections::BTreeMap;

use serde_json::Value;

use super::sight::Sight;
use crate::sim::objects::{items, uid, version};

/// The versions of the ConfigMaps behind a container's subPath mounts, as first mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SubPaths {
    first: BTreeMap<String, u64>,
}

impl SubPaths {
    /// Prepares the mounts of one start; an error is what the runtime says when the path is stale.
    pub(super) fn prepare(&mut self, container: &Value, sight: &Sight<'_>) -> Result<(), String> {
        for (index, mount) in items(&container["volumeMounts"]).iter().enumerate() {
            if !mount["subPath"].is_string() {
                continue;
            }
            let volume = mount["name"].as_str().unwrap_or_default();
            let Some(current) = config_map_version(volume, sight) else { continue };
            let first = *self.first.entry(volume.to_owned()).or_insert(current);
            if first != current {
                return Err(stale(sight.pod, container, volume, index, &mount["mountPath"]));
            }
        }
        Ok(())
    }
}

fn config_map_version(volume: &str, sight: &Sight<'_>) -> Option<u64> {
    let named = items(&sight.pod["spec"]["volumes"]).iter().find(|candidate| candidate["name"] == volume)?;
    let map = sight.around.config_maps.get(named["configMap"]["name"].as_str()?)?;
    Some(version(map))
}

fn stale(pod: &Value, container: &Value, volume: &str, index: usize, target: &Value) -> String {
    let uid = uid(pod);
    let name = container["name"].as_str().unwrap_or_default();
    let target = target.as_str().unwrap_or_default();
    let path = format!("/var/lib/kubelet/pods/{uid}/volume-subpaths/{volume}/{name}/{index}");
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"{path}\" to rootfs at \"{target}\": mount {path}:{target} (via /proc/self/fd/6), flags: 0x5001: no such file or directory: unknown"
    )
}
