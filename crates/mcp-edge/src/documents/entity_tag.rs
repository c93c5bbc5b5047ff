//! Entity tags (RFC 9110 §8.8.3), and what a reader says it has (`If-None-Match`, §13.1.2).

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Bytes of the hash that become the tag: 2^64 texts are more than any document will ever have.
const HASH_BYTES: usize = 8;

/// The strong entity tag of a text: other text, other tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// Makes the tag of `body`.
    #[must_use]
    pub fn of(body: &str) -> Self {
        let mut tag = String::with_capacity(2 * HASH_BYTES + 2);
        tag.push('"');
        for byte in &Sha256::digest(body)[..HASH_BYTES] {
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        Self(tag)
    }

    /// As it stands in a header, with its quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `if_none_match` names this tag, or any. Compared weakly (RFC 9110 §8.8.3.2), because what compresses a
    /// document on its way makes the tag a weak one. What is no list of tags names none from there on.
    #[must_use]
    pub fn is_known(&self, if_none_match: &str) -> bool {
        let mut rest = if_none_match.trim_matches([' ', '\t']);
        if rest == "*" {
            return true;
        }
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let opaque = rest.strip_prefix("W/").unwrap_or(rest);
            // A tag may contain commas, so its end is its quote.
            let Some(length) = opaque.strip_prefix('"').and_then(|inside| inside.find('"')) else { return false };
            let (tag, after) = opaque.split_at(length + 2);
            if tag == self.0 {
                return true;
            }
            rest = after;
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_has_another_tag() {
        assert_eq!(EntityTag::of("a"), EntityTag::of("a"));
        assert_ne!(EntityTag::of("a"), EntityTag::of("b"));
        assert_eq!(EntityTag::of("").as_str(), r#""e3b0c44298fc1c14""#);
    }

    #[test]
    fn a_reader_knows_the_tags_that_it_lists() {
        let tag = EntityTag("\"a\"".to_owned());
        for known in [
            "*",
            " * ",
            r#""a""#,
            r#"W/"a""#,
            r#""b", "a""#,
            r#""b","a""#,
            r#""b" , W/"a""#,
            r#"W/"b",	"a", "c""#,
            r#", ,"a","#,
            r#""b,c", "a""#,
        ] {
            assert!(tag.is_known(known), "{known}");
        }
    }

    #[test]
    fn nothing_but_whole_tags_counts() {
        let tag = EntityTag("\"a\"".to_owned());
        for other in [
            "",
            ",",
            "a",
            r#""""#,
            r#""A""#,
            r#""aa""#,
            r#"w/"a""#,
            r#"W/ "a""#,
            // One tag with a comma in it, which contains ours as text.
            r#"", a, ""#,
            r#""x,"#,
            r#"x"a""#,
            r#"*, "b""#,
            r#""b" x"#,
            "\"",
            "W/",
            "W/\"",
        ] {
            assert!(!tag.is_known(other), "{other}");
        }
        // The quotes of two other tags enclose a text that looks like ours.
        assert!(!EntityTag("\",\"".to_owned()).is_known(r#""b","c""#));
    }
}
