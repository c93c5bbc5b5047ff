//! Published signatures: examples of the RFCs, and Wycheproof's collection of what goes wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_oauth::{denial::Reason, keys::key_set::KeySet, token::jwt};
use mcp_edge_runtime::ports::SignatureVerifier;
use serde_json::{Value, json};

use crate::support::world::World;

/// Verifies a JWS as the resource server does, by the same steps, except that its payload need not be claims.
fn verify(key: &Value, jws: &str) -> Result<(), Reason> {
    let keys = KeySet::parse(&json!({ "keys": [key] }).to_string()).map_err(|_| Reason::UnknownKey)?;
    let (header, rest) = jws.split_once('.').ok_or(Reason::MalformedToken)?;
    let (payload, signature) = rest.split_once('.').ok_or(Reason::MalformedToken)?;
    URL_SAFE_NO_PAD.decode(payload).map_err(|_| Reason::MalformedToken)?;
    let with_claims = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{}"));
    let parsed = jwt::parse(&with_claims, &|_| true).map_err(|denial| denial.reason())?;
    let key = keys.select(parsed.kid.as_deref(), parsed.algorithm).map_err(|_| Reason::UnknownKey)?;
    if parsed.signature.len() != key.material.signature_length() {
        return Err(Reason::BadSignature);
    }
    let message = format!("{header}.{payload}");
    let world = World::new();
    match world.run(world.verify(&**key, parsed.algorithm, message.as_bytes(), &parsed.signature)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Reason::BadSignature),
        Err(_) => Err(Reason::UnusableKey),
    }
}

#[test]
fn the_examples_of_the_rfcs_verify() {
    let file: Value = serde_json::from_str(include_str!("../vectors/rfc.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let jws = vector["jws"].as_str().unwrap();
        assert_eq!(verify(&vector["key"], jws), Ok(()), "{}", vector["name"]);
        let (input, signature) = jws.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let changed = format!("{input}.{first}{}", &signature[1..]);
        assert_eq!(verify(&vector["key"], &changed), Err(Reason::BadSignature), "{}", vector["name"]);
    }
}

#[test]
fn wycheproof_is_answered_as_it_should_be() {
    // Valid for Wycheproof, and refused here: symmetric keys, and keys whose own `alg` names another algorithm than
    // the signature's (345 ff. repeat RFC 7520, whose keys have no such `alg`) or one that does not exist (`ES521`).
    const STRICTER_HERE: [u64; 8] = [1, 346, 347, 348, 350, 351, 357, 352];
    let file: Value = serde_json::from_str(include_str!("../vectors/wycheproof-json-web-signature.json")).unwrap();
    let mut counts = (0, 0);
    for group in file["groups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let number = test["tcId"].as_u64().unwrap();
            let outcome = verify(&group["key"], test["jws"].as_str().unwrap());
            let is_good = test["result"] == "valid" && !STRICTER_HERE.contains(&number);
            assert_eq!(outcome.is_ok(), is_good, "{number} {}: {outcome:?}", test["comment"]);
            if is_good { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    assert_eq!(counts.0 + counts.1, 153);
    assert!(counts.0 > 20, "{counts:?}");
}
