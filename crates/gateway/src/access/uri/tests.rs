//! Which URIs are denied, and which are the same.

use proptest::prelude::*;

use super::*;

#[test]
fn uris_in_canonical_form_are_not_copied() {
    for uri in [
        "file:///a/b.md",
        "file://server/share",
        "https://api.example.com/a?b=../c#d",
        "https://127.0.0.1:8443/a",
        "http://localhost:3000/",
        "ws://a.example/x",
        "note://Alice/1",
        "greeting://World",
        "mailto:bob@example.com",
        "urn:isbn:0451450523",
        "docs://list/a%2Fb%5Cc%20d%C3%A4",
        "a:.b/..c/d../...",
        "proxy://fetch/https://example.com",
        "postgres://db.example:5432/a",
        "docs://a:0/b",
        "docs://topic:name/b",
        "docs:a:/b:080",
    ] {
        assert!(matches!(canonical(uri), Some(Cow::Borrowed(same)) if same == uri), "{uri}");
        assert_eq!(canonical_pattern(uri).as_deref(), Ok(uri));
    }
}

#[test]
fn characters_that_uris_do_not_have_are_encoded() {
    for (uri, expected) in [
        ("file:///\u{e4}", "file:///%C3%A4"),
        ("file:///%c3%a4", "file:///%C3%A4"),
        ("file:///{path}", "file:///%7Bpath%7D"),
        ("note://\u{20ac}/<\"^`>", "note://%E2%82%AC/%3C%22%5E%60%3E"),
        ("note:%2fAa%2f", "note:%2FAa%2F"),
    ] {
        assert_eq!(canonical(uri).as_deref(), Some(expected), "{uri}");
        assert_eq!(canonical(expected).as_deref(), Some(expected), "{uri}");
    }
}

#[test]
fn what_programs_read_differently_is_denied() {
    for uri in [
        "",
        "a",
        "/a",
        "//a/b",
        ":a",
        "1:a",
        "a b:c",
        // White space and control characters.
        "file:///a b",
        " file:///a",
        "file:///a\n",
        "file:///a\u{a0}",
        "file:///a\u{7f}",
        "file:///a\u{0}",
        "file:///a%00",
        "file:///a%0a",
        "file:///a%7f",
        "note:a\tb",
        // What is a slash or a colon elsewhere.
        "file:///a\\b",
        "file:///C|/a",
        // Case.
        "File:///a",
        "HTTPS://a.example",
        "https://A.example/",
        // User information.
        "https://a@b.example/",
        "note://a:b@c/d",
        "file://a@b/c",
        // Percent-encoding.
        "a:%",
        "a:%4",
        "a:%g0",
        "a:%\u{e4}0",
        "a:%61",
        "a:%5A",
        "a:%30",
        "a:%2d%2D",
        "a:b%2e",
        "a:%5F",
        "a:%7e",
        "https://%61.example/",
        // Dot segments.
        "file:///a/../b",
        "file:///a/./b",
        "file:///..",
        "file:///a/.",
        "file:///a/..?b",
        "file:///a/..#b",
        "file:///a%2F../b",
        "file:///a/..%2fb",
        "file:///a%5C..%5cb",
        "file:///%2e%2E/b",
        "docs:../b",
        "docs://../b",
        "docs://a?path=b/../c",
        "docs://a#b/../c",
        // Other forms of the same URL.
        "https:a",
        "https:/a.example",
        "https:\u{e4}",
        "https:/\u{e4}",
        "https:",
        "https:///a.example",
        "https://",
        "https://a.example:443/",
        "http://a.example:80",
        "http://a.example:080/",
        "https://a.example:/",
        "ws://a.example:80/",
        "https://a.example./",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.256/",
        "https://[::1]/",
        "https://\u{ff41}.example/",
        "https://{host}/",
        "file:a",
        "file:/a",
        "file://localhost/a",
        "file://C:/a",
        "file://a:1/b",
        "file://a",
        "https://a.example",
        "https://a.example?b",
        "https://a.example:8443#b",
        // Other forms of the same URI, with a scheme that parsers do not know.
        "docs://a:/b",
        "docs://a:",
        "docs://a:?b",
        "docs://:/a",
        "docs://a:080/b",
        "docs://a:00/b",
        "docs://[::1]/a",
        "docs://[0:0::1]:80/a",
        "docs://a]/b",
    ] {
        assert_eq!(canonical(uri), None, "{uri:?}");
    }
    let long = |bytes: usize| ["a:", &"b".repeat(bytes - 2)].concat();
    assert!(canonical(&long(MAX_BYTES)).is_some());
    assert!(canonical(&long(MAX_BYTES + 1)).is_none());
}

