//! RBAC: is this user allowed to do this? Owns the evaluation of roles and bindings as they are stored.

use serde_json::Value;

use super::super::gvr;
use super::super::meta;
use super::super::store::Store;
use super::super::user::{MASTERS, User};

/// A question.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// Path of a request that is not about a resource; then the fields above but `verb` are empty.
    pub(crate) path: Option<&'a str>,
}

/// The answer: yes or no.
pub(crate) fn allows(store: &Store, user: &User, asked: &Attributes<'_>) -> bool {
    user.is_in(MASTERS) || rules(store, user, asked.namespace).iter().any(|rule| covers(rule, asked))
}

/// Every rule a user has, cluster-wide and in a namespace (none if empty).
pub(crate) fn rules(store: &Store, user: &User, namespace: &str) -> Vec<Value> {
    let mut out = Vec::new();
    for binding in store.all(&gvr::CLUSTER_ROLE_BINDINGS, None) {
        if binds(&binding, user) {
            out.extend(rules_of(store, &binding, ""));
        }
    }
    if !namespace.is_empty() {
        for binding in store.all(&gvr::ROLE_BINDINGS, Some(namespace)) {
            if binds(&binding, user) {
                out.extend(rules_of(store, &binding, namespace));
            }
        }
    }
    out
}

fn rules_of(store: &Store, binding: &Value, namespace: &str) -> Vec<Value> {
    let name = meta::text(binding, "/roleRef/name");
    let role = match meta::text(binding, "/roleRef/kind") {
        "ClusterRole" => store.get(&gvr::CLUSTER_ROLES, "", name),
        "Role" => store.get(&gvr::ROLES, namespace, name),
        _ => None,
    };
    role.map(|role| meta::list(&role, "/rules").to_vec()).unwrap_or_default()
}

fn binds(binding: &Value, user: &User) -> bool {
    let home = meta::namespace(binding);
    meta::list(binding, "/subjects").iter().any(|subject| {
        let name = meta::text(subject, "/name");
        match meta::text(subject, "/kind") {
            "User" => user.name == name,
            "Group" => user.is_in(name),
            "ServiceAccount" => {
                let own = meta::text(subject, "/namespace");
                let namespace = if own.is_empty() { home } else { own };
                user.name == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        }
    })
}

fn covers(rule: &Value, asked: &Attributes<'_>) -> bool {
    if !has(rule, "verbs", asked.verb) {
        return false;
    }
    if let Some(path) = asked.path {
        return texts(rule, "nonResourceURLs").any(|one| covers_path(one, path));
    }
    has(rule, "apiGroups", asked.group) && covers_resource(rule, asked) && covers_name(rule, asked.name)
}

fn covers_path(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}

fn covers_resource(rule: &Value, asked: &Attributes<'_>) -> bool {
    texts(rule, "resources").any(|one| match one.split_once('/') {
        None => one == "*" || (asked.sub.is_empty() && one == asked.resource),
        Some((resource, sub)) => {
            !asked.sub.is_empty() && sub == asked.sub && (resource == "*" || resource == asked.resource)
        }
    })
}

fn covers_name(rule: &Value, name: &str) -> bool {
    let mut names = texts(rule, "resourceNames").peekable();
    names.peek().is_none() || names.any(|one| one == name)
}

fn has(rule: &Value, list: &str, wanted: &str) -> bool {
    texts(rule, list).any(|one| one == "*" || one == wanted)
}

fn texts<'a>(rule: &'a Value, list: &str) -> impl Iterator<Item = &'a str> {
    rule[list].as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store() -> Store {
        let mut store = Store::new();
        store.put(
            gvr::CLUSTER_ROLES,
            json!({"metadata": {"name": "reader"}, "rules": [
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"], "resourceNames": ["web"]},
            {"nonResourceURLs": ["/healthz/*"], "verbs": ["get"]}]}),
        );
        store.put(
            gvr::CLUSTER_ROLE_BINDINGS,
            json!({"metadata": {"name": "all"},
            "roleRef": {"kind": "ClusterRole", "name": "reader"},
            "subjects": [{"kind": "User", "name": "ann"}]}),
        );
        store.put(
            gvr::ROLE_BINDINGS,
            json!({"metadata": {"name": "one", "namespace": "dev"},
            "roleRef": {"kind": "ClusterRole", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "bot"}]}),
        );
        store
    }

    #[track_caller]
    fn check(user: &User, asked: Attributes<'_>, answer: bool) {
        assert_eq!(allows(&store(), user, &asked), answer, "{asked:?}");
    }

    #[test]
    fn rules_cover_verbs_resources_subresources_and_names() {
        let ann = User::new("ann", &[]);
        let pods = Attributes { verb: "get", resource: "pods", namespace: "x", ..Attributes::default() };
        check(&ann, pods, true);
        check(&ann, Attributes { sub: "log", ..pods }, true);
        check(&ann, Attributes { sub: "exec", ..pods }, false);
        check(&ann, Attributes { verb: "delete", ..pods }, false);
        let patch = Attributes { verb: "patch", group: "apps", resource: "deployments", ..pods };
        check(&ann, Attributes { name: "web", ..patch }, true);
        check(&ann, Attributes { name: "db", ..patch }, false);
        check(&ann, Attributes { path: Some("/healthz/ping"), verb: "get", ..Attributes::default() }, true);
        check(&ann, Attributes { path: Some("/metrics"), verb: "get", ..Attributes::default() }, false);
    }

    #[test]
    fn a_role_binding_counts_in_its_namespace_only() {
        let bot = User::service_account("dev", "bot");
        let pods = Attributes { verb: "list", resource: "pods", namespace: "dev", ..Attributes::default() };
        check(&bot, pods, true);
        check(&bot, Attributes { namespace: "prod", ..pods }, false);
        check(&bot, Attributes { namespace: "", ..pods }, false);
        check(&User::system("kubelet"), Attributes { namespace: "prod", ..pods }, true);
    }
}
