//! Keycloak. Documented, not tried.

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
    requirements: &[Sign::OneOf("typ", &["Bearer"])],
    machine_signs: &[
        Sign::StartsWith("preferred_username", "service-account-"),
        Sign::HasText("clientHost"),
        Sign::HasText("clientAddress"),
    ],
    user_signs: &[Sign::HasText("sid"), Sign::HasText("session_state")],
    organization_claim: None,
    has_keys_of_tenants: false,
};
