//! Amazon Cognito user pools. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | issuers | <https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html> |
//! | `client_id`, `scope`, `token_use`, `username`, no `typ`, no `aud` | <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html> |
//! | `aud` by resource binding | <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html> |
//! | `sub` of a machine | <https://github.com/awslabs/aws-jwt-verify> |
//!
//! `auth_time` is in the tokens of machines as well.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static COGNITO: Profile = Profile {
    name: "cognito",
    title: "Amazon Cognito",
    evidence: Evidence::Documented,
    issuers: &[
        IssuerForm {
            host: "cognito-idp.*.amazonaws.com",
            path: "/*",
            example: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
        },
        IssuerForm {
            host: "issuer-cognito-idp.*.amazonaws.com",
            path: "/*",
            example: "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
        },
    ],
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
