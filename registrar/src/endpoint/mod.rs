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

use mcp_edge_oauth::challenge::ChallengeContext;
use mcp_edge_runtime::{
    cors,
    http::{BodyError, Response},
    ports::Services,
};

use self::public_error::EndpointError;
use crate::{
    client_metadata::error::MetadataError, client_request::ClientRequest, deployment::Deployment, handled::Handled,
    platform::Platform, settings::REGISTRATION_PATH,
};

/// Answers requests at and below the registration endpoint. `challenge` is for developers' access tokens.
pub async fn handle<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    deployment: &Deployment<P>,
    challenge: &ChallengeContext,
) -> Handled {
    let client_id = request.head.path().strip_prefix(REGISTRATION_PATH).and_then(|rest| rest.strip_prefix('/'));
    let mut handled = match (request.head.method(), client_id) {
        ("OPTIONS", _) => return preflight().into(),
        ("POST", None) => create::handle(request, deployment, challenge).await,
        ("GET" | "PUT" | "DELETE", Some(client_id)) => manage::handle(request, client_id, deployment).await,
        (_, None) => Response::empty(405).with_header("allow", "POST, OPTIONS").into(),
        (_, Some(_)) => Response::empty(405).with_header("allow", "GET, PUT, DELETE, OPTIONS").into(),
    };
    handled.response =
        cors::public(handled.response).with_header("access-control-expose-headers", "WWW-Authenticate, Retry-After");
    handled
}

/// The body of a request that must have one in JSON.
fn json_body<'a>(request: &'a ClientRequest<'_>) -> Result<&'a str, EndpointError> {
    let media_type = request.head.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(EndpointError::NotJson);
    }
    let codings = request.head.header("content-encoding").unwrap_or_default();
    if !codings.split(',').map(str::trim).all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity")) {
        return Err(EndpointError::BodyEncoded);
    }
    request.body.as_deref().map_err(|error| match error {
        BodyError::TooLarge => EndpointError::BodyTooLarge,
        BodyError::Truncated => EndpointError::BodyTruncated,
        BodyError::NotUtf8 => MetadataError::metadata("body", "must be UTF-8").into(),
    })
}

fn preflight() -> Response {
    cors::public(Response::empty(204))
        .with_header("access-control-allow-methods", "POST, GET, PUT, DELETE, OPTIONS")
        .with_header("access-control-allow-headers", "authorization, content-type, accept, mcp-protocol-version")
        .with_header("access-control-max-age", "86400")
}
