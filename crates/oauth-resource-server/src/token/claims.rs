//! The claims that decisions depend on (RFC 9068 §4, RFC 7519 §4.1): their types, and for whom the token was issued.
//!
//! The checks run before key look-up and signature, so that a token meant for somebody else costs no fetch and no
//! cryptography.

use serde_json::{Map, Value};

use super::{
    numeric_date::{numeric_date, whole_seconds},
    validity::Validity,
};
use crate::denial::{Denial, Excerpt, ExpiryError, IssueTimeError, TokenError};
use mcp_edge_identity::Scopes;

/// The claims that may name the client, the first that is there counts: RFC 9068 and RFC 7662 (Logto), OpenID Connect
/// (Keycloak, Auth0, Entra), then what Okta and Entra's first version have in their place.
pub(super) const CLIENT: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// Every claim that a decision depends on. Those come first that nearly every token has.
#[rustfmt::skip]
const DECISIVE: [&str; 40] = [
    "iss", "aud", "sub", "exp", "iat", "scope", "client_id", "nbf", "azp", "cid", "appid", "scopes", "scp",
    // What kind of token it is.
    "active", "cnf", "typ", "token_use", "token_type", "tokenType", "tokenName", "nonce", "at_hash", "c_hash", "s_hash", "events",
    // Who is calling.
    "auth_time", "acr", "amr", "sid", "session_state", "gty", "idtyp", "azpacr", "appidacr", "oid", "username",
    "preferred_username", "clientHost", "clientAddress", "clientId",
];

/// Whether any decision depends on a claim of this name.
#[must_use]
pub fn is_decisive(name: &str) -> bool {
    DECISIVE.contains(&name)
}

/// The claims that a decision depends on, well-typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `iss`.
    pub issuer: String,
    /// `aud`, as a list.
    pub audience: Vec<String>,
    /// `sub`.
    pub subject: String,
    /// `client_id`, else `azp`, `cid` or `appid`. An empty one names nobody.
    pub client_id: Option<String>,
    /// `scope`, else `scopes`, else `scp`.
    pub scopes: Scopes,
    /// `exp`, whole seconds since 1970.
    pub expires_at: u64,
    /// `nbf`, likewise, rounded up.
    pub not_before: Option<u64>,
    /// `iat`, likewise.
    pub issued_at: Option<u64>,
    /// All claims, for what may be disclosed of them.
    pub all: Map<String, Value>,
}

impl Claims {
    /// When the token is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        Validity { expires_at: self.expires_at, not_before: self.not_before, issued_at: self.issued_at }
    }
}

/// Reads the claims that decisions depend on and checks their types.
///
/// A claim that is `null` counts as absent: that is how serializers write a member without a value. Absence never grants
/// more: without `iss`, `aud`, `exp` or `sub` the token is denied, without a scope claim it has no scopes.
///
/// Checks, in order: `iss` is a string; `aud` is a string or a list of strings; `exp` is a number; `nbf` and `iat` are
/// numbers if present; `sub` is a non-empty string; of `client_id`, `azp`, `cid` and `appid` the first that is present
/// and not empty is a string. Of `scope`, `scopes` and `scp` the first that is present and not empty counts, of
/// any type; a missing scope claim means no scopes, never all of them.
///
/// # Errors
/// [`Denial::WrongIssuer`], [`Denial::WrongAudience`], [`Denial::MissingExpiry`], [`Denial::MalformedToken`],
/// [`Denial::BadIssueTime`], [`Denial::MissingSubject`].
pub fn read(all: Map<String, Value>) -> Result<Claims, Denial> {
    let claim = |name: &str| all.get(name).filter(|value| !value.is_null());
    let issuer = claim("iss").and_then(Value::as_str).ok_or(Denial::WrongIssuer { iss: None })?.to_owned();
    let audience = claim("aud").ok_or(Denial::WrongAudience { aud: None })?;
    let audience =
        strings(audience).ok_or_else(|| Denial::WrongAudience { aud: Some(Excerpt::new(&audience.to_string())) })?;
    let expires_at = claim("exp").ok_or(Denial::MissingExpiry { error: ExpiryError::Missing })?;
    let expires_at = numeric_date(expires_at).ok_or(Denial::MissingExpiry { error: ExpiryError::NotADate })?;
    let not_before = match claim("nbf") {
        None => None,
        Some(value) => {
            let error = TokenError::NotADate("nbf");
            Some(numeric_date(value).ok_or(Denial::MalformedToken { error })?)
        }
    };
    let issued_at = match claim("iat") {
        None => None,
        Some(value) => Some(numeric_date(value).ok_or(Denial::BadIssueTime { error: IssueTimeError::NotADate })?),
    };
    let subject = match claim("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => subject.clone(),
        _ => return Err(Denial::MissingSubject),
    };
    // Of `cid` and `appid` those count that may be the client's: others are somebody's custom claims.
    let may_be_client =
        |name: &str, value: &&Value| **value != "" && (value.is_string() || matches!(name, "client_id" | "azp"));
    let client = CLIENT
        .into_iter()
        .find_map(|name| claim(name).filter(|value| may_be_client(name, value)).map(|value| (name, value)));
    let client_id = match client {
        None => None,
        Some((_, Value::String(client))) => Some(client.clone()),
        Some((name, _)) => return Err(Denial::MalformedToken { error: TokenError::NotAString(name) }),
    };
    // One of another type counts: it grants nothing, and the next name must not grant in its place.
    let scopes = ["scope", "scopes", "scp"].iter().find_map(|name| claim(name).filter(|value| !is_empty(value)));
    let scopes = scopes.map(self::scopes).unwrap_or_default();
    Ok(Claims {
        issuer,
        audience,
        subject,
        client_id,
        scopes,
        expires_at: whole_seconds(expires_at.floor()),
        not_before: not_before.map(|date| whole_seconds(date.ceil())),
        issued_at: issued_at.map(|date| whole_seconds(date.floor())),
        all,
    })
}

/// Checks that the token is for one of `audiences`, byte for byte: no prefix, no case folding, no tolerance for a slash.
///
/// # Errors
/// [`Denial::WrongAudience`].
pub fn check_audience(claims: &Claims, audiences: &[String]) -> Result<(), Denial> {
    if claims.audience.iter().any(|audience| audiences.contains(audience)) {
        Ok(())
    } else {
        Err(Denial::WrongAudience { aud: Some(Excerpt::new(&format!("{:?}", claims.audience))) })
    }
}

/// Checks that the token is good at `now` (seconds since 1970), see [`Validity::check`].
///
/// # Errors
/// As there.
pub fn check_time(claims: &Claims, now: u64) -> Result<(), Denial> {
    claims.validity().check(now)
}

/// A string or a list of strings, as a list; `None` for anything else, an empty list included.
fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) if !many.is_empty() => many.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Whether a scope claim names nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(list) => list.trim_ascii().is_empty(),
        Value::Array(names) => names.is_empty(),
        _ => false,
    }
}

/// A space-separated list or an array of names; anything else grants nothing.
pub(super) fn scopes(value: &Value) -> Scopes {
    match value {
        Value::String(list) => Scopes::parse(list),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Scopes::default(),
    }
}

#[cfg(test)]
mod tests;
