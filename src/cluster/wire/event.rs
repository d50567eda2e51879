//! Events: `v1` (`involvedObject`, `message`, `count`) and `events.k8s.io/v1` (`regarding`, `note`, `series`
//! and the deprecated fields) alike. Servers serve one record under both names, so one shape reads both.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Count, Time, Unique, at, nullable};
use super::meta::MetaShape;
use crate::incident::Text;
use crate::incident::objects::{Event, Meta, Regarding};

/// An event on the wire, of either API.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct EventShape {
    #[serde(deserialize_with = "nullable")]
    metadata: MetaShape,
    #[serde(alias = "regarding", deserialize_with = "nullable")]
    involved_object: RegardingShape,
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: Text,
    #[serde(deserialize_with = "nullable")]
    reason: Text,
    #[serde(alias = "note", deserialize_with = "nullable")]
    message: Text,
    #[serde(alias = "deprecatedSource", deserialize_with = "nullable")]
    source: SourceShape,
    #[serde(alias = "deprecatedFirstTimestamp")]
    first_timestamp: Option<Time>,
    #[serde(alias = "deprecatedLastTimestamp")]
    last_timestamp: Option<Time>,
    #[serde(alias = "deprecatedCount", deserialize_with = "nullable")]
    count: Count,
    event_time: Option<Time>,
    #[serde(deserialize_with = "nullable")]
    series: Series,
    #[serde(alias = "reportingController", deserialize_with = "nullable")]
    reporting_component: Text,
    #[serde(deserialize_with = "nullable")]
    reporting_instance: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RegardingShape {
    #[serde(deserialize_with = "nullable")]
    api_version: Text,
    #[serde(deserialize_with = "nullable")]
    kind: Text,
    #[serde(deserialize_with = "nullable")]
    namespace: Text,
    #[serde(deserialize_with = "nullable")]
    name: Unique,
    #[serde(deserialize_with = "nullable")]
    uid: Unique,
    #[serde(deserialize_with = "nullable")]
    field_path: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SourceShape {
    #[serde(deserialize_with = "nullable")]
    component: Text,
    #[serde(deserialize_with = "nullable")]
    host: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    #[serde(deserialize_with = "nullable")]
    count: Count,
    last_observed_time: Option<Time>,
}

impl From<EventShape> for Event {
    fn from(shape: EventShape) -> Self {
        let meta: Meta = shape.metadata.into();
        let happened = at(shape.event_time);
        let first = at(shape.first_timestamp).or(happened).or(meta.created);
        let times = [at(shape.series.last_observed_time), at(shape.last_timestamp), happened, first];
        Self {
            regarding: shape.involved_object.into(),
            kind: shape.kind,
            reason: shape.reason,
            message: shape.message,
            component: either(shape.source.component, shape.reporting_component),
            host: either(shape.source.host, shape.reporting_instance),
            count: shape.series.count.0.max(shape.count.0).max(1),
            first,
            last: times.into_iter().flatten().max(),
            meta,
        }
    }
}

impl From<RegardingShape> for Regarding {
    fn from(shape: RegardingShape) -> Self {
        Self {
            api_version: shape.api_version,
            kind: shape.kind,
            namespace: shape.namespace,
            name: shape.name.0,
            uid: shape.uid.0,
            field_path: shape.field_path,
        }
    }
}

fn either(first: Text, second: Text) -> Text {
    if first.is_empty() { second } else { first }
}

/// When an event last happened; the beginning of time where it does not say.
pub fn last_seen(event: &Event) -> Timestamp {
    event.last.or(event.first).or(event.meta.created).unwrap_or(Timestamp::UNIX_EPOCH)
}
