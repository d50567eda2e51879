//! One channel: its kind, what kubemend may do in it, and whether the roles that routes call can be called there.

use serde_json::Value;
use serenity::all::Permissions;

use super::Guild;
use crate::chat::card::Mention;
use crate::chat::check::Check;
use crate::chat::discord::permissions::{MENTIONS, effective, missing};
use crate::chat::discord::web::{Route, Web};
use crate::incident::Text;

/// Kinds of channels that take messages or posts: text, announcements, forums, media.
const KINDS: &[u64] = &[0, 5, 15, 16];
/// Where the rights of a channel are.
const RIGHTS: &str = "right click on the channel → Edit Channel → Permissions → kubemend's role";

pub(super) async fn look_at(web: &Web, id: &Text, guilds: &[Guild], mentions: &[Mention]) -> Check {
    let told = match web.call(&Route::get("channels/{}", &[id]), None).await {
        Ok(told) => told,
        Err(error) => {
            let way_out = format!(
                "give the id from Discord → right click on the channel → Copy Channel ID (Settings → Advanced → Developer Mode); for a private channel: {RIGHTS} → View Channel"
            );
            return Check::bad(format!("channel {id}"), error.to_string(), way_out);
        }
    };
    let guild = guilds.iter().find(|guild| told["guild_id"] == guild.standing.guild.as_str());
    judge(id, &told, guild, mentions)
}

fn judge(id: &Text, channel: &Value, guild: Option<&Guild>, mentions: &[Mention]) -> Check {
    let what = format!("channel {id} (#{})", channel["name"].as_str().unwrap_or("?"));
    let Some(guild) = guild else {
        let way_out = "name its server under `chat.discord.guilds`, or route elsewhere";
        return Check::bad(what, "it is in no server that kubemend listens to", way_out);
    };
    if !channel["type"].as_u64().is_some_and(|kind| KINDS.contains(&kind)) {
        let way_out = "route to a text channel, an announcement channel or a forum";
        return Check::bad(what, "it is none that incidents can be told in", way_out);
    }
    let held = effective(&guild.standing, &guild.roles, channel);
    let lacking: Vec<String> =
        missing(held).into_iter().map(|need| format!("{} ({})", need.name, need.why)).collect();
    if !lacking.is_empty() {
        let names: Vec<&str> = missing(held).into_iter().map(|need| need.name).collect();
        let way_out = format!("{RIGHTS} → allow {}", names.join(", "));
        return Check::bad(what, format!("kubemend lacks {}", lacking.join("; ")), way_out);
    }
    let silent = uncallable(guild, held, mentions);
    if !silent.is_empty() {
        let way_out = format!(
            "Server Settings → Roles → {} → Allow anyone to @mention this role; or {RIGHTS} → {}",
            silent.join(", "),
            MENTIONS.name
        );
        return Check::bad(what, "routes call roles that would not hear it".to_owned(), way_out);
    }
    Check::good(what)
}

/// Roles of this server that a message would name without calling them.
fn uncallable(guild: &Guild, held: Permissions, mentions: &[Mention]) -> Vec<String> {
    if held.contains(MENTIONS.permission) {
        return Vec::new();
    }
    let called = |role: &&Value| {
        mentions.iter().any(|mention| match mention {
            Mention::Group(id) => role["id"] == id.as_str(),
            Mention::User(_) => false,
        })
    };
    let silent = guild.roles.iter().filter(called).filter(|role| role["mentionable"] != true);
    silent.map(|role| role["name"].as_str().unwrap_or("?").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::discord::permissions::{Standing, all};

    fn guild() -> Guild {
        let standing =
            Standing { guild: "1".into(), user: "9".into(), roles: vec!["5".into()], ..Standing::default() };
        let roles = vec![
            json!({"id": "1", "name": "@everyone", "permissions": "0", "mentionable": false}),
            json!({"id": "5", "name": "kubemend", "permissions": all().bits().to_string(), "mentionable": false}),
            json!({"id": "7", "name": "oncall", "permissions": "0", "mentionable": false}),
        ];
        Guild { standing, roles }
    }

    fn told(channel: &Value, guild: Option<&Guild>, mentions: &[Mention]) -> Option<(String, String)> {
        judge(&"3".into(), channel, guild, mentions).wrong
    }

    #[test]
    fn each_thing_that_is_wrong_says_what_to_click() {
        let text = json!({"name": "alerts", "type": 0, "permission_overwrites": []});
        assert_eq!(told(&text, Some(&guild()), &[]), None);
        assert!(told(&text, None, &[]).expect("wrong").1.contains("chat.discord.guilds"));
        let voice = json!({"name": "talk", "type": 2});
        assert!(told(&voice, Some(&guild()), &[]).expect("wrong").1.contains("forum"));
        let denied = json!({"name": "a", "type": 15, "permission_overwrites": [
            {"id": "5", "deny": Permissions::EMBED_LINKS.bits().to_string(), "allow": "0"}]});
        let (why, way_out) = told(&denied, Some(&guild()), &[]).expect("wrong");
        assert!(why.contains("Embed Links") && way_out.ends_with("allow Embed Links"), "{why} {way_out}");
    }

    #[test]
    fn a_role_that_cannot_be_called_is_told() {
        let text = json!({"name": "alerts", "type": 0});
        let calls = [Mention::Group("7".to_owned()), Mention::User("8".to_owned())];
        assert!(told(&text, Some(&guild()), &calls).expect("wrong").1.contains("oncall"));
        let mut open = guild();
        open.roles[2]["mentionable"] = json!(true);
        assert_eq!(told(&text, Some(&open), &calls), None);
    }
}
