//! `WorkOS` `AuthKit` and Connect. Documented, not tried.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static WORKOS: Profile = Profile {
    name: "workos",
    title: "WorkOS",
    evidence: Evidence::Documented,
    issuers: &[IssuerForm { host: "**.authkit.app", path: "", example: "https://your-project.authkit.app" }],
    token_types: &["jwt", "at+jwt", ""],
    client_id_claims: &["client_id", "azp"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    requirements: &[],
    machine_signs: &[Sign::SubjectIs("client_id", ""), Sign::SubjectIs("azp", ""), Sign::StartsWith("sub", "client_")],
    user_signs: &[Sign::StartsWith("sub", "user_")],
    organization_claim: Some("org_id"),
    has_keys_of_tenants: false,
};
