//! People whose roles come with their sign-in (an identity provider's groups) and not from the configuration.
//!
//! A guest is one person with one identity. Refuses to touch whoever the configuration names, roles that it
//! does not define, and any identity but the console's.

use super::config::{IdentityConfig, PersonConfig};
use super::policy::Policy;
use crate::incident::{Actor, Text, Via};

/// The most guests at a time.
const MOST: usize = 5000;

impl Policy {
    /// The same with somebody among the people, in the given roles; `None` where nothing is to change.
    pub fn admitting(&self, who: &Actor, roles: &[Text]) -> Option<Self> {
        let name = name(who);
        let known: Vec<Text> =
            roles.iter().filter(|role| self.0.roles.contains_key(*role)).cloned().collect();
        let configured = self.person(who).is_some_and(|person| *person != name);
        let guest = self.0.people.get(&name);
        let namesake = guest.is_some() && self.person(who) != Some(&name);
        let same = guest.is_some_and(|guest| guest.roles == known);
        let full = guest.is_none() && self.0.people.keys().filter(|name| is_guest(name)).count() >= MOST;
        if who.via != Via::Console || configured || namesake || same || full || known.is_empty() {
            return None;
        }
        let mut config = self.0.clone();
        let identities = vec![IdentityConfig { via: who.via, id: who.id.clone() }];
        config.people.insert(name, PersonConfig { roles: known, identities });
        Some(Self(config))
    }

    /// The same without that guest; `None` where nothing is to change.
    pub fn dismissing(&self, who: &Actor) -> Option<Self> {
        let name = name(who);
        (self.person(who) == Some(&name)).then(|| {
            let mut config = self.0.clone();
            config.people.remove(&name);
            Self(config)
        })
    }
}

/// What a guest is called among the people.
fn name(who: &Actor) -> Text {
    Text::from(format!("{}{GUEST}", who.id))
}

const GUEST: &str = " (signed in)";

fn is_guest(name: &str) -> bool {
    name.ends_with(GUEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{GateConfig, RoleConfig};

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
        let without = with.dismissing(&bob).expect("a change");
        assert_eq!(without.roles(&bob), [] as [Text; 0]);
        assert!(without.dismissing(&bob).is_none());
    }

    #[test]
    fn whoever_is_configured_gets_nothing_more() {
        assert!(policy().admitting(&who("oidc:ann"), &["viewer".into()]).is_none());
        let elsewhere = Actor { via: Via::Api, ..who("oidc:bob") };
        assert!(policy().admitting(&elsewhere, &["viewer".into()]).is_none());
    }
}
