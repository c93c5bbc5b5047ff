//! Authorization requests, and the answers to them (RFC 6749 §4.1, OpenID Connect Core §3.1.2).
//!
//! Each round trip has a `state`, a PKCE verifier (RFC 7636) and a `nonce` of 256 random bits. The caller keeps the
//! [`RoundTrip`] sealed in the browser, and gives it to [`finish`] when the browser is back.

use mcp_edge_oauth::provider::Provider;
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, http::RequestHead, ports::Runtime, secret::Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    client::Client, form::Form, provider_metadata::ProviderMetadata, random_text::random_text, redirect::with_query,
};

/// Longer than the codes of any provider (RFC 6749 leaves their length open; a JWT as code has 1 to 2 KB).
const MAX_CODE_BYTES: usize = 4_096;

/// Parameters that no [`AuthorizationRequest::more`] has: what is not there was left out on purpose.
pub const OWN_PARAMETERS: [&str; 13] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "request",
    "request_uri",
];

/// How much of an error code gets into a log, in characters.
const MAX_ERROR_CHARACTERS: usize = 60;

/// What a user is sent to the provider for.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationRequest<'a> {
    /// Separated by spaces; if empty there is no such parameter. With `openid` the request has a `nonce`.
    pub scope: &'a str,
    /// The resource indicator (RFC 8707), if the access token is to be for one.
    pub resource: Option<&'a str>,
    /// `prompt` (OpenID Connect Core §3.1.2.1): `login`, `consent`.
    pub prompt: Option<&'a str>,
    /// `max_age`: the sign-in may be so many seconds ago.
    pub max_age: Option<u64>,
    /// Parameters of the provider's own, which replace none of the others.
    pub more: &'a [(String, String)],
}

/// An authorization round trip in progress: what our side has to remember, sealed, in the browser.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// `state`.
    pub state: String,
    /// The PKCE verifier.
    pub verifier: String,
    /// `nonce` of the ID token.
    pub nonce: String,
    /// Whether the provider has said that its answers name it (RFC 9207 §3): then one without `iss` is not its.
    pub requires_iss: bool,
}

/// Hides what proves that the round trip was begun here.
impl std::fmt::Debug for RoundTrip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RoundTrip(…)")
    }
}

/// The answer that a browser brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(pub Secret);

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The browser that came back is not known to have been sent.
    #[error("the round trip was not begun here, or too long ago")]
    NotBegunHere,
    /// A parameter came more than once, which RFC 6749 §3.1 forbids: two parties could read two different answers.
    #[error("the answer has the parameter {0} more than once")]
    Duplicate(&'static str),
    /// `iss` is not the provider that was asked, or is missing although it always sends it (RFC 9207 §2.4).
    #[error("the answer came from another provider")]
    AnotherProvider,
    /// The provider answered with an error (RFC 6749 §4.1.2.1).
    #[error("authorization: {error}")]
    Refused {
        /// What kind of error.
        refusal: Refusal,
        /// Its code, cut off.
        error: String,
    },
    /// The answer has neither a code nor an error.
    #[error("the answer has no code")]
    NoCode,
    /// The code is longer than any.
    #[error("the answer has a code of {0} bytes")]
    LongCode(usize),
    /// The discovery document names no https `authorization_endpoint`.
    #[error("no https authorization_endpoint")]
    NoEndpoint,
}

/// The kinds of errors of an authorization endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The user did not want to.
    Cancelled,
    /// The provider failed.
    Outage,
    /// Anything else.
    Other,
}

/// Begins a round trip: the URL to send the browser to, and what to remember.
///
/// # Errors
/// [`AuthorizationError::NoEndpoint`].
pub fn begin(
    client: &Client,
    provider: &Provider,
    request: &AuthorizationRequest<'_>,
    runtime: &impl Runtime,
) -> Result<(String, RoundTrip), AuthorizationError> {
    let endpoint = provider.authorization_endpoint.as_deref().ok_or(AuthorizationError::NoEndpoint)?;
    let round_trip = RoundTrip {
        state: random_text(runtime),
        verifier: random_text(runtime),
        nonce: random_text(runtime),
        requires_iss: ProviderMetadata::of(provider).sends_iss,
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&round_trip.verifier));
    let max_age = request.max_age.map(|seconds| seconds.to_string());
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", client.client_id.as_str()),
        ("redirect_uri", &client.redirect_uri),
        ("state", &round_trip.state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let is_openid = request.scope.split(' ').any(|scope| scope == "openid");
    let optional = [
        ("scope", Some(request.scope).filter(|scope| !scope.is_empty())),
        ("nonce", is_openid.then_some(round_trip.nonce.as_str())),
        ("resource", request.resource),
        ("prompt", request.prompt),
        ("max_age", max_age.as_deref()),
    ];
    parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    for (name, value) in request.more {
        // The verifier and the secret have their places elsewhere.
        let is_own = OWN_PARAMETERS.contains(&name.as_str()) || parameters.iter().any(|(own, _)| own == name);
        if !is_own {
            parameters.push((name, value));
        }
    }
    Ok((with_query(endpoint, &parameters), round_trip))
}

/// `state` of the answer, to find its round trip by; empty if there is none, or more than one.
#[must_use]
pub fn state_of(head: &RequestHead<'_>) -> String {
    Form::parse(head.query()).only("state").unwrap_or_default().to_owned()
}

/// Reads the answer to a round trip that was begun at the provider `issuer`; if that is empty it is not known what the
/// provider calls itself, and a redirect URI that no other provider has must say which one has answered (RFC 9700 §4.4.2.2).
///
/// Checks, in order: no parameter comes twice; `state` is that of the round trip, since the victim of a forged link would
/// otherwise work in the attacker's account; `iss` is `issuer`, and there if it must be; there is no error; there is a code.
///
/// # Errors
/// [`AuthorizationError`].
pub fn finish(
    head: &RequestHead<'_>,
    round_trip: Option<&RoundTrip>,
    issuer: &str,
) -> Result<Code, AuthorizationError> {
    let answer = Form::parse(head.query());
    let only = |name: &'static str| answer.only(name).ok_or(AuthorizationError::Duplicate(name));
    let (state, iss, error, code) = (only("state")?, only("iss")?, only("error")?, only("code")?);
    let round_trip = round_trip.filter(|begun| bool::from(begun.state.as_bytes().ct_eq(state.as_bytes())));
    let round_trip = round_trip.filter(|begun| !begun.state.is_empty()).ok_or(AuthorizationError::NotBegunHere)?;
    if !issuer.is_empty() && iss != issuer && (round_trip.requires_iss || !iss.is_empty()) {
        return Err(AuthorizationError::AnotherProvider);
    }
    if !error.is_empty() {
        let refusal = match error {
            "access_denied" => Refusal::Cancelled,
            "temporarily_unavailable" | "server_error" => Refusal::Outage,
            _ => Refusal::Other,
        };
        return Err(AuthorizationError::Refused { refusal, error: error.chars().take(MAX_ERROR_CHARACTERS).collect() });
    }
    match code.len() {
        0 => Err(AuthorizationError::NoCode),
        1..=MAX_CODE_BYTES => Ok(Code(Secret::new(code))),
        bytes => Err(AuthorizationError::LongCode(bytes)),
    }
}

#[cfg(test)]
mod tests;
