//! What only clients with a handshake have: `initialize`, `ping`, log levels and subscriptions (MCP 2025-11-25 and
//! earlier, basic/lifecycle, server/utilities/logging, server/resources).
//!
//! No session is begun: revisions before 2026-07-28 allow that, and each request then stands alone. What a client said
//! in its handshake is not known later, so it can be asked nothing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    call::{Context, RequestContext},
    client::ClientCapabilities,
    input_required::inputs::Inputs,
    protocol::{
        error::RpcError,
        jsonrpc::{self, Params, text},
        method::Method,
        notification::{LoggingLevel, Outbox},
        outcome::{OperationResult, Success},
        revision::{NEWEST_LEGACY, Revision},
    },
    server::Server,
};
use mcp_edge_runtime::json::Object;

/// The method of this name, if this era has it and there is something here that it acts on.
pub(super) fn method<E: Clone + 'static>(server: &Server<E>, name: &str) -> Result<Method, RpcError> {
    Method::parse(name)
        .filter(|method| method.exists(false) && server.offers(*method))
        .ok_or_else(|| RpcError::method_not_found(name))
}

/// Shakes hands: agrees on the client's revision if it is spoken here, and offers the newest otherwise.
pub(super) fn initialize<E>(server: &Server<E>, params: &Params<'_>) -> (Option<Revision>, OperationResult) {
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

/// What is known of a call.
pub(super) fn context<E>(
    server: &Server<E>,
    revision: Revision,
    params: &Params<'_>,
    caller: RequestContext,
) -> Context {
    let token =
        params.read_meta().ok().flatten().and_then(|meta| meta.progress_token).filter(|raw| jsonrpc::is_token(raw));
    Context {
        identity: caller.identity,
        now: caller.now,
        request_id: caller.request_id,
        runtime: caller.runtime,
        state_key: caller.state_key,
        report: caller.report,
        revision,
        client: None,
        capabilities: ClientCapabilities::default(),
        progress_token: token.map(|raw| raw.get().to_owned()),
        progress: Cell::new(f64::NEG_INFINITY),
        log_from: server.logging.then_some(LoggingLevel::LEGACY),
        outbox: Rc::new(Outbox::default()),
        inputs: RefCell::new(Inputs::default()),
    }
}

/// The answers that need nothing but the method: results without any member. Levels and subscriptions are accepted,
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
