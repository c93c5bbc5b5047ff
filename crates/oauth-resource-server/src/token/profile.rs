//! How the tokens of one issuer are read: the provider's profile, with what the operator changes of it.

use mcp_edge_providers::{Profile, profiles::GENERIC};

/// How the tokens of one issuer are read.
#[derive(Debug, Clone)]
pub struct TokenProfile {
    /// The profile of the issuer's provider.
    pub provider: &'static Profile,
    /// Accepted values of `typ`, in lower case; an empty one accepts its absence. Values outside of
    /// [`POSSIBLE_TYPES`](super::jwt::POSSIBLE_TYPES) are never accepted.
    pub token_types: Vec<String>,
    /// The claims that may name the client; the first that is there counts.
    pub client_id_claims: Vec<String>,
    /// The claims that may hold scopes; the first that is there counts.
    pub scope_claims: Vec<String>,
    /// The claims that hold the permissions of a machine without scopes, likewise.
    pub machine_scope_claims: Vec<String>,
    /// The claim that names the organization.
    pub organization_claim: Option<String>,
    /// Whether another subject than the client is always a user: the operator knows that the provider gives every
    /// machine its client id as `sub`.
    pub user_by_subject: bool,
}

impl TokenProfile {
    /// Creates the profile as the provider has it.
    #[must_use]
    pub fn new(provider: &'static Profile) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            provider,
            token_types: owned(provider.token_types),
            client_id_claims: owned(provider.client_id_claims),
            scope_claims: owned(provider.scope_claims),
            machine_scope_claims: owned(provider.machine_scope_claims),
            organization_claim: provider.organization_claim.map(str::to_owned),
            user_by_subject: false,
        }
    }

    /// Whether it looks at a claim of this name that no profile of a provider looks at.
    pub(crate) fn names(&self, claim: &str) -> bool {
        let mut lists = [&self.client_id_claims, &self.scope_claims].into_iter().flatten();
        lists.any(|name| name == claim) || self.organization_claim.as_deref() == Some(claim)
    }
}

impl Default for TokenProfile {
    /// The profile of any OpenID provider.
    fn default() -> Self {
        Self::new(&GENERIC)
    }
}
