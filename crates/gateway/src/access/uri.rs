//! The form in which the URIs of resources are compared (RFC 3986), and the URIs that are denied because programs read them
//! differently.
//!
//! | denied | because |
//! |---|---|
//! | more than 16 KiB; white space, control characters, also percent-encoded; `\` and `\|` | parsers cut them off, or read `/` and `:` |
//! | no scheme, or one in upper case | it is no URI, or parsers change it |
//! | percent-encoding that is none, or of letters, digits, `-` `.` `_` `~` | it stands for the character (§6.2.2.2) |
//! | dot segments, between `/`, `%2F` and `%5C`, in the path and behind it | they lead elsewhere |
//! | user information | hides the host from people |
//! | an IPv6 address; a port that is empty or has leading zeros | the same URI could be written in another way |
//! | http, https, ws, wss, ftp: no host, or one that parsers change (upper case, other forms of IPv4), the port that is the scheme's anyway, no path | as above |
//! | file: a host with a port, `localhost`, no `//`, no path | as above |
//!
//! In the canonical form, characters that URIs do not have are percent-encoded, those of URI templates (`{`, `}`) as well,
//! and hexadecimal digits are in upper case. So an entry for `file:///ä` or `file:///{path}` is for `file:///%C3%A4` and
//! `file:///%7Bpath%7D`, too.

use std::borrow::Cow;

use mcp_edge_protocol::members::fold;
use mcp_edge_runtime::{settings::not_normalized, uri::has_plain_authority};

/// The schemes whose hosts URL parsers change (URL standard, "special"), without `file`.
const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

/// 16 KiB.
const MAX_BYTES: usize = 16 * 1024;

/// The canonical form of a URI or of a URI template; `None` if it is denied.
#[must_use]
pub fn canonical(uri: &str) -> Option<Cow<'_, str>> {
    let is_changed = check_characters(uri).ok()?;
    let scheme = check_scheme(uri).ok()?;
    check_authority(scheme, uri).ok()?;
    Some(encode(uri, is_changed))
}

/// The canonical form of a pattern with at most one `*`. A part that the `*` may continue is not looked at.
///
/// # Errors
/// What it must be instead, as the end of a sentence.
pub fn canonical_pattern(pattern: &str) -> Result<Cow<'_, str>, &'static str> {
    let is_changed = check_characters(pattern)?;
    let fixed = pattern.split('*').next().unwrap_or_default();
    let is_whole = fixed.len() == pattern.len();
    if is_whole || fixed.contains(':') {
        let scheme = check_scheme(fixed)?;
        let authority = fixed[scheme.len() + 1..].trim_start_matches('/');
        if is_whole || fixed.contains("///") || authority.contains(['/', '?', '#']) {
            check_authority(scheme, fixed)?;
        }
    }
    Ok(encode(pattern, is_changed))
}

/// A canonical URI, or a part of one, as it may be compared by an upstream that decodes it, or makes a path of it: without
/// percent-encoding, `\` as `/`, several `/` as one but for those after the scheme, and letters folded that are not ASCII.
/// Compare it without case. `None` if what is encoded is not UTF-8.
#[must_use]
pub fn folded(canonical: &str) -> Option<Cow<'_, str>> {
    let path = canonical.find(':').filter(|at| canonical[*at..].starts_with("://")).map_or(0, |at| at + 3);
    let (scheme, rest) = canonical.split_at(path);
    if !rest.contains('%') && !rest.contains("//") {
        return Some(Cow::Borrowed(canonical));
    }
    let (mut decoded, mut bytes) = (Vec::with_capacity(rest.len()), rest.bytes());
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        };
        let byte = if byte == b'\\' { b'/' } else { byte };
        if byte != b'/' || decoded.last() != Some(&b'/') {
            decoded.push(byte);
        }
    }
    let decoded = String::from_utf8(decoded).ok()?;
    Some(Cow::Owned([scheme, &*fold(&decoded)].concat()))
}

/// A canonical URI, or a folded one, without query and fragment: what an upstream may look for that drops them.
#[must_use]
pub fn before_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

