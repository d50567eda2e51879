//! Forms that people send: of our own pages, by the session that was shown them, small, and each name once.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Console;
use super::answer::Failure;
use super::origin;
use super::visit::{Signed, Visit};

/// The most bytes of a form.
const LARGEST: usize = 16 * 1024;
/// The most fields of a form.
const MOST: usize = 32;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 1000;

/// What was filled in.
#[derive(Debug, Default)]
pub(super) struct Form(BTreeMap<String, String>);

/// A form of somebody who is signed in.
pub(super) struct Posted {
    pub signed: Signed,
    pub form: Form,
}

/// A form of whoever it may be.
pub(super) struct Sent {
    pub visit: Visit,
    pub form: Form,
}

impl Form {
    /// A field; `""` if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The note, cut to its longest.
    pub(super) fn note(&self) -> crate::incident::Text {
        self.get("note").trim().chars().take(LONGEST_NOTE).collect::<String>().into()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if fields.len() >= MOST || fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Failure::invalid("the form has fields that it should not have"));
            }
        }
        Ok(Self(fields))
    }
}

impl FromRequest<Console> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let Sent { visit, form } = Sent::from_request(request, console).await?;
        Ok(Self { signed: console.signed(visit, false)?, form })
    }
}

impl FromRequest<Console> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        if !origin::is_ours(&parts.headers, console.0.origin.as_deref()) {
            let detail = "This was not sent from a page of this kubemend, so nothing was done.";
            return Err(Failure::forbidden(detail).into_response());
        }
        let visit = Visit::from_request_parts(&mut parts, console).await.map_err(Failure::into_response)?;
        let declared = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = declared.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "").into_response());
        }
        let read = axum::body::to_bytes(body, LARGEST).await;
        let bytes = read.map_err(|_| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "").into_response())?;
        let form = Form::parse(&bytes).map_err(Failure::into_response)?;
        // Without a session or a visit there is nothing a form could belong to: first the way in.
        match &visit.secret {
            Some(secret) if secret.is_csrf(form.get("csrf")) => Ok(Self { visit, form }),
            Some(_) => {
                let detail = "The page this was sent from is too old or not yours, so nothing was done. Load it again.";
                Err(Failure::forbidden(detail).into_response())
            }
            None => match console.signed(visit, false) {
                Err(way_in) => Err(way_in),
                Ok(_) => Err(Failure::forbidden("").into_response()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_each_name_once_and_not_many() {
        let form = Form::parse(b"csrf=a%2Bb&note=+x+y").expect("a form");
        assert_eq!((form.get("csrf"), form.get("other"), form.note().as_str()), ("a+b", "", "x y"));
        assert!(Form::parse(b"a=1&a=2").is_err());
        let many: String = (0..=MOST).map(|n| n.to_string() + "=1&").collect();
        assert!(Form::parse(many.as_bytes()).is_err());
    }
}
