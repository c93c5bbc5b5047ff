//! Finding authorization servers: what is read of what services publish, and what is refused.

use mcp_edge_runtime::ports::{FetchError, HttpResponse};
use serde_json::{Value, json};

use super::world::{ISSUER, METADATA_URL, RESOURCE, World, connection, metadata, response, words};
use crate::{
    connection::settings::Place,
    service::{AuthorizationServers, ServiceError},
};

const WELL_KNOWN: &str = "https://api.service.example/.well-known/oauth-protected-resource/mcp";

fn refusal(outcome: Result<crate::service::Begun, ServiceError>) -> String {
    match outcome {
        Err(error) => format!("{error:?}"),
        Ok(begun) => panic!("begun: {}", begun.url),
    }
}

/// What becomes of a connection whose authorization server says this.
fn published(change: impl FnOnce(&mut Value)) -> Result<crate::service::Begun, ServiceError> {
    let world = World::new();
    world.publish(change);
    world.begin(&world.clients(&connection(|_, _| ())))
}

#[test]
fn the_issuer_leads_to_its_endpoints_at_every_place_of_its_document() {
    for place in [
        METADATA_URL,
        "https://login.service.example/.well-known/openid-configuration/tenant",
        "https://login.service.example/tenant/.well-known/openid-configuration",
    ] {
        let world = World::new();
        world.serve(METADATA_URL, response(404, ""));
        world.serve(place, response(200, metadata()));
        let begun = world.begin(&world.clients(&connection(|_, _| ()))).expect(place);
        assert!(begun.url.starts_with("https://login.service.example/authorize?response_type=code&client_id=us&"));
        assert_eq!((begun.issuer.as_str(), begun.client_id.as_str()), (ISSUER, "us"));
        assert!(begun.round_trip.requires_iss);
    }
}

#[test]
fn a_server_without_keys_and_without_iss_is_a_server() {
    let begun = published(|it| {
        it["jwks_uri"] = Value::Null;
        it["authorization_response_iss_parameter_supported"] = Value::Null;
    });
    assert!(!begun.expect("a plain OAuth server").round_trip.requires_iss);
}

#[test]
fn metadata_of_another_issuer_is_not_used() {
    for other in ["https://login.service.example/tenant/", "https://login.service.example", "https://evil.example"] {
        let error = refusal(published(|it| it["issuer"] = other.into()));
        assert!(
            error.starts_with("Unavailable") && error.contains("connection notes") && error.contains(other),
            "{error}"
        );
    }
}

#[test]
fn endpoints_elsewhere_are_refused_by_name() {
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        for url in [
            "https://evil.example/x",
            "https://login.service.example.evil.example/x",
            "https://login.service.example:8443/x",
            "https://login.service.example@evil.example/x",
            "http://login.service.example/x",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://localhost/x",
            "http://localhost:8787/x",
            "https://vault/x",
            "https://metadata.google.internal/x",
            "https://printer.local/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://login.service.example/x#fragment",
            "",
        ] {
            let error = refusal(published(|it| it[endpoint] = url.into()));
            assert!(error.starts_with("ForeignEndpoint") && error.contains("connection notes"), "{url} {error}");
            assert!(error.contains(endpoint) && error.contains(url), "{url} {error}");
        }
        let error = refusal(published(|it| it[endpoint] = json!(["https://login.service.example/x"])));
        assert!(error.starts_with("ForeignEndpoint"), "{error}");
        let error = refusal(published(|it| it[endpoint] = Value::Null));
        assert!(error.starts_with("Unavailable") && error.contains(endpoint), "{error}");
    }
}

#[test]
fn private_addresses_are_refused_also_if_they_are_named() {
    let world = World::new();
    world.publish(|it| it["token_endpoint"] = "https://10.0.0.1/token".into());
    let named = connection(|_, service| service.hosts = words("10.0.0.1"));
    assert!(refusal(world.begin(&world.clients(&named))).contains("private address"));
    // In development they are somebody's own machine.
    assert!(world.begin(&world.clients_at(&named, "http://localhost:8787")).is_ok());
    let other = connection(|_, _| ());
    assert!(refusal(world.begin(&world.clients_at(&other, "http://localhost:8787"))).contains("does not name"));
}

