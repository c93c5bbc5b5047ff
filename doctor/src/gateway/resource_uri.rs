//! URIs of resources in the forms in which a gateway compares patterns with them.

use std::fmt::Write;

use super::pattern::fold;

/// The longest URI, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Schemes whose authority URL parsers rewrite (URL standard, "special scheme"), but `file`.
const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

/// The canonical form of a URI, or of a URI template: characters that no URI has are percent-encoded, `{` and `}` of
/// templates too, and hex digits are in upper case.
///
/// # Errors
/// Why a gateway refuses the URI, to follow "a URI": two programs may understand different resources by it.
pub fn canonical(uri: &str) -> Result<String, &'static str> {
    check_characters(uri)?;
    let (scheme, rest) = split_scheme(uri)?;
    check_authority(scheme, rest)?;
    Ok(encoded(uri))
}

/// The canonical form of a pattern: what `*` stands for may complete what is before it.
///
/// # Errors
/// What is wrong with it, to follow "a URI".
pub fn canonical_pattern(pattern: &str) -> Result<String, &'static str> {
    let Some((before, _)) = pattern.split_once('*') else { return canonical(pattern) };
    check_characters(pattern)?;
    if before.contains(':') {
        let (scheme, rest) = split_scheme(before)?;
        let is_authority_complete = before.contains("///") || rest.trim_start_matches('/').contains(['/', '?', '#']);
        if is_authority_complete {
            check_authority(scheme, rest)?;
        }
    }
    Ok(encoded(pattern))
}

/// What a program makes of a canonical URI, or a part of one, that decodes it, ignores case, and makes a path of it. `None`
/// if what is encoded is not UTF-8.
#[must_use]
pub fn folded(canonical: &str) -> Option<String> {
    let scheme_end =
        canonical.split_once(':').filter(|(_, rest)| rest.starts_with("//")).map_or(0, |(it, _)| it.len() + 3);
    let (scheme, rest) = canonical.split_at(scheme_end);
    let mut bytes = Vec::new();
    let mut rest = rest.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let mut byte = *first;
        if byte == b'%' {
            byte = u8::from_str_radix(std::str::from_utf8(rest.get(..2)?).ok()?, 16).ok()?;
            rest = &rest[2..];
        }
        if byte == b'\\' {
            byte = b'/';
        }
        if !(byte == b'/' && bytes.last() == Some(&b'/')) {
            bytes.push(byte);
        }
    }
    Some(fold(&format!("{scheme}{}", String::from_utf8(bytes).ok()?)))
}

/// A canonical URI, or a folded one, without query and fragment; `None` if it has neither.
#[must_use]
pub fn without_query(uri: &str) -> Option<&str> {
    uri.find(['?', '#']).map(|at| &uri[..at])
}

fn check_characters(uri: &str) -> Result<(), &'static str> {
    if uri.len() > MAX_BYTES {
        return Err("of more than 16 KiB");
    }
    if uri.trim() != uri || uri.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\' || byte == b'|') {
        return Err("with white space, a control character, a backslash or |");
    }
    let mut separated = String::new();
    let mut parts = uri.split('%');
    separated.extend(parts.next());
    for part in parts {
        let digits = part.get(..2).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digits = digits.ok_or("with an invalid percent-encoding")?;
        let byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            return Err("that percent-encodes a character without need");
        }
        if byte.is_ascii_control() {
            return Err("with white space, a control character, a backslash or |");
        }
        // Other bytes belong to a segment: any that is no dot will do.
        separated.push(if matches!(byte, b'/' | b'\\') { '/' } else { '_' });
        separated.push_str(&part[2..]);
    }
    let path = match separated.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => format!("{scheme}/{rest}"),
        _ => separated,
    };
    if path.split(['/', '?', '#']).any(|segment| matches!(segment, "." | "..")) {
        return Err("with . or .. as a segment");
    }
    Ok(())
}

fn split_scheme(uri: &str) -> Result<(&str, &str), &'static str> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"+-.".contains(&it))
    };
    uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or("without a scheme in lower case")
}

