//! Redirect URIs: which addresses a provider may send an authorization code to.
//!
//! The receiver of the code acts for the user, so this is where a malicious registration does its harm. Providers
//! differ in what they check (Logto stores `https://user:pass@host/`, `https://*.host/` and `javascript:`, and one
//! entry that it cannot use makes the whole application unusable), so nothing is left to them.
//!
//! The text is judged as it was sent and never rewritten: providers compare redirect URIs character by character (RFC
//! 6749 §3.1.2.3), and two parsers that disagree about a URI are how such checks are got round. What has more than one
//! reading is refused.

#[cfg(test)]
mod tests;

/// Longer ones are refused; some providers' databases and many logs cut there.
pub const MAX_BYTES: usize = 2048;

/// Private-use schemes without a dot that well-known MCP clients use. RFC 8252 §7.1 asks for a reversed domain name;
/// these clients came before anybody asked them to.
///
/// The same schemes have links that install servers and extensions, clone repositories, open files and run commands, so of
/// their addresses only the callbacks of known clients are accepted. VS Code itself takes answers at
/// `https://vscode.dev/redirect` and on loopback, Windsurf on loopback.
pub const KNOWN_PRIVATE_USE_SCHEMES: [&str; 7] =
    ["cursor", "vscode", "vscode-insiders", "windsurf", "warp", "warppreview", "raycast"];

/// What sort of address it is, which decides what sort of application it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `https:` at a public host name.
    Web,
    /// `http:` on the user's own machine (RFC 8252 §7.3).
    Loopback,
    /// A scheme that an application registered on the user's device (RFC 8252 §7.1).
    PrivateUse,
}

/// Why an address is refused. The text goes on from the name of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Problem {
    #[error("must not be empty")]
    Empty,
    #[error("must not be longer than 2048 characters")]
    TooLong,
    #[error(
        "must be visible ASCII without spaces, quotes, backslashes, < > ^ ` {{ | }}; write host names in punycode and percent-encode the rest"
    )]
    Characters,
    #[error("must not contain a wildcard (*): register each address in full")]
    Wildcard,
    #[error("must not have a fragment (#)")]
    Fragment,
    #[error("must be an absolute URI, such as https://agent.example.com/callback")]
    Relative,
    #[error("must not contain user information (@ in front of the host)")]
    UserInfo,
    #[error("must not have dot segments (/./ or /../) in its path")]
    DotSegments,
    #[error("has a % that is not followed by two hexadecimal digits")]
    PercentEncoding,
    #[error("must have a public host name, such as agent.example.com")]
    Host,
    #[error("must name its host, not an IP address")]
    IpAddress,
    #[error("must use http, not https, for this machine: http://127.0.0.1/callback")]
    HttpsLoopback,
    #[error("must use https; plain http is for 127.0.0.1, localhost and [::1] only")]
    PlainHttp,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must have a port between 1 and 65535, or none")]
    Port,
    #[error(
        "uses a scheme that is not accepted: use https, http on 127.0.0.1, or a private-use scheme that is a reversed domain name, such as com.example.agent:/callback"
    )]
    Scheme,
    #[error("must have something after its scheme, such as com.example.agent:/callback")]
    NothingAfterScheme,
    #[error(
        "must have a path that begins with one slash after its scheme, such as com.example.agent:/callback (RFC 8252 §7.1)"
    )]
    PrivateUsePath,
    #[error(
        "uses the scheme of a known application, of which only the callbacks of known clients are accepted, such as cursor://anysphere.cursor-mcp/oauth/callback: extensions use http://127.0.0.1/callback"
    )]
    KnownScheme,
}

/// Judges an address. `more_schemes` are private-use schemes that the operator lists, in lower case; they may have a host.
/// [`KNOWN_PRIVATE_USE_SCHEMES`] are not made wider by them.
///
/// # Errors
/// The first [`Problem`] that is found.
pub fn check(uri: &str, more_schemes: &[String]) -> Result<Kind, Problem> {
    check_text(uri)?;
    let (scheme, rest) = split_scheme(uri).ok_or(Problem::Relative)?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => {
            let (host, path) = authority(rest)?;
            check_public_host(host)?;
            check_path(path)?;
            Ok(Kind::Web)
        }
        "http" => {
            let (host, path) = authority(rest)?;
            if !is_loopback(host) {
                return Err(Problem::PlainHttp);
            }
            check_path(path)?;
            Ok(Kind::Loopback)
        }
        scheme if KNOWN_PRIVATE_USE_SCHEMES.contains(&scheme) => {
            if is_known_callback(scheme, rest) {
                Ok(Kind::PrivateUse)
            } else {
                Err(Problem::KnownScheme)
            }
        }
        scheme => {
            let is_listed = more_schemes.iter().any(|listed| listed == scheme);
            if !is_listed && !is_reversed_domain(scheme) {
                return Err(Problem::Scheme);
            }
            if rest.split('?').next().unwrap_or_default().trim_matches('/').is_empty() {
                return Err(Problem::NothingAfterScheme);
            }
            if rest.split('?').next().unwrap_or_default().contains('@') {
                return Err(Problem::UserInfo);
            }
            check_path(rest)?;
            // There is no naming authority behind a private-use scheme, so no host (RFC 8252 §7.1). Of a scheme that they
            // list, operators know better what its application does with one.
            if !rest.starts_with('/') || (rest.starts_with("//") && !is_listed) {
                return Err(Problem::PrivateUsePath);
            }
            if rest.starts_with("//") && !rest.starts_with("///") {
                // A provider that parses it by the URL standard fails on others, and with it on the whole client.
                let (host, _) = authority(rest)?;
                if host.contains(['[', ']']) {
                    return Err(Problem::Host);
                }
            }
            Ok(Kind::PrivateUse)
        }
    }
}

