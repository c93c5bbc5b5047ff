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
    http::Response,
    json::Object,
};

use crate::{
    failure::Failure,
    results::{self, ReadResult, RewriteContext, Rewritten, Unapproved},
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
    /// The id of a request, as JSON; none if no response was asked for.
    pub id: Option<&'a str>,
    /// Which result is read.
    pub read: Option<ReadResult>,
    /// Whether the request belonged to a session.
    pub in_session: bool,
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
}

/// What a response to `server/discover` says.
#[derive(Debug)]
pub enum Discovery {
    /// The upstream speaks the era without a handshake; this is for the client.
    Modern(Answered),
    /// It does not.
    Legacy,
    /// It failed in a way in which servers of the other era fail at what they do not know.
    Failed,
}

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

    const fn new(response: Response, outcome: Outcome) -> Self {
        Self { response, outcome, session: None, unapproved: Vec::new() }
    }

    fn rewritten(status: u16, Rewritten { response, unapproved, error_code }: Rewritten) -> Self {
        let outcome =
            error_code.map_or(Outcome::Answered, |code| Outcome::Error(i32::try_from(code).unwrap_or(i32::MIN)));
        Self { unapproved, ..Self::new(Response::json(status, response), outcome) }
    }

    fn lost_session(id: Option<&str>) -> Self {
        Self::new(lost_session(id), Outcome::Error(SESSION_CODE))
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
    /// Answers a posted message.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn message<B: UpstreamBody>(
        self,
        asked: Asked<'_>,
        upstream: UpstreamResponse<B>,
    ) -> Result<Answered, Failure> {
        check_status(&upstream)?;
        match (upstream.status, asked.id) {
            (200..=299, None) => Ok(Answered::accepted()),
            (200, Some(id)) => {
                let media_type = media_type(&upstream)?;
                let Some(read) = asked.read else { return Ok(through(upstream, media_type)) };
                let session = upstream.header("mcp-session-id").map(str::to_owned);
                let text = self.whole(upstream.body, RESULT_BYTES).await?;
                let rewritten = self.rewrite(read, media_type, &text, id)?;
                Ok(Answered { session, ..Answered::rewritten(200, rewritten) })
            }
            (404, id) if asked.in_session => Ok(Answered::lost_session(id)),
            _ => self.error(upstream, asked.id).await,
        }
    }

    /// Answers GET.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn stream<B: UpstreamBody>(
        self,
        upstream: UpstreamResponse<B>,
        in_session: bool,
    ) -> Result<Answered, Failure> {
        check_status(&upstream)?;
        match upstream.status {
            200 => match media_type(&upstream)? {
                MediaType::EventStream => Ok(through(upstream, MediaType::EventStream)),
                MediaType::Json => Err(content_type(&upstream)),
            },
            404 if in_session => Ok(Answered::lost_session(None)),
            405 => Ok(not_allowed("the server sends nothing of its own accord", "POST, DELETE, OPTIONS")),
            _ => self.error(upstream, None).await,
        }
    }

    /// Answers DELETE.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn end_of_session<B: UpstreamBody>(self, upstream: UpstreamResponse<B>) -> Result<Answered, Failure> {
        check_status(&upstream)?;
        match upstream.status {
            200..=299 => Ok(Answered::new(Response::empty(200), Outcome::Accepted)),
            404 => Ok(Answered::lost_session(None)),
            405 => Ok(not_allowed("clients cannot end sessions of this server", "POST, GET, OPTIONS")),
            _ => self.error(upstream, None).await,
        }
    }

    /// Finds out what a response to the `server/discover` with this id says.
    ///
    /// # Errors
    /// [`Failure`] if it says nothing about eras: the upstream refuses the gateway, or is down.
    pub async fn discovery<B: UpstreamBody>(
        self,
        id: &str,
        upstream: UpstreamResponse<B>,
    ) -> Result<Discovery, Failure> {
        let status = upstream.status;
        if matches!(status, 500 | 501) {
            return Ok(Discovery::Failed);
        }
        check_status(&upstream)?;
        let Ok(media_type) = media_type(&upstream) else { return Ok(Discovery::Legacy) };
        let text = self.whole(upstream.body, RESULT_BYTES).await?;
        match self.rewrite(ReadResult::Discover, media_type, &text, id) {
            Ok(rewritten) if rewritten.error_code.is_none_or(is_modern) => {
                Ok(Discovery::Modern(Answered::rewritten(status, rewritten)))
            }
            _ => Ok(Discovery::Legacy),
        }
    }

    /// An error of JSON-RPC with a status of its own; everything else with such a status is a failure.
    async fn error<B: UpstreamBody>(
        self,
        upstream: UpstreamResponse<B>,
        id: Option<&str>,
    ) -> Result<Answered, Failure> {
        let status = upstream.status;
        if !(400..=499).contains(&status) || media_type(&upstream) != Ok(MediaType::Json) {
            return Err(Failure::Status(status));
        }
        let text = self.whole(upstream.body, ERROR_BYTES).await?;
        let rewritten = results::rewrite_error(&text, id).map_err(|_| Failure::Status(status))?;
        Ok(Answered::rewritten(status, rewritten))
    }

    async fn whole<B: UpstreamBody>(self, body: B, limit: usize) -> Result<String, Failure> {
        body.text(limit, self.patience).await.map_err(Failure::Body)
    }

    fn rewrite(self, read: ReadResult, media_type: MediaType, text: &str, id: &str) -> Result<Rewritten, Failure> {
        let found;
        let response = match media_type {
            MediaType::Json => text,
            MediaType::EventStream => {
                found = results::response_in(text, id);
                found.as_deref().ok_or(Failure::NoResponse)?
            }
        };
        results::rewrite(read, response, id, &self.rewriting).map_err(Failure::Unreadable)
    }
}

