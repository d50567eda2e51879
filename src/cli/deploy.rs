//! `kubemend deploy`: the rights that a cluster has to grant, as manifests for `kubectl apply -f -`.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::failure::{Exit, Failure, print};
use crate::actions::{ACTIONS, PolicyRule, cluster_rules};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// The rights that the enabled actions need to change things.
    Rbac(Rbac),
    /// The right to read pull secrets in some namespaces: a right of its own, off by default.
    PullSecrets(PullSecrets),
}

#[derive(Args, Debug)]
pub(super) struct Rbac {
    /// The actions to enable, such as `pods.delete,workloads.restart`; all of them where it is left out.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    actions: Vec<String>,
    /// A namespace in which they may work; may be given several times. All namespaces where it is left out.
    #[arg(long = "namespace", short, value_name = "NS")]
    namespaces: Vec<String>,
    #[command(flatten)]
    account: Account,
}

#[derive(Args, Debug)]
pub(super) struct PullSecrets {
    /// A namespace whose pull secrets may be read; may be given several times.
    #[arg(long = "namespace", short, value_name = "NS", required = true)]
    namespaces: Vec<String>,
    /// Only the Secret of that name; may be given several times. Any Secret where it is left out.
    #[arg(long = "name", value_name = "SECRET")]
    names: Vec<String>,
    #[command(flatten)]
    account: Account,
}

/// Who gets the rights.
#[derive(Args, Debug, Clone)]
struct Account {
    /// The ServiceAccount that kubemend runs as.
    #[arg(long, default_value = "kubemend")]
    service_account: String,
    /// The namespace of that ServiceAccount.
    #[arg(long, default_value = "kubemend")]
    service_account_namespace: String,
}

/// Resources without a namespace: a Role cannot grant them.
const CLUSTER_SCOPED: &[&str] = &["nodes", "namespaces", "persistentvolumes"];

pub(super) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Rbac(asked) => print(&rbac(&asked)?),
        Command::PullSecrets(asked) => print(&pull_secrets(&asked)?),
    }
}

fn rbac(asked: &Rbac) -> Result<String, Failure> {
    let names = enabled(&asked.actions)?;
    check_names(asked.namespaces.iter().chain([&asked.account.service_account]))?;
    let rules = cluster_rules(&names);
    let mut text = format!(
        "# Made by `kubemend deploy rbac`: what kubemend may change, for exactly these actions:\n{}# Leave this file out, and kubemend only watches and explains.\n",
        names.iter().fold(String::new(), |lines, name| lines + "#   " + name + "\n"),
    );
    if asked.namespaces.is_empty() {
        text.push_str(&role("ClusterRole", "kubemend-write", None, &rules, &asked.account));
        return Ok(text);
    }
    let (outside, inside): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| rule.resources.iter().all(|name| CLUSTER_SCOPED.contains(&name.as_str())));
    for rule in outside {
        let _ = writeln!(text, "# Not here, since it has no namespace: {}.", rule.resources.join(", "));
    }
    for namespace in &asked.namespaces {
        text.push_str(&role("Role", "kubemend-write", Some(namespace), &inside, &asked.account));
    }
    Ok(text)
}

fn pull_secrets(asked: &PullSecrets) -> Result<String, Failure> {
    check_names(asked.namespaces.iter().chain(&asked.names).chain([&asked.account.service_account]))?;
    let verbs: &[&str] = if asked.names.is_empty() { &["get", "list"] } else { &["get"] };
    let rule = PolicyRule {
        api_groups: vec![String::new()],
        resources: vec!["secrets".to_owned()],
        verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
    };
    let mut text = "# Made by `kubemend deploy pull-secrets`: lets kubemend look at pull secrets, to say whether they cover a\n# registry and are well formed. Their contents never leave the function that looks.\n".to_owned();
    for namespace in &asked.namespaces {
        let mut role = role(
            "Role",
            "kubemend-pull-secrets",
            Some(namespace),
            std::slice::from_ref(&rule),
            &asked.account,
        );
        if !asked.names.is_empty() {
            let names = format!("  resources: [secrets]\n  resourceNames: [{}]\n", asked.names.join(", "));
            role = role.replacen("  resources: [secrets]\n", &names, 1);
        }
        text.push_str(&role);
    }
    Ok(text)
}

