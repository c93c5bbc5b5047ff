//! The rows as tables of the object's SQL storage.

use mcp_edge_runtime::sql::{Row, SqlError, SqlStorage, Statement};

use super::rows::{Change, Client, Occupied, Reservation, Rows, Write};
use crate::rate_window::{WINDOW_SECONDS, Window};

const TABLES: [Statement; 6] = [
    Statement::new(
        "CREATE TABLE IF NOT EXISTS client (id TEXT PRIMARY KEY, owner TEXT, registered_at INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS reservation (id TEXT PRIMARY KEY, is_admitted INTEGER NOT NULL, owner TEXT, \
         token TEXT, token_expires_at INTEGER, until INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS token_use (token TEXT NOT NULL, client_id TEXT NOT NULL, \
         expires_at INTEGER NOT NULL, PRIMARY KEY (token, client_id)) STRICT, WITHOUT ROWID",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS rate (key TEXT PRIMARY KEY, began INTEGER NOT NULL, count INTEGER NOT NULL) STRICT",
    ),
    Statement::new(
        "CREATE TABLE IF NOT EXISTS change (client_id TEXT PRIMARY KEY, id TEXT NOT NULL, until INTEGER NOT NULL, \
         metadata TEXT, written_at INTEGER NOT NULL) STRICT",
    ),
    Statement::new("CREATE TABLE IF NOT EXISTS done (what TEXT PRIMARY KEY) STRICT"),
];

/// The tables in an object's storage.
pub struct SqlRows<'a, S>(&'a S);

impl<'a, S: SqlStorage> SqlRows<'a, S> {
    /// Creates access to the tables in a storage; see [`Rows::prepare`].
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// Reads the first row that a statement finds.
    fn first<T>(
        &self,
        statement: Statement,
        read: impl FnOnce(Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        self.0.execute(statement)?.first().map(read).transpose()
    }
}

impl<S: SqlStorage> Rows for SqlRows<'_, S> {
    fn prepare(&self) -> Result<(), SqlError> {
        self.0.transaction(TABLES.into()).map(drop)
    }

    fn is_imported(&self) -> Result<bool, SqlError> {
        Ok(!self.0.execute(Statement::new("SELECT 1 FROM done WHERE what = 'import'"))?.is_empty())
    }

    fn reservation(&self, id: &str, now: u64) -> Result<Option<Reservation>, SqlError> {
        let select = Statement::new(
            "SELECT is_admitted, owner, token, token_expires_at, until FROM reservation WHERE id = ? AND until > ?",
        );
        self.first(select.bind(id).bind(now), |row| {
            Ok(Reservation {
                is_admitted: row.integer(0)? != 0,
                owner: optional_text(row, 1)?,
                token: match optional_text(row, 2)? {
                    Some(token) => Some((token, unsigned(row, 3)?)),
                    None => None,
                },
                until: unsigned(row, 4)?,
            })
        })
    }

    fn occupied(&self, owner: Option<&str>, now: u64) -> Result<Occupied, SqlError> {
        let select = Statement::new(
            "SELECT count(*), count(CASE WHEN owner = ? THEN 1 END) FROM (SELECT owner FROM client UNION ALL \
             SELECT owner FROM reservation WHERE is_admitted AND until > ?)",
        );
        let read = |row: Row<'_>| Ok(Occupied { total: count(row, 0)?, of_owner: count(row, 1)? });
        Ok(self.first(select.bind(owner).bind(now), read)?.unwrap_or_default())
    }

    fn uses(&self, token: &str, now: u64) -> Result<u32, SqlError> {
        let select = Statement::new(
            "SELECT (SELECT count(*) FROM token_use WHERE token = ?) + \
             (SELECT count(*) FROM reservation WHERE token = ? AND until > ?)",
        );
        let uses = self.first(select.bind(token).bind(token).bind(now), |row| count(row, 0))?;
        Ok(uses.unwrap_or_default())
    }

