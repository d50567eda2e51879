//! The names of resources: group, version and plural. Owns the constants other rooms of the simulation
//! use, and the interning that lets custom resources be named the same way. Knows nothing of what a
//! resource can do; that is `resource`.

use std::collections::HashSet;
use std::sync::OnceLock;

use parking_lot::Mutex;

/// Group, version and plural name of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvr {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Plural name, lower case.
    pub resource: &'static str,
}

impl Gvr {
    /// A resource known at compile time.
    pub const fn of(group: &'static str, version: &'static str, resource: &'static str) -> Self {
        Self { group, version, resource }
    }

    /// A resource named at run time, such as one a CustomResourceDefinition adds.
    pub fn named(group: &str, version: &str, resource: &str) -> Self {
        Self::of(intern(group), intern(version), intern(resource))
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods` or `deployments.apps`, as error messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }
}

/// One copy per distinct text, kept for the life of the process: names of API types are few.
pub(super) fn intern(text: &str) -> &'static str {
    static KNOWN: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock();
    if let Some(found) = known.get(text) {
        return found;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(kept);
    kept
}

macro_rules! names {
    ($($name:ident = $group:literal, $version:literal, $resource:literal;)*) => {
        $(#[doc = concat!("`", $resource, "`")]
        pub const $name: Gvr = Gvr::of($group, $version, $resource);)*
    };
}

names! {
    PODS = "", "v1", "pods";
    EVENTS = "", "v1", "events";
    NODES = "", "v1", "nodes";
    NAMESPACES = "", "v1", "namespaces";
    SERVICE_ACCOUNTS = "", "v1", "serviceaccounts";
    SECRETS = "", "v1", "secrets";
    CONFIG_MAPS = "", "v1", "configmaps";
    SERVICES = "", "v1", "services";
    ENDPOINTS = "", "v1", "endpoints";
    PERSISTENT_VOLUME_CLAIMS = "", "v1", "persistentvolumeclaims";
    PERSISTENT_VOLUMES = "", "v1", "persistentvolumes";
    RESOURCE_QUOTAS = "", "v1", "resourcequotas";
    LIMIT_RANGES = "", "v1", "limitranges";
    REPLICATION_CONTROLLERS = "", "v1", "replicationcontrollers";
    DEPLOYMENTS = "apps", "v1", "deployments";
    REPLICA_SETS = "apps", "v1", "replicasets";
    STATEFUL_SETS = "apps", "v1", "statefulsets";
    DAEMON_SETS = "apps", "v1", "daemonsets";
    CONTROLLER_REVISIONS = "apps", "v1", "controllerrevisions";
    JOBS = "batch", "v1", "jobs";
    CRON_JOBS = "batch", "v1", "cronjobs";
    LEASES = "coordination.k8s.io", "v1", "leases";
    NEW_EVENTS = "events.k8s.io", "v1", "events";
    ROLES = "rbac.authorization.k8s.io", "v1", "roles";
    ROLE_BINDINGS = "rbac.authorization.k8s.io", "v1", "rolebindings";
    CLUSTER_ROLES = "rbac.authorization.k8s.io", "v1", "clusterroles";
    CLUSTER_ROLE_BINDINGS = "rbac.authorization.k8s.io", "v1", "clusterrolebindings";
    POD_DISRUPTION_BUDGETS = "policy", "v1", "poddisruptionbudgets";
    STORAGE_CLASSES = "storage.k8s.io", "v1", "storageclasses";
    NETWORK_POLICIES = "networking.k8s.io", "v1", "networkpolicies";
    INGRESSES = "networking.k8s.io", "v1", "ingresses";
    HORIZONTAL_POD_AUTOSCALERS = "autoscaling", "v2", "horizontalpodautoscalers";
    PRIORITY_CLASSES = "scheduling.k8s.io", "v1", "priorityclasses";
    CUSTOM_RESOURCE_DEFINITIONS = "apiextensions.k8s.io", "v1", "customresourcedefinitions";
}
