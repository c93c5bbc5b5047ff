//! Skills: folders of instructions for agents, served as resources (MCP Skills extension, SEP-2640).

use std::rc::Rc;

use futures_util::future::FutureExt;
use mcp_edge_identity::Requirements;
use mcp_edge_runtime::json::Object;

use crate::{
    limits::LIST_TTL,
    primitives::{
        connection::Declared,
        content::ResourceContents,
        listing::{Listing, access_methods},
        resource::{Cache, Reader, ResourceEntry},
    },
};

/// A skill, made of a folder by `include_skill!` of the crate `mcp-edge`.
///
/// Its requirements are those of each of its files: callers without them see it neither in `skills/list` nor among the
/// resources, and can read none of it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Skill {
    included: &'static IncludedSkill,
    pub(crate) listing: Listing,
}

/// What `include_skill!` makes of a folder.
#[doc(hidden)]
#[derive(Debug)]
pub struct IncludedSkill {
    pub name: &'static str,
    pub description: &'static str,
    /// The entry of `skills/list` and `skills/get`: JSON.
    pub entry: &'static str,
    /// `SKILL.md` first.
    pub files: &'static [IncludedFile],
}

/// A file of such a folder.
#[doc(hidden)]
#[derive(Debug)]
pub struct IncludedFile {
    pub uri: &'static str,
    pub mime_type: &'static str,
    pub contents: IncludedContents,
}

/// The bytes of such a file, of which the entry has the digest.
#[doc(hidden)]
#[derive(Debug)]
pub enum IncludedContents {
    Text(&'static str),
    Bytes(&'static [u8]),
}

impl Skill {
    #[doc(hidden)]
    pub fn included(included: &'static IncludedSkill) -> Self {
        Self { included, listing: Listing::default() }
    }

    access_methods!();

    /// The URI of its `SKILL.md`, for instructions that mention it.
    #[must_use]
    pub fn uri(&self) -> &'static str {
        self.included.files.first().map_or("", |manifest| manifest.uri)
    }

    pub(crate) fn files(&self) -> &'static [IncludedFile] {
        self.included.files
    }

    /// A file as a resource. All are read, and the first one, `SKILL.md`, is listed.
    pub(crate) fn resource<E>(&self, file: &'static IncludedFile) -> ResourceEntry<E> {
        let IncludedFile { uri, mime_type, contents } = file;
        let read: Rc<Reader<E>> = Rc::new(move |_, uri, _| {
            let contents = match contents {
                IncludedContents::Text(text) => ResourceContents::text(uri, text),
                IncludedContents::Bytes(bytes) => ResourceContents::bytes(uri, bytes),
            };
            std::future::ready(Ok(vec![contents.mime_type(mime_type)])).boxed_local()
        });
        let listed = if *uri == self.uri() { self.listed(file) } else { String::new() };
        let requirements = self.listing.requirements.clone();
        let cache = if requirements.is_open() { Cache::public(LIST_TTL) } else { Cache::private(LIST_TTL) };
        ResourceEntry { uri: (*uri).into(), requirements, cache, read, connections: Declared::NONE, listed }
    }

    fn listed(&self, manifest: &IncludedFile) -> String {
        let size = match manifest.contents {
            IncludedContents::Text(text) => text.len(),
            IncludedContents::Bytes(bytes) => bytes.len(),
        };
        Object::new()
            .text("uri", manifest.uri)
            .text("name", self.included.name)
            .text("description", self.included.description)
            .text("mimeType", manifest.mime_type)
            .raw("size", &size.to_string())
            .close()
    }

    pub(crate) fn build(self) -> SkillEntry {
        SkillEntry { uri: self.uri().into(), json: self.included.entry, requirements: self.listing.requirements }
    }
}

/// A skill, ready to be listed.
pub(crate) struct SkillEntry {
    pub uri: Rc<str>,
    pub json: &'static str,
    pub requirements: Requirements,
}
