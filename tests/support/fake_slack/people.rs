//! What people do in Slack.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::state::{Envelope, ResponseUrl};
use super::{BOT_USER, FakeSlack, TEAM, calls, show};

/// Somebody of the workspace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Member,
    Guest,
    Bot,
    Deactivated,
    Stranger,
}

impl FakeSlack {
    /// Adds somebody.
    pub fn add_user(&self, id: &str, name: &str, kind: Kind) {
        let team = if kind == Kind::Stranger { "TOTHER" } else { TEAM };
        let user = json!({"id": id, "team_id": team, "name": name, "real_name": name,
            "deleted": kind == Kind::Deactivated, "is_bot": kind == Kind::Bot,
            "is_restricted": kind == Kind::Guest, "is_ultra_restricted": false, "is_app_user": false,
            "is_stranger": kind == Kind::Stranger,
            "profile": {"real_name": name, "display_name": name, "email": format!("{name}@example.com")}});
        self.with(|state| state.users.insert(id.to_owned(), user));
    }

    /// Clicks a button, or an entry of a menu, by what is written on it. Returns the envelope's id.
    pub async fn click(&self, user: &str, channel: &str, ts: &str, label: &str) -> String {
        let payload = self.with(|state| {
            let message = state.message(channel, ts).cloned().unwrap_or_else(|| panic!("no message {ts}"));
            let action = show::action(&message, label).unwrap_or_else(|| {
                panic!("nothing says {label:?} in:\n{}", show::message(&message))
            });
            let name = state.name_of(user);
            state.say(format!("{name} clicks [{label}]"));
            let trigger = calls::trigger(state, user);
            let response = response_url(state, channel, user, Some(ts));
            let mut container = json!({"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false});
            if message["thread_ts"].is_string() {
                container["thread_ts"] = message["thread_ts"].clone();
            }
            json!({"type": "block_actions", "user": {"id": user, "username": name, "name": name, "team_id": TEAM},
                "api_app_id": "A1", "token": "t", "container": container, "trigger_id": trigger,
                "team": {"id": TEAM, "domain": "tests"}, "enterprise": null, "is_enterprise_install": false,
                "channel": {"id": channel, "name": state.channels[channel].name},
                "message": message, "state": {"values": {}}, "response_url": response, "actions": [action]})
        });
        self.deliver("interactive", payload, None).await
    }

    /// Presses a button in the window that is open for somebody.
    pub async fn press_in_modal(&self, user: &str, label: &str) -> String {
        let (id, body) = self.with(|state| {
            let open = state.views.iter().rev().find(|(_, view)| view.open && view.user == user);
            let (id, view) = open.unwrap_or_else(|| panic!("no modal is open for {user}"));
            (id.clone(), view.body.clone())
        });
        self.press_in(user, &id, body, label).await
    }

    /// Presses a button in somebody's home.
    pub async fn press_at_home(&self, user: &str, label: &str) -> String {
        let body = self.with(|state| state.homes[user].clone());
        self.press_in(user, "VHOME", body, label).await
    }

    async fn press_in(&self, user: &str, id: &str, mut view: Value, label: &str) -> String {
        let payload = self.with(|state| {
            let action = show::action(&view, label)
                .unwrap_or_else(|| panic!("nothing says {label:?} in:\n{}", show::message(&view)));
            let name = state.name_of(user);
            state.say(format!("{name} presses [{label}]"));
            let trigger = calls::trigger(state, user);
            view["id"] = json!(id);
            json!({"type": "block_actions", "user": {"id": user, "username": name, "name": name, "team_id": TEAM},
                "api_app_id": "A1", "token": "t", "container": {"type": "view", "view_id": id},
                "trigger_id": trigger, "team": {"id": TEAM, "domain": "tests"}, "enterprise": null,
                "is_enterprise_install": false, "view": view, "actions": [action]})
        });
        self.deliver("interactive", payload, None).await
    }

    /// Mentions the bot where nobody tells it: the message only stands in the channel, since so long.
    pub fn mention_unheard(&self, user: &str, channel: &str, text: &str, ago: Duration) {
        self.with(|state| {
            let name = state.name_of(user);
            state.say(format!("{name} writes @kubemend {text}, unheard"));
            let ts =
                format!("{}.{:06}", now() - i64::try_from(ago.as_secs()).expect("small"), state.number());
            let message =
                json!({"type": "message", "user": user, "text": format!("<@{BOT_USER}> {text}"), "ts": ts});
            state.channels.get_mut(channel).expect("a channel").messages.push(message);
        });
    }

    /// Types the slash command.
    pub async fn command(&self, user: &str, channel: &str, text: &str) -> String {
        let payload = self.with(|state| {
            let name = state.name_of(user);
            state.say(format!("{name} types /mend {text}"));
            let trigger = calls::trigger(state, user);
            let response = response_url(state, channel, user, None);
            json!({"token": "t", "team_id": TEAM, "team_domain": "tests", "channel_id": channel,
                "channel_name": state.channels[channel].name, "user_id": user, "user_name": name,
                "command": "/mend", "text": text, "api_app_id": "A1", "is_enterprise_install": "false",
                "response_url": response, "trigger_id": trigger})
        });
        self.deliver("slash_commands", payload, None).await
    }

    /// Fills in the modal that is open for somebody and submits it.
    pub async fn submit(&self, user: &str, values: &[(&str, &str)]) -> String {
        let (payload, view) = self.with(|state| {
            let open = state.views.iter().rev().find(|(_, view)| view.open && view.user == user);
            let (id, view) = open.unwrap_or_else(|| panic!("no modal is open for {user}"));
            let (id, body) = (id.clone(), view.body.clone());
            let filled = show::fill(&body, values);
            let name = state.name_of(user);
            let told: Vec<String> = values.iter().map(|(field, value)| format!("{field}: {value}")).collect();
            state.say(format!("{name} submits the modal with {}", told.join(", ")));
            let trigger = calls::trigger(state, user);
            let mut view = body;
            view["id"] = json!(id);
            view["team_id"] = json!(TEAM);
            view["hash"] = json!("1.abc");
            view["app_id"] = json!("A1");
            view["state"] = json!({"values": filled});
            let payload = json!({"type": "view_submission", "team": {"id": TEAM, "domain": "tests"},
                "user": {"id": user, "username": name, "name": name, "team_id": TEAM}, "api_app_id": "A1",
                "token": "t", "trigger_id": trigger, "view": view, "response_urls": [],
                "is_enterprise_install": false, "enterprise": null});
            (payload, id)
        });
        self.deliver("interactive", payload, Some(view)).await
    }

    /// Uses the message shortcut.
    pub async fn shortcut(&self, user: &str, channel: &str, callback: &str, text: &str) -> String {
        let payload = self.with(|state| {
            let name = state.name_of(user);
            state.say(format!("{name} uses the shortcut {callback} on: {text}"));
            let trigger = calls::trigger(state, user);
            let response = response_url(state, channel, user, None);
            let ts = state.ts();
            json!({"type": "message_action", "callback_id": callback, "trigger_id": trigger, "message_ts": ts,
                "response_url": response, "team": {"id": TEAM, "domain": "tests"},
                "channel": {"id": channel, "name": state.channels[channel].name},
                "user": {"id": user, "name": name, "team_id": TEAM}, "action_ts": "1.0", "token": "t",
                "message": {"type": "message", "user": "UX", "ts": ts, "text": text}})
        });
        self.deliver("interactive", payload, None).await
    }

    /// Mentions the bot in a channel.
    pub async fn mention(&self, user: &str, channel: &str, text: &str) -> String {
        let payload = self.with(|state| {
            let name = state.name_of(user);
            state.say(format!("{name} writes @kubemend {text}"));
            let ts = state.ts();
            let said = format!("<@{BOT_USER}> {text}");
            let message = json!({"type": "message", "user": user, "text": said, "ts": ts});
            state.channels.get_mut(channel).expect("a channel").messages.push(message);
            let id = format!("Ev{}", state.number());
            json!({"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": id, "event_time": 1,
                "event": {"type": "app_mention", "user": user, "text": said, "ts": ts, "channel": channel,
                    "event_ts": ts, "team": TEAM}})
        });
        self.deliver("events_api", payload, None).await
    }

    /// Opens the app's home.
    pub async fn open_home(&self, user: &str) -> String {
        let payload = self.with(|state| {
            let id = format!("Ev{}", state.number());
            json!({"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": id, "event_time": 1,
                "event": {"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": "1.0"}})
        });
        self.deliver("events_api", payload, None).await
    }

    /// Brings a payload to kubemend the way that is set up.
    pub async fn deliver(&self, kind: &str, payload: Value, view: Option<String>) -> String {
        let answers = kind == "slash_commands" || payload["type"] == "view_submission";
        let over_http = self.with(|state| state.over_http.clone());
        let id = self.with(|state| {
            let id = format!("envelope-{}", state.number());
            let frame = json!({"type": kind, "envelope_id": id, "accepts_response_payload": answers, "payload": payload});
            let envelope =
                Envelope { frame, sent: Instant::now(), tries: 0, acked: None, acks: 0, reply: None, view };
            state.envelopes.insert(id.clone(), envelope);
            id
        });
        match over_http {
            None => self.send(&id),
            Some((base, secret)) => self.call(&id, kind, &payload, &base, &secret).await,
        }
        id
    }

    async fn call(&self, id: &str, kind: &str, payload: &Value, base: &str, secret: &str) {
        let (path, body) = match kind {
            "slash_commands" => {
                let fields = payload.as_object().expect("a form").iter();
                let fields = fields.map(|(name, value)| (name, value.as_str().unwrap_or_default()));
                ("commands", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
            }
            "interactive" => {
                let text = payload.to_string();
                (
                    "interactions",
                    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &text).finish(),
                )
            }
            _ => ("events", payload.to_string()),
        };
        let moment = now();
        let signature = sign(secret, moment, &body);
        let (status, answer) =
            request(&format!("{base}/slack/{path}"), &body, Some((moment, &signature))).await;
        assert_eq!(status, 200, "kubemend takes what Slack signed: {answer}");
        self.with(|state| {
            let envelope = state.envelopes.get_mut(id).expect("it was just made");
            envelope.acked = Some(envelope.sent.elapsed());
            envelope.acks += 1;
            let reply: Option<Value> = serde_json::from_str(&answer).ok();
            envelope.reply.clone_from(&reply);
            if let Some(view) = envelope.view.clone() {
                calls::conclude_view(state, &view, reply.as_ref());
            }
        });
    }

    /// Waits until an envelope is acknowledged; how long it took.
    pub async fn acknowledged(&self, id: &str) -> Duration {
        let started = Instant::now();
        loop {
            if let Some(took) = self.with(|state| state.envelopes[id].acked) {
                return took;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "{id} was never acknowledged");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn response_url(state: &mut super::state::State, channel: &str, user: &str, message: Option<&str>) -> String {
    let id = format!("r{}", state.number());
    let url = ResponseUrl {
        channel: channel.to_owned(),
        user: user.to_owned(),
        message: message.map(str::to_owned),
        uses: 0,
    };
    state.responses.insert(id.clone(), url);
    format!("{}/response/{id}", state.own_url)
}

pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Slack's signature of a request.
pub fn sign(secret: &str, moment: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(format!("v0:{moment}:{body}").as_bytes());
    let hash = mac.finalize().into_bytes();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

/// A POST as Slack sends it.
pub async fn request(url: &str, body: &str, signed: Option<(i64, &str)>) -> (u16, String) {
    use http_body_util::{BodyExt as _, Full};
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<bytes::Bytes>>();
    let mut request = http::Request::post(url).header("content-type", "application/x-www-form-urlencoded");
    if let Some((moment, signature)) = signed {
        request = request.header("x-slack-request-timestamp", moment).header("x-slack-signature", signature);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).expect("a request");
    let answer = client.request(request).await.expect("kubemend answers");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}
