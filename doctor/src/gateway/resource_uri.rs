//! URIs of resources in the form in which a gateway compares patterns with them.

use std::fmt::Write;

/// The longest URI, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The canonical form of a URI, or of a URI template: characters outside of ASCII are percent-encoded, and hex digits
/// are in upper case.
///
/// # Errors
/// Why a gateway refuses the URI, to follow "a URI": two servers may understand different resources by it.
pub fn canonical(uri: &str) -> Result<String, &'static str> {
    if uri.len() > MAX_BYTES {
        return Err("of more than 16 KiB");
    }
    if uri.chars().any(|char| char.is_control() || char.is_whitespace() || char == '\\') {
        return Err("with white space, a control character or a backslash");
    }
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_variable = |text: &str| text.contains('{');
    if scheme.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("whose scheme has capitals");
    }
    if let Some(authority) = authority {
        if authority.contains('@') {
            return Err("with user information");
        }
        if !is_variable(authority) && authority.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err("whose host has capitals");
        }
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if has_dot_segments(path) {
        return Err("with . or .. as a segment");
    }
    encoded(uri)
}

/// Whether a segment is `.` or `..`, in whichever way it is written.
fn has_dot_segments(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/").replace("%2e", ".");
    decoded.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn encoded(uri: &str) -> Result<String, &'static str> {
    let mut result = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        if char == '%' {
            let digits = rest.get(..2).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let digits = digits.ok_or("with an invalid percent-encoding")?.to_ascii_uppercase();
            let byte = u8::from_str_radix(&digits, 16).unwrap_or_default();
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                return Err("that percent-encodes a character without need");
            }
            let _ = write!(result, "%{digits}");
            rest = &rest[2..];
        } else if char.is_ascii() {
            result.push(char);
        } else {
            let mut buffer = [0; 4];
            for byte in char.encode_utf8(&mut buffer).bytes() {
                let _ = write!(result, "%{byte:02X}");
            }
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_has_one_form() {
        for (uri, form) in [
            ("docs://a/b?c=d", "docs://a/b?c=d"),
            ("docs://a/ü%c3%bc", "docs://a/%C3%BC%C3%BC"),
            ("docs://{Owner}/{path}", "docs://{Owner}/{path}"),
            ("urn:isbn:1", "urn:isbn:1"),
            ("docs://a/.b/..c", "docs://a/.b/..c"),
        ] {
            assert_eq!(canonical(uri).as_deref(), Ok(form), "{uri}");
        }
    }

    #[test]
    fn a_uri_of_two_meanings_is_refused() {
        for uri in [
            "Docs://a",
            "docs://A/b",
            "docs://me@a/b",
            "docs://a/../b",
            "docs://a/%2E%2e/b",
            "docs://a/b%2f..%5Cc",
            "docs://a/b c",
            "docs://a\\b",
            "docs://a/%61",
            "docs://a/%zz",
            "docs://a/%4",
            "docs://a/b\u{7f}",
        ] {
            assert!(canonical(uri).is_err(), "{uri}");
        }
        assert!(canonical(&format!("docs://a/{}", "b".repeat(MAX_BYTES))).is_err());
    }
}
