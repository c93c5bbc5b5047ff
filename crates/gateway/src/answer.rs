//! From the upstream's response to the client's: what is passed back unread, what is read, and what counts as a failure.

use std::time::Duration;

use mcp_edge_protocol::{
    error::Reason,
    outcome::Outcome,
    post::{self, BODY_BYTES},
    revision::Era,
};
use mcp_edge_runtime::{
    forward::{UpstreamBody, UpstreamResponse},
    http::{Body, Response},
    json::Object,
};

use crate::{
    failure::Failure,
    results::{self, Ids, ReadResult, RewriteContext, Rewritten, Unapproved, UnreadableResult},
};

/// 4 MiB for a result that is read: as large as a message of a client may be.
const RESULT_BYTES: usize = BODY_BYTES;

/// 64 KiB for an error with a status of its own, which has a message and perhaps some data.
const ERROR_BYTES: usize = 64 * 1024;

/// The code of the error "session not found", with which the official SDKs answer a session that does not exist.
const SESSION_CODE: i32 = -32001;

/// Reads what has to be read.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// What a result that is read is rewritten by.
    pub rewriting: RewriteContext<'a>,
    /// For a whole body that is read.
    pub patience: Duration,
}

/// What a response answers.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The kind of request.
    pub kind: Kind,
    /// The ids of a request. None of batches, and if no response was asked for.
    pub ids: Option<Ids<'a>>,
    /// Whether a response was asked for.
    pub is_request: bool,
    /// Whether the request belonged to a session.
    pub in_session: bool,
}

/// The kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// POST. The result is read if it is one of these.
    Message(Option<ReadResult>),
    /// POST: the gateway itself asks `server/discover`, to find out about eras.
    Probe,
    /// GET.
    Stream,
    /// DELETE.
    EndOfSession,
}

/// A response for the client.
#[derive(Debug)]
pub struct Answered {
    /// The response.
    pub response: Response,
    /// For the access log.
    pub outcome: Outcome,
    /// The session that the upstream has begun, by its own id.
    pub session: Option<String>,
    /// The tools that were hidden because their definitions are not approved, for the log.
    pub unapproved: Vec<Unapproved>,
    /// Why it is not what was asked for, for the log.
    pub failure: Option<String>,
}

/// What a response comes to.
#[derive(Debug)]
pub enum Answer {
    /// A response for the client.
    Given(Answered),
    /// What a probe has found out: whether the upstream speaks the era without a handshake. Nothing if it failed in a way in
    /// which servers that do not know it may fail, but others as well.
    Era(Option<Era>),
}

/// How a response is dealt with, according to its head.
enum Plan {
    /// This is the answer.
    Ready(Answer),
    /// The body is passed back unread.
    Through(MediaType),
    /// The body is the response to a request whose result is read.
    Result(ReadResult, MediaType),
    /// The body is an error of JSON-RPC.
    Error,
    /// The body tells of the upstream's era.
    Probe(MediaType),
}

/// The head of a response.
type Head = UpstreamResponse<()>;

/// The media types of MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Json,
    EventStream,
}

impl Answered {
    /// Creates the response to a message that gets no answer.
    #[must_use]
    pub fn accepted() -> Self {
        Self::new(Response::empty(202), Outcome::Accepted)
    }

    /// Creates a response that begins no session.
    #[must_use]
    pub const fn new(response: Response, outcome: Outcome) -> Self {
        Self { response, outcome, session: None, unapproved: Vec::new(), failure: None }
    }

    fn rewritten(status: u16, Rewritten { response, unapproved, error_code }: Rewritten) -> Self {
        let outcome =
            error_code.map_or(Outcome::Answered, |code| Outcome::Error(i32::try_from(code).unwrap_or(i32::MIN)));
        Self { unapproved, ..Self::new(Response::json(status, response), outcome) }
    }
}

