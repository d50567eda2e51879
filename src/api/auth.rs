//! Who is asking: a bearer token against the hashes that the configuration gave.
//!
//! Keeps hashes only, compares all of them in constant time, and never says which part of a token was wrong.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::problem::Problem;
use crate::incident::{Actor, Digest};

/// The shortest token that is accepted from a file or variable.
pub const SHORTEST_TOKEN: usize = 16;

/// The SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token as a file or variable holds it; the line break at its end does not count.
    pub fn of_token(token: &str) -> Result<Self, &'static str> {
        let token = token.trim_end_matches(['\r', '\n']);
        if token.len() < SHORTEST_TOKEN {
            return Err("the token is shorter than 16 characters");
        }
        if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("the token has characters that a header cannot carry");
        }
        Ok(Self(Sha256::digest(token).into()))
    }

    /// What names this token elsewhere, without letting anybody in.
    pub fn credential(&self) -> Digest {
        Digest::of_bytes(&self.0)
    }

    /// A hash as the configuration writes it: 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// One identity that may come in.
#[derive(Clone)]
pub struct Token {
    pub actor: Actor,
    pub hash: TokenHash,
}

/// All of them.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// The identities that may come in.
    pub fn new(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// Whether nobody can come in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom the value of an `Authorization` header stands for.
    pub fn who(&self, header: Option<&str>) -> Result<&Actor, Problem> {
        let Some(header) = header else {
            return Err(Problem::unauthorized("no token was sent"));
        };
        let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return Err(Problem::unauthorized("the Authorization header is not `Bearer TOKEN`"));
        };
        self.find(token.trim())
            .map(|token| &token.actor)
            .ok_or_else(|| Problem::unauthorized("the token is not known"))
    }

    /// Whom a token stands for, however it came in.
    ///
    /// Looks at every token, so that the time taken says nothing about which one came near.
    pub fn find(&self, token: &str) -> Option<&Token> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let (mut found, mut index) = (Choice::from(0), 0_u64);
        for (at, known) in (0_u64..).zip(&self.0) {
            let same = known.hash.0.ct_eq(&hash);
            index.conditional_assign(&at, same);
            found |= same;
        }
        let index = usize::try_from(index).expect("an index of a list fits");
        bool::from(found).then(|| &self.0[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Via;

    fn tokens() -> Tokens {
        let token = |id: &str, text: &str| Token {
            actor: Actor { via: Via::Api, id: id.into(), name: id.into() },
            hash: TokenHash::of_token(text).expect("long enough"),
        };
        Tokens::new(vec![token("alice", "alice-0123456789abcdef\n"), token("bob", "bob-0123456789abcdef")])
    }

    #[test]
    fn a_known_token_says_who_it_is() {
        let who = |header| tokens().who(header).map(|actor| actor.id.to_string()).ok();
        assert_eq!(who(Some("Bearer alice-0123456789abcdef")), Some("alice".to_owned()));
        assert_eq!(who(Some("bearer bob-0123456789abcdef")), Some("bob".to_owned()));
    }

    #[test]
    fn anything_else_is_nobody() {
        for header in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic alice-0123456789abcdef")]
        {
            assert!(tokens().who(header).is_err(), "{header:?}");
        }
        assert!(tokens().who(Some("Bearer alice-0123456789abcdeF")).is_err());
        assert!(Tokens::default().who(Some("Bearer alice-0123456789abcdef")).is_err());
    }

    #[test]
    fn a_hash_is_read_as_sha256sum_prints_it() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert!(TokenHash::parse(hex) == Some(TokenHash(Sha256::digest("test").into())));
        assert!(TokenHash::parse("9f86").is_none());
        assert!(TokenHash::parse(&"zz".repeat(32)).is_none());
        assert!(TokenHash::parse(&"é".repeat(32)).is_none());
    }

    #[test]
    fn a_short_or_unprintable_token_is_refused() {
        assert!(TokenHash::of_token("short").is_err());
        assert!(TokenHash::of_token("has a space in the middle").is_err());
    }
}
