//! What was sent to the fake Discord, and what it answered, held against Discord's own OpenAPI document.
//!
//! The document is not part of this repository: `KUBEMEND_DISCORD_OPENAPI` names it. `KUBEMEND_DISCORD_RECORD`
//! names what the other tests wrote down. Taken requests must be ones that Discord knows, with the bodies that
//! it takes; answers must be ones that it gives; answers to interactions must fit their kind.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::disallowed_methods,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    reason = "a program of the tests, not of the product: it fails by panicking and talks to a terminal"
)]

#[path = "support/fake_discord/mod.rs"]
mod fake_discord;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fake_discord::client::Small;
use fake_discord::guild::Kind;
use fake_discord::{APPLICATION, FakeDiscord, Fault, GUILD, Scope};
use jsonschema::{Draft, Registry, Resource, Validator};
use serde_json::{Value, json};

const DOCUMENT: &str = "https://discord.example/openapi.json";

/// Discord's document, ready to be asked.
struct Discord {
    document: Value,
    registry: Registry<'static>,
    ready: std::cell::RefCell<BTreeMap<String, Validator>>,
}

/// The document; `None`, with a word, where it is not at hand. With CI set it must be.
fn discord() -> Option<Discord> {
    let Some(path) = std::env::var_os("KUBEMEND_DISCORD_OPENAPI") else {
        assert!(std::env::var_os("CI").is_none(), "KUBEMEND_DISCORD_OPENAPI must name Discord's document");
        eprintln!("not held against Discord's document: KUBEMEND_DISCORD_OPENAPI names none");
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the document can be read");
    let document: Value = serde_json::from_str(&text).expect("the document is JSON");
    let resource = Resource::from_contents(document.clone());
    let registry = Registry::new().draft(Draft::Draft202012).add(DOCUMENT, resource).expect("a good address");
    let registry = registry.prepare().expect("every reference leads somewhere");
    Some(Discord { document, registry, ready: Default::default() })
}

/// One line of the record.
struct Line {
    method: String,
    path: String,
    query: String,
    body: Value,
    status: u64,
    answer: Value,
}

impl Discord {
    /// What is wrong with a value, by the schema at that place of the document.
    fn mistakes(&self, pointer: &str, value: &Value) -> Vec<String> {
        let mut ready = self.ready.borrow_mut();
        let validator = ready.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = json!({"$ref": format!("{DOCUMENT}#{pointer}")});
            let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&self.registry);
            options.build(&schema).unwrap_or_else(|error| panic!("{pointer}: {error}"))
        });
        let told = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path()));
        told.map(|told| told.chars().take(600).collect()).collect()
    }

    /// The template that a path follows; words before braces.
    fn template(&self, path: &str) -> Option<String> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |template: &&String| {
            let steps: Vec<&str> = template.split('/').collect();
            steps.len() == given.len()
                && steps.iter().zip(&given).all(|(step, given)| step.starts_with('{') || step == given)
        };
        let braces = |template: &&String| template.matches('{').count();
        self.document["paths"].as_object()?.keys().filter(fits).min_by_key(braces).cloned()
    }

    fn request(&self, line: &Line) -> Vec<String> {
        let Some(template) = self.template(&line.path) else {
            return vec!["Discord has no such path".to_owned()];
        };
        let method = line.method.to_lowercase();
        let operation = &self.document["paths"][&template][&method];
        if operation.is_null() {
            return vec![format!("{template} takes no {method}")];
        }
        let at = format!("/paths/{}/{method}", template.replace('~', "~0").replace('/', "~1"));
        let at = at.replace('{', "%7B").replace('}', "%7D");
        let mut wrong = self.answer(operation, &at, line);
        if line.status < 300 {
            wrong.extend(self.query(&template, operation, line));
            wrong.extend(self.snowflakes(&template, &line.path));
            if !line.body.is_null() {
                let schema = format!("{at}/requestBody/content/application~1json/schema");
                wrong.extend(
                    self.mistakes(&schema, &line.body).into_iter().map(|told| format!("body {told}")),
                );
            }
        }
        wrong
    }

    fn snowflakes(&self, template: &str, path: &str) -> Vec<String> {
        let steps = template.split('/').zip(path.split('/'));
        let ids = steps.filter(|(step, _)| step.ends_with("_id}"));
        let wrong = ids.filter(|(_, given)| {
            !self.mistakes("/components/schemas/SnowflakeType", &json!(given)).is_empty()
        });
        wrong.map(|(step, given)| format!("{step} is {given}")).collect()
    }

    fn query(&self, template: &str, operation: &Value, line: &Line) -> Vec<String> {
        let shared = self.document["paths"][template]["parameters"].as_array().cloned().unwrap_or_default();
        let own = operation["parameters"].as_array().cloned().unwrap_or_default();
        let known: BTreeSet<String> = shared
            .iter()
            .chain(&own)
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            .collect();
        let given = form_urlencoded::parse(line.query.as_bytes());
        // Documented beside the document: developers/interactions, "with_response".
        let unknown = given.filter(|(name, _)| !known.contains(&**name) && name != "with_response");
        unknown.map(|(name, _)| format!("no such parameter: {name}")).collect()
    }

    fn answer(&self, operation: &Value, at: &str, line: &Line) -> Vec<String> {
        if line.status >= 500 || line.status == 0 {
            return Vec::new();
        }
        let exact = line.status.to_string();
        let wide = format!("{}XX", line.status / 100);
        let responses = &operation["responses"];
        let Some(key) = [exact.as_str(), wide.as_str()].into_iter().find(|key| !responses[key].is_null())
        else {
            return vec![format!("Discord never answers {exact} here")];
        };
        let (response, place) = match responses[key]["$ref"].as_str() {
            Some(to) => {
                let to = to.trim_start_matches('#');
                (self.document.pointer(to).cloned().unwrap_or_default(), to.to_owned())
            }
            None => (responses[key].clone(), format!("{at}/responses/{key}")),
        };
        if response["content"]["application/json"]["schema"].is_null() {
            return if line.answer.is_null() {
                Vec::new()
            } else {
                vec!["the answer should be empty".to_owned()]
            };
        }
        let schema = format!("{place}/content/application~1json/schema");
        self.mistakes(&schema, &as_documented(&line.answer, line.status))
            .into_iter()
            .map(|told| format!("answer {exact} {told}"))
            .collect()
    }

    /// An answer that an HTTP endpoint gave to an interaction.
    fn callback(&self, answer: &Value) -> Vec<String> {
        let path = "/paths/~1interactions~1%7Binteraction_id%7D~1%7Binteraction_token%7D~1callback/post";
        self.mistakes(&format!("{path}/requestBody/content/application~1json/schema"), answer)
    }
}

