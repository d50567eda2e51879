//! A file's content, put where Slack said. No token goes there; the address itself is the right to do it.

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::Full;

use super::WebError;
use super::connect::Plain;

const METHOD: &str = "upload_url";

pub(super) async fn put(client: &Plain, url: Uri, text: &str) -> Result<(), WebError> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(Full::new(Bytes::copy_from_slice(text.as_bytes())))
        .map_err(|error| WebError::not_sent(METHOD, &error))?;
    let answer = client.request(request).await.map_err(|error| WebError::not_sent(METHOD, &error))?;
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else if status.is_client_error() {
        Err(WebError::api(METHOD, &format!("HTTP {}", status.as_u16())))
    } else {
        Err(WebError::unknown(METHOD, &format!("HTTP {}", status.as_u16())))
    }
}
