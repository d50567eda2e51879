//! A simulated cluster, a kubemend that watches it, and a strict fake Discord in which people act; and the
//! transcript of what they saw.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::fake_discord::guild::Kind;
use crate::fake_discord::{APPLICATION, BOT_TOKEN, FakeDiscord, GUILD, endpoint, show};
use crate::support::chat::{self, House};
use crate::support::stage::{Setup, Stage};
use crate::support::story::{self, Story};

/// Ann may do everything by name, Ben by his role; Vic may look; Sam is nobody.
pub const ANN: &str = "550000000000000001";
pub const BEN: &str = "550000000000000002";
pub const VIC: &str = "550000000000000003";
pub const SAM: &str = "550000000000000004";
pub const OPERATORS: &str = "330000000000000001";
pub const ALERTS: &str = "440000000000000001";
pub const SPARE: &str = "440000000000000002";
pub const FORUM: &str = "440000000000000003";

/// Longer than anything takes on a busy machine.
pub use crate::support::stage::LONG;

/// How things are set up, where it matters.
pub struct Wanted<'a> {
    pub pace: f64,
    pub approvals: u8,
    pub lives: &'a str,
    /// The channels and routes.
    pub chat: &'a str,
    pub flags: &'a [&'a str],
    /// Whether Discord calls kubemend instead of the other way round.
    pub http: bool,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        let chat = "  fallback: {discord: [\"440000000000000001\"]}\n";
        Self { pace: 20.0, approvals: 1, lives: "8h", chat, flags: &[], http: false }
    }
}

pub struct Scene {
    pub discord: FakeDiscord,
    pub stage: Stage,
    pub story: Story,
    _secrets: TempDir,
}

/// A server with everybody in it.
pub async fn server() -> FakeDiscord {
    let discord = FakeDiscord::start(&[(ALERTS, "alerts"), (SPARE, "spare")]).await;
    discord.add_forum(FORUM, "incidents", &TAGS);
    discord.add_role(OPERATORS, "operators", false);
    discord.add_user(ANN, "ann", Kind::Member, &[]);
    discord.add_user(BEN, "ben", Kind::Member, &[OPERATORS]);
    discord.add_user(VIC, "vic", Kind::Member, &[]);
    discord.add_user(SAM, "sam", Kind::Member, &[]);
    discord.with(|state| {
        state.heartbeat = Duration::from_secs(1);
        // How fast it answers has a benchmark; here nothing may hang on how busy the machine is.
        state.first_within = Duration::from_secs(20);
    });
    discord
}

/// What docs/discord.md tells people to call a forum's tags.
pub const TAGS: [&str; 8] =
    ["open", "needs a decision", "being fixed", "over", "critical", "warning", "info", "night shift"];

