//! `POST /register` (RFC 7591 §3).

use std::rc::Rc;

use mcp_edge_oauth::{bearer, challenge::ChallengeContext};
use mcp_edge_runtime::ports::Services;

use super::{information::information, json_body, public_error::EndpointError};
use crate::{
    client_metadata::ClientMetadata,
    client_request::ClientRequest,
    clients::{
        random_id,
        register::{Registration, Via, register},
    },
    deployment::Deployment,
    handled::{Findings, Handled},
    initial_token::{self, Bearer, Verified, note_use},
    ledger::{Ledger, TokenUses},
    platform::Platform,
    policy::{Mode, Registrant},
    secret::Secret,
};

/// Who registers.
struct Authorized {
    registrant: Registrant,
    /// The use of an initial access token that is reserved, and under which id.
    held: Option<(String, TokenUses)>,
}

/// Registers a client: (1) who asks, (2) the metadata, the operation, and the client information response.
pub(super) async fn handle<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    deployment: &Deployment<P>,
    challenge: &ChallengeContext,
) -> Handled {
    let mut findings = Findings::default();
    // (1)
    let authorized = match deployment.settings.policy.mode {
        Mode::Open => {
            Ok(Authorized { registrant: Registrant::Anyone { network: request.network.clone() }, held: None })
        }
        Mode::Token => with_initial_token(request, deployment).await,
        Mode::Developers => {
            let developer = deployment.authenticate_developer(request.head, request.now).await;
            findings.trace = Some(developer.trace);
            match developer.outcome {
                Ok(identity) => Ok(Authorized {
                    registrant: Registrant::Developer {
                        issuer: identity.issuer().to_owned(),
                        subject: identity.subject().to_owned(),
                    },
                    held: None,
                }),
                Err(denial) => {
                    let response = challenge.response(&denial);
                    findings.denial = Some(Rc::unwrap_or_clone(denial));
                    return Handled { response, findings };
                }
            }
        }
    };
    // (2)
    let outcome = match authorized {
        Ok(authorized) => create(request, deployment, authorized).await,
        Err(error) => Err(error),
    };
    let mut handled = outcome.unwrap_or_else(EndpointError::into_handled);
    handled.findings.trace = findings.trace;
    handled
}

/// The bearer of an initial access token, with one of its uses.
async fn with_initial_token<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    deployment: &Deployment<P>,
) -> Result<Authorized, EndpointError> {
    let token = bearer::token_of(request.head).map_err(EndpointError::Unauthorized)?.expose();
    let (platform, attempts) = (&deployment.platform, &deployment.failed_attempts);
    let reservation = random_id(platform.services());
    let bearer = Bearer { token, network: &request.network };
    let verified =
        initial_token::authenticate(platform.store(), platform.ledger(), attempts, bearer, &reservation, request.now);
    let Verified { registrant, uses } = verified.await?.ok_or_else(EndpointError::unknown_token)?;
    Ok(Authorized { registrant, held: uses.map(|uses| (reservation, uses)) })
}

/// Registers for an authorized registrant. A reserved use is given back if there is no client in the end.
async fn create<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    deployment: &Deployment<P>,
    Authorized { registrant, held }: Authorized,
) -> Result<Handled, EndpointError> {
    let settings = &deployment.settings;
    let platform = &deployment.platform;
    let reservation = held.as_ref().map(|(id, _)| id.clone());
    let registered = async {
        let body = json_body(request)?;
        let metadata = ClientMetadata::parse(body, &settings.policy.private_use_schemes)?.without_foreign_pages();
        let applications = deployment.applications(request.now).await?;
        let context = deployment.context(&applications, request.now, deployment.audit());
        let registration = Registration { metadata, registrant, via: Via::Endpoint, reservation };
        Ok::<_, EndpointError>(register(&context, registration).await?)
    };
    let registered = registered.await;
    match (&registered, &held) {
        (Ok(registered), Some((_, uses))) => {
            note_use(platform.store(), uses, &registered.client_id, request.now).await;
        }
        (Err(_), Some((reservation, _))) => platform.ledger().release(reservation, request.now).await,
        (_, None) => {}
    }
    let registered = registered?;
    let (secret, token) = (registered.secret.as_ref(), registered.token.as_ref().map(Secret::expose));
    let endpoint = &settings.server.resource.url;
    let response = information(201, endpoint, &registered.client_id, &registered.record, secret, token);
    Ok(Handled::from(response).about(&registered.client_id))
}
