//! Sections that belong to no room's own settings, and what has to hold across sections.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Surroundings;
use super::shape::Mistake;
use super::tree::Node;
use crate::api::auth::{Token, TokenHash};
use crate::incident::grouping::Rules;
use crate::incident::{Actor, Text, Via};
use crate::{api, chat, ops};

/// One cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSection {
    /// What it is called in messages, roles and metrics.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$"))]
    pub name: Text,
    #[serde(default)]
    pub source: Source,
    /// The namespaces to watch; all of them where the list is empty.
    #[serde(default)]
    pub namespaces: Vec<Text>,
    /// After so many seconds without a word a watch is taken for dead and opened anew. API servers say
    /// something about once a minute.
    #[serde(default = "watch_silence_seconds")]
    #[schemars(range(min = 5, max = 3600))]
    pub watch_silence_seconds: u32,
}

fn watch_silence_seconds() -> u32 {
    120
}

impl ClusterSection {
    /// The cluster that kubemend runs in.
    pub fn own(name: &str) -> Self {
        Self {
            name: name.into(),
            source: Source::InCluster,
            namespaces: Vec::new(),
            watch_silence_seconds: watch_silence_seconds(),
        }
    }
}

/// Where the access to a cluster comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Source {
    /// The ServiceAccount of the pod that kubemend runs in.
    #[default]
    InCluster,
    /// A kubeconfig file.
    Kubeconfig(Kubeconfig),
}

/// A kubeconfig file, and which of its contexts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubeconfig {
    /// `KUBECONFIG` or `~/.kube/config` where it is left out.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// The current context where it is left out.
    #[serde(default)]
    pub context: Option<String>,
}

/// Where incidents and their entries are kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreSection {
    /// The SQLite file; its folder must exist and be writable.
    pub path: PathBuf,
    /// How many days incidents are kept after they ended.
    #[schemars(range(min = 1, max = 3650))]
    pub retention_days: u32,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self { path: PathBuf::from("/var/lib/kubemend/kubemend.db"), retention_days: 90 }
    }
}

/// When incidents are reported and when they end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IncidentSection {
    /// How much of a playbook's `lasting` is waited before an incident is reported, in percent.
    #[schemars(range(min = 0, max = 1000))]
    pub hold_off_percent: u32,
    /// For how many seconds nothing must show before an incident is resolved.
    #[schemars(range(min = 1, max = 3600))]
    pub settle_seconds: u32,
    /// For how many minutes after its end an incident comes back instead of a new one beginning.
    #[schemars(range(min = 0, max = 10_080))]
    pub reopen_within_minutes: u32,
}

impl Default for IncidentSection {
    fn default() -> Self {
        Self { hold_off_percent: 100, settle_seconds: 30, reopen_within_minutes: 60 }
    }
}

impl IncidentSection {
    /// The rules for incidents.
    pub fn rules(&self) -> Rules {
        Rules {
            hold_off_percent: self.hold_off_percent,
            settle: SignedDuration::from_secs(self.settle_seconds.into()),
            reopen_within: SignedDuration::from_mins(self.reopen_within_minutes.into()),
            ..Rules::default()
        }
    }
}

/// Playbooks besides the shipped ones.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PlaybookSection {
    /// Folders with further playbooks; one with the id of a shipped playbook takes its place.
    pub directories: Vec<PathBuf>,
    /// Ids of playbooks that are switched off.
    pub disabled: Vec<Text>,
}

/// Where in the file something is wrong, told by its path.
pub(super) fn wrong(tree: &Node, path: &str, what: impl Into<String>, way_out: impl Into<String>) -> Mistake {
    Mistake { at: tree.place(path), path: path.to_owned(), what: what.into(), way_out: way_out.into() }
}

pub(super) fn check_clusters(clusters: &[ClusterSection], tree: &Node, found: &mut Vec<Mistake>) {
    let mut names = BTreeSet::new();
    for (index, cluster) in clusters.iter().enumerate() {
        if !names.insert(&cluster.name) {
            let path = format!("clusters[{index}].name");
            found.push(wrong(
                tree,
                &path,
                format!("`{}` is used twice", cluster.name),
                "name each cluster differently",
            ));
        }
    }
}

pub(super) fn check_tokens(api: &api::Settings, tree: &Node, found: &mut Vec<Mistake>) {
    let mut ids = BTreeSet::new();
    for (index, entry) in api.tokens.iter().enumerate() {
        let path = format!("api.tokens[{index}]");
        if !ids.insert(&entry.id) {
            found.push(wrong(
                tree,
                &format!("{path}.id"),
                format!("`{}` is used twice", entry.id),
                "give each token its own id",
            ));
        }
        if places(entry) != 1 {
            let way_out = "give exactly one of tokenFile, tokenEnv, tokenSha256";
            let what = format!("it is not clear where the token of `{}` is", entry.id);
            found.push(wrong(tree, &path, what, way_out));
        }
    }
}

