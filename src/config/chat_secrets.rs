//! The secrets of chat platforms: where the file says they are, and what is wrong with them. Never what they hold.

use super::Surroundings;
use super::sections::wrong;
use super::shape::Mistake;
use super::tree::Node;
use crate::chat::secret::{Secret, Source};
use crate::chat::settings::Settings;
use crate::chat::{discord, slack};

/// Whether it is clear where each secret is, and what a platform needs besides.
pub(super) fn check(chat: &Settings, tree: &Node, found: &mut Vec<Mistake>) {
    let slack = chat.slack.as_ref().map(slack::settings::Settings::sources);
    let slack = slack.iter().flatten().map(|source| ("Slack", "chat.slack", *source));
    let discord = chat.discord.as_ref().map(discord::settings::Settings::source);
    let discord = discord.map(|source| ("Discord", "chat.discord", source));
    for (platform, section, source) in slack.chain(discord) {
        if source.file.is_some() == source.env.is_some() {
            let field = source.field;
            let what = format!("it is not clear where {platform}'s {field} is");
            let way_out = format!("give one of {field}File and {field}Env; its value is at {}", source.found);
            found.push(wrong(tree, section, what, way_out));
        }
    }
    for mistake in chat.discord.iter().flat_map(discord::settings::Settings::mistakes) {
        let path = format!("chat.discord.{}", mistake.field);
        found.push(wrong(tree, &path, mistake.what, mistake.way_out));
    }
}

/// Slack's secrets, if it is configured and they can be read.
pub(super) fn slack(
    chat: &Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Option<slack::settings::Secrets> {
    use slack::settings::{Mode, Secrets, WayIn};
    let slack = chat.slack.as_ref()?;
    let [bot, way_in] = slack.sources();
    let mut take = |source| take(("Slack", "chat.slack"), source, surroundings, tree, found);
    let (bot, way_in) = (take(&bot), take(&way_in));
    let way_in = match slack.mode {
        Mode::Socket => WayIn::Socket(way_in?),
        Mode::Http => WayIn::Http(way_in?),
    };
    Some(Secrets { bot: bot?, way_in })
}

/// Discord's secrets, if it is configured and they can be read.
pub(super) fn discord(
    chat: &Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Option<discord::settings::Secrets> {
    let source = chat.discord.as_ref()?.source();
    let bot = take(("Discord", "chat.discord"), &source, surroundings, tree, found)?;
    Some(discord::settings::Secrets { bot })
}

/// The secret; or nothing, and why.
fn take(
    (platform, section): (&str, &str),
    source: &Source<'_>,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Option<Secret> {
    match read(source, surroundings)? {
        Ok(secret) => Some(secret),
        Err(why) => {
            let what = format!("{platform}'s {} cannot be read: {why}", source.field);
            found.push(wrong(tree, section, what, format!("its value is at {}", source.found)));
            None
        }
    }
}

/// `None` where it is not clear where to read; that is told by [`check`].
fn read(source: &Source<'_>, surroundings: &Surroundings<'_>) -> Option<Result<Secret, String>> {
    let text = surroundings.referred(source.file, source.env)?;
    Some(text.and_then(|text| Secret::parse(&text, source)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Config, Environment, Loaded, Surroundings};

    fn read(yaml: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
        let environment: Environment = variables.iter().copied().collect();
        let surroundings = Surroundings { environment: &environment, base: PathBuf::from("nowhere") };
        Config::read("kubemend.yaml", yaml, &surroundings).map_err(|report| report.to_string())
    }

    const BOTH: &str = "chat:\n  fallback: {slack: [C1]}\n  slack: {botTokenEnv: BOT, appTokenEnv: APP}\n";

    #[test]
    fn tokens_are_read_where_the_file_says() {
        let loaded = read(BOTH, &[("BOT", "xoxb-1"), ("APP", "xapp-1")]).expect("no mistakes");
        assert!(loaded.secrets.slack.is_some());
        assert!(read("chat: {fallback: {slack: [C1]}}\n", &[]).expect("no mistakes").secrets.slack.is_none());
    }

    #[test]
    fn what_is_wrong_with_a_token_is_told_with_the_way_out_and_never_the_token() {
        let told = read(BOTH, &[("BOT", "xapp-hunter2")]).err().expect("both are refused");
        assert!(told.contains("does not begin with xoxb-") && told.contains("APP is not set"), "{told}");
        assert!(told.contains("OAuth & Permissions") && !told.contains("hunter2"), "{told}");
        let told = read("chat: {slack: {botTokenEnv: A, botTokenFile: b}}\n", &[]).err().expect("refused");
        assert!(told.contains("not clear where Slack's botToken is"), "{told}");
        assert!(told.contains("not clear where Slack's appToken is"), "{told}");
    }

    #[test]
    fn over_http_the_signing_secret_is_asked_for() {
        let yaml = "chat: {slack: {mode: http, botTokenEnv: BOT, signingSecretEnv: SIGN}}\n";
        assert!(read(yaml, &[("BOT", "xoxb-1"), ("SIGN", "0123abc")]).is_ok());
        let told = read(yaml, &[("BOT", "xoxb-1")]).err().expect("refused");
        assert!(told.contains("signingSecret"), "{told}");
    }

    const DISCORD: &str = "chat:\n  fallback: {discord: [\"1\"]}\n  discord: {botTokenEnv: BOT, applicationId: \"7\", guilds: [\"8\"]}\n";

    #[test]
    fn discords_token_is_read_where_the_file_says() {
        let loaded = read(DISCORD, &[("BOT", "abc.def.hunter2\n")]).expect("no mistakes");
        assert!(loaded.secrets.discord.is_some());
        let told = read(DISCORD, &[("BOT", "Bot hunter2")]).err().expect("refused");
        assert!(told.contains("Discord's botToken cannot be read"), "{told}");
        assert!(told.contains("Reset Token") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn what_discord_needs_is_told_together() {
        let told = read("chat: {discord: {mode: http}}\n", &[]).err().expect("refused");
        for part in ["not clear where Discord's botToken is", "applicationId", "guilds", "publicKey"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let plain = "chat: {discord: {botTokenEnv: BOT, applicationId: \"7\", guilds: [\"8\"], apiUrl: \"http://discord.com/api\"}}\n";
        let told = read(plain, &[("BOT", "t")]).err().expect("refused");
        assert!(told.contains("chat.discord.apiUrl"), "{told}");
    }
}
