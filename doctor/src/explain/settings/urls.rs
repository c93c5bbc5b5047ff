//! URLs in settings, as text: the Worker compares and sends them byte for byte, and no parser may change them.

/// The longest issuer and the longest `RESOURCE`.
const MAX_BYTES: usize = 400;

/// The longest URL of an endpoint of the provider.
const MAX_ENDPOINT_BYTES: usize = 2048;

/// Why a URL can be neither an issuer nor `RESOURCE`, to follow the URL; `None` if it can.
#[must_use]
pub fn problem(url: &str) -> Option<&'static str> {
    let is_visible = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\<>".contains(&byte));
    if url.contains(['?', '#']) || !is_visible || !has_good_origin(url) {
        Some("must be an https URL without query, fragment and user information, or http on this machine")
    } else if url.len() > MAX_BYTES {
        Some("is longer than 400 characters")
    } else {
        None
    }
}

/// Whether requests may be sent to a URL. It may have a query.
#[must_use]
pub fn is_endpoint(url: &str) -> bool {
    let is_visible = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'#<>\\^`{|}".contains(&byte));
    is_visible && url.len() <= MAX_ENDPOINT_BYTES && has_good_origin(url)
}

/// Why clients would send another URL than this one, to follow it; `None` if they send this one.
#[must_use]
pub fn not_normalized(url: &str) -> Option<&'static str> {
    let (scheme, host, port, path) = parts(url)?;
    let is_default = |port: &str| port == if scheme == "https" { "443" } else { "80" };
    let is_dots = |segment: &str| [".", ".."].contains(&segment.to_ascii_lowercase().replace("%2e", ".").as_str());
    if host.chars().any(|char| char.is_ascii_uppercase()) {
        Some("must have its host in lower case")
    } else if port.is_some_and(is_default) {
        Some("must not name the default port")
    } else if port.is_some_and(|port| port.starts_with('0')) {
        Some("must have a port without leading zeros")
    } else if path.split('/').any(is_dots) {
        Some("must not have dot segments")
    } else if path.contains(['^', '`', '{', '}']) {
        Some("must have ^ ` { } percent-encoded")
    } else {
        None
    }
}

/// Whether a URL has a path of its own: clients add a slash to one without.
#[must_use]
pub fn has_path(url: &str) -> bool {
    parts(url).is_some_and(|(_, _, _, path)| path.len() > 1 && !path.starts_with("/.well-known"))
}

/// https, or http on this machine; a host that is a name or an address; a port that is one; no user information.
fn has_good_origin(url: &str) -> bool {
    let Some((scheme, host, port, _)) = parts(url) else { return false };
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_address =
        |host: &str| host.contains(':') && host.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => is_address(address),
        None => !host.is_empty() && is_name(host),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|number| number > 0)
    };
    let is_this_machine = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    (scheme == "https" || (scheme == "http" && is_this_machine)) && is_host && port.is_none_or(is_port)
}

/// Scheme, host, port, and what follows them.
fn parts(url: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    let name_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[name_end..].find(':') {
        Some(colon) => (&authority[..name_end + colon], Some(&authority[name_end + colon + 1..])),
        None => (authority, None),
    };
    Some((scheme, host, port, path))
}
