//! The methods this Slack offers: their arguments, whether they take JSON, the scopes that allow them.

use serde_json::Value;

pub struct Method {
    pub name: &'static str,
    pub arguments: &'static [&'static str],
    pub required: &'static [&'static str],
    pub json: bool,
    /// Any of them will do; none where any bot token will do.
    pub scopes: &'static [&'static str],
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];

pub const METHODS: &[Method] = &[
    Method { name: "auth.test", arguments: &[], required: &[], json: true, scopes: &[] },
    Method { name: "apps.connections.open", arguments: &[], required: &[], json: true, scopes: &[] },
    Method {
        name: "chat.postMessage",
        arguments: &[
            "as_user",
            "attachments",
            "blocks",
            "channel",
            "current_draft_last_updated_ts",
            "icon_emoji",
            "icon_url",
            "link_names",
            "markdown_text",
            "metadata",
            "mrkdwn",
            "parse",
            "reply_broadcast",
            "text",
            "thread_ts",
            "unfurl_links",
            "unfurl_media",
            "username",
        ],
        required: &["channel"],
        json: true,
        scopes: &["chat:write"],
    },
    Method {
        name: "chat.update",
        arguments: &[
            "as_user",
            "attachments",
            "unfurled_attachments",
            "blocks",
            "markdown_text",
            "metadata",
            "channel",
            "link_names",
            "parse",
            "text",
            "ts",
            "reply_broadcast",
            "file_ids",
        ],
        required: &["channel", "ts"],
        json: true,
        scopes: &["chat:write"],
    },
    Method {
        name: "chat.postEphemeral",
        arguments: &[
            "as_user",
            "attachments",
            "blocks",
            "channel",
            "icon_emoji",
            "icon_url",
            "link_names",
            "markdown_text",
            "metadata",
            "parse",
            "text",
            "thread_ts",
            "user",
            "username",
        ],
        required: &["channel", "user"],
        json: true,
        scopes: &["chat:write"],
    },
    Method {
        name: "chat.getPermalink",
        arguments: &["channel", "message_ts"],
        required: &["channel", "message_ts"],
        json: false,
        scopes: &[],
    },
    Method {
        name: "conversations.info",
        arguments: &["channel", "include_locale", "include_num_members"],
        required: &["channel"],
        json: false,
        scopes: READ,
    },
    Method {
        name: "conversations.history",
        arguments: &["channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"],
        required: &["channel"],
        json: true,
        scopes: HISTORY,
    },
    Method {
        name: "conversations.replies",
        arguments: &[
            "channel",
            "cursor",
            "include_all_metadata",
            "inclusive",
            "latest",
            "limit",
            "oldest",
            "ts",
        ],
        required: &["channel", "ts"],
        json: false,
        scopes: HISTORY,
    },
    Method {
        name: "views.open",
        arguments: &["trigger_id", "interactivity_pointer", "view"],
        required: &["view"],
        json: true,
        scopes: &[],
    },
    Method {
        name: "views.update",
        arguments: &["view_id", "external_id", "view", "hash"],
        required: &["view"],
        json: true,
        scopes: &[],
    },
    Method {
        name: "views.publish",
        arguments: &["user_id", "view", "hash", "interactivity_pointer"],
        required: &["user_id", "view"],
        json: true,
        scopes: &[],
    },
    Method {
        name: "files.getUploadURLExternal",
        arguments: &["length", "filename", "snippet_type", "alt_txt"],
        required: &["length", "filename"],
        json: false,
        scopes: &["files:write"],
    },
    Method {
        name: "files.completeUploadExternal",
        arguments: &[
            "files",
            "channel_id",
            "thread_ts",
            "channels",
            "initial_comment",
            "blocks",
            "username",
            "icon_url",
            "icon_emoji",
        ],
        required: &["files"],
        json: true,
        scopes: &["files:write"],
    },
    Method {
        name: "usergroups.list",
        arguments: &["include_count", "include_disabled", "include_users", "team_id"],
        required: &[],
        json: false,
        scopes: &["usergroups:read"],
    },
    Method {
        name: "users.info",
        arguments: &["include_locale", "user"],
        required: &["user"],
        json: false,
        scopes: &["users:read"],
    },
];

pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// What is written here must be what Slack's reference says, where that is at hand.
pub fn hold_against_the_reference() {
    let Ok(path) = std::env::var("KUBEMEND_SLACK_METHODS") else { return };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let reference: Value = serde_json::from_str(&text).expect("the reference is JSON");
    for method in METHODS {
        let told = &reference[method.name];
        let list = |name: &str| -> Vec<String> {
            let items = told[name].as_array().cloned().unwrap_or_default();
            let mut names: Vec<String> = items.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
            names.retain(|name| name != "token");
            names.sort();
            names
        };
        let own = |names: &[&str]| {
            let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(list("args"), own(method.arguments), "arguments of {}", method.name);
        assert_eq!(list("required"), own(method.required), "required arguments of {}", method.name);
        assert_eq!(told["json"].as_bool().unwrap_or(false), method.json, "JSON for {}", method.name);
        let scopes = told["scope"]["bot"].as_array().cloned().unwrap_or_default();
        let mut scopes: Vec<String> = scopes.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        scopes.sort();
        assert_eq!(scopes, own(method.scopes), "scopes of {}", method.name);
    }
}

/// The errors this Slack gives must be errors Slack gives for that method.
pub fn is_known_error(method: &str, error: &str) -> bool {
    let Ok(path) = std::env::var("KUBEMEND_SLACK_METHODS") else { return true };
    let text = std::fs::read_to_string(path).expect("it was read before");
    let reference: Value = serde_json::from_str(&text).expect("it was read before");
    let errors = reference[method]["errors"].as_array().cloned().unwrap_or_default();
    // `invalid_arguments` stands for the whole class of wrong arguments; the reference names it nowhere.
    error == "invalid_arguments" || errors.iter().any(|known| known == error)
}
