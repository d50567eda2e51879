//! Roles given to a token beside it: short for a person with that one identity in the gate's section.

use super::sections::wrong;
use super::shape::Mistake;
use super::tree::Node;
use crate::api::TokenEntry;
use crate::gate::{GateConfig, IdentityConfig, PersonConfig, Policy};
use crate::incident::{Text, Via};

/// How the console's names for an identity provider's people begin.
const PROVIDED: &str = crate::chat::console::PROVIDED;

/// The gate's policy, with the roles that tokens were given. `None` if anything is wrong with it.
pub(super) fn policy(
    gate: &GateConfig,
    tokens: &[TokenEntry],
    tree: &Node,
    found: &mut Vec<Mistake>,
) -> Option<Policy> {
    let (mut gate, before) = (gate.clone(), found.len());
    for (index, token) in tokens.iter().enumerate() {
        if token.id.starts_with(PROVIDED) {
            let path = format!("api.tokens[{index}].id");
            let what = format!("ids that begin with `{PROVIDED}` belong to the identity provider's people");
            found.push(wrong(tree, &path, what, "call it something else"));
        }
    }
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| !token.roles.is_empty()) {
        let path = format!("api.tokens[{index}].roles");
        for role in token.roles.iter().filter(|role| !gate.roles.contains_key(*role)) {
            found.push(wrong(tree, &path, format!("there is no role `{role}`"), known(&gate)));
        }
        if let Some(mistake) = add(&mut gate, token) {
            found.push(wrong(tree, &path, mistake, "give the roles in one of the two places"));
        }
    }
    if found.len() > before {
        return None;
    }
    for token in tokens {
        open_console(&mut gate, token);
    }
    let refuse = |mistakes: Vec<String>| found.extend(mistakes.iter().map(|mistake| in_gate(tree, mistake)));
    Policy::new(gate).map_err(refuse).ok()
}

/// Adds the token's owner; says what stands against it.
fn add(gate: &mut GateConfig, token: &TokenEntry) -> Option<String> {
    let identity = IdentityConfig { via: Via::Api, id: token.id.clone() };
    let namesake = gate.people.get(&token.id);
    let owner = gate.people.iter().find(|(_, person)| person.identities.contains(&identity));
    if let Some((name, _)) = owner {
        return Some(format!("the token `{}` belongs to gate.people.{name} already", token.id));
    }
    if namesake.is_some() {
        return Some(format!("gate.people.{} is somebody else", token.id));
    }
    let person = PersonConfig { roles: token.roles.clone(), identities: vec![identity] };
    gate.people.insert(token.id.clone(), person);
    None
}

/// Whoever has a token may sign in to the console with it, and is the same person there; unless the
/// configuration says that this name is somebody else there.
fn open_console(gate: &mut GateConfig, token: &TokenEntry) {
    let at = |via| IdentityConfig { via, id: token.id.clone() };
    let taken = gate.people.values().any(|person| person.identities.contains(&at(Via::Console)));
    let owner = gate.people.values_mut().find(|person| person.identities.contains(&at(Via::Api)));
    if let Some(owner) = owner.filter(|_| !taken) {
        owner.identities.push(at(Via::Console));
    }
}

fn known(gate: &GateConfig) -> String {
    let names: Vec<&str> = gate.roles.keys().map(Text::as_str).collect();
    if names.is_empty() {
        "define it under gate.roles".to_owned()
    } else {
        format!("the roles are: {}", names.join(", "))
    }
}

/// The gate names the place before the first `: `.
fn in_gate(tree: &Node, mistake: &str) -> Mistake {
    let (path, what) = mistake.split_once(": ").unwrap_or(("", mistake));
    let (what, way_out) = what.split_once("; ").unwrap_or((what, ""));
    wrong(tree, &format!("gate.{path}"), what, way_out)
}
