//! What kubemend may do in Discord: the one list that the invitation, the doctor and the documentation use. Pure.

use serde_json::Value;
use serenity::all::Permissions;

use crate::incident::Text;

/// A right of the bot in a channel: Discord's bit, what Discord calls it, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub permission: Permissions,
    pub name: &'static str,
    pub why: &'static str,
}

const fn need(permission: Permissions, name: &'static str, why: &'static str) -> Need {
    Need { permission, name, why }
}

/// All that is needed, and nothing else.
pub const NEEDS: &[Need] = &[
    need(Permissions::VIEW_CHANNEL, "View Channel", "to see the channel"),
    need(Permissions::SEND_MESSAGES, "Send Messages", "to post its messages, and posts in forums"),
    need(Permissions::EMBED_LINKS, "Embed Links", "its messages are embeds"),
    need(Permissions::ATTACH_FILES, "Attach Files", "for what is too long for a message: evidence and diffs"),
    need(
        Permissions::READ_MESSAGE_HISTORY,
        "Read Message History",
        "to find out after a crash whether a message was posted; nothing else is read",
    ),
    need(Permissions::CREATE_PUBLIC_THREADS, "Create Public Threads", "an incident's history has a thread"),
    need(Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads", "to tell each step there"),
];

/// Needed only where a route calls a role that not everybody may call.
pub const MENTIONS: Need = need(
    Permissions::MENTION_EVERYONE,
    "Mention @everyone, @here, and All Roles",
    "only where a route calls roles that are not mentionable by anyone; nobody else is ever called",
);

/// All needs as one.
pub fn all() -> Permissions {
    NEEDS.iter().fold(Permissions::empty(), |all, need| all | need.permission)
}

/// Where a browser invites the bot with exactly these rights.
pub fn invitation(application: &str, guild: Option<&str>) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let guild = guild.map(|guild| format!("&guild_id={}&disable_guild_select=true", digits(guild)));
    format!(
        "https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions={}{}",
        digits(application),
        all().bits(),
        guild.unwrap_or_default()
    )
}

/// The bot as a member of a guild.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    pub guild: Text,
    pub user: Text,
    pub owner: bool,
    pub roles: Vec<Text>,
    /// Until then it may only look, where it is timed out.
    pub timed_out: bool,
}

/// What the bot may do in a channel, as Discord computes it: the roles' rights, then what the channel denies and
/// allows to everybody, to its roles, and to itself.
pub fn effective(standing: &Standing, roles: &[Value], channel: &Value) -> Permissions {
    let is_mine = |role: &Value| {
        let id = role["id"].as_str().unwrap_or_default();
        id == standing.guild.as_str() || standing.roles.iter().any(|mine| mine.as_str() == id)
    };
    let mine = roles.iter().filter(|role| is_mine(role));
    let base = mine.fold(Permissions::empty(), |all, role| all | bits(&role["permissions"]));
    if standing.owner || base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    let overwrites = channel["permission_overwrites"].as_array().map_or(&[][..], Vec::as_slice);
    let of =
        |id: &str| -> Vec<&Value> { overwrites.iter().filter(|overwrite| overwrite["id"] == id).collect() };
    let apply = |before: Permissions, overwrites: Vec<&Value>| {
        let sum = |key: &str| {
            overwrites.iter().fold(Permissions::empty(), |all, overwrite| all | bits(&overwrite[key]))
        };
        (before & !sum("deny")) | sum("allow")
    };
    let everybody = apply(base, of(&standing.guild));
    let by_role = apply(everybody, standing.roles.iter().flat_map(|role| of(role)).collect());
    let own = apply(by_role, of(&standing.user));
    let only_looks = Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY;
    match own {
        own if !own.contains(Permissions::VIEW_CHANNEL) => Permissions::empty(),
        own if standing.timed_out => own & only_looks,
        own => own,
    }
}

/// What is missing of the needs.
pub fn missing(held: Permissions) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !held.contains(need.permission)).collect()
}

fn bits(value: &Value) -> Permissions {
    let bits = value.as_str().and_then(|bits| bits.parse().ok()).or(value.as_u64());
    Permissions::from_bits_retain(bits.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bot() -> Standing {
        Standing { guild: "1".into(), user: "9".into(), roles: vec!["5".into()], ..Standing::default() }
    }

    fn roles() -> Vec<Value> {
        let text = |bits: Permissions| bits.bits().to_string();
        vec![
            json!({"id": "1", "permissions": text(Permissions::VIEW_CHANNEL)}),
            json!({"id": "5", "permissions": text(all())}),
            json!({"id": "6", "permissions": text(Permissions::ADMINISTRATOR)}),
        ]
    }

    fn channel(overwrites: &Value) -> Value {
        json!({"permission_overwrites": overwrites})
    }

    fn lacks(standing: &Standing, overwrites: &Value) -> Vec<&'static str> {
        let held = effective(standing, &roles(), &channel(overwrites));
        missing(held).into_iter().map(|need| need.name).collect()
    }

    #[test]
    fn the_invitation_asks_for_what_is_needed_and_for_nothing_else() {
        let url = invitation("1000&x=1", Some("2000"));
        assert_eq!(
            url,
            "https://discord.com/oauth2/authorize?client_id=10001&scope=bot+applications.commands&permissions=309237763072&guild_id=2000&disable_guild_select=true"
        );
        assert!(!all().contains(Permissions::ADMINISTRATOR) && !all().contains(Permissions::MANAGE_MESSAGES));
    }

    #[test]
    fn rights_are_those_of_everybody_and_of_its_roles() {
        assert_eq!(lacks(&bot(), &json!([])), Vec::<&str>::new());
        let without = Standing { roles: Vec::new(), ..bot() };
        assert!(lacks(&without, &json!([])).contains(&"Send Messages"));
    }

    #[test]
    fn a_channel_denies_and_allows_from_the_wide_to_the_narrow() {
        let send = Permissions::SEND_MESSAGES.bits().to_string();
        let deny = |id: &str| json!({"id": id, "deny": send, "allow": "0"});
        let allow = |id: &str| json!({"id": id, "deny": "0", "allow": send});
        assert_eq!(lacks(&bot(), &json!([deny("1")])), ["Send Messages"]);
        assert_eq!(lacks(&bot(), &json!([deny("1"), allow("5")])), Vec::<&str>::new());
        assert_eq!(lacks(&bot(), &json!([allow("5"), deny("9")])), ["Send Messages"]);
        assert_eq!(lacks(&bot(), &json!([deny("6")])), Vec::<&str>::new(), "a role that it does not have");
    }

    #[test]
    fn without_sight_of_the_channel_nothing_is_left() {
        let view = Permissions::VIEW_CHANNEL.bits().to_string();
        assert_eq!(lacks(&bot(), &json!([{"id": "1", "deny": view, "allow": "0"}])).len(), NEEDS.len());
    }

    #[test]
    fn administrators_and_owners_lack_nothing_and_the_timed_out_only_look() {
        let hidden = json!([{"id": "1", "deny": Permissions::VIEW_CHANNEL.bits().to_string(), "allow": "0"}]);
        let admin = Standing { roles: vec!["6".into()], ..bot() };
        assert_eq!(lacks(&admin, &hidden), Vec::<&str>::new());
        assert_eq!(lacks(&Standing { owner: true, ..bot() }, &hidden), Vec::<&str>::new());
        let out = Standing { timed_out: true, ..bot() };
        assert!(lacks(&out, &json!([])).contains(&"Send Messages"));
        assert!(!lacks(&out, &json!([])).contains(&"View Channel"));
    }
}
