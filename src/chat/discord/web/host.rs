//! Which hosts are called: Discord's own, or the configured API's. Nobody else gets a token.

use std::net::IpAddr;

use http::Uri;

/// Where the API is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::chat::discord) struct Api {
    base: String,
    host: String,
    plain: bool,
}

impl Api {
    /// Reads a base URL; nothing for one that is none, or that would send the token in the clear to another
    /// machine.
    pub(in crate::chat::discord) fn read(url: &str) -> Option<Self> {
        let (scheme, host) = host(url)?;
        let plain = match scheme.as_str() {
            "https" => false,
            "http" if is_here(&host) => true,
            _ => return None,
        };
        Some(Self { base: url.trim_end_matches('/').to_owned(), host, plain })
    }

    /// The full URL of a path.
    pub(super) fn url(&self, path: &str) -> Option<Uri> {
        format!("{}/{path}", self.base).parse().ok()
    }

    /// A gateway URL with what is asked of it; nothing if it is not one of Discord's, or not protected.
    pub(in crate::chat::discord) fn gateway(&self, url: &str) -> Option<Uri> {
        let (scheme, host) = host(url)?;
        let own = host == self.host;
        let may = match scheme.as_str() {
            "wss" => own || host == "discord.gg" || host.ends_with(".discord.gg"),
            "ws" => own && self.plain,
            _ => false,
        };
        let uri: Uri = url.parse().ok()?;
        let path = uri.path().trim_end_matches('/');
        let authority = uri.authority()?;
        may.then(|| format!("{scheme}://{authority}{path}/?v=10&encoding=json").parse().ok())?
    }
}

/// Scheme and host of a URL, without port; nothing for one with a user in it.
fn host(url: &str) -> Option<(String, String)> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    if authority.as_str().contains('@') {
        return None;
    }
    Some((scheme.to_ascii_lowercase(), authority.host().to_ascii_lowercase()))
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discords_gateways_are_opened_and_only_with_tls() {
        let api = Api::read("https://discord.com/api/v10").expect("a URL");
        let opened = api.gateway("wss://gateway-us-east1-b.discord.gg").map(|uri| uri.to_string());
        assert_eq!(opened.as_deref(), Some("wss://gateway-us-east1-b.discord.gg/?v=10&encoding=json"));
        for url in [
            "ws://gateway.discord.gg",
            "wss://gateway.discord.gg.evil.example",
            "wss://evildiscord.gg",
            "wss://gateway.discord.gg@evil.example",
            "https://gateway.discord.gg",
            "nothing",
        ] {
            assert_eq!(api.gateway(url), None, "{url}");
        }
    }

    #[test]
    fn on_this_machine_a_gateway_may_be_without_tls() {
        let api = Api::read("http://127.0.0.1:80/api/v10").expect("a URL");
        assert!(api.gateway("ws://127.0.0.1:81").is_some());
        assert_eq!(api.gateway("ws://10.0.0.1:81"), None);
    }
}
