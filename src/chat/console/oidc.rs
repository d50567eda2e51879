//! Sign-in by OpenID Connect: authorization code with PKCE, `state` and `nonce`.
//!
//! Owns the way to the provider and back: what was asked is remembered here, bound to the browser that asked,
//! good once and for ten minutes. What the provider says is believed only from an ID token whose signature,
//! issuer, audience, nonce and times hold. Refuses plain HTTP to anywhere but this machine.

mod claims;
mod flows;
mod wire;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreProviderMetadata,
    CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use parking_lot::Mutex;
use serde::Deserialize;
use thiserror::Error;

use super::Console;
use super::answer;
use super::pages::LoginProblem;
use super::secret::Secret;
use super::sessions::Pass;
use super::settings::OidcSettings;
use super::visit::Visit;
use crate::incident::Digest;
use claims::Claims;
use flows::{Flow, Flows};
use wire::Wire;

/// Where the provider sends people back to.
pub(super) const CALLBACK: &str = "/login/oidc/callback";

/// How long the provider's own description serves.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A provider, ready to be asked.
pub(super) struct Oidc {
    settings: OidcSettings,
    issuer: IssuerUrl,
    secret: Option<ClientSecret>,
    back: RedirectUrl,
    wire: Wire,
    known: Mutex<Option<(Timestamp, Arc<CoreProviderMetadata>)>>,
    flows: Flows,
}

/// Why the provider cannot be used, or did not vouch for somebody.
#[derive(Debug, Error)]
pub enum OidcError {
    #[error(
        "console.publicUrl must say where people reach kubemend, so that the provider can send them back"
    )]
    NoPublicUrl,
    #[error("{0} is no URL")]
    Url(String),
    #[error("the certificates to trust cannot be read: {0}")]
    Certificates(String),
    #[error("the provider's description cannot be read: {0}")]
    Discovery(String),
    #[error("the provider gave no token: {0}")]
    Exchange(String),
    #[error("the provider's answer holds no ID token")]
    NoIdToken,
    #[error("the ID token cannot be trusted: {0}")]
    Untrusted(String),
    #[error("the ID token does not say who it is: {0}")]
    Nobody(String),
}

impl Oidc {
    /// Nothing is asked of the provider yet: it may come up after kubemend.
    pub(super) fn new(
        settings: OidcSettings,
        secret: Option<String>,
        public_url: Option<&str>,
    ) -> Result<Self, OidcError> {
        let public = public_url.ok_or(OidcError::NoPublicUrl)?.trim_end_matches('/');
        let url = |text: &str| OidcError::Url(text.to_owned());
        let back = RedirectUrl::new(format!("{public}{CALLBACK}")).map_err(|_| url(public))?;
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|_| url(&settings.issuer))?;
        Ok(Self {
            wire: Wire::new(settings.ca_file.as_deref(), settings.issuer.starts_with("http://"))?,
            secret: secret.map(ClientSecret::new),
            known: Mutex::default(),
            flows: Flows::default(),
            settings,
            issuer,
            back,
        })
    }

    /// What the button is called.
    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Sessions by another provider or client are over.
    pub(super) fn credential(&self) -> Digest {
        Digest::of(&("oidc", &self.settings.issuer, &self.settings.client_id))
    }

    /// Where to send somebody, and what to remember about it.
    async fn ask(&self, visit: Digest, next: String, now: Timestamp) -> Result<String, OidcError> {
        let metadata = self.metadata(now).await?;
        let client =
            CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), self.secret.clone())
                .set_redirect_uri(self.back.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        self.flows.keep(state.secret(), Flow::new(visit, next, nonce, verifier, now), now);
        Ok(url.to_string())
    }

    /// Whom the provider vouches for.
    async fn redeem(&self, code: &str, flow: Flow, now: Timestamp) -> Result<Pass, OidcError> {
        let Flow { nonce, verifier, .. } = flow;
        let answer = self.exchange(code, verifier, now).await?;
        let id_token = answer.extra_fields().id_token().ok_or(OidcError::NoIdToken)?;
        if let Err(first) = self.verify(id_token, &answer, &nonce, &*self.metadata(now).await?) {
            // The provider may have changed its keys since they were read.
            *self.known.lock() = None;
            tracing::info!("an ID token did not verify ({first}); looking for newer keys");
            self.verify(id_token, &answer, &nonce, &*self.metadata(now).await?)?;
        }
        let claims = Claims::of_verified(&id_token.to_string())?;
        claims.pass(&self.settings, self.credential())
    }

    async fn exchange(
        &self,
        code: &str,
        verifier: PkceCodeVerifier,
        now: Timestamp,
    ) -> Result<CoreTokenResponse, OidcError> {
        let metadata = self.metadata(now).await?;
        let client =
            CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), self.secret.clone())
                .set_redirect_uri(self.back.clone());
        let refused = |error: String| OidcError::Exchange(error);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| refused(error.to_string()))?
            .set_pkce_verifier(verifier);
        request.request_async(&self.wire).await.map_err(|error| refused(error.to_string()))
    }

    fn verify(
        &self,
        id_token: &CoreIdToken,
        answer: &CoreTokenResponse,
        nonce: &Nonce,
        metadata: &CoreProviderMetadata,
    ) -> Result<(), OidcError> {
        let untrusted = |error: String| OidcError::Untrusted(error);
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), self.client_id(), self.secret.clone());
        let audiences = &self.settings.audiences;
        let verifier: CoreIdTokenVerifier<'_> =
            client.id_token_verifier().set_other_audience_verifier_fn(|audience| {
                audiences.iter().any(|known| known == audience.as_str())
            });
        let claims = id_token.claims(&verifier, nonce).map_err(|error| untrusted(error.to_string()))?;
        let Some(expected) = claims.access_token_hash() else { return Ok(()) };
        let algorithm = id_token.signing_alg().map_err(|error| untrusted(error.to_string()))?;
        let key = id_token.signing_key(&verifier).map_err(|error| untrusted(error.to_string()))?;
        let hash = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
        let hash = hash.map_err(|error| untrusted(error.to_string()))?;
        if hash == *expected { Ok(()) } else { Err(untrusted("its access token is another one".to_owned())) }
    }

    async fn metadata(&self, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        if let Some((read, known)) = &*self.known.lock()
            && now.duration_since(*read) < KNOWN_FOR
        {
            return Ok(Arc::clone(known));
        }
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.wire).await;
        let found = Arc::new(found.map_err(|error| OidcError::Discovery(chain(&error)))?);
        *self.known.lock() = Some((now, Arc::clone(&found)));
        Ok(found)
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }
}

