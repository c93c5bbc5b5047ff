//! The messages between an endpoint and the vault. They are lists that begin with a name, read and written by hand: derived,
//! they would be some KB of an endpoint's code.

use mcp_edge_runtime::secret::Secret;
use serde_json::{Value, json};

use crate::{access::ServiceAccess, port::NoAccess};

/// The name of the message.
const ACCESS: &str = "access";

/// A request for a token of another service. The vault believes nothing but the credential, and verifies that itself: an
/// endpoint says neither who the user is nor what the token may do beyond what the vault's settings allow.
#[derive(Debug, Clone)]
pub struct AccessRequest {
    /// The credential of the caller: what the endpoint was sent as `Authorization: Bearer`.
    pub credential: Secret,
    /// The name of the connection.
    pub connection: String,
    /// The scopes that are needed, as the service calls them.
    pub scopes: Vec<String>,
    /// The name of the tool that needs the token, or `gateway`.
    pub user_of_token: String,
    /// A token that the service has refused.
    pub refused: Option<Secret>,
}

impl AccessRequest {
    /// The message. Inverse of [`AccessRequest::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { credential, connection, scopes, user_of_token, refused } = self;
        json!([ACCESS, credential.expose(), connection, scopes, user_of_token, refused.as_ref().map(Secret::expose)])
            .to_string()
    }

    /// Reads a message. `None`: it is not one of these.
    #[must_use]
    pub fn from_json(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let text = |index: usize| message[index].as_str();
        if text(0)? != ACCESS {
            return None;
        }
        let scopes = message[3].as_array()?.iter().map(|scope| scope.as_str().map(str::to_owned));
        Some(Self {
            credential: Secret::new(text(1)?),
            connection: text(2)?.to_owned(),
            scopes: scopes.collect::<Option<_>>()?,
            user_of_token: text(4)?.to_owned(),
            refused: if message[5].is_null() { None } else { Some(Secret::new(text(5)?)) },
        })
    }
}

/// What the vault answers.
pub type AccessAnswer = Result<ServiceAccess, NoAccess>;

/// The answer as it is sent. Inverse of [`answer_from_json`].
#[must_use]
pub fn answer_to_json(answer: &AccessAnswer) -> String {
    match answer {
        Ok(ServiceAccess { connection, token, scopes, url }) => {
            json!(["token", connection, token.expose(), scopes, url])
        }
        Err(NoAccess::NotConnected { title, url }) => json!(["connect", title, url]),
        Err(NoAccess::Refused { title, cause }) => json!(["refused", title, cause]),
        Err(NoAccess::NeedsUser) => json!(["needs_user"]),
        Err(NoAccess::CallerRefused) => json!(["caller_refused"]),
        Err(NoAccess::Misconfigured { cause }) => json!(["misconfigured", cause]),
        Err(NoAccess::Unavailable { title, retry_after, cause }) => json!(["unavailable", title, cause, retry_after]),
    }
    .to_string()
}

/// Reads an answer. `None`: it is not one of the vault's.
#[must_use]
pub fn answer_from_json(answer: &str) -> Option<AccessAnswer> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let text = |index: usize| answer[index].as_str().map(str::to_owned);
    Some(Err(match answer[0].as_str()? {
        "token" => {
            let token = Secret::new(text(2)?);
            return Some(Ok(ServiceAccess { connection: text(1)?, token, scopes: text(3)?, url: text(4)? }));
        }
        "connect" => NoAccess::NotConnected { title: text(1)?, url: text(2) },
        "refused" => NoAccess::Refused { title: text(1)?, cause: text(2)? },
        "needs_user" => NoAccess::NeedsUser,
        "caller_refused" => NoAccess::CallerRefused,
        "misconfigured" => NoAccess::Misconfigured { cause: text(1)? },
        "unavailable" => NoAccess::Unavailable { title: text(1)?, cause: text(2)?, retry_after: answer[3].as_u64()? },
        _ => return None,
    }))
}
