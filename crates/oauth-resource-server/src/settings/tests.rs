//! What is read of the settings, and the errors of invalid ones.

use mcp_edge_identity::Scopes;
use mcp_edge_runtime::settings::SettingsError;

use super::*;
use crate::token::{
    denied::DeniedTokens,
    opaque::{AcceptedClients, CheckMethod},
};

const ISSUER: &str = "https://tenant.example/oidc";

const RESOURCE: &str = "https://mcp.example.com/mcp";

const INTROSPECTION: [(&str, &str); 3] =
    [("OPAQUE_TOKEN_CLIENTS", "agent"), ("INTROSPECTION_CLIENT_ID", "us"), ("INTROSPECTION_CLIENT_SECRET", "s3cret")];

/// Reads the required settings with some changed or added.
fn read(changes: &[(&str, &str)]) -> Result<ResourceServerSettings, SettingsError> {
    let get = |name: &str| {
        let all = changes.iter().chain(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]);
        all.copied().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    };
    let mut reader = Reader::new(&get);
    let read = ResourceServerSettings::read(&mut reader);
    reader.finish(read)
}

/// The only error of the last of these settings.
fn error(changes: &[(&str, &str)]) -> String {
    let SettingsError(errors) = read(changes).expect_err("an error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap_or_default()
}

#[test]
fn two_settings_are_enough() {
    let settings = read(&[]).unwrap();
    let (url, origin, path) = (RESOURCE.to_owned(), "https://mcp.example.com".to_owned(), "/mcp".to_owned());
    assert_eq!(settings.resource, Resource { url, origin, path });
    assert_eq!(settings.resource.metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource/mcp");
    let [trusted] = &*settings.trust.issuers else { panic!("one issuer") };
    assert_eq!((&*trusted.issuer, &*trusted.accepted), (ISSUER, &[ISSUER.to_owned()][..]));
    assert_eq!(trusted.audiences, [RESOURCE]);
    assert_eq!(trusted.profile.provider.name, "generic");
    assert_eq!(trusted.profile.token_types, ["at+jwt", "application/at+jwt"]);
    assert_eq!(settings.trust.denied, DeniedTokens::default());
    assert_eq!(settings.trust.required_scopes, Scopes::default());
    assert!(settings.trust.opaque.is_none());
    assert_eq!(settings.display, DisplayMetadata::default());
}

#[test]
fn the_path_of_the_resource_may_have_what_url_parsers_leave_as_it_is() {
    let resource = "https://mcp.example.com/a|b/[c]/~d!$&'()*+,;=:@%7B/mcp";
    assert_eq!(read(&[("RESOURCE", resource)]).map(|settings| settings.resource.url), Ok(resource.to_owned()));
    for changed in ['^', '`', '{', '}'] {
        let error = error(&[("RESOURCE", &format!("https://mcp.example.com/a{changed}b/mcp"))]);
        assert!(error.contains("percent-encoded"), "{error}");
    }
}

#[test]
fn a_resource_has_a_path_of_at_least_one_character() {
    assert_eq!(read(&[("RESOURCE", "https://mcp.example.com/m")]).unwrap().resource.path, "/m");
    for resource in ["https://mcp.example.com", "https://mcp.example.com/", "https://mcp.example.com/.well-known/mcp"] {
        assert!(error(&[("RESOURCE", resource)]).contains("must have a path"), "{resource}");
    }
}

#[test]
fn audiences_are_the_resource_and_the_listed_ones() {
    let further = r#"[{"issuer":"https://partner.example","audience":["x","y"]}]"#;
    let trust = read(&[("AUDIENCE", "api://mcp"), ("MORE_ISSUERS", further)]).unwrap().trust;
    let audiences: Vec<_> = trust.issuers.iter().map(|trusted| trusted.audiences.as_slice()).collect();
    assert_eq!(audiences, [[RESOURCE, "api://mcp"], ["x", "y"]]);
    for audiences in ["[]", r#"["a",""]"#] {
        let further = format!(r#"[{{"issuer":"https://partner.example","audience":{audiences}}}]"#);
        assert!(error(&[("MORE_ISSUERS", &further)]).contains("at least one audience"), "{audiences}");
    }
    let twice = format!(r#"[{{"issuer":"{ISSUER}","audience":["a"]}}]"#);
    assert!(error(&[("MORE_ISSUERS", &twice)]).contains("named twice"));
}

#[test]
fn there_are_at_most_so_many_issuers() {
    let list = |count| {
        let issuer = |number| format!(r#"{{"issuer":"https://{number}.example","audience":["a"]}}"#);
        format!("[{}]", (0..count).map(issuer).collect::<Vec<_>>().join(","))
    };
    assert_eq!(read(&[("MORE_ISSUERS", &list(MAX_ISSUERS - 1))]).unwrap().trust.issuers.len(), MAX_ISSUERS);
    assert!(error(&[("MORE_ISSUERS", &list(MAX_ISSUERS))]).contains("at most"));
}

#[test]
fn a_scope_may_imply_others() {
    let trust = read(&[("SCOPE_HIERARCHY", "admin=write,read write=read"), ("REQUIRED_SCOPES", "read")]).unwrap().trust;
    assert_eq!(trust.hierarchy.expand(Scopes::parse("admin")), Scopes::parse("admin read write"));
    assert_eq!(trust.hierarchy.expand(Scopes::parse("write")), Scopes::parse("read write"));
    assert_eq!(trust.hierarchy.expand(Scopes::parse("read")), Scopes::parse("read"));
    assert_eq!(trust.required_scopes, Scopes::parse("read"));
    for bad in ["admin", "=read", "admin=", "admin=read,", "a\"b=read", "admin=re\"ad"] {
        assert!(error(&[("SCOPE_HIERARCHY", bad)]).contains("scope=implied,implied"), "{bad}");
    }
    assert!(error(&[("REQUIRED_SCOPES", "read wri\"te")]).contains("is not a scope"));
}

#[test]
fn keys_and_times_can_be_denied() {
    let settings = [("DENIED_KEYS", "k 9a-Z"), ("DENIED_ISSUED_BEFORE", "2026-11-25T20:00:00Z")];
    let expected = DeniedTokens { keys: vec!["k".to_owned(), "9a-Z".to_owned()], issued_before: 1_795_636_800 };
    assert_eq!(read(&settings).unwrap().trust.denied, expected);
    assert!(error(&[("DENIED_KEYS", "k1,k2")]).contains("separate several by spaces"));
    assert!(error(&[("DENIED_ISSUED_BEFORE", "yesterday")]).contains("must be a time in UTC"));
}

#[test]
fn types_are_those_of_access_tokens() {
    let types =
        |value| read(&[("TOKEN_TYPES", value)]).map(|settings| settings.trust.issuers[0].profile.token_types.clone());
    assert_eq!(types("at+jwt JWT none").unwrap(), ["at+jwt", "jwt", ""]);
    assert!(
        error(&[("TOKEN_TYPES", "at+jwt logout+jwt")]).contains("\"logout+jwt\" is not the type of an access token")
    );
}

#[test]
fn opaque_tokens_are_checked_by_introspection_or_at_userinfo() {
    let [_, id, secret] = INTROSPECTION;
    let introspection = CheckMethod::Introspection { client_id: "us".into(), client_secret: "s3cret".into() };
    let opaque = read(&INTROSPECTION).unwrap().trust.opaque.clone().unwrap();
    assert_eq!((opaque.clients, opaque.method), (AcceptedClients::Listed(ClientList::parse("agent")), introspection));
    assert_eq!((opaque.positive_ttl_seconds, opaque.negative_ttl_seconds), (OPAQUE_SECONDS, OPAQUE_NEGATIVE_SECONDS));
    let any = ("OPAQUE_TOKEN_CLIENTS", "*");
    assert_eq!(read(&[any, id, secret]).unwrap().trust.opaque.clone().unwrap().clients, AcceptedClients::Any);
    let userinfo = ("OPAQUE_TOKEN_CHECK", "userinfo");
    assert_eq!(read(&[any, userinfo]).unwrap().trust.opaque.clone().unwrap().method, CheckMethod::Userinfo);
    assert!(error(&[INTROSPECTION[0], userinfo]).contains("OPAQUE_TOKEN_CLIENTS = \"*\""));
    assert!(error(&[any, ("OPAQUE_TOKEN_CHECK", "guess")]).contains("\"introspection\" or \"userinfo\""));
    assert!(error(&INTROSPECTION[..2]).contains("INTROSPECTION_CLIENT_SECRET"));
}

#[test]
fn answers_about_opaque_tokens_are_used_for_a_bounded_time() {
    let with = |seconds: &str| {
        let [clients, id, secret] = INTROSPECTION;
        read(&[clients, id, secret, ("OPAQUE_TOKEN_SECONDS", seconds)])
            .map(|settings| settings.trust.opaque.as_ref().map(|opaque| opaque.positive_ttl_seconds))
    };
    assert_eq!(with("0"), Ok(Some(0)));
    assert_eq!(with("600"), Ok(Some(600)));
    for bad in ["601", "-1", "1.5", "a minute"] {
        assert!(with(bad).is_err_and(|SettingsError(errors)| errors[0].contains("up to 600")), "{bad}");
    }
}

// Providers.

#[test]
fn a_provider_must_fit_its_issuer() {
    let provider = |name, issuer| {
        read(&[("PROVIDER", name), ("ISSUER", issuer)]).map(|settings| settings.trust.issuers[0].profile.provider.name)
    };
    assert_eq!(provider("okta", "https://example.okta.com/oauth2/default"), Ok("okta"));
    assert_eq!(provider("okta", "https://login.example.com/oauth2/default"), Ok("okta"));
    assert_eq!(provider("generic", "https://example.okta.com/oauth2/default"), Ok("generic"));
    for (name, issuer, fix) in [
        ("Okta", "https://example.okta.com/oauth2/default", "must be one of generic, logto, auth0, cognito, entra"),
        ("okta", "https://tenant.eu.auth0.com/", "which is one of Auth0: set PROVIDER = \"auth0\""),
        ("okta", "https://example.okta.com", "https://your-org.okta.com/oauth2/default"),
        ("auth0", "https://tenant.eu.auth0.com", "https://your-tenant.eu.auth0.com/"),
    ] {
        let error = error(&[("PROVIDER", name), ("ISSUER", issuer)]);
        assert!(error.contains(fix), "{error}");
    }
}

#[test]
fn an_issuer_with_a_profile_that_is_read_without_it_is_a_warning() {
    let warnings = |changes: &[(&str, &str)]| read(changes).unwrap().trust.warnings().collect::<Vec<_>>();
    let okta = ("ISSUER", "https://example.okta.com/oauth2/default");
    let [warning] = &*warnings(&[okta]) else { panic!("one warning") };
    assert!(warning.contains("set PROVIDER = \"okta\""), "{warning}");
    assert!(warnings(&[okta, ("PROVIDER", "okta")]).is_empty() && warnings(&[]).is_empty());
}

#[test]
fn tenants_are_listed_for_an_issuer_of_all_tenants_and_for_no_other() {
    const ALL: (&str, &str) = ("ISSUER", "https://login.microsoftonline.com/{tenantid}/v2.0");
    const ENTRA: (&str, &str) = ("PROVIDER", "entra");
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let two = format!("{TENANT} 9188040d-6c67-4c5b-b112-36a304b66dad");
    let settings = read(&[ALL, ENTRA, ("ALLOWED_TENANTS", &two)]).unwrap();
    let accepted = [TENANT, "9188040d-6c67-4c5b-b112-36a304b66dad"];
    let accepted = accepted.map(|tenant| format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    assert_eq!(settings.trust.issuers[0].accepted, accepted);
    assert_eq!(settings.trust.issuers[0].issuer, ALL.1);
    assert!(error(&[ALL, ENTRA]).contains("list those that may call in ALLOWED_TENANTS"));
    for bad in ["contoso.onmicrosoft.com", "*", "{tenantid}", &TENANT.to_uppercase(), &TENANT.replace('-', "/")] {
        let error = error(&[ALL, ENTRA, ("ALLOWED_TENANTS", bad)]);
        assert!(error.contains("must be the id of a tenant in lower case"), "{error}");
    }
    assert!(error(&[ALL, ("ALLOWED_TENANTS", TENANT)]).contains("only PROVIDER = \"entra\""));
    let opaque =
        [("OPAQUE_TOKEN_CLIENTS", "*"), INTROSPECTION[1], INTROSPECTION[2], ALL, ENTRA, ("ALLOWED_TENANTS", TENANT)];
    assert!(error(&opaque).starts_with("OPAQUE_TOKEN_CLIENTS"));
    // Personal accounts sign in elsewhere.
    let server = |tenants| {
        let settings = read(&[ALL, ENTRA, ("ALLOWED_TENANTS", tenants)]).unwrap();
        settings.trust.issuers[0].authorization_server().to_owned()
    };
    assert_eq!(server(TENANT), "https://login.microsoftonline.com/organizations/v2.0");
    assert_eq!(server(&two), "https://login.microsoftonline.com/common/v2.0");
    let one = ("ISSUER", "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0");
    assert!(error(&[one, ENTRA, ("ALLOWED_TENANTS", TENANT)]).contains("remove it"));
}

#[test]
fn an_entry_of_more_issuers_has_settings_of_its_own() {
    let entry = r#"[{"issuer": "https://partner.example/", "audience": ["a"], "provider": "keycloak",
        "organization_claim": "group", "jwks_url": "https://partner.example/k", "discovery_url": " "}]"#;
    let all = [("PROVIDER", "logto"), ("JWKS_URL", "https://keys.example/k"), ("TOKEN_TYPES", "at+jwt jwt")];
    let settings = read(&[&all[..], &[("MORE_ISSUERS", entry)]].concat()).unwrap();
    let [own, partner] = &*settings.trust.issuers else { panic!("two issuers") };
    assert_eq!((own.profile.provider.name, partner.profile.provider.name), ("logto", "keycloak"));
    assert_eq!(partner.profile.organization_claim.as_deref(), Some("group"));
    assert_eq!(partner.profile.token_types, ["jwt", "at+jwt"], "those of its profile");
    assert_eq!(partner.urls.jwks.as_deref(), Some("https://partner.example/k"));
    assert_eq!((&partner.urls.discovery, &own.urls.jwks), (&None, &Some("https://keys.example/k".to_owned())));
    for (member, fix) in [
        (r#""provider": "keyclok""#, "PROVIDER = \"keyclok\" must be one of"),
        (r#""provider": ["okta"]"#, "\"provider\" of \"https://x.example\" must be a string"),
        (r#""introspection_url": "https://x.example/i""#, "\"introspection_url\" of \"https://x.example\""),
        (r#""jwks_url": "http://x.example/k""#, "JWKS_URL: \"http://x.example/k\" must be an https URL"),
        (r#""user_by_subject": "yes""#, "USER_BY_SUBJECT = \"yes\" must be"),
    ] {
        let entry = format!(r#"[{{"issuer": "https://x.example", "audience": ["a"], {member}}}]"#);
        let error = error(&[("MORE_ISSUERS", &entry)]);
        assert!(error.starts_with("MORE_ISSUERS: ") && error.contains(fix), "{error}");
    }
}

#[test]
fn a_list_of_organizations_that_no_token_could_satisfy_is_an_error() {
    const ACME: (&str, &str) = ("ALLOWED_ORGANIZATIONS", "acme");
    assert!(error(&[ACME]).contains("set ORGANIZATION_CLAIM"));
    assert!(error(&[ACME, ("PROVIDER", "okta")]).contains("set ORGANIZATION_CLAIM"));
    assert_eq!(read(&[ACME, ("ORGANIZATION_CLAIM", "group")]).unwrap().trust.organizations, ["acme"]);
    assert!(read(&[ACME, ("PROVIDER", "auth0")]).is_ok());
    let partner = ("MORE_ISSUERS", r#"[{"issuer": "https://partner.example", "audience": ["a"]}]"#);
    assert!(error(&[ACME, ("PROVIDER", "auth0"), partner]).contains("https://partner.example"));
    assert!(error(&[("ORGANIZATION_CLAIM", "org_id tid")]).contains("must be the name of one claim"));
    let userinfo = [ACME, ("PROVIDER", "logto"), ("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")];
    assert!(error(&userinfo).contains("cannot tell the organization"));
}

#[test]
fn an_entry_inherits_where_to_look_and_not_who_is_a_user() {
    let of_entry = |more: &str| {
        let entry = format!(r#"[{{"issuer": "https://partner.example", "audience": ["a"]{more}}}]"#);
        let all =
            [("USER_BY_SUBJECT", "true"), ("TOKEN_TYPES", "jwt"), ("SCOPE_CLAIMS", "x"), ("MORE_ISSUERS", &*entry)];
        read(&all).unwrap().trust.issuers[1].profile.clone()
    };
    let inherited = of_entry("");
    assert_eq!((inherited.token_types, inherited.scope_claims), (vec!["jwt".to_owned()], vec!["x".to_owned()]));
    assert!(!inherited.user_by_subject && of_entry(r#", "user_by_subject": "true""#).user_by_subject);
    assert_eq!(of_entry(r#", "provider": " ""#).token_types, ["jwt"], "as if it were not there");
}

#[test]
fn no_issuer_is_trusted_twice() {
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let all = ("ISSUER", "https://login.microsoftonline.com/{tenantid}/v2.0");
    let entry = format!(r#"[{{"issuer": "https://login.microsoftonline.com/{tenant}/v2.0", "audience": ["a"]}}]"#);
    let settings = [all, ("PROVIDER", "entra"), ("ALLOWED_TENANTS", tenant), ("MORE_ISSUERS", &entry)];
    assert!(error(&settings).contains("is named twice"));
}
