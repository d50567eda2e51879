//! Incidents as a demo has them, at every stage.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::chat::console::pages::*;
use crate::engine::Playbook;
use crate::incident::objects::Event;
use crate::incident::*;

pub(super) fn now() -> Timestamp {
    "2026-11-21T09:41:30Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(super) fn ann() -> Actor {
    Actor { via: Via::Console, id: "ann".into(), name: "Ann Lee".into() }
}

pub(super) fn visitor() -> Visitor {
    let can = Can { decide: true, silence: true, pause: true, audit: true };
    Visitor {
        who: Some(Who { actor: ann(), can }),
        csrf: "csrf-token".into(),
        locale: Locale::En,
        theme: Theme::System,
        now: now(),
        demo: true,
        paused: false,
        notices: Vec::new(),
        live: true,
        part: None,
        here: "/incidents".into(),
    }
}

fn object(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        cluster: "demo".into(),
        api: ApiKind::known(kind).unwrap(),
        namespace: namespace.into(),
        name: name.into(),
        uid: format!("7c1f-{name}").into(),
    }
}

pub(super) fn finding() -> Finding {
    let key = IncidentKey {
        cluster: "demo".into(),
        condition: "image.auth-missing".into(),
        place: Place { scope: Scope::ServiceAccount, name: "payments/default".into() },
    };
    let quote = |source, origin: &str, text: &str, seconds| Quote {
        source,
        origin: origin.into(),
        text: text.into(),
        at: Some(ago(seconds)),
    };
    Finding {
        condition: key.condition.clone(),
        playbook: Digest::of_bytes(b"playbook"),
        severity: Severity::Warning,
        title: "Private registry without credentials".into(),
        cause: "harbor.example.com refuses to give harbor.example.com/payments/checkout:2.14.0 without credentials, and the pod has no pull secret for it.".into(),
        subject: object("Pod", "payments", "checkout-api-6f9d7c5b8-x2k4p"),
        places: vec![key.place.clone()],
        key,
        quotes: vec![
            quote(Source::Event, "event Failed", "Failed to pull image \"harbor.example.com/payments/checkout:2.14.0\": rpc error: code = Unknown desc = failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://harbor.example.com/service/token: 401 Unauthorized", 34),
            quote(Source::ContainerState, "container api", "ImagePullBackOff: Back-off pulling image \"harbor.example.com/payments/checkout:2.14.0\"", 30),
            quote(Source::Computed, "pull secrets", "ServiceAccount payments/default names no pull secret; Secret harbor-pull of the namespace covers harbor.example.com", 30),
            quote(Source::PodCondition, "ContainersReady", "containers with unready status: [api]", 120),
        ],
        variables: BTreeMap::from([
            ("registry".into(), "harbor.example.com".into()),
            ("image".into(), "harbor.example.com/payments/checkout:2.14.0".into()),
            ("container".into(), "api".into()),
        ]),
        also_possible: vec!["image.not-found".into(), "image.project-missing".into()],
        hold_off_seconds: 30,
        since: Some(ago(184)),
    }
}

pub(super) fn members() -> Members {
    let pods = ["x2k4p", "9dq7z", "m4t8w"]
        .map(|end| object("Pod", "payments", &format!("checkout-api-6f9d7c5b8-{end}")));
    Members { now: 3, peak: 5, listed: pods.to_vec() }
}

