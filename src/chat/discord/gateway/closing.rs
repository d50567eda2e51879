//! What is to be done when a connection to the gateway is over. Pure.

use serenity::constants::close_codes as code;

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The session goes on in another connection.
    Resume,
    /// The session is over; begin a new one.
    Anew,
    /// No try can help before somebody does something.
    Never(&'static str),
}

/// What a close code means. Codes that are not known and connections that just broke leave the session alive.
pub(super) fn after(close: Option<u16>) -> Next {
    match close {
        Some(code::AUTHENTICATION_FAILED) => Next::Never(
            "Discord refuses the bot token (4004); make a new one at discord.com/developers → your app → Bot → Reset Token, put it where chat.discord.botToken… says, and start kubemend again",
        ),
        Some(code::INVALID_SHARD) => {
            Next::Never("Discord refuses the shard (4010); this kubemend and Discord do not fit together")
        }
        Some(code::SHARDING_REQUIRED) => Next::Never(
            "the bot is in too many servers for one connection (4011); give kubemend an app of its own",
        ),
        Some(INVALID_VERSION) => {
            Next::Never("Discord does not know this version of its gateway any more (4012); update kubemend")
        }
        Some(code::INVALID_GATEWAY_INTENTS | code::DISALLOWED_GATEWAY_INTENTS) => Next::Never(
            "Discord refuses the intents (4013, 4014), although kubemend asks for none; is a proxy changing what it sends?",
        ),
        Some(
            code::NOT_AUTHENTICATED
            | code::ALREADY_AUTHENTICATED
            | code::INVALID_SEQUENCE
            | code::SESSION_TIMEOUT,
        ) => Next::Anew,
        Some(_) | None => Next::Resume,
    }
}

/// serenity has no name for it.
const INVALID_VERSION: u16 = 4012;

/// What a code says, for the log.
pub(super) fn meaning(close: u16) -> &'static str {
    match close {
        1000 => "normally",
        1001 => "it goes away",
        code::UNKNOWN_ERROR => "something went wrong there",
        code::UNKNOWN_OPCODE | code::DECODE_ERROR => "it did not understand kubemend",
        code::NOT_AUTHENTICATED => "no session had begun",
        code::AUTHENTICATION_FAILED => "the token is refused",
        code::ALREADY_AUTHENTICATED => "the session had begun twice",
        code::INVALID_SEQUENCE => "the session could not be resumed from there",
        code::RATE_LIMITED => "too much was sent",
        code::SESSION_TIMEOUT => "the session had timed out",
        code::INVALID_SHARD | code::SHARDING_REQUIRED => "the shard is refused",
        INVALID_VERSION => "the version is refused",
        code::INVALID_GATEWAY_INTENTS | code::DISALLOWED_GATEWAY_INTENTS => "the intents are refused",
        _ => "no reason that is known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_try_cannot_mend_is_told_and_not_tried() {
        for close in [4004, 4010, 4011, 4012, 4013, 4014] {
            assert!(matches!(after(Some(close)), Next::Never(_)), "{close}");
        }
    }

    #[test]
    fn a_session_that_is_over_begins_anew_and_any_other_is_resumed() {
        for close in [4003, 4005, 4007, 4009] {
            assert_eq!(after(Some(close)), Next::Anew, "{close}");
        }
        for close in
            [None, Some(1000), Some(1001), Some(1006), Some(4000), Some(4001), Some(4002), Some(4008)]
        {
            assert_eq!(after(close), Next::Resume, "{close:?}");
        }
    }
}
