//! Sign-in to the console by a provider that lies, and by people who come back with what is not theirs.
//!
//! What a real provider does is in `console_oidc.rs`; it cannot be made to lie.

use crate::fake_provider::{FakeProvider, Lie, NAME, PERSON};
use crate::support::browser::{Answer, Browser};
use crate::support::house::{ALICE, House};
use http::StatusCode;
use serde_json::json;

/// Where people reach kubemend, as the provider has it. The browsers of the tests go to the house itself.
const PUBLIC: &str = "http://console.example";
const NOT_CONFIRMED: &str = "The provider did not confirm who you are. Try again.";
const OVER: &str = "Your session is over. Log in again.";

async fn start() -> (House, FakeProvider) {
    let provider = FakeProvider::start(&format!("{PUBLIC}/login/oidc/callback")).await;
    let console = json!({"publicUrl": PUBLIC, "oidc": {
        "issuer": provider.issuer, "clientId": "kubemend", "clientSecretEnv": "OIDC_SECRET",
        "scopes": ["profile", "groups"], "roles": {"sre": ["admin"]},
    }});
    (House::started(console).await, provider)
}

/// To the provider and as far as the way back, which is given, not gone.
async fn sent_back(browser: &mut Browser, next: &str) -> String {
    let away = browser.get(&format!("/login/oidc?next={next}")).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.text);
    let answer = browser.get(away.location()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location().strip_prefix(PUBLIC).expect("back to kubemend").to_owned()
}

/// Nobody is in, the page says why in words, and nothing of what the provider said is on it.
async fn turned_away(who: &str, browser: &mut Browser, answer: &Answer, words: &str, given: &[String]) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{who}: {}", answer.text);
    assert!(answer.text.contains(words), "{who}: {}", answer.text);
    let told = [PERSON, NAME, "somebody-else", "another-client"].map(str::to_owned);
    for said in told.iter().chain(given) {
        assert!(!answer.text.contains(said.as_str()), "{who}: {said} is on the page: {}", answer.text);
    }
    assert!(!browser.cookies.contains_key("kubemend-session"), "{who}: {:?}", browser.cookies);
    let status = browser.get("/status").await;
    assert_eq!((status.status, status.location()), (StatusCode::SEE_OTHER, "/login?next=%2Fstatus"), "{who}");
}

