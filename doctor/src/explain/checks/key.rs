//! Key and signature.

use mcp_edge_providers::{Profile, TENANT_PLACEHOLDER};

use super::form::Header;
use crate::{
    explain::{
        jwt::{Jwt, text},
        keys::{
            jwk::Jwk,
            key_set::{KeySet, NoKey},
            signature::{self, SignatureError},
        },
        step::{Check, Checked, Refusal, Section},
    },
    quote::{examples, quote},
};

/// The row of [`key_name`].
pub(crate) static DENIED_KEYS: Check =
    Check { slug: "denied_keys", section: Section::Signature, title: "The key is not in DENIED_KEYS" };

const DENIED_FIX: &str = "As you decided (docs/stolen-key.md): sign in again. If honest tokens are among them, the provider \
                          still signs with this key: rotate it.";

/// Checks `kid` against `DENIED_KEYS`. Thumbprints are compared when the key is [known](key).
pub(crate) fn key_name(header: &Header, denied: &[String]) -> Checked<()> {
    match &header.kid {
        Some(kid) if denied.contains(kid) => {
            Err(Refusal::new("key_denied", format!("kid {} is in DENIED_KEYS", quote(kid)), DENIED_FIX))
        }
        _ if denied.is_empty() => Ok(((), "DENIED_KEYS is not set".to_owned())),
        _ => Ok(((), "kid is not listed".to_owned())),
    }
}

/// The row of [`key`].
pub(crate) static KEY: Check =
    Check { slug: "key", section: Section::Signature, title: "The provider publishes the key" };

/// Finds the key of the token.
pub(crate) fn key(
    jwt: &Jwt,
    header: &Header,
    set: &KeySet,
    place: &str,
    profile: &Profile,
    denied: &[String],
) -> Checked<Jwk> {
    let kid = header.kid.as_deref();
    let name = kid.map_or_else(|| "without kid".to_owned(), |kid| format!("kid {}", quote(kid)));
    let key = set.select(kid, &header.algorithm).map_err(|no_key| match no_key {
        NoKey::Unknown => Refusal::new(
            "unknown_key",
            format!("{place} has no key for this token ({name}); it has {}", examples(&set.names())),
            "The key was rotated away, or the token is from another environment or tenant of the provider: get a new token. \
             If it is new, compare ISSUER with the iss of the token, and JWKS_URL if it is set.",
        ),
        NoKey::Unusable(why) => Refusal::new(
            "unknown_key",
            format!("{place} has a key with {name} that {why}"),
            "Make a new signing key at the provider: RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519.",
        ),
        NoKey::Ambiguous => Refusal::new(
            "ambiguous_key",
            format!("{place} has several keys that fit ({name})"),
            "Give every key its own kid at the provider, and have it write kid into tokens.",
        ),
        NoKey::Mismatch => Refusal::new(
            "key_mismatch",
            format!("the key with {name} is not for alg {}", quote(&header.algorithm)),
            "If it is every token, the provider publishes a wrong alg or crv. If it is this one, it was tampered with.",
        ),
    })?;
    if let Some(issuer) = key.issuer.as_deref().filter(|_| profile.has_keys_of_tenants) {
        let tenant = text(&jwt.claims, "tid").unwrap_or_default();
        if text(&jwt.claims, "iss") != Some(issuer.replace(TENANT_PLACEHOLDER, tenant).as_str()) {
            return Err(Refusal::new(
                "key_mismatch",
                format!("the key with {name} verifies the tokens of {} alone", quote(issuer)),
                "The token is of another tenant than its key: get it from the tenant that is accepted.",
            ));
        }
    }
    // Also of a token that names no key.
    if let Some(kid) = key.kid.as_ref().filter(|kid| denied.contains(kid)) {
        let observed = format!("the key's kid {} is in DENIED_KEYS", quote(kid));
        return Err(Refusal::new("key_denied", observed, DENIED_FIX));
    }
    let thumbprint = key.thumbprint();
    if denied.contains(&thumbprint) {
        return Err(Refusal::new(
            "key_denied",
            format!("the key's thumbprint {thumbprint} is in DENIED_KEYS"),
            DENIED_FIX,
        ));
    }
    Ok((key.clone(), format!("{name}, from {place}")))
}

/// The row of [`signature()`].
pub(crate) static SIGNATURE: Check =
    Check { slug: "signature", section: Section::Signature, title: "The signature is the key's" };

/// Verifies the signature.
pub(crate) fn signature(jwt: &Jwt, header: &Header, key: &Jwk) -> Checked<()> {
    match signature::verify(key, &header.algorithm, jwt.signing_input.as_bytes(), &jwt.signature) {
        Ok(()) => Ok(((), format!("good, by {}", header.algorithm))),
        Err(SignatureError::Key(error)) => Err(Refusal::new(
            "unusable_key",
            format!("the published key cannot be used: {error}"),
            "Make a new signing key at the provider.",
        )),
        Err(SignatureError::Length(bytes)) => {
            Err(bad(format!("it has {bytes} bytes, which no signature of this key has")))
        }
        Err(SignatureError::Wrong) => {
            Err(bad("it was made by another key, or the token was changed after it".to_owned()))
        }
    }
}

fn bad(observed: String) -> Refusal {
    Refusal::new(
        "bad_signature",
        observed,
        "Copy the whole token. If it is whole, it is forged, or the provider put another key under an old kid; if it is \
         every token, perhaps two environments share ISSUER.",
    )
}
