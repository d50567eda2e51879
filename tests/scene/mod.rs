//! A simulated cluster, a kubemend that watches it, and a strict fake Slack in which people act; and the
//! transcript of what they saw.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::fake_slack::people::Kind;
use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, SIGNING_SECRET, show};
use crate::support::chat::{self, House};
use crate::support::stage::{Setup, Stage};
use crate::support::story::{self, Story};

/// Ann and Ben may do everything, Vic may look; Gus is a guest, Sam is nobody.
pub const ANN: &str = "UANN";
pub const BEN: &str = "UBEN";
pub const VIC: &str = "UVIC";
pub const GUS: &str = "UGUS";
pub const SAM: &str = "USAM";
pub const ALERTS: &str = "CALERTS";
pub const SPARE: &str = "CSPARE";
/// Is in the group of administrators, and nothing else.
pub const GIL: &str = "UGIL";
pub const ADMINS: &str = "SADMINS";

/// How things are set up, where it matters.
pub struct Wanted<'a> {
    pub pace: f64,
    pub approvals: u8,
    pub lives: &'a str,
    /// The channels and routes.
    pub chat: &'a str,
    pub flags: &'a [&'a str],
    /// Whether Slack calls kubemend instead of being connected to.
    pub http: bool,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        let chat = "  fallback: {slack: [CALERTS]}\n";
        Self { pace: 20.0, approvals: 1, lives: "8h", chat, flags: &[], http: false }
    }
}

/// The way in by Socket Mode, up to its token.
pub const SOCKET: &str = "mode: socket\n    appTokenFile";

/// The section `chat.slack`; `way_in` ends with what takes the name of the second file.
pub fn section(slack: &FakeSlack, bot: &Path, way_in: &str, secret: &Path) -> String {
    format!(
        "  slack:
    botTokenFile: {}
    {way_in}: {}
    apiUrl: {}
    socket: {{connections: 2, pingSeconds: 1, silentSeconds: 2, longestPauseSeconds: 2, reportGapsOverSeconds: 1}}
",
        bot.display(),
        secret.display(),
        slack.api_url(),
    )
}

pub struct Scene {
    pub slack: FakeSlack,
    pub stage: Stage,
    /// What people did and saw.
    story: Story,
    _secrets: TempDir,
}

impl Scene {
    pub async fn start(wanted: &Wanted<'_>) -> Self {
        let slack = FakeSlack::start(&[(ALERTS, "alerts"), (SPARE, "spare")]).await;
        for (id, name, kind) in [
            (ANN, "ann", Kind::Member),
            (BEN, "ben", Kind::Member),
            (VIC, "vic", Kind::Member),
            (SAM, "sam", Kind::Member),
            (GUS, "gus", Kind::Guest),
            (GIL, "gil", Kind::Member),
        ] {
            slack.add_user(id, name, kind);
        }
        slack.with(|state| state.groups.insert(ADMINS.to_owned(), vec![GIL.to_owned()]));
        let secrets = tempfile::tempdir().expect("a temporary folder");
        let (bot, app) = (secrets.path().join("bot"), secrets.path().join("app"));
        std::fs::write(&bot, BOT_TOKEN).expect("it can be written");
        std::fs::write(&app, if wanted.http { SIGNING_SECRET } else { APP_TOKEN })
            .expect("it can be written");
        let Wanted { pace, approvals, lives, flags, http, .. } = *wanted;
        let way_in = if http { "mode: http\n    signingSecretFile" } else { SOCKET };
        let people = format!(
            "    ann: {{roles: [admin], identities: [{{via: slack, id: {ANN}}}]}}
    ben: {{roles: [admin], identities: [{{via: slack, id: {BEN}}}]}}
    vic: {{roles: [viewer], identities: [{{via: slack, id: {VIC}}}]}}
    gus: {{roles: [admin], identities: [{{via: slack, id: {GUS}}}]}}
"
        );
        let groups = format!("  - {{via: slack, id: {ADMINS}, roles: [admin]}}\n");
        let chat = wanted.chat.to_owned() + &section(&slack, &bot, way_in, &app);
        let policy = House { people: &people, groups: &groups, approvals, lives, chat: &chat }.rules();
        let setup = Setup { pace, policy: &policy, people: &[("root", "admin")], flags, ..Setup::default() };
        let stage = Stage::start(&setup).await;
        if http {
            slack.with(|state| state.over_http = Some((stage.bot.url(), SIGNING_SECRET.to_owned())));
        }
        Self { slack, stage, story: Story::default(), _secrets: secrets }
    }

