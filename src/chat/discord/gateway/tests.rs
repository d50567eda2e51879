//! The gateway against a server on this machine that says what the tests want. What a whole session looks
//! like is in tests/whole/discord_link.rs.

use futures::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::*;
use crate::chat::discord::inbox::Taken;
use crate::chat::discord::web::tests::{answer, forger, listener, request, settings, token, trusting};
use crate::chat::owed::Owing;

const HELLO: &str = r#"{"op": 10, "d": {"heartbeat_interval": 60000}, "s": null, "t": null}"#;

/// A REST API that only tells where the gateway is, and how many sessions are left.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn telling(gateway: String, remaining: u64) -> String {
    let (listener, address) = listener().await;
    let limit =
        json!({"total": 1000, "remaining": remaining, "reset_after": 3_600_000, "max_concurrency": 1});
    let body = json!({"url": gateway, "shards": 1, "session_start_limit": limit}).to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if request(&mut stream).await.is_some() {
                answer(&mut stream, "200 OK", &body).await;
            }
        }
    });
    format!("http://{address}/api/v10")
}

struct Running {
    hearing: Hearing,
    _taken: mpsc::Receiver<Taken>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the test waits for it")]
fn start(web: Web) -> Running {
    let (inbox, taken) = Inbox::new(Owing::unkept("discord"));
    let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let hearing = Hearing::new("discord", clock());
    let gateway = Gateway {
        web: Arc::new(web),
        settings: GatewaySettings {
            silent_seconds: 1,
            longest_pause_seconds: 1,
            ..GatewaySettings::default()
        },
        token: token(),
        inbox: Arc::new(inbox),
        lane: Lane::new().0,
        hearing: hearing.clone(),
        clock,
        gaps: mpsc::channel(4).0,
    };
    let stop = CancellationToken::new();
    Running { hearing, _taken: taken, task: tokio::spawn(gateway.run(stop.clone())), stop }
}

impl Running {
    async fn until_deaf_for(&self, why: &str) {
        let mut every = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..1_000 {
            every.tick().await;
            if self.hearing.deaf().is_some_and(|deaf| deaf.why.contains(why)) {
                return;
            }
        }
        panic!("not deaf for {why}: {:?}", self.hearing.deaf());
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Somebody who connects, greeted, and what they said first.
async fn greeted<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> (WebSocketStream<S>, Value) {
    let mut socket = accept_async(stream).await.unwrap();
    socket.send(Message::text(HELLO)).await.unwrap();
    loop {
        let said = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        if said["op"] != 1 {
            return (socket, said);
        }
    }
}

fn plain(api_url: &str) -> (Running, String) {
    let web = Web::trusting(&settings(api_url.to_owned()), &token(), trusting(forger().1)).unwrap();
    (start(web), api_url.to_owned())
}

async fn on(sockets: &TcpListener, remaining: u64) -> Running {
    let url = format!("ws://{}", sockets.local_addr().unwrap());
    plain(&telling(url, remaining).await).0
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn a_gateway_with_a_forged_certificate_is_not_spoken_to() {
    let (tls, certificate) = forger();
    let (sockets, address) = listener().await;
    let (tell, mut told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = sockets.accept().await.unwrap();
            if let Ok(stream) = tls.accept(stream).await {
                let (_, said) = greeted(stream).await;
                tell.send(said).unwrap();
            }
        }
    });
    // The REST API lies on the same host, so that its word for the gateway is taken.
    let api = telling(format!("wss://localhost:{}", address.port()), 900).await;
    let api = settings(api.replace("127.0.0.1", "localhost"));
    let believing = start(Web::trusting(&api, &token(), trusting(certificate)).unwrap());
    assert_eq!(told.recv().await.unwrap()["op"], 2, "the server works");
    believing.end().await;
    let doubting = start(Web::trusting(&api, &token(), trusting(forger().1)).unwrap());
    doubting.until_deaf_for("certificate").await;
    assert!(told.try_recv().is_err(), "nothing was said, and no token with it");
    doubting.end().await;
}

#[tokio::test]
async fn a_session_is_taken_up_where_it_was_left_and_on_the_url_that_was_named() {
    let (first, _) = listener().await;
    let (second, elsewhere) = listener().await;
    let running = on(&first, 900).await;
    let (mut socket, said) = greeted(first.accept().await.unwrap().0).await;
    assert_eq!((said["op"].as_u64(), said["d"]["token"].as_str()), (Some(2), Some("hunter2")));
    let ready = json!({"op": 0, "t": "READY", "s": 1,
        "d": {"session_id": "abc", "resume_gateway_url": format!("ws://{elsewhere}")}});
    socket.send(Message::text(ready.to_string())).await.unwrap();
    socket.send(Message::text(r#"{"op": 0, "t": "BRAND_NEW", "s": 2, "d": {"x": [1]}}"#)).await.unwrap();
    socket.send(Message::text(r#"{"op": 7, "d": null}"#)).await.unwrap();
    let (_, said) = greeted(second.accept().await.unwrap().0).await;
    assert_eq!(said, json!({"op": 6, "d": {"token": "hunter2", "session_id": "abc", "seq": 2}}));
    running.end().await;
}

#[tokio::test]
async fn a_refused_token_is_told_and_not_tried_again() {
    let (sockets, _) = listener().await;
    let running = on(&sockets, 900).await;
    let (mut socket, _) = greeted(sockets.accept().await.unwrap().0).await;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 4004.into(), reason: "".into() };
    socket.close(Some(frame)).await.unwrap();
    running.until_deaf_for("Reset Token").await;
    let again = tokio::time::timeout(Duration::from_millis(1_500), sockets.accept()).await;
    assert!(again.is_err(), "it came again");
    running.end().await;
}

#[tokio::test]
async fn when_no_sessions_are_left_none_is_begun() {
    let (sockets, _) = listener().await;
    let running = on(&sockets, 0).await;
    running.until_deaf_for("no more sessions").await;
    let came = tokio::time::timeout(Duration::from_millis(300), sockets.accept()).await;
    assert!(came.is_err(), "it came");
    running.end().await;
}

#[tokio::test]
async fn a_gateway_that_is_not_discords_is_not_opened() {
    let api = telling("wss://gateway.discord.gg.evil.example".to_owned(), 900).await;
    let (running, _) = plain(&api);
    running.until_deaf_for("not one of its own").await;
    running.end().await;
}
