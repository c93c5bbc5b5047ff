//! Whether a token was issued for us, by an issuer we trust, for now (RFC 9068 §4, RFC 7519 §4.1).
//!
//! The checks run before key look-up and signature, so that a token meant for somebody else costs no fetch and no
//! cryptography; and again for a token whose signature was verified before, because time goes on.

use serde_json::{Map, Value};

use super::super::{access::scope::Scopes, denial::Reason};

/// How far ahead of ours the provider's clock may be (RFC 7519 §4.1.5: "no more than a few minutes"). Without it, a
/// token that has just been issued might be refused.
pub const LEEWAY_SECONDS: u64 = 60;

/// How much longer than its `exp` a token lives. Much shorter: a token that dies a little early is renewed, one that
/// dies late serves whoever stole it.
pub const EXPIRY_LEEWAY_SECONDS: u64 = 5;

/// NumericDate beyond this (the year 9999) is a mistake in units, not a date.
const LATEST_DATE: f64 = 253_402_300_799.0;

/// The claims that a decision depends on, well-typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `iss`.
    pub issuer: String,
    /// `aud`, as a list.
    pub audience: Vec<String>,
    /// `sub`.
    pub subject: String,
    /// `client_id`, else `azp`.
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
    /// Whether the client acts for itself. There is no standard claim for it; known signs are `sub` equal to the client
    /// (Logto, Keycloak's newer versions, RFC 9068 §2.2 suggests it), `sub` of the form `<client>@clients` or `gty`
    /// (Auth0), and `idtyp` (Entra).
    #[must_use]
    pub fn is_of_a_machine(&self) -> bool {
        let says = |claim: &str, value: &str| self.all.get(claim).is_some_and(|said| said == value);
        let names_client = self
            .client_id
            .as_deref()
            .is_some_and(|client| self.subject == client || self.subject.strip_suffix("@clients") == Some(client));
        names_client || says("gty", "client-credentials") || says("idtyp", "app")
    }
}

/// Reads the claims that matter and checks their types.
///
/// Checks, in order: `iss` is a string; `aud` is a string or a list of strings; `exp` is a number; `nbf` and `iat` are
/// numbers if present; `sub` is a non-empty string; `client_id` and `azp` are strings if present. A missing scope claim
/// means no scopes, never all of them.
///
/// # Errors
/// [`Reason::WrongIssuer`], [`Reason::WrongAudience`], [`Reason::MissingExpiry`], [`Reason::MalformedToken`],
/// [`Reason::BadIssueTime`], [`Reason::MissingSubject`].
pub fn read(all: Map<String, Value>) -> Result<Claims, Reason> {
    let issuer = all.get("iss").and_then(Value::as_str).ok_or(Reason::WrongIssuer)?.to_owned();
    let audience = strings(all.get("aud").ok_or(Reason::WrongAudience)?).ok_or(Reason::WrongAudience)?;
    let expires_at = all.get("exp").and_then(numeric_date).ok_or(Reason::MissingExpiry)?;
    let not_before = match all.get("nbf") {
        None => None,
        Some(value) => Some(numeric_date(value).ok_or(Reason::MalformedToken)?),
    };
    let issued_at = match all.get("iat") {
        None => None,
        Some(value) => Some(numeric_date(value).ok_or(Reason::BadIssueTime)?),
    };
    let subject = match all.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => subject.clone(),
        _ => return Err(Reason::MissingSubject),
    };
    let client_id = match all.get("client_id").or_else(|| all.get("azp")) {
        None => None,
        Some(Value::String(client)) => Some(client.clone()),
        Some(_) => return Err(Reason::MalformedToken),
    };
    let scopes = ["scope", "scopes", "scp"].iter().find_map(|name| all.get(*name)).map(scopes).unwrap_or_default();
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

/// Whether the token is for one of `audiences`, byte for byte: no prefix, no case folding, no tolerance for a slash.
///
/// # Errors
/// [`Reason::WrongAudience`].
pub fn check_audience(claims: &Claims, audiences: &[String]) -> Result<(), Reason> {
    if claims.audience.iter().any(|audience| audiences.contains(audience)) {
        Ok(())
    } else {
        Err(Reason::WrongAudience)
    }
}

