//! The row of the key, in the object's SQL storage. There is no table before there is a key: who asks for one that was never
//! made leaves nothing behind.
//!
//! What a refresh writes at its end has effect only while the attempt is still its own.

use mcp_edge_runtime::sql::{Row, SqlError, SqlStorage, Statement};

use super::{
    message::{Description, State},
    record::Record,
};
use crate::{
    columns::{number, optional_number, optional_text, unless_no_table},
    lease::Attempt,
};

const TABLE: Statement = Statement::new(
    "CREATE TABLE IF NOT EXISTS key (id TEXT PRIMARY KEY, secret_hash BLOB NOT NULL, issuer TEXT NOT NULL, \
     subject TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, tools TEXT, created_at INTEGER NOT NULL, \
     expires_at INTEGER NOT NULL, rotated_from TEXT, last_used_day INTEGER, refreshed_at INTEGER NOT NULL, \
     state TEXT NOT NULL, since INTEGER NOT NULL, grant_id TEXT, why TEXT, refresh_sealed TEXT, grant_sealed TEXT, \
     token_sealed TEXT, token_until INTEGER NOT NULL, attempt_id TEXT, attempt_until INTEGER NOT NULL, \
     failed_until INTEGER NOT NULL, failure TEXT NOT NULL, reported_at INTEGER NOT NULL, \
     lacks_marker INTEGER NOT NULL, client_id TEXT NOT NULL) STRICT",
);

const SELECT: Statement = Statement::new(
    "SELECT id, secret_hash, issuer, subject, name, scopes, tools, created_at, expires_at, rotated_from, \
     last_used_day, refreshed_at, state, since, grant_id, why, refresh_sealed, grant_sealed, token_sealed, \
     token_until, attempt_id, attempt_until, failed_until, failure, reported_at, lacks_marker, \
     client_id FROM key",
);

/// What a refresh leaves.
pub struct Kept {
    /// The new refresh token under both keys; `None`: the provider does not rotate them.
    pub refresh_sealed: Option<(String, String)>,
    /// The access token, if it is to be kept, and until when.
    pub token: Option<(String, u64)>,
    /// When the provider gave them, in seconds since 1970.
    pub at: u64,
}

/// The row in an object's storage.
pub struct Rows<'a, S>(&'a S);

impl<'a, S: SqlStorage> Rows<'a, S> {
    /// Creates access to the row in a storage.
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// The key, if there is one.
    ///
    /// # Errors
    /// [`SqlError`]; so of all the others, which then had no effect.
    pub fn load(&self) -> Result<Option<Record>, SqlError> {
        match unless_no_table(self.0.execute(SELECT))? {
            Some(rows) => rows.first().map(read).transpose(),
            None => Ok(None),
        }
    }

    /// Writes a new key.
    #[allow(missing_docs, clippy::missing_errors_doc, reason = "see `load`")]
    pub fn insert(&self, record: &Record) -> Result<(), SqlError> {
        let key = &record.key;
        let insert = Statement::new(
            "INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, 'active', ?, ?, NULL, ?, ?, NULL, 0, NULL, \
             0, 0, '', 0, 0, ?)",
        )
        .bind(record.id.as_str())
        .bind(record.secret_hash.as_slice())
        .bind(key.issuer.as_str())
        .bind(key.subject.as_str())
        .bind(key.name.as_str())
        .bind(key.scopes.as_str())
        .bind(key.tools.as_ref().and_then(|tools| serde_json::to_string(tools).ok()))
        .bind(key.created_at)
        .bind(key.expires_at)
        .bind(key.rotated_from.as_deref())
        .bind(key.refreshed_at)
        .bind(key.since)
        .bind(key.grant_id.as_deref())
        .bind(record.refresh_sealed.as_deref())
        .bind(record.grant_sealed.as_deref())
        .bind(record.client_id.as_str());
        self.0.transaction(vec![TABLE, insert]).map(drop)
    }