#[test]
fn a_pattern_may_leave_open_how_a_uri_begins() {
    for pattern in
        ["*", "*.md", "https://*", "https://api*", "no*", "file:///*", "note:*", "a:.*", "file:*", "*://a/b", "a:*."]
    {
        assert_eq!(canonical_pattern(pattern).as_deref(), Ok(pattern));
    }
    assert_eq!(canonical_pattern("file:///\u{e4}*{b}").as_deref(), Ok("file:///%C3%A4*%7Bb%7D"));
    for (pattern, problem) in [
        ("Note:*", "scheme in lower case"),
        ("a", "scheme in lower case"),
        ("https://A.example/*", "host and port"),
        ("https://a.example:443/*", "host and port"),
        ("file://localhost/*", "host and port"),
        ("https://a@b.example/*", "user information"),
        ("https://a.example", "path"),
        ("https://a.example?b*", "path"),
        ("docs://a:/*", "host and port"),
        ("docs://[::1]/*", "host and port"),
        ("a:b/../*", "segments . and .."),
        ("a:b*/..", "segments . and .."),
        ("a:%4*", "hexadecimal digits"),
        ("a:%41*", "percent-encoded"),
        ("a:\\*", "white space"),
    ] {
        let error = canonical_pattern(pattern).expect_err(pattern);
        assert!(error.starts_with("must ") && error.contains(problem), "{pattern}: {error}");
    }
}

#[test]
fn the_folded_form_is_what_a_program_makes_of_a_uri_that_decodes_it() {
    for (uri, expected) in [
        ("file:///a%2Fb", "file:///a/b"),
        ("file:///a%5Cb", "file:///a/b"),
        ("file:////a//b", "file:///a/b"),
        ("file:///a%2F%5C/b", "file:///a/b"),
        ("proxy://https://a", "proxy://https:/a"),
        ("note:a//b", "note:a/b"),
        ("a:%C5%BF%E2%84%AA", "a:sk"),
        ("a:%25", "a:%"),
    ] {
        assert_eq!(folded(uri).as_deref(), Some(expected), "{uri}");
    }
    assert!(matches!(folded("file:///a/b"), Some(Cow::Borrowed(_))));
    assert_eq!(folded("a:%FF"), None);
}

proptest! {
    #[test]
    fn the_canonical_form_is_canonical(uri in "(a:|file:///|https://a\\.b/|note://)([a-zA-Z./{}\u{e4}\u{17f}]|%[0-9a-fA-F]{2}){0,12}") {
        if let Some(once) = canonical(&uri) {
            let twice = canonical(&once);
            prop_assert_eq!(twice.as_deref(), Some(&*once));
            prop_assert!(once.is_ascii());
        }
    }

    #[test]
    fn http_urls_are_read_like_this_by_every_parser_of_the_standard(uri in "https?:/{0,3}[a-zA-Z0-9.:@\\[\\]%/-]{0,12}(/[a-z./%2]{0,8})?") {
        if canonical(&uri).is_some() {
            let parsed = url::Url::parse(&uri).expect("a URL");
            prop_assert_eq!(parsed.as_str(), uri);
        }
    }

    #[test]
    fn parsers_of_the_standard_do_not_change_what_uris_are_compared_by(
        uri in "(docs|note\\+a|urn|file|https|ws):/{0,4}([a-zA-Z01.:@\\[\\]{}<\"^`~!$&'()*+,;=?#/\u{e4}\u{17f}-]|%[0-9a-fA-F]{2}){0,12}",
    ) {
        if let (Some(before), Ok(parsed)) = (canonical(&uri), url::Url::parse(&uri)) {
            let after = canonical(parsed.as_str()).unwrap_or_default();
            // Of a path of a file, the crate leaves out empty segments.
            let compared = |uri: &str| folded(uri).map(|folded| folded.to_ascii_lowercase());
            let is_same = before == after || uri.starts_with("file:") && compared(&before) == compared(&after);
            prop_assert!(is_same, "{} {}", before, after);
        }
    }

    #[test]
    fn parsers_of_the_standard_do_not_change_hosts_and_ports(
        uri in "(docs|note|db)://(a|B|secret|\\[?[0:]{1,4}1?\\]?)?(:[0-9]{0,6})?([/?#][a-z:]{0,3})?",
    ) {
        if let (Some(before), Ok(parsed)) = (canonical(&uri), url::Url::parse(&uri)) {
            prop_assert_eq!(Some(before), canonical(parsed.as_str()));
        }
    }
}
