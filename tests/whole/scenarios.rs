//! Every scenario of the simulated cluster, from first sight to *fixed*, driven over `/api/v1` alone.
//!
//! The snapshots hold what the API told, what the cluster's API received from kubemend, and what was recorded.

use crate::support::api::id;
use crate::support::stage::{LONG, Setup, Stage};
use crate::support::{eventually, plain};
use kubemend::sim::Sim;
use serde_json::{Value, json};

/// Entries that every run has, in this order. When the others come (members that changed, a better telling,
/// proposals that were replaced, the resolution) depends on when kubemend looked.
const ALWAYS: &[&str] = &[
    "opened",
    "decided",
    "executionStarted",
    "changeIntended",
    "changeDone",
    "executionFinished",
    "verified",
];

/// One scenario with its remedy: the action that repairs it and how many changes that takes.
async fn check(name: &str, action: &str, changes: usize) {
    // A waiting pod starts by itself once its image lies on its node, pulled for one that was replaced. Where
    // several are replaced, their back-off must be longer than that takes.
    let pace = if changes > 1 { 4.0 } else { 20.0 };
    let stage = Stage::start(&Setup { pace, background: true, ..Setup::default() }).await;
    let scenario = stage.play(name).await;
    let before = stage.kubectl(&["get", "pods", "-n", scenario.namespace]);
    let incident = stage.api().incident(scenario.condition, scenario.namespace, LONG).await;
    let proposal = stage.approve(&incident, action, changes).await;
    shows_what_it_would_do(&proposal);
    let finding = stage.api().get(&format!("/api/v1/incidents/{}", id(&incident))).await;
    assert_eq!(stage.api().verdict(&proposal, LONG).await, "fixed");
    stage.api().resolved(id(&incident), LONG).await;
    stage.repaired(scenario).await;
    let after = stage.kubectl(&["get", "pods", "-n", scenario.namespace]);
    assert_ne!(before, after, "kubectl shows a difference");
    let broken = ["BackOff", "Terminating", "Error", "OOMKilled", "ImagePull"];
    assert!(!broken.iter().any(|word| after.contains(word)), "kubectl shows it repaired:\n{before}\n{after}");
    only_its_own_conditions(&stage, scenario).await;
    let records = stage.records(&incident).await;
    insta::assert_json_snapshot!(
        name,
        json!({
            "told": told(&finding["incident"]),
            "proposal": proposed(&proposal),
            "received": received(&stage),
            "recorded": recorded(&records),
        })
    );
    stage.end().await;
}

fn shows_what_it_would_do(proposal: &Value) {
    assert_eq!(proposal["missingRights"], json!([]));
    assert_eq!(proposal["preview"]["gaps"], json!([]), "the dry run could be had");
    assert!(!proposal["preview"]["diff"].as_str().unwrap_or_default().is_empty(), "{}", proposal["preview"]);
    assert!(!proposal["preview"]["kubectl"].as_array().is_none_or(Vec::is_empty), "{}", proposal["preview"]);
}

async fn only_its_own_conditions(stage: &Stage, scenario: &kubemend::sim::scenario::Scenario) {
    for incident in stage.incidents().await {
        let condition = incident["condition"].as_str().unwrap_or_default();
        let rightly = condition == scenario.condition || scenario.also.contains(&condition);
        assert!(rightly, "{}: {condition} was found as well: {}", scenario.name, incident["cause"]);
        let namespace = incident["subject"]["namespace"].as_str().unwrap_or_default();
        assert!(
            namespace.is_empty() || namespace == scenario.namespace,
            "it is about {namespace}: {incident}"
        );
    }
}

/// What is told of the finding. Counts of restarts and repetitions depend on when kubemend looked.
fn told(incident: &Value) -> Value {
    let finding = &incident["finding"];
    let quotes = finding["quotes"].as_array().into_iter().flatten();
    // A container's state goes to and fro between the failure and the back-off after it.
    let lasting =
        quotes.filter(|quote| quote["source"] != "containerState" && quote["source"] != "lastState");
    let mut quotes: Vec<String> = lasting.map(quote).collect();
    quotes.sort();
    quotes.dedup();
    plain::value(&json!({
        "condition": finding["condition"], "severity": finding["severity"], "title": finding["title"],
        "cause": finding["cause"], "place": finding["key"]["place"], "quotes": quotes,
        "alsoPossible": finding["alsoPossible"],
    }))
}

fn quote(quote: &Value) -> String {
    let part = |name: &str| plain::text(quote[name].as_str().unwrap_or_default());
    format!("{}, {}: {}", part("source"), part("origin"), part("text"))
}

fn proposed(proposal: &Value) -> Value {
    plain::value(&json!({
        "remedy": proposal["remedy"]["title"], "risk": proposal["plan"]["risk"],
        "actions": proposal["plan"]["actions"], "warnings": proposal["plan"]["warnings"],
        "diff": proposal["preview"]["diff"].as_str().unwrap_or_default().lines().collect::<Vec<_>>(),
        "kubectl": proposal["preview"]["kubectl"], "policy": proposal["policy"],
    }))
}

fn received(stage: &Stage) -> Vec<String> {
    let mut lines: Vec<String> = stage
        .sent()
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
            plain::text(&format!("{} {} {} -> {}", request.method, request.path, body, request.code))
        })
        .collect();
    lines.dedup();
    lines
}