    fn has_client(&self, client_id: &str) -> Result<bool, SqlError> {
        Ok(!self.0.execute(Statement::new("SELECT 1 FROM client WHERE id = ?").bind(client_id))?.is_empty())
    }

    fn window(&self, key: &str) -> Result<Window, SqlError> {
        let select = Statement::new("SELECT began, count FROM rate WHERE key = ?").bind(key);
        let window = self.first(select, |row| Ok(Window { began: unsigned(row, 0)?, count: count(row, 1)? }))?;
        Ok(window.unwrap_or_default())
    }

    fn change(&self, client_id: &str) -> Result<Change, SqlError> {
        let select = Statement::new("SELECT id, until, metadata, written_at FROM change WHERE client_id = ?");
        let change = self.first(select.bind(client_id), |row| {
            Ok(Change {
                id: row.text(0)?.to_owned(),
                until: unsigned(row, 1)?,
                metadata: optional_text(row, 2)?,
                written_at: unsigned(row, 3)?,
            })
        })?;
        Ok(change.unwrap_or_default())
    }

    fn clients(&self, after: &str, limit: u32) -> Result<Vec<(String, u64)>, SqlError> {
        let select = Statement::new("SELECT id, registered_at FROM client WHERE id > ? ORDER BY id LIMIT ?");
        let rows = self.0.execute(select.bind(after).bind(limit))?;
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), unsigned(row, 1)?))).collect()
    }

    fn write(&self, writes: Vec<Write>) -> Result<(), SqlError> {
        let statements: Vec<Statement> = writes.into_iter().flat_map(statements).collect();
        if !statements.is_empty() {
            self.0.transaction(statements)?;
        }
        Ok(())
    }
}

fn statements(write: Write) -> Vec<Statement> {
    match write {
        Write::Reservation(id, Reservation { is_admitted, owner, token, until }) => {
            let (token, expires_at) = token.unzip();
            vec![
                Statement::new("INSERT OR REPLACE INTO reservation VALUES (?, ?, ?, ?, ?, ?)")
                    .bind(id)
                    .bind(is_admitted)
                    .bind(owner)
                    .bind(token)
                    .bind(expires_at)
                    .bind(until),
            ]
        }
        Write::NoReservation(id) => vec![Statement::new("DELETE FROM reservation WHERE id = ?").bind(id)],
        Write::Client(Client { id, owner, registered_at }) => {
            vec![
                Statement::new("INSERT OR IGNORE INTO client VALUES (?, ?, ?)")
                    .bind(id)
                    .bind(owner)
                    .bind(registered_at),
            ]
        }
        Write::NoClient(id) => vec![
            Statement::new("DELETE FROM client WHERE id = ?").bind(id.as_str()),
            Statement::new("DELETE FROM change WHERE client_id = ?").bind(id),
        ],
        Write::Use { token, client_id, expires_at } => vec![
            Statement::new("INSERT OR IGNORE INTO token_use VALUES (?, ?, ?)")
                .bind(token)
                .bind(client_id)
                .bind(expires_at),
        ],
        Write::NoUse(client_id) => {
            vec![Statement::new("DELETE FROM token_use WHERE client_id = ?").bind(client_id)]
        }
        Write::Window(key, Window { began, count }) => {
            vec![Statement::new("INSERT OR REPLACE INTO rate VALUES (?, ?, ?)").bind(key).bind(began).bind(count)]
        }
        Write::Change(client_id, Change { id, until, metadata, written_at }) => vec![
            Statement::new("INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?, ?)")
                .bind(client_id)
                .bind(id)
                .bind(until)
                .bind(metadata)
                .bind(written_at),
        ],
        Write::Imported => vec![Statement::new("INSERT OR IGNORE INTO done VALUES ('import')")],
        Write::Prune(now) => vec![
            Statement::new("DELETE FROM reservation WHERE until <= ?").bind(now),
            Statement::new("DELETE FROM token_use WHERE expires_at <= ?").bind(now),
            Statement::new("DELETE FROM rate WHERE began <= ?").bind(now.saturating_sub(WINDOW_SECONDS)),
            Statement::new("DELETE FROM change WHERE until <= ? AND written_at <= ?")
                .bind(now)
                .bind(now.saturating_sub(super::rules::VISIBLE_SECONDS)),
        ],
    }
}

