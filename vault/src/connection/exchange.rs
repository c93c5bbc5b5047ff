//! The kind `exchange`: the caller's token for one of another service, at the issuer that issued it (RFC 8693).
//!
//! The caller's token is sent to that issuer's token endpoint and nowhere else.

use std::time::Duration;

use mcp_edge_oauth::{
    client_authentication::{basic, form_encode},
    provider::Provider,
};
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};

use super::{
    caller::Caller,
    settings::{Exchange, RegisteredClient},
    source::{IssuedToken, NoToken},
    token_answer::{self, ACCESS_TOKEN, Expected},
};

/// The exchange sits in a user's request: a provider that needs longer is treated as down.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Larger than any answer with a token.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// `grant_type` (RFC 8693 §2.1).
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

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
    let endpoint = provider.token_endpoint.as_deref();
    let url = endpoint.ok_or_else(|| NoToken::Unavailable("the provider has no token endpoint".to_owned()))?;
    let mut form = String::new();
    for (name, value) in parameters {
        add(&mut form, name, value);
    }
    let authorization = client.client_secret.as_ref().map(|secret| basic(&client.client_id, secret.expose()));
    if authorization.is_none() {
        add(&mut form, "client_id", &client.client_id);
    }
    let authorization = authorization.map(Secret::new);
    let request = HttpRequest {
        method: Method::POST,
        url,
        authorization: authorization.as_ref().map(Secret::expose),
        body: RequestContent::Form(&form),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    };
    fetch.fetch(request).await.map_err(|error| NoToken::Unavailable(format!("the token endpoint: {error}")))
}

fn add(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.push_str(&form_encode(value));
}