pub(super) fn evidence() -> Evidence {
    let event = |kind: &str, reason: &str, message: &str, count, last| Event {
        kind: kind.into(),
        reason: reason.into(),
        message: message.into(),
        component: "kubelet".into(),
        count,
        first: Some(ago(190)),
        last: Some(ago(last)),
        ..Event::default()
    };
    let mut evidence = Evidence::default();
    evidence.seen.at = ago(30);
    evidence.seen.subject = finding().subject;
    evidence.seen.events = vec![
        event(
            "Normal",
            "Scheduled",
            "Successfully assigned payments/checkout-api-6f9d7c5b8-x2k4p to node-1",
            1,
            190,
        ),
        event("Normal", "Pulling", "Pulling image \"harbor.example.com/payments/checkout:2.14.0\"", 4, 62),
        event("Warning", "Failed", "Error: ErrImagePull", 4, 60),
        event(
            "Normal",
            "BackOff",
            "Back-off pulling image \"harbor.example.com/payments/checkout:2.14.0\"",
            7,
            34,
        ),
    ];
    evidence.seen.logs = vec![LogTail {
        container: "migrate".into(),
        previous: true,
        lines: vec![
            "09:38:12 INFO  applying 20261120_add_refunds".into(),
            "09:38:13 INFO  done, 1 migration".into(),
        ],
    }];
    evidence.seen.gaps =
        vec![Gap { what: "secrets of namespace platform".into(), why: "no right to list secrets".into() }];
    evidence
}

const DIFF: &str = "--- ServiceAccount payments/default (now)
+++ ServiceAccount payments/default (then)
@@ -1,10 +1,14 @@
 apiVersion: v1
+imagePullSecrets:
+- name: harbor-pull
 kind: ServiceAccount
 metadata:
+  annotations:
+    kubemend.dev/execution: i-7.p1
   creationTimestamp: 2026-11-02T08:00:00Z
   name: default
   namespace: payments
   uid: 0d6c2a1e-5f1b
   labels:
     team: payments
     tier: backend
     app.kubernetes.io/part-of: shop
--- Pod payments/checkout-api-6f9d7c5b8-x2k4p (now)
+++ /dev/null
@@ delete pod payments/checkout-api-6f9d7c5b8-x2k4p @@
-Pod payments/checkout-api-6f9d7c5b8-x2k4p (uid 7c1f)
";

pub(super) fn proposal(id: &str, risk: Risk) -> Proposal {
    let change = |kind: &str, name: &str, operation, summary: &str| Change {
        target: Target::from(&object(kind, "payments", name)),
        relies_on: Vec::new(),
        operation,
        summary: summary.into(),
    };
    let rule = |verb: &str, resource: &str| Rule {
        verb: verb.into(),
        group: Text::default(),
        resource: resource.into(),
        namespace: "payments".into(),
        name: Text::default(),
    };
    let patch = Operation::Patch(Patch::Merge(json!({ "imagePullSecrets": [{ "name": "harbor-pull" }] })));
    let undo = change(
        "ServiceAccount",
        "default",
        patch.clone(),
        "remove pull secret harbor-pull from ServiceAccount payments/default",
    );
    let plan = Plan {
        marker: id.into(),
        actions: vec!["pull-secrets.add".into(), "pods.delete".into()],
        changes: vec![
            change("ServiceAccount", "default", patch, "add pull secret harbor-pull to ServiceAccount payments/default"),
            change("Pod", "x2k4p", Operation::Delete(Delete { grace_seconds: None }), "delete pod payments/checkout-api-6f9d7c5b8-x2k4p, so that it is made anew with the secret"),
        ],
        checks: vec![Check::Ready(Target::from(&object("Deployment", "payments", "checkout-api")))],
        check_timeout_seconds: 300,
        risk,
        undo: Undo::Changes(vec![undo]),
        rules: vec![rule("patch", "serviceaccounts"), rule("delete", "pods")],
        warnings: vec!["Argo CD application shop owns this ServiceAccount: it will take the change back at its next sync. Change platform/payments/serviceaccount.yaml in its repository as well.".into()],
    };
    Proposal {
        id: id.into(),
        remedy: Remedy { id: "add-pull-secret".into(), title: "Add the pull secret harbor-pull to the ServiceAccount".into(), parameters: BTreeMap::new() },
        digest: plan.digest(),
        plan,
        preview: Preview {
            diff: DIFF.into(),
            kubectl: vec![
                "kubectl --context demo -n payments patch serviceaccount default --type merge -p '{\"imagePullSecrets\":[{\"name\":\"harbor-pull\"}]}'".into(),
                "kubectl --context demo -n payments delete pod checkout-api-6f9d7c5b8-x2k4p".into(),
            ],
            gaps: Vec::new(),
        },
        missing_rights: Vec::new(),
        policy: ApprovalPolicy {
            approvals: if risk == Risk::High { 2 } else { 1 },
            requester_counts: true,
            typed_confirmation: (risk == Risk::High).then(|| "payments/export-worker".into()),
        },
        made: ago(150),
        expires: now() + SignedDuration::from_mins(57),
        requested_by: None,
        undoes: None,
    }
}

