//! What is taken out of text, and what must arrive whole.

use super::*;

#[track_caller]
fn check_gone(line: &str, secret: &str, kept: &[&str]) {
    let clean = redact(line);
    assert!(line.contains(secret), "the test names a secret that is not there: {line}");
    assert!(!clean.contains(secret), "{clean}");
    assert!(clean.contains(REDACTED), "{clean}");
    for piece in kept {
        assert!(clean.contains(piece), "{piece} is missing in: {clean}");
    }
}

#[track_caller]
fn check_kept(line: &str) {
    assert!(matches!(redact(line), Cow::Borrowed(_)) || redact(line) == line, "{}", redact(line));
}

#[test]
fn tokens_that_say_what_they_are_go() {
    let jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    check_gone(
        &format!("request failed with header {jwt} at gateway"),
        jwt,
        &["request failed", "at gateway"],
    );
    check_gone("using key AKIAIOSFODNN7EXAMPLE in eu-west-1", "AKIAIOSFODNN7EXAMPLE", &["in eu-west-1"]);
    check_gone(
        "remote: ghp_0123456789abcdefghijABCDEFGHIJ012345 denied",
        "ghp_0123456789",
        &["remote:", "denied"],
    );
    check_gone("login with dckr_pat_AbCdEfGhIjKlMnOpQrStUvWx failed", "dckr_pat_AbC", &["failed"]);
    check_gone("posting to slack with xoxb-123456789012-abcdefGHIJKL", "xoxb-1234", &["posting"]);
}

#[test]
fn credentials_in_urls_go_and_the_host_stays() {
    check_gone(
        "dial postgres://app:s3cr3t@db.payments.svc:5432/app?sslmode=disable: connection refused",
        "s3cr3t",
        &["postgres://", "@db.payments.svc:5432/app?sslmode=disable", "connection refused"],
    );
    check_gone("clone https://x-token-1@git.example.com/a.git", "x-token-1", &["@git.example.com/a.git"]);
}

