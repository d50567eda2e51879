//! Who asks and whether they may: tokens, impersonation, RBAC. Owns 401 and 403.

use axum::http::request::Parts;

use super::super::ApiServer;
use super::super::auth::rbac::{self, Attributes};
use super::super::selector::Selector;
use super::super::status::Status;
use super::super::user::{AUTHENTICATED, UNAUTHENTICATED, User};
use super::answer::header;
use super::query::{Query, decode, decode_path};
use super::route::{Route, Target};

/// The prefix a request came with, for answers that hold paths.
#[derive(Clone)]
pub(super) struct Prefix(pub(super) String);

/// Takes the token out of `/token/TOKEN/…`. kubectl sends no `Authorization` over plain HTTP, but keeps the
/// path of the server it is given; so a kubeconfig names `http://HOST/token/TOKEN`.
pub(super) fn unwrap_path(parts: &mut Parts) {
    let text = parts.uri.to_string();
    let Some((token, rest)) =
        text.strip_prefix("/token/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let (Ok(value), Ok(uri)) = (format!("Bearer {}", decode_path(token)).parse(), format!("/{rest}").parse())
    else {
        return;
    };
    parts.extensions.insert(Prefix(format!("/token/{token}")));
    parts.headers.entry("authorization").or_insert(value);
    parts.uri = uri;
}

/// The user of a request, after impersonation.
pub(super) fn who(api: &ApiServer, parts: &Parts) -> Result<User, Status> {
    let shown = header(parts, "authorization");
    let user = match shown.strip_prefix("Bearer ") {
        Some(token) => {
            let now = api.clock().now();
            api.inner.tokens.user(token.trim(), now).ok_or_else(Status::unauthorized)?
        }
        None if shown.is_empty() => User::anonymous(),
        None => return Err(Status::unauthorized()),
    };
    impersonated(api, user, parts)
}

fn impersonated(api: &ApiServer, user: User, parts: &Parts) -> Result<User, Status> {
    let name = header(parts, "impersonate-user").to_owned();
    let groups = values(parts, "impersonate-group");
    let uid = header(parts, "impersonate-uid").to_owned();
    let extras = extras(parts);
    if name.is_empty() {
        if groups.is_empty() && uid.is_empty() && extras.is_empty() {
            return Ok(user);
        }
        return Err(Status::internal("requested impersonation without impersonating a user"));
    }
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match account {
        Some((ns, sa)) => may_impersonate(api, &user, "", "serviceaccounts", ns, sa)?,
        None => may_impersonate(api, &user, "", "users", "", &name)?,
    }
    for group in &groups {
        may_impersonate(api, &user, "", "groups", "", group)?;
    }
    if !uid.is_empty() {
        may_impersonate(api, &user, "authentication.k8s.io", "uids", "", &uid)?;
    }
    for (key, value) in &extras {
        let resource = format!("userextras/{key}");
        may_impersonate(api, &user, "authentication.k8s.io", &resource, "", value)?;
    }
    let mut next = match account {
        Some((ns, sa)) if groups.is_empty() => User::service_account(ns, sa),
        _ => User { name, groups, ..User::default() },
    };
    if next.name == "system:anonymous" {
        next.groups.push(UNAUTHENTICATED.to_owned());
    } else if !next.groups.iter().any(|group| group == AUTHENTICATED) {
        next.groups.push(AUTHENTICATED.to_owned());
    }
    next.uid = uid;
    for (key, value) in extras {
        next.extra.entry(key).or_default().push(value);
    }
    Ok(next)
}

fn may_impersonate(
    api: &ApiServer,
    user: &User,
    group: &str,
    resource: &str,
    namespace: &str,
    name: &str,
) -> Result<(), Status> {
    let (plural, sub) = resource.split_once('/').unwrap_or((resource, ""));
    let asked = Attributes { verb: "impersonate", group, resource: plural, sub, namespace, name, path: None };
    if rbac::allows(&api.inner.state.lock().store, user, &asked) {
        return Ok(());
    }
    Err(forbidden(user, &asked))
}

fn values(parts: &Parts, name: &str) -> Vec<String> {
    let all = parts.headers.get_all(name).iter();
    all.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
}

fn extras(parts: &Parts) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in &parts.headers {
        if let Some(key) = name.as_str().strip_prefix("impersonate-extra-")
            && let Ok(value) = value.to_str()
        {
            out.push((decode(key), value.to_owned()));
        }
    }
    out
}

/// RBAC for this request.
pub(super) fn authorize(api: &ApiServer, who: &User, route: &Route, query: &Query) -> Result<(), Status> {
    let state = api.inner.state.lock();
    match route {
        Route::Path { verb, path } => {
            let asked = Attributes { verb, path: Some(path), ..Attributes::default() };
            if rbac::allows(&state.store, who, &asked) { Ok(()) } else { Err(forbidden(who, &asked)) }
        }
        Route::Resource(target) => {
            let picked = picked(&state.registry, target, query);
            let asked = attributes(target, picked.as_deref());
            if rbac::allows(&state.store, who, &asked) { Ok(()) } else { Err(forbidden(who, &asked)) }
        }
    }
}

/// The name a field selector pins a list or watch to.
fn picked(registry: &super::super::resource::Registry, target: &Target, query: &Query) -> Option<String> {
    let fields = query.get("fieldSelector");
    if !target.name.is_empty() || fields.is_empty() {
        return None;
    }
    let res = registry.find(&target.group, &target.version, &target.resource)?;
    Selector::parse(&res, "", fields).ok()?.one_name().map(str::to_owned)
}

fn attributes<'a>(target: &'a Target, picked: Option<&'a str>) -> Attributes<'a> {
    let namespace = if target.resource == "namespaces" { &target.name } else { &target.namespace };
    Attributes {
        verb: target.verb,
        group: &target.group,
        resource: &target.resource,
        sub: target.sub.as_deref().unwrap_or_default(),
        namespace,
        name: picked.unwrap_or(&target.name),
        path: None,
    }
}

fn forbidden(user: &User, asked: &Attributes<'_>) -> Status {
    if let Some(path) = asked.path {
        let why = format!("forbidden: User {:?} cannot {} path {path:?}", user.name, asked.verb);
        let mut status = Status::new(403, "Forbidden", why);
        status.details = serde_json::json!({});
        return status;
    }
    let gvr = super::super::gvr::Gvr::named(asked.group, "", asked.resource);
    let with_sub = match asked.sub {
        "" => asked.resource.to_owned(),
        sub => format!("{}/{sub}", asked.resource),
    };
    let place = match asked.namespace {
        "" => " at the cluster scope".to_owned(),
        ns => format!(" in the namespace {ns:?}"),
    };
    let why = format!(
        "User {:?} cannot {} resource {with_sub:?} in API group {:?}{place}",
        user.name, asked.verb, asked.group
    );
    Status::forbidden(&gvr, asked.name, &why)
}
