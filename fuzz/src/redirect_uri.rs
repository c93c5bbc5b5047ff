//! Redirect URIs with any content: what is accepted has one reading, which is also that of the URL standard.

use registrar::client_metadata::redirect_uri::{self, KNOWN_PRIVATE_USE_SCHEMES, Kind, MAX_BYTES};
use url::{Host, Url};

use crate::with_text;

const LISTED: &str = "myapp";

/// Schemes that browsers and systems act upon.
const NEVER: [&str; 12] =
    ["javascript", "data", "file", "blob", "vbscript", "about", "ws", "wss", "ftp", "mailto", "tel", "intent"];

/// Each line is a URI.
pub fn check(input: &[u8]) {
    with_text(input, |input| input.split('\n').take(20).for_each(check_uri));
}

fn check_uri(uri: &str) {
    let strict = redirect_uri::check(uri, &[]);
    let listed = redirect_uri::check(uri, &[LISTED.to_owned()]);
    if let Ok(kind) = strict {
        assert_eq!(listed, Ok(kind), "a further scheme changes what {uri:?} is");
        accepted(uri, kind);
    } else if let Ok(kind) = listed {
        assert_eq!(kind, Kind::PrivateUse);
        assert!(uri.get(..LISTED.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(LISTED)), "{uri:?}");
        accepted(uri, kind);
    }
}

/// Checks a URI that the registrar accepted.
pub fn accepted(uri: &str, kind: Kind) {
    assert!(!uri.is_empty() && uri.len() <= MAX_BYTES);
    assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri:?}");
    assert!(!uri.contains(['#', '*', '\\', '"', '<', '>', '{', '}']), "{uri:?}");
    let parsed = Url::parse(uri).unwrap_or_else(|error| panic!("{uri:?}: {error}"));
    assert!(parsed.username().is_empty() && parsed.password().is_none(), "{uri:?} has user information");
    assert!(parsed.fragment().is_none());
    let scheme = parsed.scheme();
    match kind {
        Kind::Web => {
            assert_eq!(scheme, "https", "{uri:?}");
            let Some(Host::Domain(host)) = parsed.host() else { panic!("{uri:?} has no host name") };
            assert!(host.contains('.') && host != "localhost" && !host.ends_with(".localhost"), "{uri:?}");
            same_reading(uri, &parsed, host);
        }
        Kind::Loopback => {
            assert_eq!(scheme, "http", "{uri:?}");
            let host = parsed.host_str().unwrap_or_default();
            assert!(matches!(host, "localhost" | "127.0.0.1" | "[::1]"), "{uri:?}");
            same_reading(uri, &parsed, host);
        }
        Kind::PrivateUse => {
            assert!(!matches!(scheme, "http" | "https") && !NEVER.contains(&scheme), "{uri:?}");
            let is_known = KNOWN_PRIVATE_USE_SCHEMES.contains(&scheme);
            assert!(is_known || scheme == LISTED || scheme.contains('.'), "{uri:?}");
        }
    }
}

/// Host and path are in the text as the URL standard reads them.
fn same_reading(uri: &str, parsed: &Url, host: &str) {
    let (_, rest) = uri.split_once("://").unwrap_or_default();
    assert!(rest.get(..host.len()).is_some_and(|text| text.eq_ignore_ascii_case(host)), "{uri:?} leads to {host}");
    let behind = &rest[host.len()..];
    assert!(behind.is_empty() || behind.starts_with(['/', '?', ':']), "{uri:?} leads to {host}");
    let from = behind.find(['/', '?']).unwrap_or(behind.len());
    let (port, path) = behind.split_at(from);
    let (wanted, fallback) = (port.strip_prefix(':').map(str::parse::<u16>), parsed.port_or_known_default());
    assert!(wanted.is_none_or(|port| port.ok() == fallback), "{uri:?} leads to port {fallback:?}");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let read = parsed.query().map_or_else(|| parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
    // The apostrophe is the one character of a query that the URL standard encodes.
    assert_eq!(read.replace("%27", "'"), path.replace("%27", "'"), "{uri:?}");
}
