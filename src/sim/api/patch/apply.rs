//! Server-side apply and the record of who manages which field. Owns conflicts, forcing, and the removal
//! of fields an applier no longer names.

use serde_json::{Value, json};

use super::super::schema::Shape;
use super::fields::{self, Path, Set, Step};

/// Who writes, and when.
pub(crate) struct Writer<'a> {
    pub(crate) manager: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) time: String,
    pub(crate) force: bool,
}

/// A field somebody else manages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) with: String,
    pub(crate) path: String,
}

struct Entry {
    value: Value,
    set: Set,
}

impl Entry {
    fn is(&self, writer: &Writer<'_>, operation: &str) -> bool {
        self.value["manager"] == writer.manager
            && self.value["operation"] == operation
            && self.value["subresource"].as_str().unwrap_or_default() == writer.subresource
    }
}

fn read(object: &Value) -> Vec<Entry> {
    let list = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    list.into_iter().map(|value| Entry { set: fields::decode(&value["fieldsV1"]), value }).collect()
}

fn write(object: &mut Value, entries: Vec<Entry>) {
    let list: Vec<Value> = entries
        .into_iter()
        .filter(|entry| !entry.set.is_empty())
        .map(|mut entry| {
            entry.value["fieldsV1"] = fields::encode(&entry.set);
            entry.value
        })
        .collect();
    object["metadata"]["managedFields"] = Value::Array(list);
}

fn fresh(writer: &Writer<'_>, operation: &str, set: Set) -> Entry {
    let mut value = json!({
        "manager": writer.manager, "operation": operation, "apiVersion": writer.api_version,
        "time": writer.time, "fieldsType": "FieldsV1",
    });
    if !writer.subresource.is_empty() {
        value["subresource"] = json!(writer.subresource);
    }
    Entry { value, set }
}

/// The next object when `config` is applied to `current`.
pub(crate) fn apply(
    shape: Shape,
    current: &Value,
    config: &Value,
    writer: &Writer<'_>,
) -> Result<Value, Vec<Conflict>> {
    let wanted = fields::of(shape, config);
    let mut entries = read(current);
    let conflicts = conflicts(current, config, &wanted, &entries, writer);
    if !conflicts.is_empty() {
        if !writer.force {
            return Err(conflicts);
        }
        give_up(&mut entries, current, config, &wanted, writer);
    }
    let before = entries.iter().find(|entry| entry.is(writer, "Apply"));
    let dropped: Vec<Path> =
        before.map(|entry| entry.set.difference(&wanted).cloned().collect()).unwrap_or_default();
    let changed = before.is_none_or(|entry| entry.set != wanted);
    entries.retain(|entry| !changed || !entry.is(writer, "Apply"));
    let mut next = current.clone();
    merge(shape, &mut next, config);
    for path in dropped.iter().rev() {
        if !is_kept(path, &wanted, &entries) {
            fields::remove_at(&mut next, path);
        }
    }
    if changed {
        entries.push(fresh(writer, "Apply", wanted));
    }
    write(&mut next, entries);
    Ok(next)
}

/// Somebody still names the path or something below it.
fn is_kept(path: &[Step], wanted: &Set, entries: &[Entry]) -> bool {
    let below = |set: &Set| set.iter().any(|one| one.starts_with(path));
    below(wanted) || entries.iter().any(|entry| below(&entry.set))
}

fn conflicts(
    current: &Value,
    config: &Value,
    wanted: &Set,
    entries: &[Entry],
    writer: &Writer<'_>,
) -> Vec<Conflict> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.is(writer, "Apply")) {
        for path in entry.set.intersection(wanted).filter(|path| differs(path, current, config)) {
            found.push(Conflict { with: describe(&entry.value), path: fields::show(path) });
        }
    }
    found
}

fn differs(path: &[Step], current: &Value, config: &Value) -> bool {
    !matches!(path.last(), Some(Step::Key(_) | Step::Item(_)))
        && fields::value_at(current, path) != fields::value_at(config, path)
}

fn describe(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let sub = match entry["subresource"].as_str() {
        Some(sub) => format!(" with subresource {sub:?}"),
        None => String::new(),
    };
    if text("operation") == "Apply" {
        format!("{:?}{sub}", text("manager"))
    } else {
        format!("{:?}{sub} using {}", text("manager"), text("apiVersion"))
    }
}

fn give_up(entries: &mut [Entry], current: &Value, config: &Value, wanted: &Set, writer: &Writer<'_>) {
    for entry in entries.iter_mut().filter(|entry| !entry.is(writer, "Apply")) {
        entry.set.retain(|path| !(wanted.contains(path) && differs(path, current, config)));
    }
}

