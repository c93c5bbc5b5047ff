//! Answers of the provider's token endpoint to an exchange (RFC 8693 §2.2), read with everything that a connection demands of
//! them. Nothing of an answer gets into an error.

use mcp_edge_oauth::{json_members, token_endpoint::TokenEndpointError};
use mcp_edge_runtime::{ports::HttpResponse, secret::Secret};
use serde_json::Value;

use super::source::{IssuedToken, NoToken};
use crate::jwt::{expiry_of, has_actor};

/// What an access token is called (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Longer than a token that fits into a request's header.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How long a token is used whose answer does not say how long it is good, in seconds.
const DEFAULT_SECONDS: u64 = 60;

/// What an answer must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The token that was exchanged: no answer may be that.
    pub subject: &'a Secret,
    /// What was asked for.
    pub scopes: &'a [String],
    /// Whether `issued_token_type`, which RFC 8693 requires, may be missing: Logto has none.
    pub may_lack_type: bool,
}

/// Reads an answer.
///
/// | answer | means |
/// |---|---|
/// | 200 with another Bearer token of the right type, and no scope but those that were asked for | the token |
/// | 200 with anything else | the provider does not do what our settings say |
/// | `invalid_grant`, `access_denied` | it is refused for this user |
/// | another OAuth error | our own client, or what our settings ask for |
/// | anything else | an outage |
///
/// # Errors
/// As in the table.
pub fn read(reply: &HttpResponse, expected: Expected<'_>, now: u64) -> Result<IssuedToken, NoToken> {
    if reply.status != 200 {
        return Err(error_of(reply));
    }
    let wanted =
        |name: &str| matches!(name, "access_token" | "token_type" | "issued_token_type" | "expires_in" | "scope");
    let members = json_members::read(reply.body.as_bytes(), &wanted)
        .map_err(|_| NoToken::Unavailable("the token endpoint answered with something that is no JSON".to_owned()))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let token = text("access_token").filter(|token| (1..=MAX_TOKEN_BYTES).contains(&token.len()));
    let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
    let token = token.ok_or_else(|| misconfigured("the token endpoint issued no access token"))?;
    if token == expected.subject.expose() {
        return Err(misconfigured("the provider gave the caller's own token back, which must reach no other service"));
    }
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(misconfigured("the provider issued a token that is no Bearer token"));
    }
    match members.get("issued_token_type") {
        Some(Value::String(kind)) if kind == ACCESS_TOKEN => {}
        None if expected.may_lack_type => {}
        None => return Err(misconfigured("the answer has no issued_token_type, which RFC 8693 requires")),
        Some(_) => return Err(misconfigured("the provider issued a token of another type than an access token")),
    }
    if has_actor(expected.subject.expose()) == Some(true) && has_actor(token) == Some(false) {
        return Err(misconfigured(
            "the provider issued a token without `act` for one that has it: who acts would be lost",
        ));
    }
    let scopes = granted(members.get("scope"), expected.scopes)?;
    let seconds = members.get("expires_in").and_then(Value::as_u64);
    let until = seconds
        .map_or_else(|| expiry_of(token).unwrap_or(now + DEFAULT_SECONDS), |seconds| now.saturating_add(seconds));
    Ok(IssuedToken { token: Secret::new(token), scopes, until })
}

