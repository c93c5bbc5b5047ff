//! SQL storage of a Durable Object: statements, rows and errors as plain data, and the port that executes them.
//!
//! Every call is synchronous. Between two calls without an `await` no other event of the object runs, so what was read
//! still holds when the decision made from it is written. [`SqlStorage::transaction`] therefore takes a list of
//! statements and no closure: read, decide, then write everything that belongs together in one call. If a statement
//! fails, none of them has an effect; and a crash of WebAssembly cannot happen in the middle, because the whole list is
//! one call to the platform.

pub mod encoding;

/// SQL storage.
pub trait SqlStorage {
    /// Executes one statement.
    ///
    /// # Errors
    /// [`SqlError`]; the statement had no effect.
    fn execute(&self, statement: Statement) -> Result<Rows, SqlError> {
        Ok(self.transaction(vec![statement])?.pop().unwrap_or_default())
    }

    /// Executes statements in order, in one transaction. The result has the rows of each.
    ///
    /// # Errors
    /// [`SqlError`] of the statement that failed; none had an effect.
    fn transaction(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, SqlError>;
}

/// A statement and its parameters.
///
/// ```
/// use mcp_edge_runtime::sql::{Rows, SqlError, SqlStorage, Statement};
///
/// /// Counts one more for `key`, and returns the new count.
/// fn increment(storage: &impl SqlStorage, key: &str) -> Result<i64, SqlError> {
///     let statement = Statement::new(
///         "INSERT INTO counters (key, count) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET count = count + 1 RETURNING count",
///     );
///     let rows = storage.execute(statement.bind(key))?;
///     rows.first().map_or(Ok(0), |row| row.integer(0))
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    sql: &'static str,
    parameters: Vec<Value>,
}

impl Statement {
    /// Creates a statement without parameters. The text is known at compile time: data comes in by [`Statement::bind`].
    #[must_use]
    pub const fn new(sql: &'static str) -> Self {
        Self { sql, parameters: Vec::new() }
    }

    /// Binds the next `?`. The platform binds every number as REAL: a column declared INTEGER stores it as an integer, but
    /// in an expression (`5 / ?`) write `CAST(? AS INTEGER)`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.parameters.push(value.into());
        self
    }

    /// The text.
    #[must_use]
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// The bound values, in order.
    #[must_use]
    pub fn parameters(&self) -> &[Value] {
        &self.parameters
    }
}

/// A value of SQLite.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// INTEGER, of at most 53 bits. A REAL without a fraction is read as one too.
    Integer(i64),
    /// REAL. An INTEGER of more than 53 bits is read as one, rounded.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

impl Value {
    const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "INTEGER",
            Self::Real(_) => "REAL",
            Self::Text(_) => "TEXT",
            Self::Blob(_) => "BLOB",
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

/// Seconds and milliseconds since 1970, mostly. A number beyond `i64` is rejected when the statement is executed, as
/// every one beyond 53 bits is.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows that a statement returns. They are all in memory: a SELECT that may find many has a LIMIT.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows(Vec<Vec<Value>>);

impl Rows {
    /// Creates rows of values, for implementations of [`SqlStorage`].
    #[must_use]
    pub const fn new(rows: Vec<Vec<Value>>) -> Self {
        Self(rows)
    }

    /// The first row.
    #[must_use]
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }

    /// The rows, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.0.iter().map(|values| Row(values))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none. `UPDATE … RETURNING` and `DELETE … RETURNING` tell in this way that nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One row. Columns are counted from 0, in the order of the statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a>(&'a [Value]);

impl<'a> Row<'a> {
    /// A column of any type, if there is one.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<&'a Value> {
        self.0.get(column)
    }

    /// Whether a column is NULL, or missing.
    #[must_use]
    pub fn is_null(&self, column: usize) -> bool {
        matches!(self.get(column), None | Some(Value::Null))
    }

    /// An INTEGER.
    ///
    /// # Errors
    /// [`SqlError::Column`] if it is of another type.
    pub fn integer(&self, column: usize) -> Result<i64, SqlError> {
        match self.get(column) {
            Some(Value::Integer(value)) => Ok(*value),
            found => Err(unexpected(column, "INTEGER", found)),
        }
    }

