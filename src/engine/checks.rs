//! Checks against fresh objects, and what they add up to. Pure.
//!
//! Unknown is never success: a check that could not be looked at has no answer, and a verdict without all
//! answers is not `Fixed`.

use jiff::Timestamp;
use serde_json::Value;

use crate::incident::{Check, CheckResult, Target, Text, Verdict};

/// What was seen of a check's object.
pub(super) enum Seen {
    Object(Value),
    NotThere,
    /// It could not be looked at; the text says why.
    Unreadable(Text),
}

/// Whether the condition still shows at the check's key.
pub(super) enum Showing {
    No,
    /// On so many subjects.
    On(usize),
    Unknown(Text),
}

/// The object that a check is about; `None` for one about a condition.
pub(super) fn target(check: &Check) -> Option<&Target> {
    match check {
        Check::Gone(target)
        | Check::Field { target, .. }
        | Check::RolledOut { target, .. }
        | Check::Ready(target) => Some(target),
        Check::ConditionGone { .. } => None,
    }
}

/// A check about an object. `left_out` says why its change was not made, where that is no fault: then nothing is
/// asked of it, and the other checks judge. What somebody else is deleting is waited for.
pub(super) fn of_object(check: &Check, seen: &Seen, left_out: Option<&Text>) -> CheckResult {
    let words = in_words(check);
    let (passed, detail) = match (seen, left_out) {
        (Seen::Unreadable(why), _) => (None, why.to_string()),
        (Seen::NotThere, None) => absent(check),
        (Seen::Object(live), Some(_)) if is_going(live) => present(check, live),
        (Seen::Object(_) | Seen::NotThere, Some(why)) => (Some(true), format!("it was left alone: {why}")),
        (Seen::Object(live), None) => present(check, live),
    };
    CheckResult { check: words.into(), passed, detail: detail.into() }
}

/// A check about a condition.
pub(super) fn of_condition(check: &Check, showing: &Showing) -> CheckResult {
    let (passed, detail) = match showing {
        Showing::No => (Some(true), "no object shows it any more".to_owned()),
        Showing::On(count) => (Some(false), format!("{count} object(s) still show it")),
        Showing::Unknown(why) => (None, why.to_string()),
    };
    CheckResult { check: in_words(check).into(), passed, detail: detail.into() }
}

fn in_words(check: &Check) -> String {
    let name = |target: &Target| target.in_cluster(&Text::default()).to_string();
    match check {
        Check::Gone(target) => format!("{} with uid {} is gone", name(target), target.uid),
        Check::Field { target, pointer, value: _ } => {
            format!("{} has the wanted value at {pointer}", name(target))
        }
        Check::RolledOut { target, .. } => format!("{} has rolled out", name(target)),
        Check::Ready(target) => format!("all wanted pods of {} are ready", name(target)),
        Check::ConditionGone { condition, key } => format!("{condition} is gone from {}", key.place.name),
    }
}

fn absent(check: &Check) -> (Option<bool>, String) {
    match check {
        Check::Gone(_) => (Some(true), "it is not there".to_owned()),
        Check::Field { .. } | Check::RolledOut { .. } | Check::Ready(_) | Check::ConditionGone { .. } => {
            (Some(false), "it is not there".to_owned())
        }
    }
}

fn present(check: &Check, live: &Value) -> (Option<bool>, String) {
    let uid = text(live, "/metadata/uid");
    match check {
        Check::Gone(target) if uid == target.uid.as_str() => (Some(false), "it is still there".to_owned()),
        Check::Gone(_) => (Some(true), "another object has its name now".to_owned()),
        _ if target(check).is_some_and(|target| !target.uid.is_empty() && uid != target.uid.as_str()) => {
            (Some(false), "another object has its name now".to_owned())
        }
        Check::Field { pointer, value, .. } => field(live, pointer, value),
        Check::RolledOut { generation_above, .. } => rolled_out(live, *generation_above),
        Check::Ready(_) => ready(live),
        Check::ConditionGone { .. } => (None, "this check is not about an object".to_owned()),
    }
}

fn is_going(live: &Value) -> bool {
    !text(live, "/metadata/deletionTimestamp").is_empty()
}

/// The values themselves are not told: a field may hold anything.
fn field(live: &Value, pointer: &str, wanted: &Value) -> (Option<bool>, String) {
    let is = live.pointer(pointer).unwrap_or(&Value::Null);
    if is == wanted {
        (Some(true), "it has".to_owned())
    } else {
        (Some(false), "it has another one".to_owned())
    }
}

fn rolled_out(live: &Value, above: i64) -> (Option<bool>, String) {
    let generation = number(live, "/metadata/generation");
    if generation <= above {
        return (Some(false), "it has not been changed".to_owned());
    }
    let counts = Counts::of(live);
    if !counts.observed {
        return (Some(false), "its controller has not seen the change yet".to_owned());
    }
    let done =
        counts.updated == counts.wanted && counts.ready == counts.wanted && counts.total == counts.wanted;
    (Some(done), counts.in_words())
}

