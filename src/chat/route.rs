//! Where an incident goes: which channels, whom to call, and from when on. Pure.
//!
//! Asked again with the same incident and time it gives the same answer. Refuses to count what was posted (that
//! is the outbox, with the budget that is told here).

use std::collections::BTreeMap;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::card::Mention;
use super::layout::Platform;
use super::settings::{Budget, Channels, Mentions, Quiet, RouteSettings, Settings, When};
use crate::engine::glob_matches;
use crate::incident::{Evidence, Incident, Severity, Text};

/// The name of the route of last resort.
pub const FALLBACK: &str = "fallback";

/// All routes, checked.
#[derive(Clone, Debug)]
pub struct Routes {
    routes: Vec<Route>,
    fallback: Channels,
}

#[derive(Clone, Debug)]
struct Route {
    settings: RouteSettings,
    quiet: Option<QuietHours>,
}

#[derive(Clone, Debug)]
struct QuietHours {
    zone: TimeZone,
    from: Time,
    to: Time,
    except: Severity,
}

/// One channel that an incident goes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    pub channel: Text,
    pub route: Text,
    pub mentions: Vec<Mention>,
    /// Not before; `None` is at once.
    pub hold: Option<Timestamp>,
    pub budget: Budget,
}

/// A mistake in the section: its place within `chat`, what, and the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub path: String,
    pub what: String,
    pub way_out: String,
}

/// Labels and annotations that routes may ask for, as the newest evidence has them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    pub labels: BTreeMap<Text, Text>,
    pub annotations: BTreeMap<Text, Text>,
}

impl Marks {
    /// What the evidence says of the subject: its own come before those of its workload and its namespace.
    pub fn of(evidence: &Evidence) -> Self {
        let seen = &evidence.seen;
        let mut marks = Self::default();
        let metas = seen
            .namespace
            .iter()
            .map(|namespace| &namespace.meta)
            .chain(seen.owners.iter().rev().map(|owner| &owner.meta))
            .chain(seen.object.iter().map(|object| &object.meta))
            .chain(seen.pod.iter().map(|pod| &pod.meta));
        for meta in metas {
            marks.labels.extend(meta.labels.iter().map(|(name, value)| (name.clone(), value.clone())));
            let notes = meta.annotations.iter().map(|(name, value)| (name.clone(), value.clone()));
            marks.annotations.extend(notes);
        }
        marks
    }
}

impl Routes {
    /// The routes, or every mistake in them.
    pub fn new(settings: &Settings) -> Result<Self, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let mut routes = Vec::new();
        for (index, route) in settings.routes.iter().enumerate() {
            let path = format!("routes[{index}]");
            if settings.routes[..index].iter().any(|other| other.name == route.name) || route.name == FALLBACK
            {
                let what = format!("`{}` is used twice", route.name);
                wrong.push(Wrong::new(&format!("{path}.name"), what, "name each route differently"));
            }
            if route.to == Channels::default() {
                let way_out = "name a channel id under `slack` or `discord`";
                wrong.push(Wrong::new(&format!("{path}.to"), "the route leads nowhere", way_out));
            }
            let quiet = route.quiet.as_ref().map(|quiet| QuietHours::new(quiet, &path));
            let quiet = quiet.transpose().map_err(|mistakes| wrong.extend(mistakes)).ok().flatten();
            routes.push(Route { settings: route.clone(), quiet });
        }
        if wrong.is_empty() { Ok(Self { routes, fallback: settings.fallback.clone() }) } else { Err(wrong) }
    }

    /// Where an incident goes on a platform; each channel once. Nowhere, if no route takes it and there is no
    /// fallback.
    pub fn of(
        &self,
        platform: Platform,
        incident: &Incident,
        marks: &Marks,
        now: Timestamp,
    ) -> Vec<Destination> {
        let mut found: Vec<Destination> = Vec::new();
        let mut taken = false;
        for route in &self.routes {
            if !route.settings.when.fits(incident, marks) {
                continue;
            }
            taken = true;
            for destination in route.destinations(platform, incident, now) {
                if found.iter().all(|other| other.channel != destination.channel) {
                    found.push(destination);
                }
            }
            if !route.settings.go_on {
                break;
            }
        }
        if taken { found } else { self.fallback(platform) }
    }

    /// The channels of last resort.
    pub fn fallback(&self, platform: Platform) -> Vec<Destination> {
        let to = |channel: &Text| Destination {
            channel: channel.clone(),
            route: FALLBACK.into(),
            mentions: Vec::new(),
            hold: None,
            budget: Budget::default(),
        };
        channels(&self.fallback, platform).iter().map(to).collect()
    }

    /// Every channel that is named, each once: for checks and for telling of gaps.
    pub fn channels(&self, platform: Platform) -> Vec<Text> {
        let named = self.routes.iter().flat_map(|route| channels(&route.settings.to, platform));
        let mut all: Vec<Text> = named.chain(channels(&self.fallback, platform)).cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Route {
    fn destinations(
        &self,
        platform: Platform,
        incident: &Incident,
        now: Timestamp,
    ) -> impl Iterator<Item = Destination> {
        let RouteSettings { name, to, mentions, budget, .. } = &self.settings;
        let severity = incident.finding.severity;
        let hold = self.quiet.as_ref().filter(|quiet| severity < quiet.except).and_then(|q| q.until(now));
        let mentions = called(mentions, platform, severity);
        channels(to, platform).iter().map(move |channel| Destination {
            channel: channel.clone(),
            route: name.clone(),
            mentions: mentions.clone(),
            hold,
            budget: *budget,
        })
    }
}

fn called(mentions: &Mentions, platform: Platform, severity: Severity) -> Vec<Mention> {
    let Mentions { slack, discord, from } = mentions;
    if severity < from.unwrap_or(Severity::Warning) {
        return Vec::new();
    }
    match platform {
        Platform::Slack => slack.clone(),
        Platform::Discord => discord.clone(),
    }
}

fn channels(channels: &Channels, platform: Platform) -> &[Text] {
    let Channels { slack, discord } = channels;
    match platform {
        Platform::Slack => slack,
        Platform::Discord => discord,
    }
}

impl When {
    fn fits(&self, incident: &Incident, marks: &Marks) -> bool {
        let Self { clusters, namespaces, conditions, severity, labels, annotations } = self;
        let finding = &incident.finding;
        any(clusters, &finding.key.cluster)
            && any(namespaces, &finding.subject.namespace)
            && any(conditions, finding.condition.as_str())
            && severity.is_none_or(|least| finding.severity >= least)
            && all(labels, &marks.labels)
            && all(annotations, &marks.annotations)
    }
}

fn any(patterns: &[Text], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| glob_matches(pattern, text))
}

