//! Introspection responses (RFC 7662 §2.2), and what their errors mean.

use serde_json::Value;

use super::{
    oauth_error,
    outcome::{RETRY_SECONDS, inactive, unavailable},
};
use crate::{
    denial::{Denial, Endpoint, Excerpt, IntrospectionError, ProviderVerdict},
    json_members,
    token::{
        claims::{self, Claims},
        profile::TokenProfile,
    },
};
use mcp_edge_runtime::ports::HttpResponse;

const ENDPOINT: Endpoint = Endpoint::Introspection;

/// How long a token whose expiry the provider does not tell is taken to live before it is asked about again.
const UNKNOWN_EXPIRY_SECONDS: u64 = 60;

/// Reads the answer to an introspection request of ours, as the client `client_id`, about a token of `issuer`. Of its
/// members those are built whose names are `wanted`.
///
/// | answer | meaning |
/// |---|---|
/// | 200, `active: true`, `token_type: Bearer` | the claims |
/// | 200, `active: false` | [`Denial::Inactive`] |
/// | 200, `active: true`, another `token_type` or none | [`Denial::NotAnAccessToken`] |
/// | 400 `unsupported_token_type`, `invalid_token` | [`Denial::Inactive`] |
/// | 400 `invalid_client` that names another client than ours | [`Denial::Inactive`]: the token's client is gone (Logto) |
/// | 400 `invalid_client` else, or an error that speaks of a client's secret or authentication; 401, 403 | [`Denial::IntrospectionRefused`]: it concerns our own client |
/// | anything else | [`Denial::IntrospectionUnavailable`] |
///
/// Logto answers `active: true` for refresh tokens, but without `token_type`; since every provider that follows RFC
/// 7662 may send `token_type`, its absence is taken for "not an access token".
///
/// # Errors
/// As in the table.
pub fn read_introspection(
    reply: &HttpResponse,
    client_id: &str,
    issuer: &str,
    audiences: &[String],
    profile: &TokenProfile,
    now: u64,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Claims, Denial> {
    match reply.status {
        200 => {}
        400 => return Err(introspection_error(reply, client_id)),
        // A firewall in front of the provider has no challenge and shows a page.
        401 | 403 if !reply.challenge.is_empty() || !reply.body.trim_start().starts_with('<') => {
            return Err(refused(reply.status, false));
        }
        status => return Err(status_error(status, "")),
    }
    let all = json_members::read(reply.body.as_bytes(), wanted);
    let all = all.map_err(|error| unavailable(IntrospectionError::Body { endpoint: ENDPOINT, error }))?;
    match all.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(Denial::Inactive { verdict: ProviderVerdict::Inactive }),
        _ => {
            let missing = "a boolean `active`";
            return Err(unavailable(IntrospectionError::Incomplete { endpoint: ENDPOINT, missing }));
        }
    }
    // Some providers write what they do not know as null. An audience that is null is still none that names us.
    let mut all = json_members::filtered(all, &|name, value| name == "aud" || !value.is_null());
    // WorkOS answers with the kind of the token in place of its type (RFC 6749 §7.1).
    let names_access_token = |kind: &str| kind.eq_ignore_ascii_case("bearer") || kind == "access_token";
    if !all.get("token_type").and_then(Value::as_str).is_some_and(names_access_token) {
        return Err(Denial::NotAnAccessToken { claim: "token_type" });
    }
    if let Some(iss) = all.get("iss").filter(|value| *value != issuer) {
        return Err(Denial::WrongIssuer { iss: iss.as_str().map(Excerpt::new) });
    }
    all.entry("iss").or_insert_with(|| issuer.into());
    // Both are optional in RFC 7662. Without an audience, the policy on clients stands in for its check.
    all.entry("exp").or_insert_with(|| (now + UNKNOWN_EXPIRY_SECONDS).into());
    all.entry("aud").or_insert_with(|| audiences.iter().map(String::as_str).collect());
    let mut claims = claims::read(all, profile)?;
    // RFC 7662 §2.2 has its own names for both, regardless of what is in the provider's JWTs.
    if let Some(client_id) = claims.all.get("client_id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        claims.client_id = Some(client_id.to_owned());
    }
    if let Some(scope) = claims.all.get("scope") {
        claims.scopes = claims::scopes(scope);
    }
    Ok(claims)
}

/// What a 400 to an introspection request means. By RFC 6749 §5.2 `invalid_client` is about the client that asks; Logto has it
/// for the token's client as well and names the one that it does not know. Not knowing it is one thing, not being able
/// to fetch its metadata document another: that may be over in a minute.
fn introspection_error(reply: &HttpResponse, client_id: &str) -> Denial {
    // A challenge would be about our own client, regardless of its text.
    let (code, description) = oauth_error::parse(&reply.body, "");
    // An id is one word. "invalid client secret" and the like speak of ours.
    let unknown_client = description.strip_prefix(oauth_error::UNKNOWN_CLIENT);
    let unknown_client = unknown_client.filter(|id| !matches!(*id, "secret" | "credentials" | "authentication" | "id"));
    match (code.as_str(), unknown_client) {
        ("unsupported_token_type" | "invalid_token", _) => inactive(ENDPOINT, reply.status, &code),
        ("invalid_client", Some(client)) if client != client_id => inactive(ENDPOINT, reply.status, &code),
        ("invalid_client", None) if description.contains("metadata document") => {
            unavailable(IntrospectionError::ClientMetadata)
        }
        (_, None) if description.contains("expired") && description.contains("client secret") => {
            refused(reply.status, true)
        }
        ("invalid_client" | "unauthorized_client" | "access_denied", _) => refused(reply.status, false),
        ("invalid_request", _) if description.contains("client") => refused(reply.status, false),
        _ => status_error(reply.status, &code),
    }
}

fn status_error(status: u16, code: &str) -> Denial {
    unavailable(IntrospectionError::Status { endpoint: ENDPOINT, status, code: Excerpt::new(code) })
}

/// What the provider said is about our own client.
fn refused(status: u16, is_secret_expired: bool) -> Denial {
    Denial::IntrospectionRefused { status, is_secret_expired, retry_after: RETRY_SECONDS }
}

#[cfg(test)]
mod tests;
