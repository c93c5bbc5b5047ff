//! Resources: documents that clients read by URI, one by one or by template (MCP 2026-07-28, server/resources).

use std::{rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    call::Call,
    limits::LIST_TTL,
    primitives::{
        completion::{Completer, Completers, completion_methods},
        connection::Declared,
        content::ResourceContents,
        error::{Failure, ResourceError},
        listing::{Listing, listing_methods},
        template::{Template, TemplateError},
    },
};
use mcp_edge_identity::Requirements;
use mcp_edge_runtime::{base64::STANDARD, json::Object};

/// How long clients may keep what they have read, and with whom they may share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    pub(crate) ttl: Duration,
    pub(crate) public: bool,
}

impl Cache {
    /// For this caller only. Right for everything that depends on who asks.
    #[must_use]
    pub fn private(ttl: Duration) -> Self {
        Self { ttl, public: false }
    }

    /// For everybody: a cache between may give it to any user of this server, although the endpoint asks for a token.
    #[must_use]
    pub fn public(ttl: Duration) -> Self {
        Self { ttl, public: true }
    }

    /// For this caller, and not at all.
    pub(crate) const NO: Self = Self { ttl: Duration::ZERO, public: false };
}

/// Reads a resource. The value is what the template has matched.
pub(crate) type Reader<E> = dyn Fn(Call<E>, &str, Value) -> Reading;
/// Creates the reader, once the media type is known.
type MakeReader<E> = Box<dyn FnOnce(Option<Rc<str>>) -> Rc<Reader<E>>>;
type Reading = LocalBoxFuture<'static, Result<Vec<ResourceContents>, ResourceError>>;

/// A resource with a URI of its own, under construction.
///
/// ```
/// use std::time::Duration;
///
/// use mcp_edge_server::{Cache, Call, Resource};
///
/// async fn profile(call: Call) -> String {
///     call.identity().subject().to_owned()
/// }
///
/// let resource: Resource = Resource::new("profile://me", "profile", profile)
///     .description("The user's profile.")
///     .mime_type("text/plain")
///     .cache(Cache::private(Duration::from_secs(60)))
///     .needs_user();
/// let fixed: Resource = Resource::text("handbook://licence", "licence", "Apache-2.0");
/// ```
#[must_use]
pub struct Resource<E = ()> {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) listing: Listing,
    mime_type: Option<Rc<str>>,
    size: Option<usize>,
    pub(crate) cache: Option<Cache>,
    source: Source<E>,
}

enum Source<E> {
    /// The member `text` or `blob`, with its value.
    Fixed(&'static str, Rc<str>),
    Handler(MakeReader<E>),
}

impl<E: 'static> Resource<E> {
    /// A resource that a function reads: `async fn(Call<E>) -> Result<T, ResourceError>` where `T` is
    /// [`IntoResourceContents`].
    pub fn new<F, Fut, R>(uri: impl Into<String>, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Call<E>) -> Fut + 'static,
        Fut: Future<Output = R> + 'static,
        R: IntoResourceContents,
    {
        let read = |mime_type: Option<Rc<str>>| -> Rc<Reader<E>> {
            Rc::new(move |call, uri, _| finish(handler(call), uri, mime_type.clone()))
        };
        Self::from_source(uri, name, Source::Handler(Box::new(read)))
    }

    /// A text that is always the same.
    pub fn text(uri: impl Into<String>, name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { size: Some(text.len()), ..Self::from_source(uri, name, Source::Fixed("text", text.into())) }
    }

    /// Bytes that are always the same.
    pub fn bytes(uri: impl Into<String>, name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        let blob = STANDARD.encode(&bytes);
        Self { size: Some(bytes.as_ref().len()), ..Self::from_source(uri, name, Source::Fixed("blob", blob.into())) }
    }

