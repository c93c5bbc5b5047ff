//! What a storage refuses, and what it returns of each type.

use mcp_edge_runtime::sql::{Row, SqlError, SqlStorage, Statement, Value};
use serde_json::{Map, json};

use super::INSERT;

/// What each of these statements was refused for.
pub fn refused(storage: &impl SqlStorage) -> Result<String, SqlError> {
    storage.execute(INSERT.bind("taken").bind(None::<&str>))?;
    let statements = [
        ("unique", INSERT.bind("taken").bind(None::<&str>)),
        ("check", INSERT.bind("").bind(None::<&str>)),
        ("null", INSERT.bind(None::<&str>).bind(None::<&str>)),
        ("syntax", Statement::new("SELEC 1")),
        ("no such table", Statement::new("SELECT 1 FROM elsewhere")),
        ("too few values", INSERT.bind("a")),
        ("too many values", INSERT.bind("a").bind("b").bind("c")),
        ("a transaction of its own", Statement::new("BEGIN TRANSACTION")),
        ("an integer beyond 53 bits", Statement::new("SELECT ?").bind(i64::MAX)),
        ("a blob of 3 GB", Statement::new("SELECT zeroblob(3000000000)")),
    ];
    let mut found = Map::new();
    for (name, statement) in statements {
        let kind = storage.execute(statement).map_or_else(|error| kind(&error), |_| "accepted".to_owned());
        found.insert(name.to_owned(), kind.into());
    }
    let rows = storage.execute(Statement::new("SELECT text FROM entries"))?;
    let read = rows.first().map(|row| row.integer(0));
    found.insert("a column of another type".to_owned(), json!(read.and_then(Result::err).map(|error| kind(&error))));
    Ok(json!(found).to_string())
}

/// The variant of an error; what the storage said if there is none for it.
pub fn kind(error: &SqlError) -> String {
    match error {
        SqlError::Constraint(_) => "constraint",
        SqlError::Full(_) => "full",
        SqlError::TooLarge(_) => "too large",
        SqlError::Statement(_) => "statement",
        SqlError::IntegerOutOfRange(_) => "integer",
        SqlError::Column { .. } => "column",
        SqlError::Storage(message) | SqlError::Result(message) => message,
    }
    .to_owned()
}

/// Values that are not read as they were written.
pub fn types(storage: &impl SqlStorage) -> Result<String, SqlError> {
    let values = [
        Value::Null,
        Value::Integer(0),
        Value::Integer(-1),
        Value::Integer((1 << 53) - 1),
        Value::Real(-1.5),
        Value::Real(1e300),
        Value::Text(String::new()),
        Value::Text("\u{0}\"\\\n\u{2028}ß\u{1f600}".to_owned()),
        Value::Blob(Vec::new()),
        Value::Blob((0..=255).collect()),
    ];
    storage.execute(Statement::new("CREATE TABLE IF NOT EXISTS types (value)"))?;
    let mut differences = Vec::new();
    for value in values {
        let written = Statement::new("INSERT INTO types VALUES (?) RETURNING value").bind(value.clone());
        let rows = storage.execute(written)?;
        let read = rows.first().and_then(|row: Row<'_>| row.get(0).cloned());
        if read.as_ref() != Some(&value) {
            differences.push(format!("{value:?} was read as {read:?}"));
        }
    }
    Ok(json!({ "differences": differences }).to_string())
}