fn enabled(asked: &[String]) -> Result<Vec<&'static str>, Failure> {
    let known: Vec<&'static str> = ACTIONS.iter().map(|action| action.name).collect();
    if asked.is_empty() {
        return Ok(known);
    }
    let find = |name: &String| {
        let found = known.iter().copied().find(|known| known == name);
        found.ok_or_else(|| {
            Failure::new(
                format!("there is no action `{name}`"),
                format!("the actions are: {}", known.join(", ")),
            )
        })
    };
    asked.iter().map(find).collect()
}

/// Names go into YAML as they are, so nothing but a Kubernetes name may be one.
fn check_names<'n>(mut names: impl Iterator<Item = &'n String>) -> Result<(), Failure> {
    let plain = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
    };
    match names.find(|name| !plain(name)) {
        Some(name) => Err(Failure::new(
            format!("`{name}` is not a Kubernetes name"),
            "use lowercase letters, digits, `-` and `.`",
        )),
        None => Ok(()),
    }
}

fn role(
    kind: &str,
    name: &str,
    namespace: Option<&String>,
    rules: &[PolicyRule],
    account: &Account,
) -> String {
    let place = namespace.map_or_else(String::new, |namespace| format!("\n  namespace: {namespace}"));
    let labels = "\n  labels: {app.kubernetes.io/name: kubemend}";
    let api = "apiVersion: rbac.authorization.k8s.io/v1";
    let mut text = format!("---\n{api}\nkind: {kind}\nmetadata:\n  name: {name}{place}{labels}\nrules:\n");
    for rule in rules {
        let groups: Vec<String> = rule.api_groups.iter().map(|group| format!("{group:?}")).collect();
        let _ = writeln!(
            text,
            "- apiGroups: [{}]\n  resources: [{}]\n  verbs: [{}]",
            groups.join(", "),
            rule.resources.join(", "),
            rule.verbs.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "---\n{api}\nkind: {kind}Binding\nmetadata:\n  name: {name}{place}{labels}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\nsubjects:\n- kind: ServiceAccount\n  name: {}\n  namespace: {}",
        account.service_account, account.service_account_namespace
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { service_account: "kubemend".into(), service_account_namespace: "kubemend".into() }
    }

    fn rbac_for(actions: &[&str], namespaces: &[&str]) -> Result<String, Failure> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        rbac(&Rbac { actions: owned(actions), namespaces: owned(namespaces), account: account() })
    }

    #[test]
    fn the_committed_manifest_is_what_the_command_prints() {
        let printed = rbac_for(&[], &[]).expect("all actions are known");
        let committed = include_str!("../../deploy/manifests/21-rbac-write.yaml");
        assert_eq!(printed, committed, "run `kubemend deploy rbac > deploy/manifests/21-rbac-write.yaml`");
    }

    #[test]
    fn the_committed_example_of_reading_pull_secrets_is_what_the_command_prints() {
        let asked =
            PullSecrets { namespaces: vec!["payments".into()], names: Vec::new(), account: account() };
        let committed = include_str!("../../deploy/pull-secrets.example.yaml");
        assert_eq!(pull_secrets(&asked).expect("plain names"), committed);
    }

    #[test]
    fn rights_for_one_action_in_one_namespace_are_no_more_than_that() {
        insta::assert_snapshot!(rbac_for(&["pods.delete"], &["payments"]).expect("known"));
    }

    #[test]
    fn an_unknown_action_is_refused_with_the_list() {
        let refused = rbac_for(&["pods.destroy"], &[]).expect_err("unknown");
        assert!(format!("{refused:?}").contains("pods.delete"));
    }

    #[test]
    fn a_name_cannot_smuggle_yaml() {
        assert!(rbac_for(&[], &["a\n  verbs: [\"*\"]"]).is_err());
    }

    #[test]
    fn single_secrets_can_be_named() {
        let asked =
            PullSecrets { namespaces: vec!["a".into()], names: vec!["harbor".into()], account: account() };
        let text = pull_secrets(&asked).expect("plain names");
        assert!(text.contains("resourceNames: [harbor]\n  verbs: [get]\n"), "{text}");
    }
}
