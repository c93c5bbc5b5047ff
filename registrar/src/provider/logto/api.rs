//! Calls to the Management API: the machine token, repeating, time limits, and what statuses mean.

use std::time::Duration;

use mcp_edge_oauth::{
    client_authentication::{basic, form_encode},
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::ports::{Fetch, FetchError, HttpRequest, HttpResponse, Method, RequestContent, Runtime};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::ProviderError,
    tenant::{LogtoApplications, MachineToken},
};
use crate::secret::Secret;

/// Time limit of one call, body included. The API answers within a tenth of that.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A page of a hundred applications has a tenth of that.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Pauses before a call is repeated: short enough that a client still waits, long enough for a limit that counts per
/// ten seconds (200 requests and tenant on Logto Cloud) to have room again.
const BACK_OFF_MILLISECONDS: [u64; 3] = [250, 1_000, 3_000];

/// A machine token is renewed so long before it expires, so that none expires on its way.
const TOKEN_MARGIN_SECONDS: u64 = 60;

/// Prefix of the error codes that come with 404 for resources that do not exist. An unknown path is answered with 404 as well, and to take
/// that for an answer would be to forget clients that still work.
const GONE: &str = "entity.";

/// The cause of a token without the API's scope, and of a 403.
const MISSING_ROLE: &str = "the machine-to-machine application needs the role for Management API access";

/// The largest page that Logto gives.
pub(super) const PAGE_SIZE: usize = 100;

/// Of applications and API resources. Applications come newest first, so an abandoned one is on the first of these unless
/// no run took place for very long.
pub(super) const MAX_PAGES: usize = 5;

/// Whether a call that may have had its effect may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Twice is the same as once.
    Always,
    /// Twice makes two. It is sent again only if the first was certainly not carried out.
    IfRefused,
}

impl<P: Fetch + Runtime> LogtoApplications<'_, P> {
    /// Calls the API and gives the body of a good answer. `path` begins with a slash.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] if Logto says so, and the others by what is to be done about them.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        repeat: Repeat,
    ) -> Result<HttpResponse, ProviderError> {
        let url = format!("{}{path}", self.logto.tenant.api);
        let body = body.map(Value::to_string);
        let content = body.as_deref().map_or(RequestContent::Empty, RequestContent::Json);
        let mut pauses = BACK_OFF_MILLISECONDS.into_iter();
        let mut has_fresh_token = false;
        loop {
            let authorization = format!("Bearer {}", self.token().await?.expose());
            let call = HttpRequest {
                method: method.clone(),
                url: &url,
                authorization: Some(&authorization),
                body: content,
                timeout: CALL_TIMEOUT,
                max_body: MAX_ANSWER_BYTES,
            };
            let (may_repeat, failure) = match self.ports.fetch(call).await {
                Ok(reply) => match reply.status {
                    200..=299 => return Ok(reply),
                    // The key of the token may have been rotated away: Logto then refuses its own unexpired token.
                    401 if !has_fresh_token => {
                        has_fresh_token = true;
                        *self.logto.token.borrow_mut() = None;
                        continue;
                    }
                    401 => (false, "401 for a fresh machine token".to_owned()),
                    403 => return Err(ProviderError::Misconfigured(MISSING_ROLE.to_owned())),
                    404 if code(&reply).is_some_and(|code| code.starts_with(GONE)) => return Err(ProviderError::Gone),
                    404 => {
                        let wrong = format!("{} {} is not known: check MANAGEMENT_API", method.as_str(), shape(path));
                        return Err(ProviderError::Misconfigured(wrong));
                    }
                    400..=428 | 430..=499 => return Err(ProviderError::Refused(self::refusal(&method, path, &reply))),
                    429 => (true, "429, too many requests".to_owned()),
                    status => (repeat == Repeat::Always, format!("status {status}")),
                },
                // It would be as long the next time.
                Err(FetchError::TooLarge(_)) if method == Method::GET => return Err(ProviderError::TooLarge),
                Err(error) => (repeat == Repeat::Always, error.to_string()),
            };
            let failure = ProviderError::Unavailable(format!("{} {}: {failure}", method.as_str(), shape(path)));
            match pauses.next() {
                Some(milliseconds) if may_repeat => self.ports.sleep(Duration::from_millis(milliseconds)).await,
                _ => return Err(failure),
            }
        }
    }

    /// A call whose answer is JSON.
    pub(super) async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, ProviderError> {
        parse(&self.call(Method::GET, path, None, Repeat::Always).await?)
    }

    /// The machine token: the one at hand, or a new one.
    async fn token(&self) -> Result<Secret, ProviderError> {
        let at_hand = self.logto.token.borrow().clone().filter(|token| self.now < token.usable_until);
        if let Some(MachineToken { token, .. }) = at_hand {
            return Ok(token);
        }
        let tenant = &self.logto.tenant;
        let form = format!("grant_type=client_credentials&resource={}&scope=all", form_encode(&tenant.indicator));
        let authorization = basic(&tenant.client_id, tenant.client_secret.expose());
        let call = HttpRequest {
            method: Method::POST,
            url: &self.token_endpoint,
            authorization: Some(&authorization),
            body: RequestContent::Form(&form),
            timeout: CALL_TIMEOUT,
            max_body: MAX_ANSWER_BYTES,
        };
        let mut pauses = BACK_OFF_MILLISECONDS.into_iter();
        let reply = loop {
            let failure = match self.ports.fetch(call.clone()).await {
                Ok(reply) if reply.status != 429 && reply.status < 500 => break reply,
                Ok(reply) => format!("machine token: status {}", reply.status),
                Err(error) => format!("machine token: {error}"),
            };
            match pauses.next() {
                Some(milliseconds) => self.ports.sleep(Duration::from_millis(milliseconds)).await,
                None => return Err(ProviderError::Unavailable(failure)),
            }
        };
        let token = read_token(&reply, &tenant.indicator, self.now)?;
        let text = token.token.clone();
        *self.logto.token.borrow_mut() = Some(token);
        Ok(text)
    }
}

