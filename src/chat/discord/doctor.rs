//! `kubemend doctor`: is everything set up at Discord's side, and if not, what to click.
//!
//! Reads and posts nothing. What it says about rights is what Discord computes ([`super::permissions`]).

mod channel;

use jiff::Timestamp;
use serde_json::Value;

use super::permissions::{Standing, invitation};
use super::register::{Registered, Where, held, register};
use super::registration::MEND;
use super::settings::{Mode, Secrets, Settings};
use super::web::{Route, Web, WebError};
use crate::chat::card::Mention;
use crate::chat::check::Check;
use crate::incident::Text;

const PORTAL: &str = "discord.com/developers/applications → your app";
/// Fewer sessions left than this is worth a word.
const FEW_SESSIONS: usize = 50;

/// What is to be looked at besides the settings.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The channels that routes and the fallback name.
    pub channels: &'w [Text],
    /// Whom routes call.
    pub mentions: &'w [Mention],
    pub now: Timestamp,
}

/// A server as the bot sees it.
struct Guild {
    standing: Standing,
    roles: Vec<Value>,
}

/// Looks at the token, the application, the way in, the servers, the commands and the channels.
pub async fn examine(settings: &Settings, secrets: &Secrets, wanted: &Wanted<'_>) -> Vec<Check> {
    let web = match Web::new(settings, secrets) {
        Ok(web) => web,
        Err(error) => {
            return vec![Check::bad("TLS", error.to_string(), "install the package `ca-certificates`")];
        }
    };
    let (bot, first) = match web.myself().await {
        Ok(bot) => (bot.id.clone(), Check::good(format!("the bot token is {}'s", bot.name))),
        Err(error) => return vec![Check::bad("the bot token", error.to_string(), token_way_out(&error))],
    };
    let mut checks = vec![first];
    let (application, own) = application(&web, settings).await;
    checks.extend(own);
    checks.push(sessions(&web, settings.mode).await);
    let mut guilds = Vec::new();
    for guild in &settings.guilds {
        match look_at(&web, &application, guild, &bot, wanted.now).await {
            Ok((check, guild)) => {
                checks.push(check);
                guilds.push(guild);
            }
            Err(check) => checks.push(check),
        }
    }
    checks.extend(commands(&web, &application, &guilds).await);
    for id in wanted.channels {
        checks.push(channel::look_at(&web, id, &guilds, wanted.mentions).await);
    }
    checks
}

