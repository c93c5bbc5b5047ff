//! Our client: of the settings, by a document, or registered dynamically.

use mcp_edge_runtime::{ports::FetchError, secret::Secret};
use serde_json::{Value, json};

use super::world::{World, connection, response, words};
use crate::{
    connection::settings::{Connection, Place},
    secrets::connections::ConnectionSecrets,
    service::{AuthorizationServers, ServiceError},
};

const REGISTER: &str = "https://login.service.example/register";
const REDIRECT_URI: &str = "https://mcp.example.com/account/connections/notes/callback";

fn without_client() -> Connection {
    connection(|_, service| service.client = None)
}

fn registered(client_id: &str) -> Value {
    json!({"client_id": client_id, "client_secret": "s3cret", "client_secret_expires_at": 0,
        "token_endpoint_auth_method": "client_secret_post", "redirect_uris": [REDIRECT_URI]})
}

fn good() -> Value {
    json!({"access_token": "t0ken", "token_type": "Bearer", "scope": "read"})
}

fn unknown_client() -> Value {
    json!({"error": "invalid_client"})
}

#[test]
fn a_document_describes_us_where_services_take_one_and_can_fetch_it() {
    let world = World::new();
    world.publish(|it| it["client_id_metadata_document_supported"] = true.into());
    world.serve(REGISTER, response(201, registered("dynamic")));
    let url = "https://mcp.example.com/account/connections/notes/client.json";
    let clients = world.clients(&without_client());
    assert_eq!(world.begin(&clients).expect("begun").client_id, url);
    assert!(world.sent_to(REGISTER).is_empty());
    world.issue(200, good());
    assert!(world.redeem(&clients, url, "read").is_ok() && world.refresh(&clients, url, "read").is_ok());
    assert!(
        world.sent_tokens().iter().all(|sent| sent.authorization.is_none() && sent.body.contains("client_id=https"))
    );
    // The operator's own client comes first.
    assert_eq!(world.begin(&world.clients(&connection(|_, _| ()))).expect("begun").client_id, "us");
    // Nobody can fetch a document from here.
    for origin in ["http://localhost:8787", "https://10.0.0.1", "https://intranet"] {
        let world = World::new();
        world.publish(|it| it["client_id_metadata_document_supported"] = true.into());
        let redirect_uri = format!("{origin}/account/connections/notes/callback");
        let mut answer = registered("dynamic");
        answer["redirect_uris"] = json!([redirect_uri]);
        world.serve(REGISTER, response(201, answer));
        assert_eq!(world.begin(&world.clients_at(&without_client(), origin)).expect("begun").client_id, "dynamic");
    }
    // A client without a secret is not taken.
    let world = World::new();
    world.publish(|it| {
        it["client_id_metadata_document_supported"] = true.into();
        it["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
    });
    world.serve(REGISTER, response(201, registered("dynamic")));
    assert_eq!(world.begin(&world.clients(&without_client())).expect("begun").client_id, "dynamic");
}

#[test]
fn we_register_once_for_all_isolates() {
    let world = World::new();
    world.delay.set(300);
    world.serve(REGISTER, response(201, registered("dynamic")));
    let (one, other) = (world.clients(&without_client()), world.clients(&without_client()));
    let (scopes, now) = (words("read"), world.clock.now());
    let all = async {
        futures_util::join!(
            one.begin("notes", &scopes, now),
            other.begin("notes", &scopes, now),
            one.begin("notes", &scopes, now)
        )
    };
    let (a, b, c) = world.clock.run(all);
    for begun in [a, b, c] {
        assert_eq!(begun.expect("begun").client_id, "dynamic");
    }
    let sent = world.sent_to(REGISTER);
    assert_eq!(sent.len(), 1);
    let body: Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!(body["redirect_uris"], json!([REDIRECT_URI]));
    assert_eq!(
        (&body["token_endpoint_auth_method"], &body["scope"]),
        (&json!("client_secret_basic"), &json!("read write"))
    );
    assert!(sent[0].authorization.is_none());
    world.issue(200, good());
    assert!(world.redeem(&other, "dynamic", "read").is_ok());
    assert!(world.sent_tokens()[0].body.ends_with("&client_id=dynamic&client_secret=s3cret"), "as it was registered");
    // The secret is sealed.
    let dump = world.storage.borrow()["notes"].dump();
    assert!(dump.contains("dynamic") && !dump.contains("s3cret"), "{dump}");
}

#[test]
fn a_secret_that_was_sealed_earlier_is_sealed_anew_or_registered_anew() {
    let world = World::new();
    world.serve_each(REGISTER, vec![response(201, registered("first")), response(201, registered("second"))]);
    let clients = world.clients(&without_client());
    let client_id = || world.begin(&clients).expect("begun").client_id;
    assert_eq!(client_id(), "first");
    let [old, new] =
        ["a secret of more than 32 characters", "another secret of more than 32 characters"].map(Secret::new);
    let before = world.storage.borrow()["notes"].dump();
    *world.secrets.borrow_mut() = ConnectionSecrets::new(&new, Some(&old));
    assert_eq!(client_id(), "first");
    assert_ne!(world.storage.borrow()["notes"].dump(), before);
    *world.secrets.borrow_mut() = ConnectionSecrets::new(&new, None);
    assert_eq!(client_id(), "first", "it was sealed anew");
    *world.secrets.borrow_mut() = ConnectionSecrets::new(&old, None);
    assert_eq!(client_id(), "second", "it opens no more");
}

#[test]
fn a_client_that_is_not_known_any_more_is_registered_anew_once() {
    let world = World::new();
    world.serve_each(REGISTER, vec![response(201, registered("first")), response(201, registered("second"))]);
    let clients = world.clients(&without_client());
    assert_eq!(world.begin(&clients).expect("begun").client_id, "first");
    world.issue(401, unknown_client());
    // A moment after the registration it is the service that is wrong: nothing is registered again and again.
    let error = world.refresh(&clients, "first", "read").expect_err("not known");
    assert!(matches!(error, ServiceError::Client(_)) && world.sent_to(REGISTER).len() == 1, "{error}");
    world.clock.pass(61);
    // It may be wrong for a moment: nobody's account ends with that.
    for seconds in [0, 59] {
        world.clock.pass(seconds);
        let error = world.refresh(&clients, "first", "read").expect_err("not known");
        assert!(matches!(error, ServiceError::Unavailable(_)) && world.sent_to(REGISTER).len() == 2, "{error}");
    }
    assert_eq!(world.begin(&clients).expect("begun").client_id, "second");
    // What was issued to the first one has ended with it, and each learns it from the service.
    world.clock.pass(2);
    for _ in 0..2 {
        assert_eq!(world.refresh(&clients, "first", "read").err(), Some(ServiceError::Ended));
    }
    assert_eq!(world.sent_to(REGISTER).len(), 2);
    assert!(world.sent_tokens().last().unwrap().body.contains("client_id=first"));
    // Should the service know it again, it works.
    world.issue(200, good());
    assert!(world.refresh(&clients, "first", "read").is_ok());
}

#[test]
fn a_client_whose_secret_has_ended_is_registered_anew() {
    let world = World::new();
    world.serve_each(REGISTER, vec![response(201, registered("first")), response(201, registered("second"))]);
    let clients = world.clients(&without_client());
    world.begin(&clients).expect("begun");
    world.clock.pass(61);
    let description = "client secret is expired - cannot authenticate";
    world.issue(401, json!({"error": "invalid_client", "error_description": description}));
    assert!(matches!(world.refresh(&clients, "first", "read"), Err(ServiceError::Unavailable(_))));
    assert_eq!(world.sent_to(REGISTER).len(), 2);
    world.clock.pass(61);
    // Nobody gives the first one another secret: who was connected with it learns that it has ended.
    assert_eq!(world.refresh(&clients, "first", "read").err(), Some(ServiceError::Ended));
    assert_eq!(world.begin(&clients).expect("begun").client_id, "second");
}

#[test]
fn an_end_beyond_all_numbers_is_none() {
    for end in [u64::MAX, 1 << 60, 1 << 53] {
        let world = World::new();
        let mut answer = registered("first");
        answer["client_secret_expires_at"] = end.into();
        world.serve(REGISTER, response(201, answer));
        let clients = world.clients(&without_client());
        for _ in 0..2 {
            assert_eq!(world.begin(&clients).expect("begun").client_id, "first", "{end}");
        }
        assert_eq!(world.sent_to(REGISTER).len(), 1, "{end}");
    }
}

#[test]
fn a_code_of_a_client_that_is_not_known_any_more_is_asked_for_anew() {
    let world = World::new();
    world.serve_each(REGISTER, vec![response(201, registered("first")), response(201, registered("second"))]);
    let clients = world.clients(&without_client());
    world.begin(&clients).expect("begun");
    world.clock.pass(61);
    world.issue(401, unknown_client());
    let error = world.redeem(&clients, "first", "read").expect_err("not known");
    assert!(matches!(&error, ServiceError::Client(why) if why.contains("begin again")), "{error}");
    assert_eq!(world.begin(&clients).expect("begun").client_id, "second");
}

#[test]
fn what_is_not_about_the_client_itself_registers_nothing() {
    let world = World::new();
    world.serve(REGISTER, response(201, registered("first")));
    let clients = world.clients(&without_client());
    world.begin(&clients).expect("begun");
    world.clock.pass(61);
    world.issue(400, json!({"error": "unauthorized_client"}));
    let error = world.refresh(&clients, "first", "read").expect_err("refused");
    assert!(matches!(error, ServiceError::Client(_)) && world.sent_to(REGISTER).len() == 1, "{error}");
    // The operator has set a client meanwhile.
    world.issue(401, unknown_client());
    let error = world.refresh(&world.clients(&connection(|_, _| ())), "first", "read").expect_err("refused");
    assert!(matches!(error, ServiceError::Client(_)) && world.sent_to(REGISTER).len() == 1, "{error}");
}

#[test]
fn what_another_issuer_has_issued_is_not_sent() {
    let world = World::new();
    world.serve(REGISTER, response(201, registered("first")));
    world.begin(&world.clients(&without_client())).expect("begun");
    let other = "https://login.service.example/other";
    let mut document = super::world::metadata();
    document["issuer"] = other.into();
    world.serve("https://login.service.example/.well-known/oauth-authorization-server/other", response(200, document));
    let moved = connection(|_, service| {
        service.client = None;
        service.place = Place::Issuer(other.to_owned());
    });
    let clients = world.clients(&moved);
    for outcome in [world.refresh(&clients, "first", "read").map(drop), world.revoke(&clients, "first").map(drop)] {
        assert!(matches!(outcome, Err(ServiceError::Superseded(_))));
    }
    assert!(world.sent_tokens().is_empty());
}

#[test]
fn an_outage_ends_nothing() {
    let world = World::new();
    world.serve_each(REGISTER, vec![response(201, registered("first")), response(503, "")]);
    let clients = world.clients(&without_client());
    world.begin(&clients).expect("begun");
    world.clock.pass(61);
    world.issue(401, unknown_client());
    let error = world.refresh(&clients, "first", "read").expect_err("an outage");
    assert!(matches!(error, ServiceError::Unavailable(_)), "{error}");
}

#[test]
fn a_secret_that_ends_is_replaced_before() {
    let world = World::new();
    let mut first = registered("first");
    first["client_secret_expires_at"] = (world.clock.now() + 1_000).into();
    world.serve_each(REGISTER, vec![response(201, first), response(201, registered("second"))]);
    let clients = world.clients(&without_client());
    assert_eq!(world.begin(&clients).expect("begun").client_id, "first");
    world.clock.pass(500);
    assert_eq!(world.begin(&clients).expect("begun").client_id, "first");
    world.clock.pass(300);
    assert_eq!(world.begin(&clients).expect("begun").client_id, "second");
    // Neither is lost.
    world.issue(200, good());
    assert!(world.refresh(&clients, "first", "read").is_ok());
}

#[test]
fn answers_to_registration_are_read_strictly() {
    let outcome = |answer| {
        let world = World::new();
        world.serve(REGISTER, answer);
        let clients = world.clients(&without_client());
        let first = world.begin(&clients).expect_err("not registered");
        let again = world.begin(&clients).expect_err("spared");
        assert_eq!((first.clone(), world.sent_to(REGISTER).len()), (again, 1));
        assert!(!first.to_string().contains("s3cret") && first.to_string().contains("connection notes"), "{first}");
        format!("{first:?}")
    };
    let with = |member: &str, value: Value| {
        let mut answer = registered("dynamic");
        answer[member] = value;
        outcome(response(201, answer))
    };
    for (found, expected) in [
        (with("client_id", Value::Null), "Unavailable"),
        (with("client_id", json!("a\nb")), "Unavailable"),
        (with("client_id", json!("x".repeat(3_000))), "Unavailable"),
        (with("client_secret", json!(1)), "Unavailable"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), "Client"),
        (with("redirect_uris", json!(["https://evil.example/callback"])), "Client"),
        (outcome(response(201, "<html>")), "Unavailable"),
        (outcome(response(201, r#"{"client_id":"a","client_id":"b"}"#)), "Unavailable"),
        (outcome(response(400, json!({"error": "invalid_redirect_uri"}))), "Client"),
        (outcome(response(400, json!({"error": "invalid_client_metadata"}))), "Client"),
        (outcome(response(401, "")), "Client"),
        (outcome(response(403, "")), "Client"),
        (outcome(response(429, "")), "Unavailable"),
        (outcome(response(500, "")), "Unavailable"),
        (outcome(Err(FetchError::Redirect(307))), "Unavailable"),
        (outcome(Err(FetchError::TooLarge(65_536))), "Unavailable"),
    ] {
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

#[test]
fn a_public_client_is_registered_where_nothing_else_is_taken() {
    let world = World::new();
    world.publish(|it| it["token_endpoint_auth_methods_supported"] = json!(["none"]));
    world.serve(REGISTER, response(201, json!({"client_id": "public", "token_endpoint_auth_method": "none"})));
    let clients = world.clients(&without_client());
    assert_eq!(world.begin(&clients).expect("begun").client_id, "public");
    assert!(world.sent_to(REGISTER)[0].body.contains(r#""token_endpoint_auth_method":"none""#));
    world.issue(200, good());
    assert!(world.redeem(&clients, "public", "read").is_ok());
    assert!(world.sent_tokens()[0].body.ends_with("&client_id=public"));
}

#[test]
fn without_any_way_the_operator_learns_what_to_do() {
    let world = World::new();
    world.publish(|it| it["registration_endpoint"] = Value::Null);
    let error = world.begin(&world.clients(&without_client())).expect_err("no client");
    assert!(matches!(&error, ServiceError::Client(why) if why.contains(REDIRECT_URI)), "{error}");
    world.publish(|it| it["registration_endpoint"] = "https://evil.example/register".into());
    let error = World::begin(&world, &world.clients(&without_client())).expect_err("foreign");
    assert!(matches!(&error, ServiceError::ForeignEndpoint(why) if why.contains("registration_endpoint")), "{error}");
    assert!(world.sent.borrow().iter().all(|sent| !sent.url.contains("evil")));
}
