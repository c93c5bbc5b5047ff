//! What only clients with a handshake have: `initialize`, `ping`, log levels and subscriptions (MCP 2025-11-25 and
//! earlier, basic/lifecycle, server/utilities/logging, server/resources).
//!
//! No session is begun: revisions before 2026-07-28 allow that, and each request then stands alone. What a client said
//! in its handshake is not known later, so it can be asked nothing.

use crate::{
    call::ClientDeclaration,
    client::ClientCapabilities,
    notification::LoggingLevel,
    result::{OperationResult, Success},
    server::Presentation,
};
use mcp_edge_protocol::{
    error::RpcError,
    method::Method,
    params::{self, Params, text},
    revision::{NEWEST_LEGACY, Revision},
};
use mcp_edge_runtime::json::Object;

/// Handles `initialize`: agrees on the client's revision if it is supported, and offers the newest otherwise.
pub(super) fn initialize(server: &Presentation, params: &Params<'_>) -> (Option<Revision>, OperationResult) {
    let Some(requested) = params.protocol_version.and_then(text) else {
        return (None, RpcError::invalid_params("params.protocolVersion must be a string").into());
    };
    let revision = Revision::legacy(&requested).unwrap_or(NEWEST_LEGACY);
    let members = Object::new()
        .text("protocolVersion", revision.as_str())
        .raw("capabilities", &server.capabilities)
        .raw("serverInfo", &server.info)
        .maybe_text("instructions", server.instructions.as_deref());
    (Some(revision), OperationResult::Complete(Success::of(members)))
}

/// What a request says of its client: little, since the handshake is not remembered. Log messages are sent if the server
/// declares `logging`.
pub(super) fn client(revision: Revision, params: &Params<'_>, logging: bool) -> ClientDeclaration {
    let token =
        params.read_meta().ok().flatten().and_then(|meta| meta.progress_token).filter(|raw| params::is_token(raw));
    ClientDeclaration {
        revision,
        client: None,
        capabilities: ClientCapabilities::default(),
        progress_token: token.map(|raw| raw.get().to_owned()),
        log_level: logging.then_some(LoggingLevel::LEGACY),
    }
}

/// The methods that need nothing but their parameters: their results have no members. Levels and subscriptions are accepted,
/// as the protocol wants, and have no effect, as a server without sessions cannot remember them.
pub(super) fn answer(method: Method, params: &Params<'_>) -> Option<OperationResult> {
    let checked = match method {
        Method::SetLevel if params.level.and_then(text).and_then(|name| LoggingLevel::parse(&name)).is_none() => {
            Err(RpcError::invalid_params("params.level is not a level"))
        }
        Method::Subscribe | Method::Unsubscribe if params.uri.and_then(text).is_none() => {
            Err(RpcError::invalid_params("params.uri must be a string"))
        }
        Method::Ping | Method::SetLevel | Method::Subscribe | Method::Unsubscribe => Ok(()),
        _ => return None,
    };
    Some(match checked {
        Ok(()) => OperationResult::Complete(Success::default()),
        Err(error) => error.into(),
    })
}
