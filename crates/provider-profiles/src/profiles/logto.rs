//! Logto, in its cloud and self-hosted. Recorded from a real server (`crates/oauth-resource-server/tests/logto`).
//!
//! Every access token names its client, and `sub` is the client's own id exactly where no user is involved.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static LOGTO: Profile = Profile {
    name: "logto",
    title: "Logto",
    evidence: Evidence::Recorded,
    issuers: &[IssuerForm { host: "**.logto.app", path: "/oidc", example: "https://your-tenant.logto.app/oidc" }],
    token_types: &["at+jwt"],
    client_id_claims: &["client_id"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    requirements: &[],
    machine_signs: &[Sign::SubjectIs("client_id", "")],
    user_signs: &[Sign::SubjectIsNot("client_id")],
    organization_claim: Some("organization_id"),
    has_keys_of_tenants: false,
};