#[test]
fn values_of_telling_names_go() {
    check_gone("starting with DB_PASSWORD=hunter2 DB_HOST=db", "hunter2", &["DB_PASSWORD=", "DB_HOST=db"]);
    check_gone("password=correct-horse user=app", "correct-horse", &["user=app"]);
    check_gone(
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtn",
        &["aws_secret_access_key"],
    );
    check_gone("GET /cb?code=1&access_token=abc123&state=9 200", "abc123", &["state=9 200"]);
    check_gone(r#"{"user":"app","password":"p@ss w0rd","retry":3}"#, "p@ss w0rd", &[r#""retry":3"#]);
    check_gone(r#"msg="{\"client_secret\":\"Zm9vYmFy\"}""#, "Zm9vYmFy", &["client_secret"]);
    check_gone("  spring.datasource.password: changeit\n  other: 1", "changeit", &["other: 1"]);
    check_gone("mysqldump --host db --password hunter2 app", "hunter2", &["--host db", "app"]);
}

#[test]
fn headers_go() {
    check_gone("> Authorization: Basic YXBwOmh1bnRlcjI=", "YXBwOmh1bnRlcjI", &["Authorization: Basic"]);
    check_gone("curl -H 'Authorization: Bearer abcdef123456' https://api", "abcdef123456", &["https://api"]);
    check_gone("sent bearer 0a1b2c3d4e5f to upstream", "0a1b2c3d4e5f", &["to upstream"]);
    check_gone("set-cookie: sid=9; Path=/", "sid=9", &["set-cookie"]);
}

#[test]
fn docker_configurations_go() {
    check_gone(
        r#"{"auths":{"registry.example.com":{"auth":"YXBwOmh1bnRlcjI="}}}"#,
        "YXBwOmh1bnRlcjI=",
        &["registry.example.com", "auths"],
    );
    check_gone(
        ".dockerconfigjson: eyJhdXRocyI6eyJyZWdpc3RyeS5leGFtcGxlLmNvbSI6e319fQ==",
        "eyJhdXRocyI6eyJyZWdpc3RyeS5leGFtcGxlLmNvbSI6e319fQ",
        &[".dockerconfigjson"],
    );
}

#[test]
fn private_keys_go_even_when_cut_off() {
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----\nafter";
    check_gone(key, "MIIEpAIBAAKCAQEA7", &["after"]);
    check_gone("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "MIIEvQIBADANBg", &[]);
}

const KEY: [&str; 6] = [
    "loading key",
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA7bq2fZlKc0Xq1sVv9e8mT3nJ4hWcYxP5uRk6Lz0aQwErTyUi",
    "OpAsDfGhJkLzXcVbNm12",
    "-----END RSA PRIVATE KEY-----",
    "could not connect",
];

#[track_caller]
fn check_lines(lines: &[&str], expected: &[&str]) {
    let clean = redact_lines(lines);
    assert_eq!(clean.iter().map(|line| &**line).collect::<Vec<_>>(), expected);
}

#[test]
fn a_private_key_over_several_lines_goes_whole_or_cut() {
    let r = REDACTED;
    check_lines(&KEY, &["loading key", r, r, r, r, "could not connect"]);
    check_lines(&KEY[..3], &["loading key", r, r]);
    check_lines(&KEY[..4], &["loading key", r, r, r]);
    check_lines(&KEY[2..], &[r, r, r, "could not connect"]);
    check_lines(&KEY[3..], &[r, r, "could not connect"]);
    check_gone(KEY[2], "MIIEpAIBAAKC", &[]);
}

#[test]
fn lines_without_a_key_are_cleaned_one_by_one() {
    check_lines(&["a password=hunter2", "plain", ""], &["a password=[redacted]", "plain", ""]);
}

#[test]
fn a_digest_alone_on_its_line_stays() {
    check_kept("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    check_kept("/opt/app/lib/com/example/Checkout2/Payments/Handler");
}

#[test]
fn long_random_strings_go_after_a_word_that_announces_one() {
    let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    check_gone(&format!("loaded signing key {hex}"), hex, &["loaded signing key"]);
    check_gone("session token is aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Q0 now", "aGVsbG8gd29ybGQ", &["now"]);
}

#[test]
fn what_diagnosis_reads_stays() {
    for line in [
        r#"Failed to pull image "registry.example.com/team/app:1.2.3": rpc error: code = Unknown desc = failed to pull and unpack image "registry.example.com/team/app:1.2.3": failed to resolve reference "registry.example.com/team/app:1.2.3": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized"#,
        "failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=repository%3Alibrary%2Fnginx%3Apull&service=registry.docker.io: 401 Unauthorized",
        r#"Head "https://registry.example.com/v2/a/manifests/1": no basic auth credentials"#,
        r#"MountVolume.SetUp failed for volume "creds" : secret "db-credentials-v2" not found"#,
        "couldn't find key password in Secret payments/db",
        "Unable to retrieve some image pull secrets (harbor-pull-2024); attempting to pull the image may not succeed.",
        r#"Www-Authenticate: Bearer realm="https://auth.example.com/token",service="registry""#,
        "error: secret: connection refused",
        "FATAL: password authentication failed for user \"app\"",
        "image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is present",
        "Secret \"prometheus-kube-prometheus-stack-tls-assets-0\" updated",
        "token expired, refreshing; secretName=harbor-pull keyCount=3",
        "panic: runtime error: index out of range [5] with length 3",
        "kubelet  Error: ErrImagePull; author=jane author: jane@example.com",
        "invalid token: unexpected character at position 17",
        "serviceAccountToken path=token expirationSeconds=3607",
        "2026-01-02T03:04:05Z INFO http: Accept error: use of closed network connection",
    ] {
        check_kept(line);
    }
}

#[test]
fn redacting_twice_changes_nothing_more() {
    let line = "password=hunter2 Authorization: Bearer abcdef123456 postgres://a:b@c/d";
    let once = redact(line).into_owned();
    assert_eq!(redact(&once), once);
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC{0,300}") {
        let _ = redact(&text);
    }

    #[test]
    fn a_password_never_survives(before in "[a-z ]{0,40}", password in "[a-zA-Z0-9!#%+/]{6,40}", after in "[a-z ]{0,40}") {
        let line = format!("{before} DB_PASSWORD={password} {after}");
        let expected = format!("{before} DB_PASSWORD={REDACTED} {after}");
        proptest::prop_assert_eq!(redact(&line).into_owned(), expected);
    }
}
