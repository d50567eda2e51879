//! From an interaction's bytes to what happened. Pure.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use super::wire::{Component, Data, Given, Interaction, Member, Message, User};
use super::{Asker, Inbound, Place, Token, What};
use crate::chat::command::{self, write};
use crate::incident::Text;

/// An interaction that is not what Discord sends.
#[derive(Debug, Error)]
#[error("an interaction cannot be read")]
pub struct Unreadable(#[from] serde_json::Error);

/// The longest text of a person that is looked at.
const LONGEST: usize = 4_000;
/// The most roles, values and inputs that are looked at.
const MOST: usize = 500;
/// How deep rows and labels of a modal lie in one another.
const DEEPEST: usize = 4;

/// Discord's kinds of interactions.
const COMMAND: u64 = 2;
const COMPONENT: u64 = 3;
const COMPLETION: u64 = 4;
const MODAL: u64 = 5;
const BUTTON: u64 = 2;
/// The kind of command that is used on a message.
const ON_MESSAGE: u64 = 3;
const MOST_EMBEDS: usize = 10;
/// Kinds of options that hold options.
const SUB_COMMAND: u64 = 1;
/// Kinds of channels that are threads.
const THREADS: std::ops::RangeInclusive<u64> = 10..=12;

/// What an interaction says happened.
pub fn read(payload: &str) -> Result<Inbound, Unreadable> {
    let read: Interaction = serde_json::from_str(payload)?;
    let what = done(&read);
    let Interaction { id, application_id, guild_id, channel_id, channel, member, user, token, .. } = read;
    let is_thread = channel.as_ref().is_some_and(|channel| THREADS.contains(&channel.kind));
    let parent = channel.and_then(|channel| channel.parent_id).filter(|_| is_thread);
    let (channel, thread) = match parent {
        Some(parent) => (Some(parent), channel_id),
        None => (channel_id, None),
    };
    let message = read.message.map(|message| message.id).filter(|id| !id.is_empty());
    Ok(Inbound {
        by: asker(member, user, guild_id, &read.locale),
        place: Place {
            channel: channel.as_deref().map(Text::unpooled),
            thread: thread.as_deref().map(Text::unpooled),
            message: message.as_deref().map(Text::unpooled),
            application: Text::unpooled(&application_id),
            interaction: Text::unpooled(&id),
            token: Token::new(&token),
        },
        key: id,
        what,
    })
}

fn asker(member: Option<Member>, user: Option<User>, guild: Option<String>, locale: &str) -> Asker {
    let Some(member) = member else {
        // A direct message: there is a user, and nothing that says what they are in any server.
        let named = user.map(|user| (Text::unpooled(&user.id), called(None, &user), is_bot(&user)));
        let (user, name, bot) = named.unwrap_or_default();
        return Asker { user, name, bot, locale: locale.into(), ..Asker::default() };
    };
    let (user, name, bot) = member
        .user
        .as_ref()
        .map(|user| (Text::unpooled(&user.id), called(member.nick.as_deref(), user), is_bot(user)))
        .unwrap_or_default();
    Asker {
        user,
        name,
        bot,
        guild: guild.map(Text::from),
        roles: member.roles.iter().take(MOST).map(Text::from).collect(),
        permissions: member.permissions.and_then(|bits| bits.parse().ok()).unwrap_or_default(),
        pending: member.pending,
        silenced_until: member.communication_disabled_until.map(|until| {
            // A time that cannot be read is one that does not end.
            until.parse().unwrap_or(jiff::Timestamp::MAX)
        }),
        locale: locale.into(),
    }
}

/// Somebody as a server says they are now; nothing where it cannot be read.
pub(in crate::chat::discord) fn member(told: serde_json::Value, before: &Asker) -> Option<Asker> {
    let member: Member = serde_json::from_value(told).ok()?;
    let guild = before.guild.as_ref().map(ToString::to_string);
    let now = asker(Some(member), None, guild, &before.locale);
    (now.user == before.user).then_some(now)
}

fn is_bot(user: &User) -> bool {
    user.bot || user.system
}

fn called(nick: Option<&str>, user: &User) -> Text {
    let names = [nick.unwrap_or_default(), user.global_name.as_deref().unwrap_or_default(), &user.username];
    let name = names.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default();
    Text::unpooled(&cut(name.trim()))
}

fn done(read: &Interaction) -> What {
    let data = &read.data;
    match read.kind {
        COMMAND => commanded(data),
        COMPLETION => completing(data),
        COMPONENT if data.component_type == BUTTON => What::Pressed { id: cut(&data.custom_id) },
        COMPONENT => What::Chosen {
            id: cut(&data.custom_id),
            values: data.values.iter().take(MOST).map(|value| cut(value)).collect(),
        },
        MODAL => {
            let mut values = BTreeMap::new();
            inputs(&data.components, &mut values, DEEPEST);
            What::Filled { form: cut(&data.custom_id), values }
        }
        _ => What::Nothing,
    }
}

/// `/mend` has nothing but sub commands; without one it asks for help.
fn commanded(data: &Data) -> What {
    if data.kind == ON_MESSAGE {
        let text = data.resolved.messages.get(&data.target_id).map(said).unwrap_or_default();
        return What::Pointed { name: cut(&data.name), text };
    }
    let line = match sub_command(data) {
        Some((command, options)) => write(command, &options.iter().map(given).collect::<Vec<_>>()),
        None => "help".to_owned(),
    };
    What::Commanded { line: cut(&line) }
}

fn given(option: &Given) -> (String, command::Value) {
    let value = match &option.value {
        Value::Bool(yes) => command::Value::Yes(*yes),
        other => other.as_i64().map_or_else(|| command::Value::Text(text(other)), command::Value::Number),
    };
    (option.name.clone(), value)
}

/// An option's value as it is typed.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Everything that a message says.
fn said(message: &Message) -> String {
    let embeds = message.embeds.iter().take(MOST_EMBEDS).flat_map(|embed| {
        let fields = embed.fields.iter().flat_map(|field| [field.name.as_str(), field.value.as_str()]);
        let footer = embed.footer.as_ref().map(|footer| footer.text.as_str());
        let texts = [footer, embed.title.as_deref(), embed.description.as_deref()];
        texts.into_iter().flatten().chain(fields)
    });
    let lines: Vec<&str> = std::iter::once(message.content.as_str()).chain(embeds).collect();
    cut(lines.join("\n").trim())
}

fn sub_command(data: &Data) -> Option<(&str, &[Given])> {
    let first = data.options.first().filter(|option| option.kind == SUB_COMMAND)?;
    Some((&first.name, &first.options))
}

fn completing(data: &Data) -> What {
    let Some((command, options)) = sub_command(data) else { return What::Nothing };
    let Some(focused) = options.iter().find(|option| option.focused) else { return What::Nothing };
    let others = options.iter().filter(|option| !option.focused).take(MOST);
    What::Completing {
        command: cut(command),
        option: cut(&focused.name),
        typed: cut(&text(&focused.value)),
        others: others.map(|option| (cut(&option.name), cut(&text(&option.value)))).collect(),
    }
}

/// Inputs stand in rows, or each in a label of its own.
fn inputs(components: &[Component], values: &mut BTreeMap<String, String>, depth: usize) {
    if depth == 0 || values.len() >= MOST {
        return;
    }
    for component in components.iter().take(MOST) {
        if let Some(inner) = &component.inner {
            inputs(std::slice::from_ref(inner), values, depth - 1);
        }
        inputs(&component.components, values, depth - 1);
        let value = component.value.as_ref().or(component.values.first());
        if let Some(value) = value.filter(|_| !component.custom_id.is_empty()) {
            values.insert(cut(&component.custom_id), cut(value));
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(extra: &Value) -> Inbound {
        let mut payload = json!({"id": "900", "application_id": "1000", "token": "hunter2", "version": 1,
            "guild_id": "2000", "channel_id": "3000", "channel": {"id": "3000", "type": 0},
            "locale": "en-GB", "app_permissions": "0",
            "member": {"user": {"id": "7", "username": "ann", "global_name": "Ann"}, "nick": null,
                "roles": ["11", "12"], "permissions": "8", "flags": 0}});
        payload.as_object_mut().expect("an object").extend(extra.as_object().cloned().unwrap_or_default());
        read(&payload.to_string()).expect("it is what Discord sends")
    }

    #[test]
    fn a_command_is_read_with_who_and_where() {
        let read = told(&json!({"type": 2, "data": {"id": "1", "name": "mend", "options": [
            {"name": "show", "type": 1, "options": [{"name": "incident", "type": 3, "value": "i-42"}]}]}}));
        assert_eq!(read.what, What::Commanded { line: "show i-42".into() });
        assert_eq!((read.key.as_str(), read.by.name.as_str()), ("900", "Ann"));
        assert_eq!(read.by.roles.iter().map(Text::as_str).collect::<Vec<_>>(), ["11", "12"]);
        assert_eq!((read.by.guild.as_deref(), read.by.permissions), (Some("2000"), 8));
        assert!(!format!("{read:?}").contains("hunter2"), "the token is not shown");
    }

    #[test]
    fn a_command_on_a_message_gives_all_that_the_message_says() {
        let read = told(
            &json!({"type": 2, "data": {"id": "1", "name": "Diagnose", "type": 3, "target_id": "77",
            "resolved": {"messages": {"77": {"id": "77", "content": "look", "embeds": [
                {"title": "pod web-0", "description": null, "fields": [{"name": "ns", "value": "shop"}]}]}}}}}),
        );
        let text = "look\npod web-0\nns\nshop".to_owned();
        assert_eq!(read.what, What::Pointed { name: "Diagnose".into(), text });
    }

    #[test]
    fn a_click_in_a_thread_knows_the_thread_and_its_channel_whatever_stands_in_the_message() {
        let read = told(&json!({"type": 3, "channel_id": "3001",
            "channel": {"id": "3001", "type": 11, "parent_id": "3000"},
            "message": {"id": "5", "components": [{"type": 99, "odd": [1, {"a": null}]}]},
            "data": {"custom_id": "k1.sh.i-1", "component_type": 2}}));
        assert_eq!(read.what, What::Pressed { id: "k1.sh.i-1".into() });
        assert_eq!(
            (read.place.channel.as_deref(), read.place.thread.as_deref()),
            (Some("3000"), Some("3001"))
        );
        assert_eq!(read.place.message.as_deref(), Some("5"));
    }

    #[test]
    fn a_menu_gives_what_was_chosen() {
        let read = told(&json!({"type": 3, "message": {"id": "5"},
            "data": {"custom_id": "k1.menu", "component_type": 3, "values": ["k1.us.i-1"]}}));
        assert_eq!(read.what, What::Chosen { id: "k1.menu".into(), values: vec!["k1.us.i-1".into()] });
    }

    #[test]
    fn a_modal_gives_its_values_by_name_in_rows_and_in_labels() {
        let read = told(&json!({"type": 5, "data": {"custom_id": "k1.cf.x", "components": [
            {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "web"}]},
            {"type": 18, "component": {"type": 3, "custom_id": "size", "values": ["2"]}},
            {"type": 10, "id": 4}]}}));
        let What::Filled { form, values } = read.what else { panic!("a form") };
        let told: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!((form.as_str(), told.join(" ").as_str()), ("k1.cf.x", "name=web size=2"));
    }

    #[test]
    fn a_completion_says_what_is_typed_and_what_else_is_filled_in() {
        let read = told(&json!({"type": 4, "data": {"name": "mend", "options": [
            {"name": "diagnose", "type": 1, "options": [
                {"name": "object", "type": 3, "value": "pod/che", "focused": true},
                {"name": "namespace", "type": 3, "value": "payments"}]}]}}));
        let What::Completing { command, option, typed, others } = read.what else { panic!("a completion") };
        assert_eq!((command.as_str(), option.as_str(), typed.as_str()), ("diagnose", "object", "pod/che"));
        assert_eq!(others["namespace"], "payments");
    }

    #[test]
    fn a_direct_message_has_a_user_and_no_guild() {
        let payload = json!({"id": "1", "type": 2, "token": "t", "user": {"id": "7", "username": "ann"},
            "guild_id": "2000", "data": {"name": "mend", "options": [{"name": "status", "type": 1}]}});
        let read = read(&payload.to_string()).expect("an interaction");
        assert_eq!((read.by.user.as_str(), read.by.guild.as_ref()), ("7", None));
    }

    #[test]
    fn what_is_no_person_says_so_in_a_server_and_in_a_direct_message() {
        let user = |flags: &Value| {
            let mut user = json!({"id": "7", "username": "ann"});
            user.as_object_mut().expect("an object").extend(flags.as_object().cloned().expect("an object"));
            user
        };
        for (flags, bot) in
            [(json!({"bot": true}), true), (json!({"system": true}), true), (json!({}), false)]
        {
            let user = user(&flags);
            assert_eq!(told(&json!({"type": 2, "member": {"user": user}})).by.bot, bot, "{flags}");
            assert_eq!(told(&json!({"type": 2, "member": null, "user": user})).by.bot, bot, "{flags}");
        }
    }

    #[test]
    fn a_member_who_is_asked_for_is_the_one_who_asked() {
        let before = told(&json!({"type": 2})).by;
        let now = |id: &str| member(json!({"user": {"id": id}, "roles": ["99"]}), &before);
        assert!(now("7").is_some_and(|now| now.roles.contains("99")));
        assert_eq!(now("8"), None);
    }

    #[test]
    fn a_time_out_that_cannot_be_read_does_not_end() {
        let until = |text: &str| {
            told(&json!({"type": 2, "member": {"user": {"id": "7"}, "communication_disabled_until": text}}))
        };
        assert_eq!(until("soon").by.silenced_until, Some(jiff::Timestamp::MAX));
        let read = until("2026-11-21T18:00:00.000000+00:00").by.silenced_until.expect("a time");
        assert_eq!(read.to_string(), "2026-11-21T18:00:00Z");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused_without_harm(text in ".{0,400}", kind in 0..7_u64) {
            let _ = read(&text);
            let payload = json!({"id": text, "type": kind, "token": text, "member": {"user": {"id": text}},
                "data": {"custom_id": text, "component_type": kind, "values": [text],
                    "options": [{"name": text, "type": 1, "options": [{"name": text, "value": text}]}]}});
            let _ = read(&payload.to_string());
        }
    }
}
