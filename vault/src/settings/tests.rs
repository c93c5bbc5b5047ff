//! The settings: what is read, and each error with its fix.

use super::*;

pub(crate) const ISSUER: &str = "https://tenant.example/oidc";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";

/// Everything that must be set, with changes.
pub(crate) fn parse(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let good = [
        ("ISSUER", ISSUER),
        ("RESOURCE", RESOURCE),
        ("REQUIRED_SCOPES", "whoami:read"),
        ("VAULT_CLIENT_ID", "vault"),
        ("VAULT_CLIENT_SECRET", "the-secret-of-the-client"),
        ("VAULT_SECRET", "0123456789abcdef0123456789abcdef"),
    ];
    let find = |list: &[(&str, &str)], name: &str| {
        list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Settings::parse(|name| find(changes, name).or_else(|| find(&good, name)))
}

#[test]
fn the_least_that_works() {
    let settings = parse(&[]).unwrap();
    assert_eq!(settings.client.redirect_uri, "https://mcp.example.com/account/callback");
    assert_eq!((settings.key_prefix.as_str(), settings.key_scopes), ("mcpk", vec!["whoami:read".to_owned()]));
    assert_eq!((settings.max_days, settings.keys_per_user, settings.refresh_days), (90, 20, 14));
    assert_eq!((settings.sign_in_max_age, settings.not_before, settings.jurisdiction), (600, None, None));
    assert!(settings.admin_secret.is_none() && settings.personal_tokens.is_none() && settings.key_tools.is_empty());
    assert_eq!(settings.warnings, Vec::<String>::new());
}

#[test]
fn everything_that_can_be_said() {
    let settings = parse(&[
        ("VAULT_JURISDICTION", "eu"),
        ("KEY_PREFIX", "acme"),
        ("KEY_SCOPES", "notes:write whoami:read notes:read"),
        ("KEY_TOOLS", "whoami notes_list whoami"),
        ("KEY_MAX_DAYS", "30"),
        ("KEYS_PER_USER", "3"),
        ("KEYS_NOT_BEFORE", "2026-11-25T20:00:00Z"),
        ("SIGN_IN_MAX_AGE", "60"),
        ("REFRESH_DAYS", "30"),
        ("ADMIN_SECRET", "fedcba9876543210fedcba9876543210"),
        ("PAGE_COLOR", "#663399"),
        ("PAT_PREFIX", "pat_"),
        ("PAT_SCOPES", "whoami:read"),
        ("PAT_SECONDS", "60"),
        ("PAT_CLIENT_ID", "exchanger"),
        ("PAT_CLIENT_SECRET", "exchanger-secret"),
    ])
    .unwrap();
    assert_eq!(settings.key_scopes, ["whoami:read", "notes:read", "notes:write"], "the required ones come first");
    assert_eq!(settings.key_tools, ["whoami", "notes_list"]);
    assert_eq!((settings.not_before, settings.color.to_string().as_str()), (Some(1_795_636_800), "#663399"));
    let personal = settings.personal_tokens.unwrap();
    assert_eq!((personal.prefix.as_str(), personal.seconds), ("pat_", 60));
    let exchange = personal.exchange.unwrap();
    assert_eq!(exchange.subject_token_type, "urn:logto:token-type:personal_access_token");
    assert_eq!((exchange.resource.as_str(), exchange.scope.as_str()), (RESOURCE, "whoami:read"));
}

#[test]
fn every_error_says_how_to_fix_it_and_no_secret_is_shown() {
    let pat =
        [("PAT_PREFIX", "pat_"), ("PAT_SCOPES", "whoami:read"), ("PAT_CLIENT_ID", "p"), ("PAT_CLIENT_SECRET", "s")];
    let with_pat =
        |name: &'static str, value: &'static str| [(name, value)].into_iter().chain(pat).collect::<Vec<(&str, &str)>>();
    for (changes, fix) in [
        (vec![("ISSUER", "")], "ISSUER is not set"),
        (vec![("VAULT_CLIENT_ID", "")], "https://mcp.example.com/account/callback"),
        (vec![("VAULT_CLIENT_SECRET", "")], "wrangler secret put"),
        (vec![("VAULT_SECRET", "")], "openssl rand -base64 32"),
        (vec![("VAULT_SECRET", "0123456789abcdef0123456789abcde")], "at least 32 characters"),
        (vec![("VAULT_JURISDICTION", "EU")], "\"eu\" or \"fedramp\""),
        (vec![("KEY_PREFIX", "a")], "2 to 12 lower-case"),
        (vec![("KEY_PREFIX", "mcp_")], "2 to 12 lower-case"),
        (vec![("KEY_PREFIX", "1key")], "a letter first"),
        (vec![("KEY_PREFIX", "abcdefghijklm")], "2 to 12"),
        (vec![("KEY_SCOPES", "offline_access")], "OpenID Connect"),
        (vec![("KEY_SCOPES", "a \"b\"")], "is not a scope"),
        (vec![("REQUIRED_SCOPES", "")], "KEY_SCOPES is not set"),
        (vec![("KEY_TOOLS", "notes_*")], "no patterns"),
        (vec![("KEY_MAX_DAYS", "0")], "between 1 and 365"),
        (vec![("KEY_MAX_DAYS", "366")], "between 1 and 365"),
        (vec![("KEYS_PER_USER", "many")], "between 1 and 100"),
        (vec![("SIGN_IN_MAX_AGE", "59")], "between 60 and 3600"),
        (vec![("REFRESH_DAYS", "0")], "between 1 and 3650"),
        (vec![("KEYS_NOT_BEFORE", "yesterday")], "2026-11-25T20:00:00Z"),
        (vec![("ADMIN_SECRET", "short")], "no administration"),
        (vec![("ADMIN_SECRET", "0123456789abcdef0123456789abcdef")], "ADMIN_SECRET must not be VAULT_SECRET"),
        (
            vec![("VAULT_CLIENT_SECRET", "0123456789abcdef0123456789abcdef")],
            "VAULT_CLIENT_SECRET must not be VAULT_SECRET",
        ),
        (vec![("ALLOWED_CLIENTS", "claude")], "ALLOWED_CLIENTS"),
        (vec![("DENIED_CLIENTS", "vault")], "DENIED_CLIENTS"),
        (vec![("PAGE_COLOR", "green")], "#1f6b4a"),
        (with_pat("PAT_SCOPES", ""), "PAT_SCOPES"),
        (with_pat("PAT_CLIENT_SECRET", ""), "PAT_CLIENT_SECRET"),
        (with_pat("PAT_SECONDS", "29"), "from 30 to 3600"),
        (with_pat("PAT_PREFIX", "a b c"), "4 to 32 letters"),
        (with_pat("PAT_PREFIX", "pat"), "4 to 32 letters"),
        (with_pat("PAT_PREFIX", "ey_a"), "beginning of a JWT"),
        (with_pat("PAT_SCOPES", "notes:read"), "must cover REQUIRED_SCOPES"),
        (with_pat("PAT_TOKEN_TYPE", "personal"), "must be a URI"),
        (with_pat("DENIED_CLIENTS", "p"), "PAT_CLIENT_ID"),
        (vec![("PAT_SCOPES", "whoami:read")], "needs PAT_PREFIX"),
        (with_pat("PAT_PREFIX", "mcpk_p"), "must differ"),
        (with_pat("PAT_PREFIX", "amcpk"), "must differ"),
    ] {
        let Err(SettingsError(errors)) = parse(&changes) else { panic!("{changes:?} is accepted") };
        assert_eq!(errors.len(), 1, "{changes:?}: {errors:?}");
        assert!(errors[0].contains(fix), "{fix}: {errors:?}");
        assert!(!errors[0].contains("0123456789abcdef") && !errors[0].contains("the-secret"));
    }
    let Err(SettingsError(errors)) = Settings::parse(|_| None) else { panic!("nothing is set") };
    assert_eq!(errors.len(), 6, "all at once: {errors:?}");
}

/// Vault and endpoint read these settings alike: what one takes the other takes.
#[test]
fn a_prefix_that_the_endpoint_takes_is_taken() {
    for prefix in ["pat.", "pat~token-1_"] {
        let pat =
            [("PAT_PREFIX", prefix), ("PAT_SCOPES", "whoami:read"), ("PAT_CLIENT_ID", "p"), ("PAT_CLIENT_SECRET", "s")];
        assert_eq!(parse(&pat).unwrap().personal_tokens.unwrap().prefix, prefix);
    }
}

#[test]
fn what_is_only_odd_is_a_warning() {
    let warnings = |changes: &[(&str, &str)]| parse(changes).unwrap().warnings.join("\n");
    assert!(warnings(&[("KEY_SCOPES", "notes:read")]).contains("lacks \"whoami:read\""));
    assert!(warnings(&[("FIRST_PARTY_CLIENTS", "vault")]).contains("gives keys nothing"));
    assert!(warnings(&[("PAT_CLIENT_ID", "p")]).contains("set PAT_PREFIX"));
    assert_eq!(warnings(&[("KEY_SCOPES", "whoami:read"), ("FIRST_PARTY_CLIENTS", "web")]), "");
}

#[test]
fn connections_of_users_need_tokens_that_are_known_to_be_of_users() {
    let connection =
        |kind: &str| format!(r#"{{"api": {{"url": "https://api.example.com", "kind": "{kind}", "audience": "x"}}}}"#);
    let exchange = connection("exchange");
    let fixed = r#"{"api": {"url": "https://api.example.com", "kind": "static"}}"#;
    let secret = ("CONNECTION_API_SECRET", "hunter2");
    let warnings = |changes: &[(&str, &str)]| parse(changes).unwrap().warnings;
    let found = warnings(&[("CONNECTIONS", &exchange)]);
    assert!(
        found.len() == 1 && found[0].contains("USER_BY_SUBJECT") && found[0].contains("the caller is no user"),
        "{found:?}"
    );
    assert!(found[0].contains(ISSUER) && found[0].contains("auth_time"));
    for changes in [
        vec![("CONNECTIONS", &*exchange), ("USER_BY_SUBJECT", "true")],
        vec![("CONNECTIONS", &*exchange), ("PROVIDER", "logto")],
        vec![("CONNECTIONS", fixed), secret],
        vec![],
    ] {
        assert_eq!(warnings(&changes), Vec::<String>::new(), "{changes:?}");
    }
}

#[test]
fn no_secret_is_in_what_is_printed() {
    let settings = parse(&[
        ("ADMIN_SECRET", "fedcba9876543210fedcba9876543210"),
        ("PAT_PREFIX", "pat_"),
        ("PAT_SCOPES", "whoami:read"),
        ("PAT_CLIENT_ID", "p"),
        ("PAT_CLIENT_SECRET", "hunter2"),
    ]);
    let text = format!("{settings:?}");
    for secret in ["the-secret-of-the-client", "0123456789abcdef", "fedcba98", "hunter2"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
