//! Lists that a server returns in pages (MCP, pagination): which page comes next, and what all pages hold together.
//!
//! [`crate::examine`] and [`crate::checks`] both read lists here, so that they agree about where a list ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    http::Exchange,
    mcp::{self, Era, List, RpcResponse},
    probe::Probe,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// The entries of all pages, in order.
    pub entries: Vec<Value>,
    /// How many entries the first page has.
    pub on_first: usize,
    /// How many pages were read, at least 1.
    pub count: usize,
    /// What follows.
    pub end: End,
    /// The cursors of all pages.
    cursors: BTreeSet<String>,
}

impl Pages {
    /// Reads the pages of a list. `None` if the first one was not requested or has no list.
    #[must_use]
    pub fn of(exchanges: &BTreeMap<Probe, Exchange>, era: Era, list: List) -> Option<Self> {
        let first = page(exchanges, era, list, 1)?;
        let (entries, cursors) = (Vec::new(), BTreeSet::new());
        let mut pages = Self { entries, on_first: first.entries.len(), count: 0, end: End::Complete, cursors };
        pages.push(first);
        pages.read_on(exchanges, era, list);
        Some(pages)
    }

    /// Reads the pages of the same list that were requested since.
    pub fn read_on(&mut self, exchanges: &BTreeMap<Probe, Exchange>, era: Era, list: List) {
        while matches!(self.end, End::Cursor(_)) && exchanges.contains_key(&probe(era, list, self.count + 1)) {
            match page(exchanges, era, list, self.count + 1) {
                Some(page) => self.push(page),
                None => self.end = End::Unreadable(self.count + 1),
            }
        }
    }

    fn push(&mut self, page: Page) {
        self.count += 1;
        self.entries.extend(page.entries);
        self.end = match page.end {
            End::Cursor(cursor) if !self.cursors.insert(cursor.clone()) => End::Loop,
            End::Cursor(_) if self.count == MAX_PAGES => End::TooMany,
            end => end,
        };
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
    /// What its cursor says, without a look at the other pages.
    end: End,
}

fn page(exchanges: &BTreeMap<Probe, Exchange>, era: Era, list: List, number: usize) -> Option<Page> {
    let response = exchanges.get(&probe(era, list, number))?.result.as_ref().ok()?;
    let RpcResponse::Result(mut result) = mcp::rpc_response(response).filter(|_| response.status == 200)? else {
        return None;
    };
    let end = match result.get("nextCursor") {
        None => End::Complete,
        Some(Value::Null) => End::Null,
        Some(Value::String(cursor)) if cursor.len() > MAX_CURSOR_BYTES => End::TooLong,
        Some(Value::String(cursor)) => End::Cursor(cursor.clone()),
        Some(other) => End::NotAString(json_type(other)),
    };
    match result.get_mut(list.member())?.take() {
        Value::Array(entries) => Some(Page { entries, end }),
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
