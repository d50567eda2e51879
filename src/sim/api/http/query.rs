//! The query of a request: percent coding and the parameters every verb shares.

use std::collections::BTreeMap;

/// Parameters by name; a repeated one keeps its first value.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::api) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let mut all = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.entry(decode(key)).or_insert_with(|| decode(value));
        }
        Self(all)
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1" | "True")
    }

    pub(super) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name).parse().ok()
    }

    pub(super) fn dry_run(&self) -> bool {
        self.get("dryRun") == "All"
    }
}

/// Takes out `%20` and `+`; bytes that are not UTF-8 become replacement characters.
pub(super) fn decode(text: &str) -> String {
    decode_bytes(text, true)
}

/// As `decode`, for paths, where a plus is a plus.
pub(super) fn decode_path(text: &str) -> String {
    decode_bytes(text, false)
}

fn decode_bytes(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let coded = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], coded) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'+', _) if plus => {
                out.push(b' ');
                at += 1;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let query = Query::parse("labelSelector=app%3Dweb%2Ctier+in+%28a%29&watch=1&limit=5&x=%zz");
        assert_eq!(query.get("labelSelector"), "app=web,tier in (a)");
        assert!(query.is("watch"));
        assert_eq!(query.number::<usize>("limit"), Some(5));
        assert_eq!(query.get("x"), "%zz");
        assert_eq!(query.get("none"), "");
    }
}