fn all(wanted: &BTreeMap<Text, Text>, there: &BTreeMap<Text, Text>) -> bool {
    wanted.iter().all(|(name, pattern)| there.get(name).is_some_and(|value| glob_matches(pattern, value)))
}

impl QuietHours {
    fn new(quiet: &Quiet, path: &str) -> Result<Self, Vec<Wrong>> {
        let Quiet { time_zone, from, to, except } = quiet;
        let mut wrong = Vec::new();
        let zone = TimeZone::get(time_zone);
        if zone.is_err() {
            let what = format!("there is no time zone `{time_zone}`");
            let way_out = "name one as the tz database does, such as `Europe/Berlin` or `UTC`";
            wrong.push(Wrong::new(&format!("{path}.quiet.timeZone"), what, way_out));
        }
        let clock = |name: &str, text: &str, wrong: &mut Vec<Wrong>| {
            let time = text.parse::<Time>();
            if time.is_err() {
                let what = format!("`{text}` is no time of day");
                wrong.push(Wrong::new(&format!("{path}.quiet.{name}"), what, "write it as `22:00`"));
            }
            time.ok()
        };
        let (from, to) = (clock("from", from, &mut wrong), clock("to", to, &mut wrong));
        match (zone, from, to) {
            (Ok(zone), Some(from), Some(to)) if from != to => Ok(Self { zone, from, to, except: *except }),
            (Ok(_), Some(_), Some(_)) => {
                let way_out = "let `to` be another time than `from`, or leave `quiet` out";
                Err(vec![Wrong::new(&format!("{path}.quiet"), "it is never quiet, or always", way_out)])
            }
            _ => Err(wrong),
        }
    }

    /// When it ends, if it is quiet now.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_zoned(self.zone.clone());
        let time = local.time();
        let over_night = self.to < self.from;
        let (date, quiet) = if over_night && time >= self.from {
            (local.date().checked_add(1.day()).ok()?, true)
        } else if over_night {
            (local.date(), time < self.to)
        } else {
            (local.date(), time >= self.from && time < self.to)
        };
        let end = date.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?.timestamp();
        (quiet && end > now).then_some(end)
    }
}

impl Wrong {
    fn new(path: &str, what: impl Into<String>, way_out: &str) -> Self {
        Self { path: path.to_owned(), what: what.into(), way_out: way_out.to_owned() }
    }
}

#[cfg(test)]
mod tests;
