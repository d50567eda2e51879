//! Interactions over HTTP: signed as Discord signs them, probed as Discord probes an endpoint.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::form::Refused;
use super::{APPLICATION, FakeDiscord, callbacks, record};

/// How long Discord waits for an endpoint.
const PATIENCE: Duration = Duration::from_secs(3);

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The app's public key, as its page shows it.
pub fn public_key() -> String {
    hex(key().public_key().as_ref())
}

/// Discord's signature of a request.
pub fn sign(moment: &str, body: &str) -> String {
    hex(key().sign(format!("{moment}{body}").as_bytes()).as_ref())
}

pub fn now() -> String {
    jiff::Timestamp::now().as_second().to_string()
}

/// A POST as Discord sends it.
pub async fn request(url: &str, body: &str, signed: Option<(&str, &str)>) -> (u16, String) {
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<bytes::Bytes>>();
    let mut request = http::Request::post(url)
        .header("content-type", "application/json")
        .header("user-agent", "Discord-Interactions/1.0 (+https://discord.com)");
    if let Some((moment, signature)) = signed {
        request = request.header("x-signature-timestamp", moment).header("x-signature-ed25519", signature);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).expect("a request");
    let answer = client.request(request).await.expect("the endpoint answers");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Sends an interaction and takes the answer, if it is one.
pub async fn send(discord: &FakeDiscord, id: &str, url: &str, payload: &Value) {
    let body = payload.to_string();
    let moment = now();
    let signature = sign(&moment, &body);
    let asked = request(url, &body, Some((&moment, &signature)));
    let Ok((status, text)) = tokio::time::timeout(PATIENCE, asked).await else { return };
    tokio::time::sleep(discord.with(|state| state.reads_after)).await;
    // 202: the answer comes over the callback.
    if status == 202 {
        return;
    }
    discord.with(|state| {
        let outcome = match serde_json::from_str::<Value>(&text) {
            Ok(answer) if status == 200 => {
                let kind = payload["type"].as_u64().unwrap_or_default();
                record::answered(kind, &answer);
                callbacks::answer(state, id, None, &answer, &[])
            }
            _ => Err(Refused::new(status, 0, &text)),
        };
        if let Err(refused) = outcome {
            state.say(format!("the interaction failed: HTTP {status}: {}", refused.body()));
        }
    });
}

/// What Discord does when an endpoint is entered: a signed PING, and some that are not.
pub async fn probe(url: &str) -> Result<(), String> {
    let ping = json!({"id": "1", "application_id": APPLICATION, "type": 1, "token": "t", "version": 1,
        "user": {"id": "2", "username": "discord", "discriminator": "0", "avatar": null}, "entitlements": []});
    let body = ping.to_string();
    let moment = now();
    let good = sign(&moment, &body);
    let (status, text) = request(url, &body, Some((&moment, &good))).await;
    let pong: Value = serde_json::from_str(&text).unwrap_or_default();
    if status != 200 || pong["type"] != 1 {
        return Err(format!("PING is answered {status}: {text}"));
    }
    record::answered(1, &pong);
    let bad = sign(&moment, "something else");
    for (what, signed) in [
        ("a bad signature", Some((moment.as_str(), bad.as_str()))),
        ("another moment", Some(("1", good.as_str()))),
        ("no hexadecimal", Some((moment.as_str(), "zz"))),
        ("no signature", None),
    ] {
        let (status, text) = request(url, &body, signed).await;
        if status != 401 {
            return Err(format!("{what} is answered {status}: {text}"));
        }
    }
    Ok(())
}
