//! Applying manifests as `kubectl apply` would: create what is missing, merge into what is there. Owns the
//! mapping from kind to resource for the kinds that scenarios use.

use serde_json::Value;

use crate::sim::api::{ApiServer, Gvr, Status, User, gvr};
use crate::sim::objects::{name, namespace};

/// Applies every document of the YAML.
pub(super) fn apply(api: &ApiServer, yaml: &str) -> Result<(), Status> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml)
        .map_err(|error| Status::bad_request(format!("the scenario's manifest does not parse: {error}")))?;
    documents.into_iter().try_for_each(|document| apply_one(api, document))
}

fn apply_one(api: &ApiServer, object: Value) -> Result<(), Status> {
    let who = User::system("masters");
    let Some(resource) = resource(object["kind"].as_str().unwrap_or_default()) else {
        return Err(Status::bad_request(format!("a scenario cannot apply a {}", object["kind"])));
    };
    let (space, own) = (namespace(&object).to_owned(), name(&object).to_owned());
    let space = (!space.is_empty()).then_some(space);
    if api.get(&resource, space.as_deref(), &own).is_some() {
        api.modify(&who, &resource, None, space.as_deref(), &own, |known| merge(known, &object))?;
    } else {
        api.create(&who, &resource, space.as_deref(), object)?;
    }
    Ok(())
}

/// Maps merge; lists and scalars replace, which is what changing one container's manifest amounts to.
fn merge(known: &mut Value, wanted: &Value) {
    match (known, wanted) {
        (Value::Object(known), Value::Object(wanted)) => {
            for (key, value) in wanted {
                merge(known.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (known, wanted) => *known = wanted.clone(),
    }
}

fn resource(kind: &str) -> Option<Gvr> {
    Some(match kind {
        "Namespace" => gvr::NAMESPACES,
        "ServiceAccount" => gvr::SERVICE_ACCOUNTS,
        "Secret" => gvr::SECRETS,
        "ConfigMap" => gvr::CONFIG_MAPS,
        "Service" => gvr::SERVICES,
        "Pod" => gvr::PODS,
        "Deployment" => gvr::DEPLOYMENTS,
        "StatefulSet" => gvr::STATEFUL_SETS,
        "DaemonSet" => gvr::DAEMON_SETS,
        "Job" => gvr::JOBS,
        _ => return None,
    })
}
