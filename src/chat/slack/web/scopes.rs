//! The scopes of a token: Slack names them only in a header of its answers, which slack-morphism drops.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};

use super::WebError;
use super::connect::Plain;

const METHOD: &str = "auth.test";
const LONGEST: usize = 64 * 1024;

pub(super) async fn ask(client: &Plain, api_url: &str, token: &str) -> Result<Vec<String>, WebError> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{api_url}/{METHOD}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::new()))
        .map_err(|error| WebError::not_sent(METHOD, &error))?;
    let answer = client.request(request).await.map_err(|error| WebError::not_sent(METHOD, &error))?;
    let scopes = answer.headers().get("x-oauth-scopes").and_then(|value| value.to_str().ok());
    let scopes = scopes.map(|list| list.split(',').map(|scope| scope.trim().to_owned()).collect());
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match (told["ok"].as_bool(), told["error"].as_str()) {
        (Some(true), _) => Ok(scopes.unwrap_or_default()),
        (_, Some(code)) => Err(WebError::api(METHOD, code)),
        (_, None) => Err(WebError::unknown(METHOD, "the answer is no JSON of Slack's")),
    }
}
