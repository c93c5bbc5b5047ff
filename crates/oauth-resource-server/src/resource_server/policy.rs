//! The trust policy: whose tokens are accepted, and what they stand for.

use serde_json::{Map, Value};

use crate::{
    client_policy::ClientPolicy,
    denial::{Denial, Excerpt},
    disclosure::Disclosure,
    provider::{ProviderLocation, ProviderUrls},
    scope_hierarchy::Hierarchy,
    token::{
        claims::{self, Claims},
        denied::DeniedTokens,
        opaque::OpaquePolicy,
        token_use::check_use,
    },
};
use mcp_edge_identity::{Identity, Kind, Party, Scopes, Verified};

/// An issuer that is trusted, and the audiences that it may issue tokens for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Exactly as in its discovery document.
    pub issuer: String,
    /// A token must name one of these, byte for byte.
    pub audiences: Vec<String>,
    /// What counts in place of what the provider publishes.
    pub urls: ProviderUrls,
}

impl TrustedIssuer {
    /// Where the provider is.
    #[must_use]
    pub fn location(&self) -> ProviderLocation {
        ProviderLocation { issuer: self.issuer.clone(), urls: self.urls.clone() }
    }

    /// The URL that clients are given.
    #[must_use]
    pub fn authorization_server(&self) -> &str {
        self.urls.authorization_server.as_ref().unwrap_or(&self.issuer)
    }

    /// Whether a published key may belong to one tenant alone.
    #[allow(clippy::unused_self, reason = "it depends on the provider")]
    pub(super) const fn has_keys_of_tenants(&self) -> bool {
        false
    }
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// At least one.
    pub issuers: Vec<TrustedIssuer>,
    /// Accepted values of `typ`, in lower case; an empty one accepts its absence. Values outside of
    /// [`POSSIBLE_TYPES`](crate::token::jwt::POSSIBLE_TYPES) are never accepted.
    pub token_types: Vec<String>,
    /// Every request needs these.
    pub required_scopes: Scopes,
    /// Which scopes imply others.
    pub hierarchy: Hierarchy,
    /// Which claims are disclosed.
    pub disclosure: Disclosure,
    /// Which clients are accepted.
    pub clients: ClientPolicy,
    /// Tokens that are refused in an emergency.
    pub denied: DeniedTokens,
    /// Whether and how opaque tokens are accepted.
    pub opaque: Option<OpaquePolicy>,
}

impl TrustPolicy {
    /// Whether anything depends on a claim of this name.
    pub(super) fn wants(&self, claim: &str) -> bool {
        claims::is_decisive(claim) || self.disclosure.names(claim)
    }

    /// The configured issuer that issued these claims, by its index.
    pub(super) fn issuer_of(&self, claims: &Claims) -> Result<usize, Denial> {
        let index = self.issuers.iter().position(|trusted| trusted.issuer == claims.issuer);
        index.ok_or_else(|| Denial::WrongIssuer { iss: Some(Excerpt::new(&claims.issuer)) })
    }

    /// The checks that need neither key nor signature, and whose outcome does not change with time.
    pub(super) fn check_claims(&self, issuer_index: usize, claims: &Claims) -> Result<(), Denial> {
        claims::check_audience(claims, &self.issuers[issuer_index].audiences)?;
        check_use(claims)
    }

    /// The checks of a verified identity, regardless of its token.
    pub(super) fn check_identity(&self, identity: &Identity) -> Result<(), Denial> {
        self.clients.check(identity.client_id())?;
        if identity.scopes().covers(&self.required_scopes) {
            Ok(())
        } else {
            Err(Denial::InsufficientScope { needed: self.required_scopes.clone() })
        }
    }

    /// Who the claims stand for. `known` is what is known about the user, of which `consented` scopes cover a part.
    pub(super) fn identify(
        &self,
        claims: &Claims,
        kind: Kind,
        known: &Map<String, Value>,
        consented: &Scopes,
    ) -> Identity {
        // A client id means what the operator lists only with the issuer that hands it out.
        let is_of_first_issuer = claims.issuer == self.issuers[0].issuer;
        Identity::new(Verified {
            subject: claims.subject.clone(),
            issuer: claims.issuer.clone(),
            client_id: claims.client_id.clone(),
            kind,
            party: if is_of_first_issuer { self.clients.party(claims.client_id.as_deref()) } else { Party::Third },
            scopes: self.hierarchy.expand(claims.scopes.clone()),
            expires_at: claims.expires_at,
            claims: self.disclosure.disclose(known, consented),
        })
    }
}
