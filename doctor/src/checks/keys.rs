//! The provider's key set (RFC 7517): whether it has public keys that can verify tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::response::document_problem;
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::{examples, quote},
    record::{Record, document, string},
};

pub(super) const CHECKS: &[Check] = &[KEYS];

/// The minimum of RFC 7518 §3.3, 2048 bits. Verifiers reject shorter RSA keys.
const MIN_RSA_BYTES: usize = 256;

const KEYS: Check = Check {
    slug: "keys",
    section: Section::Provider,
    title: "The provider's key set can be read and used",
    why: "Without a key the server cannot verify tokens, and answers every request with 401 or 503.",
    fix: "Make sure that jwks_uri serves a key set with a public signing key (RSA of at least 2048 bits, P-256, P-384, \
          P-521 or Ed25519).",
    affects: &Client::ALL,
    run: keys,
};

fn keys(record: &Record) -> CheckResult {
    let provider = record.require_provider_metadata()?;
    let Some(url) = string(&provider, "jwks_uri") else {
        return Ok(Outcome::failure("the provider's metadata has no jwks_uri"));
    };
    let response = match record.result(Probe::Keys) {
        None => return Err(Skip::new("the key set was not requested")),
        Some(Err(error)) => return Ok(Outcome::failure(format!("{url}: {error}"))),
        Some(Ok(response)) => response,
    };
    if let Some(problem) = document_problem(response) {
        return Ok(Outcome::failure(format!("{url}: {problem}")));
    }
    let set = document(response).unwrap_or_default();
    let keys: Vec<&Value> = set.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    let secret: Vec<_> = keys.iter().filter(|key| is_secret(key)).map(|key| kid(key)).collect();
    if !secret.is_empty() {
        let observed = "the key set contains a private or symmetric key: anyone can sign tokens with it";
        return Ok(Outcome::failure(format!("{observed} (kid {})", examples(&secret)))
            .fix("Remove the key, create new ones, and treat every token that was signed with an old one as forged."));
    }
    let usable: Vec<_> =
        keys.iter().filter_map(|key| verification_key(key).map(|name| (name, key["kid"].as_str()))).collect();
    if usable.is_empty() {
        return Ok(Outcome::failure(format!("{url}: none of its {} keys can verify a token", keys.len())));
    }
    let mut kids: Vec<_> = usable.iter().map(|(_, kid)| *kid).collect();
    kids.sort_unstable();
    if kids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Ok(Outcome::warning(format!("{url}: two keys have the same kid, or none"))
            .fix("Give each key a kid of its own: otherwise verifiers cannot tell which key signed a token."));
    }
    let names: Vec<_> = usable.iter().map(|(name, _)| *name).collect();
    Ok(Outcome::ok(format!("usable keys: {}", names.join(", "))))
}

/// Whether a key is private or symmetric.
pub(super) fn is_secret(key: &Value) -> bool {
    // RFC 7518 §6.3.2: each of these gives the private key of RSA away, or a part of it.
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    key["kty"] == "oct" || PRIVATE.iter().any(|member| key.get(*member).is_some())
}

/// The `kid` of a key, quoted.
pub(super) fn kid(key: &Value) -> String {
    key["kid"].as_str().map_or_else(|| "missing".to_owned(), quote)
}

/// The name of the key type, if the key can verify signatures.
fn verification_key(key: &Value) -> Option<&'static str> {
    if key.get("use").is_some_and(|it| it != "sig") {
        return None;
    }
    match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => {
            let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str()?).ok()?;
            (modulus.iter().skip_while(|byte| **byte == 0).count() >= MIN_RSA_BYTES).then_some("RSA")
        }
        ("EC", Some("P-256")) => Some("P-256"),
        ("EC", Some("P-384")) => Some("P-384"),
        ("EC", Some("P-521")) => Some("P-521"),
        ("OKP", Some("Ed25519")) => Some("Ed25519"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        target::DiscoveryForm,
        testing::{Change, expect},
    };

    fn set(keys: Value) -> impl FnOnce(&mut Record) {
        move |record| record.edit(Probe::Keys, |it| drop(it.insert("keys".to_owned(), keys)))
    }

    #[test]
    fn the_key_set_must_be_readable() {
        expect(&KEYS, Failure, "no jwks_uri", |record| {
            record.edit(Probe::Discovery(DiscoveryForm::OpenIdAppended), |it| drop(it.remove("jwks_uri")));
        });
        expect(&KEYS, Failure, "in time", |it| it.fail(Probe::Keys, TransportErrorKind::Timeout));
        expect(&KEYS, Failure, "500", |it| it.put(Probe::Keys, 500, "", ""));
        expect(&KEYS, Skipped, "could not be read", |record| {
            for form in DiscoveryForm::ALL {
                record.fail(Probe::Discovery(form), TransportErrorKind::Connect);
            }
        });
    }

    #[test]
    fn the_key_set_must_have_a_key_that_can_verify() {
        expect(&KEYS, Failure, "none of its 0 keys", set(json!([])));
        let unusable = json!([
            { "kty": "EC", "crv": "secp256k1" },
            { "kty": "EC", "crv": "P-256", "use": "enc" },
            { "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" },
        ]);
        expect(&KEYS, Failure, "none of its 3 keys", set(unusable));
        let usable = json!([
            { "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "kid": "a" },
            { "kty": "OKP", "crv": "Ed25519", "kid": "b" },
        ]);
        expect(&KEYS, Fine, "RSA, Ed25519", set(usable));
    }

    #[test]
    fn keys_must_be_distinguishable_and_public() {
        let same = json!([{ "kty": "EC", "crv": "P-256", "kid": "a" }, { "kty": "EC", "crv": "P-384", "kid": "a" }]);
        expect(&KEYS, Warning, "same kid", set(same));
        let private = json!([{ "kty": "EC", "crv": "P-256", "kid": "a", "d": "x" }]);
        expect(&KEYS, Failure, "anyone can sign tokens with it (kid \"a\")", set(private));
        expect(&KEYS, Failure, "anyone can sign", set(json!([{ "kty": "RSA", "n": "x", "e": "AQAB", "p": "x" }])));
        expect(&KEYS, Failure, "anyone can sign", set(json!([{ "kty": "oct", "k": "x" }])));
    }
}
