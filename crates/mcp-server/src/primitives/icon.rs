//! Icons of the server, its tools, resources and prompts (MCP 2025-11-25 and later, basic).

use mcp_edge_runtime::json::{Object, array, quote};

/// An image that clients may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    src: String,
    mime_type: Option<String>,
    sizes: Vec<String>,
    theme: Option<Theme>,
}

/// The background that an icon is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Light backgrounds.
    Light,
    /// Dark backgrounds.
    Dark,
}

impl Icon {
    /// An icon at an `https:` or `data:` URI; the builder refuses others, because clients do.
    #[must_use]
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: Vec::new(), theme: None }
    }

    /// Its media type, for example `image/png`.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Adds a size: `48x48`, or `any` for scalable images.
    #[must_use]
    pub fn size(mut self, size: impl Into<String>) -> Self {
        self.sizes.push(size.into());
        self
    }

    /// The background it is made for.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = Some(theme);
        self
    }

    /// Whether clients will fetch it.
    pub(crate) fn is_safe(&self) -> bool {
        ["https://", "data:"].iter().any(|scheme| self.src.starts_with(scheme))
    }

    pub(crate) fn src(&self) -> &str {
        &self.src
    }

    fn to_json(&self) -> String {
        let sizes = (!self.sizes.is_empty()).then(|| array(self.sizes.iter().map(|size| quote(size))));
        let theme = self.theme.map(|theme| match theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        });
        Object::new()
            .text("src", &self.src)
            .maybe_text("mimeType", self.mime_type.as_deref())
            .maybe_raw("sizes", sizes.as_deref())
            .maybe_text("theme", theme)
            .close()
    }
}

/// The icons as JSON, if there are any.
pub(crate) fn list(icons: &[Icon]) -> Option<String> {
    (!icons.is_empty()).then(|| array(icons.iter().map(Icon::to_json)))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_shows_only_what_is_known_of_it() {
        let plain = Icon::new("data:image/png;base64,AA==");
        let full = Icon::new("https://a.example/i.svg").mime_type("image/svg+xml").size("any").theme(Theme::Dark);
        assert_eq!(list(&[]), None);
        assert_eq!(
            list(&[plain, full]).as_deref(),
            Some(concat!(
                r#"[{"src":"data:image/png;base64,AA=="},"#,
                r#"{"src":"https://a.example/i.svg","mimeType":"image/svg+xml","sizes":["any"],"theme":"dark"}]"#
            ))
        );
        assert!(!Icon::new("http://a.example/i.png").is_safe());
    }
}