fn token_way_out(error: &WebError) -> String {
    match error {
        WebError::Api { .. } => {
            format!("{PORTAL} → Bot → Reset Token, and put the new one where chat.discord.botToken… says")
        }
        WebError::RateLimited { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => {
            "see whether this machine reaches discord.com on port 443 (network policy, proxy)".to_owned()
        }
    }
}

/// The application that the token belongs to, whatever the settings say; its key, and where it sends interactions.
async fn application(web: &Web, settings: &Settings) -> (Text, Vec<Check>) {
    let told = match web.call(&Route::get("applications/@me", &[]), None).await {
        Ok(told) => told,
        Err(error) => {
            let check = Check::bad("the application", error.to_string(), "try again");
            return (settings.application_id.clone(), vec![check]);
        }
    };
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let what = format!("chat.discord.applicationId is {}'s", text("name"));
    let id = if text("id") == settings.application_id.as_str() {
        Check::good(what)
    } else {
        let why = format!("the token belongs to application {}", text("id"));
        Check::bad("chat.discord.applicationId", why, format!("write `applicationId: \"{}\"`", text("id")))
    };
    let mut checks = vec![id];
    checks.extend(key(settings, text("verify_key")));
    checks.push(endpoint(settings.mode, text("interactions_endpoint_url")));
    (text("id").into(), checks)
}

fn key(settings: &Settings, theirs: &str) -> Option<Check> {
    let what = "chat.discord.publicKey";
    let own = settings.public_key.as_ref()?;
    if own.eq_ignore_ascii_case(theirs) {
        return Some(Check::good(what));
    }
    let way_out = format!("{PORTAL} → General Information → Public Key; it is {theirs}");
    Some(Check::bad(what, "it is another application's key: every request would be refused", way_out))
}

/// Discord sends interactions one way only.
fn endpoint(mode: Mode, url: &str) -> Check {
    let what = "where Discord sends clicks and commands";
    let field = format!("{PORTAL} → General Information → Interactions Endpoint URL");
    match mode {
        Mode::Gateway if url.is_empty() => Check::good(format!("{what}: over the gateway")),
        Mode::Gateway => {
            let why = format!("they go to {url}, and none comes over the gateway");
            Check::bad(what, why, format!("{field}: empty it and save, or set `mode: http`"))
        }
        Mode::Http if url.ends_with("/discord/interactions") => Check::good(format!("{what}: to {url}")),
        Mode::Http => {
            let why = if url.is_empty() { "nowhere".to_owned() } else { format!("to {url}") };
            let way_out =
                format!("start kubemend, then {field}: https://YOUR-HOST/discord/interactions, and save");
            Check::bad(what, why, way_out)
        }
    }
}

/// How many sessions of the gateway may still be begun today. No intent needs to be switched on.
async fn sessions(web: &Web, mode: Mode) -> Check {
    let what = "the gateway; kubemend needs no privileged intent";
    if mode == Mode::Http {
        return Check::good("the gateway is not needed in mode `http`, nor is any intent");
    }
    match web.gateway().await {
        Ok(gateway) => {
            let limit = &gateway.session_start_limit;
            let left = usize::try_from(limit.remaining).unwrap_or(usize::MAX);
            if left < FEW_SESSIONS {
                let why = format!("only {left} of {} new sessions are left today", limit.total);
                let way_out = "something starts again and again with this token: look for a second kubemend, or a crash";
                return Check::bad(what, why, way_out);
            }
            Check::good(format!("{what}; {left} of {} sessions are left", limit.total))
        }
        Err(error) => {
            let way_out = "see whether this machine reaches discord.com on port 443 (network policy, proxy)";
            Check::bad(what, error.to_string(), way_out)
        }
    }
}

async fn look_at(
    web: &Web,
    application: &Text,
    id: &Text,
    bot: &str,
    now: Timestamp,
) -> Result<(Check, Guild), Check> {
    let missing = |error: WebError| {
        let url = invitation(application, Some(id));
        Check::bad(format!("server {id}"), error.to_string(), format!("kubemend is not in it: open {url}"))
    };
    let told = web.call(&Route::get("guilds/{}", &[id]), None).await.map_err(missing)?;
    let member = web.call(&Route::get("guilds/{}/members/{}", &[id, bot]), None).await.map_err(missing)?;
    let roles: Vec<Text> =
        member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).map(Text::from).collect();
    let until = member["communication_disabled_until"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let standing = Standing {
        guild: id.clone(),
        user: bot.into(),
        owner: told["owner_id"] == bot,
        roles,
        timed_out: until.is_some_and(|until| until > now),
    };
    let name = told["name"].as_str().unwrap_or("?");
    let what = format!("server {id} ({name})");
    let check = if standing.timed_out {
        Check::bad(what, "kubemend is timed out there", "right click on kubemend → Remove Timeout")
    } else {
        Check::good(what)
    };
    let roles = told["roles"].as_array().cloned().unwrap_or_default();
    Ok((check, Guild { standing, roles }))
}

/// Whether `/mend` is registered as this version has it, and only once.
async fn commands(web: &Web, application: &str, guilds: &[Guild]) -> Vec<Check> {
    let everywhere = held(web, application, &Where::Everywhere).await.unwrap_or_default();
    let is_global = everywhere.iter().any(|command| command["name"] == MEND);
    let mut checks = Vec::new();
    if is_global {
        checks.push(registration(web, application, &Where::Everywhere).await);
    }
    for guild in guilds {
        let place = Where::Guild(guild.standing.guild.clone());
        if !is_global {
            checks.push(registration(web, application, &place).await);
            continue;
        }
        let own = held(web, application, &place).await.unwrap_or_default();
        if own.iter().any(|command| command["name"] == MEND) {
            let why = "/mend is registered there and everywhere, so people see it twice";
            let way_out = "type `kubemend discord register --global`, which takes the server's own away";
            checks.push(Check::bad(format!("the commands {place}"), why, way_out));
        }
    }
    checks
}

async fn registration(web: &Web, application: &str, place: &Where) -> Check {
    let what = format!("the commands {place}");
    match register(web, application, place, false).await {
        Ok(Registered::Already | Registered::Anew) => Check::good(what),
        Ok(Registered::Differs) => {
            let way_out = "start kubemend, which registers them, or type `kubemend discord register`";
            Check::bad(what, "they are not those of this version", way_out)
        }
        Err(error) => {
            let guild = match place {
                Where::Guild(guild) => Some(guild.as_str()),
                Where::Everywhere => None,
            };
            let url = invitation(application, guild);
            let way_out = format!("open {url}: it lets the app have commands there");
            Check::bad(what, error.to_string(), way_out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interactions_go_one_way_only() {
        let wrong = |mode, url: &str| endpoint(mode, url).wrong.map(|(why, _)| why);
        assert_eq!(wrong(Mode::Gateway, ""), None);
        assert!(wrong(Mode::Gateway, "https://a/x").expect("wrong").contains("none comes over the gateway"));
        assert_eq!(wrong(Mode::Http, "https://a/discord/interactions"), None);
        assert!(wrong(Mode::Http, "").is_some() && wrong(Mode::Http, "https://a/slack").is_some());
    }

    #[test]
    fn a_key_of_another_application_is_told() {
        let settings = Settings { public_key: Some("AB".to_owned()), ..Settings::default() };
        assert_eq!(key(&settings, "ab").expect("looked at").wrong, None);
        assert!(key(&settings, "cd").expect("looked at").wrong.is_some());
        assert_eq!(key(&Settings::default(), "ab"), None, "the gateway needs none");
    }
}
