//! `PAGE`, `PAGE_COLOR`, `PLAYGROUND_CLIENT_ID`, `DEVELOPER_PORTAL`: the page at `/`.

use mcp_edge_runtime::{color::Color, settings::Reader};

/// Settings of the page at `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSettings {
    /// Whether the page is published.
    pub shown: bool,
    /// Its colour as it is set.
    pub color: Color,
    /// The public client that the playground signs users in with, at the first issuer.
    pub playground_client_id: Option<String>,
    /// URL of the developer portal.
    pub developer_portal: Option<String>,
}

impl PageSettings {
    /// Whether users can sign in and call tools on the page.
    #[must_use]
    pub fn has_playground(&self) -> bool {
        self.shown && self.playground_client_id.is_some()
    }
}

/// Reads these settings. Without the feature `page` they are ignored, and nothing is shown.
pub(super) fn read(reader: &mut Reader<'_>) -> PageSettings {
    if !cfg!(feature = "page") {
        return PageSettings {
            shown: false,
            color: Color::DEFAULT,
            playground_client_id: None,
            developer_portal: None,
        };
    }
    let color = reader.text("PAGE_COLOR").map(|text| (Color::parse(&text), text));
    if let Some((None, text)) = &color {
        reader
            .error(format!("PAGE_COLOR = {text:?} must be a colour such as {}: a hash and six digits", Color::DEFAULT));
    }
    PageSettings {
        shown: reader.flag("PAGE", true),
        color: color.and_then(|(color, _)| color).unwrap_or(Color::DEFAULT),
        playground_client_id: reader.text("PLAYGROUND_CLIENT_ID"),
        developer_portal: reader.url("DEVELOPER_PORTAL"),
    }
}
