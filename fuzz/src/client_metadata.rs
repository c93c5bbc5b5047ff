//! Registration requests with any content: what is accepted is harmless, and accepted again as it was returned.

use registrar::client_metadata::{AuthMethod, ClientMetadata, page_uri, redirect_uri};
use url::{Host, Url};

use crate::{redirect_uri::accepted, with_text};

/// The input is the body.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let schemes = ["myapp".to_owned()];
        let Ok(metadata) = ClientMetadata::parse(input, &schemes) else { return };
        check_metadata(&metadata, &schemes);
        assert_stable(&metadata, &schemes);
        let shown = metadata.without_foreign_pages();
        assert_eq!(shown.foreign_pages().count(), 0);
        assert_stable(&shown, &schemes);
    });
}

/// What clients send back to change their registration is what was returned (RFC 7592 §2.2).
fn assert_stable(metadata: &ClientMetadata, schemes: &[String]) {
    let returned = serde_json::to_string(metadata).expect("metadata serializes");
    assert_eq!(ClientMetadata::parse(&returned, schemes).as_ref(), Ok(metadata), "{returned}");
    assert_eq!(serde_json::from_str::<ClientMetadata>(&returned).ok().as_ref(), Some(metadata), "{returned}");
}

fn check_metadata(metadata: &ClientMetadata, schemes: &[String]) {
    assert!(!metadata.redirect_uris.is_empty());
    for uri in &metadata.redirect_uris {
        let kind = redirect_uri::check(uri, schemes).unwrap_or_else(|problem| panic!("{uri:?} {problem}"));
        accepted(uri, kind);
        if kind == redirect_uri::Kind::PrivateUse {
            assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::None, "{uri:?} has a secret");
        }
    }
    let mut distinct = metadata.redirect_uris.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), metadata.redirect_uris.len());
    assert_eq!(metadata.response_types, ["code"]);
    assert_eq!(metadata.grant_types[0], "authorization_code");
    assert!(metadata.grant_types.len() <= 2);
    assert_eq!(metadata.is_native(), metadata.application_type == "native");

    let name = &metadata.client_name;
    assert!(!name.is_empty() && name.chars().count() <= 2 * 80, "{name:?}");
    assert!(!name.contains(['<', '>']) && !name.chars().any(char::is_control), "{name:?}");
    // What turns the direction of the text around it.
    assert!(!name.contains(|it| matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')), "{name:?}");
    let pages = [&metadata.client_uri, &metadata.logo_uri, &metadata.tos_uri, &metadata.policy_uri];
    for page in pages.into_iter().filter_map(|page| page.as_deref()) {
        let parsed = Url::parse(page).unwrap_or_else(|error| panic!("{page:?}: {error}"));
        let host = parsed.host_str().unwrap_or_default();
        let is_web = parsed.scheme() == "https" && matches!(parsed.host(), Some(Host::Domain(_)));
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        assert!(is_web || is_loopback, "{page:?}");
        assert!(parsed.username().is_empty() && parsed.password().is_none(), "{page:?}");
        assert_eq!(page_uri::host_of(page).as_deref(), Some(host), "{page:?}");
    }
}
