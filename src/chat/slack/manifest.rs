//! The app manifest: what somebody pastes at api.slack.com/apps, with exactly the scopes that are needed.

use serde_json::{Value, json};

use super::settings::Mode;

/// The bot's scopes, and what each is for, in Markdown.
pub const SCOPES: &[(&str, &str)] = &[
    ("app_mentions:read", "to hear `@kubemend …`"),
    (
        "channels:history",
        "to find out after a crash whether a message was posted, and after a gap which mentions were missed; nothing else is read",
    ),
    ("channels:read", "to see whether a channel is archived and whether it is in it"),
    ("chat:write", "to post and edit its messages"),
    ("commands", "for `/mend` and the message shortcut *Diagnose*"),
    ("files:write", "to put what is too long for a message into its thread as a file"),
    ("groups:history", "as `channels:history`, in private channels"),
    ("groups:read", "as `channels:read`, in private channels"),
    ("usergroups:read", "for roles that are given to user groups"),
    ("users:read", "to refuse guests, bots and deactivated users"),
];

/// The callback of the message shortcut.
pub const DIAGNOSE: &str = "diagnose";

/// The manifest for a mode; `url` is where Slack reaches kubemend in mode `http`.
pub fn manifest(mode: Mode, url: Option<&str>) -> Value {
    let base = url.unwrap_or_default().trim_end_matches('/');
    let mut manifest = json!({
        "display_information": {
            "name": "kubemend",
            "description": "Says what is broken in Kubernetes, and repairs it when you approve",
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {"home_tab_enabled": true, "messages_tab_enabled": false, "messages_tab_read_only_enabled": true},
            "bot_user": {"display_name": "kubemend", "always_online": true},
            "shortcuts": [{
                "name": "Diagnose",
                "type": "message",
                "callback_id": DIAGNOSE,
                "description": "Look at what this message is about",
            }],
            "slash_commands": [{
                "command": "/mend",
                "description": "What is broken, why, and what can be done",
                "usage_hint": "help | status | diagnose pod/web-0 -n shop",
                "should_escape": false,
            }],
        },
        "oauth_config": {"scopes": {"bot": SCOPES.iter().map(|(scope, _)| *scope).collect::<Vec<_>>()}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_home_opened", "app_mention"]},
            "interactivity": {"is_enabled": true},
            "org_deploy_enabled": false,
            "socket_mode_enabled": mode == Mode::Socket,
            "token_rotation_enabled": false,
        },
    });
    if mode == Mode::Http {
        manifest["features"]["slash_commands"][0]["url"] = json!(format!("{base}/slack/commands"));
        manifest["settings"]["event_subscriptions"]["request_url"] = json!(format!("{base}/slack/events"));
        manifest["settings"]["interactivity"]["request_url"] = json!(format!("{base}/slack/interactions"));
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_for_sockets() {
        insta::assert_json_snapshot!(manifest(Mode::Socket, None));
    }

    #[test]
    fn over_http_it_names_where_slack_calls() {
        let manifest = manifest(Mode::Http, Some("https://mend.example.com/"));
        assert_eq!(manifest["settings"]["socket_mode_enabled"], false);
        assert_eq!(
            manifest["settings"]["interactivity"]["request_url"],
            "https://mend.example.com/slack/interactions"
        );
    }
}
