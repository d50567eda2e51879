//! The files that a browser fetches beside the pages: all of them are in the binary.
//!
//! Each is served under a name that holds a digest of its content, so that it may be cached for ever and a
//! new version is never mixed with an old page. Refuses every name that is not in the list.

use std::sync::LazyLock;

use crate::incident::Digest;

/// A file for the browser.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    pub content_type: &'static str,
    pub bytes: &'static [u8],
    /// Whether the name holds the content's digest, so that it may be cached for ever.
    pub forever: bool,
}

struct File {
    /// As templates name it.
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! file {
    ($name:literal, $content_type:expr, $path:literal) => {
        File {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../../../assets/", $path)),
        }
    };
}

static FILES: &[File] = &[
    file!("console.css", "text/css; charset=utf-8", "console.css"),
    file!("console.js", SCRIPT, "console.js"),
    file!("htmx.js", SCRIPT, "vendor/htmx.min.js"),
    file!("htmx-sse.js", SCRIPT, "vendor/htmx-sse.min.js"),
    file!("idiomorph.js", SCRIPT, "vendor/idiomorph-ext.min.js"),
    file!("icon.svg", "image/svg+xml", "icon.svg"),
];

/// The names with digests: `console-0123456789ab.css`.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |file: &File| {
        let digest = Digest::of_bytes(file.bytes);
        match file.name.rsplit_once('.') {
            Some((stem, ending)) => format!("{stem}-{}.{ending}", digest.short()),
            None => format!("{}-{}", file.name, digest.short()),
        }
    };
    FILES.iter().map(name).collect()
});

/// The file of that name (what follows `/assets/`): with its digest, or without.
pub fn asset(path: &str) -> Option<Asset> {
    let found = |forever: bool| {
        move |file: &File| Asset { content_type: file.content_type, bytes: file.bytes, forever }
    };
    let exact = NAMES.iter().position(|name| name == path).map(|at| &FILES[at]).map(found(true));
    exact.or_else(|| FILES.iter().find(|file| file.name == path).map(found(false)))
}

/// Where a page finds the file that templates call `name`.
pub(super) fn path_of(name: &str) -> Option<String> {
    let at = FILES.iter().position(|file| file.name == name)?;
    Some(format!("/assets/{}", NAMES[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_for_ever_and_a_plain_one() {
        let path = path_of("console.css").unwrap();
        let name = path.strip_prefix("/assets/").unwrap();
        assert!(asset(name).unwrap().forever);
        assert!(!asset("console.css").unwrap().forever);
        assert!(name.starts_with("console-") && name.rsplit('.').next() == Some("css"), "{name}");
    }

    #[test]
    fn nothing_but_the_list_is_served() {
        for name in
            ["", "/", "..", "../Cargo.toml", "console-000000000000.css", "vendor/htmx.min.js", "%2e%2e"]
        {
            assert!(asset(name).is_none(), "{name}");
        }
    }
}
