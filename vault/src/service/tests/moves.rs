//! Connections that lead elsewhere than when an account was connected: nothing of it is sent there.

use serde_json::json;

use super::world::{ISSUER, METADATA_URL, RESOURCE, World, connection, metadata, response, words};
use crate::{
    connection::settings::{Connection, Place},
    service::{AuthorizationServers, Provenance, ServiceError, clients::ServiceClients},
};

const OTHER: &str = "https://login.service.example/other";
const TOKEN: &str = "https://login.service.example/token";

fn provenance(issuer: &str, service: &str) -> Provenance {
    Provenance { issuer: issuer.to_owned(), service: service.to_owned() }
}

/// Everything that could be sent of an account that is from elsewhere; and that nothing was.
fn sends_nothing(world: &World, clients: &ServiceClients<World, World>) {
    let outcomes = [
        world.redeem(clients, "us", "read").map(drop),
        world.refresh(clients, "us", "read").map(drop),
        world.revoke(clients, "us").map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(ServiceError::AnotherService(_))), "{outcome:?}");
    }
    assert!(world.sent_tokens().is_empty() && world.sent_to("https://login.service.example/revoke").is_empty());
}

fn world_of(connection: &Connection) -> (World, ServiceClients<World, World>) {
    let world = World::new();
    let mut other = metadata();
    other["issuer"] = OTHER.into();
    world.serve("https://login.service.example/.well-known/oauth-authorization-server/other", response(200, other));
    let clients = world.clients(connection);
    (world, clients)
}

#[test]
fn begun_says_where_tokens_will_be_from() {
    let endpoints = connection(|_, service| {
        service.place = Place::Endpoints {
            authorization: "https://login.service.example/authorize".to_owned(),
            token: TOKEN.to_owned(),
            revocation: None,
        };
    });
    for (connection, issuer, iss) in
        [(connection(|_, _| ()), ISSUER, ISSUER), (endpoints, "https://login.service.example", "")]
    {
        let world = World::new();
        world.issue(200, json!({"access_token": "t", "token_type": "Bearer"}));
        let clients = world.clients(&connection);
        let begun = world.begin(&clients).expect("begun");
        let expected = provenance(issuer, "https://api.service.example");
        assert_eq!((&begun.from, begun.issuer.as_str()), (&expected, iss));
        assert_eq!(world.redeem(&clients, "us", "read").expect("tokens").from, expected);
        assert_eq!(world.refresh(&clients, "us", "read").expect("tokens").from, expected);
        assert!(!clients.leads_elsewhere("notes", &expected));
    }
}

#[test]
fn another_issuer_or_service_is_sent_nothing_and_known_before_it_is_asked() {
    let endpoints = connection(|_, service| {
        service.place = Place::Endpoints {
            authorization: "https://login.service.example/authorize".to_owned(),
            token: TOKEN.to_owned(),
            revocation: Some("https://login.service.example/revoke".to_owned()),
        };
    });
    let api = "https://api.service.example";
    for (connection, from) in [
        (connection(|_, service| service.place = Place::Issuer(OTHER.to_owned())), provenance(ISSUER, api)),
        (connection(|_, _| ()), provenance(ISSUER, "https://api.another.example")),
        (connection(|_, _| ()), provenance(&[ISSUER, "/"].concat(), api)),
        (connection(|_, _| ()), Provenance::default()),
        (endpoints.clone(), provenance("https://login.another.example", api)),
        (endpoints, provenance(ISSUER, api)),
    ] {
        let (world, clients) = world_of(&connection);
        assert!(clients.leads_elsewhere("notes", &from), "{from:?}");
        assert!(world.sent.borrow().is_empty());
        *world.from.borrow_mut() = from;
        sends_nothing(&world, &clients);
    }
}

#[test]
fn a_resource_that_names_another_issuer_by_now_leads_elsewhere() {
    let of_resource = connection(|connection, service| {
        connection.url = RESOURCE.to_owned();
        service.place = Place::Resource;
        service.resource = Some(RESOURCE.to_owned());
        service.hosts = words("login.service.example");
    });
    let (world, clients) = world_of(&of_resource);
    world.serve(
        "https://api.service.example/.well-known/oauth-protected-resource/mcp",
        response(200, json!({"resource": RESOURCE, "authorization_servers": [OTHER]})),
    );
    let from = provenance(ISSUER, "https://api.service.example");
    assert!(!clients.leads_elsewhere("notes", &from), "nobody has asked yet");
    sends_nothing(&world, &clients);
    assert!(clients.leads_elsewhere("notes", &from) && world.sent_to(METADATA_URL).is_empty());
    // What is not in the table leads nowhere.
    assert!(!clients.leads_elsewhere("another", &from));
}
