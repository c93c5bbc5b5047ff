//! Requests to the token endpoint and the revocation endpoint (RFC 6749 §4.1.3 and §6, RFC 7009).

use std::time::Duration;

use mcp_edge_oauth::{
    client_authentication::{basic, form_encode},
    json_members,
    provider::Provider,
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::{
    ports::{Fetch, FetchError, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};
use serde_json::Value;

use crate::{authorization::Code, client::Client, provider_metadata::ProviderMetadata};

/// A user waits: a provider that needs longer is treated as down.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer with three tokens has 5 KB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Longer than a token that fits into a request's header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// No lifetime is longer than ten years.
const MAX_LIFETIME_SECONDS: u64 = 10 * 365 * 24 * 3_600;

/// The longest list of scopes that is read, in bytes.
const MAX_SCOPE_BYTES: usize = 8 * 1024;

/// The fields of requests that are secrets.
const SECRET_FIELDS: [&str; 5] = ["code", "code_verifier", "refresh_token", "token", "client_secret"];

/// What is shorter than this, in bytes, repeats a secret by accident.
const MIN_REPEATED: usize = 12;

/// The members of an answer that are read.
const MEMBERS: [&str; 6] = ["access_token", "token_type", "refresh_token", "id_token", "expires_in", "scope"];

/// Tokens of the provider.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// The ID token, not verified.
    pub id_token: Option<Secret>,
    /// How many seconds the access token is good, if the provider says so.
    pub expires_in: Option<u64>,
    /// What was granted.
    pub scope: Granted,
}

/// What an answer says of the scopes that were granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// Nothing: they are those that were asked for (RFC 6749 §5.1).
    AsAsked,
    /// These, as the provider writes them: separated by spaces, as a rule.
    These(String),
    /// Something that is no list of scopes.
    Unreadable,
}

/// What a token that is to be revoked is (`token_type_hint`, RFC 7009 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A refresh token.
    Refresh,
    /// One or the other: the provider looks for both.
    Unknown,
}

impl TokenKind {
    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Refresh => Some("refresh_token"),
            Self::Unknown => None,
        }
    }
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// The discovery document names no https endpoint for this.
    #[error("the provider has no such endpoint")]
    NoEndpoint,
    /// No answer: it is not known whether the provider has done what it was asked for.
    #[error("{0}")]
    NoAnswer(FetchError),
    /// An error of the token endpoint.
    #[error("{0:?}")]
    Refused(TokenEndpointError),
    /// An error with status 200, as GitHub sends it: no answer of OAuth's (RFC 6749 §5.2).
    #[error("status 200 with the error {0:?}")]
    RefusedWithSuccess(TokenEndpointError),
    /// Status 200, and an answer that is no JSON object, or whose member of this name is missing or not usable.
    #[error("the answer has no tokens: {0}")]
    NoTokens(&'static str),
}

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// To try again later: the provider has not answered, or not as a token endpoint does. What it has done is not known.
    TryAgain,
    /// That the operator fixes our client at the provider, or what it asks for.
    FixClient,
    /// A new authorization by the user: the code or the refresh token is not good (`invalid_grant`).
    AuthorizeAgain,
}

impl TokenRequestError {
    /// What the error asks for.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoEndpoint
            | Self::NoAnswer(_)
            | Self::NoTokens(_)
            | Self::RefusedWithSuccess(_)
            | Self::Refused(TokenEndpointError::Outage(_)) => Remedy::TryAgain,
            Self::Refused(TokenEndpointError::Grant) => Remedy::AuthorizeAgain,
            Self::Refused(_) => Remedy::FixClient,
        }
    }
}

