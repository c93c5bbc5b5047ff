//! The log: one JSON object for each request, for operators and their tools.
//!
//! A [`LogRecord`] is a list of named values. Each layer adds what it learned and returns it with its result; the Worker
//! shell adds the request's id, outcome and duration and writes the line. A record never holds a token.

use std::borrow::Cow;

use crate::{http::Text, json::Object, settings::Reader};

/// What came from outside is cut to this length: the log is for reading.
const MAX_TEXT_BYTES: usize = 200;

/// As many members as the record of a tool call has, so that their list is allocated once.
const USUAL_MEMBERS: usize = 12;

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// One line for each.
    All,
    /// Only refused and failed ones.
    Denials,
    /// None.
    Off,
}

/// What an operator decides about the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// `LOG`: which requests are logged.
    pub level: LogLevel,
    /// `LOG_SUBJECT`: whether the log names the user (`sub`).
    pub subject: bool,
    /// `ENVIRONMENT`: whether responses carry `Server-Timing`.
    pub development: bool,
}

impl LogSettings {
    /// Reads these settings; errors are left in `reader`.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let level = match reader.text("LOG").as_deref() {
            None | Some("all") => LogLevel::All,
            Some("denials") => LogLevel::Denials,
            Some("off") => LogLevel::Off,
            Some(other) => {
                reader.wrong_value("LOG", other, "must be \"all\", \"denials\" or \"off\"");
                LogLevel::All
            }
        };
        let development = reader.text("ENVIRONMENT").as_deref() == Some("development");
        Self { level, subject: reader.flag("LOG_SUBJECT", true), development }
    }
}

/// What is known of a request: names and values. No name occurs twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRecord(Vec<(&'static str, LogValue)>);

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LogValue {
    Text(Text),
    Number(i64),
}

impl LogRecord {
    /// Creates a record with the route of the request: `mcp`, `metadata`, …
    #[must_use]
    pub fn of_route(route: &'static str) -> Self {
        let mut record = Self(Vec::with_capacity(USUAL_MEMBERS));
        record.text("route", route);
        record
    }

    /// Adds a text of our own.
    pub fn text(&mut self, name: &'static str, value: &'static str) {
        self.0.push((name, LogValue::Text(Cow::Borrowed(value))));
    }

    /// Adds a text from outside, cut to 200 bytes.
    pub fn cut(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, LogValue::Text(Cow::Owned(cut(value.into())))));
    }

    /// Adds a text from outside, if there is one.
    pub fn maybe_cut(&mut self, name: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.cut(name, value);
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: &'static str, value: i64) {
        self.0.push((name, LogValue::Number(value)));
    }

    /// Adds all members of another record.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The text under a name; empty if there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, LogValue::Text(text))) => text,
            _ => "",
        }
    }

    /// Adds the members to those of `line`.
    #[must_use]
    pub fn append_to(&self, line: Object) -> Object {
        self.0.iter().fold(line, |line, (name, value)| match value {
            LogValue::Text(text) => line.text(name, text),
            LogValue::Number(number) => line.number(name, *number),
        })
    }
}

/// How the log calls the outcome of a response with this status: `ok`, `denied` or `failed`.
#[must_use]
pub const fn outcome_of(status: u16) -> &'static str {
    match status {
        ..400 => "ok",
        400..500 => "denied",
        _ => "failed",
    }
}

/// The trace id of a `traceparent` header (W3C Trace Context §3.2), if it is one of version 00: 55 characters.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_well_formed = version == "00"
        && is_hex(trace, 32)
        && trace.bytes().any(|byte| byte != b'0')
        && is_hex(parent, 16)
        && parent.bytes().any(|byte| byte != b'0')
        && is_hex(flags, 2)
        && parts.next().is_none();
    is_well_formed.then_some(trace)
}

/// A text from outside, cut between characters to 200 bytes.
#[must_use]
pub fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        let end = (0..=MAX_TEXT_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_only_if_well_formed() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(good), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-16-kilobytes-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-\"-x-y",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn long_strings_are_cut_between_characters() {
        let mut record = LogRecord::of_route("mcp");
        record.cut("detail", "ä".repeat(500));
        let line = record.append_to(Object::new()).close();
        assert!(line.len() < 300 && line.contains('…'), "{line}");
    }

    #[test]
    fn a_record_is_one_line_of_json() {
        let mut record = LogRecord::of_route("mcp");
        record.cut("detail", "a\"b\nc");
        record.number("error_code", -32602);
        record.maybe_cut("kid", None::<String>);
        let line = record.append_to(Object::new().text("request_id", "1")).close();
        assert_eq!(line, r#"{"request_id":"1","route":"mcp","detail":"a\"b\nc","error_code":-32602}"#);
        assert_eq!((record.get("route"), record.get("kid")), ("mcp", ""));
    }
}
