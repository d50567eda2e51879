//! The limits, at moments that the tests choose.

use serde_json::json;

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn bucket(name: &str, remaining: u32, after: &str) -> HeaderMap {
    headers(&[
        ("x-ratelimit-bucket", name),
        ("x-ratelimit-remaining", &remaining.to_string()),
        ("x-ratelimit-reset-after", after),
    ])
}

fn message(channel: &str) -> Route {
    Route::post("channels/{}/messages", &[channel])
}

fn wait(denied: Result<(), Denied>) -> (u128, Scope) {
    match denied {
        Err(Denied::Wait(wait, scope)) => (wait.as_millis(), scope),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_bucket_is_waited_for_by_channel() {
    let (limits, mut now) = (Limits::default(), Instant::now());
    assert_eq!(limits.enter(&message("1"), now), Ok(()));
    limits.learn(&message("1"), StatusCode::OK, &bucket("b", 1, "4.5"), now);
    assert_eq!(limits.enter(&message("1"), now), Ok(()), "one is left");
    assert_eq!(wait(limits.enter(&message("1"), now)), (4_500, Scope::Route));
    assert_eq!(limits.enter(&message("2"), now), Ok(()), "another channel has its own");
    now += Duration::from_millis(4_501);
    assert_eq!(limits.enter(&message("1"), now), Ok(()));
}

#[test]
fn routes_with_one_bucket_are_counted_together() {
    let (limits, now) = (Limits::default(), Instant::now());
    let edit = Route::patch("channels/{}/messages/{}", &["1", "9"]);
    limits.learn(&edit, StatusCode::OK, &bucket("same", 5, "2"), now);
    limits.learn(&message("1"), StatusCode::OK, &bucket("same", 0, "2"), now);
    assert_eq!(wait(limits.enter(&edit, now)).1, Scope::Route);
}

#[test]
fn an_answer_that_comes_late_gives_nothing_back() {
    let (limits, now) = (Limits::default(), Instant::now());
    limits.learn(&message("1"), StatusCode::OK, &bucket("b", 0, "3"), now);
    limits.learn(&message("1"), StatusCode::OK, &bucket("b", 2, "3"), now);
    assert_eq!(wait(limits.enter(&message("1"), now)).1, Scope::Route);
}

#[test]
fn a_429_says_how_long_and_how_far() {
    let (limits, now) = (Limits::default(), Instant::now());
    let body = json!({"retry_after": 1.25, "global": false, "message": "slow down"});
    let told = limits.limited(&message("1"), &headers(&[("x-ratelimit-scope", "shared")]), &body, now);
    assert_eq!(told, (Duration::from_millis(1_250), Scope::Shared));
    assert_eq!(wait(limits.enter(&message("1"), now)), (1_250, Scope::Route));
    assert_eq!(limits.enter(&message("2"), now), Ok(()));
    let told =
        limits.limited(&message("2"), &HeaderMap::new(), &json!({"retry_after": 2.0, "global": true}), now);
    assert_eq!(told, (Duration::from_secs(2), Scope::Global));
    assert_eq!(wait(limits.enter(&Route::get("users/@me", &[]), now)), (2_000, Scope::Global));
    assert_eq!(limits.enter(&Route::post("interactions/{}/{}/callback", &["1", "t"]), now), Ok(()), "exempt");
    let told = limits.limited(&message("3"), &headers(&[("retry-after", "7")]), &Value::Null, now);
    assert_eq!(told, (Duration::from_secs(7), Scope::Global), "what is not JSON comes from before the API");
}

#[test]
fn no_more_than_the_global_limit_is_sent_in_a_second_and_answers_to_interactions_are_exempt() {
    let (limits, mut now) = (Limits::default(), Instant::now());
    let sent = (0..200).filter(|n| limits.enter(&message(&n.to_string()), now).is_ok()).count();
    assert_eq!(sent, A_SECOND);
    assert_eq!(wait(limits.enter(&message("1"), now)), (1_000, Scope::Global));
    let answer = Route::post("interactions/{}/{}/callback", &["1", "t"]);
    assert!((0..200).all(|_| limits.enter(&answer, now).is_ok()));
    now += Duration::from_secs(1);
    assert_eq!(limits.enter(&message("1"), now), Ok(()));
}

#[test]
fn a_refused_token_is_not_tried_again_at_once() {
    let (limits, mut now) = (Limits::default(), Instant::now());
    limits.learn(&message("1"), StatusCode::UNAUTHORIZED, &HeaderMap::new(), now);
    assert_eq!(limits.enter(&message("2"), now), Err(Denied::LockedOut));
    now += LOCKED_OUT;
    assert_eq!(limits.enter(&message("2"), now), Ok(()));
}

#[test]
fn before_discord_bans_the_address_nothing_is_sent_any_more() {
    let (limits, mut now) = (Limits::default(), Instant::now());
    for _ in 0..MOST_REFUSED {
        limits.learn(&message("1"), StatusCode::FORBIDDEN, &HeaderMap::new(), now);
    }
    assert_eq!(wait(limits.enter(&message("2"), now)), (600_000, Scope::Global));
    now += REFUSED_WITHIN;
    assert_eq!(limits.enter(&message("2"), now), Ok(()));
}

#[test]
fn what_others_used_up_is_not_held_against_us() {
    let (limits, now) = (Limits::default(), Instant::now());
    for _ in 0..MOST_REFUSED {
        limits.learn(
            &message("1"),
            StatusCode::TOO_MANY_REQUESTS,
            &headers(&[("x-ratelimit-scope", "shared")]),
            now,
        );
    }
    assert_eq!(limits.enter(&message("2"), now), Ok(()));
}

#[test]
fn memory_of_buckets_is_bounded() {
    let (limits, now) = (Limits::default(), Instant::now());
    for n in 0..MOST + 5 {
        limits.learn(&message(&n.to_string()), StatusCode::OK, &bucket("b", 1, "9"), now);
    }
    assert!(limits.0.lock().buckets.len() <= MOST);
}
