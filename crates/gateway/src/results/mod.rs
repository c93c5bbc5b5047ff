//! The results that are read and written anew: lists without what a caller may not use, `initialize`, `server/discover`,
//! and the resources of the modern era.
//!
//! | module | what it contains |
//! |---|---|
//! | `response` | JSON-RPC responses: the result or the error that answers a request of ours |
//! | `lists` | the four lists: which items pass |
//! | `handshake` | `initialize` and `server/discover`: revisions and capabilities |
//! | `event_stream` | the response in an event stream |
//!
//! What passes, passes as the JSON that it was; to tools, `securitySchemes` is added. Nothing recurses over what the upstream has nested, and nothing is built of
//! it but lists of its parts. The caller limits the bytes.

use mcp_edge_identity::Identity;
use mcp_edge_protocol::{members::is_alike, revision::Era};
use mcp_edge_runtime::json::Object;

use crate::{access::Policy, pins::Pins};

pub mod event_stream;
mod handshake;
mod lists;
mod response;

pub use event_stream::response_in;
pub use lists::Unapproved;

/// The results that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadResult {
    /// One of the four lists.
    List(Listed),
    /// Of `initialize`.
    Initialize,
    /// Of `server/discover`.
    Discover,
    /// Of `resources/read` in the modern era.
    Resource,
}

/// What a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// `tools/list`
    Tools,
    /// `prompts/list`
    Prompts,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    Templates,
}

/// What decides about the parts of a result.
#[derive(Clone, Copy)]
pub struct RewriteContext<'a> {
    /// Who may use what.
    pub policy: &'a Policy,
    /// The caller.
    pub identity: &'a Identity,
    /// The definitions of tools that the operator has approved, if only these are offered.
    pub pins: Option<&'a Pins>,
    /// The era of the request.
    pub era: Era,
    /// Seconds since 1970.
    pub now: u64,
}

/// A response that was written anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// JSON. It may contain line breaks that the upstream wrote between its parts.
    pub response: String,
    /// The tools that were hidden because their definitions are not approved, for the log.
    pub unapproved: Vec<Unapproved>,
    /// The code of the error that it is.
    pub error_code: Option<i64>,
}

/// Why a response cannot be passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableResult {
    /// Not JSON, or not an object.
    #[error("the response is not a JSON object")]
    Malformed,
    /// A member occurs twice: two readers would read two different responses.
    #[error("the response has the member `{0}` twice")]
    Repeated(&'static str),
    /// Not a JSON-RPC response: `jsonrpc` is not "2.0", or there is not exactly one of `result` and `error`.
    #[error("the response is not a JSON-RPC 2.0 response with a result or an error")]
    NotAResponse,
    /// The id is not that of the request.
    #[error("the response answers another request")]
    AnotherId,
    /// A member is missing or of another type.
    #[error("`{0}` is missing or malformed")]
    Member(&'static str),
    /// More items than a list may have.
    #[error("the list has more than {} items", lists::MAX_ITEMS)]
    TooManyItems,
    /// The list would grow too much by what is added to it.
    #[error(
        "`securitySchemes` would add more than {} MiB to the list: name fewer scopes in an entry of TOOL_SCOPES, or have the \
         upstream list its tools in pages",
        lists::MAX_ADDED_BYTES / (1024 * 1024)
    )]
    TooManySchemes,
    /// `initialize` was answered with a revision that is not known here, or that has no handshake.
    #[error("`initialize` was answered with the revision {0:?}")]
    UnknownRevision(String),
    /// `server/discover` names no revision that is known here.
    #[error("`server/discover` names no revision without a handshake that is known here")]
    NoModernRevision,
}

/// The ids of a request, as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Ids<'a> {
    /// Under which the upstream was asked.
    pub asked: &'a str,
    /// Under which the client asked.
    pub answered: &'a str,
}

