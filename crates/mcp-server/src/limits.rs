//! Resource limits, each with its reason.

use std::time::Duration;

pub use mcp_edge_protocol::post::BODY_BYTES;

/// What a request may cost. Handed to [`ServerBuilder::limits`](crate::ServerBuilder::limits); write
/// `Limits { handler_time, ..Limits::default() }` to change what the tools at hand need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of a request body in bytes. The code that reads the body enforces it. Defaults to [`BODY_BYTES`].
    pub body_bytes: usize,
    /// Messages in one batch (only the revision of 2025-03-26 has batches). Defaults to [`BATCH_LENGTH`].
    pub batch_length: usize,
    /// Answers that may be streaming at the same time in one isolate. Defaults to [`CONCURRENT_STREAMS`]. Above it,
    /// calls are still answered, but with one JSON document and without progress or log messages.
    pub concurrent_streams: usize,
    /// Values in one request: strings, numbers, arrays, objects and so on, in everything that handlers get of it.
    /// Defaults to [`VALUES`].
    pub values: usize,
    /// How long one handler may take. Defaults to [`HANDLER_TIME`].
    pub handler_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BODY_BYTES,
            batch_length: BATCH_LENGTH,
            concurrent_streams: CONCURRENT_STREAMS,
            values: VALUES,
            handler_time: HANDLER_TIME,
        }
    }
}

/// 100 messages: what the TypeScript SDK's server accepts. The specification of 2025-03-26 names no number.
pub const BATCH_LENGTH: usize = 100;

/// 128 streams: an isolate has 128 MB of memory, which leaves a stream and its handler one megabyte.
pub const CONCURRENT_STREAMS: usize = 128;

/// 100,000 values: nine thousand records with ten members each. The most that so many take is 25 MB, for objects with one
/// member; a number in an array takes 24 bytes. Without such a limit, the 4 MiB of a body become 270 MB.
pub const VALUES: usize = 100_000;

/// 1 KiB of JSON is not counted: it cannot be more than 512 values in 128 KiB.
pub(super) const UNCOUNTED_BYTES: usize = 1024;

/// 16 KiB for a URI: twice what everybody should support (RFC 9110 §4.1). It is kept three times while a resource is read.
pub(super) const URI_BYTES: usize = 16 * 1024;

/// 1 KiB for the name and the version of a client. They are for display.
pub(super) const CLIENT_INFO_BYTES: usize = 1024;

/// 16 KiB for the settings of all extensions that a client supports. Those that exist take a few hundred bytes.
pub(super) const EXTENSIONS_BYTES: usize = 16 * 1024;

/// One minute: after that the clients made with the official SDKs have given up, by default.
pub const HANDLER_TIME: Duration = Duration::from_mins(1);

/// 15 seconds of silence before a comment line keeps a stream open: below the idle timeouts of the proxies that sit
/// between (30 seconds and up), and what the official SDKs use. A call that says nothing for so long is answered
/// with a stream, too, for the same reason.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// 600 seconds for a person to answer a question; a shorter time bounds replay, a longer one lets people think. The
/// TypeScript SDK's state codec has the same default.
pub(super) const STATE_SECONDS: u64 = 600;

/// 64 KiB of sealed state: it travels twice per round, and a handler that must remember more should store it.
pub(super) const STATE_BYTES: usize = 64 * 1024;

/// That state in base64url, with its nonce and its tag, in quotation marks.
pub(super) const SEALED_BYTES: usize = (STATE_BYTES + 24 + 16).div_ceil(3) * 4 + 2;

/// 100 items on a page unless the builder says otherwise: the lists of nearly all servers then fit on one.
pub(super) const PAGE_SIZE: usize = 100;

/// Five minutes for which clients may keep lists and descriptions. They change only when a new version is deployed,
/// so this is how long an old list can be seen after that.
pub(super) const LIST_TTL: Duration = Duration::from_mins(5);

/// 100 suggestions: the most that `completion/complete` may return (MCP 2026-07-28, utilities/completion).
pub(super) const COMPLETION_VALUES: usize = 100;

/// 64 bytes of a name. MCP recommends up to 128 for tools (2026-07-28, server/tools), and dots; but Claude's clients drop
/// the list, and OpenAI's API refuses the conversation, if one does not match `^[a-zA-Z0-9_-]{1,64}$`.
pub(super) const NAME_LENGTH: usize = 64;

/// Steps of schema validation for one call. A step is one keyword set met by one value; ordinary arguments take tens.
/// What this stops is a recursive `anyOf` that multiplies with the depth of the value.
pub(super) const SCHEMA_STEPS: u32 = 100_000;

/// Schemas within schemas that validation follows. JSON values nest at most 128 levels (the recursion limit of
/// `serde_json`), so deeper than this only references that lead nowhere can go.
pub(super) const SCHEMA_DEPTH: u32 = 256;

/// Violations that are reported to the model at once: enough to fix a call at once, few enough to be read.
pub(super) const SCHEMA_VIOLATIONS: usize = 5;
