//! What a note is.

use std::fmt;

use mcp_edge::{Call, schema};

/// 120 characters: a title is a line in a list. In UTF-8 and JSON that is at most 720 bytes, and KV takes 1024 of
/// metadata.
pub const TITLE_CHARACTERS: usize = 120;

/// 10,000 characters: some pages of text. Models have to read it, and a summary reads [twenty](crate::documents).
pub const BODY_CHARACTERS: usize = 10_000;

/// 48 bits. Within one user's two hundred notes, two draw the same id once in 10¹⁰ notebooks.
const ID_BYTES: usize = 6;

/// The name of a note: twelve hexadecimal digits.
///
/// Ids come from clients and become a part of the store's keys and of URIs. Nothing that has another form ever becomes
/// a `NoteId`, so no `/`, no `..` and no key of somebody else can hide in one.
#[schema]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String", into = "String")]
// What stands above is for readers of the source. Models read this, and the pattern; `try_from` is what enforces it.
#[schemars(inline, description = "Twelve hexadecimal digits.", extend("pattern" = "^[0-9a-f]{12}$"))]
pub struct NoteId(String);

impl NoteId {
    /// Creates a random id.
    #[must_use]
    pub fn random<E>(call: &Call<E>) -> Self {
        let mut bytes = [0; ID_BYTES];
        call.random(&mut bytes);
        Self(hex(&bytes))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the note can be read as a resource.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("note://{self}")
    }
}

impl TryFrom<String> for NoteId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 2 * ID_BYTES && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err("an id has twelve hexadecimal digits; list_notes shows them".to_owned())
        }
    }
}

impl From<NoteId> for String {
    fn from(id: NoteId) -> Self {
        id.0
    }
}

impl fmt::Display for NoteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

/// A note that is still to be written. The lengths are in the schema, so they hold before a tool runs.
#[schema]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// One line that says what the note is about.
    #[schemars(length(min = 1, max = TITLE_CHARACTERS))]
    pub title: String,
    /// The text, in Markdown.
    #[schemars(length(max = BODY_CHARACTERS))]
    pub body: String,
}

/// A note.
#[schema]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Names the note in other tools.
    pub id: NoteId,
    /// One line that says what it is about.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// When it was written, in seconds since 1970.
    pub created_at: u64,
}

/// A note without its text.
#[schema(output)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Names the note in other tools.
    pub id: NoteId,
    /// One line that says what it is about.
    pub title: String,
    /// When it was written, in seconds since 1970.
    pub created_at: u64,
    /// Where it can be read as a resource.
    pub uri: String,
}

impl Draft {
    /// The note that this becomes. What no schema expresses is checked here: a title is a line with something in it.
    ///
    /// # Errors
    /// What is wrong with the title, for the model to read.
    pub fn into_note(self, id: NoteId, now: u64) -> Result<Note, &'static str> {
        let title = self.title.trim();
        if title.is_empty() {
            return Err("the title is blank");
        }
        if title.contains(char::is_control) {
            return Err("the title is one line, without control characters");
        }
        Ok(Note { id, title: title.to_owned(), body: self.body, created_at: now })
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_twelve_hexadecimal_digits_and_nothing_else() {
        assert!(NoteId::try_from("0123456789ab".to_owned()).is_ok());
        for text in ["", "0123456789a", "0123456789abc", "0123456789AB", "../../secret", "0123456789a/", "0123456789äb"]
        {
            assert!(NoteId::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_title_is_one_line_with_something_in_it() {
        let into_note = |title: &str| {
            let id = NoteId::try_from("0123456789ab".to_owned()).unwrap_or_else(|error| panic!("{error}"));
            Draft { title: title.to_owned(), body: String::new() }.into_note(id, 0).map(|note| note.title)
        };
        assert_eq!(into_note(" Milk "), Ok("Milk".to_owned()));
        assert_eq!(into_note(" \t "), Err("the title is blank"));
        assert_eq!(into_note("a\nb"), Err("the title is one line, without control characters"));
    }
}
