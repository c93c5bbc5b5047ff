//! Supabase Auth as an OAuth 2.1 server. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | `aud`, `client_id`, `role`, `session_id`, `is_anonymous`, `scope` | `internal/tokens/service.go` in <https://github.com/supabase/auth> |
//! | what a token of an OAuth client may do | <https://supabase.com/docs/guides/auth/oauth-server/token-security> |
//!
//! There are no tokens without a user, and no scopes but those of OpenID Connect.

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
    requirements: &[Sign::HasText("client_id"), Sign::OneOf("role", &["authenticated"]), Sign::NotTrue("is_anonymous")],
    machine_signs: &[],
    user_signs: &[Sign::HasText("session_id")],
    organization_claim: None,
    has_keys_of_tenants: false,
};
