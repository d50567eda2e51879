//! What a verified ID token says of somebody, and who that is here. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::super::PROVIDED;
use super::super::sessions::Pass;
use super::super::settings::OidcSettings;
use super::OidcError;
use crate::incident::{Actor, Digest, Text, Via};

/// The longest id, in bytes, and the longest name, in characters.
const LONGEST_ID: usize = 200;
const LONGEST_NAME: usize = 80;
/// Groups that are looked at.
const MOST_GROUPS: usize = 1000;

/// The claims.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// The claims of a token whose signature and times were found good before.
    pub(super) fn of_verified(token: &str) -> Result<Self, OidcError> {
        let unreadable = || OidcError::Untrusted("its claims cannot be read".to_owned());
        let payload = token.split('.').nth(1).ok_or_else(unreadable)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| unreadable())?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| unreadable())
    }

    /// Who it is, with the roles that their groups give.
    pub(super) fn pass(&self, settings: &OidcSettings, credential: Digest) -> Result<Pass, OidcError> {
        let claim = settings.identity_claim.as_str();
        let nobody = |why: &str| OidcError::Nobody(format!("`{claim}` {why}"));
        let id = self.text(claim).ok_or_else(|| nobody("is missing, or no text"))?;
        if id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            return Err(nobody("is too long or not printable"));
        }
        // Whoever can write any address into their own profile must not become somebody else.
        if claim == "email" && self.0.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(nobody("is not verified by the provider"));
        }
        let named = [settings.name_claim.as_str(), "preferred_username", "email"];
        let name = named.iter().find_map(|claim| self.text(claim)).unwrap_or(id);
        let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        let who = Actor { via: Via::Console, id: Text::from(format!("{PROVIDED}{id}")), name: name.into() };
        Ok(Pass { who, roles: self.roles(settings), credential })
    }

    fn roles(&self, settings: &OidcSettings) -> Vec<Text> {
        let groups: Vec<&str> = match self.0.get(&settings.groups_claim) {
            Some(Value::Array(items)) => items.iter().take(MOST_GROUPS).filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        };
        let mut roles: Vec<Text> =
            groups.iter().filter_map(|group| settings.roles.get(*group)).flatten().cloned().collect();
        roles.sort();
        roles.dedup();
        roles
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(claims: &Value, settings: &Value) -> Result<Pass, String> {
        let settings: OidcSettings = serde_json::from_value(settings.clone()).expect("complete");
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let claims = Claims::of_verified(&token).map_err(|error| error.to_string())?;
        claims.pass(&settings, Digest::of_bytes(b"x")).map_err(|error| error.to_string())
    }

    fn settings() -> Value {
        serde_json::json!({
            "issuer": "https://id.example.com", "clientId": "kubemend",
            "roles": {"sre": ["approver", "viewer"], "all": ["viewer"]},
        })
    }

    #[test]
    fn somebody_is_their_subject_with_the_roles_of_their_groups() {
        let claims = serde_json::json!({"sub": "u-1", "name": "Ann\n", "groups": ["all", "sre", 7, "none"]});
        let pass = pass(&claims, &settings()).expect("somebody");
        assert_eq!((pass.who.id.as_str(), pass.who.name.as_str()), ("oidc:u-1", "Ann"));
        assert_eq!(pass.roles, [Text::from("approver"), Text::from("viewer")]);
    }

    #[test]
    fn without_groups_there_are_no_roles_and_without_an_id_there_is_nobody() {
        let claims = serde_json::json!({"sub": "u-1", "groups": {"sre": true}});
        assert_eq!(pass(&claims, &settings()).expect("somebody").roles, [] as [Text; 0]);
        for claims in
            [serde_json::json!({}), serde_json::json!({"sub": " "}), serde_json::json!({"sub": "a\u{0}b"})]
        {
            assert!(pass(&claims, &settings()).is_err(), "{claims}");
        }
    }

    #[test]
    fn an_address_counts_only_if_the_provider_verified_it() {
        let mut settings = settings();
        settings["identityClaim"] = "email".into();
        let claims =
            |verified: Value| serde_json::json!({"sub": "u", "email": "a@b.c", "email_verified": verified});
        assert!(pass(&claims(true.into()), &settings).is_ok());
        for not in [Value::Null, false.into(), "true".into()] {
            assert!(pass(&claims(not), &settings).is_err());
        }
    }
}
