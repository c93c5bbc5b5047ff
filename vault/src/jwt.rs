//! What is read from an access token here, without trust: endpoints verify it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

/// `exp` of a JWT, in seconds since 1970 (RFC 7519 §4.1.4). Not verified: it says only how long the JWT may be kept at most.
#[must_use]
pub fn expiry_of(token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }

    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds; below zero is zero")]
    Some(exp as u64)
}
