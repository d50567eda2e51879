//! From method and path to what is asked: a resource and a verb, or a plain path.

use axum::http::Method;

use super::query::{Query, decode_path};

/// What a request is about.
pub(super) enum Route {
    /// Not a resource: discovery, health.
    Path { verb: &'static str, path: String },
    /// A resource, which may or may not exist.
    Resource(Target),
}

/// A resource as the path names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sim::api) struct Target {
    pub(super) verb: &'static str,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) sub: Option<String>,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Target {
    /// `pods/log`
    pub(super) fn with_sub(&self) -> String {
        match &self.sub {
            Some(sub) => format!("{}/{sub}", self.resource),
            None => self.resource.clone(),
        }
    }

    pub(super) fn ns(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(self.namespace.as_str())
    }
}

pub(super) fn parse(method: &Method, path: &str, query: &Query) -> Route {
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode_path).collect();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match words.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => {
            return Route::Path { verb: plain_verb(method), path: path.to_owned() };
        }
    };
    let (watched, rest) = match rest {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (query.is("watch"), rest),
    };
    let mut target = Target { group: group.into(), version: version.into(), ..Target::default() };
    fill(&mut target, rest);
    target.verb = verb(method, watched, target.name.is_empty());
    Route::Resource(target)
}

fn fill(target: &mut Target, rest: &[&str]) {
    let own = |text: &str| text.to_owned();
    match rest {
        ["namespaces", name] => {
            (target.resource, target.name) = (own("namespaces"), own(name));
        }
        ["namespaces", name, sub @ ("status" | "finalize")] => {
            (target.resource, target.name) = (own("namespaces"), own(name));
            target.sub = Some(own(sub));
        }
        ["namespaces", ns, resource, rest @ ..] => {
            target.namespace = own(ns);
            target.resource = own(resource);
            fill_name(target, rest);
        }
        [resource, rest @ ..] => {
            target.resource = own(resource);
            fill_name(target, rest);
        }
        [] => {}
    }
}

fn fill_name(target: &mut Target, rest: &[&str]) {
    if let Some((name, rest)) = rest.split_first() {
        (*name).clone_into(&mut target.name);
        if !rest.is_empty() {
            target.sub = Some(rest.join("/"));
        }
    }
}

fn verb(method: &Method, watched: bool, unnamed: bool) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if unnamed => "deletecollection",
        Method::DELETE => "delete",
        _ if watched => "watch",
        _ if unnamed => "list",
        _ => "get",
    }
}

fn plain_verb(method: &Method) -> &'static str {
    match *method {
        Method::POST => "post",
        Method::PUT => "put",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, shown: &str) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let text = match parse(method, path, &Query::parse(query)) {
            Route::Path { verb, path } => format!("{verb} {path}"),
            Route::Resource(t) => {
                format!(
                    "{} {}.{} {} ns={} name={}",
                    t.verb,
                    t.group,
                    t.version,
                    t.with_sub(),
                    t.namespace,
                    t.name
                )
            }
        };
        assert_eq!(text, shown);
    }

    #[test]
    fn paths_become_targets() {
        check(&Method::GET, "/api/v1/pods", "list .v1 pods ns= name=");
        check(&Method::GET, "/api/v1/pods?watch=true", "watch .v1 pods ns= name=");
        check(&Method::GET, "/api/v1/namespaces/a/pods/p/log", "get .v1 pods/log ns=a name=p");
        check(&Method::GET, "/api/v1/namespaces/a", "get .v1 namespaces ns= name=a");
        check(&Method::PUT, "/api/v1/namespaces/a/finalize", "update .v1 namespaces/finalize ns= name=a");
        check(
            &Method::DELETE,
            "/apis/apps/v1/namespaces/a/deployments",
            "deletecollection apps.v1 deployments ns=a name=",
        );
        check(&Method::GET, "/apis/apps/v1", "get /apis/apps/v1");
        check(&Method::GET, "/apis/g.io/v1/things/a%3Ab", "get g.io.v1 things ns= name=a:b");
    }
}
