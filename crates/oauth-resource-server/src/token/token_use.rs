//! Whether a token is an access token, and a bearer token, by its claims.

use mcp_edge_providers::Profile;
use serde_json::Value;

use super::{claims::Claims, signs::Facts};
use crate::denial::{Confirmation, Denial};

/// What some providers call tokens that are not access tokens. A custom claim may have the same name, so only these
/// values are refused.
const OTHER_KINDS: [&str; 6] = ["id", "id_token", "id-token", "refresh", "refresh_token", "refresh-token"];

/// Checks what must hold of the access tokens of this provider besides.
///
/// # Errors
/// [`Denial::ClaimRequired`].
pub fn check_requirements(claims: &Claims, provider: &Profile) -> Result<(), Denial> {
    if provider.requirements.is_empty() {
        return Ok(());
    }
    let facts = Facts::of(claims);
    match provider.requirements.iter().find(|sign| !facts.holds(sign)) {
        None => Ok(()),
        Some(sign) => Err(Denial::ClaimRequired { claim: sign.claims()[0], provider: provider.name }),
    }
}

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
    for (name, value) in claims.all.iter().filter(|(_, value)| !value.is_null()) {
        let says = |kinds: &[&str]| {
            value.as_str().is_some_and(|text| kinds.iter().any(|kind| text.eq_ignore_ascii_case(kind)))
        };
        let found = match name.as_str() {
            "cnf" => return Err(Denial::SenderConstrained { confirmation: confirmation(value) }),
            "typ" => (!says(&["Bearer", "at+jwt", "JWT"])).then_some("typ"),
            "token_use" => (!says(&["access", "access_token"])).then_some("token_use"),
            "token_type" => says(&OTHER_KINDS).then_some("token_type"),
            "tokenType" => says(&OTHER_KINDS).then_some("tokenType"),
            "tokenName" => says(&OTHER_KINDS).then_some("tokenName"),
            "c_hash" => Some("c_hash"),
            "s_hash" => Some("s_hash"),
            "events" => value.is_object().then_some("events"),
            // OpenID Connect Core §3.1.3.6 and §3.3.2.11: the hash of another token.
            "at_hash" => Some("at_hash"),
            _ => None,
        };
        another = found.or(another);
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
