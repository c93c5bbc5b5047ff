//! What only requests without a handshake have: their envelope and `server/discover` (MCP 2026-07-28, basic and
//! server/discover).

use std::time::Duration;

use crate::{
    call::ClientDeclaration,
    client::{ClientCapabilities, ClientInfo},
    notification::LoggingLevel,
    primitives::resource::Cache,
    result::{OperationResult, Success},
    server::Presentation,
};
use mcp_edge_protocol::{
    error::RpcError,
    method::Method,
    params::{self, Meta},
    revision::MODERN,
};
use mcp_edge_runtime::json::{Object, array, quote};

/// Reads what the envelope says of the client; its required members have been checked. Log messages are sent if the server
/// declares `logging`.
pub(super) fn client(meta: &Meta<'_>, logging: bool) -> Result<ClientDeclaration, RpcError> {
    let capabilities = meta.capabilities.map(ClientCapabilities::read).transpose()?;
    let level = meta.log_level.map(|raw| {
        params::text(raw)
            .and_then(|name| LoggingLevel::parse(&name))
            .ok_or_else(|| RpcError::invalid_params("_meta[\"io.modelcontextprotocol/logLevel\"] is not a level"))
    });
    let level = level.transpose()?;
    if meta.progress_token.is_some_and(|raw| !params::is_token(raw)) {
        return Err(RpcError::invalid_params(
            "_meta.progressToken must be a string or an integer of at most 1024 bytes",
        ));
    }
    Ok(ClientDeclaration {
        revision: MODERN,
        // For display only, so a malformed value counts as absent.
        client: meta.client.and_then(|raw| serde_json::from_str(raw.get()).ok()).filter(ClientInfo::is_short),
        capabilities: capabilities.unwrap_or_default(),
        progress_token: meta.progress_token.map(|raw| raw.get().to_owned()),
        log_level: level.filter(|_| logging),
    })
}

/// Handles `server/discover`.
pub(super) fn answer(server: &Presentation, list_ttl: Duration, method: Method) -> Option<OperationResult> {
    if method != Method::Discover {
        return None;
    }
    let members = Object::new()
        .raw("supportedVersions", &array([quote(MODERN.as_str())]))
        .raw("capabilities", &server.capabilities)
        .maybe_text("instructions", server.instructions.as_deref());
    // Nothing of it depends on who asks.
    Some(OperationResult::Complete(Success::cached(members, Cache::public(list_ttl))))
}
