//! Text in HTML: one escaping for element content and for attribute values in double quotes.

/// Adds `text` to a document, as element content or as (a part of) an attribute value in double quotes.
pub fn escape_into(text: &str, document: &mut String) {
    for character in text.chars() {
        match character {
            '&' => document.push_str("&amp;"),
            '<' => document.push_str("&lt;"),
            '>' => document.push_str("&gt;"),
            '"' => document.push_str("&quot;"),
            '\'' => document.push_str("&#39;"),
            other => document.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_ends_a_context_is_left() {
        let mut document = String::from("<p>");
        escape_into(r#"<b a="x" b='y'>&"#, &mut document);
        assert_eq!(document, "<p>&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}