fn recorded(records: &[Value]) -> Vec<Value> {
    let always = |record: &&Value| ALWAYS.iter().any(|kind| record["entry"]["type"] == *kind);
    records.iter().filter(always).map(|record| plain::value(&essence(&record["entry"]))).collect()
}

fn essence(entry: &Value) -> Value {
    let mut essence = json!({"type": entry["type"]});
    for (name, pointer) in [
        ("kind", "/decision/kind"),
        ("by", "/decision/by/id"),
        ("approvers", "/approvers"),
        ("index", "/index"),
        ("outcome", "/outcome/is"),
        ("lookedUp", "/outcome/receipt/lookedUp"),
        ("verdict", "/verdict"),
    ] {
        if let Some(value) = entry.pointer(pointer) {
            essence[name] = value.clone();
        }
    }
    if let Some(checks) = entry["checks"].as_array() {
        essence["checks"] =
            checks.iter().map(|check| json!({"check": check["check"], "passed": check["passed"]})).collect();
    }
    essence
}

macro_rules! scenarios {
    ($($test:ident: $name:literal by $action:literal in $changes:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                check($name, $action, $changes).await;
            }
        )*

        #[test]
        fn every_scenario_is_driven_to_its_end() {
            let mut driven = vec!["registry-outage", $($name),*];
            driven.sort_unstable();
            let mut all: Vec<&str> = Sim::scenarios().iter().map(|scenario| scenario.name).collect();
            all.sort_unstable();
            assert_eq!(driven, all);
        }
    };
}

scenarios! {
    a_service_account_gains_the_pull_secret: "pull-secret" by "pull-secrets.add" in 4;
    a_secret_for_another_registry_is_joined_by_the_right_one: "wrong-secret" by "pull-secrets.add" in 3;
    a_finalizer_that_nobody_handles_is_stripped: "finalizer" by "finalizers.strip" in 1;
    a_release_without_an_image_is_rolled_back: "bad-rollout" by "workloads.undo" in 1;
    a_release_that_crashes_is_rolled_back: "bad-release" by "workloads.undo" in 1;
    a_limit_that_is_too_low_is_rolled_back: "oom" by "workloads.undo" in 1;
    a_pod_on_a_lost_node_is_force_deleted: "node-lost" by "pods.force-delete" in 1;
    a_pod_with_a_stale_sub_path_is_deleted: "stale-subpath" by "pods.delete" in 1;
    a_release_that_lacks_its_config_map_is_rolled_back: "missing-config" by "workloads.undo" in 1;
    a_pod_that_never_goes_is_force_deleted: "stuck-terminating" by "pods.force-delete" in 1;
    anonymous_pulls_that_are_limited_gain_the_pull_secret: "rate-limited" by "pull-secrets.add" in 3;
    a_deployment_whose_source_is_repaired_is_restarted: "restart" by "workloads.restart" in 1;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_is_down_is_one_incident_and_ends_by_itself() {
    let stage = Stage::start(&Setup { pace: 8.0, background: true, ..Setup::default() }).await;
    let scenario = stage.play("registry-outage").await;
    let wide = eventually("the registry's incident", LONG, || async {
        let all = stage.incidents().await;
        let wide = all.iter().find(|incident| incident["condition"] == scenario.condition).cloned();
        wide.ok_or_else(|| format!("{} incidents", all.len()))
    })
    .await;
    stage.repaired(scenario).await;
    stage.api().resolved(id(&wide), LONG).await;
    let all = eventually("everything is over", LONG, || async {
        let all = stage.incidents().await;
        let open: Vec<&Value> = all.iter().filter(|incident| incident["state"] != "resolved").collect();
        if open.is_empty() { Ok(all) } else { Err(json!(open).to_string()) }
    })
    .await;
    let wide: Vec<&Value> = all.iter().filter(|one| one["condition"] == scenario.condition).collect();
    assert_eq!(wide.len(), 1, "{wide:?}");
    assert_eq!(wide[0]["membersPeak"], 20, "every workload's pod is counted: {}", wide[0]);
    for single in all.iter().filter(|one| one["condition"] != scenario.condition) {
        let records = stage.records(single).await;
        let absorbed = records.iter().any(|record| record["entry"]["type"] == "absorbed");
        assert!(absorbed, "{} was not absorbed: {}", single["id"], single["cause"]);
    }
    let sent = stage.sent();
    assert!(sent.is_empty(), "nothing is written: {sent:?}");
    insta::assert_json_snapshot!(
        "registry-outage",
        plain::value(
            &json!({"title": wide[0]["title"], "cause": wide[0]["cause"], "place": wide[0]["place"]})
        )
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_workloads_open_no_incidents() {
    let stage = Stage::start(&Setup { background: true, ..Setup::default() }).await;
    // Something that is broken beside them shows that kubemend looked.
    let scenario = stage.play("finalizer").await;
    stage.api().incident(scenario.condition, scenario.namespace, LONG).await;
    only_its_own_conditions(&stage, scenario).await;
    let status = stage.api().get("/api/v1/status").await;
    assert_eq!(status["openIncidents"], 1, "{status}");
    assert!(
        status["clusters"][0]["kinds"].as_array().is_some_and(|kinds| {
            kinds.iter().all(|kind| kind["synced"] == true && kind["unparsed"] == 0)
        })
    );
    stage.end().await;
}
