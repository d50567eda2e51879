//! Takes connections for the HTTP API and hands them to the router.
//!
//! Owns what a connection may cost: how many are open at once, and how long one may take to say what it
//! wants. A client that sends half a request and waits is cut off; so is one that keeps its connection without
//! asking for anything. An answer may take as long as it likes (event streams do), its bounds are the router's.
//! Refuses to know routes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, error};

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Open at once; further clients wait until one ends.
    pub(super) connections: usize,
    /// From the opening of a connection, or the end of the answer before, until the next request's headers are
    /// complete.
    pub(super) headers_within: Duration,
}

/// Until a connection is taken again after there was no room for one (no file handle was left).
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// Serves until `stop`; then takes no more connections, and returns once the requests under way are answered.
pub(super) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut open = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes the semaphore");
            (place, accept(&listener).await)
        };
        let (place, stream) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let connection = connection(stream, router.clone(), bounds.headers_within, stop.clone());
        open.spawn(async move {
            connection.await;
            drop(place);
        });
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// The next connection. One that broke before it was taken is nobody's trouble.
#[expect(clippy::disallowed_methods, reason = "a pause until file handles are free again")]
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(broken) if is_the_clients(&broken) => {}
            Err(trouble) => {
                error!(error = %trouble, "no connection can be taken right now");
                sleep(AFTER_TROUBLE).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn connection(stream: TcpStream, router: Router, headers_within: Duration, stop: CancellationToken) {
    // Small answers and lines of event streams go at once; without it they are only later.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(ConnectInfo);
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().extend(peer.map(from_peer).unwrap_or_default());
        request
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers_within)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(why) = ended {
        debug!(error = %why, "a connection of the HTTP API ended early");
    }
}

/// Who is at the other end, for whoever counts tries.
fn from_peer(peer: ConnectInfo<SocketAddr>) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(peer);
    extensions
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::UnboundedReceiverStream;

    use super::*;

    const WITHIN: Duration = Duration::from_millis(200);
    /// Longer than anything takes on a busy machine.
    const LONG: Duration = Duration::from_secs(30);
    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    type Line = mpsc::UnboundedSender<&'static str>;

    struct Served {
        at: SocketAddr,
        stop: CancellationToken,
        tasks: JoinSet<()>,
        /// What is sent here goes to whoever asked for `/stream`; once it is dropped, the stream ends.
        line: Option<Line>,
    }

    impl Served {
        async fn start(connections: usize) -> Self {
            let (line, lines) = mpsc::unbounded_channel::<&'static str>();
            let lines = Arc::new(parking_lot::Mutex::new(Some(lines)));
            let stream = get(move || async move {
                let lines = UnboundedReceiverStream::new(lines.lock().take().expect("one stream"));
                Body::from_stream(lines.map(|line| Ok::<_, Infallible>(Bytes::from(line))))
            });
            let router = Router::new().route("/", get(|| async { "hello" })).route("/stream", stream);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (at, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
            let bounds = Bounds { connections, headers_within: WITHIN };
            let mut tasks = JoinSet::new();
            tasks.spawn(serve(listener, router, bounds, stop.clone()));
            Self { at, stop, tasks, line: Some(line) }
        }

        async fn ask(&self, request: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.at).await.unwrap();
            stream.write_all(request).await.unwrap();
            stream
        }

        fn say(&self, line: &'static str) {
            self.line.as_ref().unwrap().send(line).unwrap();
        }
    }

    /// Everything up to the end of the connection.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut all = Vec::new();
        tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("it ends").unwrap();
        String::from_utf8(all).unwrap()
    }

    /// Reads until `wanted` has come.
    async fn until(stream: &mut TcpStream, wanted: &str) {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let read = tokio::time::timeout(LONG, stream.read_buf(&mut seen)).await.expect(wanted).unwrap();
            assert!(read > 0, "ended before {wanted:?}: {}", String::from_utf8_lossy(&seen));
        }
    }

    #[tokio::test]
    async fn a_client_that_sends_half_a_request_line_is_cut_off() {
        let served = Served::start(8).await;
        for half in [&b"GET / HT"[..], b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ", b""] {
            let mut slow = served.ask(half).await;
            let answer = rest(&mut slow).await;
            assert!(!answer.contains("200 OK"), "{answer}");
        }
        until(&mut served.ask(ASK).await, "hello").await;
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_the_other_and_is_closed_when_nothing_is_asked() {
        let served = Served::start(8).await;
        let mut stream = served.ask(ASK).await;
        until(&mut stream, "hello").await;
        stream.write_all(ASK).await.unwrap();
        until(&mut stream, "hello").await;
        assert_eq!(rest(&mut stream).await, "");
    }

    #[tokio::test]
    async fn a_stream_may_last_longer_than_a_request_may_take_to_come() {
        let served = Served::start(8).await;
        let mut stream = served.ask(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await;
        served.say("first");
        until(&mut stream, "first").await;
        // Another connection is cut off for its silence meanwhile, so that much time has passed.
        for _ in 0..2 {
            rest(&mut served.ask(b"").await).await;
        }
        served.say("second");
        until(&mut stream, "second").await;
    }

    #[tokio::test]
    async fn further_clients_wait_for_a_place() {
        let served = Served::start(1).await;
        let mut first = served.ask(ASK).await;
        until(&mut first, "hello").await;
        let mut second = served.ask(ASK).await;
        // The first is closed for its silence, and that makes room.
        until(&mut second, "hello").await;
        assert_eq!(rest(&mut first).await, "");
    }

    #[tokio::test]
    async fn stopping_answers_what_is_under_way_and_takes_nothing_new() {
        let mut served = Served::start(8).await;
        let mut stream = served.ask(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await;
        served.say("first");
        until(&mut stream, "first").await;
        served.stop.cancel();
        let closed = async { while TcpStream::connect(served.at).await.is_ok() {} };
        tokio::time::timeout(LONG, closed).await.expect("nobody listens any more");
        served.say("last");
        served.line = None;
        assert!(rest(&mut stream).await.contains("last"));
        tokio::time::timeout(LONG, served.tasks.join_next()).await.expect("it returns").unwrap().unwrap();
    }
}
