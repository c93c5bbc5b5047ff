//! The audit log: a line for everything that happens to a key or to a connected account, and who did it. Never a secret or a
//! token.

use mcp_edge_runtime::{json::Object, ports::OperatorLog};

use crate::connection::caller::Agent;

/// An event of a key.
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

/// An event of a connected account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountEvent {
    /// A user has connected an account.
    Connected,
    /// A user has disconnected an account.
    Disconnected,
    /// The service has ended the grant behind an account.
    Ended,
    /// A tool was given a token.
    AccessGiven,
    /// A user has opened a link that is not theirs, or that has expired: the two look alike.
    LinkOfAnotherUser,
}

impl AccountEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::Connected => "account_connected",
            Self::Disconnected => "account_disconnected",
            Self::Ended => "account_ended",
            Self::AccessGiven => "access_given",
            Self::LinkOfAnotherUser => "link_of_another_user",
        }
    }
}

/// What happened to a connected account.
#[derive(Debug, Clone, Copy)]
pub struct AccountLine<'a> {
    /// What happened.
    pub event: AccountEvent,
    /// `sub` of the user.
    pub subject: &'a str,
    /// The name of the connection, if it is known.
    pub connection: Option<&'a str>,
    /// The agent that it was for, if there is one.
    pub agent: Option<&'a Agent>,
    /// The tool that it was for, or `gateway`.
    pub user_of_token: Option<&'a str>,
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

    /// Writes a line: what happened to which connected account of which user, and for which agent and tool: `client_id` of a
    /// client, `access_key` of a job with an access key, `credential` where the agent has no name.
    pub fn account(self, line: AccountLine<'_>) {
        let (member, name) = match line.agent {
            Some(Agent::Client(id)) => ("client_id", Some(id.as_str())),
            Some(Agent::AccessKey(id)) => ("access_key", Some(id.as_str())),
            Some(Agent::PersonalToken) => ("credential", Some("personal_token")),
            Some(Agent::Unnamed) => ("credential", Some("unnamed")),
            None => ("client_id", None),
        };
        let text = Object::new()
            .text("audit", line.event.name())
            .maybe_text("connection", line.connection)
            .maybe_text("sub", self.names_subjects.then_some(line.subject))
            .maybe_text(member, name)
            .maybe_text("tool", line.user_of_token);
        self.log.info(&text.close());
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[derive(Default)]
    struct Lines(RefCell<Vec<String>>);

    impl OperatorLog for Lines {
        fn info(&self, line: &str) {
            self.0.borrow_mut().push(line.to_owned());
        }

        fn error(&self, _: &str) {}
    }

    #[test]
    fn a_line_names_the_agent_in_a_member_of_its_own_and_the_user_only_if_the_operator_wants_that() {
        let lines = Lines::default();
        let line = |agent| AccountLine {
            event: AccountEvent::AccessGiven,
            subject: "alice",
            connection: Some("github"),
            agent,
            user_of_token: Some("list_issues"),
        };
        let key = Agent::AccessKey("k".to_owned());
        AuditLog::of(&lines, true).account(line(Some(&key)));
        AuditLog::of(&lines, false).account(line(Some(&Agent::PersonalToken)));
        AuditLog::of(&lines, false).account(line(None));
        assert_eq!(
            lines.0.into_inner(),
            [
                r#"{"audit":"access_given","connection":"github","sub":"alice","access_key":"k","tool":"list_issues"}"#,
                r#"{"audit":"access_given","connection":"github","credential":"personal_token","tool":"list_issues"}"#,
                r#"{"audit":"access_given","connection":"github","tool":"list_issues"}"#,
            ]
        );
    }
}
