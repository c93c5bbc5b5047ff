//! The events of the Durable Objects. An object is created for each of them, over its storage and what the isolate keeps.

use mcp_edge_runtime::{
    cloudflare::{Env, ObjectState, Request, answer},
    http::Response,
};

use super::isolate::isolate;
use crate::{
    account::object::AccountObject, connected::object::ConnectedAccountsObject, key::object::KeyObject,
    personal_token::object::PersonalTokenObject, platform::MAX_OBJECT_MESSAGE,
    service::registration::object::RegistrationObject,
};

const NO_SECRET: &str = "CONNECTIONS_SECRET is not set";

/// Answers a message to the object of a key.
pub(super) async fn key(state: ObjectState, env: Env, request: Request) -> Response {
    answer(request, MAX_OBJECT_MESSAGE, async |message| {
        let isolate = isolate(&env)?;
        let services = &isolate.platform.services;
        KeyObject::new(&state, &isolate.grants, services, &isolate.secrets, &isolate.rules).answer(&message, &now).await
    })
    .await
}

/// Answers a message to the object of a user.
pub(super) async fn account(state: ObjectState, env: Env, request: Request) -> Response {
    answer(request, MAX_OBJECT_MESSAGE, async |message| {
        let isolate = isolate(&env)?;
        let answered = AccountObject::new(&state, &isolate.platform).answer(&message, &now).await;
        answered.map_err(|error| error.to_string())
    })
    .await
}

/// Does what is due for a user.
pub(super) async fn wake_account(state: ObjectState, env: Env) -> Result<(), String> {
    let isolate = isolate(&env)?;
    AccountObject::new(&state, &isolate.platform).wake(&now).await.map_err(|error| error.to_string())
}

/// Answers a message to the object of a personal access token.
pub(super) async fn personal_token(state: ObjectState, env: Env, request: Request) -> Response {
    answer(request, MAX_OBJECT_MESSAGE, async |message| {
        let isolate = isolate(&env)?;
        // `Internal` asks nobody if they are not exchanged.
        let exchange = isolate.exchange.as_ref().ok_or("PAT_PREFIX is not set")?;
        let seconds = isolate.settings.personal_tokens.as_ref().map_or(0, |tokens| tokens.seconds);
        let services = &isolate.platform.services;
        PersonalTokenObject::new(&state, exchange, services, &isolate.flights, seconds).answer(&message, &now).await
    })
    .await
}

/// Answers a message to the object of a user's connected accounts.
pub(super) async fn connected_accounts(state: ObjectState, env: Env, request: Request) -> Response {
    answer(request, MAX_OBJECT_MESSAGE, async |message| {
        let isolate = isolate(&env)?;
        let secrets = isolate.connection_secrets.as_ref().ok_or(NO_SECRET)?;
        let (servers, services) = (&*isolate.service_clients, &isolate.platform.services);
        let object = ConnectedAccountsObject::new(&state, servers, services, secrets, isolate.settings.log.subject);
        object.answer(&message, &now).await.map_err(|error| error.to_string())
    })
    .await
}

/// Does what is due for a user's connected accounts.
pub(super) async fn wake_connected_accounts(state: ObjectState, env: Env) -> Result<(), String> {
    let isolate = isolate(&env)?;
    let secrets = isolate.connection_secrets.as_ref().ok_or(NO_SECRET)?;
    let (servers, services) = (&*isolate.service_clients, &isolate.platform.services);
    let object = ConnectedAccountsObject::new(&state, servers, services, secrets, isolate.settings.log.subject);
    object.wake(&now).await.map_err(|error| error.to_string())
}

/// Answers a message to the object of a connection's registration.
pub(super) async fn registration(state: ObjectState, env: Env, request: Request) -> Response {
    answer(request, MAX_OBJECT_MESSAGE, async |message| {
        let isolate = isolate(&env)?;
        let secrets = isolate.connection_secrets.as_ref().ok_or(NO_SECRET)?;
        RegistrationObject::new(&state, secrets, &isolate.platform.services).answer(&message, &now).await
    })
    .await
}

/// Deletes what has ended of a personal access token.
pub(super) async fn wake_personal_token(state: ObjectState, env: Env) -> Result<(), String> {
    let isolate = isolate(&env)?;
    let Some(exchange) = &isolate.exchange else { return Ok(()) };
    let services = &isolate.platform.services;
    PersonalTokenObject::new(&state, exchange, services, &isolate.flights, 0).wake(now()).await
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    worker::Date::now().as_millis() / 1000
}
