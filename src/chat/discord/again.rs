//! What is taken up again, after a restart or because its answer could not be shown: whether it is still to be done,
//! and who the asker is by now.
//!
//! What was written down came before its acknowledgement, so the acknowledgement may never have arrived: then
//! Discord told the person that it failed, and it is not done behind their back. Roles stand in an interaction as
//! they were when it was made; what is taken up counts with those of now.

use jiff::SignedDuration;

use super::ack::Deferred;
use super::inbound::{self, Asker, Inbound};
use super::web::{Web, WebError};

/// So long an interaction's token is certainly good; after that Discord says nothing of what was acknowledged, and
/// nothing is changed any more anyhow.
const TELLS: SignedDuration = SignedDuration::from_mins(14);
/// Unknown webhook: of an interaction that was not acknowledged.
const NEVER_ACKNOWLEDGED: Option<u64> = Some(10_015);

/// How something stands that is taken up again.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is to be answered, to whom the asker is now.
    Owed(Asker),
    /// Nobody waits for it.
    Void,
    /// Discord does not say.
    Unknown(WebError),
}

/// How it stands, for something that was asked so long ago.
pub(super) async fn standing(web: &Web, inbound: &Inbound, how: Deferred, asked: SignedDuration) -> Standing {
    match is_awaited(web, inbound, how, asked).await {
        Ok(true) => {}
        Ok(false) => return Standing::Void,
        Err(error) => return Standing::Unknown(error),
    }
    match now(web, &inbound.by).await {
        Ok(asker) => Standing::Owed(asker),
        Err(error) => Standing::Unknown(error),
    }
}

async fn is_awaited(
    web: &Web,
    inbound: &Inbound,
    how: Deferred,
    asked: SignedDuration,
) -> Result<bool, WebError> {
    // The first answer to what was asked aloud may have been taken away for another one.
    if how == Deferred::Aloud || asked > TELLS {
        return Ok(true);
    }
    match web.original(&inbound.place).await {
        Err(error) if error.code() == NEVER_ACKNOWLEDGED => Ok(false),
        // It is gone, or may not be seen: it was there.
        Err(error) if error.status().is_some() => Ok(true),
        told => told.map(|_| true),
    }
}

/// Who the asker is now; nobody of the server, if they have left it.
async fn now(web: &Web, by: &Asker) -> Result<Asker, WebError> {
    let Some(guild) = &by.guild else { return Ok(by.clone()) };
    let elsewhere = Asker { guild: None, roles: std::collections::BTreeSet::new(), ..by.clone() };
    match web.member(guild, &by.user).await {
        Ok(told) => Ok(inbound::member(told, by).unwrap_or(elsewhere)),
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(elsewhere),
        Err(error) => Err(error),
    }
}
