//! Streamable HTTP: headers that mirror the body, and responses as JSON or as an event stream (MCP 2026-07-28,
//! basic/transports/streamable-http).

pub(super) mod headers;
pub(super) mod stream;
