//! The roles and bindings every cluster starts with: data.

use serde_json::{Value, json};

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// ClusterRoles by name with their rules.
pub(crate) fn cluster_roles() -> Vec<Value> {
    let role = |name: &str, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "rules": rules})
    };
    let secret = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": WRITE});
    let roles = json!({"apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"], "verbs": WRITE});
    let mut edit = vec![workloads(WRITE), core(WRITE), secret];
    edit.push(json!({"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]}));
    edit.push(json!({"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}));
    edit.extend(watched());
    let mut admin = edit.clone();
    admin.push(roles);
    admin.push(json!({"apiGroups": ["authorization.k8s.io"],
        "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}));
    let mut view = vec![workloads(READ), core(READ)];
    view.extend(watched());
    vec![
        role(
            "cluster-admin",
            json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
            {"nonResourceURLs": ["*"], "verbs": ["*"]}]),
        ),
        role("admin", json!(admin)),
        role("edit", json!(edit)),
        role("view", json!(view)),
        role(
            "system:discovery",
            json!([{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*",
            "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"],
            "verbs": ["get"]}]),
        ),
        role(
            "system:basic-user",
            json!([
            {"apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
            {"apiGroups": ["authentication.k8s.io"], "verbs": ["create"],
                "resources": ["selfsubjectreviews"]}]),
        ),
        role(
            "system:public-info-viewer",
            json!([{"nonResourceURLs": ["/healthz", "/livez", "/readyz",
            "/version", "/version/"], "verbs": ["get"]}]),
        ),
    ]
}

fn workloads(verbs: &[&str]) -> Value {
    json!({"apiGroups": ["apps", "batch", "autoscaling", "networking.k8s.io", "policy"], "verbs": verbs,
        "resources": ["controllerrevisions", "daemonsets", "daemonsets/status", "deployments",
            "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
            "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status", "cronjobs",
            "cronjobs/status", "jobs", "jobs/status", "horizontalpodautoscalers", "ingresses",
            "ingresses/status", "networkpolicies", "poddisruptionbudgets", "poddisruptionbudgets/status"]})
}

fn core(verbs: &[&str]) -> Value {
    json!({"apiGroups": [""], "verbs": verbs,
        "resources": ["configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status",
            "pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts",
            "services", "services/status"]})
}

/// What may be looked at in every role but is nobody's to write.
fn watched() -> Vec<Value> {
    vec![json!({"apiGroups": [""], "verbs": READ,
        "resources": ["events", "limitranges", "namespaces", "namespaces/status", "pods/log",
            "pods/status", "resourcequotas", "resourcequotas/status"]})]
}

/// ClusterRoleBindings of those roles.
pub(crate) fn cluster_role_bindings() -> Vec<Value> {
    let binding = |name: &str, groups: &[&str]| {
        let subjects: Vec<Value> = groups
            .iter()
            .map(|group| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}))
            .collect();
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": subjects})
    };
    vec![
        binding("cluster-admin", &["system:masters"]),
        binding("system:discovery", &["system:authenticated"]),
        binding("system:basic-user", &["system:authenticated"]),
        binding("system:public-info-viewer", &["system:authenticated", "system:unauthenticated"]),
    ]
}