/// Reads the answer of the token endpoint.
fn read_token(reply: &HttpResponse, indicator: &str, now: u64) -> Result<MachineToken, ProviderError> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: u64,
        scope: Option<String>,
    }

    if reply.status == 200 {
        let answer: Answer = parse(reply)?;
        // Without the role a token is issued all the same, and every call would be answered with 403.
        if answer.scope.as_deref() != Some("all") {
            return Err(ProviderError::Misconfigured(MISSING_ROLE.to_owned()));
        }
        let usable_until = (now + answer.expires_in).saturating_sub(TOKEN_MARGIN_SECONDS);
        return Ok(MachineToken { token: Secret::new(answer.access_token), usable_until });
    }
    let fix = match TokenEndpointError::of(reply) {
        TokenEndpointError::Client => "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET".to_owned(),
        TokenEndpointError::SecretExpired => {
            "MANAGEMENT_CLIENT_SECRET has expired: add a secret to the machine-to-machine \
                                      application and set it with `wrangler secret put MANAGEMENT_CLIENT_SECRET`"
                .to_owned()
        }
        TokenEndpointError::Target => format!("MANAGEMENT_RESOURCE = {indicator:?} is not known to the provider"),
        TokenEndpointError::Grant => "machine token: invalid_grant".to_owned(),
        TokenEndpointError::Other(code) => format!("machine token: {code}"),
        TokenEndpointError::Outage(status) => {
            return Err(ProviderError::Unavailable(format!("machine token: status {status}")));
        }
    };
    Err(ProviderError::Misconfigured(fix))
}

/// Reads a JSON body.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(reply: &HttpResponse) -> Result<T, ProviderError> {
    serde_json::from_str(&reply.body).map_err(|_| undocumented())
}

/// An answer that has another form than it should have.
pub(super) fn undocumented() -> ProviderError {
    ProviderError::Unavailable("an answer was not what it is documented to be".to_owned())
}

/// Describes a rejected request for the log: the error code and the rejected members. Nothing else of the body: some
/// answers of Logto repeat what they were sent, a rejected token's claims for example.
fn refusal(method: &Method, path: &str, reply: &HttpResponse) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let issues = body["data"]["issues"].as_array().into_iter().flatten();
    let members: Vec<String> = issues
        .filter_map(|issue| issue["path"].as_array())
        .map(|path| path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".").replace('"', ""))
        .map(|path| path.chars().take(80).collect())
        .collect();
    let code = code(reply).unwrap_or_default();
    format!("{} {}: {} {code} {}", method.as_str(), shape(path), reply.status, members.join(", ")).trim_end().to_owned()
}

/// `code` of the Management API's errors, if it looks like one.
pub(super) fn code(reply: &HttpResponse) -> Option<String> {
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    let code = body["code"].as_str()?;
    let is_code = code.len() <= 80 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_code.then(|| code.to_owned())
}

/// A path for the log: without its query, which may name an application.
fn shape(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}
