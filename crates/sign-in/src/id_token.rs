//! ID tokens (OpenID Connect Core §2). A type of their own: an ID token is no access token, and the other way round.

use std::rc::Rc;

use mcp_edge_oauth::{
    denial::{Denial, Excerpt, ExpiryError, IssueTimeError, TokenError},
    keys::jwks_cache::{Found, IssuerKeys},
    resource_server::TrustedIssuer,
    token::{
        denied::DeniedTokens,
        jwt::{self, UnverifiedJwt},
        numeric_date::{numeric_date, whole_seconds},
        signature::{self, KeyChoice},
        validity::{LEEWAY_SECONDS, Validity},
    },
};
use mcp_edge_runtime::{ports::Services, secret::Secret};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// The header `typ` of ID tokens; the empty one stands for none.
const TYPES: [&str; 3] = ["jwt", "application/jwt", ""];

/// The claims that are read.
#[rustfmt::skip]
const CLAIMS: [&str; 21] = [
    "iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "auth_time", "sid", "tid", "name", "username",
    "preferred_username", "cnf", "events", "typ", "token_use", "token_type", "tokenType", "tokenName",
];

/// What providers call an ID token in a claim: Keycloak `typ`, Cognito `token_use`, `ForgeRock` `tokenType`, `tokenName`.
const KINDS: [&str; 5] = ["ID", "id_token", "id-token", "JWT", "JWTToken"];

/// OpenID Connect Core §2: `sub` has at most 255 characters. So has everything else that names something.
const MAX_NAME_BYTES: usize = 255;

/// The longest name for display, in characters.
const MAX_DISPLAY_CHARACTERS: usize = 60;

/// How many seconds longer ago than `max_age` a sign-in may be: what passes between the provider's check and ours.
const MAX_AGE_LEEWAY_SECONDS: u64 = 5;

/// Who signed in, as a verified ID token says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdToken {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `auth_time`, seconds since 1970, if there is one.
    pub auth_time: Option<u64>,
    /// `sid`, if there is one.
    pub session_id: Option<String>,
    /// The name for display, of at most 60 characters without control characters: the first of `name`, `username` and
    /// `preferred_username` that has any.
    pub name: Option<String>,
}

/// What an ID token must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Whose it must be: `iss` is one of its accepted ones.
    pub issuer: &'a TrustedIssuer,
    /// `aud` must be this client alone, or name it with `azp` being this client.
    pub client_id: &'a str,
    /// `nonce`.
    pub nonce: &'a str,
    /// The keys and ages that the operator denies.
    pub denied: &'a DeniedTokens,
    /// If set, `auth_time` must be there and not longer ago than this many seconds, with a leeway of 5.
    pub max_age: Option<u64>,
}

/// Why an ID token does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The provider sent none.
    #[error("the provider sent no ID token")]
    Missing,
    /// Form, type, signature, issuer or time are wrong, or the provider's keys cannot be had.
    #[error("{}", .0.reason().slug())]
    Denied(Denial),
    /// It is a token of another kind, by this claim.
    #[error("not an ID token, by its claim {claim}")]
    NotAnIdToken {
        /// The claim.
        claim: &'static str,
    },
    /// It is for another client.
    #[error("the ID token is for another client")]
    Audience,
    /// It answers another round trip.
    #[error("the ID token answers another request")]
    Nonce,
    /// The sign-in was too long ago, or the provider does not say when it was.
    #[error("the sign-in was too long ago (auth_time {auth_time:?})")]
    TooOld {
        /// As in the token.
        auth_time: Option<u64>,
    },
}

impl From<Denial> for IdTokenError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Verifies an ID token at `now` (seconds since 1970): OpenID Connect Core §3.1.3.7, RFC 8725. `keys` are those of
/// `expected.issuer`.
///
/// Checks, in order: form, algorithm and header `typ` (`JWT` or none); `iss`; no claim says that it is a token of another
/// kind; `aud` and `azp`; `exp`, `iat`, `nbf`; `sub`; `nonce`, in constant time; `auth_time`; what the operator denies; the
/// signature.
///
/// # Errors
/// [`IdTokenError`], never `Missing`. [`Denial::reason`] says whether it is an outage.
pub async fn verify(
    id_token: &Secret,
    expected: &Expected<'_>,
    keys: &Rc<IssuerKeys>,
    now: u64,
    services: &impl Services,
) -> Result<IdToken, IdTokenError> {
    let jwt = jwt::parse(id_token.expose(), &|name| CLAIMS.contains(&name))?;
    jwt::check_type(jwt.typ.as_deref(), &TYPES)?;
    let (verified, issued_at) = read(&jwt.claims, expected, now)?;
    let UnverifiedJwt { claims, kid, .. } = &jwt;
    expected.denied.check_issue_time(Some(issued_at))?;
    expected.denied.check_kid(kid.as_deref())?;
    let tenant = || (verified.issuer.as_str(), claims.get("tid").and_then(Value::as_str));
    let choice = KeyChoice {
        issued_at: Some(issued_at),
        tenant: expected.issuer.profile.provider.has_keys_of_tenants.then(tenant),
        denied: expected.denied,
    };
    let Found { key, .. } = signature::verify(&jwt, choice, keys, now, services).await;
    key?;
    Ok(verified)
}

