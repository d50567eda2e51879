//! What is registered keeps to Discord's limits, and is registered again only when it differs.

use std::collections::BTreeSet;

use super::*;

/// `^[-_\p{L}\p{N}]{1,32}$` in lower case.
fn is_name(name: &str) -> bool {
    let fits = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_');
    (1..=32).contains(&name.chars().count()) && name.chars().all(fits)
}

fn check_description(of: &Value) {
    let texts = of["description_localizations"].as_object().into_iter().flat_map(Map::values);
    for text in texts.chain([&of["description"]]) {
        let length = text.as_str().map_or(0, |text| text.chars().count());
        assert!((1..=100).contains(&length), "{of}");
    }
    assert!(of["description_localizations"]["zh-CN"].is_string(), "{of}");
}

fn check_options(of: &Value) {
    let none = Vec::new();
    let all = of["options"].as_array().unwrap_or(&none);
    assert!(all.len() <= 25, "{of}");
    let names: BTreeSet<_> = all.iter().map(|option| option["name"].to_string()).collect();
    assert_eq!(names.len(), all.len(), "two options have one name: {of}");
    let required: Vec<bool> = all.iter().map(|option| option["required"] == true).collect();
    assert!(required.is_sorted_by(|a, b| a >= b), "required ones come first: {of}");
    for option in all {
        assert!(is_name(option["name"].as_str().expect("a name")), "{option}");
        check_description(option);
        let choices = option["choices"].as_array().map_or(0, Vec::len);
        assert!(choices <= 25 && (choices == 0 || option["autocomplete"].is_null()), "{option}");
        check_options(option);
    }
}

/// What Discord counts of a command: of a text and its translations the longest.
fn together(of: &Value) -> usize {
    let length = |text: &Value| text.as_str().map_or(0, |text| text.chars().count());
    let longest = |name: &str| {
        let others = of[format!("{name}_localizations")].as_object().into_iter().flat_map(Map::values);
        others.chain([&of[name]]).map(length).max().unwrap_or_default()
    };
    let inner = ["options", "choices"].into_iter().flat_map(|name| of[name].as_array().into_iter().flatten());
    longest("name") + longest("description") + length(&of["value"]) + inner.map(together).sum::<usize>()
}

#[test]
fn every_command_is_registered_within_the_limits() {
    for scope in [Scope::Guild, Scope::Global] {
        let all = commands(scope);
        assert_eq!(all.len(), 2);
        assert!(is_name(all[0]["name"].as_str().expect("a name")));
        check_description(&all[0]);
        check_options(&all[0]);
        let named: Vec<_> =
            all[0]["options"].as_array().expect("subcommands").iter().map(|o| &o["name"]).collect();
        assert_eq!(named, ALL.iter().map(|spec| spec.name).collect::<Vec<_>>());
        assert!(together(&all[0]) <= 8000, "names, descriptions and values together: {}", together(&all[0]));
        assert_eq!((&all[1]["type"], &all[1]["description"]), (&json!(3), &Value::Null));
    }
}

#[test]
fn a_global_command_is_for_guilds_only() {
    let global = &commands(Scope::Global)[0];
    assert_eq!((&global["contexts"], &global["integration_types"]), (&json!([0]), &json!([0])));
    assert!(commands(Scope::Guild)[0].get("contexts").is_none(), "a guild's command has no such choice");
}

#[test]
fn every_option_and_command_has_its_phrase() {
    let words = Words::shipped(FALLBACK);
    let keys: BTreeSet<&str> = words.keys().map(|(key, _)| key).collect();
    for spec in ALL {
        assert!(keys.contains(format!("discord.command.{}", spec.name).as_str()), "{}", spec.name);
        for take in spec.takes {
            assert!(keys.contains(format!("discord.option.{}", take.name).as_str()), "{}", take.name);
        }
    }
}

/// As Discord gives back what it was given.
fn held(commands: &[Value]) -> Vec<Value> {
    let mut held = commands.to_vec();
    for (index, command) in held.iter_mut().enumerate() {
        command["id"] = json!(index.to_string());
        command["application_id"] = json!("1");
        command["version"] = json!("2");
        command["nsfw"] = json!(false);
        command["default_member_permissions"] = Value::Null;
        command["dm_permission"] = json!(true);
        command["contexts"] = Value::Null;
        command["integration_types"] = json!([0]);
        command["type"] = json!(index * 2 + 1);
    }
    held[1]["description"] = json!("");
    held.reverse();
    held
}

#[test]
fn what_discord_fills_in_makes_no_difference() {
    let wanted = commands(Scope::Guild);
    assert!(!differ(&wanted, &held(&wanted), Scope::Guild));
}

#[test]
fn each_change_makes_a_difference() {
    let wanted = commands(Scope::Guild);
    let pointers = [
        ("/1/options/0/description", json!("Another one")),
        ("/1/options/0/options/0/autocomplete", json!(false)),
        ("/1/options/0/options/4/max_value", json!(7)),
        ("/1/options/0/options/3/choices/0/name", json!("awful")),
        ("/1/description_localizations/zh-CN", json!("x")),
        ("/1/default_member_permissions", json!("8")),
        ("/0/name", json!("Look")),
    ];
    for (pointer, value) in pointers {
        let mut held = held(&wanted);
        match held_at(&mut held, pointer) {
            Some(place) => *place = value,
            None => panic!("{pointer} is not there"),
        }
        assert!(differ(&wanted, &held, Scope::Guild), "{pointer}");
    }
    assert!(differ(&wanted, &held(&wanted)[..1], Scope::Guild), "one is missing");
    assert!(differ(&wanted, &[], Scope::Guild));
}

fn held_at<'v>(held: &'v mut [Value], pointer: &str) -> Option<&'v mut Value> {
    let (index, rest) = pointer[1..].split_once('/')?;
    let parent = held.get_mut(index.parse::<usize>().ok()?)?;
    let (above, last) = rest.rsplit_once('/').map_or(("", rest), |(above, last)| (above, last));
    let above = if above.is_empty() { String::new() } else { format!("/{above}") };
    let parent = parent.pointer_mut(&above)?;
    match parent {
        Value::Array(items) => items.get_mut(last.parse::<usize>().ok()?),
        other => Some(&mut other[last]),
    }
}
