//! Which era a message belongs to, and whether its headers agree with that (MCP 2026-07-28, basic/versioning and
//! basic/transports/streamable-http).
//!
//! Requests without a handshake and requests after one arrive at the same endpoint. What tells them apart is the
//! *claim*: `params._meta` names a protocol version. Only if there is none does the version header decide. The checks
//! come in a fixed order, and earlier ones win:
//!
//! 1. `initialize` is a handshake, unless a valid claim or a modern header contradicts it.
//! 2. With a claim: the envelope is well-formed; the version header does not contradict it; `Mcp-Method` does not
//!    contradict the body; the version is spoken here; the headers that must be there are there, and `Mcp-Name`
//!    agrees.
//! 3. With a modern header but no claim: the envelope is missing.
//! 4. Otherwise the message belongs to a legacy client after `initialize`, if the header names a revision it could have
//!    agreed on. A header that is no date names none, and the error names those that are supported.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    error::{Reason, RpcError, echo},
    headers::check_name,
    method::Method,
    params::{Meta, Params, text},
    revision::{ASSUMED_LEGACY, Era, MODERN, Revision, era_of},
};
use mcp_edge_runtime::{
    http::RequestHead,
    json::{Object, array, quote},
};

/// The request header that names the revision.
pub const VERSION_HEADER: &str = "mcp-protocol-version";

/// What a request turned out to be.
pub enum RequestKind<'a> {
    /// `initialize`, the first request of a legacy client.
    Handshake,
    /// Any other message of a legacy client; it was initialized by another isolate perhaps.
    Legacy(Revision),
    /// A request that says everything itself.
    Modern(Meta<'a>),
}

/// Classifies a request for the method of this name, which is `method` if it is one of the protocol's.
///
/// # Errors
/// The first check that failed, in the order above.
pub fn classify<'a>(
    head: &RequestHead<'_>,
    name: &str,
    method: Option<Method>,
    params: &Params<'a>,
) -> Result<RequestKind<'a>, RpcError> {
    let meta = match params.meta {
        Some(_) => Some(params.read_meta()?.unwrap_or_default()),
        None => None,
    };
    let named = method.and_then(Method::named_by).and_then(|member| params.mirrored(member));
    classify_by(head, name, meta, named)
}

/// Classifies a request for the method of this name, whose `_meta` was read already. `named` is what `Mcp-Name` must
/// repeat, for methods with such a parameter: its JSON, which counts if it is a string.
///
/// # Errors
/// The first check that failed, in the order above.
pub fn classify_by<'a>(
    head: &RequestHead<'_>,
    name: &str,
    meta: Option<Meta<'a>>,
    named: Option<&RawValue>,
) -> Result<RequestKind<'a>, RpcError> {
    let header = head.header(VERSION_HEADER);
    let header_era = header.map(era_of);
    let has_meta = meta.is_some();
    let meta = meta.unwrap_or_default();

    if name == Method::Initialize.as_str() && !is_modern_envelope(&meta) {
        return if header_era == Some(Era::Modern) {
            Err(RpcError::header("initialize belongs to revisions before the one that MCP-Protocol-Version names"))
        } else {
            Ok(RequestKind::Handshake)
        };
    }
    if meta.version.is_some() {
        check_claim(head, name, &meta)?;
        if let Some(named) = named.and_then(text) {
            check_name(head, &named)?;
        }
        return Ok(RequestKind::Modern(meta));
    }
    if header_era == Some(Era::Modern) {
        let missing = if has_meta { VERSION_KEY } else { "_meta" };
        return Err(RpcError::new(Reason::Envelope, format!("params lack {missing}")));
    }
    legacy_revision(header).map(RequestKind::Legacy)
}

const VERSION_KEY: &str = "_meta[\"io.modelcontextprotocol/protocolVersion\"]";

