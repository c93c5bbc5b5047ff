//! The tables of the object. There are none before the first link, and the first account that is held.
//!
//! What a refresh writes at its end has effect only while the attempt is still its own, and the account still the one that it
//! was begun for.

use mcp_edge_runtime::sql::{self, Row, SqlError, SqlStorage, Statement};

use super::record::{AccessToken, Account, Hold, Tokens};
use crate::{
    columns::{number, optional_number, optional_text, unless_no_table},
    lease::Attempt,
    owner::Owner,
    service::{Provenance, account::AccountId},
};

const TABLES: [Statement; 7] = [
    Statement::new("CREATE TABLE IF NOT EXISTS owner (issuer TEXT NOT NULL, subject TEXT NOT NULL) STRICT"),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS account (connection TEXT PRIMARY KEY, hold TEXT NOT NULL, name TEXT NOT NULL, \
         client_id TEXT NOT NULL, issuer TEXT NOT NULL, service TEXT NOT NULL, scopes TEXT NOT NULL, access_sealed TEXT, access_seconds INTEGER, \
         access_until INTEGER NOT NULL, refresh_sealed TEXT, connected_at INTEGER NOT NULL, ended_at INTEGER, \
         attempt_id TEXT, attempt_until INTEGER NOT NULL, failed_until INTEGER NOT NULL, failure TEXT NOT NULL, \
         service_account TEXT) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS hold (connection TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, \
         client_id TEXT NOT NULL, issuer TEXT NOT NULL, service TEXT NOT NULL, scopes TEXT NOT NULL, access_sealed TEXT, access_seconds INTEGER, \
         access_until INTEGER NOT NULL, refresh_sealed TEXT, held_at INTEGER NOT NULL, until INTEGER NOT NULL, \
         service_account TEXT) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS used_authorization (authorization TEXT PRIMARY KEY, hold TEXT NOT NULL, \
         until INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS departure (id TEXT PRIMARY KEY, connection TEXT NOT NULL, name TEXT NOT NULL, \
         client_id TEXT NOT NULL, issuer TEXT NOT NULL, service TEXT NOT NULL, refresh_sealed TEXT, access_sealed TEXT, \
         since INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, next_try INTEGER NOT NULL, \
         is_refresh_revoked INTEGER NOT NULL, service_account TEXT) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS link (id TEXT PRIMARY KEY, connection TEXT NOT NULL, scopes TEXT NOT NULL, \
         agent TEXT NOT NULL, user_of_token TEXT NOT NULL, until INTEGER NOT NULL, is_spent INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS account_use (connection TEXT NOT NULL, agent TEXT NOT NULL, \
         user_of_token TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (connection, agent, user_of_token)) STRICT",
    ),
];

/// What tables lack that were created before accounts had ids.
const SERVICE_ACCOUNT: [Statement; 3] = [
    Statement::new("ALTER TABLE account ADD COLUMN service_account TEXT"),
    Statement::new("ALTER TABLE hold ADD COLUMN service_account TEXT"),
    Statement::new("ALTER TABLE departure ADD COLUMN service_account TEXT"),
];

/// What [`read_account`] reads, of the rows that are named.
macro_rules! select_accounts {
    ($rows:literal) => {
        concat!(
            "SELECT name, client_id, scopes, access_sealed, access_seconds, access_until, refresh_sealed, connection, \
             hold, connected_at, ended_at, attempt_id, attempt_until, failed_until, failure, issuer, service, \
             service_account FROM account ",
            $rows
        )
    };
}

/// What [`read_hold`] reads, in the same way.
macro_rules! select_holds {
    ($rows:literal) => {
        concat!(
            "SELECT name, client_id, scopes, access_sealed, access_seconds, access_until, refresh_sealed, connection, id, \
             held_at, until, issuer, service, service_account FROM hold ",
            $rows
        )
    };
}

/// The tables, and whose they are: what a transaction begins with that writes the first row.
#[must_use]
pub fn tables(owner: &Owner) -> Vec<Statement> {
    let mut statements = Vec::from(TABLES);
    statements.push(
        Statement::new("INSERT INTO owner SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM owner)")
            .bind(owner.issuer.as_str())
            .bind(owner.subject.as_str()),
    );
    statements
}

/// Accounts and holds in an object's storage. Of every method: [`SqlError`] if it had no effect.
#[allow(clippy::missing_errors_doc, reason = "see above")]
pub struct Rows<'a, S>(&'a S);

