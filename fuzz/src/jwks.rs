//! Documents of the provider and records of the store with any content: what is accepted survives a round trip through
//! the store, no key is selected for another algorithm, and nothing is sent to a URL that is not plain https.

use mcp_edge_oauth::{
    keys::{
        key_set::{KeySet, MAX_KEYS},
        record::Record,
    },
    mirror::Mirror,
    provider::{DocumentPlace, Provider, ProviderLocation},
};
use mcp_edge_runtime::crypto::Algorithm;
use serde_json::Value;

use crate::with_text;

const ISSUER: &str = "https://issuer.example";
const JWKS: &str = "https://keys.example/jwks";
const INTROSPECTION: &str = "https://check.example/token";
const NOW: u64 = 1_795_000_000;

/// The input is a key set, a discovery document, a record of the store, or an issuer.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        if let Ok(keys) = KeySet::parse(input) {
            check_keys(&keys);
        }
        for location in locations() {
            if let Ok(provider) = Provider::parse(input, &location) {
                check_provider(&provider, &location);
            }
            if let Some(record) = Record::parse(input, &location, NOW) {
                let stored = record.serialize(ISSUER);
                let written = Record { writer: Some(ISSUER.to_owned()), ..record };
                assert_eq!(Record::parse(&stored, &location, NOW), Some(written));
            }
        }
        // What the settings accept as an issuer.
        if input.len() < 400 && mcp_edge_runtime::settings::check_url(input).is_ok() {
            let origin = mcp_edge_runtime::uri::origin(input);
            for url in DocumentPlace::ALL.map(|place| place.url(input)) {
                assert_eq!(mcp_edge_runtime::uri::origin(&url), origin, "{url}");
                assert!(url.contains("/.well-known/o"), "{url}");
            }
        }
    });
}

/// Of a provider that publishes everything, and of one of which the operator says where keys and introspection are.
fn locations() -> [ProviderLocation; 2] {
    let (all, mut given) = (ProviderLocation::of_issuer(ISSUER), ProviderLocation::of_issuer(ISSUER));
    given.urls.jwks = Some(JWKS.to_owned());
    given.urls.introspection = Some(INTROSPECTION.to_owned());
    [all, given]
}

fn check_keys(keys: &KeySet) {
    assert!(keys.iter().count() <= MAX_KEYS);
    let stored = keys.to_document().to_string();
    assert_eq!(KeySet::parse(&stored), Ok(keys.clone()));
    let document: Value = serde_json::from_str(&stored).unwrap_or_default();
    for jwk in document["keys"].as_array().into_iter().flatten() {
        // An empty `d` says that a key was ignored because it is private.
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]
            .iter()
            .find(|name| jwk.get(name).is_some_and(|value| **name != "d" || value != ""));
        assert_eq!(private, None, "the store gets a private key");
    }
    let kids = keys.iter().map(|key| key.kid.as_deref()).chain([None, Some(""), Some("unknown")]);
    for kid in kids {
        for algorithm in Algorithm::ALL {
            if let Ok(key) = keys.select(kid, algorithm) {
                assert!(key.material.fits(algorithm));
                assert!(key.algorithm.is_none_or(|own| own == algorithm));
                assert!(kid.is_none() || key.kid.as_deref() == kid);
                assert!((64..=1024).contains(&key.material.signature_length()));
            }
        }
    }
}

fn check_provider(provider: &Provider, location: &ProviderLocation) {
    assert_eq!(provider.issuer, ISSUER);
    let document = provider.document.as_deref().unwrap_or_default();
    assert_eq!(Provider::parse(document, location).as_ref(), Ok(provider));
    let is_given = location.urls.jwks.is_some();
    assert!(
        !is_given || provider.jwks_uri == JWKS && provider.introspection_endpoint.as_deref() == Some(INTROSPECTION)
    );
    let optional = [
        &provider.authorization_endpoint,
        &provider.token_endpoint,
        &provider.introspection_endpoint,
        &provider.userinfo_endpoint,
        &provider.end_session_endpoint,
    ];
    let endpoints = || optional.iter().filter_map(|endpoint| endpoint.as_deref());
    for url in endpoints().chain([provider.jwks_uri.as_str()]) {
        assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url:?}");
        assert!(!url.contains(['#', '"', '\\', '<', '>']), "{url:?}");
        // Nothing can be fetched from an address that looks like one of IPv4 and is none.
        let Ok(parsed) = url::Url::parse(url) else { continue };
        let is_loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        assert!(parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback), "{url:?}");
        assert!(parsed.username().is_empty() && parsed.password().is_none(), "{url:?}");
    }
    let is_own = |url: &str| provider.is_on_own_origin(url) || is_given && [JWKS, INTROSPECTION].contains(&url);
    if provider.has_own_endpoints() {
        assert!(endpoints().all(is_own));
    }
    if provider.names_own_origin_only() {
        assert!(endpoints().chain([provider.jwks_uri.as_str()]).all(is_own));
    }
    assert_eq!(Mirror::default().document(document), document);
    let mirror = Mirror { registration_endpoint: Some("https://register.example/".to_owned()) };
    let mirrored = Provider::parse(&mirror.document(document), location);
    assert!(mirrored.is_ok_and(|mirrored| mirrored.is_same_as(provider)));
}