/// The checks of a claim, in their order.
fn check_claim(head: &RequestHead<'_>, method: &str, meta: &Meta<'_>) -> Result<(), RpcError> {
    // The envelope is well-formed.
    let claim =
        claimed(meta).ok_or_else(|| RpcError::new(Reason::Envelope, format!("{VERSION_KEY} must be a string")))?;
    if !has_capabilities(meta) {
        let message = "_meta[\"io.modelcontextprotocol/clientCapabilities\"] must be an object";
        return Err(RpcError::new(Reason::Envelope, message));
    }
    // Headers that are there do not contradict the body.
    let version_header = head.header(VERSION_HEADER);
    if version_header.is_some_and(|header| header != claim) {
        return Err(RpcError::header("the MCP-Protocol-Version header differs from the body"));
    }
    let method_header = head.header("mcp-method");
    if method_header.is_some_and(|header| header != method) {
        return Err(RpcError::header("the Mcp-Method header differs from the body"));
    }
    // The version is spoken here. A revision with a handshake is not, when it is named in this place.
    if claim != MODERN.as_str() {
        return Err(unsupported_version(&[MODERN], &claim));
    }
    // Headers that must be there are there.
    if version_header.is_none() {
        return Err(RpcError::header("the MCP-Protocol-Version header is missing"));
    }
    if method_header.is_none() {
        return Err(RpcError::header("the Mcp-Method header is missing"));
    }
    Ok(())
}

/// Checks a notification, which is accepted and dropped in either era.
///
/// # Errors
/// If headers and body disagree, or the header names no revision that is spoken here.
pub fn check_notification(head: &RequestHead<'_>, params: &Params<'_>) -> Result<(), RpcError> {
    notification_revision(head, &params.read_meta()?.unwrap_or_default()).map(drop)
}

/// The revision of a notification, whose `_meta` was read already; [`MODERN`] for one with a claim.
///
/// # Errors
/// If headers and body disagree, or the header names no revision that is spoken here.
pub fn notification_revision(head: &RequestHead<'_>, meta: &Meta<'_>) -> Result<Revision, RpcError> {
    let header = head.header(VERSION_HEADER);
    if meta.version.is_some() {
        let differs = header.is_some_and(|header| claimed(meta).is_none_or(|claim| claim != header));
        return if differs {
            Err(RpcError::header("the MCP-Protocol-Version header differs from the body"))
        } else {
            Ok(MODERN)
        };
    }
    if header.map(era_of) == Some(Era::Modern) { Ok(MODERN) } else { legacy_revision(header) }
}

/// The revision that a header stands for, in the era with a handshake.
///
/// # Errors
/// If the header names none that is spoken here.
pub fn legacy_revision(header: Option<&str>) -> Result<Revision, RpcError> {
    let Some(name) = header else { return Ok(ASSUMED_LEGACY) };
    Revision::legacy(name).ok_or_else(|| unsupported_header(name))
}

/// Some clients show people the message only, so it names the revisions as well.
#[cold]
fn unsupported_header(name: &str) -> RpcError {
    let mut message = ["unsupported MCP-Protocol-Version: ", &echo(name), "; supported: "].concat();
    message.push_str(&Revision::OF_STREAMABLE_HTTP.map(Revision::as_str).join(", "));
    with_supported(RpcError::new(Reason::InvalidRequest, message), &Revision::OF_STREAMABLE_HTTP, name)
}

/// The error for a revision that is not spoken here, with those that are (MCP 2026-07-28, basic/versioning).
#[must_use]
pub fn unsupported_version(supported: &[Revision], requested: &str) -> RpcError {
    with_supported(RpcError::new(Reason::UnsupportedVersion, "unsupported protocol version"), supported, requested)
}

/// Adds the supported revisions and the requested one, in the form of `UnsupportedProtocolVersionError` (MCP 2026-07-28,
/// basic/versioning).
fn with_supported(error: RpcError, supported: &[Revision], requested: &str) -> RpcError {
    let supported = array(supported.iter().map(|revision| quote(revision.as_str())));
    error.with_data(&Object::new().raw("supported", &supported).text("requested", &echo(requested)))
}

/// Whether the message makes a claim at all.
#[must_use]
pub fn has_claim(params: &Params<'_>) -> bool {
    // What cannot be read might be one.
    params.read_meta().map_or(true, |meta| meta.is_some_and(|meta| meta.version.is_some()))
}

/// Whether `initialize` came with an envelope that only a modern client writes.
fn is_modern_envelope(meta: &Meta<'_>) -> bool {
    claimed(meta).is_some_and(|version| era_of(&version) == Era::Modern) && has_capabilities(meta)
}

fn claimed<'a>(meta: &Meta<'a>) -> Option<Cow<'a, str>> {
    meta.version.and_then(text)
}

fn has_capabilities(meta: &Meta<'_>) -> bool {
    meta.capabilities.is_some_and(|raw| raw.get().starts_with('{'))
}
