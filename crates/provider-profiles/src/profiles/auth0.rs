//! Auth0. Documented, not tried.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static AUTH0: Profile = Profile {
    name: "auth0",
    title: "Auth0",
    evidence: Evidence::Documented,
    issuers: &[IssuerForm { host: "**.auth0.com", path: "/", example: "https://your-tenant.eu.auth0.com/" }],
    token_types: &["at+jwt", "jwt"],
    client_id_claims: &["client_id", "azp"],
    // Not `permissions`: these are all that the user has, `scope` is what was granted to the client.
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    requirements: &[],
    machine_signs: &[Sign::OneOf("gty", &["client-credentials"]), Sign::EndsWith("sub", "@clients")],
    // `<connection>|<id>`.
    user_signs: &[Sign::Contains("sub", "|")],
    organization_claim: Some("org_id"),
    has_keys_of_tenants: false,
};
