//! The form in which statements and rows reach the platform: JSON, with a blob as an array of one string, its base64.

use crate::base64::STANDARD;
use serde_json::{Number, Value as Json};

use super::{Rows, SqlError, Statement, Value};
use crate::json;

/// The largest integer, positive or negative, that the platform stores exactly: it passes numbers as doubles.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Statements as JSON: `[["SELECT ?", 1], …]`.
///
/// # Errors
/// [`SqlError::IntegerOutOfRange`].
pub fn to_json(statements: &[Statement]) -> Result<String, SqlError> {
    let statements = statements.iter().map(|statement| {
        let parameters = statement.parameters.iter().map(json_of);
        std::iter::once(Ok(statement.sql.into())).chain(parameters).collect::<Result<Vec<_>, _>>().map(Json::Array)
    });
    Ok(json::to_json(&statements.collect::<Result<Vec<_>, _>>()?))
}

fn json_of(value: &Value) -> Result<Json, SqlError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Integer(value) if value.unsigned_abs() > MAX_SAFE_INTEGER => {
            return Err(SqlError::IntegerOutOfRange(*value));
        }
        Value::Integer(value) => (*value).into(),
        // NULL for what is not a number, as SQLite has it.
        Value::Real(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Text(value) => value.as_str().into(),
        Value::Blob(value) => Json::Array(vec![STANDARD.encode(value).into()]),
    })
}

/// The inverse for results: `[[[1, "a"], …], …]`, an array of rows for each statement.
///
/// # Errors
/// [`SqlError::Result`].
pub fn from_json(text: &str) -> Result<Vec<Rows>, SqlError> {
    let results: Vec<Vec<Vec<Json>>> =
        serde_json::from_str(text).map_err(|error| SqlError::Result(error.to_string()))?;
    results
        .into_iter()
        .map(|rows| {
            let values = |row: Vec<Json>| row.into_iter().map(value_of).collect::<Result<_, _>>();
            rows.into_iter().map(values).collect::<Result<_, _>>().map(Rows::new)
        })
        .collect()
}

fn value_of(json: Json) -> Result<Value, SqlError> {
    let unreadable = |what: &str| SqlError::Result(what.to_owned());
    Ok(match json {
        Json::Null => Value::Null,
        Json::Number(number) => match number.as_i64() {
            Some(value) if value.unsigned_abs() <= MAX_SAFE_INTEGER => Value::Integer(value),
            _ => Value::Real(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(blob) => {
            let bytes = blob.first().and_then(Json::as_str).and_then(|text| STANDARD.decode(text));
            Value::Blob(bytes.ok_or_else(|| unreadable("a blob is not base64"))?)
        }
        Json::Bool(_) | Json::Object(_) => return Err(unreadable("a value is of no type of SQLite")),
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: i64 = (1 << 53) - 1;

    #[test]
    fn statements_travel_with_their_parameters() {
        let statement = Statement::new("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)")
            .bind(-7_i64)
            .bind(1.5)
            .bind("it's \"quoted\"\n")
            .bind(&b"\0\xff"[..])
            .bind(None::<&str>)
            .bind(true);
        let text = to_json(&[statement, Statement::new("SELECT 1")]);
        let expected =
            r#"[["INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",-7,1.5,"it's \"quoted\"\n",["AP8="],null,1],["SELECT 1"]]"#;
        assert_eq!(text.as_deref(), Ok(expected));
    }

    #[test]
    fn an_integer_that_would_be_rounded_is_refused() {
        for value in [MAX, -MAX] {
            assert!(to_json(&[Statement::new("SELECT ?").bind(value)]).is_ok());
        }
        for value in [MAX + 1, -MAX - 1, i64::MIN] {
            let refused = to_json(&[Statement::new("SELECT ?").bind(value)]);
            assert_eq!(refused, Err(SqlError::IntegerOutOfRange(value)));
        }
        assert!(to_json(&[Statement::new("SELECT ?").bind(u64::MAX)]).is_err());
    }

    #[test]
    fn rows_are_read_by_type() -> Result<(), SqlError> {
        let results = from_json(r#"[[],[[1,2.5,"a",["AP8="],null],[9007199254740993,1e300,"","",0]]]"#)?;
        assert!(results[0].is_empty());
        let rows: Vec<_> = results[1].iter().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].integer(0)?, rows[0].real(1)?), (1, 2.5));
        assert_eq!((rows[0].text(2)?, rows[0].blob(3)?), ("a", &b"\0\xff"[..]));
        assert!(rows[0].is_null(4) && rows[0].is_null(5) && !rows[0].is_null(0));
        assert!(matches!(rows[1].get(0), Some(Value::Real(_))), "more than 53 bits are not an exact integer");
        Ok(())
    }

    #[test]
    fn what_is_no_result_is_an_error() {
        for text in ["", "[", "{}", "[[1]]", "[[[true]]]", "[[[{}]]]", "[[[[]]]]", r#"[[[["?"]]]]"#, "[[[[1]]]]"] {
            assert!(matches!(from_json(text), Err(SqlError::Result(_))), "{text}");
        }
    }
}