    /// A REAL, or an INTEGER as one.
    ///
    /// # Errors
    /// [`SqlError::Column`] if it is of another type.
    #[allow(clippy::cast_precision_loss, reason = "integers of at most 53 bits")]
    pub fn real(&self, column: usize) -> Result<f64, SqlError> {
        match self.get(column) {
            Some(Value::Real(value)) => Ok(*value),
            Some(Value::Integer(value)) => Ok(*value as f64),
            found => Err(unexpected(column, "REAL", found)),
        }
    }

    /// TEXT.
    ///
    /// # Errors
    /// [`SqlError::Column`] if it is of another type.
    pub fn text(&self, column: usize) -> Result<&'a str, SqlError> {
        match self.get(column) {
            Some(Value::Text(value)) => Ok(value),
            found => Err(unexpected(column, "TEXT", found)),
        }
    }

    /// A BLOB.
    ///
    /// # Errors
    /// [`SqlError::Column`] if it is of another type.
    pub fn blob(&self, column: usize) -> Result<&'a [u8], SqlError> {
        match self.get(column) {
            Some(Value::Blob(value)) => Ok(value),
            found => Err(unexpected(column, "BLOB", found)),
        }
    }
}

fn unexpected(column: usize, expected: &'static str, found: Option<&Value>) -> SqlError {
    SqlError::Column { column, expected, found: found.map_or("no such column", Value::type_name) }
}

/// Why a statement had no effect, or its result is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// It violates a constraint of the schema (UNIQUE, NOT NULL, CHECK, FOREIGN KEY).
    #[error("constraint violated: {0}")]
    Constraint(String),
    /// There is no room for more.
    #[error("the database is full: {0}")]
    Full(String),
    /// A value, row or statement exceeds the platform's limits.
    #[error("value or statement too large: {0}")]
    TooLarge(String),
    /// SQLite does not accept the statement, or the wrong number of values is bound.
    #[error("invalid statement: {0}")]
    Statement(String),
    /// An integer that does not fit into 53 bits.
    #[error("parameter {0} does not fit into 53 bits")]
    IntegerOutOfRange(i64),
    /// The storage failed.
    #[error("storage failed: {0}")]
    Storage(String),
    /// A column is not what the reader expects.
    #[error("column {column}: expected {expected}, found {found}")]
    Column {
        /// Counted from 0.
        column: usize,
        /// The type asked for.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// The platform's answer cannot be parsed.
    #[error("unreadable result: {0}")]
    Result(String),
}

impl SqlError {
    /// By the message of the platform, which ends with SQLite's result code: `UNIQUE constraint failed: t.a:
    /// SQLITE_CONSTRAINT`.
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        // What SQLite has no code for comes from the platform: it counts the values, and refuses statements that begin or
        // end a transaction.
        const OF_STATEMENTS: [&str; 5] =
            ["SQLITE_ERROR", "SQLITE_AUTH", "SQLITE_MISMATCH", "number of parameter", "BEGIN TRANSACTION"];
        let has = |code: &str| message.contains(code);
        let kind = if has("SQLITE_CONSTRAINT") {
            Self::Constraint
        } else if has("SQLITE_FULL") {
            Self::Full
        } else if has("SQLITE_TOOBIG") {
            Self::TooLarge
        } else if OF_STATEMENTS.into_iter().any(has) {
            Self::Statement
        } else {
            Self::Storage
        };
        kind(message.to_owned())
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_another_type_is_named() {
        let rows = Rows::new(vec![vec![Value::Text("a".to_owned())]]);
        let row = rows.first().unwrap_or_else(|| panic!("one row"));
        let error = row.integer(0).map_err(|error| error.to_string());
        assert_eq!(error, Err("column 0: expected INTEGER, found TEXT".to_owned()));
        let error = row.text(1).map_err(|error| error.to_string());
        assert_eq!(error, Err("column 1: expected TEXT, found no such column".to_owned()));
    }
}
