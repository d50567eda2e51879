//! Its pages: the description, the keys, where people come, where codes are brought.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::token::{id_token, random, sha256};
use super::{Asked, CLIENT, Lie, SECRET, State};

type Provider = Arc<Mutex<State>>;
type Fields = HashMap<String, String>;

pub async fn serve(listener: TcpListener, provider: Provider) {
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(description))
        .route("/keys", get(keys))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .with_state(provider);
    let _ = axum::serve(listener, router).await;
}

async fn description(Shared(provider): Shared<Provider>) -> Json<Value> {
    let state = provider.lock();
    let (at, lie) = (&state.issuer, state.lie);
    let issuer = if lie == Lie::DescribesAnother { "https://id.example.com" } else { at.as_str() };
    let announced = if lie == Lie::UnsignedAsAnnounced { vec!["ES256", "none"] } else { vec!["ES256"] };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "jwks_uri": format!("{at}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": announced,
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(Shared(provider): Shared<Provider>) -> Json<Value> {
    Json(json!({"keys": [provider.lock().key.public()]}))
}

async fn authorize(Shared(provider): Shared<Provider>, Query(asked): Query<Fields>) -> Response {
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let mut state = provider.lock();
    let wanted = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", state.redirect.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let wrong = wanted.iter().find(|(name, value)| field(name) != *value).map(|(name, _)| *name);
    let missing = ["state", "nonce"].into_iter().find(|name| field(name).len() < 20);
    let no_challenge = (field("code_challenge").len() != 43).then_some("code_challenge");
    let no_scope = (!field("scope").split(' ').any(|scope| scope == "openid")).then_some("scope");
    if let Some(name) = wrong.or(missing).or(no_challenge).or(no_scope) {
        state.heard.refused.push(name);
        return (StatusCode::BAD_REQUEST, format!("wrong: {name}")).into_response();
    }
    let (code, nonce, challenge) = (random(), field("nonce").to_owned(), field("code_challenge").to_owned());
    state.heard.given.extend([code.clone(), nonce.clone()]);
    state.codes.insert(code.clone(), Asked { nonce, challenge });
    let back = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("code", code.as_str()), ("state", field("state")), ("iss", state.issuer.as_str())])
        .finish();
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{}?{back}", state.redirect))]).into_response()
}

async fn token(Shared(provider): Shared<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    let mut state = provider.lock();
    state.heard.brought += 1;
    let asked = match redeemed(&mut state, &headers, &fields) {
        Ok(asked) => asked,
        Err(why) => {
            state.heard.refused.push(why);
            let error = if why == "client" { "invalid_client" } else { "invalid_grant" };
            return (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
        }
    };
    let access_token = random();
    let id_token = id_token(&state, &asked, &access_token);
    state.heard.given.push(access_token.clone());
    state.heard.given.extend(id_token.split('.').filter(|part| !part.is_empty()).map(str::to_owned));
    let mut answer = json!({"access_token": access_token, "token_type": "Bearer", "expires_in": 300});
    if state.lie != Lie::NoIdToken {
        answer["id_token"] = json!(id_token);
    }
    Json(answer).into_response()
}

/// What was asked when the code was given, if whoever brings it is the one who asked.
fn redeemed(state: &mut State, headers: &HeaderMap, fields: &Fields) -> Result<Asked, &'static str> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value.as_bytes() != basic.as_bytes()) {
        return Err("client");
    }
    if field("grant_type") != "authorization_code" || field("redirect_uri") != state.redirect {
        return Err("grant");
    }
    let code = field("code");
    let asked = state.codes.get(code).cloned().ok_or("code")?;
    if state.lie != Lie::CodesLast {
        state.codes.remove(code);
    }
    let challenge = URL_SAFE_NO_PAD.encode(sha256(field("code_verifier")));
    if challenge == asked.challenge { Ok(asked) } else { Err("verifier") }
}
