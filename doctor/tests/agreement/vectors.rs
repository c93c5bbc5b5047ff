//! Published signatures: the examples of the RFCs, and Wycheproof's collection of what goes wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_doctor::explain::{
    jwt::Object,
    keys::{
        key_set::KeySet,
        signature::{SignatureError, verify},
    },
};
use mcp_edge_oauth::{keys::key_set, token::jwt};
use mcp_edge_runtime::ports::SignatureVerifier;
use serde_json::{Value, json};

use crate::support::world::World;

/// Whether the library's steps accept a JWS; its payload need not be claims.
fn library_accepts(key: &Value, jws: &str) -> bool {
    let Ok(keys) = key_set::KeySet::parse(&json!({ "keys": [key] }).to_string()) else { return false };
    let Some((header, payload, signature)) = segments(jws) else { return false };
    let with_claims = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{}"));
    let Ok(parsed) = jwt::parse(&with_claims, &|_| true) else { return false };
    let Ok(key) = keys.select(parsed.kid.as_deref(), parsed.algorithm) else { return false };
    let message = format!("{header}.{payload}");
    let world = World::new();
    parsed.signature.len() == key.material.signature_length()
        && world.run(world.verify(&**key, parsed.algorithm, message.as_bytes(), &parsed.signature)) == Ok(true)
}

/// Likewise, by the steps of `explain`.
fn explain_accepts(key: &Value, jws: &str) -> bool {
    let Ok(keys) = KeySet::parse(&json!({ "keys": [key] }).to_string()) else { return false };
    let Some((header, payload, signature)) = segments(jws) else { return false };
    let Ok(object) = URL_SAFE_NO_PAD.decode(header) else { return false };
    let Ok(object) = serde_json::from_slice::<Object>(&object) else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let Some(algorithm) = object.get("alg").and_then(Value::as_str) else { return false };
    let Ok(key) = keys.select(object.get("kid").and_then(Value::as_str), algorithm) else { return false };
    let message = format!("{header}.{payload}");
    verify(key, algorithm, message.as_bytes(), &signature) == Ok::<(), SignatureError>(())
}

/// The segments, if all are base64url.
fn segments(jws: &str) -> Option<(&str, &str, &str)> {
    let (header, rest) = jws.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    let is_base64 = |text: &str| URL_SAFE_NO_PAD.decode(text).is_ok();
    [header, payload, signature].into_iter().all(is_base64).then_some((header, payload, signature))
}

#[test]
fn published_signatures_are_judged_alike() {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let rfc = read(include_str!("../../../crates/oauth-resource-server/tests/vectors/rfc.json"));
    let wycheproof =
        read(include_str!("../../../crates/oauth-resource-server/tests/vectors/wycheproof-json-web-signature.json"));
    let mut cases: Vec<(&Value, &Value)> = Vec::new();
    for vector in rfc["vectors"].as_array().expect("an array") {
        cases.push((&vector["key"], &vector["jws"]));
    }
    for group in wycheproof["groups"].as_array().expect("an array") {
        for test in group["tests"].as_array().expect("an array") {
            cases.push((&group["key"], &test["jws"]));
        }
    }
    let mut accepted = 0;
    for (key, jws) in &cases {
        let jws = jws.as_str().expect("a string");
        let (library, explain) = (library_accepts(key, jws), explain_accepts(key, jws));
        assert_eq!(library, explain, "library and explain disagree about {jws} under {key}");
        accepted += usize::from(library);
    }
    assert!(cases.len() == 160 && accepted > 25, "{} {accepted}", cases.len());
}