    /// Begins an attempt in place of the one that has ended, if any.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn begin(&self, attempt: &Attempt) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE key SET attempt_id = ?, attempt_until = ? WHERE state = 'active'");
        self.change(update.bind(attempt.id.as_str()).bind(attempt.until))
    }

    /// Gives an attempt of a clock that was ahead another end.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn shorten(&self, until: u64) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET attempt_until = ?").bind(until))
    }

    /// Ends an attempt with what it has obtained, in one statement. `false`: it is no longer this one's, or the key is
    /// active no longer, and nothing is written.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn keep(&self, attempt: &Attempt, kept: Kept) -> Result<bool, SqlError> {
        let issued_at = kept.refresh_sealed.is_some().then_some(kept.at);
        let (refresh, grant) = kept.refresh_sealed.unzip();
        let (token, until) = kept.token.unzip();
        let update = Statement::new(
            "UPDATE key SET refresh_sealed = coalesce(?, refresh_sealed), grant_sealed = coalesce(?, grant_sealed), \
             token_sealed = ?, token_until = ?, refreshed_at = coalesce(?, refreshed_at), attempt_id = NULL, failed_until = 0, failure = '' \
             WHERE attempt_id = ? AND state = 'active' RETURNING 1",
        );
        let update = update.bind(refresh).bind(grant).bind(token).bind(until.unwrap_or_default()).bind(issued_at);
        self.has_changed(update.bind(attempt.id.as_str()))
    }

    /// Forgets the access token.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn forget_token(&self) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET token_sealed = NULL"))
    }

    /// Ends an attempt without an outcome.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn fail(&self, attempt: Option<&Attempt>, until: u64, failure: &str) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE key SET attempt_id = NULL, failed_until = ?, failure = ? WHERE attempt_id IS ? AND state = 'active'",
        );
        self.change(update.bind(until).bind(failure).bind(attempt.map(|attempt| attempt.id.as_str())))
    }

    /// Puts another refresh token in the place of the one that was sent, by an attempt that is not the present one, of a key
    /// that is active. Nothing is written if another one is there already.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn replace(&self, sent: &str, (refresh, grant): &(String, String), now: u64) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE key SET refresh_sealed = ?, grant_sealed = ?, refreshed_at = ? WHERE refresh_sealed = ? AND \
             state = 'active'",
        );
        self.change(update.bind(refresh.as_str()).bind(grant.as_str()).bind(now).bind(sent))
    }

    /// Ends an attempt whose refresh token was replaced meanwhile: what the provider said of it is of no account.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn abandon(&self, attempt: &Attempt) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE key SET attempt_id = NULL WHERE attempt_id = ? AND state = 'active'");
        self.change(update.bind(attempt.id.as_str()))
    }

    /// Ends an attempt, and with it the key, if the refresh token `sent` is the present one. `false` as in [`Rows::keep`].
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn end(&self, attempt: &Attempt, sent: &str, now: u64) -> Result<bool, SqlError> {
        let update = Statement::new(
            "UPDATE key SET state = 'ended', since = ?, why = 'provider', refresh_sealed = NULL, token_sealed = NULL, \
             attempt_id = NULL WHERE attempt_id = ? AND refresh_sealed = ? AND state = 'active' RETURNING 1",
        );
        self.has_changed(update.bind(now).bind(attempt.id.as_str()).bind(sent))
    }

    /// Revokes the key, whose marker is then to be written. An attempt in flight stays, so that what it obtains is
    /// recognized as its own.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn revoke(&self, by: &str, now: u64) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE key SET state = 'revoked', since = ?, why = ?, refresh_sealed = NULL, token_sealed = NULL, \
             lacks_marker = 1 WHERE state <> 'revoked'",
        );
        self.change(update.bind(now).bind(by))
    }

    /// The marker is written.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn marked(&self) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET lacks_marker = 0"))
    }

    /// A key was revoked during an attempt: this is the grant to revoke now. `false`: the earlier one was revoked already, and
    /// nothing is written.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn replace_grant(&self, grant_sealed: &str) -> Result<bool, SqlError> {
        let update = Statement::new(
            "UPDATE key SET grant_sealed = ?, attempt_id = NULL WHERE state <> 'active' AND grant_sealed IS NOT NULL \
             RETURNING 1",
        );
        self.has_changed(update.bind(grant_sealed))
    }

    /// Ends the attempt of a key that was revoked meanwhile; what it has obtained is still to be revoked if given.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn leave_grant(&self, grant_sealed: Option<&str>) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE key SET grant_sealed = coalesce(?, grant_sealed), attempt_id = NULL WHERE state <> 'active'",
        );
        self.change(update.bind(grant_sealed))
    }

    /// This grant was revoked.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn grant_ended(&self, grant_sealed: &str) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET grant_sealed = NULL WHERE grant_sealed = ?").bind(grant_sealed))
    }

    /// The key was used on this day, in days since 1970.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn used(&self, day: u64) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET last_used_day = ?").bind(day))
    }

    /// Its use was reported after its end.
    #[allow(clippy::missing_errors_doc, reason = "see `load`")]
    pub fn reported(&self, now: u64) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE key SET reported_at = ?").bind(now))
    }

    fn change(&self, statement: Statement) -> Result<(), SqlError> {
        self.0.execute(statement).map(drop)
    }

    fn has_changed(&self, statement: Statement) -> Result<bool, SqlError> {
        Ok(!self.0.execute(statement)?.is_empty())
    }
}

fn read(row: Row<'_>) -> Result<Record, SqlError> {
    let state = match row.text(12)? {
        "active" => State::Active,
        "ended" => State::Ended,
        _ => State::Revoked,
    };
    // A list that cannot be read allows nothing.
    let tools = optional_text(row, 6)?.map(|tools| serde_json::from_str(&tools).unwrap_or_default());
    let attempt_until = number(row, 21)?;
    let grant_sealed = optional_text(row, 17)?;
    Ok(Record {
        id: row.text(0)?.to_owned(),
        secret_hash: row.blob(1)?.to_vec(),
        key: Description {
            issuer: row.text(2)?.to_owned(),
            subject: row.text(3)?.to_owned(),
            name: row.text(4)?.to_owned(),
            scopes: row.text(5)?.to_owned(),
            tools,
            created_at: number(row, 7)?,
            expires_at: number(row, 8)?,
            rotated_from: optional_text(row, 9)?,
            last_used_day: optional_number(row, 10)?,
            refreshed_at: number(row, 11)?,
            state,
            since: number(row, 13)?,
            grant_is_pending: state != State::Active && grant_sealed.is_some(),
            grant_id: optional_text(row, 14)?,
        },
        client_id: row.text(26)?.to_owned(),
        why: optional_text(row, 15)?,
        refresh_sealed: optional_text(row, 16)?,
        grant_sealed,
        token_sealed: optional_text(row, 18)?,
        token_until: number(row, 19)?,
        attempt: optional_text(row, 20)?.map(|id| Attempt { id, until: attempt_until }),
        failed_until: number(row, 22)?,
        failure: row.text(23)?.to_owned(),
        reported_at: number(row, 24)?,
        lacks_marker: row.integer(25)? != 0,
    })
}
