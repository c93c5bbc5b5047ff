//! Settings of an MCP server: their values, and the errors of invalid ones.

use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{
    settings::{MAX_ISSUERS, OPAQUE_NEGATIVE_SECONDS, OPAQUE_SECONDS},
    token::{
        denied::DeniedTokens,
        opaque::{AcceptedClients, CheckMethod},
    },
};
use mcp_edge_runtime::{log::LogLevel, settings::MAX_URL_BYTES};

use super::*;
use crate::documents::registry;

mod origins;
mod wrangler_toml;

/// Parses the required settings with some changed or added.
fn parse(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let minimal = [("ISSUER", "https://tenant.logto.app/oidc"), ("RESOURCE", "https://mcp.example.com/mcp")];
    let find = |list: &[(&str, &str)], name: &str| {
        list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Settings::parse(|name| find(changes, name).or_else(|| find(&minimal, name)))
}

/// Returns the only error.
fn only_error(changes: &[(&str, &str)]) -> String {
    let SettingsError(errors) = parse(changes).expect_err("an error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap_or_default()
}

#[test]
fn two_settings_are_enough() {
    let settings = parse(&[]).unwrap();
    assert_eq!(settings.resource.origin, "https://mcp.example.com");
    assert_eq!(settings.resource.path, "/mcp");
    assert_eq!(settings.resource.metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource/mcp");
    let [trusted] = settings.trust.issuers.as_slice() else { panic!("one issuer") };
    assert_eq!(trusted.issuer, "https://tenant.logto.app/oidc");
    assert_eq!(trusted.audiences, ["https://mcp.example.com/mcp"]);
    assert_eq!(settings.trust.issuers[0].profile.token_types, ["at+jwt", "application/at+jwt"]);
    assert!(settings.trust.required_scopes.is_empty() && settings.trust.opaque.is_none());
    assert_eq!(settings.origins, Origins::Listed(Vec::new()));
    assert_eq!((settings.log.level, settings.log.subject, settings.log.development), (LogLevel::All, true, false));
    assert_eq!(settings.state_secret, None);
    assert!(settings.registry_entry.is_none() && settings.registry_proof.is_none() && !settings.server_card);
    assert_eq!(settings.mirror, None);
    assert_eq!((settings.page.shown, settings.page.has_playground()), (cfg!(feature = "page"), false));
}

#[test]
#[cfg(feature = "gateway")]
fn tools_behind_a_gateway_name_all_scopes_of_a_call_as_clients_request_them() {
    let settings = parse(&[
        ("UPSTREAM", "https://upstream.example.com/mcp"),
        ("UPSTREAM_AUTH", "none"),
        ("STATE_SECRET", "01234567890123456789012345678901"),
        ("TOOL_SCOPES", "a=allow s=docs:read"),
        ("REQUIRED_SCOPES", "whoami:read"),
        ("SCOPE_PREFIX", "api/"),
    ]);
    let policy = settings.unwrap().gateway.unwrap().policy;
    let caller = mcp_edge_identity::Identity::for_test("ada", "docs:read");
    for (tool, scopes) in [("a", r#"["api/whoami:read"]"#), ("s", r#"["api/docs:read","api/whoami:read"]"#)] {
        let expected = format!(r#"[{{"type":"oauth2","scopes":{scopes}}}]"#);
        assert_eq!(policy.tools.listed(tool, &caller).1, Some(&*expected), "{tool}");
    }
}

#[test]
#[cfg(feature = "page")]
fn the_page_can_be_turned_off_and_its_playground_with_it() {
    let settings = parse(&[("PLAYGROUND_CLIENT_ID", "playground"), ("PAGE_COLOR", "#663399")]).unwrap();
    assert!(settings.page.has_playground());
    assert_eq!(settings.page.color.to_string(), "#663399");
    assert!(!parse(&[("PLAYGROUND_CLIENT_ID", "playground"), ("PAGE", "false")]).unwrap().page.has_playground());
}

#[test]
#[cfg(feature = "page")]
fn errors_in_settings_of_the_page_name_what_is_expected() {
    for (setting, value, expected) in [("PAGE", "off", "\"true\" or \"false\""), ("PAGE_COLOR", "green", "#1f6b4a")] {
        let error = only_error(&[(setting, value)]);
        assert!(error.starts_with(setting) && error.contains(expected), "{error}");
    }
}

#[test]
#[cfg(not(feature = "page"))]
fn settings_of_the_page_are_ignored_without_it() {
    let settings = parse(&[("PAGE", "off"), ("PAGE_COLOR", "green"), ("PLAYGROUND_CLIENT_ID", "playground")]).unwrap();
    assert!(!settings.page.shown && !settings.page.has_playground());
}

#[test]
fn an_empty_setting_is_one_that_is_not_set() {
    let empty: Vec<_> = [
        "AUDIENCE",
        "REQUIRED_SCOPES",
        "SCOPE_PREFIX",
        "CLAIM_SCOPES",
        "ALLOWED_ORIGINS",
        "ALLOWED_CLIENTS",
        "DENIED_CLIENTS",
        "DENIED_KEYS",
        "DENIED_ISSUED_BEFORE",
        "FIRST_PARTY_CLIENTS",
        "SCOPE_HIERARCHY",
        "TOKEN_TYPES",
        "OPAQUE_TOKEN_CLIENTS",
        "OPAQUE_TOKEN_CHECK",
        "OPAQUE_TOKEN_SECONDS",
        "MORE_ISSUERS",
        "DISCOVERY_URL",
        "JWKS_URL",
        "INTROSPECTION_URL",
        "RESOURCE_NAME",
        "RESOURCE_DOCUMENTATION",
        "RESOURCE_POLICY_URI",
        "RESOURCE_TOS_URI",
        "RESOURCE_DESCRIPTION",
        "LOGO",
        "REGISTRY_NAME",
        "REGISTRY_VERSION",
        "REGISTRY_AUTH",
        "SERVER_CARD",
        "OPENAI_APPS_CHALLENGE",
        "STEP_UP",
        "AUTHORIZATION_SERVER_MIRROR",
        "REGISTRATION_ENDPOINT",
        "PAGE",
        "PAGE_COLOR",
        "PLAYGROUND_CLIENT_ID",
        "DEVELOPER_PORTAL",
        "LOG",
        "LOG_SUBJECT",
        "STATE_SECRET",
        "ENVIRONMENT",
    ]
    .map(|name| (name, " "))
    .to_vec();
    assert_eq!(format!("{:?}", parse(&empty).unwrap()), format!("{:?}", parse(&[]).unwrap()));
}

#[test]
fn a_challenge_is_one_token_and_a_step_up_one_of_three() {
    let settings = parse(&[("OPENAI_APPS_CHALLENGE", "3f2c-token"), ("STEP_UP", "both")]).unwrap();
    assert_eq!((settings.openai_apps_challenge.as_deref(), settings.step_up), (Some("3f2c-token"), StepUp::Both));
    assert_eq!(parse(&[]).unwrap().step_up, StepUp::Http);
    for challenge in ["two words", "\u{e9}", &"x".repeat(513)] {
        assert!(only_error(&[("OPENAI_APPS_CHALLENGE", challenge)]).contains("portal"), "{challenge}");
    }
    assert!(only_error(&[("STEP_UP", "403")]).contains("\"http\", \"result\" or \"both\""));
}

#[test]
fn keys_and_times_can_be_denied() {
    let settings = parse(&[("DENIED_KEYS", "k 9a-Z"), ("DENIED_ISSUED_BEFORE", "2026-11-25T20:00:00Z")]).unwrap();
    assert_eq!(
        settings.trust.denied,
        DeniedTokens { keys: vec!["k".to_owned(), "9a-Z".to_owned()], issued_before: 1_795_636_800 }
    );
    assert_eq!(parse(&[("DENIED_ISSUED_BEFORE", "1795636800")]).unwrap().trust.denied.issued_before, 1_795_636_800);
    for list in ["k1, k2", "k1,k2", r#"["k1","k2"]"#] {
        assert!(only_error(&[("DENIED_KEYS", list)]).contains("separate several by spaces"), "{list}");
    }
    assert!(only_error(&[("DENIED_ISSUED_BEFORE", "1795636800000")]).contains("2026-11-25T20:00:00Z"));
}

#[test]
fn everything_that_can_be_said() {
    let settings = parse(&[
        ("AUDIENCE", "https://mcp.example.com/mcp/ api://mcp"),
        ("MORE_ISSUERS", r#"[{"issuer":"https://partner.example","audience":["x","y"]}]"#),
        ("REQUIRED_SCOPES", "b a"),
        ("SCOPE_HIERARCHY", "admin=a,b a=c"),
        ("CLAIM_SCOPES", "a=plan"),
        ("ALLOWED_CLIENTS", "one agents.example"),
        ("DENIED_CLIENTS", "two"),
        ("FIRST_PARTY_CLIENTS", "one"),
        ("TOKEN_TYPES", "at+jwt JWT none"),
        ("OPAQUE_TOKEN_CLIENTS", "one"),
        ("OPAQUE_TOKEN_SECONDS", "600"),
        ("INTROSPECTION_CLIENT_ID", "us"),
        ("INTROSPECTION_CLIENT_SECRET", "s3cret"),
        ("ALLOWED_ORIGINS", "https://app.example.com http://localhost:6274"),
        ("LOG", "denials"),
        ("LOG_SUBJECT", "false"),
        ("ENVIRONMENT", "development"),
        ("STATE_SECRET", "0123456789012345678901234567890123"),
        ("RESOURCE_DESCRIPTION", "Shows the signed-in identity."),
        ("LOGO", "https://example.com/logo.png"),
        ("REGISTRY_NAME", "com.example/whoami"),
        ("REGISTRY_VERSION", "1.2.3"),
        ("REGISTRY_AUTH", "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        ("SERVER_CARD", "true"),
        ("AUTHORIZATION_SERVER_MIRROR", "true"),
        ("REGISTRATION_ENDPOINT", "https://register.example.com/"),
    ])
    .unwrap();
    let [own, partner] = settings.trust.issuers.as_slice() else { panic!("two issuers") };
    assert_eq!(own.audiences, ["https://mcp.example.com/mcp", "https://mcp.example.com/mcp/", "api://mcp"]);
    assert_eq!(partner.audiences, ["x", "y"]);
    assert_eq!(settings.trust.required_scopes.to_string(), "a b");
    assert_eq!(settings.trust.hierarchy.expand(Scopes::parse("admin")).to_string(), "a admin b c");
    assert_eq!(settings.trust.issuers[0].profile.token_types, ["at+jwt", "jwt", ""]);
    assert!(settings.trust.disclosure.covers_anything(&Scopes::parse("a")));
    assert_eq!(settings.trust.clients.check(Some("https://agents.example/x")), Ok(()));
    assert!(settings.trust.clients.check(Some("two")).is_err());
    let opaque = settings.trust.opaque.clone().unwrap();
    assert_eq!((opaque.positive_ttl_seconds, opaque.negative_ttl_seconds), (600, OPAQUE_NEGATIVE_SECONDS));
    assert_eq!(
        opaque.method,
        CheckMethod::Introspection { client_id: "us".to_owned(), client_secret: Secret::new("s3cret") }
    );
    assert_eq!((settings.log.level, settings.log.subject, settings.log.development), (LogLevel::Denials, false, true));
    let entry = settings.registry_entry.unwrap();
    assert_eq!((entry.name.as_str(), entry.version.as_deref()), ("com.example/whoami", Some("1.2.3")));
    assert_eq!(entry.description, "Shows the signed-in identity.");
    assert_eq!(settings.logo.as_deref(), Some("https://example.com/logo.png"));
    assert!(settings.server_card && settings.registry_proof.is_some_and(|proof| proof.starts_with("v=MCPv1")));
    let registration_endpoint = Some("https://register.example.com/".to_owned());
    assert_eq!(settings.mirror, Some(Mirror { registration_endpoint }));
}

#[test]
fn any_origin_and_any_client_are_a_star() {
    assert_eq!(parse(&[("ALLOWED_ORIGINS", "*")]).unwrap().origins, Origins::Any);
    let userinfo = [("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")];
    let opaque = parse(&userinfo).unwrap().trust.opaque.clone().unwrap();
    assert_eq!((opaque.clients, opaque.method), (AcceptedClients::Any, CheckMethod::Userinfo));
    assert_eq!(opaque.positive_ttl_seconds, OPAQUE_SECONDS);
}

#[test]
fn development_may_use_plain_http_on_this_machine() {
    let local = [("ISSUER", "http://localhost:3001/oidc"), ("RESOURCE", "http://127.0.0.1:8787/mcp")];
    assert_eq!(parse(&local).unwrap().resource.origin, "http://127.0.0.1:8787");
}

#[test]
fn every_error_names_the_setting_and_the_fix() {
    let secrets = [("INTROSPECTION_CLIENT_ID", "us"), ("INTROSPECTION_CLIENT_SECRET", "s3cret")];
    let listed = ("REGISTRY_NAME", "com.example/whoami");
    let described = ("RESOURCE_DESCRIPTION", "Shows the signed-in identity.");
    let long = "ä".repeat(registry::MAX_TEXT_CHARACTERS + 1);
    for (changes, setting, fix) in [
        (vec![("ISSUER", "")], "ISSUER", "https://your-tenant.logto.app/oidc"),
        (vec![("ISSUER", "tenant.logto.app")], "ISSUER", "must begin with https://"),
        (vec![("ISSUER", "http://tenant.logto.app/oidc")], "ISSUER", "must begin with https://"),
        (vec![("ISSUER", "https://tenant.logto.app/oidc?x")], "ISSUER", "neither query nor fragment"),
        (vec![("ISSUER", "https://tenant.logto.app/o\"dc")], "ISSUER", "without quotes"),
        (vec![("ISSUER", "https://tenänt.example/oidc")], "ISSUER", "visible ASCII"),
        (vec![("RESOURCE", "")], "RESOURCE", "https://mcp.example.com/mcp"),
        (vec![("RESOURCE", "https://mcp.example.com")], "RESOURCE", "https://mcp.example.com/mcp"),
        (vec![("RESOURCE", "https://mcp.example.com/")], "RESOURCE", "must have a path"),
        (vec![("RESOURCE", "https://mcp.example.com/.well-known/mcp")], "RESOURCE", "must have a path"),
        (vec![("RESOURCE", "https://mcp.example.com/mcp#x")], "RESOURCE", "neither query nor fragment"),
        (vec![("RESOURCE", "https://mcp.example.com/{tenant}/mcp")], "RESOURCE", "percent-encoded"),
        (vec![("RESOURCE", "https://mcp.example.com/a/%2E%2e/mcp")], "RESOURCE", "dot segments"),
        (vec![("RESOURCE", "https://mcp.example.com:0443/mcp")], "RESOURCE", "without leading zeros"),
        (vec![("RESOURCE", "ftp://mcp.example.com/mcp")], "RESOURCE", "must begin with https://"),
        (vec![("REQUIRED_SCOPES", "a \"b\"")], "REQUIRED_SCOPES", "is not a scope"),
        (vec![("SCOPE_HIERARCHY", "admin")], "SCOPE_HIERARCHY", "scope=implied,implied"),
        (vec![("SCOPE_HIERARCHY", "admin=a,,b")], "SCOPE_HIERARCHY", "scope=implied,implied"),
        (vec![("CLAIM_SCOPES", "whoami:read")], "CLAIM_SCOPES", "scope=claim,claim"),
        (vec![("TOKEN_TYPES", "at+jwt logout+jwt")], "TOKEN_TYPES", "use at+jwt, jwt, or none"),
        (vec![("TOKEN_TYPES", "secevent+jwt")], "TOKEN_TYPES", "use at+jwt, jwt, or none"),
        (vec![("ALLOWED_ORIGINS", "https://app.example.com/")], "ALLOWED_ORIGINS", "no slash at the end"),
        (vec![("ALLOWED_ORIGINS", "https://App.example.com")], "ALLOWED_ORIGINS", "lower case"),
        (vec![("ALLOWED_ORIGINS", "* https://app.example.com")], "ALLOWED_ORIGINS", "the whole setting"),
        (vec![("ALLOWED_ORIGINS", "app.example.com")], "ALLOWED_ORIGINS", "https://app.example.com"),
        (vec![("ALLOWED_ORIGINS", "ftp://app.example.com")], "ALLOWED_ORIGINS", "https://app.example.com"),
        (vec![("ALLOWED_ORIGINS", "chrome-extension://*")], "ALLOWED_ORIGINS", "one browser extension"),
        (vec![("ALLOWED_ORIGINS", "chrome-extension://")], "ALLOWED_ORIGINS", "and its id"),
        (vec![("ALLOWED_ORIGINS", "chrome-extension://abc/")], "ALLOWED_ORIGINS", "no slash at the end"),
        (vec![("ALLOWED_ORIGINS", "chrome-extension://ABC")], "ALLOWED_ORIGINS", "as the browser sends it"),
        (vec![("ALLOWED_ORIGINS", "moz-extension://me@example.com")], "ALLOWED_ORIGINS", "moz-extension:// and its id"),
        (vec![("ALLOWED_ORIGINS", "moz-extension://{ab}")], "ALLOWED_ORIGINS", "chrome-extension://nmmh"),
        (vec![("MORE_ISSUERS", "https://x")], "MORE_ISSUERS", "must be an array of"),
        (vec![("MORE_ISSUERS", r#"[{"issuer":"https://x","audience":[]}]"#)], "MORE_ISSUERS", "at least one audience"),
        (
            vec![("MORE_ISSUERS", r#"[{"issuer":"https://x","audience":["a"],"y":1}]"#)],
            "MORE_ISSUERS",
            "must be a string, and one of issuer",
        ),
        (
            vec![("MORE_ISSUERS", r#"[{"issuer":"http://x","audience":["a"]}]"#)],
            "MORE_ISSUERS",
            "must begin with https://",
        ),
        (
            vec![("MORE_ISSUERS", r#"[{"issuer":"https://tenant.logto.app/oidc","audience":["a"]}]"#)],
            "MORE_ISSUERS",
            "named twice",
        ),
        (vec![("OPAQUE_TOKEN_CLIENTS", "one")], "OPAQUE_TOKEN_CLIENTS", "wrangler secret put"),
        (vec![("OPAQUE_TOKEN_CLIENTS", "one"), secrets[0]], "OPAQUE_TOKEN_CLIENTS", "INTROSPECTION_CLIENT_SECRET"),
        (
            vec![("OPAQUE_TOKEN_CLIENTS", "one"), ("OPAQUE_TOKEN_CHECK", "userinfo")],
            "OPAQUE_TOKEN_CHECK",
            "OPAQUE_TOKEN_CLIENTS = \"*\"",
        ),
        (
            vec![("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "jwt")],
            "OPAQUE_TOKEN_CHECK",
            "\"introspection\" or \"userinfo\"",
        ),
        (
            vec![("OPAQUE_TOKEN_CLIENTS", "*"), secrets[0], secrets[1], ("OPAQUE_TOKEN_SECONDS", "601")],
            "OPAQUE_TOKEN_SECONDS",
            "up to 600",
        ),
        (
            vec![("OPAQUE_TOKEN_CLIENTS", "*"), secrets[0], secrets[1], ("OPAQUE_TOKEN_SECONDS", "-1")],
            "OPAQUE_TOKEN_SECONDS",
            "whole number",
        ),
        (vec![("RESOURCE_POLICY_URI", "example.com")], "RESOURCE_POLICY_URI", "must begin with https://"),
        (vec![("LOG", "none")], "LOG", "\"all\", \"denials\" or \"off\""),
        (vec![("LOG_SUBJECT", "no")], "LOG_SUBJECT", "\"true\" or \"false\""),
        (vec![("STATE_SECRET", "short")], "STATE_SECRET", "openssl rand -base64 32"),
        (vec![("REGISTRY_NAME", "com.example/whoami")], "REGISTRY_NAME", "needs RESOURCE_DESCRIPTION"),
        (vec![("REGISTRY_NAME", "whoami"), described], "REGISTRY_NAME", "com.example/whoami"),
        (vec![listed, described, ("REGISTRY_VERSION", "^1.0")], "REGISTRY_VERSION", "1.0.0"),
        (vec![listed, ("RESOURCE_DESCRIPTION", &long)], "RESOURCE_DESCRIPTION", "at most 100 characters"),
        (vec![listed, described, ("RESOURCE_NAME", &long)], "RESOURCE_NAME", "at most 100 characters"),
        (vec![("REGISTRY_AUTH", "v=MCPv1; k=ed25519; p=c2hvcnQ=")], "REGISTRY_AUTH", "32 bytes"),
        (vec![("SERVER_CARD", "true")], "SERVER_CARD", "requires REGISTRY_NAME"),
        (vec![("SERVER_CARD", "yes")], "SERVER_CARD", "\"true\" or \"false\""),
        (vec![("LOGO", "logo.png")], "LOGO", "must begin with https://"),
        (
            vec![("REGISTRATION_ENDPOINT", "https://register.example.com/")],
            "REGISTRATION_ENDPOINT",
            "AUTHORIZATION_SERVER_MIRROR",
        ),
    ] {
        let error = only_error(&changes);
        assert!(error.starts_with(setting), "{error}");
        assert!(error.contains(fix), "{error}");
    }
}

#[test]
fn what_stands_in_a_policy_is_a_host() {
    // The issuer's origin is part of the page's Content-Security-Policy.
    for issuer in ["https://tenant.example;x/oidc", "https://tenant.example,x/oidc", "https://tenant.example:x/oidc"] {
        let error = only_error(&[("ISSUER", issuer)]);
        assert!(error.contains("must have a host name or address"), "{error}");
    }
}

#[test]
fn long_urls_and_long_lists_are_refused() {
    let long = format!("https://tenant.example/{}", "x".repeat(MAX_URL_BYTES));
    assert!(only_error(&[("ISSUER", &long)]).contains("is longer than"));
    let issuer = |number| format!(r#"{{"issuer":"https://{number}.example","audience":["a"]}}"#);
    let list = |count| format!("[{}]", (0..count).map(issuer).collect::<Vec<_>>().join(","));
    assert!(parse(&[("MORE_ISSUERS", &list(MAX_ISSUERS - 1))]).is_ok());
    assert!(only_error(&[("MORE_ISSUERS", &list(MAX_ISSUERS))]).contains("at most"));
}

#[test]
fn all_errors_are_reported_together_without_secrets() {
    let error = parse(&[
        ("ISSUER", ""),
        ("RESOURCE", "mcp"),
        ("LOG", "loud"),
        ("ALLOWED_ORIGINS", "nowhere"),
        ("STATE_SECRET", "hunter2"),
        ("OPAQUE_TOKEN_CLIENTS", "*"),
        ("OPAQUE_TOKEN_CHECK", "guess"),
        ("INTROSPECTION_CLIENT_ID", "us"),
        ("INTROSPECTION_CLIENT_SECRET", "hunter3"),
    ])
    .unwrap_err();
    assert_eq!(error.0.len(), 6, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the settings are wrong, no request will be let through:\n- RESOURCE"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn the_debug_form_hides_the_introspection_secret() {
    let opaque =
        [("OPAQUE_TOKEN_CLIENTS", "*"), ("INTROSPECTION_CLIENT_ID", "us"), ("INTROSPECTION_CLIENT_SECRET", "hunter2")];
    assert!(!format!("{:?}", parse(&opaque).unwrap()).contains("hunter2"));
}

#[test]
fn the_debug_form_hides_the_state_secret() {
    let settings = parse(&[("STATE_SECRET", "hunter2 hunter2 hunter2 hunter2 hunter2")]).unwrap();
    assert!(settings.state_secret.is_some() && !format!("{settings:?}").contains("hunter2"));
}
