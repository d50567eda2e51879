//! Containers: starting, crashing, missing references, readiness, stopping.

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn a_crashing_program_restarts_at_once_and_then_ever_later() {
    let mut bench = Bench::new(pod("registry.example.com/app:1"));
    bench.world.set_program(
        "registry.example.com/app:1",
        Program::failing(Duration::from_secs(1), 3, &["panic: no such table"]),
    );
    bench.pass(10);
    assert_eq!(bench.waiting(), "CrashLoopBackOff");
    assert_eq!(
        bench.container()["state"]["waiting"]["message"],
        "back-off 10s restarting failed container=api pod=checkout-api-1_payments(b9e45e4a-f4dd-4449-a97a-9df1ba44ce13)"
    );
    assert_eq!(bench.container()["restartCount"], 1);
    assert_eq!(bench.container()["lastState"]["terminated"]["exitCode"], 3);
    assert_eq!(bench.container()["lastState"]["terminated"]["reason"], "Error");
    bench.pass(3000);
    let messages: Vec<&str> = bench
        .statuses
        .iter()
        .filter_map(|(_, status)| status["containerStatuses"][0]["state"]["waiting"]["message"].as_str())
        .collect();
    let delays: Vec<&str> = messages.iter().map(|text| text.split(' ').nth(1).unwrap()).collect();
    assert_eq!(delays[..7], ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    assert!(bench.told("BackOff").iter().all(|text| *text == "Back-off restarting failed container"));
    assert_eq!(
        bench.logs[0],
        LogLine { container: "api".into(), instance: 0, line: "panic: no such table".into() }
    );
}

#[test]
fn too_little_memory_is_an_oom_kill_and_enough_is_not() {
    for (limit, reason) in [("128Mi", "OOMKilled"), ("512Mi", "")] {
        let mut tight = pod("registry.example.com/app:1");
        tight["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": limit}});
        let mut bench = Bench::new(tight);
        bench.world.set_program("registry.example.com/app:1", Program::server(&[]).needing(300 << 20));
        bench.pass(20);
        let last = &bench.container()["lastState"]["terminated"];
        assert_eq!(last["reason"].as_str().unwrap_or_default(), reason);
        if !reason.is_empty() {
            assert_eq!(last["exitCode"], 137);
        }
    }
}

