//! Which incident goes where.

use super::*;
use crate::chat::samples::incident;

fn routes(yaml: &str) -> Routes {
    let settings: Settings = serde_saphyr::from_str(yaml).expect("YAML");
    Routes::new(&settings).expect("no mistakes")
}

/// Channel, route, whether it waits, and how many are called.
fn check(yaml: &str, incident: &Incident, now: &str, expected: &[(&str, &str, bool, usize)]) {
    let now: Timestamp = now.parse().expect("a timestamp");
    let found = routes(yaml).of(Platform::Slack, incident, &Marks::default(), now);
    let told: Vec<_> = found
        .iter()
        .map(|d| (d.channel.as_str(), d.route.as_str(), d.hold.is_some(), d.mentions.len()))
        .collect();
    assert_eq!(told, expected, "{yaml}");
}

const NOON: &str = "2026-11-21T12:00:00Z";

fn warning() -> Incident {
    let mut incident = incident();
    incident.finding.severity = Severity::Warning;
    incident
}

#[test]
fn the_first_route_that_fits_takes_an_incident() {
    let yaml = "
routes:
- {name: stage, when: {clusters: [stag*]}, to: {slack: [C1]}}
- {name: pay, when: {namespaces: [pay*], conditions: [image.*], severity: warning}, to: {slack: [C2]}}
- {name: all, to: {slack: [C3]}}
fallback: {slack: [C9]}";
    check(yaml, &incident(), NOON, &[("C2", "pay", false, 0)]);
    let mut other = incident();
    other.finding.subject.namespace = "web".into();
    check(yaml, &other, NOON, &[("C3", "all", false, 0)]);
}

#[test]
fn a_route_that_goes_on_lets_others_take_it_too_and_no_channel_gets_it_twice() {
    let yaml = "
routes:
- {name: a, to: {slack: [C1, C2]}, goOn: true}
- {name: b, to: {slack: [C2, C3]}}
- {name: c, to: {slack: [C4]}}";
    check(yaml, &incident(), NOON, &[("C1", "a", false, 0), ("C2", "a", false, 0), ("C3", "b", false, 0)]);
}

#[test]
fn what_no_route_takes_goes_to_the_fallback() {
    let yaml = "{routes: [{name: a, when: {clusters: [other]}, to: {slack: [C1]}}], fallback: {slack: [C9]}}";
    check(yaml, &incident(), NOON, &[("C9", "fallback", false, 0)]);
    check("{}", &incident(), NOON, &[]);
}

#[test]
fn a_route_to_another_platform_takes_the_incident_from_the_fallback() {
    check("{routes: [{name: a, to: {discord: ['1']}}], fallback: {slack: [C9]}}", &incident(), NOON, &[]);
}

#[test]
fn labels_and_annotations_are_looked_for() {
    let yaml = "
routes:
- {name: team, when: {labels: {team: pay*}, annotations: {chat: '*'}}, to: {slack: [C1]}}
fallback: {slack: [C9]}";
    let mut marks = Marks::default();
    let channel = |marks: &Marks| {
        routes(yaml).of(Platform::Slack, &incident(), marks, NOON.parse().unwrap())[0].channel.clone()
    };
    assert_eq!(channel(&marks), "C9");
    marks.labels.insert("team".into(), "payments".into());
    assert_eq!(channel(&marks), "C9");
    marks.annotations.insert("chat".into(), "".into());
    assert_eq!(channel(&marks), "C1");
}

#[test]
fn people_are_called_from_a_severity_on() {
    let yaml = "
routes:
- name: a
  to: {slack: [C1]}
  mentions: {slack: [{group: S1}, {user: U1}], from: critical}";
    check(yaml, &incident(), NOON, &[("C1", "a", false, 2)]);
    check(yaml, &warning(), NOON, &[("C1", "a", false, 0)]);
}

#[test]
fn it_is_quiet_over_night_in_the_zone_of_the_team_but_not_for_the_worst() {
    let yaml = "
routes:
- {name: a, to: {slack: [C1]}, quiet: {timeZone: Europe/Berlin, from: '22:00', to: '07:00'}}";
    check(yaml, &warning(), "2026-11-21T20:59:00Z", &[("C1", "a", false, 0)]);
    check(yaml, &warning(), "2026-11-21T21:00:00Z", &[("C1", "a", true, 0)]);
    check(yaml, &warning(), "2026-11-22T05:59:00Z", &[("C1", "a", true, 0)]);
    check(yaml, &warning(), "2026-11-22T06:00:00Z", &[("C1", "a", false, 0)]);
    check(yaml, &incident(), "2026-11-21T23:00:00Z", &[("C1", "a", false, 0)]);
    let found = routes(yaml).of(
        Platform::Slack,
        &warning(),
        &Marks::default(),
        "2026-11-21T23:30:00Z".parse().unwrap(),
    );
    assert_eq!(found[0].hold, Some("2026-11-22T06:00:00Z".parse().unwrap()));
}

#[test]
fn quiet_hours_end_right_when_the_clocks_change() {
    let yaml = "
routes:
- {name: a, to: {slack: [C1]}, quiet: {timeZone: Europe/Berlin, from: '22:00', to: '07:00'}}";
    let now = "2026-10-24T22:30:00Z".parse().unwrap();
    let found = routes(yaml).of(Platform::Slack, &warning(), &Marks::default(), now);
    assert_eq!(found[0].hold, Some("2026-10-25T06:00:00Z".parse().unwrap()));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let yaml = "
routes:
- {name: a, to: {}}
- {name: a, to: {slack: [C1]}, quiet: {timeZone: Mars/Olympus, from: '25:00', to: '07:00'}}
- {name: b, to: {slack: [C1]}, quiet: {timeZone: UTC, from: '07:00', to: '07:00'}}";
    let settings: Settings = serde_saphyr::from_str(yaml).expect("YAML");
    let wrong = Routes::new(&settings).expect_err("five");
    let places: Vec<&str> = wrong.iter().map(|wrong| wrong.path.as_str()).collect();
    let expected = [
        "routes[0].to",
        "routes[1].name",
        "routes[1].quiet.timeZone",
        "routes[1].quiet.from",
        "routes[2].quiet",
    ];
    assert_eq!(places, expected);
}

#[test]
fn every_channel_is_named_once() {
    let yaml = "
routes:
- {name: a, to: {slack: [C2, C1]}}
- {name: b, to: {slack: [C1]}}
fallback: {slack: [C9]}";
    assert_eq!(routes(yaml).channels(Platform::Slack), ["C1", "C2", "C9"]);
}
