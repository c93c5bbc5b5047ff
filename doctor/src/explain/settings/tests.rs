//! What is read of the settings, and where they are from.

use super::{Settings, sources::Sources, values::Values, wrangler_file::WranglerFileError};

const WRANGLER: &str = r#"
name = "mcp-edge"
[vars]
ISSUER = "https://tenant.logto.app/oidc"
RESOURCE = "https://mcp.example.com/mcp"
PROVIDER = "logto"
REQUIRED_SCOPES = "whoami:read"
STATE_SECRET = "no setting of ours"
[[vars.MORE_ISSUERS]]
issuer = "https://login.partner.example"
audience = ["https://mcp.example.com/mcp"]
[[vars.MORE_ISSUERS]]
issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
audience = ["api"]
provider = "entra"
allowed_tenants = "72f988bf-86f1-41af-91ab-2d7cd011db47 9188040d-6c67-4c5b-b112-36a304b66dad"
scope_claims = "scp scope"
[env.staging.vars]
ISSUER = "https://staging.logto.app/oidc"
[env.bare]
"#;

fn sources(change: impl FnOnce(&mut Sources)) -> Sources {
    let mut sources = Sources { wrangler: Some(("wrangler.toml".into(), WRANGLER.into())), ..Sources::default() };
    change(&mut sources);
    sources
}

fn values(change: impl FnOnce(&mut Sources)) -> Values {
    sources(change).read().unwrap()
}

/// The errors of the good settings with some changed or added.
fn errors(changes: &[(&str, &str)]) -> Vec<String> {
    let set = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(&values(|it| it.set = set)).err().unwrap_or_default()
}

#[test]
fn variables_are_read_from_wrangler_toml() {
    let settings = Settings::read(&values(|_| ())).unwrap();
    assert_eq!(settings.required_scopes, ["whoami:read"]);
    let [logto, partner, entra] = &settings.issuers[..] else { panic!("{:?}", settings.issuers) };
    assert_eq!(
        (logto.profile.name, logto.audiences.as_slice()),
        ("logto", &["https://mcp.example.com/mcp".to_owned()][..])
    );
    assert_eq!((partner.profile.name, partner.organization_claim.as_ref()), ("generic", None));
    assert_eq!(
        entra.accepted(),
        ["72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"]
            .map(|it| format!("https://login.microsoftonline.com/{it}/v2.0"))
    );
    assert_eq!(
        (entra.scope_claims.as_slice(), entra.machine_scope_claims.len()),
        (["scp", "scope"].map(String::from).as_slice(), 0)
    );
}

#[test]
fn each_source_replaces_those_before_it() {
    let issuer = |change: fn(&mut Sources)| values(change).text("ISSUER").unwrap_or_default();
    assert_eq!(issuer(|it| it.env = Some("staging".into())), "https://staging.logto.app/oidc");
    assert_eq!(
        issuer(|it| it.dev_vars = Some((".dev.vars".into(), "ISSUER='http://localhost:3000'".into()))),
        "http://localhost:3000"
    );
    let environment = |it: &mut Sources| {
        it.dev_vars = Some((".dev.vars".into(), "ISSUER=a".into()));
        it.environment = vec![("ISSUER".into(), "b".into())];
    };
    assert_eq!(issuer(environment), "b");
    let empty = |it: &mut Sources| it.environment = vec![("ISSUER".into(), " ".into())];
    assert_eq!(issuer(empty), "https://tenant.logto.app/oidc", "an empty variable switches nothing off");
    let values = values(|it| {
        environment(it);
        it.set = vec![("ISSUER".into(), "c".into())];
    });
    assert_eq!(values.text("ISSUER").as_deref(), Some("c"));
    let sources: Vec<_> =
        values.sources().into_iter().map(|(source, names)| format!("{source}: {}", names.join(" "))).collect();
    assert_eq!(sources, ["--set: ISSUER", "wrangler.toml: RESOURCE PROVIDER REQUIRED_SCOPES MORE_ISSUERS"]);
    assert!(!format!("{values:?}").contains("no setting of ours"), "what does not decide about tokens is not read");
}

#[test]
fn an_environment_inherits_no_variables() {
    let staging = values(|it| it.env = Some("staging".into()));
    assert_eq!((staging.text("RESOURCE"), staging.text("MORE_ISSUERS")), (None, None));
    assert_eq!(values(|it| it.env = Some("bare".into())).sources(), []);
    let error = sources(|it| it.env = Some("prod".into())).read().unwrap_err();
    let expected = WranglerFileError::NoSuchEnvironment("wrangler.toml".into(), "prod".into(), "bare, staging".into());
    assert_eq!(error, expected.into());
}

