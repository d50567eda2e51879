//! Cuts a stream of chunks into lines without copying those that lie whole in one chunk.

use std::io::BufRead;

/// Longer than any object that an API server stores; what is longer is skipped.
const LONGEST: usize = 16 << 20;
/// A buffer that one long line has made large is not kept.
const KEPT: usize = 256 << 10;

/// The beginning of a line whose end has not come yet.
#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    skipping: bool,
}

/// A line, without its break.
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    TooLong,
}

impl Lines {
    /// Hands out every line that ends in this chunk.
    pub(super) fn feed(&mut self, mut chunk: &[u8], mut each: impl FnMut(Line<'_>)) {
        while !chunk.is_empty() {
            let all = chunk;
            let used = chunk.skip_until(b'\n').expect("reading from memory cannot fail");
            match all[..used].strip_suffix(b"\n") {
                Some(end) => self.end(end, &mut each),
                None => self.begin(all),
            }
        }
    }

    fn end(&mut self, end: &[u8], each: &mut impl FnMut(Line<'_>)) {
        if std::mem::take(&mut self.skipping) {
            each(Line::TooLong);
        } else if self.begun.is_empty() {
            whole(end, each);
        } else {
            self.begun.extend_from_slice(end);
            whole(&self.begun, each);
        }
        self.begun.clear();
        self.begun.shrink_to(KEPT);
    }

    fn begin(&mut self, start: &[u8]) {
        if self.skipping || self.begun.len() + start.len() > LONGEST {
            self.skipping = true;
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(start);
        }
    }
}

fn whole(line: &[u8], each: &mut impl FnMut(Line<'_>)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.is_empty() {
        each(Line::Whole(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.feed(chunk, |line| {
                found.push(match line {
                    Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                    Line::TooLong => "(too long)".to_owned(),
                });
            });
        }
        found
    }

    #[test]
    fn lines_come_whole_however_they_were_cut() {
        assert_eq!(lines(&[b"a\nb\n"]), ["a", "b"]);
        assert_eq!(lines(&[b"a", b"b", b"\n\nc\r\nd"]), ["ab", "c"]);
        assert_eq!(lines(&[b"a\nb", b"c\n"]), ["a", "bc"]);
    }

    #[test]
    fn a_line_without_end_is_skipped_and_the_next_one_is_not() {
        let long = vec![b'x'; LONGEST];
        assert_eq!(lines(&[&long, &long, b"\nb\n"]), ["(too long)", "b"]);
    }
}
