//! What a server sends, held against what it must: pages without anything foreign in them, answers that bind
//! the browser, paths that no client would send, streams of events.

use std::net::SocketAddr;
use std::time::Duration;

use regex::Regex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::browser::{Answer, Browser};
use super::house::House;

const LONG: Duration = Duration::from_secs(240);

/// Nothing but our own elements: what was put in from outside made none.
pub fn harmless(path: &str, html: &str) {
    let tags = Regex::new("<[a-zA-Z!/][^<>]*>").unwrap();
    let values = Regex::new("\"[^\"]*\"|'[^']*'").unwrap();
    let handler = Regex::new(r"\son[a-z]+\s*=").unwrap();
    for tag in tags.find_iter(html) {
        let bare = values.replace_all(tag.as_str(), "").to_lowercase();
        assert!(!handler.is_match(&bare), "{path}: {}", tag.as_str());
        assert!(!bare.contains(" style="), "{path}: inline style: {}", tag.as_str());
        assert!(!tag.as_str().to_lowercase().contains("javascript:"), "{path}: {}", tag.as_str());
        if bare.starts_with("<script") {
            assert!(tag.as_str().contains(" src=\"/assets/"), "{path}: {}", tag.as_str());
        }
        assert!(!bare.starts_with("<img"), "{path}: {}", tag.as_str());
    }
    assert!(!html.contains("<script>"), "{path}");
    assert!(!html.contains("${7*7}") || !html.contains("49-0"), "{path}");
}

pub fn bound(path: &str, answer: &Answer) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{path}: {name}");
    }
    assert!(
        !answer.header("permissions-policy").is_empty() && !answer.header("x-request-id").is_empty(),
        "{path}"
    );
}

/// What a server says to a path that no client would have left as it is.
pub async fn raw(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tokio::time::timeout(LONG, socket.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a server answers to a POST as soon as it has this much of it: the head goes on with `rest`, then comes
/// the body, and nothing says that it was all. 0 if it waits for more.
pub async fn begun(url: &str, rest: &str, body: &[u8]) -> u16 {
    let (address, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("a URL");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{rest}\r\n\r\n");
    socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let (mut answer, mut bytes) = (String::new(), [0; 1024]);
    let reading = async {
        while !answer.contains("\r\n") {
            let read = socket.read(&mut bytes).await.unwrap();
            assert!(read > 0, "it hangs up: {answer}");
            answer.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    let answered = tokio::time::timeout(Duration::from_secs(20), reading).await.is_ok();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    if answered { status.expect("a status") } else { 0 }
}

/// What a server answers to a body that is one byte longer than `limit`: when it is announced and none of it
/// has come, and when it has come without having been announced.
pub async fn too_long(url: &str, limit: usize) -> (u16, u16) {
    let long = limit + 1;
    let announced = begun(url, &format!("Content-Length: {long}"), b"").await;
    let chunk = [format!("{long:x}\r\n").as_bytes(), &vec![b'x'; long]].concat();
    (announced, begun(url, "Transfer-Encoding: chunked", &chunk).await)
}

pub struct Stream {
    socket: TcpStream,
    pub text: String,
}

impl Stream {
    pub async fn try_open(house: &House, browser: &Browser, on: &str) -> Self {
        let mut socket = TcpStream::connect(house.address()).await.unwrap();
        let cookie = &browser.cookies["kubemend-session"];
        let request =
            format!("GET /live?on={on} HTTP/1.1\r\nHost: x\r\nCookie: kubemend-session={cookie}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self { socket, text: String::new() };
        stream.until("\r\n\r\n").await;
        stream
    }

    /// Where nobody signs in.
    pub async fn anybody(address: SocketAddr, on: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /live?on={on} HTTP/1.1\r\nHost: x\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self { socket, text: String::new() };
        stream.until("retry: ").await;
        stream
    }

    /// Waits for news; what was read before is forgotten.
    pub async fn next(&mut self, wanted: &str) {
        self.text.clear();
        self.until(wanted).await;
    }

    pub async fn open(house: &House, browser: &Browser, on: &str) -> Self {
        let mut stream = Self::try_open(house, browser, on).await;
        assert!(stream.text.starts_with("HTTP/1.1 200"), "{}", stream.text);
        stream.until("retry: ").await;
        stream
    }

    pub async fn read(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let read = tokio::time::timeout(LONG, self.socket.read(&mut bytes)).await.expect("something in time");
        let read = read.unwrap_or(0);
        self.text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        read
    }

    pub async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            assert!(self.read().await > 0, "it ended: {}", self.text);
        }
    }

    pub async fn end(self) {
        self.ended(LONG).await;
    }

    /// What was heard until it ended, which it does in time although it shows that it is there now and then.
    pub async fn ended(mut self, limit: Duration) -> String {
        let ending = async { while self.read().await > 0 && !self.text.ends_with("0\r\n\r\n") {} };
        let ended = tokio::time::timeout(limit, ending).await;
        assert!(ended.is_ok(), "it goes on: {}", self.text);
        self.text
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
