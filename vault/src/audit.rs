//! The audit log: a line for everything that happens to a key, with its id and who did it. Never a secret or a token.

use mcp_edge_runtime::{json::Object, ports::OperatorLog};

/// An event of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A key was made.
    KeyCreated,
    /// A key was made in place of another one.
    KeyRotated,
    /// A key was revoked.
    KeyRevoked,
    /// The provider has ended the grant of a key.
    KeyEnded,
    /// A key that works no longer was used, by somebody who has its secret. At most one line for each key and minute.
    RevokedKeyUsed,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::KeyCreated => "key_created",
            Self::KeyRotated => "key_rotated",
            Self::KeyRevoked => "key_revoked",
            Self::KeyEnded => "key_ended",
            Self::RevokedKeyUsed => "revoked_key_used",
        }
    }
}

/// Where lines of the audit log go.
#[derive(Clone, Copy)]
pub struct AuditLog<'a> {
    log: &'a dyn OperatorLog,
    names_subjects: bool,
}

impl<'a> AuditLog<'a> {
    /// Creates an audit log that is a part of the operator's. `names_subjects` is `LOG_SUBJECT`.
    #[must_use]
    pub fn of(log: &'a impl OperatorLog, names_subjects: bool) -> Self {
        Self { log, names_subjects }
    }

    /// Writes a line: what happened to which key of which user (`sub`), and who did it: `user`, `rotation`,
    /// `administrator`, `holder`, `provider`. A rotation names the key that was replaced.
    pub fn record(self, event: Event, id: &str, subject: &str, by: &str, rotated_from: Option<&str>) {
        let line = Object::new()
            .text("audit", event.name())
            .text("key", id)
            .maybe_text("sub", self.names_subjects.then_some(subject))
            .text("by", by)
            .maybe_text("rotated_from", rotated_from);
        self.log.info(&line.close());
    }
}