/// The section `chat.discord`.
pub fn section(discord: &FakeDiscord, token: &std::path::Path, http: bool) -> String {
    let mode = if http {
        format!("mode: http\n    publicKey: {}", endpoint::public_key())
    } else {
        "mode: gateway".to_owned()
    };
    format!(
        "  discord:
    {mode}
    botTokenFile: {}
    applicationId: \"{APPLICATION}\"
    guilds: [\"{GUILD}\"]
    apiUrl: {}
    gateway: {{silentSeconds: 1, longestPauseSeconds: 2, reportGapsOverSeconds: 1}}
",
        token.display(),
        discord.api_url()
    )
}

impl Scene {
    pub async fn start(wanted: &Wanted<'_>) -> Self {
        let discord = server().await;
        let secrets = tempfile::tempdir().expect("a temporary folder");
        let token = secrets.path().join("bot");
        std::fs::write(&token, BOT_TOKEN).expect("it can be written");
        let Wanted { pace, approvals, lives, flags, http, .. } = *wanted;
        let people = format!(
            "    ann: {{roles: [admin], identities: [{{via: discord, id: \"{ANN}\"}}]}}
    vic: {{roles: [viewer], identities: [{{via: discord, id: \"{VIC}\"}}]}}
"
        );
        let groups = format!("  - {{via: discord, id: \"{OPERATORS}\", roles: [admin]}}\n");
        let chat = wanted.chat.to_owned() + &section(&discord, &token, http);
        let policy = House { people: &people, groups: &groups, approvals, lives, chat: &chat }.rules();
        let setup = Setup { pace, policy: &policy, people: &[("root", "admin")], flags, ..Setup::default() };
        let stage = Stage::start(&setup).await;
        if http {
            let url = format!("{}/discord/interactions", stage.bot.url());
            assert_eq!(endpoint::probe(&url).await, Ok(()), "Discord takes the address");
            discord.with(|state| state.endpoint = Some(url));
        }
        let scene = Self { discord, stage, story: Story::default(), _secrets: secrets };
        scene.until("the commands are registered", || scene.discord.knows("mend status").then_some(())).await;
        scene
    }

    /// Waits for something to be there.
    pub async fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let seen = || format!("{}\n{}", self.discord.transcript(), self.discord.channel(ALERTS));
        chat::until(what, seen, look).await
    }

    /// The message in a channel, or the post in a forum, whose text holds all of these.
    pub async fn message(&self, channel: &str, holding: &[&str]) -> String {
        let look = || {
            self.discord.posted(channel).into_iter().find_map(|message| {
                let shown = show::message(&message);
                let fits = holding.iter().all(|part| shown.contains(part));
                fits.then(|| message["id"].as_str().expect("it has an id").to_owned())
            })
        };
        self.until(&format!("a message in {channel} with {holding:?}"), look).await
    }

    /// Waits until that message shows all of these.
    pub async fn shows(&self, id: &str, holding: &[&str]) {
        let look = || {
            let shown = self.shown(id);
            holding.iter().all(|part| shown.contains(part)).then_some(())
        };
        self.until(&format!("the message shows {holding:?}"), look).await;
    }

    /// Waits until somebody alone is shown all of these.
    pub async fn whispers(&self, user: &str, holding: &[&str]) -> String {
        let look = || {
            let shown = self.discord.whispered(user).map(|body| show::message(&body))?;
            holding.iter().all(|part| shown.contains(part)).then_some(shown)
        };
        self.until(&format!("{user} alone is shown {holding:?}"), look).await
    }

    /// The id of what somebody alone was shown last.
    pub fn whispered(&self, user: &str) -> String {
        let last = self.discord.whispered(user).expect("something was shown");
        last["id"].as_str().expect("it has an id").to_owned()
    }

    /// Waits until somebody's modal shows all of these.
    pub async fn modal(&self, user: &str, holding: &[&str]) -> String {
        let look = || self.discord.modal(user).filter(|text| holding.iter().all(|part| text.contains(part)));
        self.until(&format!("{user}'s modal shows {holding:?}"), look).await
    }

    /// Waits until the thread of that message tells all of these.
    pub async fn thread_tells(&self, id: &str, holding: &[&str]) {
        let look = || {
            let told = self.thread(id);
            holding.iter().all(|part| told.contains(part)).then_some(())
        };
        self.until(&format!("the thread tells {holding:?}"), look).await;
    }

    pub fn shown(&self, id: &str) -> String {
        self.discord.with(|state| state.any_message(id).map(show::message)).unwrap_or_default()
    }

    pub fn thread(&self, id: &str) -> String {
        self.discord.thread(id).iter().map(show::message).collect()
    }

    /// The id of the incident that a message is about.
    pub fn incident(&self, id: &str) -> String {
        story::incident(&self.shown(id))
    }

    /// Something that can be approved: the message, and the label of its button.
    pub async fn proposed(&self) -> (String, String) {
        self.stage.play("stale-subpath").await;
        let id = self.message(ALERTS, &["[*Approve"]).await;
        let label = story::approve_label(&self.shown(&id));
        (id, label)
    }

    /// Writes into the story what somebody sees.
    pub fn tell(&mut self, what: &str, text: &str) {
        self.story.tell(what, text);
    }

    /// Ends everything; the story, and that nobody was called and everything that was sent is valid.
    pub async fn end(self) -> String {
        let (pings, closed, elsewhere) =
            self.discord.with(|state| (state.pings.clone(), state.closed.clone(), state.resumed_elsewhere));
        assert_eq!(pings, Vec::<String>::new(), "nobody is called");
        assert_eq!(self.discord.mistakes(), Vec::<String>::new(), "everything that was sent is valid");
        assert_eq!((closed, elsewhere), (Vec::new(), 0), "the gateway had nothing to complain of");
        self.stage.end().await;
        self.story.end()
    }

    /// Every message in a channel was posted for something else.
    pub fn nothing_doubled(&self, channel: &str) {
        let posted = self.discord.posted(channel);
        let nonces: Vec<String> = self.discord.with(|state| {
            let nonce =
                |message: &Value| state.named.get(message["id"].as_str().unwrap_or_default()).cloned();
            posted.iter().filter_map(nonce).collect()
        });
        assert!(!nonces.is_empty(), "messages have nonces:\n{}", self.discord.channel(channel));
        chat::each_once(nonces, || self.discord.channel(channel));
    }
}
