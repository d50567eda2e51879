//! Who is signed in, for the console: kept beside the incidents so that a restart logs nobody out, and admitted
//! to the policy where their roles came with the sign-in.

use super::handle::Handle;
use super::refused::Refused;
use crate::gate::Policy;
use crate::incident::{Actor, Digest, Text};
use crate::store::Session;

impl Handle {
    /// Keeps a session under the digest of its id; of more than `most`, the longest unused are forgotten.
    pub async fn keep_session(&self, id: &Digest, session: &Session, most: u32) -> Result<(), Refused> {
        self.shared.ledger.store().keep_session(id, session, most).await.map_err(Refused::Store)
    }

    /// All sessions, longest unused first.
    pub async fn sessions(&self) -> Result<Vec<(Digest, Session)>, Refused> {
        self.shared.ledger.store().sessions().await.map_err(Refused::Store)
    }

    /// Notes that a session was used.
    pub async fn touch_session(&self, id: &Digest, seen: jiff::Timestamp) -> Result<(), Refused> {
        self.shared.ledger.store().touch_session(id, seen).await.map_err(Refused::Store)
    }

    /// Ends a session.
    pub async fn end_session(&self, id: &Digest) -> Result<(), Refused> {
        self.shared.ledger.store().end_session(id).await.map_err(Refused::Store)
    }

    /// Gives somebody the roles that came with their sign-in, from the next decision on. Whoever stands in the
    /// configuration has the roles that it says and no others.
    pub fn admit(&self, who: &Actor, roles: &[Text]) {
        self.shared.change_policy(|policy: &Policy| policy.admitting(who, roles));
    }

    /// Takes back what [`Self::admit`] gave.
    pub fn dismiss(&self, who: &Actor) {
        self.shared.change_policy(|policy: &Policy| policy.dismissing(who));
    }
}
