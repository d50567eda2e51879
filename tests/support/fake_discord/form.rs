//! How Discord refuses: codes, and errors nested by where they are.

use serde_json::{Map, Value, json};

/// Why a request is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    pub status: u16,
    pub code: u64,
    pub message: String,
    pub errors: Option<Value>,
}

impl Refused {
    pub fn new(status: u16, code: u64, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), errors: None }
    }

    pub fn access() -> Self {
        Self::new(403, 50001, "Missing Access")
    }

    pub fn permission() -> Self {
        Self::new(403, 50013, "Missing Permissions")
    }

    pub fn unknown_channel() -> Self {
        Self::new(404, 10003, "Unknown Channel")
    }

    pub fn unknown_message() -> Self {
        Self::new(404, 10008, "Unknown Message")
    }

    pub fn unknown_guild() -> Self {
        Self::new(404, 10004, "Unknown Guild")
    }

    pub fn empty() -> Self {
        Self::new(400, 50006, "Cannot send an empty message")
    }

    pub fn body(&self) -> Value {
        let mut body = json!({"message": self.message, "code": self.code});
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }
}

/// What is wrong with a body so far.
#[derive(Default)]
pub struct Form {
    found: Vec<(String, &'static str, String)>,
}

impl Form {
    pub fn wrong(&mut self, at: &str, code: &'static str, message: impl Into<String>) {
        self.found.push((at.to_owned(), code, message.into()));
    }

    /// 50035 with everything that was found.
    pub fn conclude(self) -> Result<(), Refused> {
        if self.found.is_empty() {
            return Ok(());
        }
        let mut errors = Value::Object(Map::new());
        for (at, code, message) in self.found {
            let mut place = &mut errors;
            for step in at.split('.').filter(|step| !step.is_empty()) {
                place = &mut place[step];
            }
            let told = json!({"code": code, "message": message});
            match place["_errors"].as_array_mut() {
                Some(list) => list.push(told),
                None => place["_errors"] = json!([told]),
            }
        }
        Err(Refused { errors: Some(errors), ..Refused::new(400, 50035, "Invalid Form Body") })
    }

    /// Refuses what has no place here.
    pub fn keys(&mut self, value: &Value, allowed: &[&str], at: &str) {
        let Some(map) = value.as_object() else {
            return self.wrong(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        };
        for key in map.keys().filter(|key| !allowed.contains(&key.as_str())) {
            self.wrong(&join(at, key), "UNKNOWN_FIELD", "This field is not known here");
        }
    }

    pub fn needed(&mut self, value: &Value, name: &str, at: &str) {
        if value[name].is_null() {
            self.wrong(&join(at, name), "BASE_TYPE_REQUIRED", "This field is required");
        }
    }

    /// A text, if it is there; its length is counted in UTF-16, as the clients do.
    pub fn text(&mut self, value: &Value, name: &str, least: usize, most: usize, at: &str) {
        let held = &value[name];
        if held.is_null() {
            return;
        }
        let at = join(at, name);
        let Some(text) = held.as_str() else {
            return self.wrong(&at, "STRING_TYPE_CONVERT", "Could not interpret value as string.");
        };
        let long = length(text);
        if long > most && least == 0 {
            self.wrong(&at, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
        } else if long > most || long < least {
            let told = format!("Must be between {least} and {most} in length.");
            self.wrong(&at, "BASE_TYPE_BAD_LENGTH", told);
        }
    }

    pub fn number(&mut self, value: &Value, name: &str, least: i64, most: i64, at: &str) {
        let held = &value[name];
        if held.is_null() {
            return;
        }
        let at = join(at, name);
        match held.as_i64() {
            None => self.wrong(&at, "NUMBER_TYPE_COERCE", "Value is not int."),
            Some(number) if number > most => {
                let told = format!("int value should be less than or equal to {most}.");
                self.wrong(&at, "NUMBER_TYPE_MAX", told);
            }
            Some(number) if number < least => {
                let told = format!("int value should be greater than or equal to {least}.");
                self.wrong(&at, "NUMBER_TYPE_MIN", told);
            }
            Some(_) => {}
        }
    }

    pub fn truth(&mut self, value: &Value, name: &str, at: &str) {
        if !value[name].is_null() && !value[name].is_boolean() {
            self.wrong(&join(at, name), "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
        }
    }

    pub fn url(&mut self, value: &Value, name: &str, most: usize, schemes: &[&str], at: &str) {
        self.text(value, name, 0, most, at);
        let Some(url) = value[name].as_str() else { return };
        if !schemes.iter().any(|scheme| url.starts_with(&format!("{scheme}://"))) {
            let told = format!("Scheme \"{url}\" is not supported. Scheme must be one of {schemes:?}.");
            self.wrong(&join(at, name), "URL_TYPE_INVALID_SCHEME", told);
        } else if url.contains(char::is_whitespace) || url.split("://").nth(1).is_none_or(str::is_empty) {
            self.wrong(&join(at, name), "URL_TYPE_INVALID_URL", "Not a well formed URL.");
        }
    }

    pub fn snowflake(&mut self, value: &Value, at: &str) {
        if !is_snowflake(value) {
            self.wrong(at, "NUMBER_TYPE_COERCE", format!("Value \"{value}\" is not snowflake."));
        }
    }

    /// The items of a list, if it is there.
    pub fn list(
        &mut self,
        value: &Value,
        name: &str,
        least: usize,
        most: usize,
        at: &str,
    ) -> Vec<(String, Value)> {
        let held = &value[name];
        if held.is_null() {
            return Vec::new();
        }
        let at = join(at, name);
        let Some(items) = held.as_array() else {
            self.wrong(&at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return Vec::new();
        };
        if items.len() > most || items.len() < least {
            let told = format!("Must be between {least} and {most} in length.");
            self.wrong(&at, "BASE_TYPE_BAD_LENGTH", told);
        }
        items.iter().enumerate().map(|(index, item)| (join(&at, &index.to_string()), item.clone())).collect()
    }
}

pub fn is_snowflake(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| !text.is_empty() && text.len() < 21 && text.bytes().all(|b| b.is_ascii_digit()))
}

pub fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