/// Reads claims whose signature is still to be verified. Also returns `iat`.
fn read(all: &Map<String, Value>, expected: &Expected<'_>, now: u64) -> Result<(IdToken, u64), IdTokenError> {
    let claim = |name: &str| all.get(name).filter(|value| !value.is_null());
    let text = |name: &str| claim(name).and_then(Value::as_str);
    let date = |name: &'static str| match claim(name) {
        None => Ok(None),
        Some(value) => {
            numeric_date(value).map(Some).ok_or(Denial::MalformedToken { error: TokenError::NotADate(name) })
        }
    };
    let issuer = text("iss");
    let issuer = issuer
        .filter(|iss| expected.issuer.accepted.iter().any(|accepted| accepted == iss))
        .ok_or_else(|| Denial::WrongIssuer { iss: issuer.map(Excerpt::new) })?;
    check_kind(all)?;
    check_audience(claim("aud"), claim("azp"), expected.client_id)?;
    let expires_at = date("exp")?.ok_or(Denial::MissingExpiry { error: ExpiryError::Missing })?;
    let issued_at = date("iat")?.ok_or(Denial::BadIssueTime { error: IssueTimeError::NotADate })?;
    let validity = Validity {
        expires_at: whole_seconds(expires_at.floor()),
        not_before: date("nbf")?.map(|date| whole_seconds(date.ceil())),
        issued_at: Some(whole_seconds(issued_at.floor())),
    };
    validity.check(now)?;
    let is_name = |name: &&str| (1..=MAX_NAME_BYTES).contains(&name.len());
    let subject = text("sub").filter(is_name).ok_or(Denial::MissingSubject)?;
    let nonce = text("nonce").unwrap_or_default();
    if expected.nonce.is_empty() || !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(IdTokenError::Nonce);
    }
    let auth_time = date("auth_time")?.map(|date| whole_seconds(date.floor()));
    let is_recent = |max_age: u64| {
        let earliest = now.saturating_sub(max_age).saturating_sub(MAX_AGE_LEEWAY_SECONDS);
        auth_time.is_some_and(|time| (earliest..=now.saturating_add(LEEWAY_SECONDS)).contains(&time))
    };
    if !expected.max_age.is_none_or(is_recent) {
        return Err(IdTokenError::TooOld { auth_time });
    }
    let verified = IdToken {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        auth_time,
        session_id: text("sid").filter(is_name).map(str::to_owned),
        name: ["name", "username", "preferred_username"].into_iter().filter_map(text).find_map(for_display),
    };
    Ok((verified, whole_seconds(issued_at.floor())))
}

/// Refuses what a claim calls a token of another kind. An ID token has neither `events`, which security events and logout
/// tokens have (OpenID Connect Back-Channel Logout §2.4), nor `cnf`, since nobody is asked for a proof.
fn check_kind(all: &Map<String, Value>) -> Result<(), IdTokenError> {
    for claim in ["events", "cnf"] {
        if all.get(claim).is_some_and(|value| !value.is_null()) {
            return Err(IdTokenError::NotAnIdToken { claim });
        }
    }
    for claim in ["typ", "token_use", "token_type", "tokenType", "tokenName"] {
        // `token_use` of Cognito is `id`; a claim of the same name that is no text is somebody's own.
        let is_other = |kind: &str| !KINDS.iter().any(|known| kind.eq_ignore_ascii_case(known));
        if all.get(claim).and_then(Value::as_str).is_some_and(is_other) {
            return Err(IdTokenError::NotAnIdToken { claim });
        }
    }
    Ok(())
}

/// Checks for whom the token is (OpenID Connect Core §3.1.3.7, 3 to 5): our client alone, or ours among others if `azp` says
/// that it was issued to ours. `azp` must never be another.
fn check_audience(aud: Option<&Value>, azp: Option<&Value>, client_id: &str) -> Result<(), IdTokenError> {
    let is_ours = |value: &Value| value.as_str() == Some(client_id);
    let is_for_us = match aud {
        Some(Value::Array(all)) => {
            all.iter().all(Value::is_string) && all.iter().any(is_ours) && (all.len() == 1 || azp.is_some())
        }
        Some(one) => is_ours(one),
        None => false,
    };
    if is_for_us && azp.is_none_or(is_ours) { Ok(()) } else { Err(IdTokenError::Audience) }
}

/// A name as it is shown: cut off, and without control characters.
fn for_display(name: &str) -> Option<String> {
    let name = name.chars().filter(|character| !character.is_control()).take(MAX_DISPLAY_CHARACTERS);
    let name = name.collect::<String>().trim().to_owned();
    (!name.is_empty()).then_some(name)
}
