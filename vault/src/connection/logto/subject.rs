//! Subject tokens for users (`POST /api/subject-tokens`), and what they are exchanged for. One can be used once, within ten
//! minutes.

use std::{cell::RefCell, time::Duration};

use mcp_edge_oauth::{provider::Provider, token_endpoint::TokenEndpointError};
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, HttpResponse, Method, RequestContent},
    secret::Secret,
};
use serde::Deserialize;
use serde_json::json;

use crate::connection::{
    exchange::{TOKEN_EXCHANGE, post},
    settings::{Management, RegisteredClient},
    source::NoToken,
    token_answer::ACCESS_TOKEN,
};

/// A user waits.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Answers have less than a kilobyte.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A machine token is replaced so many seconds before its end.
const MARGIN_SECONDS: u64 = 60;

/// The token of our machine-to-machine application, as long as it is good.
#[derive(Debug, Default)]
pub struct MachineToken(RefCell<Option<(Secret, u64)>>);

#[derive(Deserialize)]
struct Machine {
    access_token: String,
    expires_in: u64,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Minted {
    subject_token: String,
}

/// Mints a subject token for the user `subject`. A machine token that is refused although it is good is replaced once:
/// Logto refuses one whose key was rotated away.
///
/// # Errors
/// [`NoToken`].
pub async fn mint(
    management: &Management,
    subject: &str,
    provider: &Provider,
    token: &MachineToken,
    fetch: &impl Fetch,
    now: u64,
) -> Result<Secret, NoToken> {
    let body = json!({ "userId": subject }).to_string();
    let url = [&management.api, "/subject-tokens"].concat();
    for is_last in [false, true] {
        let authorization = ["Bearer ", token.get(management, provider, fetch, now).await?.expose()].concat();
        let request = HttpRequest {
            method: Method::POST,
            url: &url,
            authorization: Some(&authorization),
            body: RequestContent::Json(&body),
            timeout: TIMEOUT,
            max_body: MAX_ANSWER_BYTES,
        };
        let reply = fetch.fetch(request).await;
        let reply = reply.map_err(|error| NoToken::Unavailable(format!("the Management API: {error}")))?;
        if reply.status == 401 && !is_last {
            token.0.take();
            continue;
        }
        return read_minted(&reply);
    }
    unreachable!("the last turn returns")
}

fn read_minted(reply: &HttpResponse) -> Result<Secret, NoToken> {
    match reply.status {
        200 | 201 => match serde_json::from_str::<Minted>(&reply.body) {
            Ok(minted) if !minted.subject_token.is_empty() => Ok(Secret::new(minted.subject_token)),
            _ => Err(NoToken::Unavailable("the Management API answered without a subject token".to_owned())),
        },
        401 | 403 => Err(NoToken::Misconfigured(
            "the Management API refuses us: the machine-to-machine application needs the role \"Logto Management API access\""
                .to_owned(),
        )),
        // Logto says `entity.not_exists_with_id` with 404, and `user.…` with 422.
        404 | 422 => Err(NoToken::Refused("Logto has no such user any more".to_owned())),
        status => Err(NoToken::Unavailable(format!("the Management API answered with status {status}"))),
    }
}

impl MachineToken {
    async fn get(
        &self,
        management: &Management,
        provider: &Provider,
        fetch: &impl Fetch,
        now: u64,
    ) -> Result<Secret, NoToken> {
        if let Some((token, until)) = &*self.0.borrow()
            && now < *until
        {
            return Ok(token.clone());
        }
        let parameters = [("grant_type", "client_credentials"), ("resource", &*management.resource), ("scope", "all")];
        let reply = post(provider, &management.client, &parameters, fetch).await?;
        if reply.status != 200 {
            return Err(machine_error(&reply));
        }
        let machine: Machine = serde_json::from_str(&reply.body)
            .map_err(|_| NoToken::Unavailable("the token endpoint answered without a machine token".to_owned()))?;
        // Without the role a token is issued all the same.
        if machine.scope.as_deref() != Some("all") {
            return Err(NoToken::Misconfigured(
                "the machine-to-machine application of MANAGEMENT_CLIENT_ID needs the role \"Logto Management API access\""
                    .to_owned(),
            ));
        }
        let token = Secret::new(machine.access_token);
        *self.0.borrow_mut() = Some((token.clone(), (now + machine.expires_in).saturating_sub(MARGIN_SECONDS)));
        Ok(token)
    }
}

fn machine_error(reply: &HttpResponse) -> NoToken {
    let problem = match TokenEndpointError::of(reply) {
        TokenEndpointError::Outage(status) => {
            return NoToken::Unavailable(format!("the token endpoint answered with status {status}"));
        }
        TokenEndpointError::Client => "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET".to_owned(),
        TokenEndpointError::SecretExpired => "MANAGEMENT_CLIENT_SECRET has expired: set a new one".to_owned(),
        TokenEndpointError::Target => "the provider does not know MANAGEMENT_RESOURCE".to_owned(),
        TokenEndpointError::Grant => "no machine token: invalid_grant".to_owned(),
        TokenEndpointError::Other(code) => format!("no machine token: {code}"),
    };
    NoToken::Misconfigured(problem)
}

/// Exchanges a subject token as `client`, for `resource` if there is one.
///
/// # Errors
/// [`NoToken::Unavailable`] if there is no answer.
pub async fn exchange(
    client: &RegisteredClient,
    subject_token: &Secret,
    resource: Option<&str>,
    scope: &str,
    provider: &Provider,
    fetch: &impl Fetch,
) -> Result<HttpResponse, NoToken> {
    let mut parameters = vec![
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", subject_token.expose()),
        // So Logto calls what the Management API mints.
        ("subject_token_type", ACCESS_TOKEN),
        // Logto gives a token without scopes to a request without `scope`.
        ("scope", scope),
    ];
    parameters.extend(resource.map(|resource| ("resource", resource)));
    post(provider, client, &parameters, fetch).await
}
