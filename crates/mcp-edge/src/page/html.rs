//! Text into HTML: templates with named gaps, and escaping.
//!
//! A template is a file of this project; what fills its gaps comes from operators and authors of tools, who may use any
//! character. Text is escaped where it is put in ([`escape`]); there is one way for element content and for attribute
//! values in double quotes, and the templates have no gaps elsewhere.

use std::borrow::Cow;

/// Text for element content or for an attribute value in double quotes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A template with its gaps (`{{name}}`) filled by `value`, which gives HTML. What fills a gap is not looked at again:
/// gaps in it are text. A gap that nothing fills is left as it is; the tests see to it that there is none.
#[must_use]
pub fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut filled = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        rest = after;
        match after.split_once("}}").and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => filled.push_str("{{"),
        }
    }
    filled + rest
}

/// `text` as a component of a URL: everything but the unreserved characters of RFC 3986 §2.3 is percent-encoded.
#[must_use]
pub fn url_component(text: &str) -> String {
    text.bytes().fold(String::with_capacity(3 * text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
        encoded
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_markup_survives() {
        assert_eq!(escape(r#"<b a="x" b='y'>&amp;"#), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
    }

    #[test]
    fn what_fills_a_gap_has_no_gaps() {
        let value = |name: &str| match name {
            "a" => Some("{{b}}".into()),
            "b" => Some("<i>".into()),
            _ => None,
        };
        assert_eq!(fill("1{{a}}2{{b}}3", value), "1{{b}}2<i>3");
        assert_eq!(fill("{{c}} {{ {{a", value), "{{c}} {{ {{a");
    }

    #[test]
    fn url_components_are_percent_encoded() {
        assert_eq!(url_component("https://a.b/ü?x=1&y"), "https%3A%2F%2Fa.b%2F%C3%BC%3Fx%3D1%26y");
        assert_eq!(url_component("A-z_0.~"), "A-z_0.~");
    }
}
