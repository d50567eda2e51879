//! Secrets, of which only the shape may leave: type, names of keys, and of a pull secret its registries and
//! what is wrong with it. Credentials are compared and dropped inside one function; nothing here that holds
//! one implements `Debug`, and no error quotes the document.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::nullable;
use super::meta::MetaShape;
use crate::incident::objects::Meta;
use crate::incident::{Defect, PullSecret, RegistryEntry, Text};

/// The type of pull secrets, and of those from before 2015.
pub const DOCKER_CONFIG_JSON: &str = "kubernetes.io/dockerconfigjson";
const DOCKER_CFG: &str = "kubernetes.io/dockercfg";
const JSON_KEY: &str = ".dockerconfigjson";
const CFG_KEY: &str = ".dockercfg";

/// Padding or none: the kubelet takes both.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A Secret without its values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecretShape {
    pub meta: Meta,
    pub keys: Vec<Text>,
    /// How it would do as a pull secret.
    pub pull: PullSecret,
}

/// What a Secret is worth for pulling images. `data` holds the decoded values.
pub fn pull_secret(
    name: &Text,
    namespace: &Text,
    kind: &str,
    data: &BTreeMap<String, Vec<u8>>,
) -> PullSecret {
    let mut secret = PullSecret {
        name: name.clone(),
        namespace: namespace.clone(),
        exists: Some(true),
        kind: Text::new(kind),
        ..PullSecret::default()
    };
    if kind != DOCKER_CONFIG_JSON && kind != DOCKER_CFG {
        secret.defects.push(Defect::WrongType);
    }
    match document(kind, data).map(parse) {
        None => secret.defects.push(Defect::MissingKey),
        Some(None) => secret.defects.push(Defect::Unparsable),
        Some(Some(entries)) if entries.is_empty() => secret.defects.push(Defect::NoEntries),
        Some(Some(entries)) => secret.entries = entries,
    }
    secret
}

#[derive(Clone, Copy)]
enum Document<'a> {
    /// With `auths` around the entries.
    Json(&'a [u8]),
    /// The entries alone.
    Cfg(&'a [u8]),
}

/// The document that the kubelet would read; of a Secret of another type, the one it has.
fn document<'a>(kind: &str, data: &'a BTreeMap<String, Vec<u8>>) -> Option<Document<'a>> {
    let json = data.get(JSON_KEY).map(|bytes| Document::Json(bytes));
    let cfg = data.get(CFG_KEY).map(|bytes| Document::Cfg(bytes));
    match kind {
        DOCKER_CONFIG_JSON => json,
        DOCKER_CFG => cfg,
        _ => json.or(cfg),
    }
}

fn parse(document: Document<'_>) -> Option<Vec<RegistryEntry>> {
    #[derive(Deserialize)]
    struct Outer {
        #[serde(default, deserialize_with = "nullable")]
        auths: BTreeMap<String, Option<Credential>>,
    }
    let auths = match document {
        Document::Json(bytes) => serde_json::from_slice::<Outer>(bytes).ok()?.auths,
        Document::Cfg(bytes) => serde_json::from_slice(bytes).ok()?,
    };
    Some(auths.into_iter().map(|(key, found)| entry(&key, &found.unwrap_or_default())).collect())
}

fn entry(key: &str, credential: &Credential) -> RegistryEntry {
    RegistryEntry { key: Text::new(key), defects: credential.defects() }
}

/// One entry of a pull secret. Deliberately without `Debug`, `Clone` and `Serialize`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Credential {
    #[serde(deserialize_with = "nullable")]
    auth: String,
    #[serde(deserialize_with = "nullable")]
    username: String,
    #[serde(deserialize_with = "nullable")]
    password: String,
}

impl Credential {
    /// As the kubelet reads it: `auth` wins over `username` and `password`.
    fn defects(&self) -> Vec<Defect> {
        if self.auth.is_empty() {
            return pair_defects(&self.username, &self.password);
        }
        let Some(decoded) = decode_auth(&self.auth) else { return vec![Defect::AuthNotBase64] };
        let Some((user, password)) = decoded.split_once(':') else {
            return vec![Defect::AuthNotUserPassword];
        };
        let mut defects = pair_defects(user, password);
        if contradicts(&self.username, user) || contradicts(&self.password, password) {
            defects.push(Defect::Contradiction);
        }
        defects
    }
}

/// Bytes that are no UTF-8 still are credentials; only `:` and white space are looked at.
fn decode_auth(auth: &str) -> Option<String> {
    let compact: String = auth.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = FORGIVING.decode(compact.trim()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn pair_defects(user: &str, password: &str) -> Vec<Defect> {
    let mut defects = Vec::new();
    if user.is_empty() || password.is_empty() {
        defects.push(Defect::EmptyCredential);
    }
    if user.trim() != user || password.trim() != password {
        defects.push(Defect::StrayWhitespace);
    }
    defects
}

fn contradicts(written: &str, decoded: &str) -> bool {
    !written.is_empty() && written != decoded
}

/// A Secret on the wire. Of its values only the two documents of pull secrets are decoded.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SecretWire {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: Text,
    #[serde(deserialize_with = "nullable")]
    data: Values,
    /// In manifests; a server folds it into `data`.
    #[serde(deserialize_with = "nullable")]
    string_data: PlainValues,
}

impl From<SecretWire> for SecretShape {
    fn from(wire: SecretWire) -> Self {
        let meta: Meta = wire.metadata.into();
        let mut keys = wire.data.keys;
        let mut documents = wire.data.documents;
        for (key, value) in wire.string_data.0 {
            let text = Text::new(&key);
            if !keys.contains(&text) {
                keys.push(text);
            }
            if key == JSON_KEY || key == CFG_KEY {
                documents.insert(key, value.into_bytes());
            }
        }
        keys.sort_unstable();
        let pull = pull_secret(&meta.name, &meta.namespace, &wire.kind, &documents);
        Self { meta, keys, pull }
    }
}

#[derive(Default, Deserialize)]
struct PlainValues(BTreeMap<String, String>);

/// Names of all keys; values of two of them.
#[derive(Default)]
struct Values {
    keys: Vec<Text>,
    documents: BTreeMap<String, Vec<u8>>,
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Data;
        impl<'de> Visitor<'de> for Data {
            type Value = Values;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of values in base64")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut values = Values::default();
                while let Some(key) = map.next_key::<String>()? {
                    values.keys.push(Text::new(&key));
                    if key == JSON_KEY || key == CFG_KEY {
                        let encoded: Option<String> = map.next_value()?;
                        // What is no base64 cannot have come from a server; as a document it is unparsable.
                        let bytes = FORGIVING.decode(encoded.unwrap_or_default().trim()).unwrap_or_default();
                        values.documents.insert(key, bytes);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(values)
            }
        }
        deserializer.deserialize_map(Data)
    }
}
