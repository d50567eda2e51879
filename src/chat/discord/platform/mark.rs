//! The mark by which a message is found again: the nonce's first digits, last in its small print. Pure.
//!
//! Discord gives a nonce back only to whoever posts, and has no other field of a message that nobody sees and
//! that it keeps. The mark is not a secret and not trusted alone: the message must be kubemend's own.

use serde_json::{Map, Value, json};

use crate::incident::Text;

const DIGITS: usize = 12;
const BEFORE: &str = " · ";

/// Puts the mark into the last embed's footer, in the place of any other.
pub(super) fn put(body: &mut Map<String, Value>, nonce: &Text) {
    let Some(embed) = body.get_mut("embeds").and_then(|embeds| embeds.as_array_mut()?.last_mut()) else {
        return;
    };
    let text = match embed["footer"]["text"].as_str().map(str::trim_end) {
        Some(text) if !text.is_empty() => format!("{text}{BEFORE}{}", digits(nonce)),
        Some(_) | None => digits(nonce).to_owned(),
    };
    if !embed["footer"].is_object() {
        embed["footer"] = json!({});
    }
    embed["footer"]["text"] = json!(text);
}

/// Whether the message is ours and has that mark.
pub(super) fn is_on(message: &Value, me: &str, nonce: &Text) -> bool {
    let embeds = message["embeds"].as_array().into_iter().flatten();
    let mut footers = embeds.filter_map(|embed| embed["footer"]["text"].as_str());
    let ours = message["author"]["id"] == me && message["webhook_id"].is_null();
    ours && footers.any(|text| {
        let rest = text.trim_end().strip_suffix(digits(nonce));
        rest.is_some_and(|before| before.is_empty() || before.ends_with(BEFORE))
    })
}

fn digits(nonce: &Text) -> &str {
    nonce.get(..DIGITS).unwrap_or(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_on(embeds: Value) -> Value {
        let mut body = Map::from_iter([("embeds".to_owned(), embeds)]);
        put(&mut body, &"0123456789abcdef01234567".into());
        Value::Object(body)
    }

    fn found(message: &Value, author: &str) -> bool {
        let mut message = message.clone();
        message["author"] = json!({"id": author});
        is_on(&message, "1", &"0123456789abcdef01234567".into())
    }

    #[test]
    fn a_mark_stands_last_in_the_small_print_and_is_found_there() {
        let marked = put_on(json!([{"title": "a"}, {"footer": {"text": "i-42 · production"}}]));
        assert_eq!(marked["embeds"][1]["footer"]["text"], "i-42 · production · 0123456789ab");
        assert!(found(&marked, "1"));
        let marked = put_on(json!([{"title": "a"}]));
        assert_eq!(marked["embeds"][0]["footer"]["text"], "0123456789ab");
        assert!(found(&marked, "1"));
    }

    #[test]
    fn what_others_write_is_not_ours() {
        let marked = put_on(json!([{"title": "a"}]));
        assert!(!found(&marked, "2"));
        let hooked = json!({"embeds": marked["embeds"], "webhook_id": "1"});
        assert!(!found(&hooked, "1"));
        assert!(!found(&json!({"embeds": [{"footer": {"text": "x0123456789ab"}}]}), "1"));
        assert!(!found(&json!({"content": "0123456789ab"}), "1"));
    }
}
