//! A copy of what an issuer publishes: its discovery document and its keys, each with the time it was fetched.
//!
//! The same record lies in memory and, as JSON, in the store under [`ProviderLocation::store_key`]. A stored value is
//! input like any other: it is read with the same checks as the provider's own answer.

use std::rc::Rc;

use mcp_edge_runtime::json::to_json;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    keys::key_set::KeySet,
    provider::{Provider, ProviderLocation},
};

/// How far ahead of our clock another machine's may be. A record from further in the future would never grow old.
const CLOCK_SKEW_SECONDS: u64 = 60;

/// What an issuer publishes, as of some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The discovery document, or what is known without one.
    pub provider: Provider,
    /// When the discovery document was fetched, in seconds since 1970. Without one: when it was last looked for in vain,
    /// or 0.
    pub provider_fetched_at: u64,
    /// The usable keys.
    pub keys: Rc<KeySet>,
    /// When the keys were fetched.
    pub keys_fetched_at: u64,
    /// Whether the discovery document comes from the store: anybody who can write there could have chosen its endpoints.
    pub is_stored: bool,
    /// Which deployment wrote it into the store, by its resource; `None` for what was not stored, and for records of
    /// versions that did not say.
    pub writer: Option<String>,
}

impl Record {
    /// Seconds since the keys were fetched.
    #[must_use]
    pub fn keys_age(&self, now: u64) -> u64 {
        now.saturating_sub(self.keys_fetched_at)
    }

    /// Seconds since the discovery document was fetched.
    #[must_use]
    pub fn provider_age(&self, now: u64) -> u64 {
        now.saturating_sub(self.provider_fetched_at)
    }

    /// Whether keys may be fetched from the document's `jwks_uri` although the issuer does not confirm it now.
    #[must_use]
    pub fn may_lead_to_keys(&self) -> bool {
        !self.is_stored || self.provider.is_on_own_origin(&self.provider.jwks_uri)
    }

    /// The stored form, as `writer` writes it. Inverse of [`Record::parse`].
    #[must_use]
    pub fn serialize(&self, writer: &str) -> String {
        // Both documents are JSON, the discovery document as it was received. A resource needs no escaping: that was
        // checked when the settings were read.
        format!(
            r#"{{"writer":"{writer}","provider":{},"provider_fetched_at":{},"jwks":{},"jwks_fetched_at":{}}}"#,
            self.provider.document.as_deref().unwrap_or("null"),
            self.provider_fetched_at,
            to_json(&self.keys.to_document()),
            self.keys_fetched_at,
        )
    }

