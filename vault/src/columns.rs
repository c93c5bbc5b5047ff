//! Columns of SQL rows that several objects read.

use mcp_edge_runtime::sql::{Row, Rows, SqlError};

/// A number of seconds, or another that is never negative.
///
/// # Errors
/// [`SqlError::Column`] if it is no integer.
pub fn number(row: Row<'_>, column: usize) -> Result<u64, SqlError> {
    Ok(u64::try_from(row.integer(column)?).unwrap_or_default())
}

/// The same, or NULL.
///
/// # Errors
/// [`SqlError::Column`] if it is neither.
pub fn optional_number(row: Row<'_>, column: usize) -> Result<Option<u64>, SqlError> {
    if row.is_null(column) { Ok(None) } else { number(row, column).map(Some) }
}

/// Text, or NULL.
///
/// # Errors
/// [`SqlError::Column`] if it is neither.
pub fn optional_text(row: Row<'_>, column: usize) -> Result<Option<String>, SqlError> {
    if row.is_null(column) { Ok(None) } else { row.text(column).map(|text| Some(text.to_owned())) }
}

/// What a statement returned, or `None` if its table was never created.
///
/// # Errors
/// Every other error.
pub fn unless_no_table(result: Result<Rows, SqlError>) -> Result<Option<Rows>, SqlError> {
    match result {
        Err(SqlError::Statement(message)) if message.contains("no such table") => Ok(None),
        result => result.map(Some),
    }
}
