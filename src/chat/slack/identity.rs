//! Who somebody is: asked of Slack, kept for a few minutes, never taken from the payload.
//!
//! Guests, bots, deactivated users and people of other workspaces are recognised here and refused by
//! [`Caller::of`](crate::chat::identity::Caller::of). If Slack does not answer, what was known a little while
//! ago still serves; whoever was never looked up is nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex as AsyncMutex;

use super::inbound::Asker;
use super::web::{Web, WebError};
use crate::chat::identity::{PlatformUser, Standing};
use crate::incident::{Text, Via};

/// The most users that are remembered.
const MOST: usize = 2_000;
/// The most user groups, and members of one, that are read.
const MOST_GROUPS: usize = 1_000;
const MOST_MEMBERS: usize = 5_000;
/// While Slack does not answer, what is known serves this many times as long.
pub(super) const STRETCH: u32 = 3;
/// How long to wait before groups that could not be read are asked for again.
const AGAIN: Duration = Duration::from_secs(10);

/// People of the workspace, as Slack describes them.
pub struct People {
    web: Arc<Web>,
    lives: Duration,
    team: AsyncMutex<Option<Text>>,
    users: Mutex<HashMap<Text, Known>>,
    groups: AsyncMutex<Option<Held>>,
    /// Why groups cannot be read right now, if nothing that is known serves meanwhile.
    doubt: Mutex<Option<String>>,
}

pub(super) type Groups = BTreeMap<Text, BTreeSet<Text>>;

/// The groups as they were at a time, and when they were asked for last.
struct Held {
    at: Option<Instant>,
    tried: Instant,
    groups: Groups,
}

#[derive(Clone)]
struct Known {
    at: Instant,
    name: Text,
    standing: Standing,
}

/// The parts of a user that matter.
#[expect(clippy::struct_excessive_bools, reason = "Slack says it in flags")]
#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    team_id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    is_workflow_bot: bool,
    #[serde(default)]
    is_restricted: bool,
    #[serde(default)]
    is_ultra_restricted: bool,
    #[serde(default)]
    is_stranger: bool,
    /// Present for people of an organisation with several workspaces.
    #[serde(default, rename = "enterprise_user")]
    of_organisation: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Profile {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    real_name: String,
}

#[derive(Debug, Deserialize)]
struct Group {
    id: Text,
    #[serde(default)]
    users: Vec<Text>,
}

impl People {
    /// Nobody is known yet.
    pub fn new(web: Arc<Web>, lives: Duration) -> Self {
        Self {
            web,
            lives,
            team: AsyncMutex::default(),
            users: Mutex::default(),
            groups: AsyncMutex::default(),
            doubt: Mutex::default(),
        }
    }

    /// Who acted.
    pub async fn who(&self, asker: &Asker) -> Result<PlatformUser, WebError> {
        let known = self.known(&asker.user).await?;
        let groups = match known.standing {
            Standing::Member => self.groups_of(&asker.user).await,
            Standing::Guest
            | Standing::Bot
            | Standing::Deactivated
            | Standing::Silenced
            | Standing::Pending
            | Standing::Elsewhere => BTreeSet::new(),
        };
        let Known { name, standing, .. } = known;
        Ok(PlatformUser { via: Via::Slack, id: asker.user.clone(), name, groups, standing })
    }

    /// Why Slack cannot say who is in which group, if it cannot: roles that rest on groups may not count then.
    pub fn doubt(&self) -> Option<String> {
        self.doubt.lock().clone()
    }