/// The statuses that say something about the gateway or the upstream's state, and nothing about the message.
fn check_status<B: UpstreamBody>(upstream: &UpstreamResponse<B>) -> Result<(), Failure> {
    match upstream.status {
        status @ (401 | 403) => Err(Failure::Refused(status)),
        429 => Err(Failure::Busy(upstream.header("retry-after").and_then(|seconds| seconds.parse().ok()))),
        status @ 500.. => Err(Failure::Status(status)),
        _ => Ok(()),
    }
}

/// Whether an error could only come from a server of the era without a handshake.
fn is_modern(code: i64) -> bool {
    [Reason::HeaderMismatch, Reason::MissingCapability, Reason::UnsupportedVersion]
        .iter()
        .any(|reason| i64::from(reason.code(Era::Modern)) == code)
}

fn media_type<B: UpstreamBody>(upstream: &UpstreamResponse<B>) -> Result<MediaType, Failure> {
    let value = upstream.header("content-type").unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default().trim();
    match name {
        _ if name.eq_ignore_ascii_case("application/json") => Ok(MediaType::Json),
        _ if name.eq_ignore_ascii_case("text/event-stream") => Ok(MediaType::EventStream),
        _ => Err(content_type(upstream)),
    }
}

fn content_type<B: UpstreamBody>(upstream: &UpstreamResponse<B>) -> Failure {
    Failure::ContentType(upstream.header("content-type").unwrap_or_default().to_owned())
}

/// Passes a body back unread. Of the upstream's headers nothing is left but the media type.
fn through<B: UpstreamBody>(upstream: UpstreamResponse<B>, media_type: MediaType) -> Answered {
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
    Answered::new(Response { status: upstream.status, headers, body: upstream.body.into_body() }, outcome)
}

fn not_allowed(text: &'static str, allowed: &'static str) -> Answered {
    Answered::new(post::method_not_allowed(text, allowed), Outcome::Accepted)
}
