//! The ways in and out: a token of the configuration, a link that works once (the demo's), an identity provider.
//!
//! Whoever comes in gets a session under a new name; what they had before ends. Tries are counted by address
//! and all together. Refuses to say what was wrong with a token.

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;

use super::Console;
use super::answer::{self, Failure};
use super::form::Sent;
use super::oidc::Oidc;
use super::pages::{Locale, Login, LoginProblem, Page, Theme};
use super::secret::Secret;
use super::sessions::Pass;
use super::visit::{Visit, encoded};
use crate::incident::Digest;

/// How long a link that works once works at all.
const LINK_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// Links that work once.
#[derive(Default)]
pub(super) struct Links(Mutex<Vec<Link>>);

struct Link {
    id: Digest,
    ends: Timestamp,
    pass: Pass,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub next: String,
    #[serde(default)]
    once: String,
}

impl Links {
    /// A new one; those before it end.
    fn make(&self, pass: Pass, now: Timestamp) -> Secret {
        let secret = Secret::random();
        let ends = now.checked_add(LINK_LASTS).unwrap_or(now);
        *self.0.lock() = vec![Link { id: secret.digest(), ends, pass }];
        secret
    }

    /// Whom it stands for; it works no more.
    fn take(&self, text: &str, now: Timestamp) -> Option<Pass> {
        let id = Secret::parse(text)?.digest();
        let mut links = self.0.lock();
        let at = links.iter().position(|link| link.id == id)?;
        let link = links.swap_remove(at);
        (now < link.ends).then_some(link.pass)
    }
}

impl Console {
    /// A path that signs somebody in, once and soon. For whoever starts kubemend on their own machine.
    pub fn link(&self, pass: Pass) -> String {
        let secret = self.0.links.make(pass, self.0.engine.now());
        format!("/login?once={}", secret.reveal())
    }

    /// The way in, with a visit to sign its form.
    pub(super) fn login_page(
        &self,
        visit: &Visit,
        status: StatusCode,
        next: &str,
        problem: Option<LoginProblem>,
    ) -> Response {
        let (secret, new) = match &visit.secret {
            Some(secret) if visit.signed.is_none() => (secret.clone(), false),
            Some(_) | None => (Secret::random(), true),
        };
        // Not where the visitor is: that may be a way back from the provider, or a link, with a secret in it.
        let here = format!("/login?next={}", encoded(answer::own_path(next)));
        let stranger = Visit { secret: Some(secret.clone()), signed: None, here, ..visit.clone() };
        let page = Page::Login(Login {
            token: self.0.takes_tokens,
            oidc: self.0.oidc.as_ref().map(Oidc::name),
            next: answer::own_path(next),
            problem,
        });
        let mut response = self.page(&stranger, status, &page);
        if new {
            response.headers_mut().append(header::SET_COOKIE, self.0.cookies.set_visit(&secret));
        }
        response
    }

    /// Signs somebody in and sends them on.
    pub(super) async fn let_in(&self, visit: &Visit, pass: Pass, next: &str) -> Response {
        if let Some((id, _)) = &visit.signed
            && let Err(refused) = self.0.sessions.end(id).await
        {
            return Failure::from(refused).into_response();
        }
        tracing::info!(actor.id = %pass.who.id, "{} signed in to the console", pass.who.name);
        match self.0.sessions.begin(pass).await {
            Ok(secret) => {
                let seconds = self.0.settings.sessions.longest_hours.saturating_mul(3600);
                let mut response = answer::see(answer::own_path(next));
                response
                    .headers_mut()
                    .append(header::SET_COOKIE, self.0.cookies.set_session(&secret, seconds));
                response.headers_mut().append(header::SET_COOKIE, self.0.cookies.drop_visit());
                response
            }
            Err(refused) => Failure::from(refused).into_response(),
        }
    }

    fn may_try(&self, visit: &Visit) -> bool {
        self.0.limiter.lock().try_from(visit.address, self.0.engine.now())
    }

    fn had_success(&self, visit: &Visit) {
        self.0.limiter.lock().give_back(visit.address, self.0.engine.now());
    }
}

