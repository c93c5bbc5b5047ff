//! Supabase Auth as an OAuth 2.1 server. Documented, not tried.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static SUPABASE: Profile = Profile {
    name: "supabase",
    title: "Supabase",
    evidence: Evidence::Documented,
    issuers: &[IssuerForm {
        host: "**.supabase.co",
        path: "/auth/v1",
        example: "https://your-project.supabase.co/auth/v1",
    }],
    token_types: &["jwt"],
    client_id_claims: &["client_id"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    // The token of an ordinary session of the product names no client: no agent was given it.
    requirements: &[Sign::HasText("client_id"), Sign::OneOf("role", &["authenticated"])],
    machine_signs: &[],
    user_signs: &[Sign::HasText("session_id")],
    organization_claim: None,
    has_keys_of_tenants: false,
};
