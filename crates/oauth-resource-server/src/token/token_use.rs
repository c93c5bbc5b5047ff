//! Whether a token is an access token, and a bearer token, by its claims.

use serde_json::Value;

use super::claims::Claims;
use crate::denial::{Confirmation, Denial};

/// The claims that tell the kind of a token.
const KIND_CLAIMS: [&str; 10] =
    ["typ", "token_use", "token_type", "tokenType", "tokenName", "c_hash", "s_hash", "events", "nonce", "at_hash"];

/// Checks that the token is an access token, and one that its holder may send without a proof.
///
/// Checks, in order: `cnf` binds it to no key (RFC 7800, regardless of the method: proofs are not supported); what some
/// providers call the kind of a token is that of an access token (`typ` of Keycloak, `token_use` of Cognito and Hydra,
/// `token_type` and `tokenName` of others); it has no claim that only an ID token or a security event has.
///
/// # Errors
/// [`Denial::SenderConstrained`], [`Denial::NotAnAccessToken`].
pub fn check_use(claims: &Claims) -> Result<(), Denial> {
    let mut another = None;
    let (mut has_nonce, mut has_at_hash) = (false, false);
    for (name, value) in claims.all.iter().filter(|(_, value)| !value.is_null()) {
        let says = |kinds: &[&str]| {
            value.as_str().is_some_and(|text| kinds.iter().any(|kind| text.eq_ignore_ascii_case(kind)))
        };
        let is_another = match name.as_str() {
            "cnf" => return Err(Denial::SenderConstrained { confirmation: confirmation(value) }),
            "typ" => !says(&["Bearer", "at+jwt", "JWT"]),
            "token_use" => !says(&["access", "access_token"]),
            // A custom claim may have one of these names, so only what is known is refused.
            "token_type" | "tokenType" | "tokenName" => {
                says(&["id", "id_token", "id-token", "refresh", "refresh_token", "refresh-token"])
            }
            "c_hash" | "s_hash" => true,
            "events" => value.is_object(),
            "nonce" => {
                has_nonce = true;
                has_at_hash
            }
            "at_hash" => {
                has_at_hash = true;
                has_nonce
            }
            _ => false,
        };
        if is_another {
            another = KIND_CLAIMS.into_iter().find(|known| known == name);
        }
    }
    another.map_or(Ok(()), |claim| Err(Denial::NotAnAccessToken { claim }))
}

/// How a token is bound, for the operator.
fn confirmation(cnf: &Value) -> Confirmation {
    if cnf.get("jkt").is_some() {
        Confirmation::DPoP
    } else if cnf.get("x5t#S256").is_some() {
        Confirmation::MutualTls
    } else {
        Confirmation::Other
    }
}
