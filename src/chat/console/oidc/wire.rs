//! HTTP to the provider: the stack that is there for the clusters, bounded in time and size, without redirections.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use super::OidcError;

const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST: usize = 1024 * 1024;

/// A client.
pub(super) struct Wire(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why the provider could not be asked.
#[derive(Debug, Error)]
pub(super) enum WireError {
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    Late,
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("its answer broke off or is larger than {LARGEST} bytes")]
    Body,
    #[error("its answer cannot be understood")]
    Answer(#[from] http::Error),
}

impl Wire {
    /// A client that trusts the system's certificates, or those of a file. `plain`: the issuer is on
    /// this machine and speaks plain HTTP.
    pub(super) fn new(trusted: Option<&Path>, plain: bool) -> Result<Self, OidcError> {
        let builder = match trusted {
            Some(file) => HttpsConnectorBuilder::new().with_tls_config(trusting(file)?),
            None => HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| OidcError::Certificates(error.to_string()))?,
        };
        let connector = if plain { builder.https_or_http() } else { builder.https_only() };
        let connector = connector.enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let answer =
            self.0.request(request).await.map_err(|error| WireError::Unreachable(super::chain(&error)))?;
        let (head, body) = answer.into_parts();
        let bytes = Limited::new(body, LARGEST).collect().await.map_err(|_| WireError::Body)?.to_bytes();
        Ok(http::Response::from_parts(head, bytes.to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = WireError;
    type Future = BoxFuture<'c, Result<HttpResponse, WireError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let asked = self.ask(request);
        Box::pin(async { tokio::time::timeout(PATIENCE, asked).await.map_err(|_| WireError::Late)? })
    }
}

fn trusting(file: &Path) -> Result<ClientConfig, OidcError> {
    let failed = |why: String| OidcError::Certificates(format!("{}: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(failed("it holds no certificate".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
