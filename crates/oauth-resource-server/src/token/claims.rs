//! Whether a token was issued for us, by an issuer we trust, for now (RFC 9068 §4, RFC 7519 §4.1).
//!
//! The checks run before key look-up and signature, so that a token meant for somebody else costs no fetch and no
//! cryptography; and again for a token whose signature was verified before, because time goes on.

use serde_json::{Map, Value};

use crate::denial::{Denial, Reason};
use mcp_edge_identity::{Kind, Scopes};

/// How far ahead of ours the provider's clock may be (RFC 7519 §4.1.5: "no more than a few minutes"). Without it, a
/// token that has just been issued might be refused.
pub const LEEWAY_SECONDS: u64 = 60;

/// How much longer than its `exp` a token lives. Much shorter: a token that dies a little early is renewed, one that
/// dies late serves whoever stole it.
pub const EXPIRY_LEEWAY_SECONDS: u64 = 5;

/// NumericDate beyond this (the year 9999) is a mistake in units, not a date.
const LATEST_DATE: f64 = 253_402_300_799.0;

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

/// Where claims come from, which decides what they prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A JWT whose `typ` says that it follows RFC 9068.
    AccessTokenJwt,
    /// A JWT of a provider that does not say so.
    PlainJwt,
    /// An answer to an introspection request.
    Introspection,
    /// An answer to a userinfo request.
    Userinfo,
}

/// When a token is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `exp`.
    pub expires_at: u64,
    /// `nbf`.
    pub not_before: Option<u64>,
    /// `iat`.
    pub issued_at: Option<u64>,
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

    /// Whether a person stands behind the token. There is no standard claim for it. Known signs of a machine come
    /// first; then what proves a user; without either, nobody knows.
    ///
    /// RFC 9068 §2.2 has `sub` be the client's own id where no user is involved, so another `sub` beside `client_id` is
    /// a user's. The scope `openid` is granted where a user is authenticated (OpenID Connect Core §3.1.2.1), which is
    /// proof enough in an answer to introspection: Logto gives no other. Userinfo tells of users alone. Elsewhere a
    /// sign-in proves a user: when (`auth_time`), how well (`acr`) and by what (`amr`) they were authenticated (OpenID
    /// Connect Core §2), or `idtyp` (Entra).
    ///
    /// Signs of a machine are: `sub` is the client (RFC 9068 §2.2; Logto, Okta, Cognito) or `<client>@clients` (Auth0),
    /// what `gty` (Auth0) and `idtyp` (Entra) say, the names that Keycloak and authentik give to service accounts and
    /// the address that Keycloak notes for them, and a subject of Entra's that is the object of a client which proved
    /// itself, without a scope that a user could have granted.
    #[must_use]
    pub fn kind(&self, source: Source) -> Kind {
        let is_client = |said: &str| {
            said == self.subject || (!said.is_empty() && self.subject.strip_suffix("@clients") == Some(said))
        };
        let is_grant = |grant: &Value| matches!(grant.as_str(), Some("client-credentials" | "client_credentials"));
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let any =
            |list: &Value, is_one: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|all| all.iter().any(is_one));

        let (mut is_machine, mut is_user, mut names_client) = (false, false, false);
        let (mut proved_itself, mut is_object, mut has_scope) = (false, false, false);
        let (mut has_acr, mut has_session, mut is_keycloak) = (false, false, false);
        // One pass: most tokens have none of these claims, and looking each up takes longer.
        for (name, value) in self.all.iter().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().unwrap_or_default();
            match name.as_str() {
                "client_id" => {
                    names_client = !text.is_empty();
                    is_machine |= is_client(text);
                }
                "azp" | "cid" | "appid" | "clientId" => is_machine |= is_client(text),
                "gty" => is_machine |= is_grant(value) || any(value, &is_grant),
                "idtyp" => {
                    is_machine |= matches!(text, "app" | "device");
                    is_user |= text == "user";
                }
                "preferred_username" | "username" => {
                    is_machine |= text.starts_with("service-account-") || text.ends_with("-client_credentials");
                }
                "clientHost" | "clientAddress" => is_machine = true,
                "azpacr" | "appidacr" => {
                    proved_itself |= matches!(text, "1" | "2") || matches!(value.as_u64(), Some(1 | 2));
                }
                "oid" => is_object = text == self.subject,
                "scp" => has_scope = !scopes(value).is_empty(),
                "auth_time" => is_user |= numeric_date(value).is_some_and(|date| date > 0.0),
                "amr" => is_user |= any(value, &is_text),
                "acr" => has_acr = !text.is_empty(),
                "sid" | "session_state" => has_session |= !text.is_empty(),
                "typ" => is_keycloak = true,
                _ => {}
            }
        }
        if is_machine || (proved_itself && is_object && !has_scope) {
            return Kind::Machine;
        }
        // Keycloak writes `acr` for service accounts as well. These have no session.
        let is_user = is_user
            || (has_acr && (has_session || !is_keycloak))
            || match source {
                Source::AccessTokenJwt => names_client,
                Source::PlainJwt => false,
                Source::Introspection => self.scopes.contains("openid"),
                Source::Userinfo => true,
            };
        if is_user { Kind::User } else { Kind::Unknown }
    }
}