/// Redeems a code. With `resource` the access token is for that resource (RFC 8707 §2.2).
///
/// # Errors
/// [`TokenRequestError`].
pub async fn redeem(
    provider: &Provider,
    client: &Client,
    code: &Code,
    verifier: &str,
    resource: Option<&str>,
    fetch: &impl Fetch,
) -> Result<Tokens, TokenRequestError> {
    let mut form = form_of(&[
        ("grant_type", "authorization_code"),
        ("code", code.0.expose()),
        ("redirect_uri", &client.redirect_uri),
        ("code_verifier", verifier),
    ]);
    if let Some(resource) = resource {
        add(&mut form, "resource", resource);
    }
    tokens(provider, client, form, fetch).await
}

/// Gets an access token for a refresh token (RFC 6749 §6): for `resource`, if there is one, with `scope` (separated by
/// spaces) or, without it, with what was granted.
///
/// # Errors
/// [`TokenRequestError`]. `Refused(TokenEndpointError::Grant)` alone says that the refresh token is not good.
pub async fn refresh(
    provider: &Provider,
    client: &Client,
    refresh_token: &Secret,
    resource: Option<&str>,
    scope: Option<&str>,
    fetch: &impl Fetch,
) -> Result<Tokens, TokenRequestError> {
    let mut form = form_of(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())]);
    for (name, value) in [("scope", scope), ("resource", resource)] {
        if let Some(value) = value {
            add(&mut form, name, value);
        }
    }
    tokens(provider, client, form, fetch).await
}

/// Revokes a refresh token, and with it what the provider takes for its grant, or an access token (RFC 7009 §2.1). One that the provider calls
/// an `invalid_token` is revoked already; RFC 7009 §2.2 has it say so with status 200.
///
/// # Errors
/// [`TokenRequestError`], never `NoTokens`. `Refused(TokenEndpointError::Grant)`: the provider takes the token for another
/// client's, so its grant may live on.
pub async fn revoke(
    provider: &Provider,
    client: &Client,
    token: &Secret,
    hint: TokenKind,
    fetch: &impl Fetch,
) -> Result<(), TokenRequestError> {
    let endpoint = provider.revocation_endpoint.as_deref().ok_or(TokenRequestError::NoEndpoint)?;
    let mut form = form_of(&[("token", token.expose())]);
    if let Some(hint) = hint.hint() {
        add(&mut form, "token_type_hint", hint);
    }
    let posts_secret = ProviderMetadata::of(provider).posts_secret_to_revoke;
    let reply = post(endpoint, client, &mut form, posts_secret, fetch).await?;
    if matches!(reply.status, 200 | 204) {
        return Ok(());
    }
    match error_of(&reply, client, &form) {
        TokenEndpointError::Other(code) if code == "invalid_token" => Ok(()),
        error => Err(TokenRequestError::Refused(error)),
    }
}

/// Sends fields to the token endpoint as our client, for grants that are not read here. The answer may have any status.
///
/// # Errors
/// [`TokenRequestError::NoEndpoint`] and [`TokenRequestError::NoAnswer`].
pub async fn request(
    provider: &Provider,
    client: &Client,
    fields: &[(&str, &str)],
    fetch: &impl Fetch,
) -> Result<HttpResponse, TokenRequestError> {
    send(provider, client, &mut form_of(fields), fetch).await
}

/// Sends a form to the token endpoint.
async fn send(
    provider: &Provider,
    client: &Client,
    form: &mut String,
    fetch: &impl Fetch,
) -> Result<HttpResponse, TokenRequestError> {
    let endpoint = provider.token_endpoint.as_deref().ok_or(TokenRequestError::NoEndpoint)?;
    post(endpoint, client, form, ProviderMetadata::of(provider).posts_secret, fetch).await
}

/// Sends a form to the token endpoint, and reads the answer.
async fn tokens(
    provider: &Provider,
    client: &Client,
    mut form: String,
    fetch: &impl Fetch,
) -> Result<Tokens, TokenRequestError> {
    let reply = send(provider, client, &mut form, fetch).await?;
    match reply.status {
        200 => {
            read(&reply.body).map_err(|member| match error_of(&HttpResponse { status: 400, ..reply }, client, &form) {
                TokenEndpointError::Outage(_) => TokenRequestError::NoTokens(member),
                error => TokenRequestError::RefusedWithSuccess(error),
            })
        }
        _ => Err(TokenRequestError::Refused(error_of(&reply, client, &form))),
    }
}

