//! Definitions of tools that an operator has approved (`TOOL_PINS`).
//!
//! # The digest of a definition
//!
//! A definition is an element of the array `tools` in a result of `tools/list`, with all its members: names, descriptions,
//! schemas, annotations, icons and `_meta` all reach models or users, so none is left out. Its *canonical form* is JSON:
//!
//! - no white space outside of strings;
//! - the members of every object in the order of their names, decoded, compared by the bytes of their UTF-8 (not by UTF-16
//!   code units, as JavaScript's `sort` does);
//! - every string, names included, decoded and written again: `"` and `\` with a backslash before them, U+0008, U+0009,
//!   U+000A, U+000C and U+000D as `\b` `\t` `\n` `\f` `\r`, other characters below U+0020 as `\u00xx` with lower-case
//!   digits, and everything else as it is (what JavaScript's `JSON.stringify` and Rust's `serde_json` write);
//! - numbers, `true`, `false` and `null` by the text that they were sent as: `1.0` is not `1`;
//! - the elements of arrays in their order.
//!
//! There is none if an object has two members of one decoded name or more than 1000 members, if a string has an unpaired
//! surrogate, or if objects and arrays are more than 64 deep (the definition itself is the first level).
//!
//! The *digest* is the SHA-256 of the canonical form's UTF-8, in base64url (RFC 4648 §5) without padding: 43 characters.
//! `tests/pins.json` has examples.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};

use mcp_edge_protocol::members::string;
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, digest::sha256, json::quote, settings::Reader};

/// Levels of objects and arrays in a definition. Those of schemas that people write have a dozen.
const MAX_DEPTH: usize = 64;

/// Members of one object in a definition.
const MAX_MEMBERS: usize = 1000;

/// A minute, for which is known whether a tool's definition is approved: as long may a change go unnoticed, and as long is a
/// tool refused that one caller was shown another definition of.
const KNOWN_SECONDS: u64 = 60;

/// Definitions that were reported, at most: so that no list fills the log.
const MAX_REPORTS: usize = 200;

/// Characters of a SHA-256 in base64url without padding.
const DIGEST_CHARACTERS: usize = 43;

/// The approved definitions, and what is known of those that the upstream has.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    pins: Vec<Pin>,
    /// Digest and name of what the log has. Copies share it.
    reported: Rc<RefCell<Vec<String>>>,
}

#[derive(Debug, Clone)]
struct Pin {
    name: String,
    digests: Vec<String>,
    /// Whether the definition that was seen last is approved, and until when that counts, in seconds since 1970.
    seen: Cell<Option<(bool, u64)>>,
}

/// What a definition is to the operator.
#[derive(Debug, PartialEq, Eq)]
pub enum Definition {
    /// Approved.
    Approved,
    /// Not approved: its digest, if it has a canonical form.
    Unapproved(Option<String>),
}

/// What is known of a tool when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The definition that was seen last is approved.
    Approved,
    /// It has an entry, but no definition was seen lately.
    Unseen,
    /// It has no entry, or the definition that was seen last is not approved.
    Refused,
}

impl Pins {
    /// Reads `TOOL_PINS`: entries `name=digest[,digest…]`, separated by white space. `None` if it is not set.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.text("TOOL_PINS")?;
        let mut pins: Vec<Pin> = Vec::new();
        for entry in reader.words("TOOL_PINS") {
            match Pin::parse(&entry) {
                Ok(pin) if pins.iter().any(|known| known.name == pin.name) => {
                    let problem = "names a tool that another entry names: list its digests in one entry, with commas";
                    reader.wrong_entry("TOOL_PINS", &entry, problem);
                }
                Ok(pin) => pins.push(pin),
                Err(problem) => reader.wrong_entry("TOOL_PINS", &entry, problem),
            }
        }
        Some(Self { pins, reported: Rc::default() })
    }

    /// Whether a tool's definition, JSON, is approved.
    #[must_use]
    pub fn check(&self, name: &str, definition: &str) -> Definition {
        let digest = digest(definition);
        let is_approved = |digest: &String| self.find(name).is_some_and(|pin| pin.digests.contains(digest));
        if digest.as_ref().is_some_and(is_approved) { Definition::Approved } else { Definition::Unapproved(digest) }
    }

    /// Remembers whether the definition that a tool has at `now` is approved, in seconds since 1970.
    pub fn remember(&self, name: &str, is_approved: bool, now: u64) {
        if let Some(pin) = self.find(name) {
            pin.seen.set(Some((is_approved, now.saturating_add(KNOWN_SECONDS))));
        }
    }

    /// What is known at `now` of a tool that is called.
    #[must_use]
    pub fn call(&self, name: &str, now: u64) -> Call {
        let Some(pin) = self.find(name) else { return Call::Refused };
        match pin.seen.get() {
            Some((is_approved, until)) if now < until => {
                if is_approved {
                    Call::Approved
                } else {
                    Call::Refused
                }
            }
            _ => Call::Unseen,
        }
    }

    /// Whether a definition that is not approved has not been reported yet, and is to be. Each is once, as long as there are
    /// not too many.
    #[must_use]
    pub fn report(&self, name: &str, digest: Option<&str>) -> bool {
        let report = [digest.unwrap_or_default(), name].concat();
        let mut reported = self.reported.borrow_mut();
        let is_new = reported.len() < MAX_REPORTS && !reported.contains(&report);
        if is_new {
            reported.push(report);
        }
        is_new
    }

    fn find(&self, name: &str) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.name == name)
    }
}

