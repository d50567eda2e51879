//! What Discord's refusals mean for a message, with the way out. Pure.

use std::time::Duration;

use crate::chat::discord::web::{self, WebError};
use crate::chat::outbox::{ChannelTrouble, PostError, Scope};

/// What was being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    Post,
    PostInForum,
    Edit,
    /// Of a forum's post, which is a channel of its own.
    EditPost,
    /// Beginning a thread.
    Begin,
    /// Writing or reading in a thread.
    Reply,
    /// Writing in a thread, with a file.
    Attach,
    /// Reading the channel.
    Look,
}

impl Doing {
    /// The permissions that it takes, as Discord calls them.
    fn needs(self) -> &'static str {
        match self {
            Self::Post => "Send Messages, Embed Links",
            Self::PostInForum => "Send Messages (Create Posts), Embed Links",
            Self::Edit | Self::EditPost => "View Channel, Embed Links",
            Self::Begin => "Create Public Threads",
            Self::Reply => "Send Messages in Threads, Embed Links, Read Message History",
            Self::Attach => "Attach Files, Send Messages in Threads, Embed Links",
            Self::Look => "View Channel, Read Message History",
        }
    }

    /// Whether the channel in question is a thread or a post.
    fn is_in_thread(self) -> bool {
        matches!(self, Self::EditPost | Self::Reply | Self::Attach)
    }
}

/// The outbox's word for how far a limit reaches.
pub(super) fn reach(scope: web::Scope) -> Scope {
    match scope {
        web::Scope::Route | web::Scope::Shared => Scope::Channel,
        web::Scope::Global => Scope::Everything,
    }
}

/// What came of it, as the outbox understands it.
pub(super) fn refused(error: &WebError, doing: Doing) -> PostError {
    match error {
        WebError::RateLimited { after, scope, .. } => {
            PostError::RateLimited { after: *after, scope: reach(*scope) }
        }
        WebError::Unknown { .. } => PostError::Unknown(error.to_string()),
        // A wrong token is wrong for everything. Nothing was done, and it can be put right.
        WebError::NotSent { .. } | WebError::Api { status: 401, .. } => PostError::NotSent(error.to_string()),
        WebError::Api { code, .. } => answered(error, *code, doing),
    }
}

fn answered(error: &WebError, code: u64, doing: Doing) -> PostError {
    let unfit = |way_out: &str| ChannelTrouble::Unfit { way_out: way_out.to_owned() }.into();
    match code {
        10_003 if doing.is_in_thread() => PostError::MessageGone,
        10_003 => ChannelTrouble::Gone.into(),
        // Of another bot: kubemend's token is of another app than it was.
        10_008 | 50_005 => PostError::MessageGone,
        50_001 => ChannelTrouble::NotInChannel {
            way_out: "let its role see it: Edit Channel → Permissions → kubemend → View Channel".to_owned(),
        }
        .into(),
        50_013 => ChannelTrouble::MissingScope {
            scope: doing.needs().to_owned(),
            way_out: "allow it: Edit Channel → Permissions → kubemend, or Server Settings → Roles → kubemend"
                .to_owned(),
        }
        .into(),
        50_008 | 50_024 => unfit("name a text, announcement or forum channel"),
        40_067 => unfit("the forum demands a tag and has none; make some, such as `open` and `over`"),
        160_005 => PostError::Refused("the thread is locked; unlock it to have it told further".to_owned()),
        // Slow mode, writes to the channel, announcements.
        20_016 | 20_022 | 20_028 | 40_062 => {
            PostError::RateLimited { after: Duration::from_secs(10), scope: Scope::Channel }
        }
        // So many edits of an old message, or Discord has too much to do: this message waits, others need not.
        30_046 | 130_000 => PostError::NotSent(error.to_string()),
        _ => PostError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u64, doing: Doing) -> PostError {
        let error = WebError::Api {
            route: "channels/{}/messages",
            status: 400,
            code,
            message: "no".to_owned(),
            path: String::new(),
        };
        refused(&error, doing)
    }

    #[test]
    fn each_refusal_says_what_can_be_done() {
        assert_eq!(said(10_003, Doing::Post), ChannelTrouble::Gone.into());
        assert_eq!(said(10_003, Doing::Reply), PostError::MessageGone);
        assert_eq!(said(10_008, Doing::Edit), PostError::MessageGone);
        assert!(said(50_001, Doing::Post).to_string().contains("View Channel"));
        assert!(said(50_013, Doing::Begin).to_string().contains("`Create Public Threads`"));
        assert!(said(50_013, Doing::Reply).to_string().contains("Send Messages in Threads"));
        assert!(matches!(said(160_005, Doing::Reply), PostError::Refused(_)));
        assert!(matches!(said(30_046, Doing::Edit), PostError::NotSent(_)));
        assert!(matches!(said(50_035, Doing::Post), PostError::Refused(_)));
        assert!(matches!(said(20_016, Doing::Post), PostError::RateLimited { scope: Scope::Channel, .. }));
    }

    #[test]
    fn a_global_limit_holds_everything() {
        let after = Duration::from_secs(3);
        let error = WebError::RateLimited { route: "x", after, scope: web::Scope::Global };
        assert_eq!(refused(&error, Doing::Edit), PostError::RateLimited { after, scope: Scope::Everything });
    }
}
