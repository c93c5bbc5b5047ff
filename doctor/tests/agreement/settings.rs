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
    let issuers = |count: usize| {
        let entry = |it: usize| format!(r#"{{"issuer":"https://{it}.example","audience":["a"]}}"#);
        (0..count).map(entry).collect::<Vec<_>>().join(",")
    };
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
        ("MORE_ISSUERS", entry(r#","provider":" ","token_types":" at+jwt ","user_by_subject":"""#)),
        ("MORE_ISSUERS", entry(r#","provider":" keycloak ","user_by_subject":" true ""#)),
        ("MORE_ISSUERS", entry(r#","user_by_subject":"yes""#)),
        ("MORE_ISSUERS", entry(r#","provider":null"#)),
        ("MORE_ISSUERS", entry(r#","organization_claim":"a b""#)),
        ("MORE_ISSUERS", entry(r#","jwks_url":"https://u@a.example/k""#)),
        ("MORE_ISSUERS", r#"[{"issuer":" https://a.example","audience":["a"]}]"#.to_owned()),
        ("MORE_ISSUERS", r#"[{"issuer":"https://a.example","audience":["a",""]}]"#.to_owned()),
        ("MORE_ISSUERS", r#"[{"issuer":"https://a.example","audience":"a"}]"#.to_owned()),
        (
            "MORE_ISSUERS",
            r#"[{"issuer":"https://a.example","issuer":"https://b.example","audience":["a"]}]"#.to_owned(),
        ),
        ("MORE_ISSUERS", format!("[{}]", issuers(7))),
        ("MORE_ISSUERS", format!("[{}]", issuers(8))),
        ("ISSUER", format!("https://a.example/{}", "x".repeat(382))),
        ("ISSUER", format!("https://a.example/{}", "x".repeat(383))),
        ("RESOURCE", format!("https://a.example/{}", "x".repeat(383))),
        ("JWKS_URL", format!("https://a.example/{}", "x".repeat(2031))),
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
                "https://user@a.example",
                "https://user:x@a.example/x",
                "https://a.example:443/",
                "https://login.microsoftonline.com/common/v2.0",
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
                "https://MCP.example.com/m",
                "HTTPS://mcp.example.com/m",
                "https://mcp.example.com:443/m",
                "https://mcp.example.com:8443/m",
                "https://mcp.example.com:08443/m",
                "https://mcp.example.com:0/m",
                "https://mcp.example.com:65536/m",
                "https://mcp.example.com:/m",
                "http://localhost:80/m",
                "http://[::1]:8787/m",
                "https://[::1/m",
                "https://mcp.example.com/a/../m",
                "https://mcp.example.com/a/%2E./m",
                "https://mcp.example.com/a/.b",
                "https://mcp.example.com/{m}",
                "https://mcp.example.com/<m>",
                "https://mcp.example.com/.well-known",
                "https://mcp.example.com//",
                "https://user@mcp.example.com/m",
                "https://mcp.example.com/@m",
                "https://mcp.example.com\\m",
                "https://m_c-p.example.com/m",
                "https://m%63p.example.com/m",
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
            &[
                "",
                "at+jwt",
                "JWT none",
                "application/at+jwt",
                "application/jwt",
                "x",
                "logout+jwt",
                "at+jwt,jwt",
                "NONE",
            ],
        ),
        ("CLIENT_ID_CLAIMS", &["", "a", "a b"]),
        ("SCOPE_CLAIMS", &["", "a", "a b"]),
        ("ORGANIZATION_CLAIM", &["", "a", "a b", "a\tb"]),
        ("USER_BY_SUBJECT", &["", "true", "false", "yes", "TRUE"]),
        ("SCOPE_PREFIX", &["", "a/", "a", "a b/", "api://a/"]),
        ("ALLOWED_TENANTS", &["", "t"]),
        ("ALLOWED_ORGANIZATIONS", &["", "a b"]),
        ("REQUIRED_SCOPES", &["", "a b", "a\"b"]),
        ("SCOPE_HIERARCHY", &["", "a=b", "a=b,c d=e", "a", "=a", "a=", "a=b,", "a=b=c", "a\"=b", "a=b\"", "é=b"]),
        ("CLAIM_SCOPES", &["", "a=b", "a=b,c d=e", "a", "=a", "a=", "a=b,", "a=b=c", "a\"=b", "a=b\"", "é=b"]),
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
                "253402300799",
                "253402300800",
                "1795000000000",
                "+1795000000",
            ],
        ),
        (
            "DISCOVERY_URL",
            &[
                "",
                "https://a.example/d",
                "http://a.example/d",
                "x",
                "https://a.example/d?a=b",
                "https://a.example/d#e",
                "https://u@a.example/d",
                "https://a.example/{tenantid}",
            ],
        ),
        (
            "JWKS_URL",
            &[
                "",
                "https://a.example/d",
                "http://a.example/d",
                "x",
                "https://a.example/d?a=b",
                "https://a.example/d#e",
                "https://u@a.example/d",
                "https://a.example/{tenantid}",
            ],
        ),
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

#[test]
fn the_same_combinations_of_settings_are_valid() {
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let (all_tenants, tenant) = (of("{tenantid}"), of(TENANT));
    let overlapping = format!(r#"[{{"issuer":"{tenant}","audience":["a"],"provider":"entra"}}]"#);
    let generic = r#"[{"issuer":"https://a.example","audience":["a"]}]"#;
    let prefix = ("SCOPE_PREFIX", "api://a/");
    let entra = [("ISSUER", &*all_tenants), ("PROVIDER", "entra"), ("ALLOWED_TENANTS", TENANT)];
    let secrets = [("INTROSPECTION_CLIENT_ID", "x"), ("INTROSPECTION_CLIENT_SECRET", "x")];
    let opaque = [&secrets[..], &[("OPAQUE_TOKEN_CLIENTS", "a")]].concat();
    let userinfo = [("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")];
    let organizations = ("ALLOWED_ORGANIZATIONS", "a");
    let organization_claim = ("ORGANIZATION_CLAIM", "org");
    let mut disagreements = Vec::new();
    for settings in [
        [&entra[..], &[("MORE_ISSUERS", &*overlapping)]].concat(),
        [&entra[..], &[("MORE_ISSUERS", &*overlapping), ("ALLOWED_TENANTS", "72f988bf-86f1-41af-91ab-2d7cd011db48")]]
            .concat(),
        [&entra[..], &opaque].concat(),
        [&entra[..], &userinfo].concat(),
        vec![organizations],
        vec![organizations, organization_claim],
        vec![organizations, ("PROVIDER", "keycloak")],
        vec![organizations, organization_claim, ("MORE_ISSUERS", generic)],
        [&[organizations, organization_claim][..], &userinfo].concat(),
        vec![organizations, organization_claim, userinfo[1]],
        vec![prefix, ("REQUIRED_SCOPES", "openid api://a/read")],
        vec![prefix, ("REQUIRED_SCOPES", "openid api://b/read")],
        vec![prefix, ("SCOPE_HIERARCHY", "api://a/write=read")],
        vec![prefix, ("SCOPE_HIERARCHY", "write=list,api://a/read")],
        vec![prefix, ("SCOPE_HIERARCHY", "write=read")],
        vec![prefix, ("CLAIM_SCOPES", "api://a/read=name")],
        vec![prefix, ("CLAIM_SCOPES", "read=api://a/name")],
        [&opaque[..], &[("OPAQUE_TOKEN_SECONDS", "600")]].concat(),
        [&opaque[..], &[("OPAQUE_TOKEN_SECONDS", "601")]].concat(),
        [&opaque[..], &[("OPAQUE_TOKEN_SECONDS", "x")]].concat(),
        [&opaque[..], &[("INTROSPECTION_URL", "https://u@a.example/i")]].concat(),
        [&opaque[..], &[("INTROSPECTION_URL", "https://a.example/i")]].concat(),
        vec![("OPAQUE_TOKEN_SECONDS", "x")],
        vec![("USER_BY_SUBJECT", "true"), ("MORE_ISSUERS", generic)],
    ] {
        let scene = Scene::new(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]).with(&settings);
        let (library, explain) = (scene.policy().map(drop), Settings::read(&scene.values()).map(drop));
        if library.is_ok() != explain.is_ok() {
            disagreements.push(format!("{settings:?}\n  library: {library:?}\n  explain: {explain:?}"));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}
