//! The table of connections: what is read, and each error with its fix.

use mcp_edge_runtime::settings::SettingsError;

use super::*;
use crate::{
    connection::settings::{Exchange, Kind, LogtoBroker, LogtoVault, Place, Service},
    settings::{Settings, tests},
};

const SECRET: &str = "connections0123456789abcdef01234";

fn parse(table: &str, more: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let mut changes = vec![("CONNECTIONS", table)];
    if !more.iter().any(|(name, _)| *name == "CONNECTIONS_SECRET") {
        changes.push(("CONNECTIONS_SECRET", SECRET));
    }
    changes.extend(more);
    tests::parse(&changes)
}

fn one(table: &str, more: &[(&str, &str)]) -> Connection {
    parse(table, more).unwrap().connections.iter().next().unwrap().clone()
}

fn service(table: &str) -> Service {
    match one(table, &[]).kind {
        Kind::Connect(service) => *service,
        other => panic!("{other:?}"),
    }
}

/// A connection of the kind `connect` with these members, each followed by a comma.
fn github(members: &str) -> String {
    format!(
        r#"{{"github":{{{members}"kind":"connect","url":"https://api.github.com","issuer":"https://github.com"}}}}"#
    )
}

#[test]
fn without_connections_nothing_is_needed() {
    let settings = tests::parse(&[]).unwrap();
    assert!(settings.connections.is_empty() && settings.connections_secret.is_none());
    let settings = parse("{}", &[]).unwrap();
    assert!(settings.connections.is_empty());
    assert!(settings.connections_secret.is_some(), "accounts may be left to be revoked");
}

#[test]
fn a_service_is_read_with_everything_that_can_be_said() {
    let table = r#"{"git-hub2":{"kind":"connect","title":" GitHub ","url":"https://api.github.com","scopes":"repo  read:user repo",
        "authorization_endpoint":"https://github.com/login/oauth/authorize?x=1","token_endpoint":"https://github.com/token",
        "revocation_endpoint":"https://api.github.com/revoke","client_id":"Iv1","hosts":"a.github.com b.github.com:8443",
        "authorization_parameters":{"prompt":"consent","access_type":"offline"},
        "account_url":"https://api.github.com/user?v=2","account_name":"login","resource":"https://api.github.com/x"}}"#;
    let connection = one(table, &[("CONNECTION_GIT_HUB2_SECRET", "hunter2")]);
    assert_eq!((connection.name.as_str(), connection.title.as_str()), ("git-hub2", "GitHub"));
    assert_eq!(
        (connection.url.as_str(), &*connection.scopes),
        ("https://api.github.com", &["repo".to_owned(), "read:user".to_owned()][..])
    );
    let Kind::Connect(service) = connection.kind else { panic!("connect") };
    assert!(matches!(service.place, Place::Endpoints { revocation: Some(_), .. }));
    assert_eq!(service.resource.as_deref(), Some("https://api.github.com/x"));
    assert_eq!(service.client.unwrap().client_secret, Some(Secret::new("hunter2")));
    assert_eq!(service.hosts, ["a.github.com", "b.github.com:8443"]);
    assert_eq!(service.parameters.len(), 2);
    assert_eq!(service.account.unwrap().member, "login");
}