/// Reads an error. One that repeats a secret of ours is none: error codes are written into logs.
fn error_of(reply: &HttpResponse, client: &Client, form: &str) -> TokenEndpointError {
    let fields = form.split('&').filter_map(|field| field.split_once('='));
    let sent = fields.filter(|(name, _)| SECRET_FIELDS.contains(name)).map(|(_, value)| value);
    let mut secrets = sent.chain(client.client_secret.as_ref().map(Secret::expose));
    let is_part = |part: &str, whole: &str| part.len() >= MIN_REPEATED && whole.contains(part);
    match TokenEndpointError::of(reply) {
        TokenEndpointError::Other(code) if secrets.any(|secret| is_part(secret, &code) || is_part(&code, secret)) => {
            TokenEndpointError::Outage(reply.status)
        }
        error => error,
    }
}

/// Sends a form as our client (RFC 6749 §2.3.1, and §3.2.1 for a public one).
async fn post(
    endpoint: &str,
    client: &Client,
    form: &mut String,
    posts_secret: bool,
    fetch: &impl Fetch,
) -> Result<HttpResponse, TokenRequestError> {
    let id = client.client_id.as_str();
    let authorization = match &client.client_secret {
        Some(secret) if !client.method.posts(posts_secret) => Some(basic(id, secret.expose())),
        secret => {
            add(form, "client_id", id);
            if let Some(secret) = secret {
                add(form, "client_secret", secret.expose());
            }
            None
        }
    };
    let request = HttpRequest {
        method: Method::POST,
        url: endpoint,
        authorization: authorization.as_deref(),
        body: RequestContent::Form(form),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    };
    fetch.fetch(request).await.map_err(TokenRequestError::NoAnswer)
}

fn form_of(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        add(&mut form, name, value);
    }
    form
}

fn add(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.push_str(&form_encode(value));
}

/// Reads an answer with tokens (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3). The error is the member that is not usable.
fn read(body: &str) -> Result<Tokens, &'static str> {
    let members = json_members::read(body.as_bytes(), &|name| MEMBERS.contains(&name));
    let members = members.map_err(|_| "not a JSON object without duplicates")?;
    let text = |name: &'static str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(name),
    };
    let token = |name: &'static str| match text(name)? {
        None => Ok(None),
        Some(token) if is_token(token) => Ok(Some(Secret::new(token))),
        Some(_) => Err(name),
    };
    if !text("token_type")?.is_some_and(|token_type| token_type.eq_ignore_ascii_case("Bearer")) {
        return Err("token_type");
    }
    Ok(Tokens {
        access_token: token("access_token")?.ok_or("access_token")?,
        refresh_token: token("refresh_token")?,
        id_token: token("id_token")?,
        expires_in: members.get("expires_in").and_then(lifetime),
        scope: match members.get("scope") {
            None | Some(Value::Null) => Granted::AsAsked,
            Some(Value::String(scope)) if is_scope(scope) => Granted::These(scope.clone()),
            Some(_) => Granted::Unreadable,
        },
    })
}

/// Seconds: a number or, at some providers, its digits as text. What is neither, or zero, says nothing.
fn lifetime(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::String(digits) => digits.parse().ok()?,
        number => number.as_u64()?,
    };
    (seconds > 0).then_some(seconds.min(MAX_LIFETIME_SECONDS))
}

/// Visible ASCII and spaces (RFC 6749 appendix A.4) of a length that is read.
fn is_scope(text: &str) -> bool {
    text.len() <= MAX_SCOPE_BYTES && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Visible ASCII (RFC 6749 appendix A.12 and A.17) of a length that can be sent.
fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests;
