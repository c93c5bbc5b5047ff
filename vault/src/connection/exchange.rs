//! The kind `exchange`: the caller's token for one of another service, at the issuer that issued it (RFC 8693).
//!
//! The caller's token is sent to that issuer's token endpoint and nowhere else.

use mcp_edge_oauth::provider::Provider;
use mcp_edge_runtime::ports::{Fetch, HttpResponse};
use mcp_edge_sign_in::{
    client::{Client, SecretMethod},
    tokens,
};

use super::{
    caller::Caller,
    settings::{Exchange, RegisteredClient},
    source::{IssuedToken, NoToken},
    token_answer::{self, ACCESS_TOKEN, Expected},
};

/// `grant_type` (RFC 8693 §2.1).
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Exchanges a caller's token at `provider`, which must be the one that issued it.
///
/// # Errors
/// [`NoToken`].
pub async fn exchange(
    settings: &Exchange,
    caller: &Caller,
    scopes: &[String],
    provider: &Provider,
    fetch: &impl Fetch,
    now: u64,
) -> Result<IssuedToken, NoToken> {
    let scope = scopes.join(" ");
    let optional = [
        ("resource", settings.resource.as_deref()),
        ("audience", settings.audience.as_deref()),
        ("scope", Some(&*scope).filter(|scope| !scope.is_empty())),
    ];
    let mut parameters = vec![
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", caller.access_token.expose()),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
    ];
    parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let reply = post(provider, &settings.client, &parameters, fetch).await?;
    token_answer::read(&reply, Expected { subject: &caller.access_token, scopes, may_lack_type: false }, now)
}

/// Sends a form to the provider's token endpoint as one of our clients.
///
/// # Errors
/// [`NoToken::Unavailable`] if there is no answer.
pub async fn post(
    provider: &Provider,
    client: &RegisteredClient,
    parameters: &[(&str, &str)],
    fetch: &impl Fetch,
) -> Result<HttpResponse, NoToken> {
    let RegisteredClient { client_id, client_secret } = client.clone();
    let client = Client { client_id, client_secret, method: SecretMethod::AsSupported, redirect_uri: String::new() };
    let answer = tokens::request(provider, &client, parameters, fetch).await;
    answer.map_err(|error| NoToken::Unavailable(format!("the token endpoint: {error}")))
}
