//! Settings that one of the two may not take for valid.

use mcp_edge_doctor::explain::settings::Settings;

use crate::{
    both::Scene,
    support::tokens::{ISSUER, RESOURCE},
};

#[test]
#[allow(clippy::too_many_lines, reason = "a list")]
fn the_same_settings_are_valid() {
    let entry = |more: &str| format!(r#"[{{"issuer":"https://a.example","audience":["a"]{more}}}]"#);
    let all_tenants = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let owned: Vec<(&str, String)> = vec![
        ("MORE_ISSUERS", entry("")),
        ("MORE_ISSUERS", entry(r#","provider":"keycloak""#)),
        ("MORE_ISSUERS", entry(r#","provider":"Keycloak""#)),
        ("MORE_ISSUERS", entry(r#","token_types":"jwt none""#)),
        ("MORE_ISSUERS", entry(r#","token_types":"logout+jwt""#)),
        ("MORE_ISSUERS", entry(r#","client_id_claims":"azp","scope_claims":"scp","organization_claim":"org""#)),
        ("MORE_ISSUERS", entry(r#","discovery_url":"https://a.example/d","jwks_url":"https://a.example/k""#)),
        ("MORE_ISSUERS", entry(r#","allowed_tenants":"t""#)),
        ("MORE_ISSUERS", entry(r#","unknown":"t""#)),
        ("MORE_ISSUERS", "[]".to_owned()),
        ("MORE_ISSUERS", "{}".to_owned()),
        ("MORE_ISSUERS", "[1]".to_owned()),
        ("MORE_ISSUERS", format!(r#"[{{"issuer":"{ISSUER}","audience":["a"]}}]"#)),
        (
            "MORE_ISSUERS",
            format!(r#"[{{"issuer":"{all_tenants}","audience":["a"],"provider":"entra","allowed_tenants":"t"}}]"#),
        ),
        ("MORE_ISSUERS", format!(r#"[{{"issuer":"{all_tenants}","audience":["a"],"provider":"entra"}}]"#)),
        ("MORE_ISSUERS", format!("[{}]", [r#"{"issuer":"https://a.example","audience":["a"]}"#; 2].join(","))),
        ("MORE_ISSUERS", r#"[{"issuer":"https://x.okta.com","audience":["a"],"provider":"okta"}]"#.to_owned()),
        ("MORE_ISSUERS", r#"[{"issuer":"https://x.okta.com/oauth2/default","audience":["a"]}]"#.to_owned()),
    ];
    let single: Vec<(&str, String)> = [
        (
            "ISSUER",
            &[
                "",
                " ",
                "x",
                "http://a.example",
                "http://localhost:3000",
                "https://a.example/",
                "https://a.example?x",
                "https://a.example#x",
                "https://tenant.logto.app/oidc",
                "https://tenant.logto.app/oidc/",
                "https://t.auth0.com",
                "https://A.example/x",
                "https://a.example/x y",
                all_tenants,
            ][..],
        ),
        (
            "RESOURCE",
            &[
                "",
                " ",
                "x",
                "https://mcp.example.com",
                "https://mcp.example.com/",
                "http://mcp.example.com/mcp",
                "http://localhost:8787/mcp",
                "https://mcp.example.com/mcp?x",
                "https://mcp.example.com/mcp#x",
                "https://mcp.example.com/.well-known/mcp",
                "https://mcp.example.com/a b",
                "https://mcp.example.com/m",
            ],
        ),
        ("INTROSPECTION_URL", &["", "https://a.example/i"]),
        ("OPAQUE_TOKEN_CHECK", &["", "userinfo", "x"]),
        (
            "PROVIDER",
            &[
                "", "generic", "logto", "auth0", "okta", "entra", "keycloak", "cognito", "supabase", "workos", "x",
                "Logto", " logto ",
            ],
        ),
        (
            "TOKEN_TYPES",
            &["", "at+jwt", "JWT none", "application/at+jwt", "application/jwt", "x", "logout+jwt", "at+jwt,jwt"],
        ),
        ("CLIENT_ID_CLAIMS", &["", "a", "a b"]),
        ("SCOPE_CLAIMS", &["", "a", "a b"]),
        ("ORGANIZATION_CLAIM", &["", "a"]),
        ("USER_BY_SUBJECT", &["", "true", "false", "yes", "TRUE"]),
        ("SCOPE_PREFIX", &["", "a/", "a", "a b/", "api://a/"]),
        ("ALLOWED_TENANTS", &["", "t"]),
        ("ALLOWED_ORGANIZATIONS", &["", "a b"]),
        ("REQUIRED_SCOPES", &["", "a b", "a\"b"]),
        ("SCOPE_HIERARCHY", &["", "a=b", "a=b,c d=e", "a", "=a", "a=", "a=b,", "a=b=c"]),
        ("CLAIM_SCOPES", &["", "a=b", "a=b,c d=e", "a", "=a", "a=", "a=b,", "a=b=c"]),
        ("DENIED_KEYS", &["", "a b", "a,b", "[a]", "\"a\""]),
        (
            "DENIED_ISSUED_BEFORE",
            &[
                "",
                "0",
                "1795000000",
                "2026-11-25T20:00:00Z",
                "2026-11-25",
                "2026-02-29T00:00:00Z",
                "2026-11-25T20:00:00+01:00",
                "2026-11-25T24:00:00Z",
                "2026-11-25t20:00:00z",
                "2026-11-25T20:00:00.5Z",
                "x",
                "-1",
                "99999999999999999999",
            ],
        ),
        ("DISCOVERY_URL", &["", "https://a.example/d", "http://a.example/d", "x"]),
        ("JWKS_URL", &["", "https://a.example/d", "http://a.example/d", "x"]),
        ("ALLOWED_CLIENTS", &["", "a https://b.example/c"]),
    ]
    .into_iter()
    .flat_map(|(name, values)| values.iter().map(move |value| (name, (*value).to_owned())))
    .collect();
    let mut disagreements = Vec::new();
    for (name, value) in single.into_iter().chain(owned) {
        let scene = Scene::new(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]).with(&[(name, &value)]);
        let (library, explain) = (scene.policy().map(drop), Settings::read(&scene.values()).map(drop));
        if library.is_ok() != explain.is_ok() {
            disagreements.push(format!("{name} = {value:?}\n  library: {library:?}\n  explain: {explain:?}"));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}
