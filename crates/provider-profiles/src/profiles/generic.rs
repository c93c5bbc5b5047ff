//! Any OpenID provider or OAuth server: what the standards say, and the signs of machines that are known.
//!
//! | what | source |
//! |---|---|
//! | `typ`, `client_id`, `scope`, `sub` of a machine | RFC 9068 §2, §4 |
//! | `azp`, `auth_time`, `acr`, `amr` | OpenID Connect Core §2 |
//! | `@clients`, `gty` | Auth0 |
//! | `service-account-…`, `clientHost`, `clientAddress`, `session_state` | Keycloak |
//! | `…-client_credentials` | authentik |
//! | `idtyp`, `azpacr`, `appidacr`, `oid` | Entra |
//! | `cid`, `scp` | Okta |
//!
//! RFC 9068 §2.2 has `sub` of a machine be "an identifier the authorization server uses to indicate the client
//! application", which need not be `client_id`: so another `sub` proves no user.

use crate::{AudienceRule, Evidence, Profile, Sign};

/// See the [module](self).
pub static GENERIC: Profile = Profile {
    name: "generic",
    title: "any OpenID provider",
    evidence: Evidence::Recorded,
    issuers: &[],
    token_types: &["at+jwt", "application/at+jwt"],
    client_id_claims: &["client_id", "azp", "cid", "appid"],
    scope_claims: &["scope", "scopes", "scp"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    requirements: &[],
    machine_signs: &[
        Sign::SubjectIs("client_id", ""),
        Sign::SubjectIs("azp", ""),
        Sign::SubjectIs("cid", ""),
        Sign::SubjectIs("appid", ""),
        Sign::SubjectIs("clientId", ""),
        Sign::SubjectIs("client_id", "@clients"),
        Sign::SubjectIs("azp", "@clients"),
        Sign::OneOf("gty", &["client-credentials", "client_credentials"]),
        Sign::OneOf("idtyp", &["app", "device"]),
        Sign::StartsWith("preferred_username", "service-account-"),
        Sign::StartsWith("username", "service-account-"),
        Sign::EndsWith("preferred_username", "-client_credentials"),
        Sign::EndsWith("username", "-client_credentials"),
        Sign::HasText("clientHost"),
        Sign::HasText("clientAddress"),
        // Entra and Auth0, of agents.
        Sign::HasWord("xms_sub_fct", &["11", "13"]),
        Sign::All(&[Sign::HasText("sub_profile"), Sign::Not(&Sign::OneOf("sub_profile", &["user"]))]),
        // Entra without `idtyp`: the client proved itself, is the subject, and no user granted a scope.
        Sign::All(&[
            Sign::Any(&[Sign::OneOf("azpacr", &["1", "2"]), Sign::OneOf("appidacr", &["1", "2"])]),
            Sign::SubjectIs("oid", ""),
            Sign::Absent("scp"),
        ]),
    ],
    user_signs: &[
        Sign::HasDate("auth_time"),
        Sign::HasList("amr"),
        Sign::OneOf("idtyp", &["user"]),
        // Keycloak, whose tokens have `typ`, writes `acr` for service accounts as well. These have no session, or else no
        // name but their own.
        Sign::All(&[
            Sign::HasText("acr"),
            Sign::Any(&[
                Sign::Absent("typ"),
                Sign::All(&[
                    Sign::Any(&[Sign::HasText("sid"), Sign::HasText("session_state")]),
                    Sign::HasText("preferred_username"),
                ]),
            ]),
        ]),
    ],
    organization_claim: None,
    has_keys_of_tenants: false,
};
