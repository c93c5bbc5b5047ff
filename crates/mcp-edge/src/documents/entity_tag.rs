//! Entity tags (RFC 9110 §8.8.3) and their comparison with `If-None-Match` (§13.1.2).

use std::fmt::Write;

use mcp_edge_runtime::digest::sha256;

/// Bytes of the hash in a tag: two versions of a document have the same tag with a probability of 2^-64.
const HASH_BYTES: usize = 8;

/// A strong entity tag, derived from the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// Creates the tag of `body`.
    #[must_use]
    pub fn of(body: &str) -> Self {
        let mut tag = String::with_capacity(2 * HASH_BYTES + 2);
        tag.push('"');
        for byte in &sha256(body)[..HASH_BYTES] {
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        Self(tag)
    }

    /// Returns the value of the header, with quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `if_none_match` contains this tag or is `*`. The comparison is weak (RFC 9110 §8.8.3.2), because
    /// proxies that compress a document turn its tag into a weak one. What follows a syntax error is ignored.
    #[must_use]
    pub fn is_known(&self, if_none_match: &str) -> bool {
        let mut rest = if_none_match.trim_matches([' ', '\t']);
        if rest == "*" {
            return true;
        }
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let opaque = rest.strip_prefix("W/").unwrap_or(rest);
            // A tag may contain commas, so it ends at its quote.
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
