//! An object's storage: SQLite itself, with numbers bound as the platform binds them.

use std::{
    cell::{Cell, RefCell},
    fmt::Write as _,
};

use mcp_edge_runtime::{
    alarm::{AlarmError, Alarms},
    sql::{Rows, SqlError, SqlStorage, Statement, Value},
};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite};

/// The storage of one object, and its alarm.
pub struct Storage {
    connection: RefCell<Connection>,
    /// In milliseconds since 1970.
    pub alarm: Cell<Option<u64>>,
    /// The next statements fail.
    pub is_broken: Cell<bool>,
    /// The alarm cannot be set.
    pub has_no_alarm: Cell<bool>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            connection: RefCell::new(Connection::open_in_memory().unwrap()),
            alarm: Cell::default(),
            is_broken: Cell::default(),
            has_no_alarm: Cell::default(),
        }
    }
}

impl Storage {
    /// A copy, as a backup is one.
    pub fn backup(&self) -> Self {
        let copy = Self::default();
        {
            let mut target = copy.connection.borrow_mut();
            let source = self.connection.borrow();
            let backup = rusqlite::backup::Backup::new(&source, &mut target).unwrap();
            backup.step(-1).unwrap();
        }
        copy.alarm.set(self.alarm.get());
        copy
    }

    /// Everything in the database, as text.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for table in self.tables() {
            let select: &'static str = Box::leak(format!("SELECT * FROM {table}").into_boxed_str());
            writeln!(text, "{table}: {:?}", self.execute(Statement::new(select)).unwrap()).unwrap();
        }
        text
    }

    pub fn tables(&self) -> Vec<String> {
        let rows = self.execute(Statement::new("SELECT name FROM sqlite_schema WHERE type = 'table'")).unwrap();
        rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
    }
}

impl SqlStorage for Storage {
    fn transaction(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, SqlError> {
        if self.is_broken.get() {
            return Err(SqlError::from_message("disk I/O error: SQLITE_IOERR"));
        }
        let mut connection = self.connection.borrow_mut();
        let transaction = connection.transaction().unwrap();
        let results: Result<Vec<Rows>, rusqlite::Error> =
            statements.iter().map(|it| execute(&transaction, it)).collect();
        let results = results.map_err(|error| SqlError::from_message(&message_of(&error)))?;
        transaction.commit().unwrap();
        Ok(results)
    }
}

fn execute(connection: &Connection, statement: &Statement) -> Result<Rows, rusqlite::Error> {
    let mut prepared = connection.prepare(statement.sql())?;
    #[allow(clippy::cast_precision_loss, reason = "as the platform does")]
    let parameters = statement.parameters().iter().map(|value| match value.clone() {
        Value::Null => Sqlite::Null,
        Value::Integer(value) => Sqlite::Real(value as f64),
        Value::Real(value) => Sqlite::Real(value),
        Value::Text(value) => Sqlite::Text(value),
        Value::Blob(value) => Sqlite::Blob(value),
    });
    let columns = prepared.column_count();
    let mut found = prepared.query(params_from_iter(parameters))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values: Result<Vec<Value>, rusqlite::Error> = (0..columns)
            .map(|column| {
                Ok(match row.get(column)? {
                    Sqlite::Null => Value::Null,
                    Sqlite::Integer(value) => Value::Integer(value),
                    Sqlite::Real(value) => Value::Real(value),
                    Sqlite::Text(value) => Value::Text(value),
                    Sqlite::Blob(value) => Value::Blob(value),
                })
            })
            .collect();
        rows.push(values?);
    }
    Ok(Rows::new(rows))
}

/// As the platform words it.
fn message_of(error: &rusqlite::Error) -> String {
    let code = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => "SQLITE_CONSTRAINT",
        _ => "SQLITE_ERROR",
    };
    format!("{error}: {code}")
}

impl Alarms for Storage {
    async fn set_alarm(&self, at: u64) -> Result<(), AlarmError> {
        if self.has_no_alarm.get() {
            return Err(AlarmError("out of order".to_owned()));
        }
        self.alarm.set(Some(at));
        Ok(())
    }

    async fn get_alarm(&self) -> Result<Option<u64>, AlarmError> {
        Ok(self.alarm.get())
    }

    async fn delete_alarm(&self) -> Result<(), AlarmError> {
        self.alarm.set(None);
        Ok(())
    }
}