/// What was granted: all that was asked for if the answer does not say it. Without a question, an answer says what the provider
/// gives by itself (RFC 8693 §2.2.1).
fn granted(scope: Option<&Value>, asked: &[String]) -> Result<String, NoToken> {
    let scope = match scope {
        None | Some(Value::Null) => return Ok(asked.join(" ")),
        Some(Value::String(scope)) if asked.is_empty() => return Ok(scope.clone()),
        Some(Value::String(scope)) => scope,
        Some(_) => return Err(misconfigured("the answer has a scope that is no text")),
    };
    let wider = scope.split_ascii_whitespace().any(|granted| !asked.iter().any(|asked| asked == granted));
    if wider {
        return Err(misconfigured("the provider granted scopes that were not asked for"));
    }
    Ok(scope.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

fn error_of(reply: &HttpResponse) -> NoToken {
    let problem = match TokenEndpointError::of(reply) {
        TokenEndpointError::Grant => {
            return NoToken::Refused("the provider refuses to exchange the caller's token (invalid_grant)".to_owned());
        }
        TokenEndpointError::Other(code) if code == "access_denied" => {
            return NoToken::Refused("the provider does not give this user access (access_denied)".to_owned());
        }
        TokenEndpointError::Outage(status) => {
            return NoToken::Unavailable(format!("the token endpoint answered with status {status}"));
        }
        TokenEndpointError::Client => "the provider refuses our client: check its id and its secret".to_owned(),
        TokenEndpointError::SecretExpired => "the secret of our client has expired: set a new one".to_owned(),
        TokenEndpointError::Target => "the provider does not know `resource` or `audience`".to_owned(),
        TokenEndpointError::Other(code) => {
            format!(
                "the provider answered {code}: our client must be allowed to exchange tokens, and `scopes` must exist"
            )
        }
    };
    NoToken::Misconfigured(problem)
}

fn misconfigured(problem: &str) -> NoToken {
    NoToken::Misconfigured(problem.to_owned())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::base64::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn answer(status: u16, body: &Value) -> HttpResponse {
        HttpResponse { status, challenge: String::new(), body: body.to_string() }
    }

    fn read_with(body: &Value, subject: &str, may_lack_type: bool) -> Result<(String, String, u64), NoToken> {
        let subject = Secret::new(subject);
        let scopes = ["a".to_owned(), "b".to_owned()];
        let expected = Expected { subject: &subject, scopes: &scopes, may_lack_type };
        let issued = read(&answer(200, body), expected, NOW)?;
        Ok((issued.token.expose().to_owned(), issued.scopes, issued.until))
    }

    fn good() -> Value {
        json!({"access_token": "t", "token_type": "Bearer", "issued_token_type": ACCESS_TOKEN, "expires_in": 300})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut body = good();
        body[name] = value;
        body
    }

    fn jwt(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn a_token_is_good_for_what_was_asked_or_less() {
        assert_eq!(read_with(&good(), "s", false), Ok(("t".into(), "a b".into(), NOW + 300)));
        assert_eq!(read_with(&with("scope", json!("b")), "s", false), Ok(("t".into(), "b".into(), NOW + 300)));
        assert_eq!(read_with(&with("scope", json!("")), "s", false), Ok(("t".into(), String::new(), NOW + 300)));
        assert_eq!(read_with(&with("token_type", json!("bearer")), "s", false).map(|issued| issued.2), Ok(NOW + 300));
        assert_eq!(read_with(&with("expires_in", json!(null)), "s", false).map(|issued| issued.2), Ok(NOW + 60));
        let own = jwt(&json!({"exp": NOW + 7}));
        let mut body = with("access_token", json!(own));
        body["expires_in"] = Value::Null;
        assert_eq!(read_with(&body, "s", false).map(|issued| issued.2), Ok(NOW + 7));
    }

    #[test]
    fn what_is_not_what_was_asked_for_is_no_token() {
        for body in [
            with("access_token", json!("s")),
            with("access_token", json!("")),
            with("access_token", json!(7)),
            with("access_token", json!("two words")),
            with("access_token", json!("x".repeat(MAX_TOKEN_BYTES + 1))),
            with("token_type", json!("N_A")),
            with("token_type", json!("DPoP")),
            with("token_type", json!(null)),
            with("issued_token_type", json!("urn:ietf:params:oauth:token-type:id_token")),
            with("issued_token_type", json!("urn:ietf:params:oauth:token-type:refresh_token")),
            with("issued_token_type", json!(7)),
            with("scope", json!("a b c")),
            with("scope", json!("A")),
            with("scope", json!(["a", "c"])),
        ] {
            for may_lack_type in [false, true] {
                let refused = read_with(&body, "s", may_lack_type);
                assert!(matches!(refused, Err(NoToken::Misconfigured(_))), "{body}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_provider_says_what_it_gives_to_those_who_ask_for_no_scope() {
        let subject = Secret::new("s");
        let expected = Expected { subject: &subject, scopes: &[], may_lack_type: false };
        let issued = read(&answer(200, &with("scope", json!("email profile"))), expected, NOW).unwrap();
        assert_eq!(issued.scopes, "email profile");
    }

    #[test]
    fn the_type_may_be_missing_at_logto_alone() {
        let mut body = good();
        body.as_object_mut().unwrap().remove("issued_token_type");
        assert!(matches!(read_with(&body, "s", false), Err(NoToken::Misconfigured(_))));
        assert!(read_with(&body, "s", true).is_ok());
    }

    #[test]
    fn who_acts_is_not_lost() {
        let (with_actor, without) = (jwt(&json!({"act": {"sub": "agent"}})), jwt(&json!({"sub": "ada"})));
        let body = |token: &str| with("access_token", json!(token));
        assert!(matches!(read_with(&body(&without), &with_actor, false), Err(NoToken::Misconfigured(_))));
        let longer = jwt(&json!({"act": {"sub": "server", "act": {"sub": "agent"}}}));
        assert!(read_with(&body(&longer), &with_actor, false).is_ok());
        // Of an opaque token nothing is known.
        assert!(read_with(&good(), &with_actor, false).is_ok());
        assert!(read_with(&body(&without), "opaque", false).is_ok());
    }

    #[test]
    fn errors_part_users_from_our_client_and_from_outages() {
        let of =
            |status, error: &str| error_of(&answer(status, &json!({"error": error, "error_description": "t0k3n"})));
        assert!(matches!(of(400, "invalid_grant"), NoToken::Refused(_)));
        assert!(matches!(of(403, "access_denied"), NoToken::Refused(_)));
        for error in ["invalid_client", "invalid_target", "invalid_scope", "unauthorized_client", "invalid_request"] {
            assert!(matches!(of(400, error), NoToken::Misconfigured(_)), "{error}");
        }
        for (status, error) in
            [(500, "invalid_grant"), (429, "invalid_grant"), (503, "x"), (302, "x"), (404, "two words")]
        {
            assert!(matches!(of(status, error), NoToken::Unavailable(_)), "{status} {error}");
        }
        assert!(!of(400, "invalid_grant").to_string().contains("t0k3n"));
        for body in ["<html>", "[]", r#"{"access_token":"a","access_token":"b"}"#] {
            let reply = HttpResponse { status: 200, challenge: String::new(), body: body.to_owned() };
            let subject = Secret::new("s");
            let expected = Expected { subject: &subject, scopes: &[], may_lack_type: true };
            assert!(matches!(read(&reply, expected, NOW), Err(NoToken::Unavailable(_))), "{body}");
        }
    }
}
