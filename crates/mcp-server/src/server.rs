//! The server: how it presents itself, and what it offers.

use std::rc::Rc;

use mcp_edge_identity::Scopes;

use crate::{
    catalog::{Catalog, ToolInfo},
    limits::Limits,
    operations::Handler,
    primitives::{connection::Declared, required::RequiredConnection},
    stream::Slots,
};
use mcp_edge_protocol::{headers::HEADERS, load::Load, method::Method};
use mcp_edge_runtime::json::Object;

/// An MCP server: its tools, resources and prompts, and how it presents itself.
///
/// Built once ([`Server::builder`]); holds no state between requests. `E` is the environment that handlers get through
/// [`Call::env`](crate::Call::env).
pub struct Server<E = ()> {
    pub(crate) presentation: Presentation,
    pub(crate) catalog: Catalog<E>,
    pub(crate) handlers: Handlers<E>,
    /// Names, and the description that users read.
    pub(crate) scopes: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) slots: Slots,
    pub(crate) load: Load,
    /// One of the primitives' connections, if there is any.
    pub(crate) declared: Declared,
}

/// How a server presents itself.
pub(crate) struct Presentation {
    /// `serverInfo` as JSON.
    pub info: String,
    /// The same as a member of `_meta`.
    pub meta: Rc<Object>,
    /// `ServerCapabilities` as JSON.
    pub capabilities: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub instructions: Option<String>,
}

/// What handles the methods of each group of primitives; none for groups of which nothing is registered.
pub(crate) struct Handlers<E> {
    pub tools: Option<Handler<E>>,
    pub resources: Option<Handler<E>>,
    pub prompts: Option<Handler<E>>,
    pub completion: Option<Handler<E>>,
    pub skills: Option<Handler<E>>,
}

impl<E> Handlers<E> {
    /// Creates a table without handlers.
    pub const fn none() -> Self {
        Self { tools: None, resources: None, prompts: None, completion: None, skills: None }
    }

    /// The handler of a method that both eras share.
    pub fn of(&self, method: Method) -> Option<Handler<E>> {
        match method {
            Method::ToolsList | Method::ToolsCall => self.tools,
            Method::ResourcesList | Method::TemplatesList | Method::ResourcesRead => self.resources,
            Method::PromptsList | Method::PromptsGet => self.prompts,
            Method::Complete => self.completion,
            Method::SkillsList | Method::SkillsGet => self.skills,
            Method::Initialize
            | Method::Ping
            | Method::SetLevel
            | Method::Subscribe
            | Method::Unsubscribe
            | Method::Discover => None,
        }
    }
}

impl<E> Server<E> {
    /// The name for machines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.presentation.name
    }

    /// The name for people, or the other one.
    #[must_use]
    pub fn title(&self) -> &str {
        self.presentation.title.as_deref().unwrap_or(&self.presentation.name)
    }

    /// What the server is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.presentation.description.as_deref()
    }

    /// How it presents itself to clients: `serverInfo` as JSON, with name and version, and if set title, description,
    /// website and icons.
    #[must_use]
    pub fn info(&self) -> &str {
        &self.presentation.info
    }

    /// The limits that were set.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// All scopes that anything here requires.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.catalog.scopes()
    }

    /// The connections that anything here uses, those of several tools, resources or prompts several times.
    pub fn connections(&self) -> impl Iterator<Item = &'static RequiredConnection> {
        self.catalog.connections()
    }

    /// The name of one of these connections, if there are any.
    #[must_use]
    pub fn first_connection(&self) -> Option<&'static str> {
        self.declared.all().first().map(|connection| &*connection.name)
    }

    /// The same with `securitySchemes` of each tool in the list. `needed` returns all scopes of a call, of those that its tool
    /// requires, as clients request them.
    #[must_use]
    pub fn with_security_schemes(mut self, needed: impl Fn(&Scopes) -> Scopes) -> Self {
        // Nothing else has a tool before the first request.
        for tool in self.catalog.tools.iter_mut().filter_map(Rc::get_mut) {
            let scopes = needed(&tool.requirements.scopes);
            tool.add_security_scheme(&scopes);
        }
        self
    }

    /// The declared scopes, each with the description that users read.
    pub fn scope_descriptions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scopes.iter().map(|(name, description)| (name.as_str(), description.as_str()))
    }

    /// The tools in the order in which they are listed, including those that a caller may not use.
    pub fn tools(&self) -> impl Iterator<Item = ToolInfo<'_>> {
        self.catalog.tool_infos()
    }

    /// The lower-case names of all request headers that [`Server::admit`] and [`Server::handle`] read. Also what a
    /// browser must be allowed to send, together with `authorization`.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        HEADERS.into_iter().chain(self.catalog.parameter_headers())
    }
}
