//! A Durable Object: a list of entries in SQL storage, and an alarm that appends to it.

mod probes;

use std::{fmt, time::Duration};

use mcp_edge_runtime::{
    alarm::Alarms,
    cloudflare::{EdgeRuntime, Env, ObjectState, Request, answer},
    http::Response,
    ports::Runtime,
    sql::{SqlError, SqlStorage, Statement},
};
use serde_json::{Value, json};

const MAX_MESSAGE: usize = 64 * 1024;

const CREATE: Statement = Statement::new(
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE CHECK (text <> ''), data BLOB)",
);
const INSERT: Statement = Statement::new("INSERT INTO entries (text, data) VALUES (?, ?) RETURNING id");

/// Answers a request to the object.
pub async fn fetch(state: ObjectState, _: Env, request: Request) -> Response {
    answer(request, MAX_MESSAGE, async |message| {
        let message: Value = serde_json::from_str(&message).map_err(text)?;
        state.execute(CREATE).map_err(text)?;
        handle(&state, &message).await
    })
    .await
}

/// Handles the alarm: appends an entry.
///
/// # Errors
/// What the storage says.
///
/// # Panics
/// After 13 entries, to crash.
pub async fn alarm(state: ObjectState, _: Env) -> Result<(), String> {
    let name = state.execute(Statement::new("SELECT count(*) FROM entries")).map_err(text)?;
    let count = name.first().map_or(Ok(0), |row| row.integer(0)).map_err(text)?;
    assert_ne!(count, 13, "as this alarm is meant to");
    state.execute(INSERT.bind(format!("alarm after {count}")).bind(None::<&str>)).map(drop).map_err(text)
}

/// The message names what to do: `{"append": ["a"]}`.
async fn handle<S: SqlStorage + Alarms>(state: &S, message: &Value) -> Result<String, String> {
    let number = |name| message[name].as_u64();
    if let Some(entries) = message["append"].as_array() {
        let statements = entries.iter().map(|entry| {
            let entry = entry.as_str().unwrap_or_default();
            INSERT.bind(entry).bind(entry.as_bytes())
        });
        return Ok(match state.transaction(statements.collect()) {
            Ok(rows) => json!({ "appended": rows.len() }).to_string(),
            Err(error) => json!({ "error": probes::kind(&error), "message": error.to_string() }).to_string(),
        });
    }
    if message["probe"] == true {
        return probes::refused(state).map_err(text);
    }
    if message["types"] == true {
        return probes::types(state).map_err(text);
    }
    if let Some(at) = number("set_alarm") {
        state.set_alarm(at).await.map_err(text)?;
    }
    if message["delete_alarm"] == true {
        state.delete_alarm().await.map_err(text)?;
    }
    if let Some(milliseconds) = number("wait") {
        EdgeRuntime.sleep(Duration::from_millis(milliseconds)).await;
    }
    assert!(message["crash"] != true, "as this message is meant to");
    let rows = state.execute(Statement::new("SELECT text, data FROM entries ORDER BY id LIMIT 100")).map_err(text)?;
    let entries = rows.iter().map(|row| Ok((row.text(0)?, row.blob(1).map_or(0, <[u8]>::len))));
    let entries: Vec<(&str, usize)> = entries.collect::<Result<_, SqlError>>().map_err(text)?;
    let alarm = state.get_alarm().await.map_err(text)?;
    Ok(json!({ "entries": entries, "alarm": alarm }).to_string())
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