#[test]
fn hosts_that_the_operator_names_are_the_services() {
    let world = World::new();
    world.publish(|it| it["token_endpoint"] = "https://tokens.service.example/token".into());
    assert!(refusal(world.begin(&world.clients(&connection(|_, _| ())))).contains("tokens.service.example"));
    let named = connection(|_, service| service.hosts = words("tokens.service.example"));
    assert!(world.begin(&world.clients(&named)).is_ok());
}

#[test]
fn what_is_no_metadata_is_an_outage() {
    let broken: Vec<(&str, Result<HttpResponse, FetchError>)> = vec![
        ("HTML", response(200, "<!doctype html><title>Sign in</title>")),
        ("a redirect", Err(FetchError::Redirect(302))),
        ("too long", Err(FetchError::TooLarge(65_536))),
        ("a duplicate", response(200, metadata().to_string().replacen('{', r#"{"issuer":"https://evil.example","#, 1))),
        ("an array", response(200, "[]")),
        ("an error", response(500, metadata())),
    ];
    for (name, answer) in broken {
        let world = World::new();
        world.serve(METADATA_URL, answer);
        let error = refusal(world.begin(&world.clients(&connection(|_, _| ()))));
        assert!(error.starts_with("Unavailable") && error.contains("connection notes"), "{name} {error}");
    }
}

#[test]
fn a_server_must_support_pkce_if_it_says_anything_of_it() {
    let error = refusal(published(|it| it["code_challenge_methods_supported"] = json!(["plain"])));
    assert!(error.contains("S256"), "{error}");
    assert!(published(|it| it["code_challenge_methods_supported"] = Value::Null).is_ok());
}

#[test]
fn what_was_found_is_used_for_ten_minutes_and_through_outages() {
    let world = World::new();
    let clients = world.clients(&connection(|_, _| ()));
    let asked = |world: &World| world.sent_to(METADATA_URL).len();
    assert!(world.begin(&clients).is_ok() && world.begin(&clients).is_ok());
    assert_eq!(asked(&world), 1);
    world.clock.pass(599);
    assert!(world.begin(&clients).is_ok());
    assert_eq!(asked(&world), 1);
    world.clock.pass(2);
    world.serve(METADATA_URL, Err(FetchError::Network("reset".to_owned())));
    assert!(world.begin(&clients).is_ok(), "the last good document");
    assert_eq!(asked(&world), 2);
    assert!(world.begin(&clients).is_ok(), "the service is spared");
    assert_eq!(asked(&world), 2);
    // A document that says something else counts at once.
    world.clock.pass(6);
    world.publish(|it| it["token_endpoint"] = "https://evil.example/token".into());
    assert!(refusal(world.begin(&clients)).starts_with("ForeignEndpoint"));
    assert!(refusal(world.begin(&clients)).starts_with("ForeignEndpoint"), "remembered");
    world.clock.pass(6);
    world.serve(METADATA_URL, response(503, ""));
    assert!(world.begin(&clients).is_ok());
    world.clock.pass(24 * 3_600);
    assert!(refusal(world.begin(&clients)).starts_with("Unavailable"), "not for ever");
}

#[test]
fn one_request_searches_for_all() {
    let world = World::new();
    world.delay.set(500);
    let clients = world.clients(&connection(|_, _| ()));
    let scopes = words("read");
    let begun = || clients.begin("notes", &scopes, world.clock.now());
    let all = world.clock.run(async { futures_util::join!(begun(), begun(), begun()) });
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
    assert_eq!(world.sent_to(METADATA_URL).len(), 1);
    // One that was cut off leaves nothing behind.
    let world = World::new();
    world.delay.set(4_000);
    let clients = world.clients(&connection(|_, _| ()));
    assert!(world.clock.run_at_most(clients.begin("notes", &scopes, world.clock.now()), 1_000).is_none());
    world.delay.set(10);
    assert!(world.begin(&clients).is_ok());
}

#[test]
fn a_service_that_answers_nothing_is_given_up() {
    let world = World::new();
    world.delay.set(60_000);
    let clients = world.clients(&connection(|_, _| ()));
    let before = world.clock.now();
    assert!(refusal(world.begin(&clients)).starts_with("Unavailable"));
    assert!(world.clock.now() - before <= 11);
}

fn at_resource() -> crate::connection::settings::Connection {
    connection(|_, service| {
        (service.place, service.resource) = (Place::Resource, Some(RESOURCE.to_owned()));
        service.hosts = words("login.service.example");
    })
}

fn resource_metadata() -> Value {
    json!({"resource": RESOURCE, "authorization_servers": [ISSUER, "https://evil.example"]})
}

#[test]
fn a_resource_leads_to_its_first_authorization_server() {
    let elsewhere = "https://api.service.example/meta?x=1";
    let challenged = Ok(HttpResponse {
        status: 401,
        challenge: format!(r#"Bearer realm="x", resource_metadata="{elsewhere}""#),
        body: String::new(),
    });
    let root = "https://api.service.example/.well-known/oauth-protected-resource";
    for (probe, place) in [
        (challenged, elsewhere),
        (response(401, ""), WELL_KNOWN),
        (response(405, ""), WELL_KNOWN),
        (Err(FetchError::Redirect(307)), WELL_KNOWN),
        (response(401, ""), root),
    ] {
        let world = World::new();
        world.serve(RESOURCE, probe);
        world.serve(place, response(200, resource_metadata()));
        let begun = world.begin(&world.clients(&at_resource())).expect(place);
        assert_eq!(begun.issuer, ISSUER);
        assert!(begun.url.contains("resource=https%3A%2F%2Fapi.service.example%2Fmcp"), "{}", begun.url);
    }
}

#[test]
fn a_resource_speaks_for_itself_alone() {
    let with = |document: Value| {
        let world = World::new();
        world.serve(WELL_KNOWN, response(200, document));
        refusal(world.begin(&world.clients(&at_resource())))
    };
    for other in ["https://api.service.example/mcp/", "https://api.service.example", "https://evil.example/mcp", ""] {
        let error = with(json!({"resource": other, "authorization_servers": [ISSUER]}));
        assert!(error.starts_with("Unavailable") && error.contains("resource"), "{error}");
    }
    for servers in [Value::Null, json!([]), json!([1]), json!({"a": ISSUER})] {
        let error = with(json!({"resource": RESOURCE, "authorization_servers": servers}));
        assert!(error.contains("authorization_servers"), "{error}");
    }
    for issuer in
        ["https://evil.example", "http://login.service.example/tenant", "https://10.0.0.1", "https://localhost"]
    {
        let error = with(json!({"resource": RESOURCE, "authorization_servers": [issuer, ISSUER]}));
        assert!(error.starts_with("ForeignEndpoint") && error.contains("issuer"), "{error}");
    }
    // A challenge that leads elsewhere.
    let world = World::new();
    let challenge = r#"Bearer resource_metadata="https://evil.example/meta""#.to_owned();
    world.serve(RESOURCE, Ok(HttpResponse { status: 401, challenge, body: String::new() }));
    let error = refusal(world.begin(&world.clients(&at_resource())));
    assert!(error.starts_with("ForeignEndpoint") && error.contains("resource_metadata"), "{error}");
    assert!(world.sent.borrow().iter().all(|sent| !sent.url.contains("evil")));
}

#[test]
fn nothing_that_finds_a_server_carries_credentials() {
    let world = World::new();
    world.serve(WELL_KNOWN, response(200, resource_metadata()));
    assert!(world.begin(&world.clients(&at_resource())).is_ok());
    assert!(world.sent.borrow().iter().all(|sent| sent.authorization.is_none() && sent.body.is_empty()));
}