/// `GET /login?next&once`
pub(super) async fn page(
    State(console): State<Console>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Response {
    if asked.once.is_empty() {
        if visit.signed.is_some() {
            return answer::see(answer::own_path(&asked.next));
        }
        return console.login_page(&visit, StatusCode::OK, &asked.next, None);
    }
    if !console.may_try(&visit) {
        return too_many(&console, &visit, &asked.next);
    }
    match console.0.links.take(&asked.once, console.0.engine.now()) {
        Some(pass) => {
            console.had_success(&visit);
            console.let_in(&visit, pass, &asked.next).await
        }
        // Somebody who is in already and goes back in their browser's history.
        None if visit.signed.is_some() => answer::see(answer::own_path(&asked.next)),
        None => refused(&console, &visit, &asked.next, LoginProblem::Expired),
    }
}

/// `POST /login`
pub(super) async fn by_token(State(console): State<Console>, Sent { visit, form }: Sent) -> Response {
    let next = form.get("next");
    if !console.may_try(&visit) {
        return too_many(&console, &visit, next);
    }
    match (console.0.door)(form.get("token").trim()) {
        Some(pass) => {
            console.had_success(&visit);
            console.let_in(&visit, pass, next).await
        }
        None => refused(&console, &visit, next, LoginProblem::Token),
    }
}

fn refused(console: &Console, visit: &Visit, next: &str, problem: LoginProblem) -> Response {
    metrics::counter!("kubemend_console_sign_ins_refused_total").increment(1);
    console.login_page(visit, StatusCode::UNAUTHORIZED, next, Some(problem))
}

fn too_many(console: &Console, visit: &Visit, next: &str) -> Response {
    metrics::counter!("kubemend_console_sign_ins_refused_total").increment(1);
    tracing::warn!("too many tries to sign in to the console");
    let problem = Some(LoginProblem::TooMany);
    let mut response = console.login_page(visit, StatusCode::TOO_MANY_REQUESTS, next, problem);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    response
}

/// `POST /logout`
pub(super) async fn out(State(console): State<Console>, Sent { visit, .. }: Sent) -> Response {
    if let Some((id, who)) = &visit.signed {
        if let Err(refused) = console.0.sessions.end(id).await {
            return Failure::from(refused).into_response();
        }
        tracing::info!(actor.id = %who.id, "{} signed out of the console", who.name);
    }
    let mut response = if visit.scripted { answer::see_whole("/login") } else { answer::see("/login") };
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, console.0.cookies.drop_session());
    headers.append(header::SET_COOKIE, console.0.cookies.drop_visit());
    // What the browser kept of the pages is not for whoever sits there next.
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}

/// `POST /settings`: how pages are to look.
pub(super) async fn looks(State(console): State<Console>, Sent { visit, form }: Sent) -> Response {
    let mut looks = visit.looks;
    if let Some(locale) = Locale::of_tag(form.get("locale")) {
        looks.locale = Some(locale);
    }
    if let Some(theme) = Theme::of_tag(form.get("theme")) {
        looks.theme = theme;
    }
    let back = answer::own_path(form.get("back"));
    let mut response = if visit.scripted { answer::see_whole(back) } else { answer::see(back) };
    response.headers_mut().append(header::SET_COOKIE, console.0.cookies.set_looks(looks));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Actor, Via};

    #[test]
    fn a_link_works_once_and_soon() {
        let at = |second: i64| Timestamp::from_second(second).expect("a small number");
        let who = Actor { via: Via::Console, id: "demo".into(), name: "you".into() };
        let pass = Pass { who, roles: Vec::new(), credential: Digest::of_bytes(b"demo") };
        let links = Links::default();
        let link = links.make(pass.clone(), at(0)).reveal();
        assert!(links.take("", at(1)).is_none());
        assert!(links.take(&Secret::random().reveal(), at(1)).is_none());
        assert!(links.take(&link, at(1)).is_some());
        assert!(links.take(&link, at(1)).is_none(), "once");
        let link = links.make(pass.clone(), at(0)).reveal();
        assert!(links.take(&link, at(900)).is_none(), "soon");
        let (old, new) = (links.make(pass.clone(), at(0)).reveal(), links.make(pass, at(0)).reveal());
        assert!(links.take(&old, at(1)).is_none(), "a newer one took its place");
        assert!(links.take(&new, at(1)).is_some());
    }
}
