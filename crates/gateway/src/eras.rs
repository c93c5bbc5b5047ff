//! Which eras of MCP the upstream speaks, as far as that is known in this isolate.
//!
//! A client of the era without a handshake must not reach an upstream that knows only handshakes: some of those take its
//! requests for their own, and answer in a form that the client cannot read. So the first such request asks the upstream
//! (`server/discover`), and the answer holds for a while. Whether an upstream knows handshakes is not asked: `initialize`
//! finds out by itself.

use std::cell::Cell;

use mcp_edge_protocol::{
    era::{self, VERSION_HEADER},
    error::RpcError,
    revision::{MODERN, Revision},
};

/// Five minutes: an upstream that has learned the new era is noticed soon, and being asked costs it nothing.
const KNOWN_SECONDS: u64 = 300;

/// The revisions with a handshake, newest first: what a client can fall back to.
const LEGACY: [Revision; 3] = [Revision::V2025_11_25, Revision::V2025_06_18, Revision::V2025_03_26];

/// What the gateway asks of its own accord, with its headers. The id is JSON.
pub(crate) const DISCOVER: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"mcp-edge","method":"server/discover","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
);
pub(crate) const DISCOVER_ID: &str = "\"mcp-edge\"";
pub(crate) const DISCOVER_HEADERS: [(&str, &str); 2] =
    [(VERSION_HEADER, MODERN.as_str()), ("mcp-method", "server/discover")];

/// What is known of an upstream.
#[derive(Debug, Default)]
pub struct Eras(Cell<Option<Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    is_modern: bool,
    until: u64,
}

impl Eras {
    /// Whether the upstream speaks the era without a handshake, if that is known at `now`, in seconds since 1970.
    pub fn is_modern(&self, now: u64) -> Option<bool> {
        self.0.get().filter(|known| now < known.until).map(|known| known.is_modern)
    }

    /// Keeps what a response has shown at `now`.
    pub fn learn(&self, is_modern: bool, now: u64) {
        self.0.set(Some(Known { is_modern, until: now + KNOWN_SECONDS }));
    }
}

/// The error for a client of the era without a handshake if the upstream knows only handshakes: the official clients fall
/// back to one when they see which revisions are left.
#[must_use]
pub fn legacy_only() -> RpcError {
    era::unsupported_version(&LEGACY, MODERN.as_str())
}