fn ready(live: &Value) -> (Option<bool>, String) {
    let counts = Counts::of(live);
    (Some(counts.observed && counts.ready >= counts.wanted), counts.in_words())
}

/// A workload's pods, for all kinds of workloads alike.
struct Counts {
    wanted: i64,
    total: i64,
    updated: i64,
    ready: i64,
    /// The controller has seen the newest generation.
    observed: bool,
}

impl Counts {
    fn of(live: &Value) -> Self {
        let observed = number(live, "/status/observedGeneration") >= number(live, "/metadata/generation");
        let at = |pointer| number(live, pointer);
        match text(live, "/kind") {
            "DaemonSet" => Self {
                wanted: at("/status/desiredNumberScheduled"),
                total: at("/status/currentNumberScheduled"),
                updated: at("/status/updatedNumberScheduled"),
                ready: at("/status/numberReady"),
                observed,
            },
            "ReplicaSet" => {
                let total = at("/status/replicas");
                Self {
                    wanted: replicas(live),
                    total,
                    updated: total,
                    ready: at("/status/readyReplicas"),
                    observed,
                }
            }
            _ => Self {
                wanted: replicas(live),
                total: at("/status/replicas"),
                updated: at("/status/updatedReplicas"),
                ready: at("/status/readyReplicas"),
                observed,
            },
        }
    }

    fn in_words(&self) -> String {
        let Self { wanted, total, updated, ready, observed: _ } = self;
        format!("{ready} of {wanted} ready, {updated} up to date, {total} in all")
    }
}

/// A workload that does not say wants one.
fn replicas(live: &Value) -> i64 {
    live.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
}

fn number(live: &Value, pointer: &str) -> i64 {
    live.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

fn text<'v>(live: &'v Value, pointer: &str) -> &'v str {
    live.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// How long all checks have held, told from one look to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Holding {
    /// All checks hold, and have since then.
    pub since: Option<Timestamp>,
}

/// What is so at a look: when, until when there is time, and whether it got worse.
pub(super) struct Look {
    pub now: Timestamp,
    pub deadline: Timestamp,
    /// How long all checks must hold.
    pub steady: jiff::SignedDuration,
    /// How many objects were hit when the execution began, and how many are now.
    pub members_before: u32,
    pub members_now: u32,
}

