//! One pull, decided. The texts are containerd's, word for word as a real node recorded them.
//! Owns the order in which a registry refuses; refuses to invent a wording that no node has shown.

use std::time::Duration;

use jiff::Timestamp;

use super::{Account, Auth, ImageRef, Keyring, Login, Mode, Registry, TokenRefusal};

/// Pulled, or why not.
pub type PullResult = Result<(), PullFailure>;

/// A failed pull as the runtime words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFailure {
    /// The whole text, beginning with `rpc error: code = …`.
    pub message: String,
    /// How long the runtime tried before it gave up.
    pub took: Duration,
}

/// What the registry knows about who is asking.
enum Caller<'a> {
    Anonymous,
    /// Sent credentials, and they are good.
    Known(&'a Account),
    /// Sent credentials, and they are not.
    Refused,
}

impl PullFailure {
    /// The host name does not resolve.
    pub(super) fn no_such_host(image: &ImageRef) -> Self {
        let url = manifest_url(image);
        let host = host_only(&image.host);
        resolve(
            image,
            "Unknown",
            &format!(
                "failed to do request: Head \"{url}\": dial tcp: lookup {host} on 10.96.0.10:53: no such host"
            ),
        )
    }
}

pub(super) fn pull(registry: &Registry, image: &ImageRef, keyring: &Keyring, now: Timestamp) -> PullResult {
    let logins = keyring.lookup(image);
    let caller = identify(&registry.auth, &logins);
    refused_by_mode(registry.mode, image, &caller, now)?;
    refused_by_auth(&registry.auth, image, &caller, registry)?;
    if registry.holds(image) { Ok(()) } else { Err(not_found(image)) }
}

fn identify<'a>(auth: &'a Auth, logins: &[&Login]) -> Caller<'a> {
    if logins.is_empty() {
        return Caller::Anonymous;
    }
    let accounts: &[Account] = match auth {
        Auth::Public => return Caller::Anonymous,
        Auth::Private { accounts }
        | Auth::DockerHub { accounts, .. }
        | Auth::Projects { accounts, .. }
        | Auth::Token { accounts, .. } => accounts,
    };
    accounts
        .iter()
        .find(|account| {
            logins.iter().any(|login| login.user == account.user && login.password == account.password)
        })
        .map_or(Caller::Refused, Caller::Known)
}

fn refused_by_mode(mode: Mode, image: &ImageRef, caller: &Caller<'_>, now: Timestamp) -> PullResult {
    match mode {
        Mode::RateLimitedUntil(until) if now < until => Err(rate_limited(image)),
        Mode::RateLimitedAnonymous if matches!(caller, Caller::Anonymous) => Err(rate_limited(image)),
        Mode::Outage { until } if until.is_none_or(|until| now < until) => {
            Err(status(image, "503 Service Unavailable"))
        }
        Mode::Ok | Mode::RateLimitedUntil(_) | Mode::RateLimitedAnonymous | Mode::Outage { .. } => Ok(()),
        Mode::Hanging => Err(hanging(image)),
    }
}

fn refused_by_auth(auth: &Auth, image: &ImageRef, caller: &Caller<'_>, registry: &Registry) -> PullResult {
    match auth {
        Auth::Public => Ok(()),
        Auth::Private { .. } => match caller {
            Caller::Known(account) => allowed(account, image),
            Caller::Anonymous | Caller::Refused => Err(status(image, "401 Unauthorized")),
        },
        Auth::DockerHub { private, .. } => docker_hub(private, image, caller, registry),
        Auth::Projects { public, private, .. } => {
            projects(public.contains(project(image)), private.contains(project(image)), image, caller)
        }
        Auth::Token { anonymous, .. } => match caller {
            Caller::Known(account) => allowed(account, image),
            Caller::Refused => Err(oauth(image, "oauth", "401 Unauthorized")),
            Caller::Anonymous => Err(oauth(image, "anonymous", refusal(*anonymous))),
        },
    }
}

