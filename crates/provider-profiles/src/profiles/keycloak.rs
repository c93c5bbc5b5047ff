//! Keycloak. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | `typ` of the header and of the claims, `azp`, `sid` | `TokenManager.java`, `DefaultTokenManager.java` in <https://github.com/keycloak/keycloak> |
//! | `clientHost`, `clientAddress`, `service-account-…` | `ClientCredentialsGrantType.java` there |
//! | `organization` | `OrganizationMembershipMapper.java` there |

use crate::{AudienceRule, Evidence, Profile, Sign};

/// See the [module](self).
pub static KEYCLOAK: Profile = Profile {
    name: "keycloak",
    title: "Keycloak",
    evidence: Evidence::Documented,
    // On every host, so the form of its issuers tells nothing.
    issuers: &[],
    token_types: &["jwt", "at+jwt"],
    client_id_claims: &["azp", "client_id"],
    scope_claims: &["scope"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    // ID tokens, refresh tokens and logout tokens say so.
    requirements: &[Sign::OneOf("typ", &["Bearer"])],
    machine_signs: &[
        Sign::StartsWith("preferred_username", "service-account-"),
        Sign::HasText("clientHost"),
        Sign::HasText("clientAddress"),
        // Since 26.2 the id of a token begins with letters for its session, its kind and its grant: client credentials.
        Sign::Contains("jti", "tcc:"),
    ],
    // A service account with refresh tokens has a session as well, but no time of a sign-in, and no other name.
    user_signs: &[
        Sign::HasDate("auth_time"),
        Sign::All(&[
            Sign::Any(&[Sign::HasText("sid"), Sign::HasText("session_state")]),
            Sign::HasText("preferred_username"),
        ]),
    ],
    organization_claim: Some("organization"),
    has_keys_of_tenants: false,
};