/// The response to a session that the caller does not have: clients begin a new one.
#[must_use]
pub fn lost_session(id: Option<&str>) -> Response {
    let error = Object::new().raw("code", &SESSION_CODE.to_string()).text("message", "session not found");
    let body = Object::new().raw("jsonrpc", "\"2.0\"").raw("id", id.unwrap_or("null")).raw("error", &error.close());
    Response::json(404, body.close())
}

impl Answering<'_> {
    /// Answers a request with the response to it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn answer<B: UpstreamBody>(
        self,
        asked: Asked<'_>,
        upstream: UpstreamResponse<B>,
    ) -> Result<Answer, Failure> {
        let UpstreamResponse { status, headers, body } = upstream;
        let head = Head { status, headers, body: () };
        let plan = plan(asked, &head)?;
        let limit = match plan {
            Plan::Ready(answer) => return Ok(answer),
            Plan::Through(media_type) => return Ok(Answer::Given(through(status, media_type, body.into_body()))),
            Plan::Result(..) | Plan::Probe(_) => RESULT_BYTES,
            Plan::Error => ERROR_BYTES,
        };
        let text = body.text(limit, self.patience).await.map_err(Failure::Body)?;
        self.read(asked.ids, &plan, &head, &text)
    }

    fn read(self, ids: Option<Ids<'_>>, plan: &Plan, head: &Head, text: &str) -> Result<Answer, Failure> {
        let (read, media_type) = match *plan {
            Plan::Result(read, media_type) => (read, media_type),
            Plan::Probe(media_type) => return self.read_probe(head.status, media_type, text, ids).map(Answer::Era),
            _ => {
                let rewritten = results::rewrite_error(text, ids).map_err(|_| Failure::Status(head.status))?;
                return Ok(Answer::Given(Answered::rewritten(head.status, rewritten)));
            }
        };
        let rewritten = self.rewrite(read, media_type, text, ids)?;
        let session = head.header("mcp-session-id").map(str::to_owned);
        Ok(Answer::Given(Answered { session, ..Answered::rewritten(head.status, rewritten) }))
    }

    /// Only JSON-RPC tells of eras: what a proxy or a router says, passes.
    fn read_probe(
        self,
        status: u16,
        media_type: MediaType,
        text: &str,
        ids: Option<Ids<'_>>,
    ) -> Result<Option<Era>, Failure> {
        let failure = match self.rewrite(ReadResult::Discover, media_type, text, ids) {
            Ok(Rewritten { error_code: None, .. }) => return Ok(Some(Era::Modern)),
            Ok(Rewritten { error_code: Some(code), .. }) => return Ok(era_of_error(code, status)),
            Err(Failure::Unreadable(UnreadableResult::NoModernRevision)) => return Ok(Some(Era::Legacy)),
            Err(failure) => failure,
        };
        match results::rewrite_error(text, ids) {
            Ok(Rewritten { error_code: Some(code), .. }) => Ok(era_of_error(code, status)),
            _ if (400..=499).contains(&status) => Ok(None),
            _ if status >= 500 => Err(Failure::Status(status)),
            _ => Err(failure),
        }
    }

    fn rewrite(
        self,
        read: ReadResult,
        media_type: MediaType,
        text: &str,
        ids: Option<Ids<'_>>,
    ) -> Result<Rewritten, Failure> {
        let ids = ids.ok_or(Failure::NoResponse)?;
        let found;
        let response = match media_type {
            MediaType::Json => text,
            MediaType::EventStream => {
                found = results::response_in(text, ids.asked);
                found.as_deref().ok_or(Failure::NoResponse)?
            }
        };
        results::rewrite(read, response, ids, &self.rewriting).map_err(Failure::Unreadable)
    }
}

