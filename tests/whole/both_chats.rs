//! Slack and Discord at once, on one incident: both show one truth, and people are people on either.

use crate::discord_scene::{ALERTS, ANN};
use crate::fake_discord::FakeDiscord;
use crate::fake_slack::FakeSlack;
use crate::fake_slack::people::Kind;
use crate::support::chat::{self, House};
use crate::support::stage::{Setup, Stage};
use crate::support::story::{Story, approve_label};
use tempfile::TempDir;

const CHANNEL: &str = "CALERTS";
const SLACK_ANN: &str = "UANN";
const SLACK_BEN: &str = "UBEN";

/// Both platforms, kubemend and a cluster.
struct Both {
    slack: FakeSlack,
    discord: FakeDiscord,
    stage: Stage,
    _secrets: TempDir,
}

/// Who somebody is: identities of the gate's people.
const ONE_PERSON: &str = "    ann: {roles: [admin], identities: [{via: slack, id: UANN}, {via: discord, id: \"550000000000000001\"}]}\n    ben: {roles: [admin], identities: [{via: slack, id: UBEN}]}\n";

impl Both {
    async fn start(approvals: u8) -> Self {
        let discord = crate::discord_scene::server().await;
        let slack = FakeSlack::start(&[(CHANNEL, "alerts")]).await;
        slack.add_user(SLACK_ANN, "ann", Kind::Member);
        slack.add_user(SLACK_BEN, "ben", Kind::Member);
        let secrets = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, secret: &str| {
            let path = secrets.path().join(name);
            std::fs::write(&path, secret).expect("it can be written");
            path
        };
        let bot = write("bot", crate::fake_slack::BOT_TOKEN);
        let app = write("app", crate::fake_slack::APP_TOKEN);
        let token = write("discord", crate::fake_discord::BOT_TOKEN);
        let fallback = format!("  fallback: {{slack: [{CHANNEL}], discord: [\"{ALERTS}\"]}}\n");
        let in_slack = crate::scene::section(&slack, &bot, crate::scene::SOCKET, &app);
        let chat = fallback + &in_slack + &crate::discord_scene::section(&discord, &token, false);
        let house = House { people: ONE_PERSON, groups: "", approvals, lives: "8h", chat: &chat };
        let policy = house.rules();
        let setup = Setup { policy: &policy, people: &[("root", "admin")], ..Setup::default() };
        let stage = Stage::start(&setup).await;
        Self { slack, discord, stage, _secrets: secrets }
    }

