//! HTML under construction: markup is known at compile time, text is escaped. Pages insert text as element content and as
//! attribute values in double quotes only.

use mcp_edge_runtime::html::escape_into;

/// Text for element content or for an attribute value in double quotes.
#[must_use]
pub fn escape(text: &str) -> String {
    Html::from(text).into_string()
}

/// A piece of an HTML document.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Adds markup.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, as element content or as (a part of) an attribute value in double quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_into(text, &mut self.0);
        self
    }

    /// Adds a piece that was made in the same way.
    pub fn piece(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// The document.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A piece of text alone.
impl From<&str> for Html {
    fn from(text: &str) -> Self {
        let mut html = Self::default();
        html.text(text);
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_ends_a_context_is_left_of_text() {
        let mut html = Html::default();
        html.raw("<b>").text(r#"<b a="x" b='y'>&"#).piece(&"<i>".into()).number(7);
        assert_eq!(html.into_string(), "<b>&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;&lt;i&gt;7");
    }

    #[test]
    fn nothing_that_ends_a_context_is_left() {
        assert_eq!(escape(r#"<b a="x" b='y'>&"#), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}
