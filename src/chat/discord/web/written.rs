//! The body of a request: JSON, or JSON with a file beside it.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::incident::Digest;

/// A text that is attached to a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Plain ASCII without quotes; it stands in a header.
    pub name: Cow<'static, str>,
    pub text: String,
}

/// What is sent, and what it is.
pub(super) struct Written {
    pub(super) kind: String,
    pub(super) bytes: Bytes,
}

impl Written {
    pub(super) fn json(body: &Value) -> Self {
        Self { kind: "application/json".to_owned(), bytes: Bytes::from(body.to_string()) }
    }

    /// A form of two parts.
    pub(super) fn with(body: &Value, file: &File) -> Self {
        let File { name, text } = file;
        let mut body = body.clone();
        body["attachments"] = json!([{"id": "0", "filename": name}]);
        // No text holds its own digest, or three quarters of it.
        let border = format!("kubemend-{}", &Digest::of_bytes(text.as_bytes()).as_str()[..48]);
        let form = format!(
            "--{border}\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\
             Content-Type: application/json\r\n\r\n{body}\r\n\
             --{border}\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--{border}--\r\n"
        );
        Self { kind: format!("multipart/form-data; boundary={border}"), bytes: Bytes::from(form) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stands_beside_its_message_whatever_it_holds() {
        let text = "--kubemend-0\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{}";
        let file = File { name: "kubemend.txt".into(), text: text.to_owned() };
        let Written { kind, bytes } = Written::with(&json!({"content": "x"}), &file);
        let border = kind.strip_prefix("multipart/form-data; boundary=").expect("a border");
        assert!(border.len() <= 70, "as RFC 2046 has it: {}", border.len());
        let form = String::from_utf8(bytes.to_vec()).expect("text");
        let parts: Vec<&str> = form.split(&format!("--{border}")).collect();
        assert_eq!(parts.len(), 4, "nothing, two parts, the end");
        assert!(parts[1].contains(r#"{"attachments":[{"filename":"kubemend.txt","id":"0"}],"content":"x"}"#));
        assert!(parts[2].ends_with(&format!("{text}\r\n")));
    }
}
