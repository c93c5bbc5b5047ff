//! Microsoft Entra ID, tokens of versions 1.0 and 2.0. Documented, not tried.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static ENTRA: Profile = Profile {
    name: "entra",
    title: "Microsoft Entra ID",
    evidence: Evidence::Documented,
    issuers: &[
        IssuerForm {
            host: "login.microsoftonline.com",
            path: "/*/v2.0",
            example: "https://login.microsoftonline.com/<tenant id>/v2.0",
        },
        IssuerForm { host: "sts.windows.net", path: "/*/", example: "https://sts.windows.net/<tenant id>/" },
        IssuerForm {
            host: "login.microsoftonline.us",
            path: "/*/v2.0",
            example: "https://login.microsoftonline.us/<tenant id>/v2.0",
        },
        IssuerForm {
            host: "login.partner.microsoftonline.cn",
            path: "/*/v2.0",
            example: "https://login.partner.microsoftonline.cn/<tenant id>/v2.0",
        },
        IssuerForm {
            host: "**.ciamlogin.com",
            path: "/*/v2.0",
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
        // Without the optional `idtyp`: the client proved itself, is the subject, and no user granted a scope.
        Sign::All(&[
            Sign::Any(&[Sign::OneOf("azpacr", &["1", "2"]), Sign::OneOf("appidacr", &["1", "2"])]),
            Sign::SubjectIs("oid", ""),
            Sign::Absent("scp"),
        ]),
    ],
    user_signs: &[Sign::OneOf("idtyp", &["user"]), Sign::HasScope("scp")],
    organization_claim: Some("tid"),
    has_keys_of_tenants: true,
};