/// How far the incident is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Far {
    Proposed,
    Executing,
    Verifying,
    Fixed,
}

pub(super) fn entries(id: &str, far: Far) -> Vec<(Timestamp, Entry)> {
    let offer = proposal(&format!("{id}.p1"), Risk::Medium);
    let execution = ExecutionId::of(&offer.id);
    let decision = Decision {
        kind: DecisionKind::Approve,
        by: ann(),
        digest: offer.digest.clone(),
        at: ago(21),
        note: "the secret is right".into(),
    };
    let receipt = |seconds| Receipt {
        at: ago(seconds),
        resource_version: "88".into(),
        looked_up: false,
        before: json!(null),
    };
    let done = |index, seconds| Entry::ChangeDone {
        execution: execution.clone(),
        index,
        outcome: ChangeOutcome::Applied { receipt: receipt(seconds) },
    };
    let intended = |index| Entry::ChangeIntended { execution: execution.clone(), index };
    let check = |text: &str| CheckResult {
        check: text.into(),
        passed: Some(true),
        detail: "3 of 3 pods are ready".into(),
    };
    let mut all = vec![
        (
            ago(184),
            Entry::Opened {
                finding: Box::new(finding()),
                evidence: Box::new(evidence()),
                members: members(),
            },
        ),
        (ago(150), Entry::Proposed { proposal: Box::new(offer.clone()) }),
    ];
    if far >= Far::Executing {
        all.extend([
            (ago(21), Entry::Decided { proposal: offer.id.clone(), decision }),
            (
                ago(20),
                Entry::ExecutionStarted {
                    execution: execution.clone(),
                    proposal: offer.id.clone(),
                    digest: offer.digest.clone(),
                    approvers: vec![ann()],
                },
            ),
            (ago(20), intended(0)),
            (ago(19), done(0, 19)),
            (ago(18), intended(1)),
        ]);
    }
    if far >= Far::Verifying {
        all.extend([
            (ago(17), done(1, 17)),
            (ago(17), Entry::ExecutionFinished { execution: execution.clone(), outcome: Outcome::Applied }),
        ]);
    }
    if far >= Far::Fixed {
        let checks =
            vec![check("Deployment payments/checkout-api is ready"), check("image.auth-missing is gone")];
        all.extend([
            (ago(6), Entry::Verified { execution: execution.clone(), verdict: Verdict::Fixed, checks }),
            (ago(5), Entry::Resolved),
        ]);
    }
    all
}

pub(super) fn incident(id: &str, far: Far) -> (Incident, Vec<Recorded>) {
    folded(id, entries(id, far))
}

pub(super) fn folded(id: &str, entries: Vec<(Timestamp, Entry)>) -> (Incident, Vec<Recorded>) {
    let id = IncidentId::from(id);
    let mut state = None;
    let mut records = Vec::new();
    for (number, (at, entry)) in entries.into_iter().enumerate() {
        state = Some(apply(state, &id, at, &entry).unwrap());
        let number = number as u64 + 1;
        let digest = |n: u64| Digest::of_bytes(format!("{id}{n}").as_bytes());
        records.push(Recorded {
            seq: number + 40,
            number,
            at,
            incident: id.clone(),
            prev: digest(number - 1),
            hash: digest(number),
            entry,
        });
    }
    (state.unwrap(), records)
}

