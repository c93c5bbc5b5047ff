//! A request for registration (RFC 7591 §3).

use std::time::Duration;

use mcp_edge_oauth::{denial::Excerpt, json_members, token_endpoint::TokenEndpointError};
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};
use serde_json::Value;

/// A user waits.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer repeats what was sent, and adds ids.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The longest id and secret, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 2_048;

/// The end of a secret, in seconds since 1970, from which on it is never: the storage has no such numbers.
const NEVER: u64 = 1 << 53;

/// The members of an answer that are read.
const MEMBERS: [&str; 5] =
    ["client_id", "client_secret", "client_secret_expires_at", "token_endpoint_auth_method", "redirect_uris"];

/// What the issuer has registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; `None`: a public client.
    pub client_secret: Option<Secret>,
    /// Whether it is sent in the form (`client_secret_post`).
    pub is_posted: bool,
    /// When the secret ends, in seconds since 1970; `None`: never.
    pub expires_at: Option<u64>,
}

/// Why there is no registration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The issuer does not register us, or as something that we cannot be.
    #[error("{0}")]
    Refused(String),
    /// No answer, or none of a registration endpoint.
    #[error("{0}")]
    Unavailable(String),
}

/// Registers our client, which is described by `metadata`, with its `redirect_uri`.
///
/// # Errors
/// [`RegistrationError`].
pub async fn register(
    endpoint: &str,
    metadata: &str,
    redirect_uri: &str,
    fetch: &impl Fetch,
) -> Result<Registration, RegistrationError> {
    let request = HttpRequest {
        method: Method::POST,
        url: endpoint,
        authorization: None,
        body: RequestContent::Json(metadata),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    };
    let unavailable = |why: String| RegistrationError::Unavailable(format!("registration_endpoint {endpoint}: {why}"));
    let reply = fetch.fetch(request).await.map_err(|error| unavailable(error.to_string()))?;
    match reply.status {
        200 | 201 => read(&reply.body, redirect_uri).map_err(|error| match error {
            RegistrationError::Unavailable(why) => unavailable(why),
            refused @ RegistrationError::Refused(_) => refused,
        }),
        _ => Err(refusal(endpoint, &reply)),
    }
}

/// What an answer without a registration says (RFC 7591 §3.2.2).
fn refusal(endpoint: &str, reply: &HttpResponse) -> RegistrationError {
    let code = match TokenEndpointError::of(reply) {
        TokenEndpointError::Other(code) => code,
        TokenEndpointError::Client => "invalid_client".to_owned(),
        TokenEndpointError::Outage(401 | 403) => "that registration needs a token".to_owned(),
        other => {
            return RegistrationError::Unavailable(format!(
                "registration_endpoint {endpoint}: status {}{}",
                reply.status,
                if matches!(other, TokenEndpointError::Outage(_)) { "" } else { ", an error of a token endpoint" }
            ));
        }
    };
    RegistrationError::Refused(format!(
        "registration_endpoint {endpoint} answered {code}: register a client there by hand, and set client_id"
    ))
}

/// Reads the answer (RFC 7591 §3.2.1).
fn read(body: &str, redirect_uri: &str) -> Result<Registration, RegistrationError> {
    let unusable = |why: &str| RegistrationError::Unavailable(why.to_owned());
    let refused = |why: String| RegistrationError::Refused(why);
    let members = json_members::read(body.as_bytes(), &|name| MEMBERS.contains(&name));
    let members = members.map_err(|error| unusable(&error.to_string()))?;
    let text = |name: &'static str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_credential(text) => Ok(Some(text.as_str())),
        Some(_) => Err(unusable(&[name, " cannot be used"].concat())),
    };
    let client_id = text("client_id")?.ok_or_else(|| unusable("there is no client_id"))?;
    let client_secret = text("client_secret")?;
    // §2: without it, it is `client_secret_basic`. A client without a secret is a public one.
    let method = match (text("token_endpoint_auth_method")?, client_secret) {
        (_, None) | (Some("none"), _) => None,
        (None | Some("client_secret_basic"), Some(secret)) => Some((secret, false)),
        (Some("client_secret_post"), Some(secret)) => Some((secret, true)),
        (Some(other), _) => {
            let method = Excerpt::new(other);
            return Err(refused(format!("the client was registered with token_endpoint_auth_method {method:?}")));
        }
    };
    if let Some(Value::Array(uris)) = members.get("redirect_uris")
        && !uris.iter().any(|uri| uri == redirect_uri)
    {
        return Err(refused(format!("the client was registered without its redirect URI {redirect_uri}")));
    }
    Ok(Registration {
        client_id: client_id.to_owned(),
        client_secret: method.map(|(secret, _)| Secret::new(secret)),
        is_posted: method.is_some_and(|(_, is_posted)| is_posted),
        // §3.2.1: zero is never.
        expires_at: members
            .get("client_secret_expires_at")
            .and_then(Value::as_u64)
            .filter(|at| (1..NEVER).contains(at)),
    })
}

/// Visible ASCII (RFC 6749 appendix A.1 and A.2) of a length that can be sent.
fn is_credential(text: &str) -> bool {
    (1..=MAX_CREDENTIAL_BYTES).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
