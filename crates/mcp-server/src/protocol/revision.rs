//! The revisions of the protocol that this server speaks, and the two eras they fall into.

use std::fmt;

/// A published revision of the Model Context Protocol, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Revision {
    /// 2024-11-05. Only as a version that a client may name in `initialize`; its own transport is not offered.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, with batches.
    V2025_03_26,
    /// 2025-06-18: structured output, the `MCP-Protocol-Version` header, no batches.
    V2025_06_18,
    /// 2025-11-25: the last one with a handshake.
    V2025_11_25,
    /// 2026-07-28: stateless requests that carry everything themselves.
    V2026_07_28,
}

/// The newest revision without a handshake, and the oldest: there is one so far.
pub(crate) const MODERN: Revision = Revision::V2026_07_28;

/// What a client is offered in `initialize` if it names a revision that is not spoken here.
pub(crate) const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

/// What a request without a version header speaks (MCP 2025-06-18, basic/transports).
pub(crate) const ASSUMED_LEGACY: Revision = Revision::V2025_03_26;

impl Revision {
    /// Those that define the transport that is served here, newest first.
    pub const OF_STREAMABLE_HTTP: [Self; 4] =
        [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Whether requests carry their own metadata (since 2026-07-28) instead of relying on a handshake.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self >= MODERN
    }

    /// A handshake revision by its name.
    pub(crate) fn legacy(name: &str) -> Option<Self> {
        [Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05]
            .into_iter()
            .find(|revision| revision.as_str() == name)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Whether a version name, known or not, belongs to the era without a handshake. Names are dates, so that they
/// compare as text; a name that is no date compares as later and is then refused as unsupported.
pub(crate) fn names_modern(version: &str) -> bool {
    version >= MODERN.as_str()
}
