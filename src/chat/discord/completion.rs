//! What may be meant, as Discord shows it while an option is typed. Pure.

use serde_json::{Value, json};

use crate::chat::cut::{Unit, cut};
use crate::chat::desk::Choice;

/// Discord shows so many.
const MOST: usize = 25;
/// The longest name and the longest value.
const LONGEST: usize = 100;

/// The choices that Discord takes: a value that is too long to be one is left out, because a part of it would
/// mean something else; a name is cut.
pub(super) fn choices(found: &[Choice]) -> Vec<Value> {
    let fits = |choice: &&Choice| (1..=LONGEST).contains(&Unit::Utf16.count(&choice.value));
    let shown = |choice: &Choice| {
        let label = crate::chat::dialect::Dialect::Plain.code(&choice.label);
        let name = if label.trim().is_empty() { choice.value.clone() } else { label };
        json!({"name": cut(&name, LONGEST, Unit::Utf16), "value": choice.value})
    };
    found.iter().filter(fits).take(MOST).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_may_be_meant_is_shown_within_the_limits(
            pairs in proptest::collection::vec(("\\PC{0,150}", "\\PC{0,120}"), 0..40)
        ) {
            let found: Vec<Choice> =
                pairs.into_iter().map(|(label, value)| Choice { label, value }).collect();
            let shown = choices(&found);
            prop_assert!(shown.len() <= 25);
            for choice in shown {
                for key in ["name", "value"] {
                    let length = Unit::Utf16.count(choice[key].as_str().expect("a text"));
                    prop_assert!((1..=100).contains(&length), "{}", choice);
                }
                prop_assert!(found.iter().any(|one| choice["value"] == one.value.as_str()), "a value is whole");
            }
        }
    }
}
