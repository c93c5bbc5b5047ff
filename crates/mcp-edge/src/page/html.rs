//! An HTML document to which text is added escaped, and URL encoding.
//!
//! Markup is known at compile time: [`Html::raw`] and [`Html::fill`] take `&'static str`. Settings and strings of tool
//! authors are added with [`Html::text`]. The same escaping is valid in element content and in attribute values in double
//! quotes; templates have gaps in these two places only, but for that of [`Html::json`].

use mcp_edge_runtime::html::escape_into;

/// An HTML document.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Adds markup.
    #[inline(never)] // called in a hundred places: the size matters, not the time
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, as element content or as (a part of) an attribute value in double quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_into(text, &mut self.0);
        self
    }

    /// Adds JSON as an attribute value in single quotes. There its many quotes need no references.
    pub fn json(&mut self, json: &str) -> &mut Self {
        for character in json.chars() {
            match character {
                // JSON has these characters in strings only.
                '&' => self.0.push_str("\\u0026"),
                '<' => self.0.push_str("\\u003c"),
                '>' => self.0.push_str("\\u003e"),
                '\'' => self.0.push_str("\\u0027"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Adds a template and calls `write` for each gap (`{{name}}`), in order. What `write` adds is not searched for gaps.
    pub fn fill(&mut self, template: &'static str, mut write: impl FnMut(&mut Self, &str)) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            write(self.raw(before), name);
            rest = after;
        }
        self.raw(rest);
    }

    /// Returns the document.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Encodes `text` as a component of a URL: everything but the unreserved characters of RFC 3986 §2.3 is percent-encoded.
#[must_use]
pub fn url_component(text: &str) -> String {
    percent_encoded(text, b"-._~")
}

/// Encodes `text` for a `data:` URL, where more characters stand for themselves (RFC 2397 §3). A short result: what
/// [`Html::text`] would replace is encoded, too.
#[must_use]
pub fn in_data_url(text: &str) -> String {
    percent_encoded(text, b"-._~=:/ ")
}

/// Percent-encodes everything but letters, digits and `kept`.
fn percent_encoded(text: &str, kept: &[u8]) -> String {
    text.bytes().fold(String::with_capacity(3 * text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
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
    fn json_is_escaped_as_json() {
        let mut html = Html::default();
        let value = serde_json::json!({ "a": "</script>'\"&amp;" });
        html.json(&value.to_string());
        let text = html.into_string();
        assert_eq!(text, r#"{"a":"\u003c/script\u003e\u0027\"\u0026amp;"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn text_is_escaped() {
        let mut html = Html::default();
        html.raw("<b>").text(r#"<b a="x" b='y'>&amp; Grüße, 世界"#);
        assert_eq!(html.into_string(), "<b>&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp; Grüße, 世界");
    }

    #[test]
    fn gaps_in_text_stay_text() {
        let mut html = Html::default();
        html.fill("1{{a}}2{{b}}3", |html, name| {
            match name {
                "a" => html.text("{{b}}"),
                _ => html.raw("<i>"),
            };
        });
        assert_eq!(html.into_string(), "1{{b}}2<i>3");
    }

    #[test]
    fn url_components_are_percent_encoded() {
        assert_eq!(url_component("https://a.b/ü?x=1&y"), "https%3A%2F%2Fa.b%2F%C3%BC%3Fx%3D1%26y");
        assert_eq!(url_component("A-z_0.~"), "A-z_0.~");
    }
}
