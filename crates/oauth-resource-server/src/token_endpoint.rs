//! Error responses of the provider's token endpoint (RFC 6749 §5.2), and what each says of our own client.
//!
//! All clients of ours meet the same errors: those that redeem codes, refresh, exchange tokens or get machine tokens. An
//! expired secret has to be replaced by the operator.

use mcp_edge_runtime::ports::HttpResponse;
use serde_json::Value;

use crate::json_members;

/// Why no token was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenEndpointError {
    /// `invalid_client`: no such application, or another secret.
    Client,
    /// The client secret has expired. Logto says so as `invalid_request`.
    SecretExpired,
    /// `invalid_target`: there is no such API resource (RFC 8707 §2).
    Target,
    /// `invalid_grant`: the code or token that was to be exchanged is not good.
    Grant,
    /// Another error code.
    Other(String),
    /// With this status: the response is not the token endpoint's, or an error that asks to try again.
    Outage(u16),
}

impl TokenEndpointError {
    /// Reads an answer of the token endpoint that is not 200.
    #[must_use]
    pub fn of(reply: &HttpResponse) -> Self {
        let outage = Self::Outage(reply.status);
        if !(400..500).contains(&reply.status) || reply.status == 429 {
            return outage;
        }
        // Logto has a code of its own beside `error`: `oidc.invalid_client`.
        let is_read = |name: &str| matches!(name, "error" | "code" | "error_description");
        let Ok(members) = json_members::read(reply.body.as_bytes(), &is_read) else { return outage };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let code = || text("code")?.strip_prefix("oidc.");
        let Some(error) = text("error").or_else(code).filter(|error| is_error_code(error)) else { return outage };
        let error_description = text("error_description").unwrap_or_default();
        let is_expired = error_description.contains("secret") && error_description.contains("expired");
        match error {
            // Of the authorization endpoint (RFC 6749 §4.1.2.1) and of devices (RFC 8628 §3.5); some servers answer so here.
            "server_error" | "temporarily_unavailable" | "slow_down" => outage,
            "invalid_client" | "invalid_request" if is_expired => Self::SecretExpired,
            "invalid_client" => Self::Client,
            "invalid_target" => Self::Target,
            "invalid_grant" => Self::Grant,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Codes are written into the log; descriptions, which may repeat what was sent, are not.
fn is_error_code(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(status: u16, body: &str) -> TokenEndpointError {
        TokenEndpointError::of(&HttpResponse { status, challenge: String::new(), body: body.to_owned() })
    }

    #[test]
    fn recorded_answers_about_our_own_client() {
        let recorded: Value =
            serde_json::from_str(include_str!("../../../registrar/tests/logto/token-own-client.json")).unwrap();
        for (name, error) in [
            ("wrong secret", TokenEndpointError::Client),
            ("unknown client", TokenEndpointError::Client),
            ("public client", TokenEndpointError::Client),
            ("secret has expired", TokenEndpointError::SecretExpired),
            ("unknown resource", TokenEndpointError::Target),
        ] {
            let status = recorded[name]["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
            assert_eq!(read(status, &recorded[name]["body"].to_string()), error, "{name}");
        }
    }

    #[test]
    fn errors_of_other_servers() {
        let error = |error: &str, description: &str| {
            read(400, &json!({"error": error, "error_description": description}).to_string())
        };
        assert_eq!(error("invalid_grant", "grant request is invalid"), TokenEndpointError::Grant);
        assert_eq!(
            error("invalid_client", "client secret is expired - cannot authenticate"),
            TokenEndpointError::SecretExpired
        );
        assert_eq!(error("invalid_grant", "the secret code has expired"), TokenEndpointError::Grant);
        assert_eq!(
            error("invalid_request", "missing required parameter(s) 'code'"),
            TokenEndpointError::Other("invalid_request".into())
        );
        assert_eq!(error("invalid_client", "the session has expired"), TokenEndpointError::Client);
        assert_eq!(error("invalid_client", "client secret is wrong"), TokenEndpointError::Client);
        assert_eq!(read(400, r#"{"code":"oidc.invalid_grant","message":"x"}"#), TokenEndpointError::Grant);
    }

    #[test]
    fn what_is_no_oauth_error_is_an_outage() {
        for (status, body) in [
            (401, "<html>"),
            (400, "null"),
            (403, "{}"),
            (404, r#"{"code":"entity.not_found"}"#),
            (400, r#"{"error":"two words"}"#),
            (400, r#"{"error":1}"#),
            (429, r#"{"error":"invalid_client"}"#),
            (503, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"server_error"}"#),
            (403, r#"{"error":"temporarily_unavailable"}"#),
            (400, r#"{"error":"slow_down"}"#),
        ] {
            assert_eq!(read(status, body), TokenEndpointError::Outage(status), "{body}");
        }
    }
}