    /// Reads the stored form; `None` for anything that is not a record of this provider from the past. It has a discovery
    /// document, unless the operator says where the keys are.
    #[must_use]
    pub fn parse(text: &str, location: &ProviderLocation, now: u64) -> Option<Self> {
        #[derive(Deserialize)]
        struct Stored<'a> {
            writer: Option<String>,
            #[serde(borrow)]
            provider: &'a RawValue,
            provider_fetched_at: u64,
            #[serde(borrow)]
            jwks: &'a RawValue,
            jwks_fetched_at: u64,
        }
        let stored: Stored<'_> = serde_json::from_str(text).ok()?;
        let is_past = |at: u64| at <= now + CLOCK_SKEW_SECONDS;
        if !is_past(stored.provider_fetched_at) || !is_past(stored.jwks_fetched_at) {
            return None;
        }
        let provider = match stored.provider.get() {
            "null" if location.urls.jwks.is_some() => Provider::without_document(location),
            document => Provider::parse(document, location).ok()?,
        };
        Some(Self {
            provider,
            provider_fetched_at: stored.provider_fetched_at,
            keys: KeySet::parse(stored.jwks.get()).ok()?.into(),
            keys_fetched_at: stored.jwks_fetched_at,
            is_stored: true,
            writer: stored.writer,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";

    const NOW: u64 = 1_795_000_000;

    fn read(text: &str) -> Option<Record> {
        Record::parse(text, &ProviderLocation::of_issuer(ISSUER), NOW)
    }

    /// A stored record of an hour ago, with one change.
    fn parse(change: impl FnOnce(&mut Value)) -> Option<Record> {
        read(&stored(change))
    }

    fn stored(change: impl FnOnce(&mut Value)) -> String {
        let mut stored = json!({
            "provider": {"issuer": ISSUER, "jwks_uri": "https://tenant.example/oidc/jwks"},
            "provider_fetched_at": NOW - 3600,
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
            "jwks_fetched_at": NOW - 3600,
        });
        change(&mut stored);
        stored.to_string()
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let record = parse(|_| ()).unwrap();
        assert_eq!((record.keys_age(NOW), record.provider_age(NOW)), (3600, 3600));
        assert_eq!(record.writer, None);
        let written = Record { writer: Some("https://mcp.example.com/mcp".to_owned()), ..record.clone() };
        assert_eq!(read(&record.serialize("https://mcp.example.com/mcp")), Some(written));
        // The whole discovery document, with the members that nobody here reads.
        let record = parse(|it| it["provider"]["other"] = json!(["x"])).unwrap();
        let read = read(&record.serialize("w")).unwrap();
        assert!(read.provider.document.as_deref().is_some_and(|it| it.contains(r#""other":["x"]"#)), "{read:?}");
        assert_eq!(Record { writer: None, ..read }, record);
    }

    #[test]
    fn another_issuers_record_is_not_taken() {
        for other in ["https://evil.example", "https://tenant.example/oidc/", ""] {
            assert_eq!(parse(|it| it["provider"]["issuer"] = other.into()), None, "{other}");
        }
    }

    #[test]
    fn a_record_from_the_future_is_not_taken() {
        for name in ["provider_fetched_at", "jwks_fetched_at"] {
            assert!(parse(|it| it[name] = json!(NOW + CLOCK_SKEW_SECONDS)).is_some());
            for bad in [json!(NOW + CLOCK_SKEW_SECONDS + 1), json!(-1), json!("1"), json!(1.5), Value::Null] {
                assert_eq!(parse(|it| it[name] = bad.clone()), None, "{name} {bad}");
            }
        }
    }

    #[test]
    fn what_the_provider_may_not_say_the_store_may_not_say_either() {
        assert_eq!(parse(|it| it["jwks"] = json!({"keys": []})), None);
        assert_eq!(parse(|it| it["jwks"]["keys"][0]["d"] = "secret".into()), None);
        assert_eq!(parse(|it| it["provider"]["jwks_uri"] = "http://tenant.example/jwks".into()), None);
        for text in ["", "null", "[]", "1", "\"x\"", "{}", "{\"provider\":1}"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_stored_document_has_to_keep_to_its_issuers_origin() {
        let leads = |jwks_uri: &str, is_stored| {
            let record = parse(|it| it["provider"]["jwks_uri"] = jwks_uri.into()).unwrap();
            Record { is_stored, ..record }.may_lead_to_keys()
        };
        assert!(leads("https://tenant.example/keys", true) && leads("https://tenant.example/keys", false));
        assert!(leads("https://keys.example/keys", false), "the issuer has said so");
        assert!(!leads("https://keys.example/keys", true));
    }

    #[test]
    fn without_a_document_a_record_counts_only_where_the_operator_says_where_the_keys_are() {
        let text = stored(|it| it["provider"] = Value::Null);
        assert_eq!(read(&text), None);
        let mut location = ProviderLocation::of_issuer(ISSUER);
        location.urls.jwks = Some("https://keys.example/jwks".to_owned());
        let record = Record::parse(&text, &location, NOW).unwrap();
        assert_eq!(record.provider, Provider::without_document(&location));
        let again = Record::parse(&record.serialize("w"), &location, NOW).unwrap();
        assert_eq!(Record { writer: None, ..again }, record);
        for bad in [json!([]), json!({}), json!("null"), json!(false), json!({"issuer": "https://evil.example"})] {
            let text = stored(|it| it["provider"] = bad.clone());
            assert_eq!(Record::parse(&text, &location, NOW), None, "{bad}");
        }
    }

    #[test]
    fn the_operators_urls_count_in_stored_documents_too() {
        let mut location = ProviderLocation::of_issuer(ISSUER);
        location.urls.jwks = Some("https://keys.example/jwks".to_owned());
        location.urls.introspection = Some("https://check.example/".to_owned());
        let evil = stored(|it| {
            it["provider"]["jwks_uri"] = "https://evil.example/jwks".into();
            it["provider"]["introspection_endpoint"] = "https://evil.example/check".into();
        });
        let provider = Record::parse(&evil, &location, NOW).unwrap().provider;
        assert_eq!(provider.jwks_uri, "https://keys.example/jwks");
        assert_eq!(provider.introspection_endpoint.as_deref(), Some("https://check.example/"));
    }

    #[test]
    fn an_age_is_never_negative() {
        assert_eq!(parse(|_| ()).unwrap().keys_age(0), 0);
    }
}
