use std::collections::BTreeMap;

use mcp_edge_runtime::settings::SettingsError;
use serde_json::json;

use super::*;

const RESOURCE: &str = "https://mcp.example.com/mcp";
const UPSTREAM_URL: &str = "https://upstream.example/mcp";
const STATE_SECRET: &str = "0123456789abcdef0123456789abcdef";
const BOUND: bool = true;

/// The key of RFC 7515 appendix A.3, and another one.
fn public(kid: &str, x: &str) -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const OTHER_X: &str = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0";
const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

fn private(kid: &str) -> String {
    let mut jwk = public(kid, X);
    jwk["d"] = json!(D);
    jwk.to_string()
}

/// Settings that are accepted.
fn assertion() -> BTreeMap<&'static str, String> {
    [
        ("UPSTREAM", UPSTREAM_URL.to_owned()),
        ("UPSTREAM_SIGNING_KEY", private("now")),
        ("STATE_SECRET", STATE_SECRET.to_owned()),
    ]
    .into()
}

fn secret() -> BTreeMap<&'static str, String> {
    [
        ("UPSTREAM", UPSTREAM_URL.to_owned()),
        ("UPSTREAM_AUTH", "secret".to_owned()),
        ("UPSTREAM_SECRET", "Bearer hunter2".to_owned()),
        ("STATE_SECRET", STATE_SECRET.to_owned()),
    ]
    .into()
}

type Settings = BTreeMap<&'static str, String>;