    async fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let seen = || format!("{}\n{}", self.discord.transcript(), self.slack.transcript());
        chat::until(what, seen, look).await
    }

    /// The message in Slack and that in Discord, when both show these.
    async fn show(&self, parts: &[&str]) -> (String, String) {
        self.until(&format!("both show {parts:?}"), || {
            let holds = |shown: &str| parts.iter().all(|part| shown.contains(part));
            let slack = self
                .slack
                .posted(CHANNEL)
                .into_iter()
                .find(|m| holds(&crate::fake_slack::show::message(m)))?;
            let discord = self
                .discord
                .posted(ALERTS)
                .into_iter()
                .find(|m| holds(&crate::fake_discord::show::message(m)))?;
            Some((slack["ts"].as_str()?.to_owned(), discord["id"].as_str()?.to_owned()))
        })
        .await
    }

    fn in_slack(&self, ts: &str) -> String {
        self.slack
            .with(|state| state.message(CHANNEL, ts).map(crate::fake_slack::show::message))
            .unwrap_or_default()
    }

    fn in_discord(&self, id: &str) -> String {
        self.discord
            .with(|state| state.message(ALERTS, id).map(crate::fake_discord::show::message))
            .unwrap_or_default()
    }

    fn slack_thread(&self, ts: &str) -> String {
        self.slack.with(|state| {
            let replies =
                state.channels[CHANNEL].messages.iter().filter(|message| message["thread_ts"] == ts);
            replies.map(crate::fake_slack::show::message).collect()
        })
    }

    fn discord_thread(&self, id: &str) -> String {
        self.discord.thread(id).iter().map(crate::fake_discord::show::message).collect()
    }

    async fn threads_tell(&self, (ts, id): &(String, String), parts: &[&str]) {
        let holds = |told: &str| parts.iter().all(|part| told.contains(part));
        self.until(&format!("both threads tell {parts:?}"), || {
            (holds(&self.slack_thread(ts)) && holds(&self.discord_thread(id))).then_some(())
        })
        .await;
    }

    fn told(&self, story: &mut Story, what: &str, (ts, id): &(String, String)) {
        story.tell(&format!("{what}, in Slack"), &self.in_slack(ts));
        story.tell(&format!("{what}, in Discord"), &self.in_discord(id));
    }

    async fn end(self) {
        assert_eq!(self.discord.mistakes(), Vec::<String>::new());
        assert_eq!(
            (self.slack.posted(CHANNEL).len(), self.discord.posted(ALERTS).len()),
            (1, 1),
            "one message each"
        );
        self.stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_in_discord_is_seen_in_slack() {
    let both = Both::start(1).await;
    let mut story = Story::default();
    both.stage.play("stale-subpath").await;
    let at = both.show(&["[*Approve"]).await;
    both.told(&mut story, "first sight", &at);
    let label = approve_label(&both.in_discord(&at.1));
    both.discord.click(ANN, ALERTS, &at.1, &label).await;
    both.show(&["fixed", "approved by ann", "over since"]).await;
    both.threads_tell(&at, &["ann approved", "Carrying out", "Fixed. Checked"]).await;
    both.told(&mut story, "in the end", &at);
    assert_eq!(both.stage.written().len(), 1);
    both.end().await;
    insta::assert_snapshot!(story.end());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_in_slack_is_seen_in_discord_and_both_at_once_is_once() {
    let both = Both::start(1).await;
    both.stage.play("stale-subpath").await;
    let at = both.show(&["[*Approve"]).await;
    let label = approve_label(&both.in_slack(&at.0));
    let (in_slack, in_discord) = tokio::join!(
        both.slack.click(SLACK_BEN, CHANNEL, &at.0, &label),
        both.discord.click(ANN, ALERTS, &at.1, &label)
    );
    both.slack.acknowledged(&in_slack).await;
    both.discord.acknowledged(&in_discord).await;
    both.show(&["fixed"]).await;
    both.threads_tell(&at, &["Carrying out", "Fixed. Checked"]).await;
    assert_eq!(both.stage.written().len(), 1, "it was carried out once");
    for told in [both.slack_thread(&at.0), both.discord_thread(&at.1)] {
        assert_eq!(told.matches("Carrying out").count(), 1, "{told}");
    }
    both.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_on_two_platforms_is_one_approver_and_two_people_are_two() {
    let both = Both::start(2).await;
    both.stage.play("stale-subpath").await;
    let at = both.show(&["[*Approve"]).await;
    let label = approve_label(&both.in_slack(&at.0));
    both.slack.click(SLACK_ANN, CHANNEL, &at.0, &label).await;
    both.show(&["1 of 2 approvals"]).await;
    both.discord.click(ANN, ALERTS, &at.1, &label).await;
    let refused = || {
        let said = crate::fake_discord::show::message(&both.discord.whispered(ANN)?);
        said.contains("Not done").then_some(said)
    };
    let said = both.until("the same ann is told that she has approved", refused).await;
    assert_eq!(both.stage.sent(), [], "{said}");
    both.slack.click(SLACK_BEN, CHANNEL, &at.0, &label).await;
    both.show(&["fixed"]).await;
    both.threads_tell(&at, &["ann approved", "ben approved", "Fixed. Checked"]).await;
    assert_eq!(both.stage.written().len(), 1);
    both.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_platform_is_down_the_other_goes_on_and_it_catches_up() {
    let both = Both::start(1).await;
    both.stage.play("stale-subpath").await;
    let at = both.show(&["[*Approve"]).await;
    let rule = crate::fake_discord::Fault::Status(503);
    both.discord.fail_for("", rule, std::time::Duration::from_secs(15));
    let label = approve_label(&both.in_slack(&at.0));
    both.slack.click(SLACK_ANN, CHANNEL, &at.0, &label).await;
    both.until("Slack shows it fixed", || both.in_slack(&at.0).contains("fixed").then_some(())).await;
    both.show(&["fixed"]).await;
    both.threads_tell(&at, &["ann approved", "Fixed. Checked"]).await;
    both.end().await;
}
