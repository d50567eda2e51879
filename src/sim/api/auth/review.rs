//! Questions asked by creating: may I, may they, what may I, who am I, whose token is this. Owns their
//! answers; nothing is stored.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::meta::{self, text};
use super::super::status::Status;
use super::super::store::Store;
use super::super::user::User;
use super::rbac::{self, Attributes};
use super::tokens::Tokens;

/// The review with its answer in `status`.
pub(crate) fn answer(
    kind: &str,
    who: &User,
    ns: Option<&str>,
    mut review: Value,
    store: &Store,
    tokens: &Tokens,
    now: Timestamp,
) -> Result<Value, Status> {
    review["status"] = match kind {
        "SelfSubjectAccessReview" => access(store, who, &review["spec"]),
        "SubjectAccessReview" => access(store, &subject(&review["spec"]), &review["spec"]),
        "LocalSubjectAccessReview" => {
            let asked = text(&review, "/spec/resourceAttributes/namespace");
            if Some(asked) != ns {
                return Err(Status::bad_request(format!(
                    "spec.resourceAttributes.namespace must match namespace: {}",
                    ns.unwrap_or_default()
                )));
            }
            access(store, &subject(&review["spec"]), &review["spec"])
        }
        "SelfSubjectRulesReview" => rules(store, who, text(&review, "/spec/namespace")),
        "SelfSubjectReview" => json!({"userInfo": info(who)}),
        "TokenReview" => match tokens.user(text(&review, "/spec/token"), now) {
            Some(user) => json!({"authenticated": true, "user": info(&user)}),
            None => json!({"user": {}, "error": "invalid bearer token"}),
        },
        _ => return Err(Status::method_not_allowed()),
    };
    meta::of(&mut review).entry("creationTimestamp").or_insert(Value::Null);
    Ok(review)
}

fn subject(spec: &Value) -> User {
    let groups = meta::list(spec, "/groups").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    User { name: text(spec, "/user").to_owned(), groups, ..User::default() }
}

fn access(store: &Store, user: &User, spec: &Value) -> Value {
    let of = &spec["resourceAttributes"];
    let mut asked = Attributes {
        verb: text(of, "/verb"),
        group: text(of, "/group"),
        resource: text(of, "/resource"),
        sub: text(of, "/subresource"),
        namespace: text(of, "/namespace"),
        name: text(of, "/name"),
        path: None,
    };
    let plain = &spec["nonResourceAttributes"];
    if plain.is_object() {
        asked = Attributes {
            verb: text(plain, "/verb"),
            path: Some(text(plain, "/path")),
            ..Attributes::default()
        };
    }
    json!({"allowed": rbac::allows(store, user, &asked)})
}

fn rules(store: &Store, who: &User, ns: &str) -> Value {
    let mut all = rbac::rules(store, who, ns);
    if who.is_in(super::super::user::MASTERS) {
        all.push(json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}));
        all.push(json!({"nonResourceURLs": ["*"], "verbs": ["*"]}));
    }
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|rule| rule.get("nonResourceURLs").is_some_and(|urls| !urls.is_null()));
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}

fn info(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = json!(user.uid);
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

/// A `TokenRequest` with its token.
pub(crate) fn token_request(
    account: &Value,
    mut request: Value,
    tokens: &Tokens,
    now: Timestamp,
) -> Result<Value, Status> {
    let seconds = request["spec"]["expirationSeconds"].as_i64().unwrap_or(3600);
    if seconds < 600 {
        let why = super::super::status::Cause::invalid(
            "spec.expirationSeconds",
            &json!(seconds),
            "may not specify a duration less than 10 minutes",
        );
        return Err(Status::invalid("authentication.k8s.io", "TokenRequest", "", &[why]));
    }
    let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    let mut user = User::service_account(meta::namespace(account), meta::name(account));
    meta::uid(account).clone_into(&mut user.uid);
    let token = tokens.mint(user, Some(until));
    meta::map_at(&mut request, "spec").insert("expirationSeconds".into(), json!(seconds));
    request["metadata"] = json!({"name": meta::name(account), "namespace": meta::namespace(account),
        "creationTimestamp": super::super::clock::stamp(now)});
    request["status"] = json!({"token": token, "expirationTimestamp": super::super::clock::stamp(until)});
    Ok(request)
}
