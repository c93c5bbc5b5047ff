//! How a refusal looks: status, `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1) and a small JSON body.
//!
//! Only texts of our own and settings that were checked at start go into the header; nothing that a client sent.

use std::fmt::Write;

use crate::denial::{Denial, Reason};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::http::Response;

/// What a challenge tells clients about this server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChallengeContext {
    /// URL of the protected resource metadata document, path-inserted: some clients accept no other.
    pub resource_metadata: String,
    /// What a client should ask for at first. Clients treat it as authoritative.
    pub basic_scopes: Scopes,
}

impl ChallengeContext {
    /// The answer to a refused request. Every one is `no-store`: a cached denial would outlive its reason.
    #[must_use]
    pub fn response(&self, denial: &Denial) -> Response {
        let face = denial.reason.face();
        let mut response =
            Response::json(face.status, body(face.error, face.description)).with_header("cache-control", "no-store");
        if face.challenge {
            response = response.with_header("www-authenticate", self.challenge(denial));
        }
        if let Some(seconds) = denial.retry_after {
            response = response.with_header("retry-after", seconds.to_string());
        }
        response
    }

    /// The value of `WWW-Authenticate`, on one line.
    fn challenge(&self, denial: &Denial) -> String {
        let face = denial.reason.face();
        let mut value = String::with_capacity(256);
        value.push_str("Bearer ");
        if let Some(error) = face.error {
            let _ = write!(value, "error=\"{error}\", error_description=\"{}\", ", face.description);
        }
        let _ = write!(value, "resource_metadata=\"{}\"", self.resource_metadata);
        let scopes = match denial.reason {
            Reason::InsufficientScope => &denial.needed,
            _ => &self.basic_scopes,
        };
        // A malformed request is not mended by asking for scopes.
        if face.status != 400 && !scopes.is_empty() {
            let _ = write!(value, ", scope=\"{scopes}\"");
        }
        value
    }
}

/// `{"error":…,"error_description":…}`; both texts are our own and need no escaping.
fn body(error: Option<&str>, description: &str) -> String {
    match error {
        Some(error) => format!(r#"{{"error":"{error}","error_description":"{description}"}}"#),
        None => format!(r#"{{"error_description":"{description}"}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> ChallengeContext {
        ChallengeContext {
            resource_metadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp".to_owned(),
            basic_scopes: Scopes::parse("whoami:read"),
        }
    }

    fn challenge(denial: impl Into<Denial>) -> String {
        let response = context().response(&denial.into());
        response.header("www-authenticate").unwrap_or("none").to_owned()
    }

    const METADATA: &str = r#"resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#;

    #[test]
    fn without_credentials_there_is_no_error_code() {
        assert_eq!(challenge(Reason::NoCredentials), format!(r#"Bearer {METADATA}, scope="whoami:read""#));
    }

    #[test]
    fn a_bad_token_is_invalid_token_with_scope() {
        assert_eq!(
            challenge(Reason::Expired),
            format!(
                r#"Bearer error="invalid_token", error_description="The access token expired", {METADATA}, scope="whoami:read""#
            )
        );
    }

    #[test]
    fn a_malformed_request_names_no_scope() {
        let challenge = challenge(Reason::MultipleCredentials);
        assert!(
            challenge.starts_with(r#"Bearer error="invalid_request""#) && !challenge.contains("scope="),
            "{challenge}"
        );
    }

    #[test]
    fn a_shortfall_names_every_scope_of_the_operation() {
        let challenge = challenge(Denial::insufficient_scope(Scopes::parse("notes:write notes:read")));
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.ends_with(r#"scope="notes:read notes:write""#), "{challenge}");
    }

    #[test]
    fn no_scope_attribute_when_nothing_is_required() {
        let context = ChallengeContext { basic_scopes: Scopes::default(), ..context() };
        let response = context.response(&Reason::NoCredentials.into());
        assert_eq!(response.header("www-authenticate"), Some(format!("Bearer {METADATA}").as_str()));
    }

    #[test]
    fn an_outage_says_when_to_come_back_and_challenges_nobody() {
        let response = context().response(&Denial::unavailable(Reason::KeysUnavailable, 0, "no connection"));
        assert_eq!(response.status, 503);
        assert_eq!(response.header("retry-after"), Some("1"));
        assert_eq!(response.header("www-authenticate"), None);
        assert!(!response.text().contains("no connection"), "the operator's detail must not reach the client");
    }

    #[test]
    fn every_body_is_json() {
        for reason in Reason::ALL {
            let response = context().response(&reason.into());
            serde_json::from_str::<serde_json::Value>(response.text())
                .unwrap_or_else(|_| panic!("{}", response.text()));
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
    }
}