    /// Waits for something to be there.
    pub async fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let seen = || format!("{}\n{}", self.slack.transcript(), self.slack.channel(ALERTS));
        chat::until(what, seen, look).await
    }

    /// The top-level message in a channel whose text holds all of these.
    pub async fn message(&self, channel: &str, holding: &[&str]) -> String {
        let look = || {
            self.slack.posted(channel).into_iter().find_map(|message| {
                let shown = show::message(&message);
                let fits = holding.iter().all(|part| shown.contains(part));
                fits.then(|| message["ts"].as_str().expect("it has a ts").to_owned())
            })
        };
        self.until(&format!("a message in {channel} with {holding:?}"), look).await
    }

    /// Waits until that message shows all of these.
    pub async fn shows(&self, ts: &str, holding: &[&str]) {
        let look = || {
            let shown = self.shown(ts);
            holding.iter().all(|part| shown.contains(part)).then_some(())
        };
        self.until(&format!("the message shows {holding:?}"), look).await;
    }

    /// Waits until somebody alone is shown all of these.
    pub async fn whispers(&self, user: &str, holding: &[&str]) -> String {
        let look =
            || self.slack.whispered(user).filter(|text| holding.iter().all(|part| text.contains(part)));
        self.until(&format!("{user} alone is shown {holding:?}"), look).await
    }

    /// Waits until somebody's modal shows all of these.
    pub async fn modal(&self, user: &str, holding: &[&str]) -> String {
        let look = || self.slack.modal(user).filter(|text| holding.iter().all(|part| text.contains(part)));
        self.until(&format!("{user}'s modal shows {holding:?}"), look).await
    }

    /// Waits until the thread of that message tells all of these.
    pub async fn thread_tells(&self, ts: &str, holding: &[&str]) {
        let look = || {
            let told = self.thread(ts);
            holding.iter().all(|part| told.contains(part)).then_some(())
        };
        self.until(&format!("the thread tells {holding:?}"), look).await;
    }

    pub fn shown(&self, ts: &str) -> String {
        self.slack.with(|state| {
            let all = state.channels.values().flat_map(|channel| channel.messages.iter());
            all.filter(|message| message["ts"] == ts).map(show::message).collect()
        })
    }

    pub fn thread(&self, ts: &str) -> String {
        self.slack.with(|state| {
            let all = state.channels.values().flat_map(|channel| channel.messages.iter());
            all.filter(|message| message["thread_ts"] == ts).map(show::message).collect()
        })
    }

    /// The id of the incident that a message is about.
    pub fn incident(&self, ts: &str) -> String {
        story::incident(&self.shown(ts))
    }

    /// The lines of a text in which one of these words stands, each once.
    pub fn lines(text: &str, words: &[&str]) -> String {
        let mut kept: Vec<&str> = Vec::new();
        for line in text.lines().filter(|line| words.iter().any(|word| line.contains(word))) {
            if !kept.contains(&line) {
                kept.push(line);
            }
        }
        kept.join("\n")
    }

    /// Writes into the story what somebody sees.
    pub fn tell(&mut self, what: &str, text: &str) {
        self.story.tell(what, text);
    }

    /// Ends everything; the story, and that nothing was called from cluster text.
    pub async fn end(self) -> String {
        let pings = self.slack.with(|state| state.pings.clone());
        assert_eq!(pings, Vec::<String>::new(), "nobody is called");
        let refused = self.slack.with(|state| {
            let refusals =
                ["invalid_blocks", "invalid_arguments", "msg_too_long", "msg_blocks_too_long", "no_text"];
            let wrong = state.calls.iter().filter(|call| refusals.contains(&call.outcome.as_str()));
            wrong
                .map(|call| format!("{} {}: {}", call.method, call.outcome, call.arguments))
                .collect::<Vec<_>>()
        });
        assert_eq!(refused, Vec::<String>::new(), "everything that was sent is valid");
        self.stage.end().await;
        self.story.end()
    }

    /// Every incident's message stands once in a channel.
    pub fn nothing_doubled(&self, channel: &str) {
        let ids = self.slack.posted(channel).iter().filter_map(nonce).collect();
        chat::each_once(ids, || self.slack.channel(channel));
    }
}

fn nonce(message: &Value) -> Option<String> {
    message["metadata"]["event_payload"]["nonce"].as_str().map(str::to_owned)
}