/// A day with a little of everything.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("i-7", Far::Proposed, |_| {}),
        row("i-6", Far::Verifying, |f| {
            rename(
                f,
                "Registry does not answer",
                "registry.unreachable",
                Severity::Critical,
                "Registry",
                "harbor.example.com",
                "harbor.example.com does not answer from 3 of 4 nodes: dial tcp 10.2.0.9:443: i/o timeout.",
            );
        }),
    ];
    let high = |finding: &mut Finding| {
        rename(
            finding,
            "A finalizer keeps it from going",
            "terminate.finalizers",
            Severity::Warning,
            "Pod",
            "reports/export-worker",
            "The pod was deleted 12 minutes ago and still has the finalizer example.com/cleanup, which nobody serves any more.",
        );
    };
    rows.push(row("i-5", Far::Proposed, high));
    let mut oom = row("i-9", Far::Proposed, |f| {
        rename(
            f,
            "Out of memory",
            "crash.oom-killed",
            Severity::Critical,
            "Deployment",
            "storefront/web",
            "The container web was killed for using more than its 256Mi of memory, 6 times within 20 minutes.",
        );
    });
    oom.open_proposals = 2;
    rows.push(oom);
    let mut open = row("i-8", Far::Proposed, |f| {
        rename(
            f,
            "A node does not answer",
            "node.not-ready",
            Severity::Critical,
            "Node",
            "node-3",
            "The kubelet of node-3 has not reported for 6 minutes; 14 pods on it are affected.",
        );
    });
    open.stage = Stage::Open;
    open.members = 14;
    rows.push(open);
    let mut absorbed = row("i-4", Far::Proposed, |f| {
        rename(
            f,
            "Image cannot be pulled",
            "image.unreachable",
            Severity::Warning,
            "Deployment",
            "orders/orders-api",
            "harbor.example.com did not answer within 30 seconds.",
        );
    });
    (absorbed.stage, absorbed.part_of) = (Stage::Absorbed, Some("i-6".into()));
    rows.push(absorbed);
    for (at, (id, hours)) in (1..).zip([("i-3", 3), ("i-2", 9), ("i-1", 20)]) {
        let mut old = row(id, Far::Fixed, |_| {});
        old.opened = ago(hours * 3_600);
        old.resolved = Some(ago(hours * 3_600 - 1_200 * at));
        rows.push(old);
    }
    rows
}

fn rename(
    finding: &mut Finding,
    title: &str,
    condition: &str,
    severity: Severity,
    kind: &str,
    place: &str,
    cause: &str,
) {
    finding.title = title.into();
    finding.condition = condition.into();
    finding.key.condition = condition.into();
    finding.severity = severity;
    finding.key.place.name = format!("{kind} {place}").into();
    finding.subject.namespace = place.split_once('/').map_or("", |(namespace, _)| namespace).into();
    finding.cause = cause.into();
}

fn row(id: &str, far: Far, change: impl Fn(&mut Finding)) -> Row {
    let mut entries = entries(id, far);
    if let (_, Entry::Opened { finding, .. }) = &mut entries[0] {
        change(finding);
    }
    Row::of(&folded(id, entries).0)
}

pub(super) fn clusters() -> Vec<Cluster> {
    let kind = |name: &str, objects, trouble: Option<&str>| Kind {
        name: name.into(),
        synced: true,
        objects,
        unparsed: 0,
        trouble: trouble.map(str::to_owned),
    };
    let of = |name: &str, connected, kinds| Cluster {
        name: name.into(),
        connected,
        since: Some(ago(7_300)),
        lag: Some(std::time::Duration::from_secs(1)),
        kinds,
    };
    vec![
        of("demo", true, vec![kind("Pod", 1_204, None), kind("Deployment", 88, None), kind("Node", 4, None)]),
        of(
            "prod-eu",
            false,
            vec![
                kind("Pod", 9_811, None),
                kind("PersistentVolumeClaim", 0, Some("no right to list persistentvolumeclaims")),
            ],
        ),
    ]
}

pub(super) fn book() -> Vec<PlaybookDoc> {
    crate::playbook::Book::shipped().iter().map(|playbook: &Playbook| PlaybookDoc::of(playbook)).collect()
}