/// Whether the token is good at `now` (seconds since 1970): `exp` has not passed, `nbf` has come, `iat` is not in the
/// future and before `exp`; with [`EXPIRY_LEEWAY_SECONDS`] and [`LEEWAY_SECONDS`] for clocks that disagree.
///
/// # Errors
/// [`Reason::Expired`], [`Reason::NotYetValid`], [`Reason::BadIssueTime`].
pub fn check_time(claims: &Claims, now: u64) -> Result<(), Reason> {
    if claims.expires_at.saturating_add(EXPIRY_LEEWAY_SECONDS) <= now {
        return Err(Reason::Expired);
    }
    let latest = now.saturating_add(LEEWAY_SECONDS);
    if claims.not_before.is_some_and(|not_before| not_before > latest) {
        return Err(Reason::NotYetValid);
    }
    if claims.issued_at.is_some_and(|issued_at| issued_at > latest || issued_at >= claims.expires_at) {
        return Err(Reason::BadIssueTime);
    }
    Ok(())
}

/// A NumericDate (RFC 7519 §2): a JSON number, perhaps fractional, within the years 1970 to 9999.
fn numeric_date(value: &Value) -> Option<f64> {
    value.as_f64().filter(|date| (0.0..=LATEST_DATE).contains(date))
}

/// The seconds of a date that [`numeric_date`] let through and that has no fraction left.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the year 9999")]
fn whole_seconds(date: f64) -> u64 {
    date as u64
}

