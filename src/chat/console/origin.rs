//! Whether a request that would change something comes from one of our own pages.
//!
//! Browsers say where a POST comes from, and a page cannot lie about it. Whoever says nothing is refused too:
//! programs have the API.

use axum::http::{HeaderMap, header};

/// Whether the browser says that it comes from here. `public` is the origin under which people reach us.
pub(super) fn is_ours(headers: &HeaderMap, public: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (site, origin) = (text("sec-fetch-site"), text(header::ORIGIN.as_str()));
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match origin {
        Some(origin) => is_this_host(origin, headers, public),
        None => site.is_some(),
    }
}

fn is_this_host(origin: &str, headers: &HeaderMap, public: Option<&str>) -> bool {
    let origin = origin.to_ascii_lowercase();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let same_host =
        authority.is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host));
    same_host || public.is_some_and(|public| public == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "10.0.0.1:8080".parse().expect("a header"));
        for (name, value) in pairs {
            headers.insert(*name, value.parse().expect("a header"));
        }
        is_ours(&headers, Some("https://k.example.com"))
    }

    #[test]
    fn our_own_pages_are_ours() {
        assert!(ours(&[("origin", "http://10.0.0.1:8080")]));
        assert!(ours(&[("origin", "https://K.example.com"), ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn everybody_elses_are_not() {
        assert!(!ours(&[]), "a browser would say something");
        for origin in
            ["null", "http://10.0.0.1", "http://evil.example", "https://k.example.com.evil", "file://", ""]
        {
            assert!(!ours(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!ours(&[("sec-fetch-site", site), ("origin", "http://10.0.0.1:8080")]), "{site}");
        }
    }
}