/// Writes a JSON-RPC response anew, with its result filtered for a caller. An error of the upstream passes with its code,
/// message and data.
///
/// # Errors
/// Why the response cannot be passed on.
pub fn rewrite(
    what: ReadResult,
    response: &str,
    ids: Ids<'_>,
    context: &RewriteContext<'_>,
) -> Result<Rewritten, UnreadableResult> {
    let id = ids.answered;
    let result = match response::read(response, ids.asked)? {
        response::Answer::Result(result) => result,
        response::Answer::Error(error) => {
            return Ok(Rewritten::error(id, &error));
        }
    };
    let mut unapproved = Vec::new();
    let members = match what {
        ReadResult::List(listed) => lists::filter(listed, result, context, &mut unapproved)?,
        ReadResult::Initialize => handshake::initialize(result, context)?,
        ReadResult::Discover => handshake::discover(result, context)?,
        ReadResult::Resource => {
            let parts = split(result, [CACHE_SCOPE, RESULT_TYPE])?;
            let [cache_scope, result_type] = parts.known;
            // Input requests have no hints (MCP 2026-07-28, server/utilities/caching).
            let has_hints = result_type.is_none_or(|result_type| response::is_string(result_type, "complete"));
            let members = parts.others.with(&Object::new().maybe_raw(RESULT_TYPE, result_type));
            with_private_cache(members, cache_scope.is_some() || has_hints)
        }
    };
    Ok(Rewritten { response: response::result(id, &members), unapproved, error_code: None })
}

/// Writes a JSON-RPC error anew that came with a status of its own. The upstream may not have read so far as the id.
///
/// # Errors
/// Why the response cannot be passed on.
pub fn rewrite_error(response: &str, ids: Option<Ids<'_>>) -> Result<Rewritten, UnreadableResult> {
    let error = response::read_refusal(response, ids.map(|ids| ids.asked))?;
    Ok(Rewritten::error(ids.map_or("null", |ids| ids.answered), &error))
}

impl Rewritten {
    fn error(id: &str, error: &response::RemoteError<'_>) -> Self {
        Self { response: response::error(id, error), unapproved: Vec::new(), error_code: Some(error.code()) }
    }
}

const CACHE_SCOPE: &str = "cacheScope";

const RESULT_TYPE: &str = "resultType";

/// Says that no cache may share the result: it was written for one caller.
fn with_private_cache(members: Object, has_hints: bool) -> Object {
    if has_hints { members.text(CACHE_SCOPE, "private") } else { members }
}

/// The members of an object.
struct Split<'a, const N: usize> {
    /// Those with certain names, as JSON.
    known: [Option<&'a str>; N],
    /// All others, but without those that a reader could take for the known ones.
    others: Object,
}

/// Takes the members with certain names out of an object. Those of the value `null` count as absent.
fn split<'a, const N: usize>(json: &'a str, names: [&'static str; N]) -> Result<Split<'a, N>, UnreadableResult> {
    let mut known = [None; N];
    let others = split_into(json, &names, &mut known)?;
    Ok(Split { known, others })
}

fn split_into<'a>(
    json: &'a str,
    names: &[&'static str],
    known: &mut [Option<&'a str>],
) -> Result<Object, UnreadableResult> {
    let (mut others, mut repeated) = (Vec::new(), None);
    let walked = mcp_edge_protocol::members::walk_object(json, &mut |name, value| {
        match names.iter().position(|known| name == *known) {
            Some(at) if known[at].is_some() => repeated = Some(names[at]),
            Some(at) => known[at] = Some(value),
            None if names.iter().any(|known| is_alike(&name, known)) => {}
            None => others.push((name, value)),
        }
        repeated.is_none()
    });
    if let Some(name) = repeated {
        return Err(UnreadableResult::Repeated(name));
    }
    walked.map_err(|_| UnreadableResult::Malformed)?;
    for value in known {
        *value = value.filter(|value| *value != "null");
    }
    Ok(others.iter().fold(Object::new(), |object, (name, value)| object.entry(name, value)))
}

#[cfg(test)]
mod tests;
