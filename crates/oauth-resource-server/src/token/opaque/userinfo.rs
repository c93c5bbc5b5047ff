//! Userinfo responses (OpenID Connect Core §5.3.2), and what their errors mean.

use serde_json::{Map, Value};

use super::{
    oauth_error,
    outcome::{inactive, unavailable},
};
use crate::{
    denial::{Denial, Endpoint, Excerpt, IntrospectionError},
    json_members,
    token::{
        claims::{self, Claims},
        profile::TokenProfile,
    },
};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::ports::HttpResponse;

const ENDPOINT: Endpoint = Endpoint::Userinfo;

/// Reads the answer to a userinfo request as a profile, of whose members those are built whose names are `wanted`.
///
/// # Errors
/// [`Denial::Inactive`] if a 400, 401 or 403 carries, in its body or its challenge, the code of an error that concerns
/// the token (RFC 6750 §3.1; `invalid_client`: at Logto its client is gone), and for a 401 without any code that is no
/// web page: some providers say no more of a token that has expired. Otherwise [`Denial::IntrospectionUnavailable`]: a
/// web page says nothing of the token, regardless of its status.
pub fn read_userinfo(reply: &HttpResponse, wanted: &dyn Fn(&str) -> bool) -> Result<Map<String, Value>, Denial> {
    let code = match reply.status {
        200 => {
            let profile = json_members::read(reply.body.as_bytes(), wanted);
            return profile.map_err(|error| unavailable(IntrospectionError::Body { endpoint: ENDPOINT, error }));
        }
        400 | 401 | 403 => {
            let (code, description) = oauth_error::parse(&reply.body, &reply.challenge);
            let is_of_bearer = reply.challenge.is_empty() || reply.challenge.to_ascii_lowercase().contains("bearer");
            let is_plain_401 = reply.status == 401 && is_of_bearer && !reply.body.trim_start().starts_with('<');
            if matches!(code.as_str(), "invalid_token" | "insufficient_scope")
                || (code.is_empty() && is_plain_401)
                || (code == "invalid_client" && description.starts_with(oauth_error::UNKNOWN_CLIENT))
            {
                return Err(inactive(ENDPOINT, reply.status, &code));
            }
            code
        }
        _ => String::new(),
    };
    let (status, code) = (reply.status, Excerpt::new(&code));
    Err(unavailable(IntrospectionError::Status { endpoint: ENDPOINT, status, code }))
}

/// The claims that a userinfo response alone establishes: a subject, for as long as the response may be used.
///
/// # Errors
/// [`Denial::MissingSubject`]; [`Denial::IntrospectionUnavailable`] if nothing is said of a user at all: then it is no
/// answer of this endpoint, and says nothing of the token.
pub fn claims_of_userinfo(
    profile: Map<String, Value>,
    issuer: &str,
    audiences: &[String],
    token_profile: &TokenProfile,
    expires_at: u64,
) -> Result<Claims, Denial> {
    if profile.values().all(Value::is_null) {
        return Err(unavailable(IntrospectionError::Incomplete { endpoint: ENDPOINT, missing: "a profile" }));
    }
    // Members of the same names would be the user's data, not statements about the token.
    let is_of_user = |name: &str, _: &Value| !is_statement(name) && !token_profile.names(name);
    let mut profile = json_members::filtered(profile, &is_of_user);
    profile.insert("iss".to_owned(), issuer.into());
    profile.insert("aud".to_owned(), audiences.iter().map(String::as_str).collect());
    profile.insert("exp".to_owned(), expires_at.into());
    let claims = claims::read(profile, token_profile)?;
    // The endpoint answers tokens with this scope only (OpenID Connect Core §5.3). Of others nothing is known.
    Ok(Claims { scopes: Scopes::parse("openid"), ..claims })
}

/// Whether a member of this name would be a statement about a token, at any provider.
fn is_statement(name: &str) -> bool {
    matches!(name, "client_id" | "azp" | "cid" | "appid" | "scope" | "scopes" | "scp" | "nbf" | "iat")
}

#[cfg(test)]
mod tests;
