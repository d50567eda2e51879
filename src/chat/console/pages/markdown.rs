//! Markdown of playbooks as HTML. Raw HTML in it stays text, links lead to the web only, pictures are left out.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

use super::book::is_deceptive;

/// The HTML of a Markdown text, made of escaped parts alone.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, Parser::new_ext(text, Options::ENABLE_TABLES).map(tame));
    out.replace(is_deceptive, "\u{fffd}")
}

fn tame(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: tame_url(link_type, dest_url), title, id })
        }
        // A page has one first heading, and it is not this one.
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H4, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(pulldown_cmark::HeadingLevel::H4)),
        other => other,
    }
}

/// No `javascript:`, no `data:`, nothing of this site.
fn tame_url(kind: LinkType, url: CowStr<'_>) -> CowStr<'_> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if web && kind != LinkType::Email { url } else { CowStr::Borrowed("#") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_a_tag_or_a_script() {
        let text = "<script>alert(1)</script>\n\na <b onclick=x>b</b> [l](javascript:alert(1)) ![i](https://e.example/x.png) `<i>`\n\n<div>\n**x**\n</div>";
        let made = markdown(text);
        for bad in ["<script", "<b ", "javascript:", "<img", "<div", "<i>"] {
            assert!(!made.contains(bad), "{bad} in {made}");
        }
        assert!(made.contains("<code>&lt;i&gt;</code>"), "{made}");
    }
}