#[allow(clippy::missing_errors_doc, reason = "see above")]
impl<'a, S: SqlStorage> Rows<'a, S> {
    /// Creates access to the tables in a storage.
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// Gives the tables of an earlier version their new columns. They were all created at once, and get them at once: nothing is to be
    /// done if one has them, or there are none.
    pub fn migrate(&self) -> Result<(), SqlError> {
        match self.0.execute(Statement::new("SELECT service_account FROM account LIMIT 0")) {
            Err(SqlError::Statement(message)) if message.contains("no such column") => {
                self.0.transaction(Vec::from(SERVICE_ACCOUNT)).map(drop)
            }
            found => unless_no_table(found).map(drop),
        }
    }

    /// Whose accounts they are; `None`: there have never been any.
    pub fn owner(&self) -> Result<Option<Owner>, SqlError> {
        let rows = unless_no_table(self.0.execute(Statement::new("SELECT issuer, subject FROM owner")))?;
        let read = |row: Row<'_>| -> Result<Owner, SqlError> {
            Ok(Owner { issuer: row.text(0)?.to_owned(), subject: row.text(1)?.to_owned() })
        };
        rows.as_ref().and_then(sql::Rows::first).map(read).transpose()
    }

    /// All accounts, by the names of their connections.
    pub fn accounts(&self) -> Result<Vec<Account>, SqlError> {
        match unless_no_table(self.0.execute(Statement::new(select_accounts!("ORDER BY connection"))))? {
            Some(rows) => rows.iter().map(read_account).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// The account of a connection.
    pub fn account(&self, connection: &str) -> Result<Option<Account>, SqlError> {
        let select = Statement::new(select_accounts!("WHERE connection = ?")).bind(connection);
        let rows = unless_no_table(self.0.execute(select))?;
        rows.as_ref().and_then(sql::Rows::first).map(read_account).transpose()
    }

    /// All holds.
    pub fn holds(&self) -> Result<Vec<Hold>, SqlError> {
        match unless_no_table(self.0.execute(Statement::new(select_holds!(""))))? {
            Some(rows) => rows.iter().map(read_hold).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// The hold of a connection.
    pub fn hold(&self, connection: &str) -> Result<Option<Hold>, SqlError> {
        let select = Statement::new(select_holds!("WHERE connection = ?")).bind(connection);
        let rows = unless_no_table(self.0.execute(select))?;
        rows.as_ref().and_then(sql::Rows::first).map(read_hold).transpose()
    }

    /// The id of the hold that an authorization was used for.
    pub fn hold_of(&self, authorization: &str) -> Result<Option<String>, SqlError> {
        let select = Statement::new("SELECT hold FROM used_authorization WHERE authorization = ?").bind(authorization);
        let rows = unless_no_table(self.0.execute(select))?;
        rows.as_ref().and_then(sql::Rows::first).map(|row| row.text(0).map(str::to_owned)).transpose()
    }

    /// Executes statements in one transaction.
    pub fn write(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        self.0.transaction(statements).map(drop)
    }

    /// Begins an attempt in place of the one that has ended, if any.
    pub fn begin(&self, account: &Account, attempt: &Attempt) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE account SET attempt_id = ?, attempt_until = ? WHERE connection = ? AND hold = ? AND ended_at IS NULL",
        );
        self.change(of(update.bind(attempt.id.as_str()).bind(attempt.until), account))
    }

    /// Gives an attempt of a clock that was ahead another end.
    pub fn shorten(&self, account: &Account, until: u64) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE account SET attempt_until = ? WHERE connection = ? AND hold = ?");
        self.change(of(update.bind(until), account))
    }

    /// Ends an attempt with what it has obtained, in one statement; a refresh token that is `None` was not replaced. `false`: the
    /// attempt is no longer this one's, or the account is there no more, and nothing is written.
    pub fn keep(
        &self,
        account: &Account,
        attempt: &Attempt,
        access: Option<AccessToken>,
        refresh_sealed: Option<&str>,
        scopes: &str,
    ) -> Result<bool, SqlError> {
        let update = Statement::new(
            "UPDATE account SET access_sealed = ?, access_seconds = ?, access_until = ?, \
             refresh_sealed = coalesce(?, refresh_sealed), scopes = ?, attempt_id = NULL, failed_until = 0, failure = '' \
             WHERE connection = ? AND hold = ? AND attempt_id = ? AND ended_at IS NULL RETURNING 1",
        );
        let update = of(bind_access(update, access).bind(refresh_sealed).bind(scopes), account);
        self.has_changed(update.bind(attempt.id.as_str()))
    }

    /// Ends an attempt without an outcome.
    pub fn fail(&self, account: &Account, attempt: &Attempt, until: u64, failure: &str) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE account SET attempt_id = NULL, failed_until = ?, failure = ? WHERE connection = ? AND hold = ? AND \
             attempt_id = ?",
        );
        self.change(of(update.bind(until).bind(failure), account).bind(attempt.id.as_str()))
    }

    /// Ends an attempt whose refresh token was replaced meanwhile: what the service said of it is of no account.
    pub fn abandon(&self, account: &Account, attempt: &Attempt) -> Result<(), SqlError> {
        let update =
            Statement::new("UPDATE account SET attempt_id = NULL WHERE connection = ? AND hold = ? AND attempt_id = ?");
        self.change(of(update, account).bind(attempt.id.as_str()))
    }

    /// Puts another refresh token in the place of the one that was sent, by an attempt that is not the present one. `false`: another
    /// one is there already, or the account is there no more, and nothing is written.
    pub fn replace(&self, account: &Account, sent: &str, refresh_sealed: &str) -> Result<bool, SqlError> {
        let update = Statement::new(
            "UPDATE account SET refresh_sealed = ? WHERE connection = ? AND hold = ? AND refresh_sealed = ? RETURNING 1",
        );
        self.has_changed(of(update.bind(refresh_sealed), account).bind(sent))
    }

    /// Ends an attempt, and with it the account, if the refresh token `sent` is the present one. `false` as in [`Rows::keep`].
    pub fn end_by_service(&self, account: &Account, attempt: &Attempt, sent: &str, now: u64) -> Result<bool, SqlError> {
        let update = Statement::new(
            "UPDATE account SET ended_at = ?, access_sealed = NULL, refresh_sealed = NULL, attempt_id = NULL \
             WHERE connection = ? AND hold = ? AND attempt_id = ? AND refresh_sealed = ? AND ended_at IS NULL RETURNING 1",
        );
        self.has_changed(of(update.bind(now), account).bind(attempt.id.as_str()).bind(sent))
    }

    /// Ends an account whose access token is not good any more, and that has no refresh token. `false`: it has other tokens by
    /// now.
    pub fn end(&self, account: &Account, now: u64) -> Result<bool, SqlError> {
        let sealed = account.tokens.access.as_ref().map(|access| access.sealed.as_str());
        let update = Statement::new(
            "UPDATE account SET ended_at = ?, access_sealed = NULL WHERE connection = ? AND hold = ? AND \
             access_sealed IS ? AND refresh_sealed IS NULL AND ended_at IS NULL RETURNING 1",
        );
        self.has_changed(of(update.bind(now), account).bind(sealed))
    }

    /// Forgets the access token, unless there is another one by now.
    pub fn forget_access(&self, account: &Account, sealed: &str) -> Result<(), SqlError> {
        let update = Statement::new(
            "UPDATE account SET access_sealed = NULL WHERE connection = ? AND hold = ? AND access_sealed = ?",
        );
        self.change(of(update, account).bind(sealed))
    }

    /// Puts tokens that were sealed anew in the place of those of `account`, unless there are others by now.
    pub fn reseal(&self, account: &Account, access: &str, refresh: Option<&str>) -> Result<(), SqlError> {
        let old = account.tokens.access.as_ref().map(|access| access.sealed.as_str());
        let update = Statement::new(
            "UPDATE account SET access_sealed = ?, refresh_sealed = ? WHERE connection = ? AND hold = ? AND \
             access_sealed IS ? AND refresh_sealed IS ?",
        );
        let update = of(update.bind(access).bind(refresh), account);
        self.change(update.bind(old).bind(account.tokens.refresh_sealed.as_deref()))
    }

    fn change(&self, statement: Statement) -> Result<(), SqlError> {
        unless_no_table(self.0.execute(statement)).map(drop)
    }

    fn has_changed(&self, statement: Statement) -> Result<bool, SqlError> {
        Ok(unless_no_table(self.0.execute(statement))?.is_some_and(|rows| !rows.is_empty()))
    }
}