    fn from_source(uri: impl Into<String>, name: impl Into<String>, source: Source<E>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            listing: Listing::default(),
            mime_type: None,
            size: None,
            cache: None,
            source,
        }
    }

    listing_methods!("resource:");

    /// The media type: `text/markdown`.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into().into());
        self
    }

    /// How long clients may keep it. Defaults to not at all for handlers, and to five minutes for what is always the
    /// same.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    pub(crate) fn build(self) -> ResourceEntry<E> {
        let Self { uri, name, listing, mime_type, size, cache, source } = self;
        let listed = listing
            .describe(Object::new().text("uri", &uri).text("name", &name))
            .maybe_text("mimeType", mime_type.as_deref())
            .maybe_raw("size", size.map(|size| size.to_string()).as_deref())
            .maybe_raw("_meta", listing.connections.meta())
            .close();
        let default = match &source {
            Source::Fixed(..) if listing.requirements.is_open() => Cache::public(LIST_TTL),
            Source::Fixed(..) => Cache::private(LIST_TTL),
            Source::Handler(_) => Cache::NO,
        };
        let read: Rc<Reader<E>> = match source {
            Source::Handler(handler) => handler(mime_type),
            Source::Fixed(member, value) => Rc::new(move |_, uri, _| {
                let contents = match member {
                    "text" => ResourceContents::text(uri, &value),
                    _ => ResourceContents::encoded(uri, &value),
                };
                std::future::ready(Ok(vec![typed(contents, mime_type.as_deref())])).boxed_local()
            }),
        };
        ResourceEntry {
            uri: uri.into(),
            connections: listing.connections,
            requirements: listing.requirements,
            cache: cache.unwrap_or(default),
            read,
            listed,
        }
    }
}

/// A resource, ready to be listed and read.
pub(crate) struct ResourceEntry<E> {
    pub uri: Rc<str>,
    pub requirements: Requirements,
    pub cache: Cache,
    pub read: Rc<Reader<E>>,
    pub connections: Declared,
    /// Empty for what is not listed.
    pub listed: String,
}

/// Resources whose URIs follow a template, under construction.
///
/// ```
/// use mcp_edge_server::{Call, ResourceTemplate};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Page {
///     chapter: u8,
/// }
///
/// async fn page(_: Call, Page { chapter }: Page) -> String {
///     format!("Chapter {chapter}")
/// }
///
/// let template: ResourceTemplate = ResourceTemplate::new("handbook://{chapter}", "chapter", page)
///     .description("A chapter of the handbook.")
///     .mime_type("text/plain")
///     .complete_among("chapter", ["1", "2"]);
/// ```
#[must_use]
pub struct ResourceTemplate<E = ()> {
    pub(crate) template: String,
    pub(crate) name: String,
    pub(crate) listing: Listing,
    mime_type: Option<Rc<str>>,
    pub(crate) cache: Option<Cache>,
    pub(crate) completers: Completers<E>,
    handler: MakeReader<E>,
}

