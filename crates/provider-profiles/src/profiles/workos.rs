//! `WorkOS` `AuthKit`, as an authorization server for MCP and Connect. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | claims of users and machines | <https://workos.com/docs/authkit/connect/token-claims> |
//! | no `typ` | <https://workos.com/docs/reference/workos-connect/token> |
//!
//! The tokens of an `AuthKit` session, with an issuer on `api.workos.com`, are not for agents and have no audience.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static WORKOS: Profile = Profile {
    name: "workos",
    title: "WorkOS",
    evidence: Evidence::Documented,
    issuers: &[IssuerForm { host: "**.authkit.app", path: "", example: "https://your-project.authkit.app" }],
    token_types: &["", "jwt", "at+jwt"],
    client_id_claims: &["client_id"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    // ID tokens name no client.
    requirements: &[Sign::HasText("client_id")],
    machine_signs: &[Sign::SubjectIs("client_id", "")],
    user_signs: &[Sign::StartsWith("sub", "user_")],
    organization_claim: Some("org_id"),
    has_keys_of_tenants: false,
};
