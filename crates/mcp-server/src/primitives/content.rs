//! What tools, prompts and resources say: content blocks and resource contents (MCP 2026-07-28, server/tools and
//! server/resources). Both are kept as the JSON they become.

use std::borrow::Cow;

use mcp_edge_runtime::{
    base64::STANDARD,
    json::{Object, array, to_json},
};

/// For the rest of a block, and for escapes.
const ROOM_BYTES: usize = 128;

/// A block of content in a tool's result or a prompt's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentBlock {
    block: Object,
    annotations: Object,
}

impl ContentBlock {
    /// Text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self::block(Object::with_capacity(text.len() + ROOM_BYTES).text("type", "text").text("text", text))
    }

    /// An image, for example of the media type `image/png`.
    #[must_use]
    pub fn image(bytes: impl AsRef<[u8]>, mime_type: &str) -> Self {
        Self::binary("image", bytes.as_ref(), mime_type)
    }

    /// A sound, for example of the media type `audio/wav`.
    #[must_use]
    pub fn audio(bytes: impl AsRef<[u8]>, mime_type: &str) -> Self {
        Self::binary("audio", bytes.as_ref(), mime_type)
    }

    /// A resource with all that is in it.
    #[must_use]
    pub fn resource(contents: &ResourceContents) -> Self {
        Self::block(Object::new().text("type", "resource").object("resource", &[&contents.0]))
    }

    /// A pointer to a resource, which the client may read. It need not be in the server's list.
    #[must_use]
    pub fn resource_link(link: &ResourceLink) -> Self {
        Self::block(Object::new().text("type", "resource_link").with(&link.0))
    }

    /// Whom this is for; both unless said.
    #[must_use]
    pub fn audience(mut self, audience: Role) -> Self {
        self.annotations = self.annotations.raw("audience", &array([to_json(audience.as_str())]));
        self
    }

    /// How much this matters, from 0 (may be dropped) to 1 (needed).
    #[must_use]
    pub fn priority(mut self, priority: f32) -> Self {
        let priority = if priority.is_finite() { priority.clamp(0.0, 1.0) } else { 0.0 };
        self.annotations = self.annotations.raw("priority", &to_json(&priority));
        self
    }

    /// When the content was last changed, in the form of ISO 8601: `2026-07-28T12:00:00Z`.
    #[must_use]
    pub fn last_modified(mut self, time: &str) -> Self {
        self.annotations = self.annotations.text("lastModified", time);
        self
    }

    fn block(block: Object) -> Self {
        Self { block, annotations: Object::new() }
    }

    fn binary(kind: &str, bytes: &[u8], mime_type: &str) -> Self {
        let data = STANDARD.encode(bytes);
        Self::block(Object::new().text("type", kind).text("data", &data).text("mimeType", mime_type))
    }

    /// As an object of JSON.
    pub(crate) fn to_object(&self) -> Cow<'_, Object> {
        if self.annotations == Object::new() {
            return Cow::Borrowed(&self.block);
        }
        Cow::Owned(self.block.clone().object("annotations", &[&self.annotations]))
    }
}

/// Text is the usual content.
impl<T: AsRef<str>> From<T> for ContentBlock {
    fn from(text: T) -> Self {
        Self::text(text)
    }
}

/// Who speaks in a prompt, or whom content is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// The contents of a resource, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceContents(Object);

impl ResourceContents {
    /// Text under a concrete URI.
    #[must_use]
    pub fn text(uri: &str, text: &str) -> Self {
        Self(Object::new().text("uri", uri).text("text", text))
    }

    /// Bytes under a concrete URI.
    #[must_use]
    pub fn bytes(uri: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::encoded(uri, &STANDARD.encode(bytes))
    }

    /// Bytes that are in base64 already.
    pub(crate) fn encoded(uri: &str, blob: &str) -> Self {
        Self(Object::new().text("uri", uri).text("blob", blob))
    }

    /// The media type. Call it once.
    #[must_use]
    pub fn mime_type(self, mime_type: &str) -> Self {
        Self(self.0.text("mimeType", mime_type))
    }

    pub(crate) fn to_json(&self) -> String {
        self.0.clone().close()
    }
}

/// A pointer to a resource, for [`ContentBlock::resource_link`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceLink(Object);

impl ResourceLink {
    /// A link to `uri`, which is called `name`.
    #[must_use]
    pub fn new(uri: &str, name: &str) -> Self {
        Self(Object::new().text("uri", uri).text("name", name))
    }

    /// What people read in place of the name.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        Self(self.0.text("title", title))
    }

    /// What it is.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        Self(self.0.text("description", description))
    }

    /// The media type.
    #[must_use]
    pub fn mime_type(self, mime_type: &str) -> Self {
        Self(self.0.text("mimeType", mime_type))
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(self, bytes: u64) -> Self {
        Self(self.0.number("size", bytes))
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn json(content: &ContentBlock) -> String {
        content.to_object().into_owned().close()
    }

    #[test]
    fn blocks_have_the_members_of_their_type() {
        let contents = ResourceContents::text("note://1", "x").mime_type("text/plain");
        let link = ResourceLink::new("note://1", "one").size(3);
        for (content, expected) in [
            (ContentBlock::text("a\"b"), r#"{"type":"text","text":"a\"b"}"#),
            (ContentBlock::image([0xff], "image/png"), r#"{"type":"image","data":"/w==","mimeType":"image/png"}"#),
            (ContentBlock::audio([], "audio/wav"), r#"{"type":"audio","data":"","mimeType":"audio/wav"}"#),
            (
                ContentBlock::resource(&contents),
                r#"{"type":"resource","resource":{"uri":"note://1","text":"x","mimeType":"text/plain"}}"#,
            ),
            (ContentBlock::resource_link(&link), r#"{"type":"resource_link","uri":"note://1","name":"one","size":3}"#),
        ] {
            assert_eq!(json(&content), expected);
        }
    }

    #[test]
    fn annotations_come_as_one_object() {
        let content = ContentBlock::text("x").audience(Role::User).priority(0.5).last_modified("2026-07-28T00:00:00Z");
        let annotations = r#"{"audience":["user"],"priority":0.5,"lastModified":"2026-07-28T00:00:00Z"}"#;
        assert_eq!(json(&content), format!(r#"{{"type":"text","text":"x","annotations":{annotations}}}"#));
        assert!(json(&ContentBlock::text("x").priority(f32::NAN)).contains(r#""priority":0.0"#));
    }
}
