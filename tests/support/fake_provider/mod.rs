//! An OpenID Connect provider of our own that can lie, in one thing at a time.
//!
//! It knows nothing of kubemend. Told the truth it is strict: one client with its secret, PKCE with S256, each
//! code good once. Believes whoever comes to be [`PERSON`]. What it gave out and what it refused is kept.

pub mod token;
mod web;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use token::Key;

pub const CLIENT: &str = "kubemend";
pub const SECRET: &str = "a-secret-of-the-tests";
/// Whom every ID token is about.
pub const PERSON: &str = "mallory-7f3a91";
pub const NAME: &str = "Mallory of the Tests";

/// What the provider does otherwise than it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    None,
    /// Its description is of another issuer.
    DescribesAnother,
    /// The token is signed by a key that is not the provider's, under the name of one that is.
    ForeignKey,
    /// The token says of somebody else what was signed of [`PERSON`].
    ChangedLater,
    /// No signature, and the header says that there is none.
    Unsigned,
    /// The same, by a provider that announces it.
    UnsignedAsAnnounced,
    /// The header says that there is no signature; a good one is there.
    CalledUnsigned,
    OtherAudience,
    /// For this client and for one that nobody configured.
    FurtherAudience,
    OtherIssuer,
    Expired,
    OtherNonce,
    NoNonce,
    /// The access token that comes with it is not the one the ID token names.
    OtherAccessToken,
    NoIdToken,
    /// Codes are good for ever.
    CodesLast,
}

/// The provider, on loopback for as long as it is held.
pub struct FakeProvider {
    pub issuer: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

pub struct State {
    issuer: String,
    redirect: String,
    lie: Lie,
    key: Key,
    foreign: Key,
    codes: HashMap<String, Asked>,
    heard: Heard,
}

/// What was given out and refused, since it was last asked.
#[derive(Default, Debug)]
pub struct Heard {
    /// Codes, nonces and tokens that were given out: nothing that belongs on a page.
    pub given: Vec<String>,
    /// Why somebody got none.
    pub refused: Vec<&'static str>,
    /// How often a code was brought.
    pub brought: usize,
}

/// What somebody who came to the authorization endpoint had with them.
#[derive(Clone)]
pub struct Asked {
    nonce: String,
    challenge: String,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FakeProvider {
    /// `redirect`: where alone it sends people back to.
    pub async fn start(redirect: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let issuer = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::new(Mutex::new(State {
            issuer: issuer.clone(),
            redirect: redirect.to_owned(),
            lie: Lie::None,
            key: Key::new("first"),
            foreign: Key::new("first"),
            codes: HashMap::new(),
            heard: Heard::default(),
        }));
        let serving = tokio::spawn(web::serve(listener, Arc::clone(&state)));
        Self { issuer, state, serving }
    }

    /// From now on.
    pub fn lies(&self, lie: Lie) {
        self.state.lock().lie = lie;
    }

    /// Changes its key: tokens by the one before are no longer its own.
    pub fn turns_its_key(&self, name: &'static str) {
        let mut state = self.state.lock();
        state.key = Key::new(name);
        state.foreign = Key::new(name);
    }

    /// What happened since this was last asked.
    pub fn heard(&self) -> Heard {
        std::mem::take(&mut self.state.lock().heard)
    }
}
