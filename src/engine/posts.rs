//! What chat asks of the store: which message shows which incident. Chat decides, this remembers.

use super::handle::Handle;
use super::refused::Refused;
use crate::store::{PostKey, Posting};

impl Handle {
    /// Stores a message's state. What it says is on the disk when this returns.
    pub async fn put_posting(&self, posting: &Posting) -> Result<(), Refused> {
        self.store().put_posting(posting).await.map_err(Refused::Store)
    }

    /// The messages about a subject on a platform.
    pub async fn postings(&self, platform: &str, subject: &str) -> Result<Vec<Posting>, Refused> {
        self.store().postings(platform, subject).await.map_err(Refused::Store)
    }

    /// Messages of a platform to which something may still happen.
    pub async fn unsettled_postings(&self, platform: &str, limit: u32) -> Result<Vec<Posting>, Refused> {
        self.store().unsettled_postings(platform, limit).await.map_err(Refused::Store)
    }

    /// What a message is about, by the platform's name for it.
    pub async fn posting_of(
        &self,
        platform: &str,
        channel: &str,
        message: &str,
    ) -> Result<Option<Posting>, Refused> {
        self.store().posting_of(platform, channel, message).await.map_err(Refused::Store)
    }

    /// What was gathered into a message, newest first.
    pub async fn gathered(&self, key: &PostKey, limit: u32) -> Result<Vec<Posting>, Refused> {
        self.store().gathered(key, limit).await.map_err(Refused::Store)
    }
}