impl<E: 'static> ResourceTemplate<E> {
    /// Resources under a template such as `note://{folder}/{id}` (RFC 6570 level 1), which a function reads:
    /// `async fn(Call<E>, Variables) -> Result<T, ResourceError>` where `T` is [`IntoResourceContents`].
    ///
    /// `Variables` is a type with a `String` for each variable of the template, or a map. The values are decoded
    /// and may contain anything, slashes and dots included: they are names, not paths.
    pub fn new<F, V, Fut, R>(template: impl Into<String>, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Call<E>, V) -> Fut + 'static,
        V: DeserializeOwned,
        Fut: Future<Output = R> + 'static,
        R: IntoResourceContents,
    {
        let read = |mime_type: Option<Rc<str>>| -> Rc<Reader<E>> {
            Rc::new(move |call, uri, variables| match V::deserialize(variables) {
                Ok(variables) => finish(handler(call, variables), uri, mime_type.clone()),
                // Variables are text; a type that takes less than any text names no resource for the rest.
                Err(_) => std::future::ready(Err(ResourceError::not_found())).boxed_local(),
            })
        };
        Self {
            template: template.into(),
            name: name.into(),
            listing: Listing::default(),
            mime_type: None,
            cache: None,
            completers: Completers::default(),
            handler: Box::new(read),
        }
    }

    listing_methods!("resource:");
    completion_methods!();

    /// The media type, if it is the same for all.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into().into());
        self
    }

    /// How long clients may keep what they have read. Defaults to not at all.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    pub(crate) fn build(self) -> Result<TemplateEntry<E>, TemplateError> {
        let Self { template, name, listing, mime_type, cache, completers, handler } = self;
        let parsed = Template::parse(&template)?;
        if let Some(unknown) = completers.names().find(|name| !parsed.variables().any(|known| known == *name)) {
            return Err(TemplateError::NoSuchVariable(unknown.to_owned()));
        }
        let listed = listing
            .describe(Object::new().text("uriTemplate", &template).text("name", &name))
            .maybe_text("mimeType", mime_type.as_deref())
            .maybe_raw("_meta", listing.connections.meta())
            .close();
        Ok(TemplateEntry {
            connections: listing.connections,
            uri_template: template.into(),
            template: parsed,
            requirements: listing.requirements,
            cache: cache.unwrap_or(Cache::NO),
            completers: Rc::new(completers),
            read: handler(mime_type),
            listed,
        })
    }
}

/// A template, ready to be listed and read.
pub(crate) struct TemplateEntry<E> {
    pub uri_template: Rc<str>,
    pub template: Template,
    pub requirements: Requirements,
    pub cache: Cache,
    pub completers: Rc<Completers<E>>,
    pub read: Rc<Reader<E>>,
    pub connections: Declared,
    pub listed: String,
}

/// What the template has matched, for the handler.
pub(crate) fn variables(matched: Vec<(&str, String)>) -> Value {
    // Not collected, see `Disclosure::disclose`.
    let mut members = Map::new();
    members.extend(matched.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    Value::Object(members)
}

fn finish<R: IntoResourceContents>(
    reading: impl Future<Output = R> + 'static,
    uri: &str,
    mime_type: Option<Rc<str>>,
) -> Reading {
    let uri = uri.to_owned();
    async move { reading.await.into_contents(&uri, mime_type.as_deref()) }.boxed_local()
}

fn typed(contents: ResourceContents, mime_type: Option<&str>) -> ResourceContents {
    match mime_type {
        Some(mime_type) => contents.mime_type(mime_type),
        None => contents,
    }
}

/// What reading a resource may yield.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the contents of a resource",
    note = "a reader returns `String`, `Vec<u8>`, `ResourceContents`, `Vec<ResourceContents>`, or a `Result` of one of these"
)]
pub trait IntoResourceContents {
    /// The contents under the URI that was asked for. `mime_type` is the one declared.
    ///
    /// # Errors
    /// The reader's own.
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError>;
}

impl IntoResourceContents for String {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError> {
        Ok(vec![typed(ResourceContents::text(uri, &self), mime_type)])
    }
}

impl IntoResourceContents for Vec<u8> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError> {
        Ok(vec![typed(ResourceContents::bytes(uri, self), mime_type)])
    }
}

impl IntoResourceContents for ResourceContents {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError> {
        Ok(vec![self])
    }
}

impl IntoResourceContents for Vec<ResourceContents> {
    /// None at all means that there is no such resource: the specification has no empty contents.
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError> {
        if self.is_empty() { Err(ResourceError(Failure::NotFound)) } else { Ok(self) }
    }
}

impl<T: IntoResourceContents, X: Into<ResourceError>> IntoResourceContents for Result<T, X> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<Vec<ResourceContents>, ResourceError> {
        self.map_err(Into::into)?.into_contents(uri, mime_type)
    }
}
