//! Auth0, with API tokens of either profile. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | issuer with a slash at the end | <https://auth0.com/docs/get-started/applications/configure-applications-with-oidc-discovery> |
//! | `typ`, `azp` or `client_id`, `gty`, `permissions` | <https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles> |
//! | `<client>@clients`, `org_id` | <https://auth0.com/docs/manage-users/organizations/using-tokens> |
//! | `sub_profile` | <https://auth0.com/docs/ai-agents-mcp/agents-as-principal/agent-identity-in-tokens> |
//!
//! The profile `rfc9068_profile` has no `gty`. With agents as principals, a machine's `sub` is any name, and `sub_profile`
//! tells: it is looked at before the form of `sub`.

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
    machine_signs: &[
        Sign::OneOf("gty", &["client-credentials"]),
        Sign::EndsWith("sub", "@clients"),
        Sign::SubjectIs("client_id", ""),
        Sign::SubjectIs("azp", ""),
        Sign::All(&[Sign::HasText("sub_profile"), Sign::Not(&Sign::OneOf("sub_profile", &["user"]))]),
    ],
    // `<connection>|<id>` is the form of every user id.
    user_signs: &[Sign::Contains("sub", "|")],
    organization_claim: Some("org_id"),
    has_keys_of_tenants: false,
};
