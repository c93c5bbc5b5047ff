//! Lists that a server returns in pages (MCP, pagination): which page comes next, and what all pages hold together.
//!
//! [`crate::examine`] and [`crate::checks`] both read lists here, so that they agree about where a list ends.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    mcp::{self, Era, List, RpcResponse},
    probe::Probe,
    record::Record,
};

/// How many pages of a list are requested. A server with more of them, or with endless ones, is reported.
pub const MAX_PAGES: usize = 8;

/// The longest cursor that is sent back, in bytes. Cursors are the server's text, and end up in requests.
pub const MAX_CURSOR_BYTES: usize = 4096;

/// What follows the last page that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing: the list is complete.
    Complete,
    /// `nextCursor` is null.
    Null,
    /// `nextCursor` is neither a string nor null; its JSON type.
    NotAString(&'static str),
    /// A page repeats a cursor that an earlier page had.
    Loop,
    /// The cursor is longer than [`MAX_CURSOR_BYTES`].
    TooLong,
    /// There are more than [`MAX_PAGES`] pages.
    TooMany,
    /// The next page has no list: its number, counted from 1.
    Unreadable(usize),
    /// The next page was not requested: its cursor.
    Cursor(String),
}

/// The pages of a list, as far as they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Pages {
    /// The entries of all pages, in order.
    pub entries: Vec<Value>,
    /// How many entries the first page has.
    pub on_first: usize,
    /// How many pages were read, at least 1.
    pub count: usize,
    /// What follows.
    pub end: End,
}

impl Pages {
    /// Reads the pages of a list. `None` if the first one was not requested or has no list.
    #[must_use]
    pub fn of(record: &Record, era: Era, list: List) -> Option<Self> {
        let first = page(record, era, list, 1)?;
        let mut entries = first.entries;
        let (on_first, mut count, mut next) = (entries.len(), 1, first.next);
        let mut cursors = BTreeSet::new();
        let end = loop {
            let cursor = match next {
                Next::End(end) => break end,
                Next::Cursor(cursor) => cursor,
            };
            if !cursors.insert(cursor.clone()) {
                break End::Loop;
            }
            if count == MAX_PAGES {
                break End::TooMany;
            }
            if record.result(probe(era, list, count + 1)).is_none() {
                break End::Cursor(cursor);
            }
            let Some(page) = page(record, era, list, count + 1) else { break End::Unreadable(count + 1) };
            count += 1;
            entries.extend(page.entries);
            next = page.next;
        };
        Some(Self { entries, on_first, count, end })
    }
}

/// The probe of a page, counted from 1.
#[must_use]
pub fn probe(era: Era, list: List, page: usize) -> Probe {
    match (era, list, page) {
        (Era::Legacy, List::Tools, 1) => Probe::LegacyTools,
        (Era::Modern, List::Tools, 1) => Probe::ModernTools,
        _ => Probe::Page(era, list, page),
    }
}

struct Page {
    entries: Vec<Value>,
    next: Next,
}

enum Next {
    End(End),
    Cursor(String),
}

fn page(record: &Record, era: Era, list: List, number: usize) -> Option<Page> {
    let response = record.response(probe(era, list, number)).filter(|response| response.status == 200)?;
    let RpcResponse::Result(mut result) = mcp::rpc_response(response)? else { return None };
    let next = match result.get("nextCursor") {
        None => Next::End(End::Complete),
        Some(Value::Null) => Next::End(End::Null),
        Some(Value::String(cursor)) if cursor.len() > MAX_CURSOR_BYTES => Next::End(End::TooLong),
        Some(Value::String(cursor)) => Next::Cursor(cursor.clone()),
        Some(other) => Next::End(End::NotAString(json_type(other))),
    };
    match result.get_mut(list.member())?.take() {
        Value::Array(entries) => Some(Page { entries, next }),
        _ => None,
    }
}

/// The name of the type of a JSON value.
#[must_use]
pub const fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