impl Pin {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let form = "must have the form name=digest,digest with digests of 43 characters, as the log shows them";
        let (name, digests) = entry.rsplit_once('=').filter(|(name, _)| !name.is_empty()).ok_or(form)?;
        let is_digest = |digest: &str| {
            let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            digest.len() == DIGEST_CHARACTERS && digest.bytes().all(is_base64url)
        };
        if !digests.split(',').all(is_digest) {
            return Err(form);
        }
        let digests = digests.split(',').map(str::to_owned).collect();
        Ok(Self { name: name.to_owned(), digests, seen: Cell::new(None) })
    }
}

/// The digest of a definition; `None` if it has no canonical form.
#[must_use]
pub fn digest(definition: &str) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(sha256(&canonical(definition)?)))
}

/// The canonical form of a definition; `None` if it has none.
#[must_use]
pub fn canonical(definition: &str) -> Option<String> {
    let mut source = Source(definition.trim_ascii());
    let canonical = source.value(0)?;
    if source.0.is_empty() { Some(canonical) } else { None }
}

/// JSON that was checked when it was taken out of a message. What is not JSON has no canonical form, or one that is none.
struct Source<'a>(&'a str);

impl<'a> Source<'a> {
    /// Takes a value, and returns its canonical form.
    fn value(&mut self, depth: usize) -> Option<String> {
        match self.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(|text| quote(&text)),
            _ => {
                let end = self.0.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.0.len());
                Some(self.take(end)?.to_owned()).filter(|literal| !literal.is_empty())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<String> {
        let mut members: Vec<(Cow<'a, str>, String)> = Vec::new();
        self.elements(b'}', &mut |source| {
            let name = source.string()?;
            source.skip(b':')?;
            let value = source.value(depth + 1)?;
            // Not sorted in the end: the code that sorts another type would be 4 KB.
            let place = members.binary_search_by(|(known, _)| known.as_bytes().cmp(name.as_bytes())).err()?;
            members.insert(place, (name, value));
            (members.len() <= MAX_MEMBERS).then_some(())
        })?;
        let mut text = String::from("{");
        for (index, (name, value)) in members.iter().enumerate() {
            text.extend([if index > 0 { "," } else { "" }, &*quote(name), ":", value.as_str()]);
        }
        text.push('}');
        Some(text)
    }

    fn array(&mut self, depth: usize) -> Option<String> {
        let mut text = String::from("[");
        self.elements(b']', &mut |source| {
            text.push_str(if text.len() > 1 { "," } else { "" });
            text.push_str(&source.value(depth + 1)?);
            Some(())
        })?;
        text.push(']');
        Some(text)
    }

    /// Takes what is between two brackets, in parts that are separated by commas.
    fn elements(&mut self, close: u8, each: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(1)?;
        if self.peek()? == close {
            return self.take(1).map(drop);
        }
        loop {
            each(self)?;
            match self.peek()? {
                b',' => self.take(1)?,
                end if end == close => return self.take(1).map(drop),
                _ => return None,
            };
        }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return None;
        }
        let mut is_escaped = true;
        let end = self.0.bytes().position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        })?;
        string(self.take(end + 1)?)
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        self.0 = self.0.trim_ascii_start();
        self.0.bytes().next()
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        if self.peek()? == byte { self.take(1).map(drop) } else { None }
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests;
