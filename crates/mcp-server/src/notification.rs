//! Messages that a handler sends while it works: progress and log lines (MCP 2026-07-28, basic/utilities/progress and
//! server/utilities/logging).
//!
//! They wait in an [`Outbox`] for the stream that carries the answer. A handler that sends one gives way until the
//! stream has taken it, so that the outbox holds one message per branch of the handler, however fast it talks.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::Poll,
};

use mcp_edge_protocol::jsonrpc::notification;
use mcp_edge_runtime::json::{Object, to_json};

/// How grave a log line is, from RFC 5424.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggingLevel {
    /// For debugging.
    Debug,
    /// What happens.
    Info,
    /// Normal, but worth noticing.
    Notice,
    /// May go wrong.
    Warning,
    /// Went wrong.
    Error,
    /// A part of the system fails.
    Critical,
    /// Somebody must act now.
    Alert,
    /// The system is unusable.
    Emergency,
}

impl LoggingLevel {
    /// What clients with a handshake get: a stateless server cannot remember the level that they have set.
    pub(crate) const LEGACY: Self = Self::Info;

    const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// Messages on their way to the client.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: RefCell<Vec<String>>,
    /// Nobody will take them: the answer is one JSON document.
    closed: Cell<bool>,
}

impl Outbox {
    /// Drops what waits and what comes later.
    pub fn close(&self) {
        self.closed.set(true);
        self.waiting.take();
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Takes all that waits.
    pub fn take(&self) -> Vec<String> {
        self.waiting.take()
    }

    /// Puts a message in and gives way once, so that the stream can take it.
    pub async fn send(&self, message: String) {
        if self.closed.get() {
            return;
        }
        self.waiting.borrow_mut().push(message);
        let mut yielded = false;
        poll_fn(|context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// `notifications/progress`. `token` is JSON.
pub(crate) fn progress(token: &str, progress: f64, total: Option<f64>, message: Option<&str>) -> String {
    let total = total.filter(|total| total.is_finite()).map(|total| to_json(&total));
    let params = Object::new()
        .raw("progressToken", token)
        .raw("progress", &to_json(&progress))
        .maybe_raw("total", total.as_deref())
        .maybe_text("message", message);
    notification("notifications/progress", &params)
}

/// `notifications/message`. `data` is JSON.
pub(crate) fn message(level: LoggingLevel, data: &str) -> String {
    notification("notifications/message", &Object::new().text("level", level.as_str()).raw("data", data))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_by_gravity() {
        assert!(LoggingLevel::Debug < LoggingLevel::Info && LoggingLevel::Alert < LoggingLevel::Emergency);
        assert!(LoggingLevel::ALL.is_sorted());
        assert_eq!(LoggingLevel::parse("warning"), Some(LoggingLevel::Warning));
        assert_eq!(LoggingLevel::parse("Warning"), None);
    }

    #[test]
    fn progress_repeats_the_token_as_it_came() {
        assert_eq!(
            progress("7", 0.5, Some(1.0), Some("half")),
            concat!(
                r#"{"jsonrpc":"2.0","method":"notifications/progress","#,
                r#""params":{"progressToken":7,"progress":0.5,"total":1.0,"message":"half"}}"#
            )
        );
    }
}