/// A string or a list of strings, as a list; `None` for anything else, an empty list included.
fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) if !many.is_empty() => many.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// A space-separated list or an array of names; anything else grants nothing.
fn scopes(value: &Value) -> Scopes {
    match value {
        Value::String(list) => Scopes::parse(list),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Scopes::default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_795_000_000;

    fn good() -> Value {
        json!({
            "iss": "https://issuer.example/oidc", "aud": "https://mcp.example.com/mcp", "sub": "alice",
            "client_id": "agent", "scope": "whoami:read", "iat": NOW - 60, "exp": NOW + 3540,
        })
    }

    /// The good claims, with one change.
    fn with(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Claims, Reason> {
        let mut claims = good().as_object().unwrap().clone();
        change(&mut claims);
        read(claims)
    }

    fn with_member(name: &str, value: Value) -> Result<Claims, Reason> {
        with(|claims| {
            claims.insert(name.to_owned(), value);
        })
    }

    fn audience(value: Value) -> Result<(), Reason> {
        check_audience(&with_member("aud", value)?, &["https://mcp.example.com/mcp".to_owned()])
    }

    fn time(name: &str, value: Value) -> Result<(), Reason> {
        check_time(&with_member(name, value)?, NOW)
    }

    #[test]
    fn the_good_claims_are_good() {
        let claims = with(|_| ()).unwrap();
        assert_eq!(claims.client_id.as_deref(), Some("agent"));
        assert_eq!(claims.scopes.to_string(), "whoami:read");
        assert_eq!(check_time(&claims, NOW), Ok(()));
    }

    #[test]
    fn audience_is_compared_byte_for_byte() {
        assert_eq!(audience(json!("https://mcp.example.com/mcp")), Ok(()));
        assert_eq!(audience(json!(["other", "https://mcp.example.com/mcp"])), Ok(()));
        for wrong in [
            json!("https://mcp.example.com/mcp/"),
            json!("https://mcp.example.com"),
            json!("https://MCP.example.com/mcp"),
            json!("https://mcp.example.com/mcp/x"),
            json!(["other"]),
            json!([]),
            json!(["https://mcp.example.com/mcp", 1]),
            json!({"https://mcp.example.com/mcp": true}),
            json!(null),
            json!(""),
        ] {
            assert_eq!(audience(wrong.clone()), Err(Reason::WrongAudience), "{wrong}");
        }
        assert_eq!(with(|claims| drop(claims.remove("aud"))), Err(Reason::WrongAudience));
    }

    #[test]
    fn exp_is_required_and_a_number() {
        assert_eq!(with(|claims| drop(claims.remove("exp"))), Err(Reason::MissingExpiry));
        for wrong in [json!("1795003540"), json!(null), json!(true), json!(-1), json!(1e300), json!([1_795_003_540])] {
            assert_eq!(with_member("exp", wrong.clone()), Err(Reason::MissingExpiry), "{wrong}");
        }
    }

    #[test]
    fn a_token_dies_one_leeway_after_exp() {
        let claims = with_member("exp", json!(NOW)).unwrap();
        assert_eq!(check_time(&claims, NOW + EXPIRY_LEEWAY_SECONDS - 1), Ok(()));
        assert_eq!(check_time(&claims, NOW + EXPIRY_LEEWAY_SECONDS), Err(Reason::Expired));
        assert_eq!(check_time(&with_member("exp", json!(0.5)).unwrap(), NOW), Err(Reason::Expired));
    }

    #[test]
    fn nbf_and_iat_are_checked_when_present() {
        assert_eq!(time("nbf", json!(NOW + LEEWAY_SECONDS)), Ok(()));
        assert_eq!(time("nbf", json!(NOW + LEEWAY_SECONDS + 1)), Err(Reason::NotYetValid));
        assert_eq!(time("nbf", json!("soon")), Err(Reason::MalformedToken));
        assert_eq!(time("iat", json!(NOW + LEEWAY_SECONDS + 1)), Err(Reason::BadIssueTime));
        assert_eq!(time("iat", json!(NOW + 3540)), Err(Reason::BadIssueTime));
        assert_eq!(time("iat", json!("yesterday")), Err(Reason::BadIssueTime));
        assert!(with(|claims| drop(claims.remove("iat"))).is_ok());
    }

    #[test]
    fn fractions_of_a_second_never_lengthen_a_life() {
        let claims = with(|claims| {
            claims.insert("exp".into(), json!(100.9));
            claims.insert("nbf".into(), json!(50.1));
        })
        .unwrap();
        assert_eq!((claims.expires_at, claims.not_before), (100, Some(51)));
    }

    #[test]
    fn sub_is_a_non_empty_string() {
        for wrong in [json!(""), json!(1), json!(null)] {
            assert_eq!(with_member("sub", wrong.clone()), Err(Reason::MissingSubject), "{wrong}");
        }
    }

    #[test]
    fn iss_is_a_string() {
        assert_eq!(with_member("iss", json!(["https://issuer.example/oidc"])), Err(Reason::WrongIssuer));
    }

    #[test]
    fn scopes_come_as_string_or_list_under_three_names() {
        for (name, value) in [("scopes", json!(["a", "b"])), ("scp", json!("a b")), ("scp", json!(["b", "a"]))] {
            let claims = with(|claims| {
                claims.remove("scope");
                claims.insert(name.into(), value.clone());
            });
            assert_eq!(claims.unwrap().scopes.to_string(), "a b", "{name}: {value}");
        }
    }

    #[test]
    fn no_scope_claim_grants_nothing() {
        for value in [json!(null), json!(1), json!({}), json!("")] {
            assert!(with_member("scope", value.clone()).unwrap().scopes.is_empty(), "{value}");
        }
        assert!(with(|claims| drop(claims.remove("scope"))).unwrap().scopes.is_empty());
    }

    #[test]
    fn machines_are_known_by_the_signs_of_several_providers() {
        assert!(!with(|_| ()).unwrap().is_of_a_machine());
        for (name, value) in
            [("sub", "agent"), ("sub", "agent@clients"), ("gty", "client-credentials"), ("idtyp", "app")]
        {
            assert!(with_member(name, json!(value)).unwrap().is_of_a_machine(), "{name}: {value}");
        }
        assert!(!with_member("sub", json!("other@clients")).unwrap().is_of_a_machine());
        assert!(!with_member("gty", json!("authorization_code")).unwrap().is_of_a_machine());
    }

    #[test]
    fn azp_stands_in_for_client_id() {
        let claims = with(|claims| {
            claims.remove("client_id");
            claims.insert("azp".into(), json!("other-agent"));
        });
        assert_eq!(claims.unwrap().client_id.as_deref(), Some("other-agent"));
        assert_eq!(with_member("client_id", json!(7)), Err(Reason::MalformedToken));
    }
}
