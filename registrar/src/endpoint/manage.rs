//! `GET`, `PUT`, `DELETE /register/{client_id}` (RFC 7592).

use mcp_edge_oauth::bearer;
use mcp_edge_runtime::{http::Response, ports::Services};

use super::{
    information::{check_server_members, information},
    json_body,
    public_error::EndpointError,
};
use crate::{
    audit::Event,
    client_metadata::{ClientMetadata, members},
    client_request::ClientRequest,
    clients::{
        authenticate::{Presented, authenticate},
        delete::{delete, forget},
        read::secret,
        update::update,
    },
    deployment::Deployment,
    handled::Handled,
    ledger::Ledger,
    platform::Platform,
    record::{Record, is_client_id},
};

/// Who changes clients here, in the audit log.
const BY: &str = "registration token";

/// A client, for the holder of its registration access token.
struct Managed<'a> {
    client_id: &'a str,
    token: &'a str,
    record: Record,
}

/// Answers a request for one client.
pub(super) async fn handle<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    client_id: &str,
    deployment: &Deployment<P>,
) -> Handled {
    let managed = match authorize(request, client_id, deployment).await {
        Ok(managed) => managed,
        Err(error) => return error.into_handled(),
    };
    let outcome = match carry_out(request, deployment, &managed).await {
        Err(EndpointError::Gone) => {
            // Removed at the provider. The token ends with the client (RFC 7592 §2.1); if not now, then with the next
            // request.
            let _ = forget(&deployment.platform, client_id, &managed.record, request.now).await;
            Err(EndpointError::unknown_token())
        }
        outcome => outcome,
    };
    outcome.map_or_else(EndpointError::into_handled, Handled::from).about(client_id)
}

/// Verifies the registration access token. An unknown client and a wrong token look the same (RFC 7592 §2), and only a good
/// token leads as far as the provider.
async fn authorize<'a, P: Platform<Services: Services>>(
    request: &ClientRequest<'a>,
    client_id: &'a str,
    deployment: &Deployment<P>,
) -> Result<Managed<'a>, EndpointError> {
    let token = bearer::token_of(request.head).map_err(EndpointError::Unauthorized)?.expose();
    let unauthorized = EndpointError::unknown_token();
    if !is_client_id(client_id) {
        return Err(unauthorized);
    }
    let presented = Presented { client_id, token, network: &request.network };
    let attempts = &deployment.failed_attempts;
    let record = authenticate(&deployment.records(), attempts, presented, request.now).await?.ok_or(unauthorized)?;
    Ok(Managed { client_id, token, record })
}

/// Does what the holder of a client's token asks for, if not too often.
async fn carry_out<P: Platform<Services: Services>>(
    request: &ClientRequest<'_>,
    deployment: &Deployment<P>,
    Managed { client_id, token, record }: &Managed<'_>,
) -> Result<Response, EndpointError> {
    deployment.platform.ledger().count_call(client_id, request.now).await?;
    let settings = &deployment.settings;
    let endpoint = &settings.server.resource.url;
    match request.head.method() {
        "GET" => {
            let applications = deployment.applications(request.now).await?;
            let context = deployment.context(&applications, request.now, deployment.audit());
            let secret = secret(&context, client_id, record).await?;
            Ok(information(200, endpoint, client_id, record, secret.as_ref(), Some(token)))
        }
        "PUT" => {
            let members = members(json_body(request)?)?;
            let schemes = &settings.policy.private_use_schemes;
            let metadata = ClientMetadata::from_members(&members, schemes)?.without_foreign_pages();
            let applications = deployment.applications(request.now).await?;
            let context = deployment.context(&applications, request.now, deployment.audit());
            let secret = secret(&context, client_id, record).await?;
            check_server_members(&members, client_id, secret.as_ref())?;
            let record = update(&context, client_id, record, metadata, BY).await?;
            Ok(information(200, endpoint, client_id, &record, secret.as_ref(), Some(token)))
        }
        _ => {
            let applications = deployment.applications(request.now).await?;
            let context = deployment.context(&applications, request.now, deployment.audit());
            delete(&context, client_id, record, Event::ClientRemoved, BY).await?;
            Ok(Response::empty(204).with_header("cache-control", "no-store"))
        }
    }
}
