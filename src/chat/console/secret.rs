//! Random names that nobody can guess, and what is derived from them.
//!
//! A session's id is a secret of 256 bits. The browser has it in a cookie; kubemend keeps its digest alone.
//! What forms carry against forgery is derived from it and masked anew for every page, so that the length of
//! a compressed page tells nothing about it. Comparisons take the same time whatever they find.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::incident::Digest;

const LENGTH: usize = 32;

/// Something only its holder knows. It has no `Debug`: it is written to its holder and nowhere else.
#[derive(Clone)]
pub(super) struct Secret([u8; LENGTH]);

impl Secret {
    /// A new one, from the system's generator.
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// As a cookie or a link holds it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Longer texts are refused before they are decoded.
        let bytes = (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        Some(Self(bytes.try_into().ok()?))
    }

    /// As a cookie or a link holds it.
    pub(super) fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is kept of it, and looked up by: whoever times a look-up learns of digests, not of ids.
    pub(super) fn digest(&self) -> Digest {
        Digest::of_bytes(&self.0)
    }

    /// What a form must carry, masked with something random.
    pub(super) fn csrf(&self) -> String {
        let mask: [u8; LENGTH] = rand::random();
        let masked = xor(self.form_key(), mask);
        URL_SAFE_NO_PAD.encode([mask, masked].concat())
    }

    /// Whether a form carries what it must.
    pub(super) fn is_csrf(&self, text: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(text.get(..text.len().min(200)).unwrap_or_default()) else {
            return false;
        };
        let (Some(mask), Some(masked)) = (bytes.get(..LENGTH), bytes.get(LENGTH..2 * LENGTH)) else {
            return false;
        };
        let own = xor(self.form_key(), mask.try_into().expect("as many bytes were taken"));
        bool::from(own.ct_eq(masked)) && bytes.len() == 2 * LENGTH
    }

    fn form_key(&self) -> [u8; LENGTH] {
        let mut hash = Sha256::new();
        hash.update(b"kubemend console form\0");
        hash.update(self.0);
        hash.finalize().into()
    }
}

fn xor(mut bytes: [u8; LENGTH], mask: [u8; LENGTH]) -> [u8; LENGTH] {
    bytes.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_from_its_text_and_from_nothing_else() {
        let secret = Secret::random();
        let read = Secret::parse(&secret.reveal()).expect("its own text");
        assert_eq!(read.digest(), secret.digest());
        for text in ["", "x", &"A".repeat(42), &"A".repeat(44), &"é".repeat(22), &"=".repeat(43)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_form_is_its_sessions_own() {
        let (one, other) = (Secret::random(), Secret::random());
        let csrf = one.csrf();
        assert!(one.is_csrf(&csrf));
        assert!(!other.is_csrf(&csrf));
        assert_ne!(csrf, one.csrf(), "masked anew each time");
        let longer = format!("{csrf}AA");
        for text in ["", "AAAA", &csrf[1..], &csrf[..60], longer.as_str(), "é"] {
            assert!(!one.is_csrf(text), "{text}");
        }
    }
}
