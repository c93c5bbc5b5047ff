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
    revision::{Era, MODERN, Revision},
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
    era: Era,
    until: u64,
}

impl Eras {
    /// The newest era that the upstream speaks, if that is known at `now`, in seconds since 1970.
    pub fn known(&self, now: u64) -> Option<Era> {
        self.0.get().filter(|known| now < known.until).map(|known| known.era)
    }

    /// Keeps what was found out at `now`.
    pub fn learn(&self, era: Era, now: u64) {
        self.0.set(Some(Known { era, until: now.saturating_add(KNOWN_SECONDS) }));
    }
}

/// The error for a client of the era without a handshake if the upstream knows only handshakes: the official clients fall
/// back to one when they see which revisions are left.
#[must_use]
pub fn legacy_only() -> RpcError {
    era::unsupported_version(&LEGACY, MODERN.as_str())
}
