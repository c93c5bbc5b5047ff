//! The requests that the doctor sends, by name.

use crate::{
    gateway::forgery::Forgery,
    mcp::{Era, List},
    target::DiscoveryForm,
    user_agent::UserAgent,
};

/// A request to the server, its provider, or the upstream of a gateway. Its response is recorded under this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// `initialize` without a token: the first request of most clients.
    Initialize,
    /// `server/discover` without a token: the first request of clients of 2026-07-28.
    Discover,
    /// `GET` of the endpoint without a token: the first request of mcp-remote.
    Get,
    /// `initialize` with an unsigned token.
    ForgedToken,
    /// `initialize` with `Authorization: Bearer` and no token after it.
    EmptyBearer,
    /// `initialize` at the same URL with one slash more or less at its end.
    SlashToggled,
    /// `initialize` with the user agent of a client.
    AsUserAgent(UserAgent),
    /// Protected resource metadata with the user agent of a client.
    MetadataAsUserAgent(UserAgent),

    /// Protected resource metadata at the URL that RFC 9728 derives from the endpoint.
    MetadataAtPath,
    /// Protected resource metadata at the root of the origin.
    MetadataAtRoot,
    /// Protected resource metadata at the URL in the challenge, if that is neither of the two.
    MetadataInChallenge,
    /// Authorization server metadata at the server's own origin.
    Mirror,

    /// `initialize` from a page of the server's own origin.
    FromOwnOrigin,
    /// `initialize` from a page of another origin.
    FromOtherOrigin,
    /// The preflight of [`Self::FromOtherOrigin`].
    Preflight,
    /// The preflight of [`Self::MetadataFromOtherOrigin`].
    MetadataPreflight,
    /// Protected resource metadata from a page of another origin.
    MetadataFromOtherOrigin,

    /// The provider's metadata.
    Discovery(DiscoveryForm),
    /// The provider's metadata from a page of another origin.
    DiscoveryFromOtherOrigin,
    /// The provider's key set.
    Keys,
    /// The preflight of a token request.
    TokenPreflight,

    /// The public keys of a gateway's assertions.
    AssertionKeys,

    /// The entry for the MCP registry.
    RegistryEntry,
    /// The proof for the MCP registry that the publisher owns the domain.
    RegistryProof,
    /// The token of `OpenAI`'s portal.
    OpenAiChallenge,

    /// `initialize` of 2025-11-25 with the token.
    LegacyInitialize,
    /// `notifications/initialized` of 2025-11-25.
    LegacyInitialized,
    /// `tools/list` of 2025-11-25.
    LegacyTools,
    /// `tools/call` of `whoami` in 2025-11-25.
    LegacyWhoami,
    /// `GET` for a stream of server messages in 2025-11-25.
    LegacyStream,
    /// `server/discover` of 2026-07-28 with the token.
    ModernDiscover,
    /// `tools/list` of 2026-07-28.
    ModernTools,
    /// `tools/call` of `whoami` in 2026-07-28.
    ModernWhoami,
    /// A page of a list, counted from 1. The first page of the tools is [`Self::LegacyTools`] or
    /// [`Self::ModernTools`].
    Page(Era, List, usize),
    /// The page where users connect accounts of other services, if tools need such.
    Connections,

    /// `tools/list` without credentials, of the upstream.
    ToolsWithoutCredentials(Era),
    /// The first request of an era with a forged assertion, of the upstream.
    ForgedAssertion(Forgery, Era),
    /// `ping` of 2025-11-25 with the session ID that the gateway handed out, of the upstream.
    SessionOfGateway,
    /// `ping` of 2025-11-25 with a session ID that nobody handed out, of the upstream.
    UnknownSession,
}

/// An origin that no server allows by name (RFC 2606 reserves it). `--origin` replaces it.
pub const UNLISTED_ORIGIN: &str = "https://mcp-edge-doctor.example";

/// Request headers that a page's preflight of the endpoint asks for, in either era.
pub const ENDPOINT_REQUEST_HEADERS: &str = "authorization,content-type,mcp-method,mcp-name,mcp-protocol-version";

/// Request headers that a page's preflight of the metadata asks for.
pub const METADATA_REQUEST_HEADERS: &str = "mcp-protocol-version";