/// Uses an authorization for a hold, and forgets those whose time is over.
#[must_use]
pub fn use_authorization(authorization: &str, hold: &str, until: u64, now: u64) -> [Statement; 2] {
    [
        Statement::new("DELETE FROM used_authorization WHERE until <= ?").bind(now),
        Statement::new("INSERT INTO used_authorization VALUES (?, ?, ?)").bind(authorization).bind(hold).bind(until),
    ]
}

/// Writes a hold in the place of another one of its connection.
#[must_use]
pub fn put_hold(hold: &Hold) -> Statement {
    // With the names of the columns, so that an earlier version can write into tables that a later one has extended.
    let insert = Statement::new(
        "INSERT OR REPLACE INTO hold (connection, id, name, client_id, issuer, service, scopes, access_sealed, access_seconds, \
         access_until, refresh_sealed, held_at, until, service_account) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let insert = bind_tokens(insert.bind(hold.connection.as_str()).bind(hold.id.as_str()), &hold.tokens);
    insert.bind(hold.held_at).bind(hold.until).bind(text_of(hold.tokens.account.as_ref()))
}

/// Writes an account in the place of another one of its connection.
#[must_use]
pub fn put_account(account: &Account) -> Statement {
    let insert = Statement::new(
        "INSERT OR REPLACE INTO account (connection, hold, name, client_id, issuer, service, scopes, access_sealed, access_seconds, \
         access_until, refresh_sealed, connected_at, attempt_until, failed_until, failure, service_account) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', ?)",
    );
    let insert = bind_tokens(insert.bind(account.connection.as_str()).bind(account.hold.as_str()), &account.tokens);
    insert.bind(account.connected_at).bind(text_of(account.tokens.account.as_ref()))
}

/// Forgets a hold.
#[must_use]
pub fn delete_hold(hold: &Hold) -> Statement {
    Statement::new("DELETE FROM hold WHERE connection = ? AND id = ?")
        .bind(hold.connection.as_str())
        .bind(hold.id.as_str())
}

/// Forgets an account.
#[must_use]
pub fn delete_account(account: &Account) -> Statement {
    of(Statement::new("DELETE FROM account WHERE connection = ? AND hold = ?"), account)
}

fn of(statement: Statement, account: &Account) -> Statement {
    statement.bind(account.connection.as_str()).bind(account.hold.as_str())
}

fn bind_tokens(statement: Statement, tokens: &Tokens) -> Statement {
    let statement = statement.bind(tokens.name.as_str()).bind(tokens.client_id.as_str());
    let statement = statement.bind(tokens.from.issuer.as_str()).bind(tokens.from.service.as_str());
    let statement = statement.bind(tokens.scopes.as_str());
    bind_access(statement, tokens.access.clone()).bind(tokens.refresh_sealed.as_deref())
}

fn bind_access(statement: Statement, access: Option<AccessToken>) -> Statement {
    let (seconds, until) = access.as_ref().map_or((None, 0), |access| (access.seconds, access.until));
    statement.bind(access.map(|access| access.sealed)).bind(seconds).bind(until)
}

/// An id as it is stored.
#[must_use]
pub fn text_of(id: Option<&AccountId>) -> Option<String> {
    serde_json::to_string(id?).ok()
}

/// An id that was stored.
///
/// # Errors
/// [`SqlError::Column`] if the column has no text.
pub fn account_id(row: Row<'_>, column: usize) -> Result<Option<AccountId>, SqlError> {
    Ok(optional_text(row, column)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// `issuer` is the column of the issuer, which those of the service and of the account's id follow.
fn read_tokens(row: Row<'_>, issuer: usize) -> Result<Tokens, SqlError> {
    let (seconds, until) = (optional_number(row, 4)?, number(row, 5)?);
    Ok(Tokens {
        name: row.text(0)?.to_owned(),
        account: account_id(row, issuer + 2)?,
        client_id: row.text(1)?.to_owned(),
        from: Provenance { issuer: row.text(issuer)?.to_owned(), service: row.text(issuer + 1)?.to_owned() },
        scopes: row.text(2)?.to_owned(),
        access: optional_text(row, 3)?.map(|sealed| AccessToken { sealed, seconds, until }),
        refresh_sealed: optional_text(row, 6)?,
    })
}

fn read_account(row: Row<'_>) -> Result<Account, SqlError> {
    let attempt_until = number(row, 12)?;
    Ok(Account {
        connection: row.text(7)?.to_owned(),
        hold: row.text(8)?.to_owned(),
        tokens: read_tokens(row, 15)?,
        connected_at: number(row, 9)?,
        ended_at: optional_number(row, 10)?,
        attempt: optional_text(row, 11)?.map(|id| Attempt { id, until: attempt_until }),
        failed_until: number(row, 13)?,
        failure: row.text(14)?.to_owned(),
    })
}

fn read_hold(row: Row<'_>) -> Result<Hold, SqlError> {
    Ok(Hold {
        connection: row.text(7)?.to_owned(),
        id: row.text(8)?.to_owned(),
        tokens: read_tokens(row, 11)?,
        held_at: number(row, 9)?,
        until: number(row, 10)?,
    })
}
