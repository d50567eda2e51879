//! Whom a message calls.

use serde_json::Value;

use super::BOT_USER;
use super::permissions::{self, MENTION_EVERYONE};
use super::state::State;

/// What is allowed where `allowed_mentions` is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// Ordinary messages.
    All,
    /// Answers to interactions.
    Users,
}

/// Remembers whom a new message calls, and names them in it.
pub fn note(state: &mut State, channel: &str, message: &Value, allowed: &Value, default: Default) {
    for called in called(state, channel, message["content"].as_str().unwrap_or_default(), allowed, default) {
        state.pings.push(called);
    }
}

fn called(state: &State, channel: &str, content: &str, allowed: &Value, default: Default) -> Vec<String> {
    let content = without_code(content);
    let everyone = permissions::of(state, BOT_USER, channel) & MENTION_EVERYONE != 0;
    let parses = |kind: &str| match allowed {
        Value::Null => default == Default::All || kind == "users",
        allowed => allowed["parse"].as_array().is_some_and(|kinds| kinds.iter().any(|own| own == kind)),
    };
    let listed =
        |name: &str, id: &str| allowed[name].as_array().is_some_and(|ids| ids.iter().any(|own| own == id));
    let mut found = Vec::new();
    for word in ["@everyone", "@here"] {
        if content.contains(word) && parses("everyone") && everyone {
            found.push(word.to_owned());
        }
    }
    for part in content.split('<').skip(1) {
        let Some((inside, _)) = part.split_once('>') else { continue };
        if let Some(role) = inside.strip_prefix("@&") {
            let Some(held) = state.roles.get(role) else { continue };
            if (held.mentionable || everyone) && (parses("roles") || listed("roles", role)) {
                found.push(format!("@{}", held.name));
            }
        } else if let Some(user) = inside.strip_prefix('@').map(|id| id.trim_start_matches('!'))
            && state.users.contains_key(user)
            && (parses("users") || listed("users", user))
        {
            found.push(format!("@{}", state.name_of(user)));
        }
    }
    found
}

/// Nobody is called from within code.
fn without_code(text: &str) -> String {
    let outside = |text: &str, mark: &str| text.split(mark).step_by(2).collect::<Vec<_>>().join(" ");
    outside(&outside(text, "```"), "`")
}