fn unsigned(row: Row<'_>, column: usize) -> Result<u64, SqlError> {
    Ok(u64::try_from(row.integer(column)?).unwrap_or_default())
}

fn count(row: Row<'_>, column: usize) -> Result<u32, SqlError> {
    Ok(u32::try_from(row.integer(column)?).unwrap_or(u32::MAX))
}

fn optional_text(row: Row<'_>, column: usize) -> Result<Option<String>, SqlError> {
    if row.is_null(column) { Ok(None) } else { row.text(column).map(|text| Some(text.to_owned())) }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::{
        super::message::{Request, answer},
        *,
    };

    /// A storage without rows that notes what it executes. Without its tables it fails as SQLite does.
    #[derive(Default)]
    struct Storage {
        executed: RefCell<Vec<&'static str>>,
        has_tables: Cell<bool>,
        fails_with: Cell<Option<&'static str>>,
    }

    impl SqlStorage for Storage {
        fn transaction(&self, statements: Vec<Statement>) -> Result<Vec<mcp_edge_runtime::sql::Rows>, SqlError> {
            for statement in &statements {
                let verb = statement.sql().split(' ').next().unwrap();
                self.executed.borrow_mut().push(verb);
                if let Some(message) = self.fails_with.get() {
                    return Err(SqlError::from_message(message));
                }
                match verb {
                    "CREATE" => self.has_tables.set(true),
                    _ if !self.has_tables.get() => {
                        return Err(SqlError::from_message("no such table: rate: SQLITE_ERROR"));
                    }
                    _ => {}
                }
            }
            Ok(statements.iter().map(|_| mcp_edge_runtime::sql::Rows::default()).collect())
        }
    }

    fn ask(storage: &Storage, request: &Request) -> (Result<String, String>, Vec<&'static str>) {
        let answer = answer(&SqlRows::new(storage), &request.to_json(), 1);
        (answer, storage.executed.take())
    }

    #[test]
    fn the_tables_are_created_by_the_first_message_and_by_no_other() {
        let count = Request::CountCall { client_id: "app-1".to_owned() };
        let release = Request::Release { id: "x".to_owned() };
        for (first, verbs) in [(&count, &["SELECT", "INSERT"][..]), (&release, &["DELETE"][..])] {
            let storage = Storage::default();
            let (answered, executed) = ask(&storage, first);
            assert_eq!(answered.as_deref(), Ok(r#"["done"]"#));
            let expected = [&verbs[..1], &["CREATE"; 6], verbs].concat();
            assert_eq!(executed, expected, "it finds none, creates them, and begins again");
            assert_eq!(ask(&storage, &count).1, ["SELECT", "INSERT"]);
        }
    }

    #[test]
    fn a_storage_that_fails_otherwise_is_not_asked_again() {
        let storage = Storage::default();
        storage.fails_with.set(Some("disk I/O error: SQLITE_IOERR"));
        let (answered, executed) = ask(&storage, &Request::Prune);
        let error = answered.unwrap_err();
        assert_eq!(error, "the ledger's storage: storage failed: disk I/O error: SQLITE_IOERR");
        assert_eq!(executed, ["DELETE"]);
        // A statement that is wrong is still wrong the second time.
        storage.fails_with.set(Some("near \"SELEC\": syntax error: SQLITE_ERROR"));
        let (answered, executed) = ask(&storage, &Request::Prune);
        assert!(answered.unwrap_err().contains("syntax error"));
        assert_eq!(executed, ["DELETE", "CREATE"]);
    }
}