#[test]
fn what_cannot_be_read_is_an_error_without_an_excerpt() {
    let text = "[vars]\nA = 1\nSTATE_SECRET = \"s3cret\n";
    let error = sources(|it| it.wrangler = Some(("w.toml".into(), text.into()))).read().unwrap_err().to_string();
    assert!(error.contains("w.toml is not TOML: line 3") && !error.contains("s3cret"), "{error}");
    let text = "[vars]\n= 1\n";
    let error = sources(|it| it.wrangler = Some(("w.toml".into(), text.into()))).read().unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    let unknown = sources(|it| it.set = vec![("ISUER".into(), String::new())]).read().unwrap_err().to_string();
    assert!(unknown.contains("--set ISUER") && unknown.contains("ISSUER, RESOURCE"), "{unknown}");
}

#[test]
fn each_error_has_its_sentence() {
    assert_eq!(errors(&[]), <[String; 0]>::default());
    for (changes, sentence) in [
        (&[("ISSUER", "")][..], "ISSUER is not set"),
        (&[("RESOURCE", " ")], "RESOURCE is not set"),
        (&[("ISSUER", "tenant.logto.app/oidc")], "must be an https URL"),
        (&[("ISSUER", "http://tenant.example")], "must be an https URL"),
        (&[("PROVIDER", "Logto")], "is not the name of a profile: generic, logto"),
        (&[("PROVIDER", "okta")], "set PROVIDER = \"logto\""),
        (&[("ISSUER", "https://tenant.logto.app/oidc/")], "https://your-tenant.logto.app/oidc"),
        (
            &[("ALLOWED_TENANTS", "72f988bf-86f1-41af-91ab-2d7cd011db47")],
            "ALLOWED_TENANTS needs an issuer with {tenantid}",
        ),
        (
            &[
                ("ISSUER", "https://login.microsoftonline.com/{tenantid}/v2.0"),
                ("PROVIDER", "entra"),
                ("MORE_ISSUERS", ""),
            ],
            "list the accepted ones",
        ),
        (&[("TOKEN_TYPES", "at+jwt logout+jwt")], "\"logout+jwt\" is not the type of an access token"),
        (&[("RESOURCE", "https://mcp.example.com")], "with a path"),
        (&[("JWKS_URL", "http://keys.example")], "JWKS_URL = \"http://keys.example\" must be an https URL"),
        (&[("SCOPE_PREFIX", "api")], "with the slash at its end"),
        (&[("INTROSPECTION_URL", "https://a.example")], "it needs OPAQUE_TOKEN_CLIENTS"),
        (&[("OPAQUE_TOKEN_CLIENTS", "a"), ("OPAQUE_TOKEN_CHECK", "guess")], "\"introspection\" or \"userinfo\""),
        (&[("OPAQUE_TOKEN_CLIENTS", "a"), ("OPAQUE_TOKEN_CHECK", "userinfo")], "OPAQUE_TOKEN_CLIENTS = \"*\""),
        (&[("USER_BY_SUBJECT", "yes")], "must be \"true\" or \"false\""),
        (&[("REQUIRED_SCOPES", "a\"b")], "REQUIRED_SCOPES: \"a\\\"b\" is not a scope"),
        (&[("DENIED_KEYS", "a,b")], "separate several by spaces"),
        (&[("SCOPE_HIERARCHY", "admin")], "SCOPE_HIERARCHY: \"admin\" must have the form"),
        (&[("CLAIM_SCOPES", "a=,b")], "CLAIM_SCOPES: \"a=,b\" must have the form"),
        (&[("DENIED_ISSUED_BEFORE", "yesterday")], "must be a time in UTC"),
        (&[("MORE_ISSUERS", "{}")], "MORE_ISSUERS must be an array"),
        (&[("MORE_ISSUERS", r#"[{"issuer":"https://a.example","audience":[]}]"#)], "at least one audience"),
        (&[("MORE_ISSUERS", r#"[{"issuer":"https://tenant.logto.app/oidc","audience":["a"]}]"#)], "named twice"),
        (
            &[("MORE_ISSUERS", r#"[{"issuer":"https://a.example","audience":["a"],"provider":"x"}]"#)],
            "provider = \"x\" is not",
        ),
    ] {
        let found = errors(changes);
        assert!(found.len() == 1 && found[0].contains(sentence), "{changes:?}: {found:?}");
    }
}

#[test]
fn an_entry_without_a_profile_of_its_own_inherits_the_settings() {
    let further = r#"[{"issuer":"https://a.example","audience":["a"]},
        {"issuer":"https://b.example","audience":["a"],"provider":"keycloak"}]"#;
    let values = values(|it| {
        it.set = [("MORE_ISSUERS", further), ("TOKEN_TYPES", "jwt none"), ("CLIENT_ID_CLAIMS", "app")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    });
    let settings = Settings::read(&values).unwrap();
    let [logto, inheriting, own] = &settings.issuers[..] else { panic!("{settings:?}") };
    assert_eq!((&logto.token_types, &logto.client_id_claims), (&inheriting.token_types, &inheriting.client_id_claims));
    assert_eq!(inheriting.token_types, ["jwt", ""]);
    assert_eq!(
        (own.token_types.as_slice(), own.client_id_claims[0].as_str()),
        (["jwt", "at+jwt"].map(String::from).as_slice(), "azp")
    );
}
