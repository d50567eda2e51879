//! Every refusal reads as a real node recorded it; the sentences below are copied from those recordings.

use base64::Engine as _;
use serde_json::json;

use super::*;

fn secret(server: &str, user: &str, password: &str) -> serde_json::Value {
    let engine = base64::engine::general_purpose::STANDARD;
    let auth = engine.encode(format!("{user}:{password}"));
    let config = json!({"auths": {server: {"auth": auth}}}).to_string();
    json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": engine.encode(config)}})
}

fn keyring(secrets: &[serde_json::Value]) -> Keyring {
    let mut keyring = Keyring::default();
    for secret in secrets {
        keyring.add_secret(secret);
    }
    keyring
}

fn check(registry: &Registry, image: &str, secrets: &[serde_json::Value], expected: Result<(), &str>) {
    let mut registries = Registries::default();
    registries.add(registry.clone());
    let image = ImageRef::parse(image).expect("a valid reference");
    let now: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
    let got = registries.pull(&image, &keyring(secrets), now).map_err(|failure| failure.message);
    assert_eq!(got, expected.map_err(str::to_owned));
}

fn harbor() -> Registry {
    let auth = Auth::Private { accounts: vec![Account::new("robot", "s3cret")] };
    Registry::new("harbor.example.com", auth).with("payments/api", &["1.4.11"])
}

fn hub() -> Registry {
    let auth =
        Auth::DockerHub { private: vec!["private/".into()], accounts: vec![Account::new("acme", "pw")] };
    Registry::new("docker.io", auth).with("library/nginx", &["1.25"]).with("private/payments-api", &["1.0"])
}

#[test]
fn a_private_registry_refuses_strangers_as_recorded() {
    check(
        &harbor(),
        "harbor.example.com/payments/api:1.4.11",
        &[],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"harbor.example.com/payments/api:1.4.11\": failed to resolve reference \"harbor.example.com/payments/api:1.4.11\": pulling from host harbor.example.com failed with status code [manifests 1.4.11]: 401 Unauthorized",
        ),
    );
}

#[test]
fn a_good_secret_lets_it_pull() {
    check(
        &harbor(),
        "harbor.example.com/payments/api:1.4.11",
        &[secret("harbor.example.com", "robot", "s3cret")],
        Ok(()),
    );
    check(
        &harbor(),
        "harbor.example.com/payments/api:1.4.11",
        &[secret("https://harbor.example.com/payments", "robot", "s3cret")],
        Ok(()),
    );
}

#[test]
fn a_secret_for_another_host_or_with_a_newline_helps_nothing() {
    let refused = "rpc error: code = Unknown desc = failed to pull and unpack image \"harbor.example.com/payments/api:1.4.11\": failed to resolve reference \"harbor.example.com/payments/api:1.4.11\": pulling from host harbor.example.com failed with status code [manifests 1.4.11]: 401 Unauthorized";
    for secret in
        [secret("harbor.example.org", "robot", "s3cret"), secret("harbor.example.com", "robot", "s3cret\n")]
    {
        check(&harbor(), "harbor.example.com/payments/api:1.4.11", &[secret], Err(refused));
    }
    let mut opaque = secret("harbor.example.com", "robot", "s3cret");
    opaque["type"] = json!("Opaque");
    check(&harbor(), "harbor.example.com/payments/api:1.4.11", &[opaque], Err(refused));
}

#[test]
fn a_missing_tag_reads_as_recorded() {
    check(
        &harbor(),
        "harbor.example.com/payments/api:1.9.9",
        &[secret("harbor.example.com", "robot", "s3cret")],
        Err(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"harbor.example.com/payments/api:1.9.9\": failed to resolve reference \"harbor.example.com/payments/api:1.9.9\": harbor.example.com/payments/api:1.9.9: not found",
        ),
    );
}

#[test]
fn docker_hub_words_a_typo_and_a_private_repository_alike() {
    check(
        &hub(),
        "ngnix:1.25",
        &[],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/library/ngnix:1.25\": failed to resolve reference \"docker.io/library/ngnix:1.25\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        ),
    );
    check(
        &hub(),
        "docker.io/private/payments-api:1.0",
        &[],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/private/payments-api:1.0\": failed to resolve reference \"docker.io/private/payments-api:1.0\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        ),
    );
    check(
        &hub(),
        "docker.io/private/payments-api:1.0",
        &[secret("https://index.docker.io/v1/", "acme", "wrong")],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/private/payments-api:1.0\": failed to resolve reference \"docker.io/private/payments-api:1.0\": failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
        ),
    );
    check(
        &hub(),
        "docker.io/private/payments-api:1.0",
        &[secret("https://index.docker.io/v1/", "acme", "pw")],
        Ok(()),
    );
}

