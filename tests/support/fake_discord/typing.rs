//! Typing slash commands: only what is registered can be typed, with what it asks for.

use serde_json::{Value, json};

use super::callbacks::{COMMAND, COMPLETE};
use super::people::{Place, interaction};
use super::state::State;
use super::{FakeDiscord, show};

impl FakeDiscord {
    /// Types `/mend show` with its options, by name. Returns the interaction's id.
    pub async fn command(&self, user: &str, channel: &str, path: &str, options: &[(&str, &str)]) -> String {
        self.command_from(user, channel.into(), path, options).await
    }

    /// The same from anywhere.
    pub async fn command_from(
        &self,
        user: &str,
        place: Place<'_>,
        path: &str,
        options: &[(&str, &str)],
    ) -> String {
        let id = self.with(|state| {
            let typed: Vec<String> = options.iter().map(|(name, value)| format!(" {name}:{value}")).collect();
            let line = format!("{} types /{path}{}", state.name_of(user), typed.concat());
            state.say(line);
            let data = typed_data(state, path, options, None);
            interaction(state, user, place, COMMAND, data, None)
        });
        self.deliver(&id).await;
        id
    }

    /// Uses a command of the message's menu, under Apps.
    pub async fn point(&self, user: &str, channel: &str, message: &str, name: &str) -> String {
        let id = self.with(|state| {
            let mut all = state.commands.values().flatten();
            let command = all.find(|command| command["name"] == name && command["type"] == 3);
            let command =
                command.unwrap_or_else(|| panic!("no command of messages is called {name}")).clone();
            let body = state.message(channel, message).cloned().expect("a message");
            let line = format!("{} uses {name} on: {}", state.name_of(user), show::summary(&body));
            state.say(line);
            let data = json!({"id": command["id"], "name": name, "type": 3, "guild_id": command["guild_id"],
                "target_id": message, "resolved": {"messages": {message: body}}});
            interaction(state, user, channel.into(), COMMAND, data, None)
        });
        self.deliver(&id).await;
        id
    }

    /// Begins to type an option's value; what is offered to complete it (name, value).
    pub async fn complete(
        &self,
        user: &str,
        channel: &str,
        path: &str,
        options: &[(&str, &str)],
        focused: (&str, &str),
    ) -> Vec<(String, String)> {
        let id = self.with(|state| {
            let data = typed_data(state, path, options, Some(focused));
            interaction(state, user, channel.into(), COMPLETE, data, None)
        });
        self.deliver(&id).await;
        self.acknowledged(&id).await;
        let choices = self.with(|state| state.interactions[&id].choices.clone()).unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let choices = choices.as_array().cloned().unwrap_or_default();
        choices.iter().map(|choice| (text(&choice["name"]), text(&choice["value"]))).collect()
    }

    /// Whether that command can be typed.
    pub fn knows(&self, path: &str) -> bool {
        self.with(|state| find(state, path).is_some())
    }

    /// The names of the options that a command takes, those it needs with `!`.
    pub fn options_of(&self, path: &str) -> Vec<String> {
        self.with(|state| {
            let (_, innermost, _) = find(state, path).unwrap_or_else(|| panic!("/{path} is not registered"));
            let options = innermost["options"].as_array().cloned().unwrap_or_default();
            let name = |option: &Value| {
                let needed = if option["required"] == true { "!" } else { "" };
                format!("{}{needed}", option["name"].as_str().unwrap_or_default())
            };
            options.iter().map(name).collect()
        })
    }
}

/// The command, its innermost part, and the names between.
fn find(state: &State, path: &str) -> Option<(Value, Value, Vec<String>)> {
    let mut words = path.split(' ');
    let name = words.next()?;
    let mut all = state.commands.values().flatten();
    let command = all.find(|command| command["name"] == name)?.clone();
    let (mut inner, mut between) = (command.clone(), Vec::new());
    for word in words {
        let options = inner["options"].as_array()?.clone();
        inner = options.into_iter().find(|option| option["name"] == word)?;
        between.push(word.to_owned());
    }
    let ends = inner["options"]
        .as_array()
        .is_none_or(|options| options.iter().all(|option| option["type"].as_u64() > Some(2)));
    ends.then_some((command, inner, between))
}

fn typed_data(state: &State, path: &str, options: &[(&str, &str)], focused: Option<(&str, &str)>) -> Value {
    let (command, inner, between) = find(state, path).unwrap_or_else(|| {
        panic!(
            "/{path} cannot be typed; registered is:\n{:#}",
            json!(state.commands.values().collect::<Vec<_>>())
        )
    });
    let known = inner["options"].as_array().cloned().unwrap_or_default();
    let mut given: Vec<Value> =
        options.iter().map(|(name, value)| typed(&known, path, name, value)).collect();
    if let Some((name, value)) = focused {
        let option = known.iter().find(|option| option["name"] == name);
        assert!(option.is_some_and(|option| option["autocomplete"] == true), "/{path} completes no {name}");
        let kind = option.map(|option| option["type"].clone());
        given.push(json!({"name": name, "type": kind, "value": value, "focused": true}));
    } else {
        for option in known.iter().filter(|option| option["required"] == true) {
            let named = options.iter().any(|(name, _)| option["name"] == *name);
            assert!(named, "/{path} needs {}", option["name"]);
        }
    }
    let mut data = json!(given);
    let depth = between.len();
    for (index, name) in between.iter().enumerate().rev() {
        let kind = if depth == 2 && index == 0 { 2 } else { 1 };
        data = json!([{"type": kind, "name": name, "options": data}]);
    }
    json!({"id": command["id"], "name": command["name"], "type": 1, "guild_id": command["guild_id"], "options": data})
}

fn typed(known: &[Value], path: &str, name: &str, value: &str) -> Value {
    let option = known.iter().find(|option| option["name"] == name);
    let option = option.unwrap_or_else(|| panic!("/{path} has no option {name}: {}", json!(known)));
    if let Some(choices) = option["choices"].as_array() {
        let offered = choices.iter().any(|choice| choice["value"] == value);
        assert!(offered, "/{path} {name} offers no {value}: {}", option["choices"]);
    }
    let value = match option["type"].as_u64() {
        Some(4) => json!(value.parse::<i64>().expect("a whole number")),
        Some(5) => json!(value == "true" || value == "True"),
        Some(10) => json!(value.parse::<f64>().expect("a number")),
        _ => json!(value),
    };
    json!({"name": name, "type": option["type"], "value": value})
}
