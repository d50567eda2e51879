//! Bearer tokens. Owns the table from token to user, and minting; a token is an opaque text, not a JWT.

use std::collections::HashMap;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::super::meta::new_uid;
use super::super::user::User;

/// Tokens known at most; the oldest expiry goes first when more are minted.
const MOST: usize = 4096;

struct Grant {
    user: User,
    until: Option<Timestamp>,
}

/// Every valid token.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Grant>>);

impl Tokens {
    pub(crate) fn add(&self, token: &str, user: User, until: Option<Timestamp>) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            let soonest = known.iter().filter_map(|(token, grant)| Some((grant.until?, token.clone()))).min();
            if let Some((_, token)) = soonest {
                known.remove(&token);
            }
        }
        known.insert(token.to_owned(), Grant { user, until });
    }

    pub(crate) fn mint(&self, user: User, until: Option<Timestamp>) -> String {
        let token = format!("sim.{}.{}", new_uid(), new_uid());
        self.add(&token, user, until);
        token
    }

    pub(crate) fn user(&self, token: &str, now: Timestamp) -> Option<User> {
        let known = self.0.lock();
        let grant = known.get(token)?;
        grant.until.is_none_or(|until| now < until).then(|| grant.user.clone())
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.0.lock().remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_when_its_time_is_over() {
        let tokens = Tokens::default();
        let token = tokens.mint(User::service_account("ns", "sa"), Some(Timestamp::UNIX_EPOCH));
        let before = Timestamp::from_second(-1).unwrap();
        assert_eq!(tokens.user(&token, before).unwrap().name, "system:serviceaccount:ns:sa");
        assert_eq!(tokens.user(&token, Timestamp::UNIX_EPOCH), None);
        assert_eq!(tokens.user("made-up", before), None);
    }
}