/// Checks host and port. `rest` is what follows the scheme and its colon.
fn check_authority(scheme: &str, rest: &str) -> Result<(), &'static str> {
    let after = rest.strip_prefix("//");
    let authority = after.map(|after| after.split(['/', '?', '#']).next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("with user information");
    }
    let is_name = |host: &str| {
        host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte))
    };
    let is_plain = match (scheme, after, authority) {
        ("file", Some(after), Some(host)) => {
            host != "localhost" && is_name(host) && after[host.len()..].starts_with('/')
        }
        ("file", ..) => false,
        (special, _, Some(authority)) if SPECIAL.contains(&special) => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
            is_name(host) && is_address_or_name(host) && port.is_none_or(|port| is_port(special, port))
        }
        (special, _, None) => !SPECIAL.contains(&special),
        (_, _, Some(authority)) => is_kept(authority),
    };
    let is_path_added = SPECIAL.contains(&scheme)
        && after.zip(authority).is_some_and(|(after, authority)| !after[authority.len()..].starts_with('/'));
    if is_plain && !is_path_added { Ok(()) } else { Err("whose host or port parsers rewrite") }
}

/// Whether a host is a name whose last label begins with a letter, or four decimal numbers: parsers read others as addresses.
fn is_address_or_name(host: &str) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let is_number = |label: &&str| label.parse::<u8>().is_ok_and(|number| number.to_string() == **label);
    let ends_with_name = labels.last().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_lowercase()));
    ends_with_name || (labels.len() == 4 && labels.iter().all(is_number))
}

/// Whether parsers leave an authority as it is whose scheme they do not know. They refuse a port that is no number.
fn is_kept(authority: &str) -> bool {
    let port = authority.rsplit(':').next().filter(|port| port.len() < authority.len());
    let port = port.filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_number = |port: &str| port == "0" || !(port.is_empty() || port.starts_with('0'));
    !authority.bytes().any(|byte| b"[]".contains(&byte)) && port.is_none_or(is_number)
}

fn is_port(scheme: &str, port: &str) -> bool {
    let default = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    port != default && port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

fn encoded(uri: &str) -> String {
    let mut result = String::with_capacity(uri.len());
    let mut digits = 0;
    for byte in uri.bytes() {
        if byte >= 0x80 || b"\"<>^`{}".contains(&byte) {
            let _ = write!(result, "%{byte:02X}");
        } else {
            result.push(char::from(if digits > 0 { byte.to_ascii_uppercase() } else { byte }));
        }
        digits = if byte == b'%' { 2 } else { i32::max(digits - 1, 0) };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_has_one_form() {
        for (uri, form) in [
            ("docs://a/b?c=d", "docs://a/b?c=d"),
            ("docs://a/ü%c3%bc", "docs://a/%C3%BC%C3%BC"),
            ("docs://{Owner}/{path}", "docs://%7BOwner%7D/%7Bpath%7D"),
            ("urn:isbn:1", "urn:isbn:1"),
            ("docs://A/.b/..c", "docs://A/.b/..c"),
            ("https://a.example:8443/b", "https://a.example:8443/b"),
            ("docs://a:8443/b", "docs://a:8443/b"),
            ("docs://a:b/c", "docs://a:b/c"),
        ] {
            assert_eq!(canonical(uri).as_deref(), Ok(form), "{uri}");
        }
        assert_eq!(canonical_pattern("https://a*").as_deref(), Ok("https://a*"));
        assert_eq!(folded("docs://a%2FB//%C3%BC").as_deref(), Some("docs://a/b/ü"));
        assert_eq!(folded("docs://%FF"), None);
    }

    #[test]
    fn a_uri_of_two_meanings_is_refused() {
        for uri in [
            "Docs://a",
            "https://A/b",
            "docs://me@a/b",
            "docs://a/../b",
            "docs://a/b%2f..%5Cc",
            "docs://a/b c",
            "docs://a\\b",
            "docs://a/%61",
            "docs://a/%0a",
            "docs://a/%zz",
            "docs://a/%4",
            "docs://a/b\u{7f}",
            "https://a.example:443/",
            "https://127.1/",
            "file://localhost/a",
            "https://a.example",
            "https://a.example#b",
            "docs://a:/b",
            "docs://a:01/b",
            "docs://[::1]/b",
        ] {
            assert!(canonical(uri).is_err(), "{uri}");
        }
        assert!(canonical(&format!("docs://a/{}", "b".repeat(MAX_BYTES))).is_err());
        assert!(canonical_pattern("https://A.example/*").is_err());
    }
}
