//! The identity provider's discovery document (OpenID Connect Discovery 1.0 §4, RFC 8414).
//!
//! Its `issuer` must equal the configured string, or the document is not used (OpenID Connect Discovery §4.3, RFC 8414
//! §3.3): otherwise the operator of one issuer could act for another.

mod document_place;
mod location;

use std::rc::Rc;

use mcp_edge_runtime::uri::{is_endpoint_url, origin};
use serde_json::Value;

pub use document_place::DocumentPlace;
pub use location::{ProviderLocation, ProviderUrls};

use crate::{denial::Excerpt, json_members};

/// RFC 8414 §2. (`token_endpoint_auth_methods_supported` speaks of another endpoint.)
const AUTH_METHODS: &str = "introspection_endpoint_auth_methods_supported";

/// What is known of a provider: the members of its discovery document that are used, and in their place the URLs that the
/// operator gives. Every URL in it is one of [`is_endpoint_url`], so that it can stand in a header and in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `issuer`, equal to the configured one.
    pub issuer: String,
    /// `jwks_uri`, or the URL that the operator gives.
    pub jwks_uri: String,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: Option<String>,
    /// `introspection_endpoint`, or the URL that the operator gives.
    pub introspection_endpoint: Option<String>,
    /// Whether that one is the operator's.
    has_given_introspection: bool,
    /// Whether that one takes the client's secret in the form alone: `introspection_endpoint_auth_methods_supported`
    /// has `client_secret_post` and not `client_secret_basic`. Without that list it is HTTP Basic, which RFC 6749 §2.3.1
    /// has every server support.
    pub posts_secret: bool,
    /// `revocation_endpoint` (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// `userinfo_endpoint`.
    pub userinfo_endpoint: Option<String>,
    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout 1.0 §2.1).
    pub end_session_endpoint: Option<String>,
    /// The whole document as received, with the members that we have no use for: what is mirrored, and what lies in the
    /// store. `None` if there is no document, and the operator says where the keys are.
    pub document: Option<Rc<str>>,
}

/// The document is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Not a JSON object, or without `issuer` or `jwks_uri`.
    #[error("not a discovery document")]
    Malformed,
    /// It speaks of another issuer.
    #[error("of another issuer, {issuer:?}")]
    IssuerMismatch {
        /// The one that it names.
        issuer: Excerpt,
    },
    /// An endpoint that is not a plain https URL (plain http is accepted on loopback only).
    #[error("{0} is not an https URL of visible ASCII without user information and fragment")]
    InsecureEndpoint(&'static str),
}