/// Whether the canonical form differs.
fn check_characters(uri: &str) -> Result<bool, &'static str> {
    if uri.len() > MAX_BYTES || uri.trim().len() != uri.len() {
        return Err("must have at most 16 KiB, and no white space at its ends");
    }
    let (mut is_changed, mut bytes) = (false, uri.bytes().enumerate());
    // The dots of the segment so far; none if it has another character.
    let mut dots = Some(0);
    while let Some((at, byte)) = bytes.next() {
        let mut is_separator = matches!(byte, b'/' | b'?' | b'#') || byte == b':' && !uri[..at].contains([':', '/']);
        match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|(_, digit)| Some((hex(digit)?, digit.is_ascii_lowercase())));
                let (Some((high, one)), Some((low, another))) = (digit(), digit()) else {
                    return Err("must have two hexadecimal digits after each %");
                };
                let decoded = high << 4 | low;
                if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
                    return Err("must not have letters, digits and - . _ ~ percent-encoded");
                }
                if decoded.is_ascii_control() {
                    return Err("must not have control characters");
                }
                is_separator = matches!(decoded, b'/' | b'\\');
                is_changed |= one || another;
            }
            0..=b' ' | 0x7f | b'\\' | b'|' => return Err("must not have white space, control characters, \\ and |"),
            _ => is_changed |= is_encoded(byte),
        }
        match (is_separator, byte) {
            (true, _) if matches!(dots, Some(1 | 2)) => return Err(DOT_SEGMENTS),
            (true, _) => dots = Some(0),
            (false, b'.') => dots = dots.map(|dots| dots + 1),
            (false, _) => dots = None,
        }
    }
    if matches!(dots, Some(1 | 2)) { Err(DOT_SEGMENTS) } else { Ok(is_changed) }
}

const DOT_SEGMENTS: &str = "must not have the segments . and ..";

/// Characters that URIs do not have, but for those that are denied.
fn is_encoded(byte: u8) -> bool {
    byte >= 0x80 || b"\"<>^`{}".contains(&byte)
}

fn encode(uri: &str, is_changed: bool) -> Cow<'_, str> {
    if !is_changed {
        return Cow::Borrowed(uri);
    }
    let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 15)]);
    let mut encoded = String::with_capacity(uri.len() + 32);
    let mut digits = 0;
    for byte in uri.bytes() {
        if is_encoded(byte) {
            encoded.extend(['%', digit(byte >> 4), digit(byte)]);
        } else {
            encoded.push(char::from(if digits > 0 { byte.to_ascii_uppercase() } else { byte }));
        }
        digits = if byte == b'%' { 2 } else { u8::saturating_sub(digits, 1) };
    }
    Cow::Owned(encoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn check_scheme(uri: &str) -> Result<&str, &'static str> {
    let scheme = uri.split(':').next().unwrap_or_default();
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let begins_with_letter = scheme.starts_with(|first: char| first.is_ascii_lowercase());
    if scheme.len() < uri.len() && begins_with_letter && scheme.bytes().all(is_allowed) {
        Ok(scheme)
    } else {
        Err("must begin with a scheme in lower case")
    }
}

fn check_authority(scheme: &str, uri: &str) -> Result<(), &'static str> {
    let after = uri[scheme.len() + 1..].strip_prefix("//");
    let authority = after.and_then(|after| after.split(['/', '?', '#']).next());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("must not have user information");
    }
    let is_special = SPECIAL.contains(&scheme);
    if is_special && after.and_then(|after| after.split(['?', '#']).next()).is_some_and(|after| !after.contains('/')) {
        return Err("must have a path: URL parsers add / to a host");
    }
    let is_plain = match (authority, scheme) {
        (Some(authority), "file") => {
            let is_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
            let has_path = after.is_some_and(|after| after[authority.len()..].starts_with('/'));
            has_path && authority != "localhost" && authority.bytes().all(is_host)
        }
        (None, "file") => false,
        (Some(authority), _) if is_special => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
            has_plain_authority(uri)
                && not_normalized(&uri[..scheme.len() + 3 + authority.len()]).is_none()
                && (port.is_none() || scheme.starts_with("http"))
                && is_plain_host(host)
        }
        (Some(authority), _) => {
            let port = authority.rsplit_once(':').map(|(_, port)| port);
            let is_changed = |port: &str| port.is_empty() || port.starts_with('0') && port != "0";
            // What is no number is no port for parsers either: they refuse it.
            !authority.contains(['[', ']'])
                && port.is_none_or(|port| !port.bytes().all(|byte| byte.is_ascii_digit()) || !is_changed(port))
        }
        (None, _) => !is_special,
    };
    if is_plain { Ok(()) } else { Err("must have its host and port in the form that URL parsers give them") }
}

/// Whether a host is a name that ends with a letter, or four decimal numbers: others are further ways to write an address.
fn is_plain_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|c: char| c.is_ascii_lowercase()) {
        return true;
    }
    let is_number = |label: &str| label.parse::<u8>().is_ok() && (label.len() == 1 || !label.starts_with('0'));
    host.split('.').count() == 4 && host.split('.').all(is_number)
}

#[cfg(test)]
mod tests;