/// In how many ways the entry says where its token is.
fn places(entry: &api::TokenEntry) -> usize {
    let given = [entry.token_file.is_some(), entry.token_env.is_some(), entry.token_sha256.is_some()];
    given.iter().filter(|given| **given).count()
}

pub(super) fn check_log(log: &ops::Settings, tree: &Node, found: &mut Vec<Mistake>) {
    if let Err(error) = log.parse_filter() {
        found.push(wrong(
            tree,
            "log.filter",
            error,
            "write a level such as `info`, or `warn,kubemend::engine=debug`",
        ));
    }
}

pub(super) fn check_chat(chat: &chat::settings::Settings, tree: &Node, found: &mut Vec<Mistake>) {
    let mistakes = chat::route::Routes::new(chat).err().unwrap_or_default();
    found.extend(mistakes.into_iter().map(|m| wrong(tree, &format!("chat.{}", m.path), m.what, m.way_out)));
}

/// The folder of templates, with its place made plain; and what is wrong with the templates in it.
pub(super) fn templates(
    chat: &mut chat::settings::Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) {
    chat.templates = chat.templates.take().map(|folder| surroundings.base.join(folder));
    let folder = chat.templates.as_deref();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let what = format!("{} is no folder", folder.display());
        found.push(wrong(tree, "chat.templates", what, "name a folder with templates, or leave it out"));
        return;
    }
    let known = chat::words::LOCALES.contains(&chat.locale.as_str());
    if !known && folder.is_none_or(|folder| !folder.join(&chat.locale).is_dir()) {
        let what = format!("there are no words of `{}`", chat.locale);
        let way_out = format!(
            "use one of {}, or put its words into a folder and name that in chat.templates",
            chat::words::LOCALES.join(", ")
        );
        found.push(wrong(tree, "chat.locale", what, way_out));
        return;
    }
    let Some(folder) = folder else { return };
    check_templates("chat.templates", folder, std::slice::from_ref(&chat.locale), tree, found);
}

/// The console's folder, from where the file is, and what is wrong in it.
pub(super) fn console_templates(
    console: &mut chat::console::Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) {
    console.templates = console.templates.take().map(|folder| surroundings.base.join(folder));
    let Some(folder) = console.templates.as_deref() else { return };
    if folder.is_dir() {
        check_templates("console.templates", folder, &[], tree, found);
    } else {
        let what = format!("{} is no folder", folder.display());
        found.push(wrong(tree, "console.templates", what, "name a folder with templates, or leave it out"));
    }
}

fn check_templates(path: &str, folder: &Path, locales: &[String], tree: &Node, found: &mut Vec<Mistake>) {
    for mistake in chat::templates::check(Some(folder), locales).err().unwrap_or_default() {
        let way_out = if mistake.way_out.is_empty() {
            "`kubemend templates lint` says the same".to_owned()
        } else {
            mistake.way_out.clone()
        };
        let place = chat::templates::Mistake { way_out: String::new(), ..mistake };
        found.push(wrong(tree, path, place.to_string(), way_out));
    }
}

/// The tokens' hashes. Says which reference cannot be followed, never what it holds.
pub(super) fn tokens(
    api: &api::Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, entry) in api.tokens.iter().enumerate().filter(|(_, entry)| places(entry) == 1) {
        let actor = Actor {
            via: Via::Api,
            id: entry.id.clone(),
            name: entry.name.clone().unwrap_or_else(|| entry.id.clone()),
        };
        match hash(entry, surroundings) {
            Ok(hash) => tokens.push(Token { actor, hash }),
            Err(why) => {
                let path = format!("api.tokens[{index}]");
                let what = format!("the token of `{}` cannot be read: {why}", entry.id);
                found.push(wrong(tree, &path, what, "put a token of at least 16 characters there"));
            }
        }
    }
    tokens
}

fn hash(entry: &api::TokenEntry, surroundings: &Surroundings<'_>) -> Result<TokenHash, String> {
    if let Some(hex) = &entry.token_sha256 {
        return TokenHash::parse(hex).ok_or_else(|| "tokenSha256 is not a SHA-256 in hexadecimal".to_owned());
    }
    if let Some(name) = &entry.token_env {
        let value = surroundings.variable(name)?;
        return TokenHash::of_token(&value).map_err(|why| format!("{why}: variable {name}"));
    }
    let Some(file) = &entry.token_file else {
        return Err("nothing says where it is".to_owned());
    };
    let text = surroundings.text(file)?;
    TokenHash::of_token(&text).map_err(|why| format!("{why}: {}", surroundings.base.join(file).display()))
}
