//! The exchange of a personal access token for an access token at the provider's token endpoint (RFC 8693).
//!
//! Logto issues an opaque token for two resources or none, and a token without scopes to a request without `scope`: so the
//! request always names one resource and the scopes.

use std::time::Duration;

use mcp_edge_identity::Scopes;
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};
use serde_json::Value;

use crate::{
    client_authentication::{basic, form_encode},
    json_members,
    provider::Provider,
    token::jwt::{self, Form},
    token_endpoint::TokenEndpointError,
};

/// What Logto calls a personal access token.
pub const LOGTO_TOKEN_TYPE: &str = "urn:logto:token-type:personal_access_token";

/// The exchange sits in a user's request: a provider that needs longer is treated as down.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Larger than any answer with a token that is accepted.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What personal access tokens are exchanged for, and by which client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExchange {
    /// Our client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// `subject_token_type` of a personal access token.
    pub subject_token_type: String,
    /// The one resource that the access token is for.
    pub resource: String,
    /// The scopes of the access token, without `SCOPE_PREFIX`.
    pub scopes: Scopes,
    /// The same as they are requested, separated by spaces.
    pub scope: String,
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The provider refuses the personal access token: it is unknown, expired, deleted, or its user is suspended.
    #[error("the provider refuses the personal access token")]
    Refused,
    /// The provider refuses our own client, or does not do as it is asked for by our settings. Says nothing of the personal
    /// access token.
    #[error("{0}")]
    OwnClient(String),
    /// No answer, or none of a token endpoint.
    #[error("{0}")]
    Unavailable(String),
}

impl TokenExchange {
    /// Exchanges a personal access token at the provider for an access token, a JWT that is not verified yet.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn exchange(
        &self,
        personal_token: &str,
        provider: &Provider,
        fetch: &impl Fetch,
    ) -> Result<Secret, ExchangeError> {
        let no_endpoint = || ExchangeError::Unavailable("the provider has no token endpoint".to_owned());
        let url = provider.token_endpoint.as_deref().ok_or_else(no_endpoint)?;
        let (form, authorization) = (self.form(personal_token), basic(&self.client_id, self.client_secret.expose()));
        let request = HttpRequest {
            method: Method::POST,
            url,
            authorization: Some(&authorization),
            body: RequestContent::Form(&form),
            timeout: TIMEOUT,
            max_body: MAX_ANSWER_BYTES,
        };
        match fetch.fetch(request).await {
            Ok(reply) => read(&reply),
            Err(error) => Err(ExchangeError::Unavailable(["token endpoint: ", &error.to_string()].concat())),
        }
    }

    /// The form of the request (RFC 8693 §2.1).
    #[must_use]
    pub fn form(&self, personal_token: &str) -> String {
        let mut form = String::from("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange");
        for (name, value) in [
            ("&subject_token=", personal_token),
            ("&subject_token_type=", &self.subject_token_type),
            ("&resource=", &self.resource),
            ("&scope=", &self.scope),
        ] {
            form += name;
            form += &form_encode(value);
        }
        form
    }
}

/// Reads the answer to an exchange. `issued_token_type`, which RFC 8693 §2.2.1 requires, is not looked at: Logto has none.
///
/// | answer | means |
/// |---|---|
/// | 200 with a JWT of the type Bearer | the access token |
/// | 200 with another token | our settings, or those of the provider: the resource is none with JWTs |
/// | an OAuth error `invalid_grant` | the personal access token is not good |
/// | another OAuth error | our own client: its secret is wrong or has expired (Logto: `invalid_request`), it may not exchange |
/// | anything else | an outage |
///
/// # Errors
/// As in the table.
pub fn read(reply: &HttpResponse) -> Result<Secret, ExchangeError> {
    if reply.status != 200 {
        return Err(error_of(reply));
    }
    let members = json_members::read(reply.body.as_bytes(), &|name| matches!(name, "access_token" | "token_type"));
    let members = members.unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let Some(token) = text("access_token") else {
        return Err(ExchangeError::Unavailable("the answer of the token endpoint has no access token".to_owned()));
    };
    let is_bearer = text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !is_bearer || jwt::form_of(token) != Form::Jwt {
        return Err(ExchangeError::OwnClient(
            "the provider issued no JWT: RESOURCE must be an API resource whose access tokens are JWTs".to_owned(),
        ));
    }
    Ok(Secret::new(token))
}

fn error_of(reply: &HttpResponse) -> ExchangeError {
    let own_client = match TokenEndpointError::of(reply) {
        TokenEndpointError::Grant => return ExchangeError::Refused,
        TokenEndpointError::Outage(status) => {
            return ExchangeError::Unavailable(["the token endpoint answered ", &status.to_string()].concat());
        }
        TokenEndpointError::Client => "the provider refuses our client: check PAT_CLIENT_ID and PAT_CLIENT_SECRET",
        TokenEndpointError::SecretExpired => "the client secret has expired: set PAT_CLIENT_SECRET to a new one",
        TokenEndpointError::Target => "the provider has no API resource for RESOURCE: create it there",
        TokenEndpointError::Other(code) => {
            let hint = ": the application of PAT_CLIENT_ID must be allowed to exchange tokens; check PAT_SCOPES and \
                        PAT_TOKEN_TYPE as well";
            return ExchangeError::OwnClient(["the provider answered ", &code, hint].concat());
        }
    };
    ExchangeError::OwnClient(own_client.to_owned())
}

#[cfg(test)]
mod tests;
