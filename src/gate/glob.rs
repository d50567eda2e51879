//! Names with `*` in them.

/// Whether `pattern`, in which each `*` stands for any text, matches the whole of `text`. Linear: each part
/// between stars is looked for once, from the left.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.len() >= end.len() && text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text_and_everything_else_for_itself() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "payments", true),
            ("payments", "payments", true),
            ("payments", "payments-2", false),
            ("payments-*", "payments-2", true),
            ("payments-*", "payments", false),
            ("*-prod", "payments-prod", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("image.*", "image.auth-missing", true),
            ("image.*", "imagexauth", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