#[test]
fn token_services_tell_anonymous_from_refused() {
    let accounts = vec![Account::new("ci", "tok")];
    let gitlab = Registry::new(
        "registry.gitlab.example.com",
        Auth::Token { anonymous: TokenRefusal::Unauthorized, accounts: accounts.clone() },
    )
    .with("payments/api", &["2.0"]);
    check(
        &gitlab,
        "registry.gitlab.example.com/payments/api:2.0",
        &[],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"registry.gitlab.example.com/payments/api:2.0\": failed to resolve reference \"registry.gitlab.example.com/payments/api:2.0\": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
        ),
    );
    let ghcr =
        Registry::new("ghcr.example.com", Auth::Token { anonymous: TokenRefusal::Forbidden, accounts })
            .with("payments/api", &["2.0"]);
    check(
        &ghcr,
        "ghcr.example.com/payments/api:2.0",
        &[],
        Err(
            "rpc error: code = Unknown desc = failed to pull and unpack image \"ghcr.example.com/payments/api:2.0\": failed to resolve reference \"ghcr.example.com/payments/api:2.0\": failed to authorize: failed to fetch anonymous token: unexpected status: 403 Forbidden",
        ),
    );
}

#[test]
fn an_anonymous_rate_limit_spares_those_who_log_in() {
    let mut hub = hub();
    hub.mode = Mode::RateLimitedAnonymous;
    check(&hub, "docker.io/library/nginx:1.25", &[secret("docker.io", "acme", "pw")], Ok(()));
    let mut registries = Registries::default();
    registries.add(hub);
    let image = ImageRef::parse("nginx:1.25").expect("a valid reference");
    let failure = registries.pull(&image, &Keyring::default(), Timestamp::UNIX_EPOCH).expect_err("limited");
    assert!(failure.message.ends_with(
        "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit"
    ), "{}", failure.message);
    assert!(failure.message.contains("failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/nginx/manifests/sha256:"));
}

#[test]
fn an_outage_ends_when_its_time_is_over() {
    let until: Timestamp = "2026-11-21T09:10:00Z".parse().expect("a time");
    let mut registries = Registries::default();
    registries.add(
        Registry {
            mode: Mode::Outage { until: Some(until) },
            ..Registry::new("flaky.example.com", Auth::Public)
        }
        .with("recover/payments-api", &["1.1"]),
    );
    let image = ImageRef::parse("flaky.example.com/recover/payments-api:1.1").expect("a valid reference");
    let before = registries.pull(&image, &Keyring::default(), until - jiff::SignedDuration::from_secs(1));
    assert_eq!(
        before.expect_err("still out").message,
        "rpc error: code = Unknown desc = failed to pull and unpack image \"flaky.example.com/recover/payments-api:1.1\": failed to resolve reference \"flaky.example.com/recover/payments-api:1.1\": pulling from host flaky.example.com failed with status code [manifests 1.1]: 503 Service Unavailable"
    );
    assert_eq!(registries.pull(&image, &Keyring::default(), until), Ok(()));
}

#[test]
fn a_silent_host_times_out_and_an_unknown_one_does_not_resolve() {
    let mut blackhole = Registry::new("blackhole.example.com", Auth::Public).with("team/app", &["1.0"]);
    blackhole.mode = Mode::Hanging;
    check(
        &blackhole,
        "blackhole.example.com/team/app:1.0",
        &[],
        Err(
            "rpc error: code = DeadlineExceeded desc = failed to pull and unpack image \"blackhole.example.com/team/app:1.0\": failed to resolve reference \"blackhole.example.com/team/app:1.0\": failed to do request: Head \"https://blackhole.example.com/v2/team/app/manifests/1.0\": dial tcp 203.0.113.9:443: i/o timeout",
        ),
    );
    let image = ImageRef::parse("nowhere.example.com/a:1").expect("a valid reference");
    let failure =
        Registries::default().pull(&image, &Keyring::default(), Timestamp::UNIX_EPOCH).expect_err("no host");
    assert!(failure.message.contains("no such host"));
}

#[test]
fn projects_hide_what_a_stranger_may_not_see_and_name_what_is_missing() {
    let auth = Auth::Projects {
        public: ["library".to_owned()].into(),
        private: ["payments".to_owned()].into(),
        accounts: vec![Account { may_pull: vec!["payments/".into()], ..Account::new("robot", "pw") }],
    };
    let registry =
        Registry::new("flaky.example.com", auth).with("library/web", &["1"]).with("payments/api", &["1"]);
    check(&registry, "flaky.example.com/library/web:1", &[], Ok(()));
    check(
        &registry,
        "flaky.example.com/payments/api:1",
        &[secret("flaky.example.com", "robot", "pw")],
        Ok(()),
    );
    check(
        &registry,
        "flaky.example.com/noproject/payments:1.0",
        &[],
        Err(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"flaky.example.com/noproject/payments:1.0\": failed to resolve reference \"flaky.example.com/noproject/payments:1.0\": flaky.example.com/noproject/payments:1.0: not found",
        ),
    );
}

#[test]
fn references_are_read_as_the_runtime_reads_them() {
    let parsed = |text: &str| ImageRef::parse(text).map(|image| image.to_string());
    assert_eq!(parsed("nginx").as_deref(), Some("docker.io/library/nginx:latest"));
    assert_eq!(parsed("acme/web:2").as_deref(), Some("docker.io/acme/web:2"));
    assert_eq!(parsed("localhost:5000/web").as_deref(), Some("localhost:5000/web:latest"));
    assert_eq!(
        parsed("harbor.example.com/a/b@sha256:ab").as_deref(),
        Some("harbor.example.com/a/b@sha256:ab")
    );
    assert_eq!(parsed("Harbor.example.com/UPPER:1"), None);
}
