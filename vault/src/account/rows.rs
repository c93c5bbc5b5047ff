//! The list of keys and the used authorizations, in the object's SQL storage. There are no tables before the first
//! reservation.

use mcp_edge_runtime::sql::{Row, SqlError, SqlStorage, Statement};

use crate::columns::{number, optional_number, optional_text, unless_no_table};

const TABLES: [Statement; 3] = [
    Statement::new(
        "CREATE TABLE IF NOT EXISTS entry (id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL, \
         expires_at INTEGER NOT NULL, state TEXT NOT NULL, grant_id TEXT, gone_at INTEGER, is_pending INTEGER NOT NULL, \
         tries INTEGER NOT NULL, next_try INTEGER NOT NULL, ending_until INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS used_authorization (authorization TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT",
    ),
    // Strangers can begin sign-ins: forgetting those that are over must not read the others.
    Statement::new("CREATE INDEX IF NOT EXISTS used_until ON used_authorization (until)"),
];

/// How many entries there can be at most: far beyond what a user can make in 30 days by hand.
const MAX_ENTRIES: u32 = 2_000;

/// A key in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The name that its user gave it.
    pub name: String,
    /// When it was reserved, in seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// What the list knows of it.
    pub state: State,
    /// What the provider calls its grant, if known.
    pub grant_id: Option<String>,
    /// When it ended, in seconds since 1970.
    pub gone_at: Option<u64>,
    /// Whether its grant is to be revoked at the provider.
    pub is_pending: bool,
    /// How often that has failed.
    pub tries: u64,
    /// When it is to be tried again, in seconds since 1970.
    pub next_try: u64,
    /// Until when its revocation may be under way, in seconds since 1970.
    pub ending_until: u64,
}

/// What the list knows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is about to be made.
    Reserved,
    /// It was made.
    Active,
    /// It works no longer.
    Gone,
}

/// The tables in an object's storage. Of every method: [`SqlError`] if it had no effect.
#[allow(clippy::missing_errors_doc, reason = "see above")]
pub struct Rows<'a, S>(&'a S);

#[allow(clippy::missing_errors_doc, reason = "see above")]
impl<'a, S: SqlStorage> Rows<'a, S> {
    /// Creates access to the tables in a storage.
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// All entries: those that may work first, and the newest of each first. However many are gone, none that works is cut off.
    pub fn entries(&self) -> Result<Vec<Entry>, SqlError> {
        let select = Statement::new(
            "SELECT id, name, created_at, expires_at, state, grant_id, gone_at, is_pending, tries, next_try, \
             ending_until FROM entry ORDER BY state = 'gone', created_at DESC, rowid DESC LIMIT ?",
        );
        match unless_no_table(self.0.execute(select.bind(MAX_ENTRIES)))? {
            Some(rows) => rows.iter().map(read).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// Whether an authorization was used.
    pub fn is_used(&self, authorization: &str) -> Result<bool, SqlError> {
        let select = Statement::new("SELECT 1 FROM used_authorization WHERE authorization = ?").bind(authorization);
        Ok(unless_no_table(self.0.execute(select))?.is_some_and(|rows| !rows.is_empty()))
    }

    /// Reserves an entry and uses an authorization, both or neither. Used authorizations whose time is over are forgotten.
    pub fn reserve(&self, entry: &Entry, authorization: &str, until: u64, now: u64) -> Result<(), SqlError> {
        let mut statements = Vec::from(TABLES);
        statements.push(Statement::new("DELETE FROM used_authorization WHERE until <= ?").bind(now));
        statements.push(Statement::new("INSERT INTO used_authorization VALUES (?, ?)").bind(authorization).bind(until));
        statements.push(
            Statement::new("INSERT INTO entry VALUES (?, ?, ?, ?, 'reserved', NULL, NULL, 0, 0, 0, 0)")
                .bind(entry.id.as_str())
                .bind(entry.name.as_str())
                .bind(entry.created_at)
                .bind(entry.expires_at),
        );
        self.0.transaction(statements).map(drop)
    }

    /// Uses an authorization; `false`: it was used already. Those whose time is over are forgotten.
    pub fn use_once(&self, authorization: &str, until: u64, now: u64) -> Result<bool, SqlError> {
        let mut statements = Vec::from(TABLES);
        statements.push(Statement::new("DELETE FROM used_authorization WHERE until <= ?").bind(now));
        statements.push(
            Statement::new("INSERT INTO used_authorization VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1")
                .bind(authorization)
                .bind(until),
        );
        Ok(self.0.transaction(statements)?.last().is_some_and(|inserted| !inserted.is_empty()))
    }

    /// The key was made.
    pub fn confirm(&self, id: &str, grant_id: Option<&str>) -> Result<(), SqlError> {
        self.change(
            Statement::new("UPDATE entry SET state = 'active', grant_id = ? WHERE id = ? AND state = 'reserved'")
                .bind(grant_id)
                .bind(id),
        )
    }

    /// The key was not made.
    pub fn release(&self, id: &str) -> Result<(), SqlError> {
        self.change(Statement::new("DELETE FROM entry WHERE id = ? AND state = 'reserved'").bind(id))
    }

    /// The key works no longer since `at`, and its grant is to be revoked. One that is gone already stays as it is.
    pub fn gone(&self, id: &str, at: u64) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE entry SET state = 'gone', gone_at = ?, is_pending = 1, tries = 0, next_try = 0 WHERE id = ? AND \
             state <> 'gone'",
        );
        self.change(update.bind(at).bind(id))
    }

    /// The key works after all, until `expires_at`.
    pub fn works(&self, id: &str, expires_at: u64) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE entry SET state = 'active', gone_at = NULL, is_pending = 0, ending_until = 0, expires_at = ? \
             WHERE id = ?",
        );
        self.change(update.bind(expires_at).bind(id))
    }

    /// The grant is being revoked, until then at most.
    pub fn ending(&self, id: &str, until: u64) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE entry SET ending_until = ? WHERE id = ?").bind(until).bind(id))
    }

    /// The grant was revoked.
    pub fn grant_ended(&self, id: &str) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE entry SET is_pending = 0, ending_until = 0 WHERE id = ?").bind(id))
    }

    /// The grant could not be revoked, and is to be tried again then.
    pub fn try_again(&self, id: &str, at: u64) -> Result<(), SqlError> {
        self.change(Statement::new("UPDATE entry SET tries = tries + 1, next_try = ? WHERE id = ?").bind(at).bind(id))
    }

    /// Forgets an entry.
    pub fn forget(&self, id: &str) -> Result<(), SqlError> {
        self.change(Statement::new("DELETE FROM entry WHERE id = ?").bind(id))
    }

    fn change(&self, statement: Statement) -> Result<(), SqlError> {
        unless_no_table(self.0.execute(statement)).map(drop)
    }
}

fn read(row: Row<'_>) -> Result<Entry, SqlError> {
    Ok(Entry {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        created_at: number(row, 2)?,
        expires_at: number(row, 3)?,
        state: match row.text(4)? {
            "reserved" => State::Reserved,
            "active" => State::Active,
            _ => State::Gone,
        },
        grant_id: optional_text(row, 5)?,
        gone_at: optional_number(row, 6)?,
        is_pending: row.integer(7)? != 0,
        tries: number(row, 8)?,
        next_try: number(row, 9)?,
        ending_until: number(row, 10)?,
    })
}
