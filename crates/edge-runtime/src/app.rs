//! A Worker's application: what the Worker shell hands events to.

use crate::{
    context::RequestContext,
    http::{HeaderNames, RequestBody, RequestHead, Response},
    log::{LogRecord, LogSettings},
};

/// A response, and what the log says of the request.
#[derive(Debug)]
pub struct Handled {
    /// What the client gets.
    pub response: Response,
    /// What the operator gets.
    pub record: LogRecord,
}

/// An application. It is created once per isolate, from the Worker's bindings, and lives as long as the isolate: settings
/// cannot change while an isolate lives.
pub trait App: 'static {
    /// Whether a request that has begun is carried through to its end when its client disconnects.
    const CONTINUES_AFTER_DISCONNECT: bool = false;

    /// The request headers that are read, beside `authorization`.
    fn header_names(&self) -> HeaderNames;

    /// What is logged.
    fn log_settings(&self) -> LogSettings;

    /// Answers a request.
    #[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, context: &RequestContext) -> Handled;

    /// The response to every request while the settings are wrong.
    fn misconfigured(head: &RequestHead<'_>) -> Response;
}

/// Work that a Worker does on a schedule.
pub trait Scheduled: App {
    /// Runs at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Why it could not be done; the platform counts a failed event. Both lines go to the log, as they are.
    #[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
    async fn scheduled(&self, now: u64) -> Result<String, String>;

    /// The line for the log while the settings are wrong; `errors` says what is wrong with them. Such a run is a failed
    /// event.
    fn misconfigured_run(errors: &str) -> String;
}
