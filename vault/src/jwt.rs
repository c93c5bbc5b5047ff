//! What is read from an access token here, without trust: endpoints verify it.

use mcp_edge_runtime::base64::URL_SAFE_NO_PAD;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// `exp` of a JWT, in seconds since 1970 (RFC 7519 §4.1.4). Not verified: it says only how long the JWT may be kept at most.
#[must_use]
pub fn expiry_of(token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }

    let Claims { exp } = claims_of(token)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds; below zero is zero")]
    Some(exp as u64)
}

/// The claim `grant_id`, which an operator may have added: what the provider calls the grant.
#[must_use]
pub fn grant_id_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        grant_id: Value,
    }

    let Claims { grant_id } = claims_of(token)?;
    grant_id.as_str().filter(|id| (1..=200).contains(&id.len())).map(str::to_owned)
}

/// Whether a JWT says who acts for its subject (`act`, RFC 8693 §4.1); `None`: it is no JWT.
#[must_use]
pub fn has_actor(token: &str) -> Option<bool> {
    claims_of::<Map<String, Value>>(token).map(|claims| claims.get("act").is_some_and(Value::is_object))
}

/// `sub` and `aud` of a JWT; not verified.
#[must_use]
pub fn subject_and_audience_of(token: &str) -> Option<(String, Vec<String>)> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
        aud: Value,
    }

    let Claims { sub, aud } = claims_of(token)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let audience =
        aud.as_array().map_or_else(|| text(&aud).into_iter().collect(), |all| all.iter().filter_map(text).collect());
    Some((sub, audience))
}

/// The claims of a JWT. Not verified here.
#[must_use]
pub fn claims_of<T: DeserializeOwned>(token: &str) -> Option<T> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?).ok()
}
