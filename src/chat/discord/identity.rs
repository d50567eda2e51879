//! Who somebody is: said by Discord inside each interaction, which came over its own connection or with its
//! signature. Nothing is asked or remembered, so a role that was taken away counts for nothing at once.
//!
//! Direct messages say nothing of roles and other servers are not ours: both are elsewhere. The owner and the
//! administrators of a server have no role in kubemend by that.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::inbound::Asker;
use crate::chat::identity::{PlatformUser, Standing};
use crate::incident::{Text, Via};

/// People of the configured servers.
#[derive(Clone, Debug)]
pub struct People {
    guilds: BTreeSet<Text>,
}

impl People {
    /// Whoever is not in one of these servers is elsewhere.
    pub fn new(guilds: &[Text]) -> Self {
        Self { guilds: guilds.iter().cloned().collect() }
    }

    /// Who acted.
    pub fn who(&self, asker: &Asker, now: Timestamp) -> PlatformUser {
        PlatformUser {
            via: Via::Discord,
            id: asker.user.clone(),
            name: asker.name.clone(),
            groups: asker.roles.clone(),
            standing: self.standing(asker, now),
        }
    }

    fn standing(&self, asker: &Asker, now: Timestamp) -> Standing {
        let ours = asker.guild.as_ref().is_some_and(|guild| self.guilds.contains(guild));
        if !ours {
            Standing::Elsewhere
        } else if asker.bot {
            Standing::Bot
        } else if asker.silenced_until.is_some_and(|until| until > now) {
            Standing::Silenced
        } else if asker.pending {
            Standing::Pending
        } else {
            Standing::Member
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::identity::Caller;

    fn ann() -> Asker {
        Asker {
            user: "7".into(),
            name: "Ann".into(),
            guild: Some("2000".into()),
            roles: BTreeSet::from(["11".into()]),
            ..Asker::default()
        }
    }

    fn standing(asker: &Asker) -> Standing {
        let now = Timestamp::from_second(1_000).expect("a small number");
        People::new(&["2000".into()]).who(asker, now).standing
    }

    #[test]
    fn a_member_of_a_configured_server_is_heard_with_their_roles() {
        let user = People::new(&["2000".into()]).who(&ann(), Timestamp::UNIX_EPOCH);
        let caller = Caller::of(user).expect("a member");
        assert_eq!((caller.actor.via, caller.actor.id.as_str()), (Via::Discord, "7"));
        assert!(caller.groups.contains("11"));
    }

    #[test]
    fn direct_messages_and_other_servers_are_elsewhere() {
        assert_eq!(standing(&Asker { guild: None, ..ann() }), Standing::Elsewhere);
        assert_eq!(standing(&Asker { guild: Some("2001".into()), ..ann() }), Standing::Elsewhere);
    }

    #[test]
    fn bots_the_silenced_and_the_pending_are_not_heard() {
        let at = |second| Some(Timestamp::from_second(second).expect("a small number"));
        assert_eq!(standing(&Asker { bot: true, ..ann() }), Standing::Bot);
        assert_eq!(standing(&Asker { pending: true, ..ann() }), Standing::Pending);
        assert_eq!(standing(&Asker { silenced_until: at(1_001), ..ann() }), Standing::Silenced);
        assert_eq!(standing(&Asker { silenced_until: at(999), ..ann() }), Standing::Member, "it is over");
    }

    #[test]
    fn an_administrators_permission_gives_no_role() {
        let admin = Asker { permissions: u64::MAX, roles: BTreeSet::new(), ..ann() };
        let user = People::new(&["2000".into()]).who(&admin, Timestamp::UNIX_EPOCH);
        assert!(user.groups.is_empty());
    }
}
