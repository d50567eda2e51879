//! What has to hold in the section `console` beyond its shape, and the secret it refers to.

use super::Surroundings;
use super::sections::wrong;
use super::shape::Mistake;
use super::tree::Node;
use crate::chat::console::{OidcSettings, Settings};
use crate::gate::GateConfig;
use crate::incident::Text;

pub(super) fn check(console: &Settings, gate: &GateConfig, tree: &Node, found: &mut Vec<Mistake>) {
    let Some(oidc) = &console.oidc else { return };
    let mut say = |path: &str, what: String, way_out: &str| {
        found.push(wrong(tree, &format!("console.oidc{path}"), what, way_out));
    };
    if console.public_url.is_none() {
        let way_out =
            "set console.publicUrl to the address in people's browsers, such as https://kubemend.example.com";
        say("", "the provider cannot send people back without console.publicUrl".to_owned(), way_out);
    }
    if !oidc.is_private() {
        let what = "whoever listens on the way to this provider could sign in as anybody".to_owned();
        say(".issuer", what, "use https://");
    }
    if oidc.client_secret_file.is_some() && oidc.client_secret_env.is_some() {
        let what = "it is not clear where the client's secret is".to_owned();
        say("", what, "give one of clientSecretFile and clientSecretEnv, or neither for a public client");
    }
    for (group, role) in roles(oidc).filter(|(_, role)| !gate.roles.contains_key(*role)) {
        let known: Vec<&str> = gate.roles.keys().map(Text::as_str).collect();
        let way_out = format!("the roles are: {}", known.join(", "));
        say(".roles", format!("group `{group}`: there is no role `{role}`"), &way_out);
    }
}

fn roles(oidc: &OidcSettings) -> impl Iterator<Item = (&String, &Text)> {
    oidc.roles.iter().flat_map(|(group, roles)| roles.iter().map(move |role| (group, role)))
}

/// The client's secret. Says which reference cannot be followed, never what it holds.
pub(super) fn client_secret(
    console: &Settings,
    surroundings: &Surroundings<'_>,
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Option<String> {
    let oidc = console.oidc.as_ref()?;
    let read =
        surroundings.referred(oidc.client_secret_file.as_deref(), oidc.client_secret_env.as_deref())?;
    let secret = read.map(|secret| secret.trim_end_matches(['\r', '\n']).to_owned());
    match secret {
        Ok(secret) if !secret.is_empty() => Some(secret),
        Ok(_) => {
            let what = "the client's secret is empty";
            found.push(wrong(tree, "console.oidc", what, "put there what the provider gave out"));
            None
        }
        Err(why) => {
            let what = format!("the client's secret cannot be read: {why}");
            found.push(wrong(tree, "console.oidc", what, "put there what the provider gave out"));
            None
        }
    }
}
