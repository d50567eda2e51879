//! Other platforms' messages as HTML look-alikes, so that layouts can be worked on without either.
//!
//! Owns the reading of Block Kit and embed JSON. Every text is escaped; a link leads to the web only; nothing
//! is fetched. Refuses to be complete: what it does not know it shows by name.

pub(super) mod discord;
mod inline;
pub(super) mod slack;

use std::fmt::Write as _;

use jiff::Timestamp;

use super::book::escape;

/// HTML being written: tags are ours, texts are escaped.
#[derive(Default)]
struct Html(String);

/// A time in a message.
enum Moment<'t> {
    /// As the message says it.
    Told(&'t str),
    At(Timestamp),
    /// As the platform would say it: so long ago.
    Ago(Timestamp),
}

impl Html {
    /// Opens an element; the class is of a closed list of ours.
    fn open(&mut self, tag: &'static str, class: &'static str) -> &mut Self {
        let _ = if class.is_empty() {
            write!(self.0, "<{tag}>")
        } else {
            write!(self.0, "<{tag} class=\"{class}\">")
        };
        self
    }

    fn close(&mut self, tag: &'static str) -> &mut Self {
        let _ = write!(self.0, "</{tag}>");
        self
    }

    /// Gaps that keep marks and mentions apart are left out: nobody sees them on the platform either.
    fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escape(&text.replace('\u{200b}', "")));
        self
    }

    /// An element that holds only a text.
    fn leaf(&mut self, tag: &'static str, class: &'static str, text: &str) -> &mut Self {
        self.open(tag, class).text(text).close(tag)
    }

    /// A time. What is relative is written out; the console's script keeps it so.
    fn moment(&mut self, moment: &Moment<'_>) -> &mut Self {
        let exact = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        match moment {
            Moment::Told(text) => self.leaf("span", "moment", text),
            Moment::At(at) => self.leaf("span", "moment", &exact(at)),
            Moment::Ago(at) => {
                let shown = exact(at);
                let _ = write!(
                    self.0,
                    "<time class=\"moment\" datetime=\"{at}\" title=\"{shown}\">{shown}</time>"
                );
                self
            }
        }
    }

    /// A link where the address leads to the web, its text alone where it does not.
    fn link(&mut self, url: &str, text: &str) -> &mut Self {
        if url.starts_with("https://") || url.starts_with("http://") {
            let (url, text) = (escape(url), escape(text));
            let _ = write!(self.0, "<a href=\"{url}\" rel=\"noreferrer noopener\">{text}</a>");
            self
        } else {
            self.text(text)
        }
    }
}

#[cfg(test)]
mod tests;
