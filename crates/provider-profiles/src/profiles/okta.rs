//! Okta, custom authorization servers. Documented, not tried.
//!
//! | what | source |
//! |---|---|
//! | `cid`, `scp`, `uid`, no `typ` | <https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/> |
//! | `sub` of a machine | <https://developer.okta.com/docs/guides/customize-tokens-returned-from-okta/> |
//! | the org authorization server | <https://developer.okta.com/docs/concepts/auth-servers/> |
//!
//! `sub` of a user is the login by default, often an e-mail address, which can change; operators can set another one.

use crate::{AudienceRule, Evidence, IssuerForm, Profile, Sign};

/// See the [module](self).
pub static OKTA: Profile = Profile {
    name: "okta",
    title: "Okta",
    evidence: Evidence::Documented,
    // The tokens of the org authorization server (an issuer without a path) cannot be verified by anybody else.
    issuers: &[
        IssuerForm { host: "**.okta.com", path: "/oauth2/*", example: "https://your-org.okta.com/oauth2/default" },
        IssuerForm {
            host: "**.oktapreview.com",
            path: "/oauth2/*",
            example: "https://your-org.oktapreview.com/oauth2/default",
        },
        IssuerForm {
            host: "**.okta-emea.com",
            path: "/oauth2/*",
            example: "https://your-org.okta-emea.com/oauth2/default",
        },
    ],
    token_types: &["", "jwt", "at+jwt"],
    client_id_claims: &["cid"],
    scope_claims: &["scp"],
    machine_scope_claims: &[],
    audience: AudienceRule::Claim,
    // ID tokens have neither.
    requirements: &[Sign::HasText("cid")],
    // `uid` is left out where no user is involved. What `sub` is then, operators can change.
    machine_signs: &[Sign::All(&[Sign::HasText("cid"), Sign::Absent("uid")])],
    user_signs: &[Sign::HasText("uid")],
    organization_claim: None,
    has_keys_of_tenants: false,
};