#[test]
fn a_service_is_known_by_its_resource_or_its_issuer() {
    let by_resource =
        service(r#"{"other":{"kind":"connect","url":"https://m.example","resource":"https://m.example/mcp"}}"#);
    assert_eq!(by_resource.place, Place::Resource);
    assert_eq!((by_resource.resource.as_deref(), by_resource.client), (Some("https://m.example/mcp"), None));
    let by_issuer = service(&github(r#""client_id":"public","resource":"https://api.github.com/","#));
    assert_eq!(by_issuer.place, Place::Issuer("https://github.com".to_owned()));
    assert_eq!(by_issuer.client.unwrap().client_secret, None);
    assert_eq!(one(&github(""), &[]).title, "github", "the name unless set");
}

#[test]
fn the_other_kinds_are_read() {
    let kind = |table: &str, more: &[(&str, &str)]| one(table, more).kind;
    let table = r#"{"api":{"kind":"static","url":"https://api.example.com/v1","scopes":"read"}}"#;
    assert_eq!(kind(table, &[("CONNECTION_API_SECRET", "t0ken")]), Kind::Static(Secret::new("t0ken")));
    let table = r#"{"api":{"kind":"exchange","url":"https://api.example.com","audience":"api"}}"#;
    let Kind::Exchange(Exchange { resource: None, audience: Some(_), client }) = kind(table, &[]) else { panic!() };
    assert_eq!(
        (client.client_id.as_str(), client.client_secret),
        ("vault", Some(Secret::new("the-secret-of-the-client")))
    );
    let table = r#"{"api":{"kind":"exchange","url":"https://api.example.com","resource":"urn:api","client_id":"x"}}"#;
    let Kind::Exchange(Exchange { client, .. }) = kind(table, &[("CONNECTION_API_SECRET", "s")]) else { panic!() };
    assert_eq!((client.client_id.as_str(), client.client_secret), ("x", Some(Secret::new("s"))));

    let management = [
        ("CONNECTION_API_SECRET", "s"),
        ("MANAGEMENT_API", "https://t.logto.app/api/"),
        ("MANAGEMENT_CLIENT_ID", "machine"),
        ("MANAGEMENT_CLIENT_SECRET", "machine-secret"),
    ];
    let table =
        r#"{"api":{"kind":"logto-broker","url":"https://api.example.com","resource":"https://api","client_id":"x"}}"#;
    let Kind::LogtoBroker(LogtoBroker { management: of_broker, .. }) = kind(table, &management) else { panic!() };
    assert_eq!(
        (of_broker.api.as_str(), of_broker.resource.as_str()),
        ("https://t.logto.app/api", "https://t.logto.app/api")
    );
    let table = r#"{"api":{"kind":"logto-vault","url":"https://api.github.com","target":"github","client_id":"x"}}"#;
    let Kind::LogtoVault(LogtoVault { target, link_url: None, .. }) = kind(table, &management) else { panic!() };
    assert_eq!(target, "github");
    let Err(SettingsError(errors)) = parse(table, &[("CONNECTION_API_SECRET", "s")]) else { panic!("no MANAGEMENT_*") };
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors.iter().all(|error| error.starts_with("MANAGEMENT_") && error.contains("the connection api")));
}

#[test]
fn every_error_names_its_connection_and_its_fix() {
    for (members, fix) in [
        (r#""kimd":"x","#, "\"kimd\" is no member of this kind: it has kind, title, url"),
        (r#""Title":"x","#, "\"Title\" is no member"),
        (r#""target":"x","#, "\"target\" is no member"),
        (r#""title":"a","title":"b","#, "\"title\" is set twice"),
        (r#""title":"a\nb","#, "one line"),
        (r#""title":5,"#, "title must be a string"),
        (r#""scopes":["repo"],"#, "scopes must be a string"),
        (r#""scopes":"a\"b","#, "is not a scope"),
        (r#""token_endpoint":"https://github.com/t","#, "issuer and endpoints are both set"),
        (r#""resource":"http://m.example/mcp","#, "must begin with https://"),
        (r#""resource":"https://m.example/mcp?x","#, "neither query nor fragment"),
        (r#""resource":"https://M.example/mcp","#, "host in lower case"),
        (r#""resource":"https://10.0.0.1/mcp","#, "must be at a public host"),
        (r#""resource":"https://intranet/mcp","#, "must be at a public host"),
        (r#""hosts":"https://a.example","#, "is not a host"),
        (r#""hosts":"A.example","#, "is not a host"),
        (r#""hosts":"a.example,b.example","#, "separated by spaces"),
        (r#""hosts":"169.254.169.254","#, "is a private address"),
        (r#""scope_descriptions":{"x":"Do it"},"#, "is none of scopes"),
        (r#""scope_descriptions":"x","#, "must be a table of strings"),
        (r#""scopes":"x","scope_descriptions":{"x":"Do it","x":"Do that"},"#, "is described twice"),
        (r#""scopes":"x","scope_descriptions":{"x":" "},"#, "must be one line of 1 to 100 characters"),
        (r#""scopes":"x","scope_descriptions":{"x":"a\nb"},"#, "must be one line of 1 to 100 characters"),
        (r#""authorization_parameters":"prompt=consent","#, "must be a table of strings"),
        (r#""authorization_parameters":{"a":1},"#, "must be a table of strings"),
        (r#""authorization_parameters":{"state":"1"},"#, "is set by the vault itself"),
        (r#""authorization_parameters":{"redirect_uri":"1"},"#, "is set by the vault itself"),
        (r#""authorization_parameters":{"client_secret":"1"},"#, "is set by the vault itself"),
        (r#""authorization_parameters":{"a":"1","a":"2"},"#, "is set twice"),
        (r#""account_url":"https://api.github.com/user","#, "belong together"),
        (r#""account_name":"login","#, "belong together"),
        (r#""account_name":"login","account_url":"https://evil.example/user","#, "must be on the origin"),
    ] {
        let table = github(members);
        let Err(SettingsError(errors)) = parse(&table, &[]) else { panic!("{members} is accepted") };
        assert_eq!(errors.len(), 1, "{members}: {errors:?}");
        assert!(errors[0].starts_with("CONNECTIONS.github: ") && errors[0].contains(fix), "{fix}: {errors:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let api = |members: &str| format!(r#"{{"api":{{{members}"url":"https://api.example.com"}}}}"#);
    for (table, fix) in [
        (api(""), "CONNECTIONS.api: kind is not set"),
        (api(r#""kind":"oauth","#), "kind = \"oauth\" is not known: it is one of \"connect\""),
        (api(r#""kind":"connect","#), "set resource"),
        (api(r#""kind":"connect","authorization_endpoint":"https://a.example/a","#), "must both be set"),
        (api(r#""kind":"connect","revocation_endpoint":"https://a.example/a","#), "must both be set"),
        (api(r#""kind":"static","#), "wrangler secret put CONNECTION_API_SECRET"),
        (api(r#""kind":"exchange","#), "set resource or audience"),
        (api(r#""kind":"exchange","audience":"a","client_id":"x","#), "wrangler secret put CONNECTION_API_SECRET"),
        (api(r#""kind":"exchange","resource":"api","#), "absolute URI"),
        (api(r#""kind":"exchange","resource":"https://mcp.example.com/mcp","#), "must not be RESOURCE"),
        (api(r#""kind":"exchange","audience":"https://mcp.example.com/mcp","#), "must not be RESOURCE"),
        (r#"{"api":{"kind":"exchange","audience":"a"}}"#.to_owned(), "url is not set"),
        (r#"{"api":{"kind":"exchange","audience":"a","url":"https://localhost"}}"#.to_owned(), "public host"),
        (r#"{"api":{"kind":"exchange","audience":"a","url":"https://a@api.example.com"}}"#.to_owned(), "https://"),
        (r#"{"Api":{}}"#.to_owned(), "is no name of a connection"),
        (r#"{"":{}}"#.to_owned(), "is no name of a connection"),
        (r#"{"a_b":{}}"#.to_owned(), "is no name of a connection"),
        (format!(r#"{{"{}":{{}}}}"#, "a".repeat(33)), "is no name of a connection"),
        (r#"{"api":"static"}"#.to_owned(), "must be a table of connections"),
        ("[]".to_owned(), "must be a table of connections"),
        ("github".to_owned(), "must be a table of connections"),
    ] {
        let Err(SettingsError(errors)) = parse(&table, &[]) else { panic!("{table} is accepted") };
        assert_eq!(errors.len(), 1, "{table}: {errors:?}");
        assert!(errors[0].contains(fix), "{fix}: {errors:?}");
    }
    let table = api(r#""kind":"exchange","audience":"api://mcp","#);
    let Err(SettingsError(errors)) = parse(&table, &[("AUDIENCE", "x api://mcp")]) else { panic!("a token for us") };
    assert!(errors.len() == 1 && errors[0].contains("nor one of AUDIENCE"), "{errors:?}");
    let twice = r#"{"a":{"kind":"exchange","audience":"a","url":"https://a.example"},"a":{"kind":"exchange","audience":"b","url":"https://a.example"}}"#;
    let Err(SettingsError(errors)) = parse(twice, &[]) else { panic!("two of one name") };
    assert_eq!(errors, [r#"CONNECTIONS: "a" is the name of two connections"#]);
}

#[test]
fn all_errors_are_found_at_once() {
    let table = r#"{"a":{"kind":"connect","url":"http://a.example","x":1},"b":{"kind":"static"},"C":{}}"#;
    let Err(SettingsError(errors)) = parse(table, &[("CONNECTIONS_SECRET", "")]) else { panic!("it is accepted") };
    assert_eq!(errors.len(), 7, "{errors:?}");
}

#[test]
fn private_addresses_are_for_development() {
    let table = r#"{"api":{"kind":"connect","url":"http://localhost:9100","issuer":"http://127.0.0.1:9000","hosts":"intranet"}}"#;
    assert!(parse(table, &[]).is_err());
    assert!(parse(table, &[("RESOURCE", "http://localhost:8787/mcp")]).is_ok());
    let table = r#"{"api":{"kind":"connect","url":"http://api.example.com","issuer":"http://127.0.0.1:9000"}}"#;
    assert!(
        parse(table, &[("RESOURCE", "http://localhost:8787/mcp")]).is_err(),
        "plain http elsewhere than on loopback"
    );
}

#[test]
fn the_secret_that_seals_is_long_its_own_and_replaceable() {
    let table = github("");
    let error = |more: &[(&str, &str)]| match parse(&table, more) {
        Err(SettingsError(errors)) => errors.join("\n"),
        Ok(_) => panic!("{more:?} is accepted"),
    };
    assert!(error(&[("CONNECTIONS_SECRET", "")]).contains("the connection github needs it"));
    assert!(error(&[("CONNECTIONS_SECRET", "short")]).contains("at least 32 characters"));
    assert!(error(&[("CONNECTIONS_SECRET_PREVIOUS", "short")]).contains("CONNECTIONS_SECRET_PREVIOUS must have"));
    assert!(error(&[("CONNECTIONS_SECRET_PREVIOUS", SECRET)]).contains("must not be CONNECTIONS_SECRET"));
    let vault = "0123456789abcdef0123456789abcdef";
    assert!(error(&[("CONNECTIONS_SECRET", vault)]).contains("CONNECTIONS_SECRET must not be VAULT_SECRET"));
    let settings = parse(&table, &[("CONNECTIONS_SECRET_PREVIOUS", &SECRET.to_uppercase())]).unwrap();
    assert!(
        settings.connections_secret.as_ref().unwrap().previous.is_some() && settings.connection_secrets().is_some()
    );
    let shown = format!("{settings:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(&SECRET.to_uppercase()));
    let previous = [("CONNECTIONS_SECRET", ""), ("CONNECTIONS_SECRET_PREVIOUS", SECRET)];
    assert!(parse("{}", &previous).is_err());
    assert!(error(&[("CONNECTION_GITHUB_SECRET", "s")]).contains("CONNECTION_GITHUB_SECRET is set without client_id"));
}