#[test]
fn a_missing_config_map_holds_the_container_until_it_appears() {
    let mut reading = pod("registry.example.com/app:1");
    reading["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    let mut bench = Bench::new(reading);
    bench.pass(30);
    assert_eq!(bench.waiting(), "CreateContainerConfigError");
    assert_eq!(bench.container()["state"]["waiting"]["message"], "configmap \"settings\" not found");
    assert_eq!(bench.told("Failed")[0], "Error: configmap \"settings\" not found");
    bench.around.config_maps.insert("settings".into(), config_map("5", &json!({"A": "1"})));
    bench.pass(30);
    assert!(bench.container()["ready"].as_bool().unwrap());
}

#[test]
fn a_missing_key_names_the_config_map_with_its_namespace() {
    let mut reading = pod("registry.example.com/app:1");
    reading["spec"]["containers"][0]["env"] =
        json!([{"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "logLevel"}}}]);
    let mut bench = Bench::new(reading);
    bench.around.config_maps.insert("settings".into(), config_map("5", &json!({})));
    bench.pass(5);
    assert_eq!(bench.told("Failed"), ["Error: couldn't find key logLevel in ConfigMap payments/settings"]);
}

#[test]
fn a_missing_secret_volume_fails_the_mount_and_later_says_what_timed_out() {
    let mut mounting = pod("registry.example.com/app:1");
    mounting["spec"]["volumes"] = json!([{"name": "tls", "secret": {"secretName": "checkout-tls"}}]);
    let mut bench = Bench::new(mounting);
    bench.pass(200);
    assert!(
        bench
            .told("FailedMount")
            .contains(&"MountVolume.SetUp failed for volume \"tls\" : secret \"checkout-tls\" not found")
    );
    assert!(bench.told("FailedMount").contains(
        &"Unable to attach or mount volumes: unmounted volumes=[tls], unattached volumes=[tls]: timed out waiting for the condition"
    ));
    assert_eq!(bench.waiting(), "ContainerCreating");
    assert!(bench.pod["status"]["podIP"].is_null());
}

#[test]
fn an_edited_sub_path_breaks_the_restart_in_place_until_the_pod_is_new() {
    let mut mounting = pod("registry.example.com/app:1");
    mounting["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "config", "mountPath": "/etc/app.yaml", "subPath": "app.yaml"}]);
    mounting["spec"]["volumes"] = json!([{"name": "config", "configMap": {"name": "settings"}}]);
    let mut bench = Bench::new(mounting.clone());
    bench.around.config_maps.insert("settings".into(), config_map("5", &json!({"app.yaml": "a"})));
    bench.pass(10);
    assert!(bench.container()["ready"].as_bool().unwrap());
    bench.around.config_maps.insert("settings".into(), config_map("9", &json!({"app.yaml": "b"})));
    bench.pass(60);
    assert!(bench.container()["ready"].as_bool().unwrap(), "a running container does not notice");
    bench.worker.strike(None, &Exit { after: Duration::ZERO, code: 2, says: vec![] }, bench.now);
    bench.pass(30);
    assert_eq!(bench.waiting(), "CrashLoopBackOff");
    let last = &bench.container()["lastState"]["terminated"];
    assert_eq!((last["reason"].as_str(), last["exitCode"].as_i64()), (Some("StartError"), Some(128)));
    let message = last["message"].as_str().unwrap();
    assert!(
        message.contains("/volume-subpaths/config/api/0")
            && message.ends_with("no such file or directory: unknown"),
        "{message}"
    );
    bench.pass(3600);
    assert!(!bench.container()["ready"].as_bool().unwrap(), "nothing but a new pod helps");
    let around = bench.around.clone();
    let mut bench = Bench::new(mounting);
    bench.around = around;
    bench.pass(10);
    assert!(bench.container()["ready"].as_bool().unwrap());
}

#[test]
fn a_value_rendered_at_pod_start_is_read_anew_only_by_a_new_pod() {
    let mut rendering = pod("registry.example.com/app:1");
    rendering["spec"]["initContainers"] = json!([{"name": "render", "image": "registry.example.com/init:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}]);
    let crash = Exit { after: Duration::from_secs(1), code: 78, says: vec![] };
    let ending = Ending::IfPodStartedWith {
        config_map: "settings".into(),
        key: "DB".into(),
        value: "old".into(),
        exit: crash,
    };
    let program = Program { ending, ..Program::server(&[]) };
    let fresh = |version: &str, value: &str| {
        let mut bench = Bench::new(rendering.clone());
        bench.world.set_program("registry.example.com/app:1", program.clone());
        bench
            .world
            .set_program("registry.example.com/init:1", Program::task(Duration::from_secs(1), &["rendered"]));
        bench.around.config_maps.insert("settings".into(), config_map(version, &json!({"DB": value})));
        bench
    };
    let mut bench = fresh("5", "old");
    bench.pass(20);
    assert_eq!(bench.container()["lastState"]["terminated"]["exitCode"], 78);
    bench.around.config_maps.insert("settings".into(), config_map("9", &json!({"DB": "new"})));
    bench.pass(1200);
    assert_eq!(bench.container()["lastState"]["terminated"]["exitCode"], 78);
    assert!(bench.container()["restartCount"].as_i64().unwrap() >= 5);
    let mut bench = fresh("9", "new");
    bench.pass(20);
    assert!(bench.container()["ready"].as_bool().unwrap());
}

#[test]
fn init_containers_go_first_and_hold_the_others() {
    let mut waiting = pod("registry.example.com/app:1");
    waiting["spec"]["initContainers"] =
        json!([{"name": "migrate", "image": "harbor.example.com/payments/migrate:7"}]);
    let mut bench = Bench::new(waiting);
    bench.pass(5);
    let init = &bench.pod["status"]["initContainerStatuses"][0];
    assert_eq!(init["state"]["waiting"]["reason"], "ImagePullBackOff");
    assert_eq!(bench.container()["state"]["waiting"], json!({"reason": "PodInitializing"}));
    assert_eq!(
        bench.pod["status"]["conditions"][0]["message"],
        "containers with incomplete status: [migrate]"
    );
    assert_eq!(bench.events[0].1.field_path, "spec.initContainers{migrate}");
}

#[test]
fn readiness_comes_after_the_probe_passes() {
    let mut probed = pod("registry.example.com/app:1");
    probed["spec"]["containers"][0]["readinessProbe"] =
        json!({"httpGet": {"path": "/healthz", "port": 8080}});
    let mut bench = Bench::new(probed);
    bench.world.set_program(
        "registry.example.com/app:1",
        Program { ready_after: Duration::from_secs(20), ..Program::server(&[]) },
    );
    bench.pass(15);
    assert!(
        bench.container()["state"]["running"].is_object() && !bench.container()["ready"].as_bool().unwrap()
    );
    bench.pass(15);
    assert!(bench.container()["ready"].as_bool().unwrap());
}

#[test]
fn stopping_waits_as_long_as_the_program_takes() {
    for (on_stop, over_after, code) in [(OnStop::Exits, 1, 0), (OnStop::Ignores, 30, 137)] {
        let mut bench = Bench::new(pod("registry.example.com/app:1"));
        bench.world.set_program("registry.example.com/app:1", Program::server(&[]).stopping(on_stop));
        bench.pass(10);
        bench.delete(30);
        bench.pass(over_after - 1);
        bench.step();
        assert!(!bench.gone, "{on_stop:?} was over too early");
        bench.pass(2);
        bench.step();
        assert!(bench.gone, "{on_stop:?} should be over");
        assert_eq!(bench.told("Killing"), ["Stopping container api"]);
        assert_eq!(bench.container()["state"]["terminated"]["exitCode"], code);
    }
}

#[test]
fn an_unkillable_program_never_goes_and_the_kubelet_says_so() {
    let mut bench = Bench::new(pod("registry.example.com/app:1"));
    bench.world.set_program("registry.example.com/app:1", Program::server(&[]).stopping(OnStop::Unkillable));
    bench.pass(10);
    bench.delete(30);
    bench.pass(3600);
    assert!(!bench.gone);
    assert!(bench.container()["state"]["running"].is_object());
    assert!(
        bench.told("FailedKillPod")[0]
            .starts_with("error killing pod: failed to \"KillContainer\" for \"api\"")
    );
}

#[test]
fn a_pod_that_runs_to_its_end_succeeds_or_fails_by_its_exit_code() {
    for (code, phase) in [(0, "Succeeded"), (1, "Failed")] {
        let mut once = pod("registry.example.com/app:1");
        once["spec"]["restartPolicy"] = json!("Never");
        let mut bench = Bench::new(once);
        bench.world.set_program(
            "registry.example.com/app:1",
            Program::failing(Duration::from_secs(2), code, &["bye"]),
        );
        bench.pass(10);
        assert_eq!(bench.pod["status"]["phase"], phase);
        assert_eq!(bench.container()["restartCount"], 0);
    }
}

#[test]
fn all_references_of_a_pod_are_found() {
    let pod = json!({"spec": {
        "imagePullSecrets": [{"name": "pull"}],
        "initContainers": [{"envFrom": [{"secretRef": {"name": "a"}}]}],
        "containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "b"}}}, {"valueFrom": {"secretKeyRef": {"name": "pull"}}}]}],
        "volumes": [{"configMap": {"name": "c"}}, {"secret": {"secretName": "d"}}],
    }});
    let found = mentioned(&pod);
    assert_eq!(found.config_maps, ["b", "c"]);
    assert_eq!(found.secrets, ["pull", "a", "d"]);
}
