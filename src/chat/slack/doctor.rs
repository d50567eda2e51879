//! `kubemend doctor`: is everything set up at Slack's side, and if not, what to click.

use super::manifest::SCOPES;
use super::settings::{Secrets, Settings, WayIn};
use super::web::{Web, WebError};
use crate::chat::check::Check;
use crate::incident::Text;

const PERMISSIONS: &str = "api.slack.com/apps → your app → OAuth & Permissions";

/// Looks at the tokens, the scopes and the channels. Posts nothing.
pub async fn examine(settings: &Settings, secrets: &Secrets, channels: &[Text]) -> Vec<Check> {
    let web = match Web::new(&settings.api_url, secrets) {
        Ok(web) => web,
        Err(error) => {
            let way_out = "install the package `ca-certificates`";
            return vec![Check::bad("TLS", error.to_string(), way_out)];
        }
    };
    let mut checks = vec![bot(&web).await];
    if checks[0].wrong.is_some() {
        return checks;
    }
    checks.push(scopes(&web).await);
    checks.push(groups(&web).await);
    checks.push(way_in(&web, secrets).await);
    for channel in channels {
        checks.push(look_at(&web, channel).await);
    }
    checks
}

async fn bot(web: &Web) -> Check {
    match web.myself().await {
        Ok(myself) => Check::good(format!("the bot token is {}'s in {}", myself.name, myself.team_name)),
        Err(error) => Check::bad("the bot token", error.to_string(), token_way_out(&error)),
    }
}

fn token_way_out(error: &WebError) -> String {
    match error {
        WebError::Api { .. } => {
            format!("{PERMISSIONS} → Install to Workspace, and copy the Bot User OAuth Token")
        }
        WebError::RateLimited { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => {
            "see whether this machine reaches slack.com on port 443 (network policy, proxy)".to_owned()
        }
    }
}

async fn scopes(web: &Web) -> Check {
    let what = "the scopes of the bot token";
    let has = match web.scopes().await {
        Ok(has) => has,
        Err(error) => return Check::bad(what, error.to_string(), "try again"),
    };
    let missing: Vec<String> = SCOPES
        .iter()
        .filter(|(scope, _)| !has.iter().any(|held| held == scope))
        .map(|(scope, why)| format!("{scope} ({why})"))
        .collect();
    if missing.is_empty() {
        return Check::good(what);
    }
    let way_out = format!("{PERMISSIONS} → Bot Token Scopes: add them, then Reinstall to Workspace");
    Check::bad(what, format!("missing: {}", missing.join(", ")), way_out)
}

/// Roles may rest on user groups; whether they can be read shows before somebody is refused.
async fn groups(web: &Web) -> Check {
    let what = "user groups";
    match web.get("usergroups.list", &[("include_users", "true")]).await {
        Ok(_) => Check::good(what),
        Err(error) => {
            let way_out = format!(
                "until they can be read, roles that are given to groups (`gate.groups`) do not count; {PERMISSIONS} → Bot Token Scopes: usergroups:read"
            );
            Check::bad(what, error.to_string(), way_out)
        }
    }
}

async fn way_in(web: &Web, secrets: &Secrets) -> Check {
    let WayIn::Socket(_) = &secrets.way_in else {
        return Check::good(
            "the signing secret is there; whether it is the right one shows with the first request",
        );
    };
    let what = "Socket Mode with the app-level token";
    match web.open_connection().await {
        Ok(_) => Check::good(what),
        Err(error) => {
            let way_out = match error.code() {
                Some(_) => {
                    "api.slack.com/apps → your app → Socket Mode: switch it on; → Basic Information → App-Level Tokens: generate one with connections:write"
                }
                None => "see whether this machine reaches slack.com on port 443 (network policy, proxy)",
            };
            Check::bad(what, error.to_string(), way_out)
        }
    }
}

async fn look_at(web: &Web, channel: &Text) -> Check {
    let what = format!("channel {channel}");
    let told = match web.get("conversations.info", &[("channel", channel)]).await {
        Ok(told) => told,
        Err(error) => {
            let way_out = "give the id that stands at the end of the channel's details (C…); for a private channel, type `/invite @kubemend` there first";
            return Check::bad(what, error.to_string(), way_out);
        }
    };
    let about = &told["channel"];
    let what = format!("channel {channel} (#{})", about["name"].as_str().unwrap_or("?"));
    if about["is_archived"] == true {
        return Check::bad(what, "it is archived", "unarchive it, or route to another one");
    }
    if about["is_member"] != true {
        return Check::bad(what, "kubemend is not in it", "type `/invite @kubemend` there");
    }
    Check::good(what)
}
