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

/// The two forms of the protocol that are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Before 2026-07-28: a handshake precedes all other requests.
    Legacy,
    /// Since 2026-07-28: each request carries its own metadata.
    Modern,
}

/// The newest revision without a handshake, and the oldest: there is one so far.
pub const MODERN: Revision = Revision::V2026_07_28;

/// What a client is offered in `initialize` if it names a revision that is not spoken here.
pub const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

/// What a request without a version header speaks (MCP 2025-06-18, basic/transports).
pub const ASSUMED_LEGACY: Revision = Revision::V2025_03_26;

impl Revision {
    /// Those that define the transport that is served here, newest first.
    pub const OF_STREAMABLE_HTTP: [Self; 4] =
        [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era that it belongs to.
    #[must_use]
    pub fn era(self) -> Era {
        if self >= MODERN { Era::Modern } else { Era::Legacy }
    }

    /// A handshake revision by its name.
    #[must_use]
    pub fn legacy(name: &str) -> Option<Self> {
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

/// The era of a version name, known or not. Names of revisions are dates, which compare as text. Other names are those of
/// drafts, which have been sent in handshakes only (`DRAFT-2025-v3`), so the message they come with decides.
#[must_use]
pub fn era_of(version: &str) -> Era {
    if version >= MODERN.as_str() && is_date(version) { Era::Modern } else { Era::Legacy }
}

/// Whether a name has the form of a date, `2026-07-28`.
fn is_date(name: &str) -> bool {
    let is_in_form = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    name.len() == 10 && name.bytes().enumerate().all(is_in_form)
}
