//! The table of built-in resources: data, one row each. What a kind can do is said here and nowhere else.

use super::gvr::{self, Gvr};
use super::resource::{CREATE, Resource, SCALE, STATUS, Sub, row, sub};

const NS: bool = true;
const CLUSTER: bool = false;
const GET: &[&str] = &["get"];
const UPDATE: &[&str] = &["update"];
const EPHEMERAL: &[&str] = &["get", "patch", "update"];
const AUTHN: &str = "authentication.k8s.io";
const AUTHZ: &str = "authorization.k8s.io";

const POD_SUBS: &[Sub] = &[
    sub("binding", "", "v1", "Binding", CREATE),
    sub("ephemeralcontainers", "", "", "", EPHEMERAL),
    sub("eviction", "policy", "v1", "Eviction", CREATE),
    sub("log", "", "", "", GET),
    STATUS,
];
const NAMESPACE_SUBS: &[Sub] = &[sub("finalize", "", "", "", UPDATE), STATUS];
const ACCOUNT_SUBS: &[Sub] = &[sub("token", AUTHN, "v1", "TokenRequest", CREATE)];
const ONLY_STATUS: &[Sub] = &[STATUS];
const SCALED: &[Sub] = &[SCALE, STATUS];
const IN_ALL: &[&str] = &["all"];

macro_rules! rows {
    ($($gvr:expr, $singular:literal, $kind:literal, $scope:expr $(, $field:ident = $value:expr)*;)*) => {
        /// Every built-in resource.
        pub(super) static TABLE: &[Resource] = &[
            $(Resource { $($field: $value,)* ..row($gvr, $singular, $kind, $scope) }),*
        ];
    };
}

rows! {
    gvr::CONFIG_MAPS, "configmap", "ConfigMap", NS, short = &["cm"];
    gvr::ENDPOINTS, "endpoints", "Endpoints", NS, short = &["ep"];
    gvr::EVENTS, "event", "Event", NS, short = &["ev"];
    gvr::LIMIT_RANGES, "limitrange", "LimitRange", NS, short = &["limits"];
    gvr::NAMESPACES, "namespace", "Namespace", CLUSTER, short = &["ns"], subs = NAMESPACE_SUBS;
    gvr::NODES, "node", "Node", CLUSTER, short = &["no"], subs = ONLY_STATUS;
    gvr::PERSISTENT_VOLUME_CLAIMS, "persistentvolumeclaim", "PersistentVolumeClaim", NS,
        short = &["pvc"], subs = ONLY_STATUS;
    gvr::PERSISTENT_VOLUMES, "persistentvolume", "PersistentVolume", CLUSTER, short = &["pv"],
        subs = ONLY_STATUS;
    gvr::PODS, "pod", "Pod", NS, short = &["po"], categories = IN_ALL, subs = POD_SUBS,
        counted = true;
    gvr::REPLICATION_CONTROLLERS, "replicationcontroller", "ReplicationController", NS,
        short = &["rc"], categories = IN_ALL, subs = SCALED, counted = true;
    gvr::RESOURCE_QUOTAS, "resourcequota", "ResourceQuota", NS, short = &["quota"],
        subs = ONLY_STATUS;
    gvr::SECRETS, "secret", "Secret", NS;
    gvr::SERVICE_ACCOUNTS, "serviceaccount", "ServiceAccount", NS, short = &["sa"],
        subs = ACCOUNT_SUBS;
    gvr::SERVICES, "service", "Service", NS, short = &["svc"], categories = IN_ALL,
        subs = ONLY_STATUS;
    gvr::CUSTOM_RESOURCE_DEFINITIONS, "customresourcedefinition", "CustomResourceDefinition", CLUSTER,
        short = &["crd", "crds"], categories = &["api-extensions"], subs = ONLY_STATUS,
        counted = true;
    gvr::CONTROLLER_REVISIONS, "controllerrevision", "ControllerRevision", NS;
    gvr::DAEMON_SETS, "daemonset", "DaemonSet", NS, short = &["ds"], categories = IN_ALL,
        subs = ONLY_STATUS, counted = true;
    gvr::DEPLOYMENTS, "deployment", "Deployment", NS, short = &["deploy"],
        categories = IN_ALL, subs = SCALED, counted = true;
    gvr::REPLICA_SETS, "replicaset", "ReplicaSet", NS, short = &["rs"], categories = IN_ALL,
        subs = SCALED, counted = true;
    gvr::STATEFUL_SETS, "statefulset", "StatefulSet", NS, short = &["sts"],
        categories = IN_ALL, subs = SCALED, counted = true;
    Gvr::of(AUTHN, "v1", "selfsubjectreviews"), "selfsubjectreview", "SelfSubjectReview", CLUSTER,
        verbs = CREATE;
    Gvr::of(AUTHN, "v1", "tokenreviews"), "tokenreview", "TokenReview", CLUSTER, verbs = CREATE;
    Gvr::of(AUTHZ, "v1", "localsubjectaccessreviews"), "localsubjectaccessreview",
        "LocalSubjectAccessReview", NS, verbs = CREATE;
    Gvr::of(AUTHZ, "v1", "selfsubjectaccessreviews"), "selfsubjectaccessreview",
        "SelfSubjectAccessReview", CLUSTER, verbs = CREATE;
    Gvr::of(AUTHZ, "v1", "selfsubjectrulesreviews"), "selfsubjectrulesreview",
        "SelfSubjectRulesReview", CLUSTER, verbs = CREATE;
    Gvr::of(AUTHZ, "v1", "subjectaccessreviews"), "subjectaccessreview", "SubjectAccessReview", CLUSTER,
        verbs = CREATE;
    gvr::HORIZONTAL_POD_AUTOSCALERS, "horizontalpodautoscaler", "HorizontalPodAutoscaler", NS,
        short = &["hpa"], categories = IN_ALL, subs = ONLY_STATUS;
    gvr::CRON_JOBS, "cronjob", "CronJob", NS, short = &["cj"], categories = IN_ALL,
        subs = ONLY_STATUS, counted = true;
    gvr::JOBS, "job", "Job", NS, categories = IN_ALL, subs = ONLY_STATUS, counted = true;
    gvr::LEASES, "lease", "Lease", NS;
    gvr::NEW_EVENTS, "event", "Event", NS, short = &["ev"], stored_as = gvr::EVENTS;
    gvr::INGRESSES, "ingress", "Ingress", NS, short = &["ing"], subs = ONLY_STATUS,
        counted = true;
    gvr::NETWORK_POLICIES, "networkpolicy", "NetworkPolicy", NS, short = &["netpol"], counted = true;
    gvr::POD_DISRUPTION_BUDGETS, "poddisruptionbudget", "PodDisruptionBudget", NS, short = &["pdb"],
        subs = ONLY_STATUS, counted = true;
    gvr::CLUSTER_ROLE_BINDINGS, "clusterrolebinding", "ClusterRoleBinding", CLUSTER;
    gvr::CLUSTER_ROLES, "clusterrole", "ClusterRole", CLUSTER;
    gvr::ROLE_BINDINGS, "rolebinding", "RoleBinding", NS;
    gvr::ROLES, "role", "Role", NS;
    gvr::PRIORITY_CLASSES, "priorityclass", "PriorityClass", CLUSTER, short = &["pc"], counted = true;
    gvr::STORAGE_CLASSES, "storageclass", "StorageClass", CLUSTER, short = &["sc"];
}
