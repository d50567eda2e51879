//! kubemend's configuration: one YAML file, read once.
//!
//! Each room owns its section; this room nests them, reads the file and the environment, resolves what is
//! only referred to (tokens), and reports every mistake together, with its line and column and the way out.
//! Refuses unknown keys, and refuses to print a secret.

mod chat_secrets;
mod console;
mod environment;
mod people;
mod report;
mod sections;
pub mod shape;
pub mod tree;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

pub use environment::Environment;
pub use report::Report;
pub use sections::{ClusterSection, IncidentSection, PlaybookSection, Source, StoreSection};

use crate::api::auth::Tokens;
use crate::gate::{GateConfig, Policy};
use crate::{api, chat, ops};
use shape::Mistake;
use tree::Node;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The clusters to watch. Without any, kubemend watches the one it runs in.
    pub clusters: Vec<ClusterSection>,
    /// Who may do what. Nobody may do anything unless it is said here.
    pub gate: GateConfig,
    pub api: api::Settings,
    pub console: chat::console::Settings,
    pub store: StoreSection,
    pub incidents: IncidentSection,
    pub playbooks: PlaybookSection,
    /// Where incidents are told, and in which words.
    pub chat: chat::settings::Settings,
    pub log: ops::Settings,
}

/// A configuration without mistakes, and the secrets it refers to.
#[derive(Clone)]
pub struct Loaded {
    pub config: Config,
    pub policy: Policy,
    pub tokens: Tokens,
    pub secrets: Secrets,
}

/// What other sections refer to. It has no `Debug`: it is given to whoever needs it and shown to nobody.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The secret of the identity provider's client.
    pub oidc: Option<String>,
    /// Slack's, where it is configured.
    pub slack: Option<chat::slack::settings::Secrets>,
    /// Discord's, where it is configured.
    pub discord: Option<chat::discord::settings::Secrets>,
}

impl Config {
    /// Reads a file and everything it refers to.
    pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, Report> {
        let (name, text) = open(path)?;
        let base = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        Self::read(&name, &text, &Surroundings { environment, base })
    }

    /// Reads a file without following its references to secrets.
    pub fn load_text(path: &Path) -> Result<Self, Report> {
        let (name, text) = open(path)?;
        Self::parse(&name, &text)
    }

    /// Reads a configuration from its text; `name` stands in reports.
    pub fn parse(name: &str, text: &str) -> Result<Self, Report> {
        let report = |mistakes| Report::new(name, mistakes);
        let (config, tree) = typed(text).map_err(report)?;
        let (_, mistakes) = config.judge(&tree);
        if mistakes.is_empty() { Ok(config) } else { Err(report(mistakes)) }
    }

    /// The JSON Schema of the file, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_deserialize()
            .into_generator()
            .into_root_schema_for::<Self>()
            .to_value()
    }

    fn read(name: &str, text: &str, surroundings: &Surroundings<'_>) -> Result<Loaded, Report> {
        let (mut config, tree) = typed(text).map_err(|mistakes| Report::new(name, mistakes))?;
        let (policy, mut mistakes) = config.judge(&tree);
        let tokens = sections::tokens(&config.api, surroundings, &tree, &mut mistakes);
        sections::templates(&mut config.chat, surroundings, &tree, &mut mistakes);
        sections::console_templates(&mut config.console, surroundings, &tree, &mut mistakes);
        let oidc = console::client_secret(&config.console, surroundings, &tree, &mut mistakes);
        let slack = chat_secrets::slack(&config.chat, surroundings, &tree, &mut mistakes);
        let discord = chat_secrets::discord(&config.chat, surroundings, &tree, &mut mistakes);
        let secrets = Secrets { oidc, slack, discord };
        match policy.filter(|_| mistakes.is_empty()) {
            Some(policy) => Ok(Loaded { config, policy, tokens: Tokens::new(tokens), secrets }),
            None => Err(Report::new(name, mistakes)),
        }
    }

    /// What the schema cannot say; and the policy, if it has no mistakes.
    fn judge(&self, tree: &Node) -> (Option<Policy>, Vec<Mistake>) {
        let mut found = Vec::new();
        sections::check_clusters(&self.clusters, tree, &mut found);
        sections::check_tokens(&self.api, tree, &mut found);
        console::check(&self.console, &self.gate, tree, &mut found);
        sections::check_log(&self.log, tree, &mut found);
        sections::check_chat(&self.chat, tree, &mut found);
        chat_secrets::check(&self.chat, tree, &mut found);
        let policy = people::policy(&self.gate, &self.api.tokens, tree, &mut found);
        (policy, found)
    }
}

