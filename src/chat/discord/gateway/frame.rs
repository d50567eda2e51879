//! The payloads of the gateway: what comes, as far as it is looked at, and what goes back.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use serenity::constants::Opcode;

/// The gateway intents: kubemend asks for no events, since interactions come without any.
pub const INTENTS: u64 = 0;

/// A payload that came.
#[derive(Debug, Deserialize)]
pub(super) struct Frame<'f> {
    op: u8,
    #[serde(default, rename = "d", borrow)]
    pub(super) data: Option<&'f RawValue>,
    #[serde(default, rename = "s")]
    pub(super) number: Option<u64>,
    #[serde(default, rename = "t")]
    pub(super) event: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Hello {
    heartbeat_interval: u64,
}

/// Of `READY`.
#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) session_id: String,
    pub(super) resume_gateway_url: String,
}

impl Frame<'_> {
    pub(super) fn op(&self) -> Opcode {
        Opcode::from(self.op)
    }

    /// The milliseconds between two heartbeats.
    pub(super) fn interval(&self) -> Option<u64> {
        let hello: Hello = serde_json::from_str(self.data?.get()).ok()?;
        Some(hello.heartbeat_interval)
    }

    pub(super) fn ready(&self) -> Option<Ready> {
        serde_json::from_str(self.data?.get()).ok()
    }

    /// Whether an invalid session may be resumed.
    pub(super) fn is_resumable(&self) -> bool {
        self.data.is_some_and(|data| data.get() == "true")
    }
}

fn made(op: Opcode, data: &Value) -> String {
    json!({"op": u8::from(op), "d": data}).to_string()
}

/// `seen` is the number of the newest event.
pub(super) fn heartbeat(seen: Option<u64>) -> String {
    made(Opcode::Heartbeat, &json!(seen))
}

/// Begins a session.
pub(super) fn identify(token: &str) -> String {
    let properties = json!({"os": std::env::consts::OS, "browser": "kubemend", "device": "kubemend"});
    let data = json!({"token": token, "intents": INTENTS, "properties": properties, "compress": false,
        "large_threshold": 50, "shard": [0, 1]});
    made(Opcode::Identify, &data)
}

/// Takes a session up where it was left.
pub(super) fn resume(token: &str, session: &str, seen: u64) -> String {
    made(Opcode::Resume, &json!({"token": token, "session_id": session, "seq": seen}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_whatever_their_data_is() {
        let read = |text: &'static str| serde_json::from_str::<Frame<'static>>(text).expect("a payload");
        let hello =
            read(r#"{"op": 10, "d": {"heartbeat_interval": 41250, "_trace": []}, "s": null, "t": null}"#);
        assert_eq!((hello.op(), hello.interval()), (Opcode::Hello, Some(41_250)));
        assert!(read(r#"{"op": 9, "d": true}"#).is_resumable());
        assert!(!read(r#"{"op": 9, "d": false}"#).is_resumable());
        let event = read(r#"{"op": 0, "d": {"a": [1]}, "s": 7, "t": "BRAND_NEW"}"#);
        assert_eq!((event.number, event.event.as_deref()), (Some(7), Some("BRAND_NEW")));
        assert_eq!(read(r#"{"op": 77}"#).op(), Opcode::Unknown(77));
    }

    #[test]
    fn what_goes_back_is_short_and_asks_for_no_events() {
        assert_eq!(heartbeat(None), r#"{"d":null,"op":1}"#);
        assert_eq!(heartbeat(Some(4)), r#"{"d":4,"op":1}"#);
        let told: Value = serde_json::from_str(&identify("t")).expect("JSON");
        assert_eq!((told["op"].as_u64(), told["d"]["intents"].as_u64()), (Some(2), Some(0)));
        let told: Value = serde_json::from_str(&resume("t", "s", 9)).expect("JSON");
        assert_eq!(told, json!({"op": 6, "d": {"token": "t", "session_id": "s", "seq": 9}}));
        assert!(identify(&"t".repeat(1_000)).len() < 4_096, "Discord takes 4,096 bytes");
    }
}
