//! People whose roles come with their sign-in (an identity provider's groups) and not from the configuration.
//!
//! A guest is one identity, of which nobody can tell whose it is elsewhere. Refuses to touch whoever the
//! configuration names, roles that it does not define, and any identity but the console's.

use std::sync::Arc;

use super::policy::Policy;
use crate::incident::{Actor, Text, Via};

/// The most guests at a time.
const MOST: usize = 5000;

impl Policy {
    /// The same with somebody signed in, in the given roles; `None` where nothing is to change.
    pub fn admitting(&self, who: &Actor, roles: &[Text]) -> Option<Self> {
        let known: Vec<Text> = roles.iter().filter(|role| self.defines(role)).cloned().collect();
        let guest = self.guests.get(&who.id);
        let same = guest.is_some_and(|roles| *roles == known);
        let full = guest.is_none() && self.guests.len() >= MOST;
        if who.via != Via::Console || self.is_named(who) || same || full || known.is_empty() {
            return None;
        }
        let mut guests = self.guests.as_ref().clone();
        guests.insert(who.id.clone(), known);
        Some(Self { guests: Arc::new(guests), ..self.clone() })
    }

    /// The same without that guest; `None` where nothing is to change.
    pub fn dismissing(&self, who: &Actor) -> Option<Self> {
        if who.via != Via::Console || !self.guests.contains_key(&who.id) {
            return None;
        }
        let mut guests = self.guests.as_ref().clone();
        guests.remove(&who.id);
        Some(Self { guests: Arc::new(guests), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{GateConfig, IdentityConfig, PersonConfig, RoleConfig};

    fn policy() -> Policy {
        let person = PersonConfig {
            roles: Vec::new(),
            identities: vec![IdentityConfig { via: Via::Console, id: "oidc:ann".into() }],
        };
        let config = GateConfig {
            roles: [("viewer".into(), RoleConfig::default())].into(),
            people: [("ann".into(), person)].into(),
            ..GateConfig::default()
        };
        Policy::new(config).expect("without mistakes")
    }

    fn who(id: &str) -> Actor {
        Actor { via: Via::Console, id: id.into(), name: id.into() }
    }

    #[test]
    fn a_guest_has_the_roles_that_exist_until_dismissed() {
        let (bob, roles) = (who("oidc:bob"), ["viewer".into(), "boss".into()]);
        let with = policy().admitting(&bob, &roles).expect("a change");
        assert_eq!(with.roles(&bob), [Text::from("viewer")]);
        assert!(with.admitting(&bob, &roles).is_none(), "they are there already");
        let elsewhere = Actor { via: Via::Api, ..bob.clone() };
        assert!(with.person(&elsewhere).is_none() && with.roles(&elsewhere).is_empty());
        let without = with.dismissing(&bob).expect("a change");
        assert_eq!(without.roles(&bob), [] as [Text; 0]);
        assert!(without.dismissing(&bob).is_none());
    }

    #[test]
    fn whoever_is_configured_gets_nothing_more() {
        let guest = policy().admitting(&who("oidc:bob"), &["viewer".into()]).expect("a change");
        let mut config = guest.config.as_ref().clone();
        let bob = IdentityConfig { via: Via::Console, id: "oidc:bob".into() };
        let bob = PersonConfig { roles: Vec::new(), identities: vec![bob] };
        config.people.insert("bob".into(), bob);
        let named = Policy::new(config).expect("no mistakes").with_guests_of(&guest);
        assert_eq!(named.roles(&who("oidc:bob")), [] as [Text; 0], "what the sign-in brought is over");
        assert!(policy().admitting(&who("oidc:ann"), &["viewer".into()]).is_none());
        let elsewhere = Actor { via: Via::Api, ..who("oidc:bob") };
        assert!(policy().admitting(&elsewhere, &["viewer".into()]).is_none());
    }
}
