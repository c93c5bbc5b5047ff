//! The table of what is left to be revoked.

use mcp_edge_runtime::sql::{Row, Rows, SqlError, SqlStorage, Statement};

use super::{message::Revocation, record::Departure, rows};
use crate::{
    columns::{number, optional_text, unless_no_table},
    service::Provenance,
};

/// What [`read`] reads, of the rows that are named.
macro_rules! select {
    ($rows:literal) => {
        concat!(
            "SELECT id, connection, name, client_id, refresh_sealed, access_sealed, since, state, tries, next_try, \
             is_refresh_revoked, issuer, service, service_account FROM departure ",
            $rows
        )
    };
}

/// Departures in an object's storage. Of every method: [`SqlError`] if it had no effect.
#[allow(clippy::missing_errors_doc, reason = "see above")]
pub struct Departures<'a, S>(&'a S);

#[allow(clippy::missing_errors_doc, reason = "see above")]
impl<'a, S: SqlStorage> Departures<'a, S> {
    /// Creates access to the table in a storage.
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// All departures, the newest first.
    pub fn all(&self) -> Result<Vec<Departure>, SqlError> {
        match unless_no_table(self.0.execute(Statement::new(select!("ORDER BY rowid DESC"))))? {
            Some(rows) => rows.iter().map(read).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Result<Option<Departure>, SqlError> {
        let rows = unless_no_table(self.0.execute(Statement::new(select!("WHERE id = ?")).bind(id)))?;
        rows.as_ref().and_then(Rows::first).map(read).transpose()
    }

    /// The refresh token was revoked.
    pub fn refresh_revoked(&self, id: &str) -> Result<(), SqlError> {
        self.change(
            Statement::new("UPDATE departure SET refresh_sealed = NULL, is_refresh_revoked = 1 WHERE id = ?").bind(id),
        )
    }

    /// It is done with, in one way or another: the tokens are forgotten.
    pub fn end(&self, id: &str, state: Revocation, now: u64) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE departure SET state = ?, refresh_sealed = NULL, access_sealed = NULL, since = ? WHERE id = ?",
        );
        self.change(update.bind(text_of(state)).bind(now).bind(id))
    }

    /// It could not be revoked, and is to be tried again then.
    pub fn try_again(&self, id: &str, at: u64) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE departure SET tries = tries + 1, next_try = ? WHERE id = ?");
        self.change(update.bind(at).bind(id))
    }

    /// Forgets it.
    pub fn forget(&self, id: &str) -> Result<(), SqlError> {
        self.change(Statement::new("DELETE FROM departure WHERE id = ?").bind(id))
    }

    fn change(&self, statement: Statement) -> Result<(), SqlError> {
        unless_no_table(self.0.execute(statement)).map(drop)
    }
}

/// Writes a departure.
#[must_use]
pub fn put(departure: &Departure) -> Statement {
    // With the names of the columns, so that an earlier version can write into tables that a later one has extended.
    let insert = "INSERT OR REPLACE INTO departure (id, connection, name, client_id, issuer, service, refresh_sealed, access_sealed, \
                  since, state, tries, next_try, is_refresh_revoked, service_account) \
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    Statement::new(insert)
        .bind(departure.id.as_str())
        .bind(departure.connection.as_str())
        .bind(departure.name.as_str())
        .bind(departure.client_id.as_str())
        .bind(departure.from.issuer.as_str())
        .bind(departure.from.service.as_str())
        .bind(departure.refresh_sealed.as_deref())
        .bind(departure.access_sealed.as_deref())
        .bind(departure.since)
        .bind(text_of(departure.state))
        .bind(departure.tries)
        .bind(departure.next_try)
        .bind(u64::from(departure.is_refresh_revoked))
        .bind(rows::text_of(departure.account.as_ref()))
}

const fn text_of(state: Revocation) -> &'static str {
    match state {
        Revocation::Revoked => "revoked",
        Revocation::NotOffered => "not_offered",
        Revocation::Pending => "pending",
    }
}

fn read(row: Row<'_>) -> Result<Departure, SqlError> {
    Ok(Departure {
        id: row.text(0)?.to_owned(),
        connection: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        account: rows::account_id(row, 13)?,
        client_id: row.text(3)?.to_owned(),
        from: Provenance { issuer: row.text(11)?.to_owned(), service: row.text(12)?.to_owned() },
        refresh_sealed: optional_text(row, 4)?,
        access_sealed: optional_text(row, 5)?,
        since: number(row, 6)?,
        state: match row.text(7)? {
            "revoked" => Revocation::Revoked,
            "not_offered" => Revocation::NotOffered,
            _ => Revocation::Pending,
        },
        tries: number(row, 8)?,
        next_try: number(row, 9)?,
        is_refresh_revoked: number(row, 10)? != 0,
    })
}