/// The way back ends where it was begun for, with the person's session.
async fn let_in(who: &str, browser: &mut Browser, back: &str, next: &str) {
    let answer = browser.get(back).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, next), "{who}: {}", answer.text);
    let status = browser.get("/status").await;
    assert!(status.status == StatusCode::OK && status.text.contains(NAME), "{who}: {}", status.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lie_of_a_provider_lets_anybody_in() {
    let (house, provider) = start().await;
    // Before its true description is known.
    provider.lies(Lie::DescribesAnother);
    let mut browser = Browser::at(house.address());
    let answer = browser.get("/login/oidc").await;
    turned_away("another's description", &mut browser, &answer, NOT_CONFIRMED, &[]).await;

    for lie in [
        Lie::ForeignKey,
        Lie::ChangedLater,
        Lie::Unsigned,
        Lie::UnsignedAsAnnounced,
        Lie::CalledUnsigned,
        Lie::OtherAudience,
        Lie::FurtherAudience,
        Lie::OtherIssuer,
        Lie::Expired,
        Lie::OtherNonce,
        Lie::NoNonce,
        Lie::OtherAccessToken,
        Lie::NoIdToken,
    ] {
        provider.lies(lie);
        let who = format!("{lie:?}");
        let mut browser = Browser::at(house.address());
        let back = sent_back(&mut browser, "/status").await;
        let answer = browser.get(&back).await;
        let heard = provider.heard();
        // So that it is the lie that was found out, and not a slip of the provider's.
        assert!(heard.refused.is_empty() && heard.given.len() >= 4, "{who}: {heard:?}");
        turned_away(&who, &mut browser, &answer, NOT_CONFIRMED, &heard.given).await;
        let again = browser.get(&back).await;
        turned_away(&format!("{who}, again"), &mut browser, &again, OVER, &heard.given).await;
        assert_eq!(provider.heard().brought, 0, "{who}: what was tried is spent");

        // The same in everything else: it was the lie alone.
        provider.lies(Lie::None);
        let back = sent_back(&mut browser, "/status").await;
        let_in(&format!("honest after {who}"), &mut browser, &back, "/status").await;
        assert!(provider.heard().refused.is_empty());
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_may_turn_its_key_and_what_the_old_one_signed_is_worth_nothing() {
    let (house, provider) = start().await;
    let mut ann = Browser::at(house.address());
    let back = sent_back(&mut ann, "/status").await;
    let_in("by the first key", &mut ann, &back, "/status").await;
    provider.turns_its_key("second");
    let mut bob = Browser::at(house.address());
    let back = sent_back(&mut bob, "/status").await;
    let_in("by the second key", &mut bob, &back, "/status").await;
    provider.lies(Lie::ForeignKey);
    let mut eve = Browser::at(house.address());
    let back = sent_back(&mut eve, "/status").await;
    let answer = eve.get(&back).await;
    let given = provider.heard().given;
    turned_away("by a key of the same name", &mut eve, &answer, NOT_CONFIRMED, &given).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_back_with_what_is_anothers() {
    let (house, provider) = start().await;
    let mut ann = Browser::at(house.address());
    let mut eve = Browser::at(house.address());

    // Another browser's state, with its code, for a browser that never went.
    let anns = sent_back(&mut ann, "/status").await;
    let given = provider.heard().given;
    let answer = eve.get(&anns).await;
    turned_away("a stranger", &mut eve, &answer, OVER, &given).await;
    // For one that is on a way of its own. What was brought by the wrong one is spent for the right one, too.
    sent_back(&mut eve, "/status").await;
    let anns = sent_back(&mut ann, "/status").await;
    let given = provider.heard().given;
    let answer = eve.get(&anns).await;
    turned_away("somebody on a way of their own", &mut eve, &answer, OVER, &given).await;
    let late = ann.get(&anns).await;
    turned_away("Ann, after it", &mut ann, &late, OVER, &given).await;
    assert_eq!(provider.heard().brought, 0, "no code was brought to the provider");

    // Ann's code, on Eve's way: the provider finds that the verifier is not Ann's.
    let anns = sent_back(&mut ann, "/status").await;
    let eves = sent_back(&mut eve, "/status").await;
    let mixed = format!("/login/oidc/callback?code={}&state={}", query(&anns, "code"), query(&eves, "state"));
    let answer = eve.get(&mixed).await;
    let heard = provider.heard();
    assert_eq!(heard.refused, ["verifier"], "each way has a verifier of its own");
    turned_away("a code put under another state", &mut eve, &answer, NOT_CONFIRMED, &heard.given).await;

    // An answer that names another issuer is not even tried.
    let back = sent_back(&mut ann, "/status").await;
    let (code, state) = (query(&back, "code"), query(&back, "state"));
    let elsewhere =
        format!("/login/oidc/callback?code={code}&state={state}&iss=https%3A%2F%2Fid.example.com");
    let answer = ann.get(&elsewhere).await;
    let heard = provider.heard();
    assert_eq!(heard.brought, 0, "{heard:?}");
    turned_away("another issuer's answer", &mut ann, &answer, NOT_CONFIRMED, &heard.given).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_is_good_once_even_where_codes_are_good_for_ever() {
    let (house, provider) = start().await;
    provider.lies(Lie::CodesLast);
    let mut ann = Browser::at(house.address());
    let back = sent_back(&mut ann, "/status").await;
    let visit = ann.cookies.clone();
    let_in("the first time", &mut ann, &back, "/status").await;
    let given = provider.heard().given;
    // The same browser as it was before, as if the history of a public computer were gone through.
    let mut late = Browser::at(house.address());
    late.cookies = visit;
    let answer = late.get(&back).await;
    turned_away("replayed", &mut late, &answer, OVER, &given).await;
    assert_eq!(provider.heard().brought, 0, "the code was not brought again");
    assert_eq!(ann.get("/status").await.status, StatusCode::OK, "who is in stays in");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_sends_nobody_elsewhere_and_a_new_sign_in_ends_the_session_before() {
    let (house, provider) = start().await;
    for place in ["//evil.example/", "https://evil.example/", "/%5Cevil.example", "%2F%2Fevil.example"] {
        let mut browser = Browser::at(house.address());
        let back = sent_back(&mut browser, place).await;
        let_in(place, &mut browser, &back, "/incidents").await;
    }
    let mut alice = Browser::signed_in(house.address(), ALICE).await;
    let mut before = alice.copy();
    assert_eq!(before.get("/status").await.status, StatusCode::OK);
    let back = sent_back(&mut alice, "/status").await;
    let_in("Alice, as somebody else", &mut alice, &back, "/status").await;
    assert_eq!(before.get("/status").await.status, StatusCode::SEE_OTHER, "the session before is over");
    assert!(provider.heard().refused.is_empty());
    house.end().await;
}

/// A field of a way back, as it is written there.
fn query(back: &str, name: &str) -> String {
    let fields = back.split_once('?').map_or("", |(_, query)| query);
    let found = fields.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name}: {back}")).to_owned()
}