/// Reads the claims that matter and checks their types.
///
/// Checks, in order: `iss` is a string; `aud` is a string or a list of strings; `exp` is a number; `nbf` and `iat` are
/// numbers if present; `sub` is a non-empty string; of `client_id`, `azp`, `cid` and `appid` the first that is present
/// and not empty is a string. A missing scope claim means no scopes, never all of them.
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
    // Of `cid` and `appid` those count that may be the client's: others are somebody's custom claims.
    let may_be_client =
        |name: &str, value: &&Value| **value != "" && (value.is_string() || matches!(name, "client_id" | "azp"));
    let client_id = match CLIENT.iter().find_map(|name| all.get(*name).filter(|value| may_be_client(name, value))) {
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

/// Whether the token is what it may be used as: an access token, and one that whoever holds it may send.
///
/// Checks, in order: `cnf` binds it to no key (RFC 7800, whatever the method: proofs are not supported); what some
/// providers call the kind of a token is that of an access token (`typ` of Keycloak, `token_use` of Cognito and Hydra,
/// `token_type` and `tokenName` of others); it has no claim that only an ID token or a security event has.
///
/// # Errors
/// [`Reason::SenderConstrained`], [`Reason::NotAnAccessToken`].
pub fn check_use(claims: &Claims) -> Result<(), Denial> {
    let mut another = None;
    let (mut has_nonce, mut has_at_hash) = (false, false);
    for (name, value) in claims.all.iter().filter(|(_, value)| !value.is_null()) {
        let says = |kinds: &[&str]| {
            value.as_str().is_some_and(|text| kinds.iter().any(|kind| text.eq_ignore_ascii_case(kind)))
        };
        let is_another = match name.as_str() {
            "cnf" => return Err(Denial::new(Reason::SenderConstrained, confirmation(value))),
            "typ" => !says(&["Bearer", "at+jwt", "JWT"]),
            "token_use" => !says(&["access", "access_token"]),
            // A custom claim may have one of these names, so only what is known is refused.
            "token_type" | "tokenType" | "tokenName" => {
                says(&["id", "id_token", "id-token", "refresh", "refresh_token", "refresh-token"])
            }
            "c_hash" | "s_hash" => true,
            "events" => value.is_object(),
            "nonce" => {
                has_nonce = true;
                has_at_hash
            }
            "at_hash" => {
                has_at_hash = true;
                has_nonce
            }
            _ => false,
        };
        if is_another {
            another = Some(name);
        }
    }
    // The name is one of those above.
    another.map_or(Ok(()), |name| Err(Denial::new(Reason::NotAnAccessToken, format!("by its claim {name}"))))
}

/// How a token is bound, for the operator.
fn confirmation(cnf: &Value) -> &'static str {
    if cnf.get("jkt").is_some() {
        "cnf.jkt: DPoP"
    } else if cnf.get("x5t#S256").is_some() {
        "cnf.x5t#S256: mutual TLS"
    } else {
        "cnf: a method that is not known here"
    }
}

/// Whether the token is good at `now` (seconds since 1970), see [`Validity::check`].
///
/// # Errors
/// As there.
pub fn check_time(claims: &Claims, now: u64) -> Result<(), Reason> {
    claims.validity().check(now)
}

impl Validity {
    /// Whether a token is good at `now` (seconds since 1970): `exp` has not passed, `nbf` has come, `iat` is not in the
    /// future and before `exp`; with [`EXPIRY_LEEWAY_SECONDS`] and [`LEEWAY_SECONDS`] for clocks that disagree.
    ///
    /// # Errors
    /// [`Reason::Expired`], [`Reason::NotYetValid`], [`Reason::BadIssueTime`].
    pub fn check(&self, now: u64) -> Result<(), Reason> {
        if self.expires_at.saturating_add(EXPIRY_LEEWAY_SECONDS) <= now {
            return Err(Reason::Expired);
        }
        let latest = now.saturating_add(LEEWAY_SECONDS);
        if self.not_before.is_some_and(|not_before| not_before > latest) {
            return Err(Reason::NotYetValid);
        }
        if self.issued_at.is_some_and(|issued_at| issued_at > latest || issued_at >= self.expires_at) {
            return Err(Reason::BadIssueTime);
        }
        Ok(())
    }
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
        let is_of_a_machine = |claims: Result<Claims, Reason>| claims.unwrap().kind(Source::PlainJwt) == Kind::Machine;
        assert!(!is_of_a_machine(with(|_| ())));
        for (name, value) in
            [("sub", "agent"), ("sub", "agent@clients"), ("gty", "client-credentials"), ("idtyp", "app")]
        {
            assert!(is_of_a_machine(with_member(name, json!(value))), "{name}: {value}");
        }
        assert!(!is_of_a_machine(with_member("sub", json!("other@clients"))));
        assert!(!is_of_a_machine(with_member("gty", json!("authorization_code"))));
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