/// Puts a configuration into an object: maps merge, keyed lists merge by key, the rest is replaced.
fn merge(shape: Shape, current: &mut Value, config: &Value) {
    let Value::Object(config) = config else {
        *current = config.clone();
        return;
    };
    if !current.is_object() {
        *current = json!({});
    }
    let Some(fields) = current.as_object_mut() else {
        return;
    };
    for (key, value) in config.iter().filter(|(key, _)| *key != "managedFields") {
        let (inner, rules) = shape.field(key).unwrap_or((Shape::Open, None));
        let slot = fields.entry(key).or_insert(Value::Null);
        match value {
            Value::Null => {}
            Value::Object(_) if !rules.is_some_and(super::super::schema::Rules::is_atomic) => {
                merge(inner, slot, value);
            }
            Value::Array(items) if fields::keys(rules).is_some() => {
                merge_keyed(inner.item(), fields::keys(rules).unwrap_or_default(), slot, items);
            }
            Value::Array(items) if rules.is_some_and(super::super::schema::Rules::is_set) => {
                merge_set(slot, items);
            }
            other => *slot = other.clone(),
        }
    }
}

fn merge_keyed(shape: Shape, keys: &[String], slot: &mut Value, items: &[Value]) {
    let mut list = slot.take().as_array().cloned().unwrap_or_default();
    for item in items {
        let key = fields::key_of(keys, item);
        match list.iter_mut().find(|one| fields::key_of(keys, one) == key) {
            Some(found) => merge(shape, found, item),
            None => list.push(item.clone()),
        }
    }
    *slot = Value::Array(list);
}

fn merge_set(slot: &mut Value, items: &[Value]) {
    let mut list = slot.take().as_array().cloned().unwrap_or_default();
    for item in items {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
    *slot = Value::Array(list);
}

/// Records an ordinary write: the writer manages what it changed, and nobody else does any longer.
pub(crate) fn track(shape: Shape, current: &Value, next: &mut Value, writer: &Writer<'_>) {
    let (before, after) = (fields::of(shape, current), fields::of(shape, next));
    let changed: Set = after
        .iter()
        .filter(|path| {
            !before.contains(*path)
                || (!matches!(path.last(), Some(Step::Key(_) | Step::Item(_)))
                    && fields::value_at(current, path) != fields::value_at(next, path))
        })
        .cloned()
        .collect();
    let mut entries = read(next);
    for entry in &mut entries {
        let own = entry.is(writer, "Update");
        entry.set.retain(|path| after.contains(path) && (own || !changed.contains(path)));
    }
    if !changed.is_empty() {
        let at = entries.iter().position(|entry| entry.is(writer, "Update"));
        let old = at.map(|at| entries.remove(at).set).unwrap_or_default();
        entries.push(fresh(writer, "Update", old.union(&changed).cloned().collect()));
    }
    write(next, entries);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(manager: &str) -> Writer<'_> {
        Writer { manager, api_version: "apps/v1", subresource: "", time: String::new(), force: false }
    }

    fn deployment(replicas: u32, labels: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "labels": labels},
            "spec": {"replicas": replicas}})
    }

    const SHAPE: fn() -> Shape = || Shape::of("apps/v1", "Deployment");

    #[test]
    fn a_second_applier_conflicts_and_may_force() {
        let first = deployment(1, &json!({"a": "1"}));
        let stored = apply(SHAPE(), &json!({}), &first, &writer("one")).unwrap();
        let other = deployment(2, &json!({"b": "2"}));
        let told = apply(SHAPE(), &stored, &other, &writer("two")).unwrap_err();
        assert_eq!(told, [Conflict { with: "\"one\"".into(), path: ".spec.replicas".into() }]);
        let forced = apply(SHAPE(), &stored, &other, &Writer { force: true, ..writer("two") }).unwrap();
        assert_eq!(forced["spec"]["replicas"], 2);
        assert_eq!(forced["metadata"]["labels"], json!({"a": "1", "b": "2"}));
    }

    #[test]
    fn what_an_applier_no_longer_names_goes() {
        let stored =
            apply(SHAPE(), &json!({}), &deployment(1, &json!({"a": "1", "b": "2"})), &writer("one")).unwrap();
        let next = apply(SHAPE(), &stored, &deployment(1, &json!({"b": "2"})), &writer("one")).unwrap();
        assert_eq!(next["metadata"]["labels"], json!({"b": "2"}));
    }

    #[test]
    fn an_update_takes_fields_over_from_an_applier() {
        let stored = apply(SHAPE(), &json!({}), &deployment(1, &json!({})), &writer("one")).unwrap();
        let mut next = stored.clone();
        next["spec"]["replicas"] = json!(5);
        track(SHAPE(), &stored, &mut next, &writer("kubectl-scale"));
        let told = apply(SHAPE(), &next, &deployment(1, &json!({})), &writer("one")).unwrap_err();
        assert_eq!(told[0].with, "\"kubectl-scale\" using apps/v1");
    }

    #[test]
    fn applying_the_same_twice_changes_nothing() {
        let config = deployment(1, &json!({"a": "1"}));
        let once = apply(SHAPE(), &json!({}), &config, &writer("one")).unwrap();
        let twice =
            apply(SHAPE(), &once, &config, &Writer { time: "later".into(), ..writer("one") }).unwrap();
        assert_eq!(once, twice);
    }
}
