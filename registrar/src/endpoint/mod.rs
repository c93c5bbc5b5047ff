//! `POST /register` (RFC 7591) and `GET`, `PUT`, `DELETE /register/{client_id}` (RFC 7592).
//!
//! | module | contents |
//! |---|---|
//! | [`create`] | `POST /register` |
//! | [`manage`] | requests for one client |
//! | [`information`] | the client information response |
//! | [`public_error`] | errors of this endpoint, and what clients see of each |
//! | [`metadata_document`] | protected resource metadata (RFC 9728) |
//!
//! Every page may call the endpoint: clients run in browsers, too, and what authorizes them are tokens, no cookies.

pub mod create;
pub mod information;
pub mod manage;
pub mod metadata_document;
pub mod public_error;

use mcp_edge::{
    cors,
    http::{BodyError, RequestHead, Response},
    oauth::challenge::ChallengeContext,
    ports::Ports,
};

use self::public_error::EndpointError;
use crate::{
    handled::Handled,
    services::{Platform, RequestContext, Services},
    settings::REGISTRATION_PATH,
};

/// Answers requests at and below the registration endpoint. `challenge` is for developers' access tokens.
pub async fn handle<P: Platform<Ports: Ports>>(
    head: &RequestHead<'_>,
    services: &Services<'_, P>,
    challenge: &ChallengeContext,
    request: &RequestContext,
) -> Handled {
    let client_id = head.path().strip_prefix(REGISTRATION_PATH).and_then(|rest| rest.strip_prefix('/'));
    let mut handled = match (head.method(), client_id) {
        ("OPTIONS", _) => return preflight().into(),
        ("POST", None) => create::handle(head, services, challenge, request).await,
        ("GET" | "PUT" | "DELETE", Some(client_id)) => manage::handle(head, client_id, services, request).await,
        (_, None) => Response::empty(405).with_header("allow", "POST, OPTIONS").into(),
        (_, Some(_)) => Response::empty(405).with_header("allow", "GET, PUT, DELETE, OPTIONS").into(),
    };
    handled.response =
        cors::public(handled.response).with_header("access-control-expose-headers", "WWW-Authenticate, Retry-After");
    handled
}

/// The body of a request that must have one in JSON.
fn json_body<'a>(head: &RequestHead<'_>, request: &'a RequestContext) -> Result<&'a str, EndpointError> {
    let media_type = head.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(EndpointError::NotJson);
    }
    request.body.as_deref().map_err(|error| match error {
        BodyError::TooLarge => EndpointError::BodyTooLarge,
        BodyError::Broken => EndpointError::BodyTruncated,
    })
}

fn preflight() -> Response {
    cors::public(Response::empty(204))
        .with_header("access-control-allow-methods", "POST, GET, PUT, DELETE, OPTIONS")
        .with_header("access-control-allow-headers", "authorization, content-type, accept, mcp-protocol-version")
        .with_header("access-control-max-age", "86400")
}
