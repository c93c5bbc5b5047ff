//! Client metadata (RFC 7591 §2): parsing and validation, as plain data and without I/O.
//!
//! | module | contents | source |
//! |---|---|---|
//! | [`members`](mod@members) | the members of a request as JSON | RFC 7591 §2 |
//! | `validation` | the rules for each member | RFC 7591 §2 |
//! | [`name`] | the name that users read | RFC 7591 §2 |
//! | `joiners` | zero width joiners and emoji selectors in names | RFC 5892 Appendix A, UAX #31, UTS #51 |
//! | [`redirect_uri`] | validation of redirect URIs | RFC 8252, RFC 6749 §3.1.2 |
//! | [`page_uri`] | validation of the URIs of pages and pictures that a consent page shows | RFC 7591 §5 |
//! | [`error`] | errors in metadata | RFC 7591 §3.2.2 |
//!
//! Members that mean nothing here are ignored, as the RFC demands (§2: "MUST ignore values it does not understand"), and
//! are neither stored nor repeated. What is only for display and cannot be kept is left out as well; what decides where
//! codes go and what a client may do is an error. Nothing that is named by a URI is fetched.

pub mod error;
mod joiners;
pub mod members;
pub mod name;
pub mod page_uri;
pub mod redirect_uri;
mod validation;

#[cfg(test)]
mod known_clients;
#[cfg(test)]
mod tests;

use mcp_edge_oauth::Scopes;
use serde::{Deserialize, Serialize};

pub use self::members::members;
use self::redirect_uri::Kind;

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// It does not: a public client.
    None,
    /// HTTP Basic. The default of the RFC.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

impl AuthMethod {
    /// Whether the client has a secret.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Metadata that was checked. Serializes as it is sent to clients and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// At least one, no two the same, in the order of the request.
    pub redirect_uris: Vec<String>,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// `authorization_code`, and `refresh_token` if it was asked for; others are left out.
    pub grant_types: Vec<String>,
    /// Always `["code"]`.
    pub response_types: Vec<String>,
    /// `native` or `web`, as the redirect URIs decide.
    pub application_type: String,
    /// For display.
    pub client_name: String,
    /// What was asked for; the operator's policy narrows it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client's home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// The picture on the consent page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// How the client uses data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// People responsible for the client, five at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Identifies the software behind many registrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

impl ClientMetadata {
    /// Whether any redirect URI leads to the user's own machine, and the client has no secret: a native application.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    /// The scopes that were asked for; `None` if that was left to the server.
    #[must_use]
    pub fn scopes(&self) -> Option<Scopes> {
        self.scope.as_deref().map(Scopes::parse)
    }

    /// Which members name pages and pictures that cannot be known to be the client's own. Users are shown them, and a
    /// client whose answers go to `https://evil.example` must not show the logo of `https://bank.example`, so RFC 7591 §5
    /// wants them at the hosts of the redirect URIs. Here it is at or below *every* https one, since nobody has to prove
    /// that an address is theirs to register it: naming the bank's as well must not help. Of a client without any,
    /// nothing can be known.
    pub fn foreign_pages(&self) -> impl Iterator<Item = &'static str> {
        let own: Vec<String> = self
            .redirect_uris
            .iter()
            .filter(|uri| redirect_uri::check(uri, &[]) == Ok(Kind::Web))
            .filter_map(|uri| page_uri::host_of(uri))
            .collect();
        let is_foreign = |uri: &Option<String>| {
            let host = uri.as_deref().and_then(page_uri::host_of);
            host.is_some_and(|host| !own.iter().all(|own| page_uri::is_at_or_below(&host, own)))
        };
        let pages = [
            ("client_uri", is_foreign(&self.client_uri)),
            ("logo_uri", is_foreign(&self.logo_uri)),
            ("tos_uri", is_foreign(&self.tos_uri)),
            ("policy_uri", is_foreign(&self.policy_uri)),
        ];
        pages.into_iter().filter_map(|(member, is_foreign)| is_foreign.then_some(member))
    }

    /// The metadata without its [`foreign_pages`](Self::foreign_pages). VS Code and Cursor register some, and would not
    /// work at all if they were refused; that they are left out, which RFC 7591 §3.2.1 allows, is seen in the answer.
    #[must_use]
    pub fn without_foreign_pages(mut self) -> Self {
        let foreign: Vec<&str> = self.foreign_pages().collect();
        let pages = [
            ("client_uri", &mut self.client_uri),
            ("logo_uri", &mut self.logo_uri),
            ("tos_uri", &mut self.tos_uri),
            ("policy_uri", &mut self.policy_uri),
        ];
        for (member, uri) in pages {
            if foreign.contains(&member) {
                *uri = None;
            }
        }
        self
    }
}
