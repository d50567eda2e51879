//! Questions that could not be shown when they came up: kept for a moment, because a modal must be shown within
//! three seconds of a click and finding the choices anew may take longer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::chat::answer::Form;

/// How many are kept.
const MOST: usize = 200;
/// Choices that are older are asked for again.
const GOOD_FOR: Duration = Duration::from_mins(2);

/// Forms by their ids, the newest of them.
#[derive(Default)]
pub(super) struct Forms(Mutex<VecDeque<(Instant, Form)>>);

impl Forms {
    /// Keeps a form in the place of an older one of that id.
    pub(super) fn keep(&self, form: &Form, now: Instant) {
        let mut forms = self.0.lock();
        forms.retain(|(_, held)| held.id != form.id);
        forms.push_back((now, form.clone()));
        if forms.len() > MOST {
            forms.pop_front();
        }
    }

    /// The form of that id, while it is good.
    pub(super) fn get(&self, id: &str, now: Instant) -> Option<Form> {
        let mut forms = self.0.lock();
        forms.retain(|(at, _)| now.duration_since(*at) < GOOD_FOR);
        forms.iter().find(|(_, form)| form.id == id).map(|(_, form)| form.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(id: &str) -> Form {
        let (id, title, submit) = (id.to_owned(), "t".to_owned(), "s".to_owned());
        Form { id, title, intro: Vec::new(), inputs: Vec::new(), submit }
    }

    #[test]
    fn a_form_is_kept_for_a_while_and_no_more_than_there_is_room_for() {
        let (forms, now) = (Forms::default(), Instant::now());
        forms.keep(&form("a"), now);
        assert_eq!(forms.get("a", now).map(|form| form.id).as_deref(), Some("a"));
        assert_eq!(forms.get("a", now + GOOD_FOR), None);
        for id in 0..=MOST {
            forms.keep(&form(&id.to_string()), now);
        }
        assert_eq!((forms.get("0", now), forms.0.lock().len()), (None, MOST));
    }
}
