//! Excerpts and quotations of text that the examined server wrote.

/// The longest excerpt, in characters.
const MAX_CHARS: usize = 160;

/// Truncates a text from the examined server to a readable length.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let mut chars = text.chars();
    let beginning: String = chars.by_ref().take(MAX_CHARS).collect();
    if chars.next().is_some() { beginning + "…" } else { beginning }
}

/// An [`excerpt`] in quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_strings_are_truncated_between_characters() {
        assert_eq!(quote("é"), "\"é\"");
        assert_eq!(quote(&"é".repeat(MAX_CHARS + 1)), format!("\"{}…\"", "é".repeat(MAX_CHARS)));
    }
}