fn with(mut settings: Settings, changes: &[(&'static str, &str)]) -> Settings {
    for (name, value) in changes {
        settings.insert(name, (*value).to_owned());
    }
    settings
}

fn without(mut settings: Settings, name: &str) -> Settings {
    settings.remove(name);
    settings
}

fn read_from(settings: &Settings, is_bound: bool) -> Result<Option<GatewaySettings>, SettingsError> {
    read_beside(settings, is_bound, true)
}

fn read_beside(settings: &Settings, is_bound: bool, has_vault: bool) -> Result<Option<GatewaySettings>, SettingsError> {
    let get = |name: &str| settings.get(name).cloned();
    let mut reader = Reader::new(&get);
    let surroundings = Surroundings {
        resource: RESOURCE,
        origin: "https://mcp.example.com",
        issuer: "https://issuer.example",
        is_bound,
        has_vault,
    };
    let read = GatewaySettings::read(&mut reader, surroundings);
    reader.finish(read)
}

#[track_caller]
fn accepted(settings: &Settings, is_bound: bool) -> GatewaySettings {
    read_from(settings, is_bound).unwrap().expect("there is a gateway")
}

#[track_caller]
fn errors(settings: &Settings) -> Vec<String> {
    read_from(settings, !BOUND).unwrap_err().0
}

/// That there is exactly one error, which begins so.
#[track_caller]
fn assert_error(settings: &Settings, start: &str) {
    let errors = errors(settings);
    assert!(errors.len() == 1 && errors[0].starts_with(start), "{errors:?}");
    let all = errors.concat();
    assert!(!all.contains(D) && !all.contains("hunter2") && !all.contains(STATE_SECRET), "{all}");
}

#[test]
fn without_an_upstream_there_is_no_gateway() {
    assert!(read_from(&Settings::new(), !BOUND).unwrap().is_none());
    assert!(read_from(&with(Settings::new(), &[("STATE_SECRET", STATE_SECRET)]), !BOUND).unwrap().is_none());
}

#[test]
fn settings_of_a_gateway_need_an_upstream() {
    let all = OF_GATEWAYS.map(|name| (name, "x"));
    let errors = errors(&with(Settings::new(), &all));
    assert_eq!(errors.len(), OF_GATEWAYS.len());
    for (name, error) in OF_GATEWAYS.iter().zip(errors) {
        assert!(error.starts_with(&format!("{name} needs UPSTREAM: ")), "{error}");
    }
}

#[test]
fn an_upstream_gets_assertions_by_default() {
    let GatewaySettings { upstream, jwks, .. } = accepted(&assertion(), !BOUND);
    assert_eq!((&*upstream.url, upstream.binding, upstream.timeout.as_secs()), (UPSTREAM_URL, None, 60));
    let Credentials::Assertion(settings) = upstream.credentials else { panic!("{:?}", upstream.credentials) };
    assert_eq!(settings.key.public().kid(), "now");
    assert_eq!((&*settings.audience, &*settings.issuer), (UPSTREAM_URL, "https://mcp.example.com"));
    assert_eq!((&*settings.actor, &*settings.primary_issuer), (RESOURCE, "https://issuer.example"));
    let document: Value = serde_json::from_str(&jwks.unwrap()).unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
    assert_eq!((&document["keys"][0]["kid"], &document["keys"][0]["d"]), (&json!("now"), &Value::Null));
}

#[test]
fn a_binding_has_a_url_of_its_own() {
    let settings = without(assertion(), "UPSTREAM");
    let upstream = accepted(&settings, BOUND).upstream;
    assert_eq!((&*upstream.url, upstream.binding), ("https://upstream.internal/mcp", Some("UPSTREAM")));
    // What the platform says of a binding that is asked for as a setting.
    let settings = with(settings, &[("UPSTREAM", "{}"), ("UPSTREAM_URL", "http://10.0.0.1:8080/mcp")]);
    let upstream = accepted(&settings, BOUND).upstream;
    assert_eq!((&*upstream.url, upstream.binding), ("http://10.0.0.1:8080/mcp", Some("UPSTREAM")));
    let refused = with(settings, &[("UPSTREAM_URL", "http://user@10.0.0.1/mcp")]);
    assert!(read_from(&refused, BOUND).unwrap_err().0[0].starts_with("UPSTREAM_URL = "));
    assert_error(&with(assertion(), &[("UPSTREAM_URL", UPSTREAM_URL)]), "UPSTREAM_URL is for a binding");
}

#[test]
fn an_upstream_is_a_url_that_requests_can_go_to() {
    for url in
        ["http://localhost:3001/mcp", "http://127.0.0.1/mcp", "http://[::1]:3001/mcp", "https://mcp.example.com/other"]
    {
        assert_eq!(accepted(&with(assertion(), &[("UPSTREAM", url)]), !BOUND).upstream.url, url);
    }
    for url in [
        "http://upstream.example/mcp",
        "http://localhost.example/mcp",
        "https://upstream.example/mcp?key=1",
        "https://upstream.example/mcp#a",
        "https://user:password@upstream.example/mcp",
        "https://Upstream.example/mcp",
        "https://upstream.example:443/mcp",
        "https://upstream.example/a/../mcp",
        "ftp://upstream.example/mcp",
        "upstream.example",
        // The endpoint itself.
        RESOURCE,
        "https://mcp.example.com/mcp/",
    ] {
        assert_error(&with(assertion(), &[("UPSTREAM", url)]), "UPSTREAM = ");
    }
}

#[test]
fn the_audience_can_be_another_one() {
    let audience = |value: &str| with(assertion(), &[("UPSTREAM_AUDIENCE", value)]);
    let Credentials::Assertion(settings) = accepted(&audience("api://upstream"), !BOUND).upstream.credentials else {
        panic!()
    };
    assert_eq!(settings.audience, "api://upstream");
    for value in ["two words", "ä", RESOURCE] {
        assert_error(&audience(value), "UPSTREAM_AUDIENCE = ");
    }
}

#[test]
fn the_timeout_has_limits() {
    let seconds = |value: &str| with(assertion(), &[("UPSTREAM_SECONDS", value)]);
    for value in ["1", "600"] {
        let timeout = accepted(&seconds(value), !BOUND).upstream.timeout;
        assert_eq!(timeout.as_secs().to_string(), value);
    }
    for value in ["0", "601", "-1", "1.5", "a", "99999999999999999999"] {
        assert_error(&seconds(value), "UPSTREAM_SECONDS = ");
    }
}

#[test]
fn a_gateway_needs_its_secrets() {
    assert_error(&without(assertion(), "STATE_SECRET"), "STATE_SECRET is not set");
    assert_error(&without(assertion(), "UPSTREAM_SIGNING_KEY"), "UPSTREAM_SIGNING_KEY is not set");
    assert_error(&without(secret(), "UPSTREAM_SECRET"), "UPSTREAM_SECRET is not set");
}

#[test]
fn a_signing_key_is_a_private_one() {
    let key = |value: &str| with(assertion(), &[("UPSTREAM_SIGNING_KEY", value)]);
    for value in [D, "{}", &public("now", X).to_string(), &private("now").replace("P-256", "P-384")] {
        assert_error(&key(value), "UPSTREAM_SIGNING_KEY must ");
    }
}

#[test]
fn keys_are_published_before_they_sign_and_after() {
    let published = |keys: Value| {
        let settings = with(assertion(), &[("UPSTREAM_PUBLIC_KEYS", &keys.to_string())]);
        let document: Value = serde_json::from_str(&accepted(&settings, !BOUND).jwks.unwrap()).unwrap();
        let kids = document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        kids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(published(json!([])), "now");
    assert_eq!(published(json!([public("next", OTHER_X)])), "now next");
    // The key that signs is one of those that were published before.
    assert_eq!(published(json!([public("now", X), public("next", OTHER_X)])), "now next");
}

#[test]
fn published_keys_are_public_and_have_names_of_their_own() {
    let keys = |keys: Value| with(assertion(), &[("UPSTREAM_PUBLIC_KEYS", &keys.to_string())]);
    let private: Value = serde_json::from_str(&private("next")).unwrap();
    assert_error(
        &keys(json!([public("a", OTHER_X), private])),
        "UPSTREAM_PUBLIC_KEYS: key 2 has \"d\", the private part",
    );
    assert_error(&keys(json!([public("now", OTHER_X)])), "UPSTREAM_PUBLIC_KEYS: key 1 has a \"kid\" that");
    assert_error(
        &keys(json!([public("a", X), public("a", OTHER_X)])),
        "UPSTREAM_PUBLIC_KEYS: key 2 has a \"kid\" that",
    );
    assert_error(&keys(json!([public("a", X), public("a", X)])), "UPSTREAM_PUBLIC_KEYS: key 2 has a \"kid\" that");
    assert_error(&keys(json!(["a"])), "UPSTREAM_PUBLIC_KEYS: key 1 must be a JWK");
    for value in [json!({"keys": []}), json!("a"), json!(null)] {
        assert_error(&keys(value), "UPSTREAM_PUBLIC_KEYS must be a JSON array");
    }
}

#[test]
fn a_secret_is_the_value_of_a_header() {
    let GatewaySettings { upstream, jwks, .. } = accepted(&secret(), !BOUND);
    let Credentials::Secret { header, value } = upstream.credentials else { panic!() };
    assert_eq!((&*header, value.expose(), jwks), ("authorization", "Bearer hunter2", None));
    let named = accepted(&with(secret(), &[("UPSTREAM_SECRET_HEADER", "X-Api-Key")]), !BOUND);
    assert!(matches!(named.upstream.credentials, Credentials::Secret { header, .. } if header == "x-api-key"));
    assert_error(&with(secret(), &[("UPSTREAM_SECRET", "hunter2\nx: y")]), "UPSTREAM_SECRET must ");
    assert_error(&with(secret(), &[("UPSTREAM_SECRET", "hünter2")]), "UPSTREAM_SECRET must ");
    for header in
        ["Cookie", "host", "MCP-Session-Id", "mcp-param-a", "Accept", "content-type", "x key", "ä", "te", "sec-a"]
    {
        assert_error(&with(secret(), &[("UPSTREAM_SECRET_HEADER", header)]), "UPSTREAM_SECRET_HEADER = ");
    }
}

#[test]
fn nothing_can_be_shown() {
    let settings = with(without(without(secret(), "UPSTREAM_SECRET"), "UPSTREAM_AUTH"), &[("UPSTREAM_AUTH", "none")]);
    let GatewaySettings { upstream, jwks, .. } = accepted(&settings, !BOUND);
    assert!(matches!(upstream.credentials, Credentials::None));
    assert_eq!(jwks, None);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let header = with(assertion(), &[("UPSTREAM_SECRET_HEADER", "x-api-key")]);
    assert_error(&header, "UPSTREAM_SECRET_HEADER is for UPSTREAM_AUTH = \"secret\"");
    for (name, value) in [("UPSTREAM_PUBLIC_KEYS", "[]"), ("UPSTREAM_AUDIENCE", "a")] {
        let start = format!("{name} is for UPSTREAM_AUTH = \"assertion\"");
        assert_error(&with(secret(), &[(name, value)]), &start);
    }
    assert_error(&with(secret(), &[("TASK_SCOPES", "a")]), "TASK_SCOPES needs UPSTREAM_AUTH = \"assertion\"");
    let unknown = with(without(secret(), "UPSTREAM_SECRET"), &[("UPSTREAM_AUTH", "Assertion")]);
    assert_error(&unknown, "UPSTREAM_AUTH = \"Assertion\" must be ");
}

#[test]
fn all_errors_are_reported_together() {
    let settings = [
        ("UPSTREAM", "http://upstream.example/mcp"),
        ("UPSTREAM_SECONDS", "0"),
        ("UPSTREAM_SECRET", "a"),
        ("UPSTREAM_AUDIENCE", "a b"),
        ("UPSTREAM_PUBLIC_KEYS", "{}"),
    ];
    let errors = errors(&with(Settings::new(), &settings));
    assert_eq!(errors.len(), 6, "{errors:#?}");
}

#[test]
fn a_secret_that_is_not_used_is_a_warning_so_that_it_can_be_put_before_it_is() {
    let unused = |settings: &Settings| accepted(settings, !BOUND).warnings().collect::<Vec<_>>().join("\n");
    assert_eq!(unused(&assertion()), "");
    assert!(unused(&with(assertion(), &[("UPSTREAM_SECRET", "Bearer hunter2")])).starts_with("UPSTREAM_SECRET is set"));
    assert!(
        unused(&with(secret(), &[("UPSTREAM_SIGNING_KEY", &private("now"))])).starts_with("UPSTREAM_SIGNING_KEY is")
    );
    for name in ["UPSTREAM_SECRET", "UPSTREAM_SIGNING_KEY", "STATE_SECRET"] {
        assert!(!OF_GATEWAYS.contains(&name));
    }
}

fn connection() -> Settings {
    with(without(secret(), "UPSTREAM_SECRET"), &[("UPSTREAM_AUTH", "connection")])
}

#[test]
fn tokens_of_users_are_of_a_connection() {
    let named = |settings: &Settings, is_bound| {
        let GatewaySettings { upstream, jwks, .. } = accepted(settings, is_bound);
        assert_eq!(jwks, None);
        let Credentials::Connection(connection) = upstream.credentials else { panic!("{:?}", upstream.credentials) };
        (connection.name, connection.input_key)
    };
    let key = "connect:https://mcp.example.com/mcp".to_owned();
    assert_eq!(named(&connection(), !BOUND), ("upstream".to_owned(), key.clone()));
    let notes = with(connection(), &[("UPSTREAM_CONNECTION", "my-notes2")]);
    assert_eq!(named(&notes, !BOUND), ("my-notes2".to_owned(), key));
    for name in ["Notes", "2x", "a_b", "a/b", "a b", &"a".repeat(33)] {
        assert_error(&with(connection(), &[("UPSTREAM_CONNECTION", name)]), "UPSTREAM_CONNECTION = ");
    }
    for auth in ["assertion", "secret", "none"] {
        let all = with(assertion(), &[("UPSTREAM_SECRET", "Bearer hunter2"), ("UPSTREAM_CONNECTION", "notes")]);
        assert_error(
            &with(all, &[("UPSTREAM_AUTH", auth)]),
            "UPSTREAM_CONNECTION is for UPSTREAM_AUTH = \"connection\"",
        );
    }
    assert_error(&with(connection(), &[("UPSTREAM_AUDIENCE", "notes")]), "UPSTREAM_AUDIENCE is for");
}

#[test]
fn tokens_of_users_need_a_vault_and_https() {
    let error = read_beside(&connection(), !BOUND, false).unwrap_err().0.concat();
    assert!(error.contains("needs the vault") && error.contains("VAULT_CALLS"), "{error}");
    let bound = |url| read_from(&with(without(connection(), "UPSTREAM"), &[("UPSTREAM_URL", url)]), BOUND);
    assert!(bound("http://10.0.0.1/mcp").unwrap_err().0.concat().contains("must begin with https://"));
    assert!(bound("https://notes.example/mcp").is_ok());
    accepted(&with(connection(), &[("UPSTREAM", "http://localhost:3001/mcp")]), !BOUND);
    // Only assertions tell the upstream whose a task is: an account may be shared.
    assert_error(&with(connection(), &[("TASK_SCOPES", "allow")]), "TASK_SCOPES needs");
}

#[test]
fn debug_shows_no_secret() {
    for settings in [assertion(), secret()] {
        let shown = format!("{:?}", accepted(&settings, !BOUND));
        assert!(!shown.contains(D) && !shown.contains("hunter2") && !shown.contains(STATE_SECRET), "{shown}");
    }
}

#[test]
fn sessions_belong_to_the_endpoint_and_the_upstream() {
    let sealed_by = |settings: &Settings| format!("{:?}", accepted(settings, !BOUND).session);
    assert!(sealed_by(&assertion()).contains(UPSTREAM_URL));
}

#[test]
fn the_operator_is_warned() {
    let warnings = |settings: &Settings, is_bound| accepted(settings, is_bound).warnings().collect::<Vec<_>>().concat();
    let none = with(without(secret(), "UPSTREAM_SECRET"), &[("UPSTREAM_AUTH", "none")]);
    assert!(warnings(&none, !BOUND).starts_with("UPSTREAM_AUTH = \"none\": "));
    assert_eq!(warnings(&with(none.clone(), &[("UPSTREAM", "http://localhost:3001/mcp")]), !BOUND), "");
    assert_eq!(warnings(&without(none, "UPSTREAM"), BOUND), "");
    let plain = with(secret(), &[("UPSTREAM", "http://localhost:3001/mcp")]);
    assert!(warnings(&plain, !BOUND).starts_with("UPSTREAM_SECRET is sent over plain http"));
    assert_eq!(warnings(&secret(), !BOUND), "");
    assert_eq!(warnings(&assertion(), !BOUND), "");
}