impl Provider {
    /// Reads the document of the provider at `location`. Of what the operator gives, the document may say anything.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn parse(text: &str, location: &ProviderLocation) -> Result<Self, ProviderError> {
        Self::read(text, location, true)
    }

    /// The same for a client, which needs no keys: `jwks_uri` is empty if the document has none. A server that issues no JWTs
    /// has none (RFC 8414 §2).
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn parse_for_client(text: &str, location: &ProviderLocation) -> Result<Self, ProviderError> {
        Self::read(text, location, false)
    }

    fn read(text: &str, location: &ProviderLocation, needs_keys: bool) -> Result<Self, ProviderError> {
        let is_wanted =
            |name: &str| matches!(name, "issuer" | "jwks_uri" | AUTH_METHODS) || name.ends_with("_endpoint");
        let mut members = json_members::read(text.as_bytes(), &is_wanted).map_err(|_| ProviderError::Malformed)?;
        let posts_secret = members.get(AUTH_METHODS).is_some_and(|methods| {
            let lists = |wanted: &str| methods.as_array().is_some_and(|all| all.iter().any(|method| method == wanted));
            lists("client_secret_post") && !lists("client_secret_basic")
        });
        let mut text_of = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let found = text_of("issuer").ok_or(ProviderError::Malformed)?;
        let ProviderLocation { issuer, urls } = location;
        if found != *issuer {
            return Err(ProviderError::IssuerMismatch { issuer: Excerpt::new(&found) });
        }
        let jwks_uri = match urls.jwks.clone().or_else(|| text_of("jwks_uri")) {
            Some(url) if !is_endpoint_url(&url) => return Err(ProviderError::InsecureEndpoint("jwks_uri")),
            None if needs_keys => return Err(ProviderError::Malformed),
            url => url.unwrap_or_default(),
        };
        // These are not needed to verify JWTs: an unusable one counts as none, and JWTs are verified all the same.
        let mut usable = |name: &str| text_of(name).filter(|url| is_endpoint_url(url));
        let given = Self::without_document(location);
        Ok(Self {
            jwks_uri,
            authorization_endpoint: usable("authorization_endpoint"),
            token_endpoint: usable("token_endpoint"),
            introspection_endpoint: given.introspection_endpoint.or_else(|| usable("introspection_endpoint")),
            posts_secret,
            revocation_endpoint: usable("revocation_endpoint"),
            userinfo_endpoint: usable("userinfo_endpoint"),
            end_session_endpoint: usable("end_session_endpoint"),
            document: Some(text.trim().into()),
            ..given
        })
    }

    /// What is known without a document: what the operator gives.
    #[must_use]
    pub fn without_document(location: &ProviderLocation) -> Self {
        let ProviderUrls { jwks, introspection, .. } = &location.urls;
        Self {
            issuer: location.issuer.clone(),
            jwks_uri: jwks.clone().unwrap_or_default(),
            authorization_endpoint: None,
            token_endpoint: None,
            introspection_endpoint: introspection.clone(),
            has_given_introspection: introspection.is_some(),
            posts_secret: false,
            revocation_endpoint: None,
            userinfo_endpoint: None,
            end_session_endpoint: None,
            document: None,
        }
    }

    /// Whether all endpoints that credentials or users are sent to are there, and on the issuer's own origin unless the
    /// operator gives them.
    #[must_use]
    pub fn has_own_endpoints(&self) -> bool {
        let [needed @ .., introspection, end_session, revocation] = self.endpoints();
        let is_own = |endpoint| self.is_on_own_origin(endpoint);
        needed.iter().all(|endpoint| endpoint.is_some_and(is_own))
            && (self.has_given_introspection || introspection.is_some_and(is_own))
            && [end_session, revocation].into_iter().flatten().all(is_own)
    }

    /// Whether nothing in the document, also of what is not read here, leads away from the issuer's own origin.
    #[must_use]
    pub fn names_own_origin_only(&self) -> bool {
        let document = self.document.as_deref().and_then(|document| serde_json::from_str(document).ok());
        document.is_some_and(|document| self.is_own(&document))
    }

    /// Whether a part of the document leads nowhere else. Everything with a colon or a slash may be read as a URL by
    /// somebody, except URNs: the names of grants and scopes.
    fn is_own(&self, part: &Value) -> bool {
        match part {
            Value::String(text) => {
                !text.contains([':', '/', '\\']) || text.starts_with("urn:") || self.is_on_own_origin(text)
            }
            Value::Array(parts) => parts.iter().all(|part| self.is_own(part)),
            Value::Object(members) => members.values().all(|part| self.is_own(part)),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    /// Whether a URL is on the issuer's own origin.
    #[must_use]
    pub fn is_on_own_origin(&self, url: &str) -> bool {
        origin(url).is_some_and(|of_url| origin(&self.issuer) == Some(of_url))
    }

    /// Whether both documents say the same of what is used of them, regardless of other members and of their order.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let used = |it: &Self| (it.posts_secret, it.document.is_some());
        (&self.issuer, &self.jwks_uri, self.endpoints(), used(self))
            == (&other.issuer, &other.jwks_uri, other.endpoints(), used(other))
    }

    fn endpoints(&self) -> [Option<&str>; 6] {
        let endpoints = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
            &self.introspection_endpoint,
            &self.end_session_endpoint,
            &self.revocation_endpoint,
        ];
        endpoints.map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests;
