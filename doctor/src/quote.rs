//! Excerpts and quotations of text that the examined server wrote.

/// The longest excerpt, in characters.
const MAX_CHARS: usize = 160;

/// Truncates a text from the examined server to a readable length.
#[must_use]
pub fn excerpt(text: &str) -> String {
    shorten(text, MAX_CHARS)
}

/// An [`excerpt`] in quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

/// How many examples are named.
const MAX_EXAMPLES: usize = 3;

/// The longest example, in characters.
const MAX_EXAMPLE_CHARS: usize = 100;

/// The first strings of a list, shortened, and the count of the rest: `a, b, c and 4 more`.
#[must_use]
pub fn examples(strings: &[String]) -> String {
    let shown: Vec<_> = strings.iter().take(MAX_EXAMPLES).map(|text| shorten(text, MAX_EXAMPLE_CHARS)).collect();
    match strings.len().saturating_sub(MAX_EXAMPLES) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn shorten(text: &str, max_chars: usize) -> String {
    let mut chars = text.chars();
    let beginning: String = chars.by_ref().take(max_chars).collect();
    if chars.next().is_some() { beginning + "…" } else { beginning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_examples_are_named_and_the_rest_is_counted() {
        let strings = |count: usize| (0..count).map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(examples(&strings(0)), "");
        assert_eq!(examples(&strings(3)), "0, 1, 2");
        assert_eq!(examples(&strings(1000)), "0, 1, 2 and 997 more");
        assert_eq!(examples(&["é".repeat(500)]), format!("{}…", "é".repeat(MAX_EXAMPLE_CHARS)));
    }

    #[test]
    fn long_strings_are_truncated_between_characters() {
        assert_eq!(quote("é"), "\"é\"");
        assert_eq!(quote(&"é".repeat(MAX_CHARS + 1)), format!("\"{}…\"", "é".repeat(MAX_CHARS)));
    }
}