/// Decides by the head of a response how it is dealt with.
fn plan(asked: Asked<'_>, head: &Head) -> Result<Plan, Failure> {
    let ready = |response, outcome| Ok(Plan::Ready(Answer::Given(Answered::new(response, outcome))));
    let is_probe = asked.kind == Kind::Probe;
    if !(is_probe && matches!(head.status, 500 | 501) && media_type(head).is_ok()) {
        check_status(head)?;
    }
    match (asked.kind, head.status) {
        (Kind::Probe, status) => match media_type(head) {
            Ok(media_type) => Ok(Plan::Probe(media_type)),
            Err(_) if (400..=499).contains(&status) => Ok(Plan::Ready(Answer::Era(None))),
            Err(failure) => Err(failure),
        },
        (Kind::Message(_), 200..=299) if !asked.is_request => Ok(Plan::Ready(Answer::Given(Answered::accepted()))),
        (Kind::Message(None), 200) => Ok(Plan::Through(media_type(head)?)),
        (Kind::Message(Some(read)), 200) => Ok(Plan::Result(read, media_type(head)?)),
        (Kind::Stream, 200) => match media_type(head)? {
            MediaType::EventStream => Ok(Plan::Through(MediaType::EventStream)),
            MediaType::Json => Err(content_type(head)),
        },
        (Kind::EndOfSession, 200..=299) => ready(Response::empty(200), Outcome::Accepted),
        (_, 404) if asked.in_session => {
            ready(lost_session(asked.ids.map(|ids| ids.answered)), Outcome::Error(SESSION_CODE))
        }
        (Kind::Stream, 405) => {
            let text = "the server sends nothing of its own accord";
            ready(post::method_not_allowed(text, "POST, DELETE, OPTIONS"), Outcome::Accepted)
        }
        (Kind::EndOfSession, 405) => {
            let text = "clients cannot end sessions of this server";
            ready(post::method_not_allowed(text, "POST, GET, OPTIONS"), Outcome::Accepted)
        }
        (_, 400..=499) if media_type(head) == Ok(MediaType::Json) => Ok(Plan::Error),
        (_, status) => Err(Failure::Status(status)),
    }
}

/// The statuses that say something about the gateway or the upstream's state, and nothing about the message.
fn check_status(upstream: &Head) -> Result<(), Failure> {
    match upstream.status {
        status @ (401 | 403) => Err(Failure::Refused(status)),
        429 => Err(Failure::Busy(upstream.header("retry-after").and_then(|seconds| seconds.parse().ok()))),
        status @ 500.. => Err(Failure::Status(status)),
        _ => Ok(()),
    }
}

/// The era of an upstream that answers `server/discover` with this error, if it says so.
fn era_of_error(code: i64, status: u16) -> Option<Era> {
    let modern = [Reason::HeaderMismatch, Reason::MissingCapability, Reason::UnsupportedVersion];
    match () {
        () if modern.iter().any(|reason| i64::from(reason.code(Era::Modern)) == code) => Some(Era::Modern),
        // It may be an accident.
        () if status >= 500 => None,
        () => Some(Era::Legacy),
    }
}

fn media_type(upstream: &Head) -> Result<MediaType, Failure> {
    let value = upstream.header("content-type").unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default().trim();
    match name {
        _ if name.eq_ignore_ascii_case("application/json") => Ok(MediaType::Json),
        _ if name.eq_ignore_ascii_case("text/event-stream") => Ok(MediaType::EventStream),
        _ => Err(content_type(upstream)),
    }
}

fn content_type(upstream: &Head) -> Failure {
    Failure::ContentType(upstream.header("content-type").unwrap_or_default().to_owned())
}

/// Passes a body back unread. Of the upstream's headers nothing is left but the media type.
fn through(status: u16, media_type: MediaType, body: Body) -> Answered {
    let mut headers = Vec::with_capacity(6);
    let outcome = match media_type {
        MediaType::Json => {
            headers.push(("content-type", "application/json".into()));
            Outcome::Answered
        }
        MediaType::EventStream => {
            headers.push(("content-type", "text/event-stream".into()));
            headers.push(("cache-control", "no-cache, no-transform".into()));
            // For the proxies that would collect the events otherwise.
            headers.push(("x-accel-buffering", "no".into()));
            Outcome::Streaming
        }
    };
    headers.push(("x-content-type-options", "nosniff".into()));
    Answered::new(Response { status, headers, body }, outcome)
}