#[derive(Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    iss: String,
    #[serde(default)]
    error: String,
}

/// `GET /login/oidc?next`
pub(super) async fn start(
    State(console): State<Console>,
    visit: Visit,
    Query(Start { next }): Query<Start>,
) -> Response {
    let Some(oidc) = &console.0.oidc else {
        return console.login_page(&visit, StatusCode::NOT_FOUND, &next, None);
    };
    let known = console.0.cookies.visit(&visit.headers);
    let new = known.is_none();
    let secret = known.unwrap_or_else(Secret::random);
    match oidc.ask(secret.digest(), answer::own_path(&next).to_owned(), console.0.engine.now()).await {
        Ok(url) => {
            let mut response = answer::see(&url);
            if new {
                response.headers_mut().append(header::SET_COOKIE, console.0.cookies.set_visit(&secret));
            }
            response
        }
        Err(error) => failed(&console, &visit, &next, &error),
    }
}

/// `GET /login/oidc/callback?code&state`
pub(super) async fn callback(
    State(console): State<Console>,
    visit: Visit,
    Query(back): Query<Back>,
) -> Response {
    let Some(oidc) = &console.0.oidc else {
        return console.login_page(&visit, StatusCode::NOT_FOUND, "", None);
    };
    let now = console.0.engine.now();
    let browser = console.0.cookies.visit(&visit.headers).map(|secret| secret.digest());
    let Some(flow) = browser.and_then(|browser| oidc.flows.take(&back.state, &browser, now)) else {
        tracing::warn!("somebody came back from the identity provider whom this browser had not sent there");
        return console.login_page(&visit, StatusCode::UNAUTHORIZED, "", Some(LoginProblem::Expired));
    };
    let next = flow.next.clone();
    let issued_elsewhere = !back.iss.is_empty() && back.iss != oidc.settings.issuer;
    if !back.error.is_empty() || back.code.is_empty() || issued_elsewhere {
        let why: String = back.error.chars().filter(char::is_ascii_graphic).take(60).collect();
        return failed(&console, &visit, &next, &OidcError::Exchange(why));
    }
    match oidc.redeem(&back.code, flow, now).await {
        Ok(pass) => console.let_in(&visit, pass, &next).await,
        Err(error) => failed(&console, &visit, &next, &error),
    }
}

/// The visitor learns that it did not work; the log says why.
fn failed(console: &Console, visit: &Visit, next: &str, error: &OidcError) -> Response {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "the identity provider did not let somebody in: {error}"
    );
    metrics::counter!("kubemend_console_sign_ins_refused_total").increment(1);
    console.login_page(visit, StatusCode::UNAUTHORIZED, next, Some(LoginProblem::Provider))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
