//! ID tokens, honest ones and others, and the keys that sign them (ES256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{Asked, CLIENT, Lie, NAME, PERSON, State};

pub struct Key {
    name: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    pub fn new(name: &'static str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("its own key");
        Self { name, pair }
    }

    /// As it is published.
    pub fn public(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.name, "x": x, "y": y})
    }

    fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        URL_SAFE_NO_PAD.encode(signature.as_ref())
    }
}

/// The token for whoever asked that, with the lie in it.
pub fn id_token(state: &State, asked: &Asked, access_token: &str) -> String {
    let lie = state.lie;
    let unsigned = matches!(lie, Lie::Unsigned | Lie::UnsignedAsAnnounced | Lie::CalledUnsigned);
    let header = if unsigned {
        json!({"alg": "none", "typ": "JWT"})
    } else {
        json!({"alg": "ES256", "typ": "JWT", "kid": state.key.name})
    };
    let claims = claims(state, asked, access_token);
    let signed = format!("{}.{}", part(&header), part(&claims));
    match lie {
        Lie::Unsigned | Lie::UnsignedAsAnnounced => format!("{signed}."),
        Lie::ForeignKey => format!("{signed}.{}", state.foreign.sign(&signed)),
        Lie::ChangedLater => {
            let mut changed = claims;
            changed["sub"] = json!("somebody-else");
            format!("{}.{}.{}", part(&header), part(&changed), state.key.sign(&signed))
        }
        _ => format!("{signed}.{}", state.key.sign(&signed)),
    }
}

fn claims(state: &State, asked: &Asked, access_token: &str) -> Value {
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": state.issuer, "aud": CLIENT, "sub": PERSON, "name": NAME, "groups": ["sre"],
        "iat": now, "exp": now + 300, "nonce": asked.nonce, "at_hash": hash(access_token),
    });
    let all = claims.as_object_mut().expect("claims are an object");
    match state.lie {
        Lie::OtherAudience => drop(all.insert("aud".into(), json!("another-client"))),
        Lie::FurtherAudience => drop(all.insert("aud".into(), json!([CLIENT, "another-client"]))),
        Lie::OtherIssuer => drop(all.insert("iss".into(), json!("http://127.0.0.1:1"))),
        Lie::Expired => {
            all.insert("iat".into(), json!(now - 600));
            all.insert("exp".into(), json!(now - 300));
        }
        Lie::OtherNonce => drop(all.insert("nonce".into(), json!("a-nonce-of-another-visit"))),
        Lie::NoNonce => drop(all.remove("nonce")),
        Lie::OtherAccessToken => drop(all.insert("at_hash".into(), json!(hash("another access token")))),
        // Without a signature there is no algorithm to hash by.
        Lie::Unsigned | Lie::UnsignedAsAnnounced | Lie::CalledUnsigned => drop(all.remove("at_hash")),
        _ => {}
    }
    claims
}

/// The left half of its SHA-256, as `at_hash` has it.
fn hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(access_token)[..16])
}

pub fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).into()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Something nobody guesses, in letters that fit anywhere.
pub fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}
