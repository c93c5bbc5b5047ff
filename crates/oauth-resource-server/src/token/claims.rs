//! The claims that decisions depend on (RFC 9068 §4, RFC 7519 §4.1): their types, and for whom the token was issued.
//!
//! The checks run before key look-up and signature, so that a token meant for somebody else costs no fetch and no
//! cryptography.

use serde_json::{Map, Value};

use super::{
    numeric_date::{numeric_date, whole_seconds},
    profile::TokenProfile,
    validity::Validity,
};
use crate::denial::{Denial, Excerpt, ExpiryError, IssueTimeError, TokenError};
use mcp_edge_identity::Scopes;
use mcp_edge_providers::AudienceRule;
use mcp_edge_runtime::json::to_json;

/// Every claim that a decision depends on, those of all providers' profiles included. Those come first that nearly every
/// token has.
#[rustfmt::skip]
const DECISIVE: [&str; 52] = [
    "iss", "aud", "sub", "exp", "iat", "jti", "scope", "client_id", "nbf", "azp", "cid", "appid", "scopes", "scp",
    // What kind of token it is.
    "active", "cnf", "typ", "token_use", "token_type", "tokenType", "tokenName", "at_hash", "c_hash", "s_hash", "events",
    // Who is calling.
    "auth_time", "acr", "amr", "sid", "session_state", "gty", "idtyp", "azpacr", "appidacr", "oid", "username",
    "preferred_username", "clientHost", "clientAddress", "clientId", "uid", "role", "session_id", "is_anonymous", "sub_profile", "xms_sub_fct",
    // For whom, and what a machine may do.
    "organization_id", "organization", "org_id", "tid", "ver", "roles",
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
    /// `aud`, as a list; empty if there is none, which only some [profiles](AudienceRule) let pass.
    pub audience: Vec<String>,
    /// `sub`.
    pub subject: String,
    /// The client, by the first claim of the profile that names one. An empty one names nobody.
    pub client_id: Option<String>,
    /// The scopes as the provider writes them, by the first claim of the profile that has some.
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

    /// The organization that the user acts for, if the profile has a claim for it and the token a name in it. Of several
    /// names none is the one.
    #[must_use]
    pub fn organization(&self, profile: &TokenProfile) -> Option<&str> {
        let name = match self.all.get(profile.organization_claim.as_deref()?)? {
            Value::Array(names) if names.len() == 1 => names[0].as_str(),
            // Keycloak, with what else it tells of the organization.
            Value::Object(names) if names.len() == 1 => names.keys().next().map(String::as_str),
            name => name.as_str(),
        };
        name.filter(|name| !name.is_empty())
    }

    /// The permissions of a machine that has no scopes.
    #[must_use]
    pub fn machine_scopes(&self, profile: &TokenProfile) -> Scopes {
        first_scopes(&self.all, &profile.machine_scope_claims)
    }
}

/// `iss`, before anything else is read: it selects the profile.
///
/// # Errors
/// [`Denial::WrongIssuer`] if it is missing or no string.
pub fn issuer(all: &Map<String, Value>) -> Result<&str, Denial> {
    all.get("iss").and_then(Value::as_str).ok_or(Denial::WrongIssuer { iss: None })
}

/// Reads the claims that decisions depend on and checks their types.
///
/// A claim that is `null` counts as absent: that is how serializers write a member without a value. Absence never grants
/// more: without `iss`, `aud`, `exp` or `sub` the token is denied, without a scope claim it has no scopes.
///
/// Checks, in order: `iss` is a string; `aud` is a string or a list of strings, or is missing where the profile can do
/// without; `exp` is a number; `nbf` and `iat` are numbers if present; `sub` is a non-empty string; of the profile's claims
/// for the client the first that is present and not empty is a string. Of those for scopes the first that is present and
/// not empty counts, of any type; a missing scope claim means no scopes, never all of them.
///
/// # Errors
/// [`Denial::WrongIssuer`], [`Denial::WrongAudience`], [`Denial::MissingExpiry`], [`Denial::MalformedToken`],
/// [`Denial::BadIssueTime`], [`Denial::MissingSubject`].
pub fn read(all: Map<String, Value>, profile: &TokenProfile) -> Result<Claims, Denial> {
    let claim = |name: &str| all.get(name).filter(|value| !value.is_null());
    let issuer = issuer(&all)?.to_owned();
    let audience = match claim("aud") {
        Some(audience) => {
            strings(audience).ok_or_else(|| Denial::WrongAudience { aud: Some(Excerpt::new(&to_json(audience))) })?
        }
        None if profile.provider.audience == AudienceRule::ClaimOrScopePrefix => Vec::new(),
        None => return Err(Denial::WrongAudience { aud: None }),
    };
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
    // Of another type than text, a claim that no standard has is somebody's own.
    let may_be_client =
        |name: &str, value: &&Value| **value != "" && (value.is_string() || matches!(name, "client_id" | "azp"));
    let client = profile
        .client_id_claims
        .iter()
        .find_map(|name| claim(name).filter(|value| may_be_client(name, value)).map(|value| (name, value)));
    let client_id = match client {
        None => None,
        Some((_, Value::String(client))) => Some(client.clone()),
        Some((name, _)) => {
            let name = if name == "azp" { "azp" } else { "client_id" };
            return Err(Denial::MalformedToken { error: TokenError::NotAString(name) });
        }
    };
    let scopes = first_scopes(&all, &profile.scope_claims);
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
        Err(Denial::WrongAudience {
            aud: (!claims.audience.is_empty()).then(|| Excerpt::new(&format!("{:?}", claims.audience))),
        })
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

/// The scopes in the first of these claims that is there and not empty. One of another type counts: it grants nothing, and
/// the next name must not grant in its place.
fn first_scopes(all: &Map<String, Value>, names: &[String]) -> Scopes {
    let claim = |name: &String| all.get(name).filter(|value| !value.is_null() && !is_empty(value));
    names.iter().find_map(claim).map(scopes).unwrap_or_default()
}

/// Whether a claim is an empty list, in either form.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(list) => list.trim_ascii().is_empty(),
        Value::Array(names) => names.is_empty(),
        _ => false,
    }
}

/// A space-separated list or an array of names; anything else grants nothing. `/` is no scope: Entra writes it for an agent
/// that was granted none.
pub(super) fn scopes(value: &Value) -> Scopes {
    match value {
        Value::String(list) => list.split(' ').filter(|name| *name != "/").collect(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "/").collect(),
        _ => Scopes::default(),
    }
}

#[cfg(test)]
mod tests;