/// An answer in the words of the document, which differs from Discord's own reference in two things: the codes
/// within `errors` are words there (`BASE_TYPE_REQUIRED`) and numbers in the document; and a 429 need not have
/// a code. The fake does as the reference says.
fn as_documented(answer: &Value, status: u64) -> Value {
    let mut answer = answer.clone();
    if status == 429 && answer["code"].is_null() {
        answer["code"] = json!(0);
    }
    fn numbered(errors: &mut Value) {
        for (key, value) in errors.as_object_mut().into_iter().flatten() {
            if key == "_errors" {
                for error in value.as_array_mut().into_iter().flatten() {
                    assert!(error["code"].is_string(), "a word: {error}");
                    error["code"] = json!(0);
                }
            } else {
                numbered(value);
            }
        }
    }
    if let Some(errors) = answer.get_mut("errors") {
        numbered(errors);
    }
    answer
}

fn line(value: &Value) -> Line {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Line {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        body: value["body"].clone(),
        status: value["status"].as_u64().unwrap_or(0),
        answer: value["answer"].clone(),
    }
}

fn say(wrong: &BTreeMap<String, usize>) -> String {
    wrong.iter().map(|(told, times)| format!("{times} × {told}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_tests_sent_to_discord_is_what_discord_takes() {
    let Some(discord) = discord() else { return };
    let Some(path) = std::env::var_os("KUBEMEND_DISCORD_RECORD") else {
        eprintln!("no record to hold against the document: KUBEMEND_DISCORD_RECORD names none");
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let (mut wrong, mut looked_at) = (BTreeMap::new(), 0);
    for record in text.lines() {
        let record: Value = serde_json::from_str(record).expect("each line is JSON");
        looked_at += 1;
        let (what, mistakes) = if record["what"] == "answer" {
            (
                format!("answer to an interaction of kind {}", record["kind"]),
                discord.callback(&record["answer"]),
            )
        } else {
            let line = line(&record);
            // What is no path of Discord's was refused as such, and is a mistake of a test's own making.
            if line.status == 404 && line.answer["code"] == 0 {
                continue;
            }
            (
                format!("{} {}", line.method, discord.template(&line.path).unwrap_or_default()),
                discord.request(&line),
            )
        };
        for mistake in mistakes {
            *wrong.entry(format!("{what}: {mistake}")).or_insert(0) += 1;
        }
    }
    eprintln!("{looked_at} requests and answers were held against Discord's document");
    assert!(wrong.is_empty(), "{}", say(&wrong));
}

const CHANNEL: &str = "440000000000000001";
const FORUM: &str = "440000000000000002";
const ANN: &str = "550000000000000001";

/// Calls everything that the fake knows.
async fn everything(fake: &FakeDiscord, small: &Small) {
    for path in ["/gateway", "/gateway/bot", "/users/@me", "/users/@me/guilds", "/applications/@me"] {
        small.get(path).await;
    }
    for part in ["", "/channels", "/roles", "/threads/active", &format!("/members/{ANN}")] {
        small.get(&format!("/guilds/{GUILD}{part}")).await;
    }
    let commands = format!("/applications/{APPLICATION}/guilds/{GUILD}/commands");
    let name = json!({"type": 3, "name": "name", "description": "d", "autocomplete": true});
    let show = json!({"type": 1, "name": "show", "description": "d", "options": [name]});
    small.put(&commands, json!([{"name": "mend", "description": "d", "options": [show]}])).await;
    small.get(&commands).await;
    let messages = format!("/channels/{CHANNEL}/messages");
    let menu = json!({"type": 3, "custom_id": "m", "options": [{"label": "a", "value": "a"}]});
    let embed = json!({"title": "t", "url": "https://example.com/", "color": 5, "timestamp": "2026-01-01T00:00:00Z",
        "fields": [{"name": "n", "value": "v"}], "footer": {"text": "f"}});
    let body = json!({"content": "x", "nonce": "n", "enforce_nonce": true, "embeds": [embed],
        "allowed_mentions": {"parse": []}, "components": [
            {"type": 1, "components": [{"type": 2, "style": 3, "label": "Go", "custom_id": "go"}]},
            {"type": 1, "components": [menu]}]});
    let posted = small.post(&messages, body).await;
    let id = posted.body["id"].as_str().expect("it was posted").to_owned();
    small.patch(&format!("{messages}/{id}"), json!({"content": "y"})).await;
    small
        .post(&format!("{messages}/{id}/threads"), json!({"name": "history", "auto_archive_duration": 1440}))
        .await;
    small.get(&format!("{messages}?limit=5")).await;
    small.get(&format!("{messages}/{id}")).await;
    small.patch(&format!("/channels/{id}"), json!({"archived": true})).await;
    small.get(&format!("/channels/{CHANNEL}")).await;
    small.get(&format!("/channels/{CHANNEL}/threads/archived/public")).await;
    let tag = fake.with(|state| state.channels[FORUM].tags[0].0.clone());
    let post = json!({"name": "web", "applied_tags": [tag], "message": {"content": "x"}});
    small.post(&format!("/channels/{FORUM}/threads"), post).await;
    small.get(&format!("/channels/{FORUM}")).await;
    small.post(&messages, json!({"embeds": [{"title": "x".repeat(257)}]})).await;
    small.post("/channels/440000000000000009/messages", json!({"content": "x"})).await;
    fake.fail("", Fault::RateLimited(Duration::from_millis(1500), Scope::Shared), 1);
    small.get(&messages).await;
    let first = fake.click(ANN, CHANNEL, &id, "Go").await;
    small.answer(fake, &first, json!({"type": 5, "data": {"flags": 64}})).await;
    let token = fake.with(|state| state.interactions[&first].token.clone());
    let hook = format!("/webhooks/{APPLICATION}/{token}");
    small.patch(&format!("{hook}/messages/@original"), json!({"content": "done"})).await;
    small.get(&format!("{hook}/messages/@original")).await;
    small.post(&hook, json!({"content": "more", "flags": 64})).await;
    let second = fake.command(ANN, CHANNEL, "mend show", &[("name", "i-1")]).await;
    let token = fake.with(|state| state.interactions[&second].token.clone());
    let path = format!("/interactions/{second}/{token}/callback?with_response=true");
    small.post(&path, json!({"type": 4, "data": {"content": "x"}})).await;
    small.send("DELETE", &format!("{messages}/{id}"), None).await;
}

#[tokio::test]
async fn the_fake_answers_what_discord_answers() {
    let fake = FakeDiscord::start(&[(CHANNEL, "alerts")]).await;
    fake.add_forum(FORUM, "posts", &["open"]);
    fake.add_user(ANN, "ann", Kind::Member, &[]);
    everything(&fake, &Small::new(&fake)).await;
    let calls = fake.with(|state| state.calls.clone());
    let taken: BTreeSet<&str> =
        calls.iter().filter(|call| call.status < 300).map(|call| call.route.as_str()).collect();
    assert!(taken.len() >= 25, "most of what it knows was asked: {taken:#?}");
    let Some(discord) = discord() else { return };
    let mut wrong = BTreeMap::new();
    for call in calls {
        let line = Line {
            method: call.route.split(' ').next().unwrap_or_default().to_owned(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: call.body.clone(),
            status: call.status.into(),
            answer: call.answer.clone(),
        };
        for mistake in discord.request(&line) {
            *wrong.entry(format!("{}: {mistake}", call.route)).or_insert(0) += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", say(&wrong));
}

#[test]
fn a_wrong_body_a_wrong_path_and_a_wrong_answer_are_seen() {
    let Some(discord) = discord() else { return };
    let good = || Line {
        method: "POST".to_owned(),
        path: format!("/channels/{CHANNEL}/messages"),
        query: String::new(),
        body: json!({"content": "x"}),
        status: 404,
        answer: json!({"message": "Unknown Channel", "code": 10003}),
    };
    assert_eq!(discord.request(&good()), Vec::<String>::new());
    let wrong = [
        Line { path: "/channels/1/massages".to_owned(), ..good() },
        Line { method: "PUT".to_owned(), ..good() },
        Line { answer: json!({"error": "no"}), ..good() },
        Line { status: 200, ..good() },
    ];
    for line in wrong {
        assert!(!discord.request(&line).is_empty(), "{} {} {}", line.method, line.path, line.status);
    }
    let bodies = [
        json!({"content": 7}),
        json!({"embeds": [{"title": "x".repeat(300)}]}),
        json!({"components": [{"type": 99}]}),
    ];
    for body in bodies {
        let told = discord.request(&Line { body, status: 200, ..good() });
        assert!(told.iter().any(|told| told.starts_with("body")), "{told:?}");
    }
    assert!(!discord.callback(&json!({"type": 99})).is_empty());
    assert_eq!(discord.callback(&json!({"type": 1})), Vec::<String>::new());
}