/// Rejects what no address may contain, of any scheme.
fn check_text(uri: &str) -> Result<(), Problem> {
    match () {
        () if uri.is_empty() => Err(Problem::Empty),
        () if uri.len() > MAX_BYTES => Err(Problem::TooLong),
        () if !uri.bytes().all(is_uri_character) => Err(Problem::Characters),
        () if uri.contains('*') => Err(Problem::Wildcard),
        () if uri.contains('#') => Err(Problem::Fragment),
        () => Ok(()),
    }
}

/// Visible ASCII that RFC 3986 has a place for.
pub(super) fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1), and what follows the colon.
pub(super) fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then_some((scheme, rest))
}

/// Host, and path with query, of what follows `http:` or `https:`. The port has been checked.
pub(super) fn authority(rest: &str) -> Result<(&str, &str), Problem> {
    // Browsers take `https:host`, `https:/host` and `https:///host` for `https://host`.
    let rest = rest.strip_prefix("//").ok_or(Problem::Relative)?;
    // A fragment, which addresses of pages may have, ends it, too.
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err(Problem::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let close = v6.find(']').ok_or(Problem::Host)?;
            let (host, port) = authority.split_at(close + 2);
            (host, port.strip_prefix(':').or(if port.is_empty() { None } else { Some("x") }))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(Problem::Host);
    }
    let is_port = |port: &str| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|it| it > 0)
    };
    match port {
        Some(port) if !is_port(port) => Err(Problem::Port),
        _ => Ok((host, path)),
    }
}

/// A name that the public domain name system can hold. Anything that some parser takes for an IP address is refused,
/// in all the spellings of the URL standard (`2130706433`, `0x7f.1`, `127.1`).
pub(super) fn check_public_host(host: &str) -> Result<(), Problem> {
    let host = host.to_ascii_lowercase();
    if host.starts_with('[') {
        return Err(if is_loopback(&host) { Problem::HttpsLoopback } else { Problem::IpAddress });
    }
    if host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" {
        return Err(Problem::HttpsLoopback);
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_number = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit())
            || label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if labels.last().is_some_and(|last| !last.is_empty() && is_number(last)) {
        return Err(Problem::IpAddress);
    }
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || labels.len() < 2 || !labels.iter().all(is_label) {
        return Err(Problem::Host);
    }
    Ok(())
}

/// Exactly the three spellings that clients use (RFC 8252 §7.3, §8.3).
fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// A path that has one reading: no dot segments, not even encoded ones, and no broken encodings.
pub(super) fn check_path(path_and_query: &str) -> Result<(), Problem> {
    let mut rest = path_and_query.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let is_encoded = rest.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if !is_encoded {
            return Err(Problem::PercentEncoding);
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    let path = path_and_query.split('?').next().unwrap_or_default();
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if path.split('/').any(is_dots) { Err(Problem::DotSegments) } else { Ok(()) }
}

/// Whether `rest`, which follows one of [`KNOWN_PRIVATE_USE_SCHEMES`] and its colon, is a callback as MCP clients register
/// it, character by character:
///
/// | client | callback |
/// |---|---|
/// | Cursor | `cursor://anysphere.cursor-mcp/oauth/callback` |
/// | Cursor, before | `cursor://anysphere.cursor-retrieval/oauth/callback`, `…/oauth/user-<name of the server>/callback` |
/// | Cline, before, in any of these editors | `vscode://saoudrizwan.claude-dev/mcp-auth/callback/<hash of the server>` |
/// | Warp, and its preview | `warp://mcp/oauth2callback` |
/// | Raycast | `raycast://oauth?package_name=<name of the server or extension>` |
fn is_known_callback(scheme: &str, rest: &str) -> bool {
    let is_name = |name: &str, more: &[u8]| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || more.contains(&byte))
    };
    if let Some(hash) = rest.strip_prefix("//saoudrizwan.claude-dev/mcp-auth/callback/") {
        let is_editor = !matches!(scheme, "warp" | "warppreview" | "raycast");
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        return is_editor && !hash.is_empty() && hash.bytes().all(is_hex);
    }
    match scheme {
        "warp" | "warppreview" => rest == "//mcp/oauth2callback",
        "raycast" => {
            let name = rest.strip_prefix("//oauth?package_name=");
            name.is_some_and(|name| is_name(name, b"()%")) && check_path(rest).is_ok()
        }
        "cursor" => match rest.strip_prefix("//anysphere.cursor-retrieval/oauth/") {
            Some(callback) => {
                let server = callback.strip_prefix("user-").and_then(|it| it.strip_suffix("/callback"));
                callback == "callback" || server.is_some_and(|name| is_name(name, b""))
            }
            None => rest == "//anysphere.cursor-mcp/oauth/callback",
        },
        _ => false,
    }
}

/// A reversed domain name (RFC 8252 §7.1). Schemes that browsers and systems give a meaning (`javascript`, `data`, `file`,
/// `blob`, `intent`, …) are none.
fn is_reversed_domain(scheme: &str) -> bool {
    let (top, rest) = scheme.split_once('.').unwrap_or_default();
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let is_top = top.len() > 1 && (top.bytes().all(|byte| byte.is_ascii_alphabetic()) || top.starts_with("xn--"));
    is_top && !scheme.contains('+') && rest.split('.').all(is_label)
}
