//! Checks of absolute `http` and `https` URLs (RFC 3986), on text: nothing is decoded, resolved or normalized.

/// Longer endpoint URLs are not used; real ones have a tenth of that.
const MAX_ENDPOINT_BYTES: usize = 2048;

/// Scheme, host and port of a URL, as they are written; `None` for what is no URL of ours.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let host = authority(&url[start..]);
    if host.is_empty() { None } else { Some(&url[..start + host.len()]) }
}

/// Splits an absolute URL into its origin as written and the rest: path, query and fragment. Everything is the origin if
/// there is no slash after the authority.
#[must_use]
pub fn split_origin(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + 3);
    match url[authority..].find('/') {
        Some(slash) => url.split_at(authority + slash),
        None => (url, ""),
    }
}

/// Host and port of a URL, as they are written; the host is empty for what is no URL of ours.
#[must_use]
pub fn host_of(url: &str) -> (&str, Option<&str>) {
    host_and_port(url.split_once("://").map(|(_, rest)| authority(rest)).unwrap_or_default())
}

/// Whether a URL is https, or plain http to this very machine (development).
#[must_use]
pub fn is_https_or_loopback(url: &str) -> bool {
    if let Some(rest) = url.strip_prefix("https://") {
        return !authority(rest).is_empty();
    }
    url.strip_prefix("http://").is_some_and(|rest| {
        let (host, _) = host_and_port(authority(rest));
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    })
}

/// Whether a text is a URL that credentials and users may be sent to: https or loopback as in [`is_https_or_loopback`],
/// visible ASCII that has a place in URLs (RFC 3986 §2), a host and port that every parser reads alike, no user
/// information, no fragment (RFC 6749 §3.1, §3.2).
#[must_use]
pub fn is_endpoint_url(url: &str) -> bool {
    let is_url_character = |byte: u8| byte.is_ascii_graphic() && !b"\"'#<>\\^`{|}".contains(&byte);
    url.len() <= MAX_ENDPOINT_BYTES
        && url.bytes().all(is_url_character)
        && is_https_or_loopback(url)
        && has_plain_authority(url)
}

/// Whether the host of a URL is a name or an address, and its port, if any, a number.
#[must_use]
pub fn has_plain_authority(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| {
        let (host, port) = host_and_port(authority(rest));
        is_host(host) && port.is_none_or(is_port)
    })
}

/// A name or an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').is_some_and(|v6| {
            v6.contains(':') && v6.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The host, and what follows the colon after it.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    // The colons of an IPv6 address are inside of its brackets.
    let host_end = authority.rfind(']').unwrap_or(0);
    match authority[host_end..].find(':') {
        Some(colon) => (&authority[..host_end + colon], Some(&authority[host_end + colon + 1..])),
        None => (authority, None),
    }
}

/// Host and port; empty if there is user information, which no endpoint of ours has.
fn authority(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') { "" } else { authority }
}
