//! Sends a request and hands out its body, or says what was wrong.

use http::{Request, header};
use kube::client::Body;
use tokio::time::timeout;

use super::trouble::Trouble;
use super::{Shared, next_chunk};
use crate::cluster::kind::segment;

/// A `Status` is short; of anything longer the beginning will do.
const LONGEST_ANSWER: usize = 64 << 10;

/// The body of a successful answer.
pub(super) async fn open(shared: &Shared, uri: &str) -> Result<Body, Trouble> {
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        // Watches are decoded as they come; compressing them line by line gains nothing.
        .header(header::ACCEPT_ENCODING, "identity")
        .body(Body::empty())
        .expect("a path of escaped segments is a URI");
    let client = shared.link.plain();
    let response = timeout(shared.timing.answer, client.send(request))
        .await
        .map_err(|_| Trouble::Silent)?
        .map_err(|error| Trouble::Broken(crate::cluster::link::describe(&error)))?;
    let (parts, mut body) = response.into_parts();
    if parts.status.is_success() {
        return Ok(body);
    }
    let mut text = Vec::new();
    while text.len() < LONGEST_ANSWER
        && let Ok(Some(chunk)) = next_chunk(&mut body, shared.timing.answer).await
    {
        text.extend_from_slice(&chunk);
    }
    Err(Trouble::answer(parts.status, &parts.headers, &text))
}

/// A path with parameters.
pub(super) fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut uri = path.to_owned();
    for (at, (name, value)) in parameters.iter().enumerate() {
        uri.push(if at == 0 { '?' } else { '&' });
        uri.push_str(name);
        uri.push('=');
        uri.push_str(&segment(value));
    }
    uri
}