/// What the file may refer to.
struct Surroundings<'e> {
    environment: &'e Environment,
    /// Relative paths start here: the folder of the file.
    base: PathBuf,
}

impl Surroundings<'_> {
    /// What a file holds, or why it cannot be had.
    fn text(&self, file: &Path) -> Result<String, String> {
        let path = self.base.join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What a variable holds, or that it is not set.
    fn variable(&self, name: &str) -> Result<String, String> {
        let value = self.environment.get(name).map(str::to_owned);
        value.ok_or_else(|| format!("the variable {name} is not set"))
    }

    /// What the one given of a file and a variable holds; `None` unless exactly one is given.
    fn referred(&self, file: Option<&Path>, variable: Option<&str>) -> Option<Result<String, String>> {
        match (file, variable) {
            (Some(file), None) => Some(self.text(file)),
            (None, Some(name)) => Some(self.variable(name)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}

fn open(path: &Path) -> Result<(String, String), Report> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Report::unreadable(&name, &error))?;
    Ok((name, text))
}

fn typed(text: &str) -> Result<(Config, Node), Vec<Mistake>> {
    let tree = Node::parse(text).map_err(|error| vec![report::from_yaml(&error)])?;
    if tree.value == tree::Value::Null {
        return Ok((Config::default(), tree));
    }
    let schema = Config::schema();
    let mistakes = shape::check(&schema, &schema, &tree);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let config = serde_saphyr::from_str(text).map_err(|error| vec![report::from_yaml(&error)])?;
    Ok((config, tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(yaml: &str) -> String {
        match Config::read("kubemend.yaml", yaml, &surroundings(&Environment::default())) {
            Ok(_) => "no mistakes".to_owned(),
            Err(report) => report.to_string(),
        }
    }

    fn surroundings(environment: &Environment) -> Surroundings<'_> {
        Surroundings { environment, base: PathBuf::from("nowhere") }
    }

    #[test]
    fn every_mistake_is_reported_together_with_its_place_and_the_way_out() {
        insta::assert_snapshot!(report(
            "clusters:\n  - name: production\n    source:\n      kubeconfg: {}\n  - nmae: staging\napi:\n  lisetn: 0.0.0.0:80\n  limits:\n    bodyBytes: lots\nlog:\n  format: xml\n"
        ));
    }

    #[test]
    fn what_the_schema_cannot_say_is_reported_together_too() {
        insta::assert_snapshot!(report(
            "clusters:\n  - name: a\n  - name: a\napi:\n  tokens:\n    - id: alice\n    - id: alice\n      tokenEnv: ALICE\n      tokenFile: alice.token\n    - id: bob\n      tokenEnv: BOB\n    - id: carol\n      tokenFile: carol.token\nlog:\n  filter: kubemend=loud\n"
        ));
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_line() {
        insta::assert_snapshot!(report("clusters:\n  - name: [a\n"));
    }

    #[test]
    fn a_wrong_address_is_told_with_its_line() {
        insta::assert_snapshot!(report("log: {}\napi:\n  listen: everywhere\n"));
    }

    #[test]
    fn mistakes_about_people_are_told_with_their_places() {
        insta::assert_snapshot!(report(
            "gate:\n  roles:\n    viewer: {}\n    fixer:\n      grants:\n        - actions: [pods.destroy]\n          maxRisk: medium\n  people:\n    alice:\n      roles: [boss]\n      identities: [{via: api, id: alice}]\n    bob: {}\n"
        ));
        let hash = "0".repeat(64);
        insta::assert_snapshot!(report(&format!(
            "gate:\n  roles:\n    viewer: {{}}\n  people:\n    alice:\n      identities: [{{via: api, id: alice}}]\napi:\n  tokens:\n    - {{id: alice, roles: [viewer], tokenSha256: \"{hash}\"}}\n    - {{id: bob, roles: [admin], tokenSha256: \"{hash}\"}}\n"
        )));
    }

    #[test]
    fn a_token_has_the_roles_that_stand_beside_it() {
        let hash = "0".repeat(64);
        let yaml = format!(
            "gate: {{roles: {{viewer: {{}}}}}}\napi:\n  tokens:\n    - {{id: alice, roles: [viewer], tokenSha256: \"{hash}\"}}\n"
        );
        let loaded = Config::read("f", &yaml, &surroundings(&Environment::default())).expect("no mistakes");
        let alice = crate::incident::Actor {
            via: crate::incident::Via::Api,
            id: "alice".into(),
            name: "alice".into(),
        };
        assert_eq!(loaded.policy.roles(&alice), [crate::incident::Text::from("viewer")]);
    }

    #[test]
    fn the_shipped_examples_have_no_mistakes() {
        let example = include_str!("../deploy/config.example.yaml");
        Config::parse("deploy/config.example.yaml", example)
            .map_err(|report| report.to_string())
            .expect("no mistakes");
        let map = tree::Node::parse(include_str!("../deploy/manifests/30-config.yaml")).expect("YAML");
        let file = map.get("data").and_then(|data| data.get("kubemend.yaml")).map(|node| &node.value);
        let Some(tree::Value::Text(text)) = file else { panic!("the ConfigMap holds kubemend.yaml") };
        Config::parse("30-config.yaml", text).map_err(|report| report.to_string()).expect("no mistakes");
    }

    #[test]
    fn templates_and_their_locale_are_checked_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("ours/slack");
        std::fs::create_dir_all(&own).unwrap();
        let read = |yaml: &str| {
            let environment = Environment::default();
            let surroundings = Surroundings { environment: &environment, base: folder.path().to_path_buf() };
            Config::read("f", yaml, &surroundings)
        };
        let told = |yaml: &str| read(yaml).err().map(|report| report.to_string()).unwrap_or_default();
        let loaded = read("chat: {templates: ours, locale: zh-CN}\n").map_err(|report| report.to_string());
        let loaded = loaded.expect("no mistakes");
        assert_eq!(loaded.config.chat.templates, Some(folder.path().join("ours")));

        let nowhere = told("chat:\n  templates: theirs\n");
        assert!(nowhere.contains("theirs is no folder") && nowhere.contains("f:2:"), "{nowhere}");
        let french = told("chat:\n  locale: fr\n");
        assert!(french.contains("no words of `fr`") && french.contains("en, zh-CN"), "{french}");
        std::fs::create_dir(folder.path().join("ours/fr")).unwrap();
        assert_eq!(told("chat: {templates: ours, locale: fr}\n"), "");
        std::fs::write(own.join("card.json.hbs"), "{\n\"text\": \"{{{summary}}}\"}").unwrap();
        let raw = told("chat: {templates: ours}\n");
        assert!(raw.contains("card.json.hbs:2: `{{{`") && raw.contains("within a JSON string"), "{raw}");
        std::fs::write(own.join("card.json.hbs"), "{\n\"text\" \"x\"}").unwrap();
        let broken = told("chat: {templates: ours}\n");
        assert!(broken.contains("card.json.hbs:2: what it gives is not JSON"), "{broken}");
        std::fs::remove_file(own.join("card.json.hbs")).unwrap();
        std::fs::create_dir(folder.path().join("ours/web")).unwrap();
        std::fs::write(folder.path().join("ours/web/row.hbs"), "{{#if}").unwrap();
        let pages = told("console: {templates: ours}\n");
        assert!(pages.contains("web/row.hbs:1: ") && pages.contains("console.templates"), "{pages}");
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(report(""), "no mistakes");
        assert_eq!(report("# nothing yet\n"), "no mistakes");
    }

    #[test]
    fn a_token_never_shows_in_what_is_reported() {
        let environment: Environment =
            [("ALICE", "hunter2"), ("BOB", "s3cr3t-s3cr3t-s3cr3t-é")].into_iter().collect();
        let yaml = "api:\n  tokens:\n    - {id: alice, tokenEnv: ALICE}\n    - {id: bob, tokenEnv: BOB}\n";
        let told =
            Config::read("f", yaml, &surroundings(&environment)).err().expect("both are refused").to_string();
        assert!(told.contains("shorter than 16"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("s3cr3t"), "{told}");
    }

    #[test]
    fn a_token_in_a_variable_lets_its_owner_in() {
        let environment: Environment = [("ALICE", "alice-0123456789abcdef")].into_iter().collect();
        let yaml = "api:\n  tokens:\n    - {id: alice, tokenEnv: ALICE}\n";
        let loaded = Config::read("f", yaml, &surroundings(&environment)).expect("no mistakes");
        let who = loaded.tokens.who(Some("Bearer alice-0123456789abcdef")).expect("known");
        assert_eq!(who.id, "alice");
    }
}
