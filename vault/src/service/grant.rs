//! What a service answers to token requests: which scopes were granted, and what its errors mean.

use mcp_edge_oauth::{denial::Excerpt, token_endpoint::TokenEndpointError};
use mcp_edge_sign_in::tokens::{Granted, TokenRequestError};

use super::ServiceError;

/// Scopes of a connection that every authorization asks for, since no tool would: who the account is, and refresh tokens.
const OWN_SCOPES: [&str; 8] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    "offline.access",
    "refresh_token",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
];

/// What is asked for: `wanted`, and those of `offered` (the scopes of the connection) that are no tool's.
///
/// # Errors
/// The first of `wanted` that the connection does not offer.
pub fn asked<'a>(offered: &'a [String], wanted: &'a [String]) -> Result<Vec<&'a str>, &'a str> {
    if let Some(foreign) = wanted.iter().find(|scope| !offered.contains(scope)) {
        return Err(foreign);
    }
    let is_asked = |scope: &&String| wanted.contains(scope) || OWN_SCOPES.contains(&scope.as_str());
    Ok(offered.iter().filter(is_asked).map(String::as_str).collect())
}

/// What was granted, separated by spaces; it is no more than what was `asked` for. Commas separate as well (GitHub), unless one
/// belongs to a scope that was asked for. If nothing was asked for, the service says what it grants by default (RFC 6749 §3.3):
/// it is no more than what is `offered` (the scopes of the connection), where that is a limit.
///
/// # Errors
/// [`ServiceError::WiderScopes`], and [`ServiceError::Unavailable`] for what is no list of scopes.
pub fn granted(
    connection: &str,
    granted: &Granted,
    asked: &[&str],
    offered: &[String],
) -> Result<String, ServiceError> {
    let text = match granted {
        Granted::AsAsked => return Ok(asked.join(" ")),
        Granted::Unreadable => {
            return Err(ServiceError::Unavailable(
                ["connection ", connection, ": the member scope cannot be read"].concat(),
            ));
        }
        Granted::These(text) => text,
    };
    let is_allowed = |scope: &str| match asked {
        [] => offered.iter().any(|it| it == scope),
        _ => asked.contains(&scope),
    };
    let is_limited = !(asked.is_empty() && offered.is_empty());
    let mut scopes: Vec<&str> = Vec::new();
    for word in text.split_ascii_whitespace() {
        let parts = if is_allowed(word) { vec![word] } else { word.split(',').collect() };
        for scope in parts.into_iter().filter(|scope| !scope.is_empty()) {
            if is_limited && !is_allowed(scope) {
                return Err(ServiceError::WiderScopes(format!(
                    "connection {connection}: the service granted {:?}, which was not asked for: its member scopes must name \
                     scopes as the service writes them",
                    Excerpt::new(scope)
                )));
            }
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
    }
    Ok(scopes.join(" "))
}

/// Whether a client that was registered dynamically is lost: unknown to the service, or its secret has expired.
#[must_use]
pub fn is_lost_client(error: &TokenRequestError) -> bool {
    is_unknown_client(error) || matches!(of_oauth(error), Some(TokenEndpointError::SecretExpired))
}

/// Whether a service does not know our client, or not with this secret (`invalid_client`).
fn is_unknown_client(error: &TokenRequestError) -> bool {
    matches!(of_oauth(error), Some(TokenEndpointError::Client))
}

/// Whether a service has refused our client, and not what it was asked for.
fn refuses_client(error: &TokenRequestError) -> bool {
    is_unknown_client(error) || matches!(of_oauth(error), Some(TokenEndpointError::Other(code)) if is_of_client(code))
}

/// Whether a refusal may be about how the secret was sent. GitHub answers requests without the secret in the form with 404.
#[must_use]
pub fn may_be_of_method(error: &TokenRequestError) -> bool {
    refuses_client(error) || matches!(error, TokenRequestError::Refused(TokenEndpointError::Outage(401 | 404)))
}

/// The error of OAuth in an answer of any status.
fn of_oauth(error: &TokenRequestError) -> Option<&TokenEndpointError> {
    match error {
        TokenRequestError::Refused(error) | TokenRequestError::RefusedWithSuccess(error) => Some(error),
        _ => None,
    }
}

/// `unauthorized_client` is what X, and `incorrect_client_credentials` what GitHub says.
fn is_of_client(code: &str) -> bool {
    matches!(code, "unauthorized_client" | "incorrect_client_credentials")
}

/// What the error of a request to `endpoint` means.
#[must_use]
pub fn meaning(connection: &str, endpoint: &str, client_id: &str, error: &TokenRequestError) -> ServiceError {
    let of_client = |why: &str| ServiceError::Client(format!("connection {connection}: {endpoint} {why}"));
    let refused = || {
        of_client(&format!(
            "refuses our client {:?}: check client_id and the secret of the connection",
            Excerpt::new(client_id)
        ))
    };
    match of_oauth(error) {
        Some(TokenEndpointError::Grant) => ServiceError::Ended,
        Some(TokenEndpointError::Client) => refused(),
        Some(TokenEndpointError::SecretExpired) => of_client("says that the secret of our client has expired"),
        Some(TokenEndpointError::Target) => of_client("does not know the resource of the connection"),
        // GitHub's names of `invalid_grant`.
        Some(TokenEndpointError::Other(code)) if matches!(&**code, "bad_verification_code" | "bad_refresh_token") => {
            ServiceError::Ended
        }
        Some(TokenEndpointError::Other(code)) if is_of_client(code) => refused(),
        Some(TokenEndpointError::Other(code)) => of_client(&["answered ", code].concat()),
        Some(TokenEndpointError::Outage(status)) => {
            ServiceError::Unavailable(format!("connection {connection}: {endpoint} answered with status {status}"))
        }
        None => ServiceError::Unavailable(format!("connection {connection}: {endpoint}: {error}")),
    }
}
