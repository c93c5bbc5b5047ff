//! `logto-vault`: a token of the user's social or enterprise identity that Logto keeps in its Secret Vault, and refreshes.
//!
//! The account API wants an opaque token of the user with the scope `identities`. A minted subject token is exchanged for one.

use std::time::Duration;

use mcp_edge_oauth::{client_authentication::form_encode, provider::Provider};
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};
use serde::Deserialize;

use super::subject::{self, MachineToken};
use crate::connection::{
    caller::Caller,
    settings::LogtoVault,
    source::{IssuedToken, NoToken},
    token_answer::{self, Expected},
};

/// Logto may have to refresh the token first.
const TIMEOUT: Duration = Duration::from_secs(8);

const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the account API needs: without `openid` it refuses the token (403).
const SCOPE: &str = "openid identities";

/// How long a token is used whose answer does not say how long it is good, in seconds.
const DEFAULT_SECONDS: u64 = 60;

#[derive(Deserialize)]
struct Kept {
    access_token: String,
    scope: Option<String>,
    token_type: Option<String>,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
}

/// Obtains a token for the caller.
///
/// # Errors
/// [`NoToken`].
pub async fn token(
    settings: &LogtoVault,
    caller: &Caller,
    scopes: &[String],
    (provider, machine): (&Provider, &MachineToken),
    fetch: &impl Fetch,
    now: u64,
) -> Result<IssuedToken, NoToken> {
    let subject = subject::mint(&settings.management, caller.identity.subject(), provider, machine, fetch, now).await?;
    let reply = subject::exchange(&settings.client, &subject, None, SCOPE, provider, fetch).await?;
    let asked: Vec<String> = SCOPE.split(' ').map(str::to_owned).collect();
    let account = token_answer::read(&reply, Expected { subject: &subject, scopes: &asked, may_lack_type: true }, now)?;
    let authorization = Secret::new(["Bearer ", account.token.expose()].concat());
    let request = HttpRequest {
        method: Method::GET,
        url: &url(settings),
        authorization: Some(authorization.expose()),
        body: RequestContent::Empty,
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    };
    let reply = fetch.fetch(request).await;
    let reply = reply.map_err(|error| NoToken::Unavailable(format!("Logto's account API: {error}")))?;
    read(&reply, settings, scopes, now)
}

/// The address of the identity's token: of a social one, or of an enterprise one.
fn url(settings: &LogtoVault) -> String {
    let (kind, id) = match settings.target.strip_prefix("sso:") {
        Some(connector) => ("sso-identities", connector),
        None => ("identities", settings.target.as_str()),
    };
    [&*settings.management.api, "/my-account/", kind, "/", &form_encode(id), "/access-token"].concat()
}

/// Reads the answer. The scopes are those that the user consented to when the identity was linked: what is needed must be
/// among them, and if Logto does not know them it is taken for granted.
fn read(reply: &HttpResponse, settings: &LogtoVault, scopes: &[String], now: u64) -> Result<IssuedToken, NoToken> {
    let not_linked = || NoToken::NotLinked(settings.link_url.clone());
    if reply.status != 200 {
        let problem: Option<Problem> = serde_json::from_str(&reply.body).ok();
        let code = problem.and_then(|problem| problem.code).unwrap_or_default();
        // There is none; or it has ended, and cannot be refreshed: there is nothing to refresh it by, or the service refuses.
        let is_to_be_linked = reply.status == 404
            || code.ends_with("access_token_expired")
            || matches!(code.as_str(), "connector.general" | "connector.authorization_failed");
        return Err(match (reply.status, code.as_str()) {
            _ if is_to_be_linked => not_linked(),
            (400, code) if code.starts_with("account_center") => {
                NoToken::Misconfigured("the Account Center of Logto is off: switch it on".to_owned())
            }
            (401, _) => NoToken::Refused("Logto refuses the user's token: suspended, perhaps".to_owned()),
            (403, _) => {
                NoToken::Misconfigured("Logto's account API does not let users read their identities".to_owned())
            }
            (status, _) => NoToken::Unavailable(format!("Logto's account API answered with status {status}")),
        });
    }
    let kept: Kept = serde_json::from_str(&reply.body)
        .map_err(|_| NoToken::Unavailable("Logto's account API answered without a token".to_owned()))?;
    let is_bearer = kept.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    if kept.access_token.is_empty() || !is_bearer {
        return Err(NoToken::Misconfigured("the identity's token is no Bearer token".to_owned()));
    }
    // GitHub separates them by commas.
    let granted: Option<Vec<&str>> =
        kept.scope.as_deref().map(|scope| scope.split([' ', ',']).filter(|scope| !scope.is_empty()).collect());
    if granted.as_ref().is_some_and(|granted| scopes.iter().any(|scope| !granted.contains(&scope.as_str()))) {
        return Err(not_linked());
    }
    Ok(IssuedToken {
        token: Secret::new(kept.access_token),
        scopes: granted.map_or_else(|| scopes.join(" "), |granted| granted.join(" ")),
        until: now + kept.expires_in.unwrap_or(DEFAULT_SECONDS),
    })
}
