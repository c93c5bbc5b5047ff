//! The response to a refused request: status, `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1) and a small JSON body.
//!
//! Only constant strings and settings that were checked at start go into the header; nothing that a client sent.

use std::fmt::Write;

use crate::{
    denial::{Denial, PublicError},
    scope_prefix::ScopePrefix,
};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::http::Response;

/// What a challenge tells clients about this server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChallengeContext {
    /// URL of the protected resource metadata document, path-inserted: some clients accept no other.
    pub resource_metadata: String,
    /// What a client should ask for at first. Clients treat it as authoritative.
    pub basic_scopes: Scopes,
    /// Added to all scopes of a challenge, those of a denial included.
    pub scope_prefix: ScopePrefix,
}

impl ChallengeContext {
    /// The response to a refused request. Every one is `no-store`: a cached denial would last longer than its cause.
    #[must_use]
    pub fn response(&self, denial: &Denial) -> Response {
        let scopes = match denial {
            Denial::InsufficientScope { needed } => needed,
            _ => &self.basic_scopes,
        };
        self.public_response(denial.reason().to_public(), scopes, denial.retry_after())
    }

    fn public_response(&self, public: PublicError, scopes: &Scopes, retry_after: Option<u64>) -> Response {
        let body = body(public.error, public.description);
        let mut response = Response::json(public.status, body).with_header("cache-control", "no-store");
        if public.challenge {
            response = response.with_header("www-authenticate", self.challenge(public, scopes));
        }
        if let Some(seconds) = retry_after {
            response = response.with_header("retry-after", seconds.to_string());
        }
        response
    }

    /// The value of `WWW-Authenticate`, on one line.
    fn challenge(&self, public: PublicError, scopes: &Scopes) -> String {
        let mut value = String::with_capacity(256);
        value.push_str("Bearer ");
        if let Some(error) = public.error {
            let _ = write!(value, "error=\"{error}\", error_description=\"{}\", ", public.description);
        }
        let _ = write!(value, "resource_metadata=\"{}\"", self.resource_metadata);
        // Scopes do not help a malformed request.
        if public.status != 400 && !scopes.is_empty() {
            let _ = write!(value, ", scope=\"{}\"", self.scope_prefix.requested(scopes));
        }
        value
    }
}

/// `{"error":…,"error_description":…}`; both are constants and need no escaping.
fn body(error: Option<&str>, description: &str) -> String {
    match error {
        Some(error) => format!(r#"{{"error":"{error}","error_description":"{description}"}}"#),
        None => format!(r#"{{"error_description":"{description}"}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::{Excerpt, KeysOutage, Reason};

    fn context() -> ChallengeContext {
        ChallengeContext {
            resource_metadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp".to_owned(),
            basic_scopes: Scopes::parse("whoami:read"),
            ..ChallengeContext::default()
        }
    }

    fn challenge(denial: &Denial) -> String {
        let response = context().response(denial);
        response.header("www-authenticate").unwrap_or("none").to_owned()
    }

    const METADATA: &str = r#"resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#;

    #[test]
    fn without_credentials_there_is_no_error_code() {
        assert_eq!(challenge(&Denial::NoCredentials), format!(r#"Bearer {METADATA}, scope="whoami:read""#));
    }

    #[test]
    fn a_bad_token_is_invalid_token_with_scope() {
        assert_eq!(
            challenge(&Denial::Expired { exp: 1, now: 2 }),
            format!(
                r#"Bearer error="invalid_token", error_description="The access token expired", {METADATA}, scope="whoami:read""#
            )
        );
    }

    #[test]
    fn a_malformed_request_names_no_scope() {
        let challenge = challenge(&Denial::MultipleCredentials);
        assert!(
            challenge.starts_with(r#"Bearer error="invalid_request""#) && !challenge.contains("scope="),
            "{challenge}"
        );
    }

    #[test]
    fn a_shortfall_names_every_scope_of_the_operation() {
        let challenge = challenge(&Denial::InsufficientScope { needed: Scopes::parse("notes:write notes:read") });
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.ends_with(r#"scope="notes:read notes:write""#), "{challenge}");
    }

    #[test]
    fn scopes_are_those_that_clients_request() {
        let context = ChallengeContext { scope_prefix: ScopePrefix::new("api://notes/"), ..context() };
        let scope = |denial: &Denial| {
            let response = context.response(denial);
            response.header("www-authenticate").and_then(|value| Some(value.split_once(" scope=")?.1.to_owned()))
        };
        assert_eq!(scope(&Denial::NoCredentials).as_deref(), Some(r#""api://notes/whoami:read""#));
        let needed = Scopes::parse("write email read");
        assert_eq!(
            scope(&Denial::InsufficientScope { needed }).as_deref(),
            Some(r#""api://notes/read api://notes/write email""#)
        );
    }

    #[test]
    fn no_scope_attribute_when_nothing_is_required() {
        let context = ChallengeContext { basic_scopes: Scopes::default(), ..context() };
        let response = context.response(&Denial::NoCredentials);
        assert_eq!(response.header("www-authenticate"), Some(format!("Bearer {METADATA}").as_str()));
    }

    #[test]
    fn an_outage_says_when_to_come_back_and_challenges_nobody() {
        let response = context().response(&Denial::KeysUnavailable {
            cause: KeysOutage::Provider(Excerpt::new("no connection")),
            retry_after: 0,
        });
        assert_eq!(response.status, 503);
        assert_eq!(response.header("retry-after"), Some("1"));
        assert_eq!(response.header("www-authenticate"), None);
        assert!(!response.text().contains("no connection"), "the operator's detail must not reach the client");
    }

    #[test]
    fn every_body_is_json() {
        for reason in Reason::ALL {
            let response = context().public_response(reason.to_public(), &Scopes::default(), None);
            serde_json::from_str::<serde_json::Value>(response.text())
                .unwrap_or_else(|_| panic!("{}", response.text()));
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
    }
}
