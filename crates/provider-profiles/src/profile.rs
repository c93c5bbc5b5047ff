//! The form of a profile.

use crate::{issuer::IssuerForm, sign::Sign};

/// Where the tokens of a provider say what a resource server has to know. All names are those of claims; of a list of
/// names, the first claim that the token has counts.
#[derive(Debug)]
pub struct Profile {
    /// The value of the setting `PROVIDER`, and the name of the page in `docs/providers/`.
    pub name: &'static str,
    /// The provider's name as people write it.
    pub title: &'static str,
    /// How it is known to be right.
    pub evidence: Evidence,
    /// The forms of the provider's own issuers. With another host, an issuer is a domain of the customer's, or a server
    /// of their own.
    pub issuers: &'static [IssuerForm],
    /// Accepted `typ` of the JWT header, in lower case; the empty string accepts its absence.
    pub token_types: &'static [&'static str],
    /// Where the client's id is.
    pub client_id_claims: &'static [&'static str],
    /// Where the granted scopes are: a string, separated by spaces, or an array of strings.
    pub scope_claims: &'static [&'static str],
    /// Where the permissions of a machine are, if they are not scopes. Not looked at for users: there the same claim
    /// lists what the user may do, and not what the client was granted.
    pub machine_scope_claims: &'static [&'static str],
    /// For whom tokens are.
    pub audience: AudienceRule,
    /// What must hold of an access token besides: all of it.
    pub requirements: &'static [Sign],
    /// Each proves that the client acts for itself. Machines come first: a token with signs of both is a machine's.
    pub machine_signs: &'static [Sign],
    /// Each proves that a person signed in.
    pub user_signs: &'static [Sign],
    /// Where the organization (tenant, workspace) is that the user acts for.
    pub organization_claim: Option<&'static str>,
    /// Whether a published key may belong to one tenant alone (the member `issuer` of the JWK).
    pub has_keys_of_tenants: bool,
}

/// How a profile is known to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Tokens of a real server were recorded, and are among the tests.
    Recorded,
    /// The provider's documentation; no real server was tried.
    Documented,
}

/// For whom tokens are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// `aud` names the resource.
    Claim,
    /// `aud` names the resource; a token without `aud` is for the resource if one of its scopes begins with the
    /// configured prefix, which is the resource's name at the provider, and if the operator lists the accepted clients.
    ClaimOrScopePrefix,
}

impl Profile {
    /// The names of all claims that the profile looks at.
    pub fn claims(&self) -> impl Iterator<Item = &'static str> {
        let lists = [self.client_id_claims, self.scope_claims, self.machine_scope_claims];
        let signs = [self.requirements, self.machine_signs, self.user_signs];
        let of_signs = signs.into_iter().flatten().flat_map(Sign::claims);
        lists.into_iter().flatten().copied().chain(of_signs).chain(self.organization_claim)
    }
}