    /// Everybody's groups, asked anew; nothing where Slack does not answer.
    pub(super) async fn all_groups(&self) -> Option<Groups> {
        let mut held = self.groups.lock().await;
        let now = Instant::now();
        match self.ask_groups().await {
            Ok(groups) => {
                *self.doubt.lock() = None;
                *held = Some(Held { at: Some(now), tried: now, groups: groups.clone() });
                Some(groups)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "user groups cannot be read");
                *self.doubt.lock() = Some(error.to_string());
                None
            }
        }
    }

    async fn known(&self, id: &Text) -> Result<Known, WebError> {
        let held = self.users.lock().get(id).cloned();
        if let Some(known) = held.as_ref().filter(|known| known.at.elapsed() < self.lives) {
            return Ok(known.clone());
        }
        match self.ask(id).await {
            Ok(known) => {
                self.keep(id, &known);
                Ok(known)
            }
            Err(error) => {
                let serves = held.filter(|known| known.at.elapsed() < self.lives * STRETCH && passes(&error));
                serves.ok_or(error)
            }
        }
    }

    async fn ask(&self, id: &Text) -> Result<Known, WebError> {
        let team = self.team().await?;
        let mut told = match self.web.get("users.info", &[("user", id)]).await {
            Err(error) if error.code() == Some("user_not_found") => return Ok(Known::nobody(id)),
            told => told?,
        };
        let user: User = match serde_json::from_value(told["user"].take()) {
            Ok(user) => user,
            Err(_) => return Ok(Known::nobody(id)),
        };
        let name = [&user.profile.display_name, &user.profile.real_name, &user.name]
            .into_iter()
            .find(|name| !name.trim().is_empty());
        let name = Text::from(name.map_or(id.as_str(), |name| name.trim()));
        Ok(Known { at: Instant::now(), name, standing: standing(&user, &team) })
    }

    fn keep(&self, id: &Text, known: &Known) {
        let mut users = self.users.lock();
        if users.len() >= MOST {
            let lives = self.lives;
            users.retain(|_, known| known.at.elapsed() < lives);
        }
        if users.len() >= MOST {
            users.clear();
        }
        users.insert(id.clone(), known.clone());
    }

    /// The workspace that the bot is in.
    async fn team(&self) -> Result<Text, WebError> {
        let mut team = self.team.lock().await;
        if let Some(known) = team.as_ref() {
            return Ok(known.clone());
        }
        let told = Text::from(self.web.myself().await?.team);
        *team = Some(told.clone());
        Ok(told)
    }

    /// Without an answer nobody is in a group that was not known: a group can only add rights.
    async fn groups_of(&self, user: &Text) -> BTreeSet<Text> {
        let mut held = self.groups.lock().await;
        let due = held.as_ref().is_none_or(|held| held.is_due(self.lives));
        if due {
            let now = Instant::now();
            match self.ask_groups().await {
                Ok(groups) => {
                    *self.doubt.lock() = None;
                    *held = Some(Held { at: Some(now), tried: now, groups });
                }
                Err(error) => {
                    *self.doubt.lock() = Some(error.to_string());
                    tracing::warn!(error = &error as &dyn std::error::Error, "user groups cannot be read");
                    let serves = |held: &Held| passes(&error) && !held.is_older(self.lives * STRETCH);
                    *held = Some(match held.take().filter(serves) {
                        Some(known) => Held { tried: now, ..known },
                        None => Held { at: None, tried: now, groups: Groups::new() },
                    });
                }
            }
        }
        held.as_ref().and_then(|held| held.groups.get(user).cloned()).unwrap_or_default()
    }

    async fn ask_groups(&self) -> Result<Groups, WebError> {
        let mut told = self.web.get("usergroups.list", &[("include_users", "true")]).await?;
        let groups: Vec<Group> = serde_json::from_value(told["usergroups"].take()).unwrap_or_default();
        let mut by_user = Groups::new();
        for group in groups.into_iter().take(MOST_GROUPS) {
            for user in group.users.into_iter().take(MOST_MEMBERS) {
                by_user.entry(user).or_default().insert(group.id.clone());
            }
        }
        Ok(by_user)
    }
}

impl Held {
    /// Nobody waits for an answer that did not come a moment ago.
    fn is_due(&self, lives: Duration) -> bool {
        self.is_older(lives) && (self.at.is_some_and(|at| at == self.tried) || self.tried.elapsed() >= AGAIN)
    }

    fn is_older(&self, time: Duration) -> bool {
        self.at.is_none_or(|at| at.elapsed() >= time)
    }
}

impl Known {
    /// Somebody Slack does not know.
    fn nobody(id: &Text) -> Self {
        Self { at: Instant::now(), name: id.clone(), standing: Standing::Elsewhere }
    }
}

/// Whether the failure says nothing about the person and will pass.
fn passes(error: &WebError) -> bool {
    match error {
        WebError::RateLimited { .. } | WebError::NotSent { .. } | WebError::Unknown { .. } => true,
        WebError::Api { .. } => false,
    }
}

fn standing(user: &User, team: &Text) -> Standing {
    let other_team = user.of_organisation.is_none() && user.team_id.as_deref().is_some_and(|id| team != id);
    if user.deleted {
        Standing::Deactivated
    } else if user.is_bot || user.is_workflow_bot {
        Standing::Bot
    } else if user.is_stranger || other_team || user.is_restricted || user.is_ultra_restricted {
        Standing::Guest
    } else {
        Standing::Member
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(user: &Value) -> Standing {
        standing(&serde_json::from_value(user.clone()).expect("a user"), &"T1".into())
    }

    #[test]
    fn only_full_people_of_the_workspace_are_members() {
        assert_eq!(judged(&json!({"team_id": "T1", "name": "ann"})), Standing::Member);
        assert_eq!(judged(&json!({"team_id": "T1", "deleted": true})), Standing::Deactivated);
        assert_eq!(judged(&json!({"team_id": "T1", "is_bot": true})), Standing::Bot);
        assert_eq!(judged(&json!({"team_id": "T1", "is_workflow_bot": true})), Standing::Bot);
        assert_eq!(judged(&json!({"team_id": "T1", "is_restricted": true})), Standing::Guest);
        assert_eq!(judged(&json!({"team_id": "T1", "is_ultra_restricted": true})), Standing::Guest);
        assert_eq!(judged(&json!({"team_id": "T2"})), Standing::Guest);
        assert_eq!(judged(&json!({"team_id": "T1", "is_stranger": true})), Standing::Guest);
        let grid = json!({"team_id": "T2", "enterprise_user": {"id": "W1", "teams": ["T1", "T2"]}});
        assert_eq!(judged(&grid), Standing::Member);
    }
}
