use mcp_edge_identity::Scopes;
use mcp_edge_runtime::settings::SettingsError;

use super::*;
use crate::settings::ResourceServerSettings;

const GOOD: [(&str, &str); 6] = [
    ("ISSUER", "https://tenant.example/oidc"),
    ("RESOURCE", "https://mcp.example.com/mcp"),
    ("PAT_PREFIX", "pat_"),
    ("PAT_SCOPES", "whoami:read"),
    (CLIENT_ID, "us"),
    (CLIENT_SECRET, "s3cret"),
];

/// Reads good settings with some changed or added; an empty one is not set.
fn read(changes: &[(&str, &str)], has_vault: bool) -> Result<CredentialSettings, SettingsError> {
    let get = |name: &str| {
        let all = changes.iter().chain(&GOOD);
        all.copied().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    };
    let mut reader = Reader::new(&get);
    let server = ResourceServerSettings::read(&mut reader);
    let read = CredentialSettings::read(&mut reader, &server.resource, &server.trust, has_vault);
    reader.finish(read)
}

/// The only error of these settings.
fn error(changes: &[(&str, &str)]) -> String {
    let SettingsError(errors) = read(changes, false).expect_err("an error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.concat()
}

fn warnings(changes: &[(&str, &str)], has_vault: bool) -> Vec<String> {
    read(changes, has_vault).unwrap().warnings().collect()
}

const NO_PAT: [(&str, &str); 4] = [("PAT_PREFIX", ""), ("PAT_SCOPES", ""), (CLIENT_ID, ""), (CLIENT_SECRET, "")];

#[test]
fn personal_access_tokens_are_off_unless_set() {
    let settings = read(&NO_PAT, false).unwrap();
    assert_eq!((&*settings.key_prefix, &settings.personal_tokens), ("mcpk", &None));
    assert_eq!(settings.warnings().count(), 0);
}

#[test]
fn the_exchange_is_for_the_resource_and_the_scopes_alone() {
    let settings = read(&[("SCOPE_PREFIX", "api://notes/"), ("PAT_SCOPES", "write read openid")], false).unwrap();
    let tokens = settings.personal_tokens.unwrap();
    assert_eq!((&*tokens.prefix, tokens.seconds), ("pat_", 300));
    let exchange = tokens.exchange.unwrap();
    assert_eq!(exchange.scope, "api://notes/read api://notes/write openid");
    assert_eq!(exchange.scopes, Scopes::parse("openid read write"));
    assert_eq!((&*exchange.resource, &*exchange.client_id), ("https://mcp.example.com/mcp", "us"));
    assert_eq!(exchange.subject_token_type, LOGTO_TOKEN_TYPE);
}

#[test]
fn the_vault_exchanges_where_there_is_one() {
    let changes = &NO_PAT[1..];
    let settings = read(changes, true).unwrap();
    assert_eq!(settings.personal_tokens.unwrap().exchange, None);
    assert_eq!(warnings(changes, true), Vec::<String>::new());
    // What lingers from a time without one.
    let warnings = warnings(&[], true);
    assert_eq!(warnings.len(), 3);
    assert!(warnings.iter().all(|line| line.contains("is set and not used: the vault exchanges")), "{warnings:?}");
}

#[test]
fn secrets_that_nothing_uses_are_a_warning() {
    let secrets = warnings(&NO_PAT[..2], false);
    assert_eq!(
        secrets,
        ["PAT_CLIENT_ID", "PAT_CLIENT_SECRET"]
            .map(|name| format!("{name} is set and not used: delete it, or set PAT_PREFIX"))
    );
}

#[test]
fn prefixes_tell_the_kinds_of_credentials_apart() {
    for good in ["pat_", "lgp-", "github_pat_", "ghp_", "x.y~z"] {
        assert!(read(&[("PAT_PREFIX", good)], false).is_ok(), "{good}");
    }
    for (prefix, problem) in [
        ("eyJh", "beginning of a JWT"),
        ("ey__", "beginning of a JWT"),
        ("mcpk_", "must differ from KEY_PREFIX"),
        ("mcpk_pat_", "must differ from KEY_PREFIX"),
        ("a_mcpk", "must differ from KEY_PREFIX"),
        ("mcpk", "must differ from KEY_PREFIX"),
        ("pat", "4 to 32"),
        ("pat_ pat2_", "4 to 32"),
        ("pat/", "4 to 32"),
        ("pät_", "4 to 32"),
    ] {
        let error = error(&[("PAT_PREFIX", prefix)]);
        assert!(error.starts_with("PAT_PREFIX = ") && error.contains(problem), "{error}");
    }
    assert!(error(&[("KEY_PREFIX", "pat")]).starts_with("PAT_PREFIX = \"pat_\" must differ"));
    for (prefix, is_good) in [
        ("k2", true),
        ("abcdefghijkl", true),
        ("k", false),
        ("abcdefghijklm", false),
        ("2k", false),
        ("a_b", false),
        ("Ab", false),
    ] {
        assert_eq!(read(&[("KEY_PREFIX", prefix)], false).is_ok(), is_good, "{prefix}");
    }
}

#[test]
fn errors_say_which_setting_is_missing_or_too_much() {
    assert!(error(&[("PAT_SCOPES", "")]).starts_with("PAT_PREFIX needs PAT_SCOPES"));
    assert!(error(&[("PAT_SCOPES", "a \"b")]).starts_with("PAT_SCOPES: "));
    for missing in [CLIENT_ID, CLIENT_SECRET] {
        assert!(
            error(&[(missing, "")]).starts_with("PAT_PREFIX needs the secrets PAT_CLIENT_ID and PAT_CLIENT_SECRET")
        );
    }
    for (name, value) in [("PAT_SCOPES", "a"), ("PAT_SECONDS", "60"), ("PAT_TOKEN_TYPE", "urn:x")] {
        let [prefix, scopes, ..] = NO_PAT;
        let changes = if name == "PAT_SCOPES" { vec![prefix] } else { vec![prefix, scopes, (name, value)] };
        assert!(error(&changes).starts_with(&format!("{name} needs PAT_PREFIX")), "{name}");
    }
    let prefixed = error(&[("SCOPE_PREFIX", "api://notes/"), ("PAT_SCOPES", "api://notes/read")]);
    assert_eq!(prefixed, "PAT_SCOPES must name scopes without SCOPE_PREFIX, api://notes/");
}

#[test]
fn what_would_refuse_every_personal_access_token_is_an_error() {
    assert!(error(&[("REQUIRED_SCOPES", "notes:read")]).starts_with("PAT_SCOPES must cover REQUIRED_SCOPES"));
    assert!(read(&[("REQUIRED_SCOPES", "a"), ("SCOPE_HIERARCHY", "whoami:read=a")], false).is_ok());
    for (list, clients) in [("ALLOWED_CLIENTS", "agent"), ("DENIED_CLIENTS", "us")] {
        assert!(error(&[(list, clients)]).starts_with("PAT_CLIENT_ID must be on ALLOWED_CLIENTS"), "{list}");
    }
    assert!(read(&[("ALLOWED_CLIENTS", "agent us")], false).is_ok());
}

#[test]
fn times_and_types_have_their_forms() {
    for (seconds, is_good) in
        [("30", true), ("3600", true), ("29", false), ("3601", false), ("-1", false), ("1.5", false), ("5m", false)]
    {
        assert_eq!(read(&[("PAT_SECONDS", seconds)], false).is_ok(), is_good, "{seconds}");
    }
    assert!(error(&[("PAT_SECONDS", "0")]).ends_with("must be a whole number of seconds from 30 to 3600"));
    assert!(error(&[("PAT_TOKEN_TYPE", "personal access token")]).starts_with("PAT_TOKEN_TYPE = "));
    assert!(read(&[("PAT_TOKEN_TYPE", "urn:example:pat")], false).is_ok());
}