/// The verdict, once there is one; else whether all checks hold, for the next look.
pub(super) fn verdict(results: &[CheckResult], held: Holding, look: &Look) -> Result<Verdict, Holding> {
    let Look { now, deadline, steady, members_before, members_now } = look;
    let all = results.iter().all(|result| result.passed == Some(true));
    let since = all.then(|| held.since.unwrap_or(*now));
    if since.is_some_and(|since| now.duration_since(since) >= *steady || now >= deadline) {
        return Ok(Verdict::Fixed);
    }
    if now < deadline {
        return Err(Holding { since });
    }
    let failed = results.iter().any(|result| result.passed == Some(false));
    Ok(match failed {
        true if members_now > members_before => Verdict::Regressed,
        true => Verdict::NotFixed,
        false => Verdict::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::incident::ApiKind;

    fn deployment() -> Target {
        let api = ApiKind::known("Deployment").expect("built in");
        Target { api, namespace: "payments".into(), name: "api".into(), uid: "u-1".into() }
    }

    fn live(generation: i64, observed: i64, [total, updated, ready]: [i64; 3]) -> Value {
        json!({
            "kind": "Deployment", "metadata": {"uid": "u-1", "generation": generation}, "spec": {"replicas": 3},
            "status": {"observedGeneration": observed, "replicas": total, "updatedReplicas": updated, "readyReplicas": ready},
        })
    }

    #[track_caller]
    fn check(check: &Check, seen: &Seen, passed: Option<bool>) {
        let result = of_object(check, seen, None);
        assert_eq!(result.passed, passed, "{result:?}");
    }

    #[test]
    fn a_rollout_counts_only_when_the_controller_saw_the_change_and_the_old_pods_are_gone() {
        let rolled = Check::RolledOut { target: deployment(), generation_above: 4 };
        check(&rolled, &Seen::Object(live(4, 4, [3, 3, 3])), Some(false));
        check(&rolled, &Seen::Object(live(5, 4, [3, 3, 3])), Some(false));
        check(&rolled, &Seen::Object(live(5, 5, [4, 3, 3])), Some(false));
        check(&rolled, &Seen::Object(live(5, 5, [3, 3, 2])), Some(false));
        check(&rolled, &Seen::Object(live(5, 5, [3, 3, 3])), Some(true));
    }

    #[test]
    fn an_object_with_the_same_name_and_another_uid_is_another_object() {
        let mut other = live(5, 5, [3, 3, 3]);
        other["metadata"]["uid"] = json!("u-2");
        check(&Check::Ready(deployment()), &Seen::Object(other.clone()), Some(false));
        check(&Check::Gone(deployment()), &Seen::Object(other), Some(true));
        check(&Check::Gone(deployment()), &Seen::Object(live(5, 5, [3, 3, 3])), Some(false));
        check(&Check::Gone(deployment()), &Seen::NotThere, Some(true));
        check(&Check::Ready(deployment()), &Seen::NotThere, Some(false));
    }

    #[test]
    fn of_an_object_that_was_left_alone_nothing_is_asked_unless_it_is_going() {
        let why = Text::from("it is running");
        let gone = Check::Gone(deployment());
        let left = |seen: &Seen| of_object(&gone, seen, Some(&why));
        let stays = left(&Seen::Object(live(5, 5, [3, 3, 3])));
        assert_eq!((stays.passed, stays.detail.as_str()), (Some(true), "it was left alone: it is running"));
        let mut going = live(5, 5, [3, 3, 3]);
        going["metadata"]["deletionTimestamp"] = json!("2026-11-21T21:00:00Z");
        assert_eq!(left(&Seen::Object(going)).passed, Some(false));
        assert_eq!(left(&Seen::NotThere).passed, Some(true));
        assert_eq!(left(&Seen::Unreadable("no answer".into())).passed, None);
        let rolled = Check::RolledOut { target: deployment(), generation_above: 4 };
        assert_eq!(of_object(&rolled, &Seen::NotThere, Some(&why)).passed, Some(true));
    }

    #[test]
    fn pods_are_ready_once_the_controller_has_counted_them_anew() {
        check(&Check::Ready(deployment()), &Seen::Object(live(5, 4, [3, 3, 3])), Some(false));
        check(&Check::Ready(deployment()), &Seen::Object(live(5, 5, [3, 3, 2])), Some(false));
        check(&Check::Ready(deployment()), &Seen::Object(live(5, 5, [4, 3, 3])), Some(true));
    }

    #[test]
    fn a_field_has_the_wanted_value_or_not_and_absent_is_null() {
        let wants = |pointer: &str, value: Value| Check::Field {
            target: deployment(),
            pointer: pointer.into(),
            value,
        };
        let object = Seen::Object(live(5, 5, [3, 3, 3]));
        check(&wants("/spec/replicas", json!(3)), &object, Some(true));
        check(&wants("/spec/replicas", json!(4)), &object, Some(false));
        check(&wants("/spec/paused", Value::Null), &object, Some(true));
        check(&wants("/spec/paused", json!(true)), &object, Some(false));
    }

    #[test]
    fn a_condition_is_gone_only_if_that_is_known() {
        let key = crate::incident::samples::auth_missing("a").key;
        let gone = Check::ConditionGone { condition: key.condition.clone(), key };
        assert_eq!(of_condition(&gone, &Showing::No).passed, Some(true));
        assert_eq!(of_condition(&gone, &Showing::On(2)).passed, Some(false));
        assert_eq!(of_condition(&gone, &Showing::Unknown("not up to date".into())).passed, None);
    }

    #[test]
    fn what_cannot_be_read_has_no_answer() {
        check(&Check::Gone(deployment()), &Seen::Unreadable("the cluster does not answer".into()), None);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    fn look(now: i64, members_now: u32) -> Look {
        Look {
            now: at(now),
            deadline: at(100),
            steady: SignedDuration::from_secs(5),
            members_before: 3,
            members_now,
        }
    }

    fn results(passed: &[Option<bool>]) -> Vec<CheckResult> {
        let result =
            |passed: &Option<bool>| CheckResult { check: "it".into(), passed: *passed, detail: "".into() };
        passed.iter().map(result).collect()
    }

    #[test]
    fn fixed_is_what_holds_for_a_while() {
        let all = results(&[Some(true), Some(true)]);
        let first = verdict(&all, Holding { since: None }, &look(10, 0)).expect_err("too early");
        assert_eq!(first.since, Some(at(10)));
        assert_eq!(verdict(&all, first, &look(14, 0)), Err(first));
        assert_eq!(verdict(&all, first, &look(15, 0)), Ok(Verdict::Fixed));
        let broken =
            verdict(&results(&[Some(true), Some(false)]), first, &look(15, 0)).expect_err("waits on");
        assert_eq!(broken.since, None);
    }

    #[test]
    fn at_the_deadline_a_failed_check_is_not_fixed_and_more_members_are_a_regression() {
        let failed = results(&[Some(true), Some(false), None]);
        assert!(verdict(&failed, Holding { since: None }, &look(99, 3)).is_err());
        assert_eq!(verdict(&failed, Holding { since: None }, &look(100, 3)), Ok(Verdict::NotFixed));
        assert_eq!(verdict(&failed, Holding { since: None }, &look(100, 4)), Ok(Verdict::Regressed));
    }

    #[test]
    fn what_could_not_be_determined_is_never_success() {
        let unknown = results(&[Some(true), None]);
        assert_eq!(verdict(&unknown, Holding { since: None }, &look(100, 0)), Ok(Verdict::Unknown));
    }
}
