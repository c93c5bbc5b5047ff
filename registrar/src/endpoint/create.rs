//! `POST /register` (RFC 7591 §3).

use mcp_edge::{
    http::RequestHead,
    oauth::{bearer, challenge::ChallengeContext, denial::Reason},
    ports::Ports,
};

use super::{information::information, json_body, public_error::EndpointError};
use crate::{
    client_metadata::ClientMetadata,
    clients::{
        random_id,
        register::{Registration, Via, register},
    },
    handled::{Handled, LogRecord},
    initial_token::{self, Bearer},
    ledger::Ledger,
    policy::{Mode, Registrant},
    secret::Secret,
    services::{Platform, RequestContext, Services},
};

/// Who registers.
struct Authorized {
    registrant: Registrant,
    /// The id under which a use of an initial access token is reserved.
    reservation: Option<String>,
}

/// Registers a client: (1) who asks, (2) the metadata, the operation, and the client information response.
pub(super) async fn handle<P: Platform<Ports: Ports>>(
    head: &RequestHead<'_>,
    services: &Services<'_, P>,
    challenge: &ChallengeContext,
    request: &RequestContext,
) -> Handled {
    let mut log = LogRecord::default();
    // (1)
    let authorized = match services.deployment.settings.policy.mode {
        Mode::Open => {
            Ok(Authorized { registrant: Registrant::Anyone { network: request.network.clone() }, reservation: None })
        }
        Mode::Token => with_initial_token(head, services, request).await,
        Mode::Developers => {
            let (developer, trail) = services.authenticate_developer(head, request.now).await;
            log.trail = Some(trail);
            match developer {
                Ok(identity) => Ok(Authorized {
                    registrant: Registrant::Developer {
                        issuer: identity.issuer.clone(),
                        subject: identity.subject.clone(),
                    },
                    reservation: None,
                }),
                Err(denial) => {
                    log.denial = Some(denial.clone());
                    return Handled { response: challenge.response(&denial), log };
                }
            }
        }
    };
    // (2)
    let outcome = match authorized {
        Ok(authorized) => create(head, services, request, authorized).await,
        Err(error) => Err(error),
    };
    let mut handled = outcome.unwrap_or_else(EndpointError::into_handled);
    handled.log.trail = log.trail;
    handled
}

/// The bearer of an initial access token, with one of its uses.
async fn with_initial_token<P: Platform<Ports: Ports>>(
    head: &RequestHead<'_>,
    services: &Services<'_, P>,
    request: &RequestContext,
) -> Result<Authorized, EndpointError> {
    let token = bearer::token_of(head).map_err(EndpointError::Unauthorized)?.expose();
    let (platform, attempts) = (services.platform, &services.deployment.failed_attempts);
    let reservation = random_id(platform.ports());
    let bearer = Bearer { token, network: &request.network };
    let registrant =
        initial_token::authenticate(platform.store(), platform.ledger(), attempts, bearer, &reservation, request.now);
    let registrant = registrant.await?.ok_or(EndpointError::Unauthorized(Reason::Inactive))?;
    Ok(Authorized { registrant, reservation: Some(reservation) })
}

/// Registers for whoever is allowed to. A reserved use is given back if there is no client in the end.
async fn create<P: Platform<Ports: Ports>>(
    head: &RequestHead<'_>,
    services: &Services<'_, P>,
    request: &RequestContext,
    Authorized { registrant, reservation }: Authorized,
) -> Result<Handled, EndpointError> {
    let settings = &services.deployment.settings;
    let held = reservation.clone();
    let registered = async {
        let body = json_body(head, request)?;
        let metadata = ClientMetadata::parse(body, &settings.policy.private_use_schemes)?.without_foreign_pages();
        let applications = services.applications(request.now).await?;
        let context = services.context(&applications, request.now, request.audit());
        let registration = Registration { metadata, registrant, via: Via::Endpoint, reservation };
        Ok::<_, EndpointError>(register(&context, registration).await?)
    };
    let registered = match registered.await {
        Ok(registered) => registered,
        Err(error) => {
            if let Some(reservation) = held {
                services.platform.ledger().release(&reservation).await;
            }
            return Err(error);
        }
    };
    let (secret, token) = (registered.secret.as_ref(), registered.token.as_ref().map(Secret::expose));
    let endpoint = &settings.edge.resource.url;
    let response = information(201, endpoint, &registered.client_id, &registered.record, secret, token);
    Ok(Handled::from(response).about(&registered.client_id))
}