fn docker_hub(private: &[String], image: &ImageRef, caller: &Caller<'_>, registry: &Registry) -> PullResult {
    let hidden = private.iter().any(|prefix| image.repository.starts_with(prefix.as_str()));
    match caller {
        // Docker Hub refuses a bad login even for a public image.
        Caller::Refused => Err(oauth(image, "oauth", "401 Unauthorized")),
        Caller::Known(account) if hidden => allowed(account, image),
        Caller::Anonymous if hidden => Err(access_denied(image)),
        Caller::Known(_) | Caller::Anonymous if !registry.repositories.contains_key(&image.repository) => {
            Err(access_denied(image))
        }
        Caller::Known(_) | Caller::Anonymous => Ok(()),
    }
}

fn projects(public: bool, private: bool, image: &ImageRef, caller: &Caller<'_>) -> PullResult {
    match caller {
        _ if public => Ok(()),
        _ if !private => Err(not_found(image)),
        Caller::Known(account) => allowed(account, image),
        Caller::Anonymous | Caller::Refused => Err(status(image, "401 Unauthorized")),
    }
}

fn allowed(account: &Account, image: &ImageRef) -> PullResult {
    let may = account.may_pull.is_empty()
        || account.may_pull.iter().any(|prefix| image.repository.starts_with(prefix.as_str()));
    if may { Ok(()) } else { Err(status(image, "403 Forbidden")) }
}

fn project(image: &ImageRef) -> &str {
    image.repository.split('/').next().unwrap_or_default()
}

fn refusal(refusal: TokenRefusal) -> &'static str {
    match refusal {
        TokenRefusal::Unauthorized => "401 Unauthorized",
        TokenRefusal::Forbidden => "403 Forbidden",
    }
}

fn not_found(image: &ImageRef) -> PullFailure {
    resolve(image, "NotFound", &format!("{image}: not found"))
}

fn access_denied(image: &ImageRef) -> PullFailure {
    let detail = "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed";
    resolve(image, "Unknown", detail)
}

fn oauth(image: &ImageRef, kind: &str, answer: &str) -> PullFailure {
    resolve(
        image,
        "Unknown",
        &format!("failed to authorize: failed to fetch {kind} token: unexpected status: {answer}"),
    )
}

fn status(image: &ImageRef, answer: &str) -> PullFailure {
    let ImageRef { host, tag, .. } = image;
    resolve(
        image,
        "Unknown",
        &format!("pulling from host {host} failed with status code [manifests {tag}]: {answer}"),
    )
}

/// Docker Hub counts the GET of the manifest, so the name resolves and the copy fails.
fn rate_limited(image: &ImageRef) -> PullFailure {
    let ImageRef { host, repository, .. } = image;
    let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let digest = digest_of(image);
    let message = format!(
        "rpc error: code = Unknown desc = failed to pull and unpack image \"{image}\": failed to copy: httpReadSeeker: failed open: unexpected status code https://{host}/v2/{repository}/manifests/{digest}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit"
    );
    PullFailure { message, took: Duration::from_millis(400) }
}

fn hanging(image: &ImageRef) -> PullFailure {
    let url = manifest_url(image);
    let detail = format!("failed to do request: Head \"{url}\": dial tcp 203.0.113.9:443: i/o timeout");
    PullFailure { took: Duration::from_secs(30), ..resolve(image, "DeadlineExceeded", &detail) }
}

fn resolve(image: &ImageRef, code: &str, detail: &str) -> PullFailure {
    let message = format!(
        "rpc error: code = {code} desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {detail}"
    );
    PullFailure { message, took: Duration::from_millis(300) }
}

fn manifest_url(image: &ImageRef) -> String {
    format!("https://{}/v2/{}/manifests/{}", image.host, image.repository, image.tag)
}

fn host_only(host: &str) -> &str {
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// The digest an image of that name has in the simulated world: always the same for the same name.
pub(super) fn digest_of(image: &ImageRef) -> String {
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(image.to_string().as_bytes());
    format!("sha256:{}", hex(&hash))
}

/// Bytes as lower-case hexadecimal digits.
pub(in crate::sim) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing into a String has no way to fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

impl ImageRef {
    /// The content digest of the image, as the runtime reports it once pulled.
    pub fn digest(&self) -> String {
        digest_of(self)
    }
}
