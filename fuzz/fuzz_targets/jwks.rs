//! Documents of the provider and records of the store with any content: what is accepted survives a round trip through the
//! store, and no key is selected for another algorithm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_edge_oauth::{
    keys::{
        key_set::{KeySet, MAX_KEYS},
        record::Record,
    },
    provider::Provider,
};
use mcp_edge_runtime::crypto::Algorithm;

const ISSUER: &str = "https://issuer.example";
const NOW: u64 = 1_795_000_000;

fuzz_target!(|input: &str| {
    if let Ok(keys) = KeySet::parse(input) {
        assert!(keys.iter().count() <= MAX_KEYS);
        let stored = keys.to_document().to_string();
        assert_eq!(KeySet::parse(&stored), Ok(keys.clone()));
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
    if let Ok(provider) = Provider::parse(input, ISSUER) {
        assert_eq!(provider.issuer, ISSUER);
        assert_eq!(Provider::parse(&provider.document, ISSUER), Ok(provider));
    }
    if let Some(record) = Record::parse(input, ISSUER, NOW) {
        let stored = record.serialize(ISSUER);
        let written = Record { writer: Some(ISSUER.to_owned()), ..record };
        assert_eq!(Record::parse(&stored, ISSUER, NOW), Some(written));
    }
});
