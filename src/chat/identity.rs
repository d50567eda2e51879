//! Who is speaking: what a platform verified about somebody, and the actor that becomes of it.
//!
//! Default deny: whoever is not a full, active person of the configured workspace or guild may read nothing
//! and decide nothing, before the gate is even asked.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::incident::{Actor, Text, Via};

/// What a platform says of somebody, verified over its own connection and never taken from the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlatformUser {
    /// [`Via::Slack`], [`Via::Discord`] or [`Via::Console`].
    pub via: Via,
    pub id: Text,
    /// What people call them; shown, never compared.
    pub name: Text,
    /// The ids of Slack user groups or Discord roles they are in right now.
    pub groups: BTreeSet<Text>,
    pub standing: Standing,
}

/// What kind of user it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A person with an account of their own.
    Member,
    /// Somebody from outside, or with a limited account.
    Guest,
    /// A bot, a workflow, or a message without a person behind it.
    Bot,
    /// The account is switched off.
    Deactivated,
    /// A member who may not take part for a while.
    Silenced,
    /// A member who did not accept the rules of the server yet.
    Pending,
    /// They came by a way where nothing can be verified: a direct message, another guild.
    Elsewhere,
}

/// Somebody who may be heard: the gate judges what they may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    pub actor: Actor,
    pub groups: BTreeSet<Text>,
}

/// Why somebody is not heard; for them to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unheard {
    #[error("guests cannot use kubemend; ask a full member of the workspace")]
    Guest,
    #[error("bots and workflows cannot use kubemend; a person has to decide")]
    Bot,
    #[error("this account is deactivated")]
    Deactivated,
    #[error("you are timed out here, and cannot use kubemend until that is over")]
    Silenced,
    #[error("accept the rules of this server first")]
    Pending,
    #[error("kubemend listens in its own channels only; ask there")]
    Elsewhere,
    #[error("the platform did not say who this is")]
    Nobody,
}

impl Caller {
    /// The actor behind a platform's user, if they may be heard at all.
    pub fn of(user: PlatformUser) -> Result<Self, Unheard> {
        let PlatformUser { via, id, name, groups, standing } = user;
        match standing {
            Standing::Member => {}
            Standing::Guest => return Err(Unheard::Guest),
            Standing::Bot => return Err(Unheard::Bot),
            Standing::Deactivated => return Err(Unheard::Deactivated),
            Standing::Silenced => return Err(Unheard::Silenced),
            Standing::Pending => return Err(Unheard::Pending),
            Standing::Elsewhere => return Err(Unheard::Elsewhere),
        }
        if id.trim().is_empty() || via == Via::Auto {
            return Err(Unheard::Nobody);
        }
        let name = if name.trim().is_empty() { id.clone() } else { name };
        Ok(Self { actor: Actor { via, id, name }, groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(standing: Standing) -> PlatformUser {
        PlatformUser {
            via: Via::Slack,
            id: "U1".into(),
            name: "Ann".into(),
            groups: BTreeSet::from(["S1".into()]),
            standing,
        }
    }

    #[test]
    fn only_members_are_heard() {
        let caller = Caller::of(user(Standing::Member)).expect("a member");
        assert_eq!((caller.actor.id.as_str(), caller.groups.len()), ("U1", 1));
        for standing in [
            Standing::Guest,
            Standing::Bot,
            Standing::Deactivated,
            Standing::Silenced,
            Standing::Pending,
            Standing::Elsewhere,
        ] {
            assert!(Caller::of(user(standing)).is_err(), "{standing:?}");
        }
    }

    #[test]
    fn nobody_can_come_in_without_an_id_or_as_kubemend_itself() {
        let nameless = PlatformUser { id: " ".into(), ..user(Standing::Member) };
        assert_eq!(Caller::of(nameless), Err(Unheard::Nobody));
        let itself = PlatformUser { via: Via::Auto, ..user(Standing::Member) };
        assert_eq!(Caller::of(itself), Err(Unheard::Nobody));
    }
}
