//! Microsoft Entra ID, tokens of versions 1.0 and 2.0, and External ID. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | `iss`, `ver`, `tid`, keys of tenants | <https://learn.microsoft.com/entra/identity-platform/access-tokens> |
//! | `azp`, `appid`, `scp`, `roles`, `idtyp`, `oid` | <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference> |
//! | a token without a user | <https://learn.microsoft.com/entra/identity-platform/scenario-protected-web-api-verification-scope-app-roles> |
//! | `xms_sub_fct`, `scp` of agents | <https://learn.microsoft.com/entra/agent-id/agent-token-claims> |
//! | national clouds | <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud> |
//!
//! `scp` of an agent to which no scope was granted is `/`. In tokens of users `roles` lists what the user may do; it counts for applications alone.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static ENTRA: Profile = Profile {
    name: "entra",
    title: "Microsoft Entra ID",
    evidence: Evidence::Documented,
    issuers: &[
        IssuerForm {
            host: "login.microsoftonline.com",
            path: "/<tenant id>/v2.0",
            example: "https://login.microsoftonline.com/<tenant id>/v2.0",
        },
        IssuerForm { host: "sts.windows.net", path: "/<tenant id>/", example: "https://sts.windows.net/<tenant id>/" },
        IssuerForm {
            host: "sts.chinacloudapi.cn",
            path: "/<tenant id>/",
            example: "https://sts.chinacloudapi.cn/<tenant id>/",
        },
        IssuerForm {
            host: "login.microsoftonline.us",
            path: "/<tenant id>/v2.0",
            example: "https://login.microsoftonline.us/<tenant id>/v2.0",
        },
        IssuerForm {
            host: "login.partner.microsoftonline.cn",
            path: "/<tenant id>/v2.0",
            example: "https://login.partner.microsoftonline.cn/<tenant id>/v2.0",
        },
        IssuerForm {
            host: "**.ciamlogin.com",
            path: "/<tenant id>/v2.0",
            example: "https://<tenant id>.ciamlogin.com/<tenant id>/v2.0",
        },
    ],
    token_types: &["jwt"],
    client_id_claims: &["azp", "appid"],
    scope_claims: &["scp"],
    machine_scope_claims: &["roles"],
    audience: AudienceRule::Claim,
    requirements: &[
        Sign::OneOf("ver", &["1.0", "2.0"]),
        Sign::InIssuer("tid"),
        // An ID token for the same application has the same audience, and no client.
        Sign::Any(&[Sign::HasText("azp"), Sign::HasText("appid")]),
    ],
    machine_signs: &[
        Sign::OneOf("idtyp", &["app", "device"]),
        // An agent's identity, and an agent's user account, behind which is no person either.
        Sign::HasWord("xms_sub_fct", &["11", "13"]),
        // Without these optional claims: the application is the subject, and no user granted a scope.
        Sign::All(&[Sign::SubjectIs("oid", ""), Sign::Not(&Sign::HasScope("scp"))]),
    ],
    user_signs: &[Sign::OneOf("idtyp", &["user"]), Sign::HasScope("scp")],
    organization_claim: Some("tid"),
    has_keys_of_tenants: true,
};
