//! Amazon Cognito user pools. Documented, not tried.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static COGNITO: Profile = Profile {
    name: "cognito",
    title: "Amazon Cognito",
    evidence: Evidence::Documented,
    issuers: &[IssuerForm {
        host: "cognito-idp.*.amazonaws.com",
        path: "/*",
        example: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
    }],
    token_types: &["", "jwt"],
    client_id_claims: &["client_id"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::ClaimOrScopePrefix,
    requirements: &[Sign::OneOf("token_use", &["access"]), Sign::HasText("client_id")],
    machine_signs: &[Sign::SubjectIs("client_id", "")],
    user_signs: &[Sign::HasText("username")],
    organization_claim: None,
    has_keys_of_tenants: false,
};
