//! Images: how refusals read, how the back-off grows, which repairs reach a pod that is there.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_refused_pull_is_told_in_the_recorded_order_and_words() {
    let mut bench = Bench::new(pod(IMAGE));
    bench.pass(5);
    let told: Vec<(&str, &str, &str)> =
        bench.events.iter().map(|(_, d)| (d.kind, d.reason, d.message.as_str())).collect();
    let failure = "rpc error: code = Unknown desc = failed to pull and unpack image \"harbor.example.com/payments/api:1.4.11\": failed to resolve reference \"harbor.example.com/payments/api:1.4.11\": pulling from host harbor.example.com failed with status code [manifests 1.4.11]: 401 Unauthorized";
    let failed = format!("Failed to pull image \"harbor.example.com/payments/api:1.4.11\": {failure}");
    assert_eq!(
        told,
        [
            ("Normal", "Pulling", "Pulling image \"harbor.example.com/payments/api:1.4.11\""),
            ("Warning", "Failed", failed.as_str()),
            ("Warning", "Failed", "Error: ErrImagePull"),
            ("Normal", "BackOff", "Back-off pulling image \"harbor.example.com/payments/api:1.4.11\""),
            ("Warning", "Failed", "Error: ImagePullBackOff"),
        ]
    );
    assert!(bench.events.iter().all(|(_, draft)| draft.field_path == "spec.containers{api}"));
    let shown: Vec<&Value> =
        bench.statuses.iter().map(|(_, s)| &s["containerStatuses"][0]["state"]["waiting"]).collect();
    assert_eq!(
        shown,
        [
            &json!({"reason": "ContainerCreating"}),
            &json!({"reason": "ErrImagePull", "message": failure}),
            &json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"harbor.example.com/payments/api:1.4.11\""}),
        ]
    );
    assert_eq!(bench.pod["status"]["phase"], "Pending");
    assert_eq!(bench.pod["status"]["conditions"][1]["message"], "containers with unready status: [api]");
}

#[test]
fn the_back_off_between_pulls_grows_from_ten_seconds_to_five_minutes() {
    let mut bench = Bench::new(pod(IMAGE));
    bench.pass(1800);
    let pulls = bench.times("Pulling");
    let gaps: Vec<i64> = pulls.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert_eq!(gaps, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
}

#[test]
fn a_secret_repaired_under_the_name_the_pod_knows_heals_it_without_a_new_pod() {
    let mut named = pod(IMAGE);
    named["spec"]["imagePullSecrets"] = json!([{"name": "harbor-pull"}]);
    let mut bench = Bench::new(named);
    bench.pass(30);
    assert_eq!(
        bench.told("FailedToRetrieveImagePullSecret").first().copied(),
        Some(
            "Unable to retrieve some image pull secrets (harbor-pull); attempting to pull the image may not succeed."
        )
    );
    assert_eq!(bench.waiting(), "ImagePullBackOff");
    bench.around.secrets.insert("harbor-pull".into(), harbor_secret());
    bench.pass(60);
    assert_eq!(bench.told("Started"), ["Started container api"]);
    assert!(bench.container()["ready"].as_bool().unwrap());
}

#[test]
fn a_secret_the_pod_does_not_name_heals_only_a_new_pod() {
    let mut bench = Bench::new(pod(IMAGE));
    bench.pass(30);
    bench.around.secrets.insert("harbor-pull".into(), harbor_secret());
    bench.pass(3600);
    assert_eq!(bench.waiting(), "ImagePullBackOff");
    let mut recreated = pod(IMAGE);
    recreated["spec"]["imagePullSecrets"] = json!([{"name": "harbor-pull"}]);
    let around = bench.around.clone();
    let mut bench = Bench::new(recreated);
    bench.around = around;
    bench.pass(5);
    assert!(bench.container()["ready"].as_bool().unwrap());
    assert_eq!(bench.pod["status"]["phase"], "Running");
}
