#!/usr/bin/env python3
"""Writes types.json: the fields of every built-in kind of the simulation.

Usage: generate.py K8S_OPENAPI_SRC/src/v1_36 OPENAPI_V2_OF_A_CLUSTER > types.json

Field names, types and first sentences come from the generated sources of the crate k8s-openapi (Apache-2.0);
the patch strategies, which the crate does not carry, from `kubectl get --raw /openapi/v2` of a real cluster.
A field is [type, description, extras]; a type is a scalar or `#Definition`, behind `[]` or `{}` for lists and maps.
"""
import json, os, re, sys

root, spec = sys.argv[1], json.load(open(sys.argv[2]))["definitions"]
ROOTS = """api.core.v1.ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolumeClaim PersistentVolume Pod
ReplicationController ResourceQuota Secret ServiceAccount Service Binding
apiextensions_apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition
api.apps.v1.ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
api.authentication.v1.SelfSubjectReview TokenReview TokenRequest
api.authorization.v1.LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview
api.autoscaling.v1.Scale api.autoscaling.v2.HorizontalPodAutoscaler api.batch.v1.CronJob Job
api.coordination.v1.Lease api.events.v1.Event api.networking.v1.Ingress NetworkPolicy
api.policy.v1.PodDisruptionBudget Eviction
api.rbac.v1.ClusterRoleBinding ClusterRole RoleBinding Role
api.scheduling.v1.PriorityClass api.storage.v1.StorageClass""".split()
SCALARS = {"i32": "integer", "i64": "integer", "f64": "number", "bool": "boolean", "std::string::String": "string",
    "crate::ByteString": "string", "crate::serde_json::Value": "any", "crate::jiff::Timestamp": "string",
    "crate::apimachinery::pkg::util::intstr::IntOrString": "intstr", "crate::apimachinery::pkg::api::resource::Quantity": "quantity",
    "crate::apimachinery::pkg::apis::meta::v1::Time": "time", "crate::apimachinery::pkg::apis::meta::v1::MicroTime": "time",
    "crate::apimachinery::pkg::apis::meta::v1::FieldsV1": "any", "crate::apimachinery::pkg::runtime::RawExtension": "any"}
out, todo = {}, []

def short(text):
    text = re.sub(r"\s+", " ", text.replace("\\", "")).strip()
    first = re.split(r"(?<=[.;]) ", text)[0]
    return first if len(first) <= 140 else first[:139] + "…"

def name_of(path):
    return "io.k8s." + ".".join(path.replace("apiextensions_apiserver", "apiextensions-apiserver").split("::")[1:])

def typ(t):
    t = t.strip()
    for prefix, mark in (("Vec<", "[]"), ("std::vec::Vec<", "[]"), ("std::boxed::Box<", "")):
        if t.startswith(prefix): return mark + typ(t[len(prefix):-1])
    m = re.match(r"std::collections::BTreeMap<std::string::String, (.*)>$", t)
    if m: return "{}" + typ(m[1])
    if t in SCALARS: return SCALARS[t]
    if "JSONSchemaProps" in t or t.endswith("JSON") or t.endswith("SubresourceStatus"): return "any"
    todo.append(t)
    return "#" + name_of(t)

def snake(name): return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)).lower()

def load(path):
    key = name_of(path)
    if key in out: return
    parts = path.split("::")
    file = os.path.join(root, *parts[1:-1], snake(parts[-1]) + ".rs")
    text = open(file).read()
    head = re.search(r"((?:^///.*\n)+)?(?:#\[.*\n)*pub struct " + parts[-1] + r" \{\n(.*?)^\}", text, re.S | re.M)
    if head is None: sys.exit(f"no struct in {file}")
    doc = " ".join(line[4:] for line in (head[1] or "").splitlines())
    names = {rust: wire for wire, rust in re.findall(r'"([^"]+)" => (?:Ok\()?Field::Key_(\w+)', text)}
    fields = out[key] = {"d": short(doc), "f": {}}
    fields = fields["f"]
    real = spec.get(key.replace("policy.v1.", "policy.v1beta1.").replace("batch.v1.CronJob", "batch.v1beta1.CronJob")
        .replace("batch.v1.JobTemplate", "batch.v1beta1.JobTemplate"), {}).get("properties", {})
    if "api_version" in names or '"apiVersion"' in text and '"kind"' in text and "const KIND" in text:
        fields["apiVersion"] = ["string", "Versioned schema of this object.", {}]
        fields["kind"] = ["string", "REST resource this object represents.", {}]
    for docs, rust, t in re.findall(r"((?:^ +///.*\n)*)^ +pub (\w+): (.*),$", head[2], re.M):
        extra = {}
        inner = re.match(r"Option<(.*)>$", t)
        if not inner: extra["r"] = 1
        wire = names.get(rust.removeprefix("r#").rstrip("_")) or names.get(rust) or rust
        p = real.get(wire, {})
        if "x-kubernetes-patch-strategy" in p: extra["s"] = p["x-kubernetes-patch-strategy"]
        if "x-kubernetes-patch-merge-key" in p: extra["m"] = p["x-kubernetes-patch-merge-key"]
        keys = merge_keys(text, rust)
        if keys in (["container_port"], ["port"]): keys.append("protocol")
        if keys: extra["k"] = [names.get(k, camel(k)) for k in keys]
        if re.search(r"merge_strategies::list::set\(&mut self\." + rust + ",", text): extra["set"] = 1
        if re.search(r"merge_strategies::(map::)?atomic\(&mut self\." + rust + ",", text): extra["a"] = 1
        if p.get("x-kubernetes-map-type") == "atomic": extra["a"] = 1
        fields[wire] = [typ(inner[1] if inner else t), short(" ".join(l.strip()[4:] for l in docs.splitlines())), extra]

def camel(s):
    head, *rest = s.rstrip("_").split("_")
    fixed = {"ip": "IP", "uid": "UID"}
    return head + "".join(fixed.get(r, r.capitalize()) for r in rest)

def merge_keys(text, rust):
    m = re.search(r"merge_strategies::list::map\(\s*&mut self\." + rust + r",\s*other\." + rust + r",\s*&\[(.*?)\],\s*\|current", text, re.S)
    return re.findall(r"lhs\.(\w+) ==", m[1]) if m else []

group = ""
for one in ROOTS:
    if "." in one: group, one = one.rsplit(".", 1)
    todo.append("crate::" + group.replace(".", "::") + "::" + one)
todo.append("crate::apimachinery::pkg::apis::meta::v1::DeleteOptions")
while todo: load(todo.pop())
print("{")
print(",\n".join(f"{json.dumps(k)}:" + json.dumps(v, separators=(",", ":"), ensure_ascii=False) for k, v in sorted(out.items())))
print("}")
