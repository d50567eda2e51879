//! How the Web API is reached: rustls with ring and the operating system's roots.
//!
//! HTTPS only, unless the configured URL itself says `http` (a proxy or a test on this machine).
//! slack-morphism's stock connector would do neither HTTP/1.1 nor a plain URL.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::WebError;

pub(super) type Connector = HttpsConnector<HttpConnector>;
/// A client for what slack-morphism cannot tell: response headers.
pub(super) type Plain = Client<Connector, Full<Bytes>>;

pub(super) fn connector(api_url: &str) -> Result<Connector, WebError> {
    let builder =
        HttpsConnectorBuilder::new().with_native_roots().map_err(|error| WebError::no_roots(&error))?;
    let schemes = if api_url.starts_with("http://") { builder.https_or_http() } else { builder.https_only() };
    Ok(schemes.enable_http1().enable_http2().build())
}

pub(super) fn plain(connector: Connector) -> Plain {
    Client::builder(TokioExecutor::new()).build(connector)
}
