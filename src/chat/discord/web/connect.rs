//! How Discord is reached: rustls with ring and the operating system's roots, for REST and gateway alike.
//!
//! HTTPS only, unless the API is on this machine and says `http` (a test). Refuses certificates that those
//! roots do not vouch for: there is no way to switch that off.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::ring;

use super::WebError;

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_mins(1);

pub(super) type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What is trusted: the operating system's roots.
pub(in crate::chat::discord) fn trusted() -> Result<ClientConfig, WebError> {
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| WebError::no_roots(&error))?;
    let roots = versions.with_native_roots().map_err(|error| WebError::no_roots(&error))?;
    Ok(roots.with_no_client_auth())
}

pub(super) fn client(tls: &ClientConfig) -> Http {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECTING));
    // Plain HTTP is refused where the API's URL is read, so that one client serves both.
    let tls = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
    let connector = tls.enable_http1().enable_http2().wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(connector)
}
