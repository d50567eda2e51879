//! Requests to servers on this machine: what is sent, what comes of it, and whom TLS believes.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::chat::secret::Source;

/// A server that nobody vouches for, and its certificate.
pub(in crate::chat::discord) fn forger() -> (TlsAcceptor, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// Trust in that certificate alone.
pub(in crate::chat::discord) fn trusting(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(in crate::chat::discord) fn token() -> Secret {
    let source = Source { field: "botToken", file: None, env: None, prefix: "", found: "" };
    Secret::parse("hunter2", &source).unwrap()
}

pub(in crate::chat::discord) fn settings(api_url: String) -> Settings {
    Settings { api_url, ..Settings::default() }
}

/// One request of HTTP/1.1, whole.
pub(in crate::chat::discord) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4_096]);
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
        }
    }
}

pub(in crate::chat::discord) async fn answer(stream: &mut (impl AsyncWrite + Unpin), head: &str, body: &str) {
    let text =
        format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

pub(in crate::chat::discord) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server that gives these answers, one after the other, and tells what it was asked.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn serving(answers: Vec<(&'static str, &'static str)>) -> (Web, mpsc::UnboundedReceiver<String>) {
    let (listener, address) = listener().await;
    let (tell, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let Some(request) = request(&mut stream).await else { return };
            tell.send(request).unwrap();
            answer(&mut stream, head, body).await;
        }
    });
    let settings = settings(format!("http://{address}/api/v10"));
    (Web::trusting(&settings, &token(), trusting(forger().1)).unwrap(), asked)
}

fn message() -> Route {
    Route::post("channels/{}/messages", &["7"])
}

#[tokio::test]
async fn a_request_names_kubemend_and_carries_the_token() {
    let (web, mut asked) = serving(vec![("200 OK", "{\"id\": \"1\"}")]).await;
    let told = web.call(&message(), Some(&json!({"content": "hello"}))).await.unwrap();
    assert_eq!(told["id"], "1");
    let request = asked.recv().await.unwrap();
    assert!(request.starts_with("POST /api/v10/channels/7/messages HTTP/1.1"), "{request}");
    assert!(
        request.contains("user-agent: DiscordBot (https://")
            && request.contains("authorization: Bot hunter2")
    );
    assert!(request.ends_with("{\"content\":\"hello\"}"), "{request}");
}

#[tokio::test]
async fn an_answer_to_an_interaction_carries_no_bot_token() {
    let (web, mut asked) = serving(vec![("204 No Content", "")]).await;
    let interaction = super::super::inbound::read(r#"{"id": "5", "token": "t.t", "type": 2}"#).unwrap();
    web.callback(&interaction.place, &json!({"type": 5})).await.unwrap();
    let request = asked.recv().await.unwrap();
    assert!(request.starts_with("POST /api/v10/interactions/5/t%2Et/callback HTTP/1.1"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn what_came_of_a_request_is_told_without_token_or_url() {
    let (web, _asked) = serving(vec![
        ("403 Forbidden", "{\"code\": 50013, \"message\": \"Missing Permissions\"}"),
        ("502 Bad Gateway", "<html>"),
        ("200 OK", "<html>"),
    ])
    .await;
    let refused = web.call(&message(), None).await.unwrap_err();
    assert_eq!((refused.code(), refused.status()), (Some(50_013), Some(403)));
    for _ in 0..2 {
        let unknown = web.call(&message(), None).await.unwrap_err();
        assert!(matches!(unknown, WebError::Unknown { .. }), "{unknown}");
    }
    let nobody = web.call(&message(), None).await.unwrap_err();
    assert!(matches!(nobody, WebError::NotSent { .. } | WebError::Unknown { .. }), "{nobody}");
    for error in [refused, nobody] {
        assert!(
            !error.to_string().contains("hunter2") && !error.to_string().contains("127.0.0.1:"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_bucket_that_is_empty_spares_the_next_request() {
    let limited = "429 Too Many Requests\r\nx-ratelimit-bucket: b\r\nx-ratelimit-scope: user";
    let body = "{\"message\": \"slow down\", \"retry_after\": 30.5, \"global\": false}";
    let (web, mut asked) = serving(vec![(limited, body), ("200 OK", "{}")]).await;
    for _ in 0..2 {
        let WebError::RateLimited { after, scope, .. } = web.call(&message(), None).await.unwrap_err() else {
            panic!("a rate limit")
        };
        assert!(after > Duration::from_secs(29) && scope == Scope::Route, "{after:?}");
    }
    assert!(asked.recv().await.is_some() && asked.try_recv().is_err(), "the second was not made");
    web.call(&Route::post("channels/{}/messages", &["8"]), None).await.unwrap();
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn a_forged_certificate_is_refused() {
    let (tls, certificate) = forger();
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Whoever does not believe the certificate ends it here.
            let Ok(mut stream) = tls.accept(stream).await else { continue };
            if request(&mut stream).await.is_some() {
                answer(&mut stream, "200 OK", "{\"id\": \"1\", \"username\": \"mend\"}").await;
            }
        }
    });
    let settings = settings(format!("https://localhost:{}/api/v10", address.port()));
    let believing = Web::trusting(&settings, &token(), trusting(certificate)).unwrap();
    assert_eq!(believing.myself().await.map(|me| me.name), Ok("mend".to_owned()), "the server works");
    let Ok(roots) = connect::trusted() else {
        assert!(!std::path::Path::new("/etc/ssl/certs/ca-certificates.crt").exists(), "there are roots");
        return;
    };
    let error = Web::trusting(&settings, &token(), roots).unwrap().myself().await.unwrap_err();
    assert!(matches!(&error, WebError::NotSent { why, .. } if why.contains("certificate")), "{error}");
}
