//! Connecting accounts of other services: the addresses below `/account/connect` and `/account/connections`.
//!
//! | address | what it is |
//! |---|---|
//! | `GET /account/connect/{id}` | what the link asks for. Changes nothing |
//! | `POST /account/connect/{id}` | the user agrees: uses the link up, and leads to the service |
//! | `GET /account/connections/{name}/callback` | back from the service; one address for each connection |
//! | `GET`, `POST /account/connections/{name}/confirm` | whether the account is the right one |
//! | `GET /account/connections` | the user's connected accounts |
//! | `GET`, `POST /account/connections/{name}` | connecting and disconnecting, with a question first (`GET …?action=…`) |
//! | `GET /account/connections/{name}/client.json` | our client's metadata, for services that fetch it |
//!
//! | module | what it contains |
//! |---|---|
//! | [`route`] | the addresses |
//! | [`link`] | the link, and the consent |
//! | [`round_trip`] | to the service and back |
//! | [`confirmation`] | whether the account is the right one |
//! | [`accounts`] | the list; connecting from there, and disconnecting |
//! | [`error`] | why an attempt has led nowhere, and what the page says |
//! | [`cancellation`] | links whose users have cancelled |
//! | [`agents`] | the names of agents |
//! | [`servers`] | the authorization servers behind a pointer |
//!
//! Who opens a link is looked up in their own object, so that nobody finds another user's link. The tokens of a round trip go from
//! the service to that object, and to no page, address, cookie or log.

pub mod accounts;
pub mod agents;
pub mod cancellation;
pub mod confirmation;
pub mod error;
pub mod link;
pub mod round_trip;
pub mod route;
pub mod servers;

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{form::Form, redirect::redirect, session::Session};

use self::{route::ConnectRoute, servers::Servers};
use crate::{
    platform::Platform,
    service::client_metadata::OwnClient,
    visit::{Outcome, Visit},
};

/// Answers a GET.
pub async fn get<P: Platform>(visit: &Visit<'_, P>, servers: &dyn Servers, route: ConnectRoute<'_>) -> Outcome {
    about(route, answer(visit, servers, route).await)
}

/// With the connection that the address names, if it is one of this deployment: the log has no names that strangers made up.
fn about(route: ConnectRoute<'_>, outcome: Outcome) -> Outcome {
    match route.connection().filter(|_| outcome.response.status != 404) {
        Some(name) => outcome.about_connection(name),
        None => outcome,
    }
}

/// The metadata of our client at the service of a connection (OAuth Client ID Metadata Document); `None` where the operator has
/// registered one.
fn client_document<P>(visit: &Visit<'_, P>, name: &str) -> Option<Response> {
    let settings = &visit.deployment.settings;
    let mut of_accounts = settings.connections.of_accounts();
    let (connection, service) = of_accounts.find(|(connection, _)| connection.name == name)?;
    if service.client.is_some() {
        return None;
    }
    let own = OwnClient {
        origin: &settings.server.resource.origin,
        name: visit.pages.name(),
        connection: name,
        scopes: &connection.scopes,
    };
    let document = Response::json(200, own.document())
        .with_header("cache-control", "public, max-age=300")
        .with_header("x-content-type-options", "nosniff");
    Some(document)
}

async fn answer<P: Platform>(visit: &Visit<'_, P>, servers: &dyn Servers, route: ConnectRoute<'_>) -> Outcome {
    let not_found = || visit.pages.not_found(visit.session.as_ref()).into();
    match (route, visit.session.as_ref()) {
        (ConnectRoute::Link(id), _) => link::open(visit, id).await,
        // A user who has signed out meanwhile learns it there.
        (ConnectRoute::Callback(name), _) => match visit.connection(name) {
            Some(connection) => round_trip::finish(visit, servers, connection).await,
            None => not_found(),
        },
        (ConnectRoute::ClientDocument(name), _) => match client_document(visit, name) {
            Some(document) => document.into(),
            None => not_found(),
        },
        (ConnectRoute::List, None) => visit.pages.connections_welcome().into(),
        (ConnectRoute::One(_) | ConnectRoute::Confirmation(_), None) => {
            redirect(&route.destination().sign_in_path()).into()
        }
        (ConnectRoute::List, Some(session)) => accounts::list(visit, session).await,
        (ConnectRoute::One(name), Some(session)) => accounts::one(visit, session, name).await,
        (ConnectRoute::Confirmation(name), Some(session)) => match visit.connection(name) {
            Some(connection) => confirmation::ask(visit, session, connection).await,
            None => not_found(),
        },
    }
}

/// Carries out a form of one of our own pages, which the session's user has sent.
pub async fn post<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    route: ConnectRoute<'_>,
    form: &Form,
) -> Outcome {
    let outcome = match route {
        ConnectRoute::Link(id) => link::agree(visit, servers, session, id, form).await,
        ConnectRoute::One(name) => accounts::change(visit, servers, session, name, form).await,
        ConnectRoute::Confirmation(name) => match visit.connection(name) {
            Some(connection) => confirmation::decide(visit, servers, session, connection, form).await,
            None => visit.pages.not_found(Some(session)).into(),
        },
        _ => visit.pages.not_found(Some(session)).into(),
    };
    about(route, outcome)
}
