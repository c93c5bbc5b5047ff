//! What only requests without a handshake have: their envelope and `server/discover` (MCP 2026-07-28, basic and
//! server/discover).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    call::{Context, RequestContext},
    client::{ClientCapabilities, ClientInfo},
    input_required::inputs::Inputs,
    primitives::resource::Cache,
    protocol::{
        error::RpcError,
        jsonrpc::{self, Meta},
        method::Method,
        notification::{LoggingLevel, Outbox},
        outcome::{OperationResult, Success},
        revision::MODERN,
    },
    server::Server,
};
use mcp_edge_runtime::json::{Object, array, quote};

/// The method of this name, if this era has it and there is something here that it acts on.
pub(super) fn method<E: Clone + 'static>(server: &Server<E>, name: &str) -> Result<Method, RpcError> {
    Method::parse(name)
        .filter(|method| method.exists(true) && server.offers(*method))
        .ok_or_else(|| RpcError::method_not_found(name))
}

/// Reads the envelope, whose required parts have been checked.
pub(super) fn context<E>(server: &Server<E>, meta: &Meta<'_>, caller: RequestContext) -> Result<Context, RpcError> {
    let capabilities = meta.capabilities.map(ClientCapabilities::read).transpose()?;
    let level = meta.log_level.map(|raw| {
        jsonrpc::text(raw)
            .and_then(|name| LoggingLevel::parse(&name))
            .ok_or_else(|| RpcError::invalid_params("_meta[\"io.modelcontextprotocol/logLevel\"] is not a level"))
    });
    let level = level.transpose()?;
    if meta.progress_token.is_some_and(|raw| !jsonrpc::is_token(raw)) {
        return Err(RpcError::invalid_params(
            "_meta.progressToken must be a string or an integer of at most 1024 bytes",
        ));
    }
    Ok(Context {
        identity: caller.identity,
        now: caller.now,
        request_id: caller.request_id,
        runtime: caller.runtime,
        state_key: caller.state_key,
        report: caller.report,
        revision: MODERN,
        // For display only, so what is not as it should be counts as not said.
        client: meta.client.and_then(|raw| serde_json::from_str(raw.get()).ok()).filter(ClientInfo::is_short),
        capabilities: capabilities.unwrap_or_default(),
        progress_token: meta.progress_token.map(|raw| raw.get().to_owned()),
        progress: Cell::new(f64::NEG_INFINITY),
        log_from: level.filter(|_| server.logging),
        outbox: Rc::new(Outbox::default()),
        inputs: RefCell::new(Inputs::default()),
    })
}

/// The answer to `server/discover`.
pub(super) fn answer<E>(server: &Server<E>, method: Method) -> Option<OperationResult> {
    if method != Method::Discover {
        return None;
    }
    let members = Object::new()
        .raw("supportedVersions", &array([quote(MODERN.as_str())]))
        .raw("capabilities", &server.capabilities)
        .maybe_text("instructions", server.instructions.as_deref());
    // Nothing of it depends on who asks.
    Some(OperationResult::Complete(Success::cached(members, Cache::public(server.list_ttl))))
}
