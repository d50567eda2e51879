//! Which request is which: paths, and what answers them.

use serde_json::{Value, json};

use super::form::Refused;
use super::state::State;
use super::{APPLICATION, BOT_USER, FakeDiscord, callbacks, channels, commands, guild, messages, threads};

/// Every path there is. What is behind `!` needs no token.
const ROUTES: &[&str] = &[
    "GET /gateway!",
    "GET /gateway/bot",
    "GET /users/@me",
    "GET /users/@me/guilds",
    "GET /applications/@me",
    "GET /applications/{application_id}/commands",
    "PUT /applications/{application_id}/commands",
    "GET /applications/{application_id}/guilds/{guild_id}/commands",
    "PUT /applications/{application_id}/guilds/{guild_id}/commands",
    "GET /guilds/{guild_id}",
    "GET /guilds/{guild_id}/channels",
    "GET /guilds/{guild_id}/roles",
    "GET /guilds/{guild_id}/members/{user_id}",
    "GET /guilds/{guild_id}/threads/active",
    "GET /channels/{channel_id}",
    "PATCH /channels/{channel_id}",
    "GET /channels/{channel_id}/messages",
    "POST /channels/{channel_id}/messages",
    "GET /channels/{channel_id}/messages/{message_id}",
    "PATCH /channels/{channel_id}/messages/{message_id}",
    "DELETE /channels/{channel_id}/messages/{message_id}",
    "POST /channels/{channel_id}/messages/{message_id}/threads",
    "POST /channels/{channel_id}/threads",
    "GET /channels/{channel_id}/threads/archived/public",
    "POST /interactions/{interaction_id}/{interaction_token}/callback!",
    "POST /webhooks/{webhook_id}/{webhook_token}!",
    "GET /webhooks/{webhook_id}/{webhook_token}/messages/@original!",
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original!",
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/@original!",
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}!",
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}!",
];

pub struct Route {
    /// `POST /channels/{channel_id}/messages`
    pub name: String,
    /// What stands for the braces.
    pub parts: Vec<String>,
    /// What its bucket is for: a channel, a server, a webhook with its token.
    pub place: String,
    /// Whether it needs no token.
    pub open: bool,
}

/// What somebody asks.
pub struct Asked<'a> {
    pub parts: &'a [String],
    pub query: &'a str,
    pub body: &'a Value,
    pub files: &'a [String],
}

impl Asked<'_> {
    pub fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// The route of a request; words before braces.
pub fn find(method: &str, path: &str) -> Option<Route> {
    let given: Vec<&str> = path.split('/').skip(1).collect();
    let mut routes = ROUTES.iter().filter_map(|route| {
        let (named, open) = route.strip_suffix('!').map_or((*route, false), |named| (named, true));
        let (own, pattern) = named.split_once(' ')?;
        let steps: Vec<&str> = pattern.split('/').skip(1).collect();
        let fits = own == method
            && steps.len() == given.len()
            && steps
                .iter()
                .zip(&given)
                .all(|(step, given)| step.starts_with('{') && !given.is_empty() || step == given);
        fits.then(|| {
            let braces = steps.iter().zip(&given).filter(|(step, _)| step.starts_with('{'));
            let parts: Vec<String> = braces.map(|(_, given)| (*given).to_owned()).collect();
            let major =
                if pattern.starts_with("/webhooks") || pattern.starts_with("/interactions") { 2 } else { 1 };
            let place = parts.iter().take(major).cloned().collect::<Vec<_>>().join("/");
            Route { name: named.to_owned(), parts, place, open }
        })
    });
    // `@original` stands before `{message_id}` in the list.
    routes.next()
}

pub type Outcome = Result<(u16, Value), Refused>;

pub fn call(state: &mut State, route: &str, asked: &Asked<'_>, discord: &FakeDiscord) -> Outcome {
    let part = |index: usize| asked.parts[index].as_str();
    match route {
        "GET /gateway" => Ok((200, json!({"url": format!("ws://{}", discord.inner.sockets)}))),
        "GET /gateway/bot" => {
            let left = state.starts_left;
            Ok((
                200,
                json!({"url": format!("ws://{}", discord.inner.sockets), "shards": 1,
                "session_start_limit": {"total": 1000, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}}),
            ))
        }
        "GET /users/@me" => Ok((200, guild::own_user(state))),
        "GET /users/@me/guilds" => Ok((200, guild::own_guilds(state))),
        "GET /applications/@me" => Ok((200, guild::application(state))),
        "GET /guilds/{guild_id}" => guild::whole(state, part(0)),
        "GET /guilds/{guild_id}/channels" => guild::channels(state, part(0)),
        "GET /guilds/{guild_id}/roles" => guild::roles(state, part(0)),
        "GET /guilds/{guild_id}/members/{user_id}" => guild::member(state, part(0), part(1)),
        "GET /guilds/{guild_id}/threads/active" => threads::active(state, part(0)),
        "GET /channels/{channel_id}" => channels::get(state, part(0)),
        "PATCH /channels/{channel_id}" => channels::change(state, part(0), asked.body),
        "GET /channels/{channel_id}/threads/archived/public" => threads::archived(state, part(0)),
        "GET /channels/{channel_id}/messages" => messages::list(state, part(0), asked),
        "POST /channels/{channel_id}/messages" => messages::post(state, part(0), asked),
        "GET /channels/{channel_id}/messages/{message_id}" => messages::get(state, part(0), part(1)),
        "PATCH /channels/{channel_id}/messages/{message_id}" => {
            messages::edit(state, part(0), part(1), asked)
        }
        "DELETE /channels/{channel_id}/messages/{message_id}" => messages::delete(state, part(0), part(1)),
        "POST /channels/{channel_id}/messages/{message_id}/threads" => {
            threads::from_message(state, part(0), part(1), asked.body)
        }
        "POST /channels/{channel_id}/threads" => threads::post(state, part(0), asked),
        "POST /interactions/{interaction_id}/{interaction_token}/callback" => {
            callbacks::callback(state, part(0), part(1), asked)
        }
        route if route.contains("/webhooks/") => {
            if part(0) != APPLICATION {
                return Err(Refused::new(404, 10015, "Unknown Webhook"));
            }
            callbacks::webhook(state, route, part(1), asked.parts.get(2).map(String::as_str), asked)
        }
        route if route.contains("/commands") => {
            if part(0) != APPLICATION {
                return Err(Refused::new(
                    403,
                    20012,
                    "You are not authorized to perform this action on this application",
                ));
            }
            let guild = asked.parts.get(1).cloned();
            commands::call(state, route.starts_with("PUT"), guild, asked.body)
        }
        other => unreachable!("{other} is in the list of routes of {BOT_USER}"),
    }
}
