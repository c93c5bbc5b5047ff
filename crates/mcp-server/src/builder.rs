//! Builds a server, and rejects at that time what could only fail later.

use std::{rc::Rc, time::Duration};

use mcp_edge_protocol::load::Load;
use mcp_edge_runtime::json::Object;

use crate::{
    build_error::{BuildError, Registered, check_all, check_icons},
    catalog::Catalog,
    limits::{LIST_TTL, Limits, PAGE_SIZE},
    operations::{completion, prompts, resources, skills, tools},
    primitives::{
        connection::Declared,
        icon::{self, Icon},
        listing::Listing,
        prompt::Prompt,
        resource::{Cache, Resource, ResourceTemplate},
        skill::Skill,
        tool::Tool,
    },
    server::{Handlers, Presentation, Server},
    stream::Slots,
};

/// A server under construction, created by [`Server::builder`].
///
/// ```
/// use mcp_edge_server::{BuildError, Resource, Server, Tool};
///
/// let server: Result<Server, BuildError> = Server::builder("handbook", "1.0.0")
///     .title("Handbook")
///     .description("The rules of the house.")
///     .instructions("Search before you read.")
///     .scope("handbook:read", "Read the handbook")
///     .tool(Tool::new("search", async || "nothing found").description("Searches.").scope("handbook:read"))
///     .resource(Resource::text("handbook://licence", "licence", "Apache-2.0"))
///     .build();
/// assert!(server.is_ok());
/// ```
#[must_use]
pub struct ServerBuilder<E = ()> {
    name: String,
    version: String,
    title: Option<String>,
    description: Option<String>,
    website: Option<String>,
    icons: Vec<Icon>,
    instructions: Option<String>,
    catalog: Catalog<E>,
    handlers: Handlers<E>,
    registered: Vec<Registered>,
    scopes: Vec<(String, String)>,
    limits: Limits,
    /// The connections of the first primitive that has any.
    declared: Declared,
    /// The first error of what was registered.
    error: Option<BuildError>,
}

impl<E> Server<E> {
    /// Creates a builder of a server with this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ServerBuilder<E> {
        ServerBuilder::new(name.into(), version.into())
    }
}

impl<E> ServerBuilder<E> {
    fn new(name: String, version: String) -> Self {
        Self {
            name,
            version,
            title: None,
            description: None,
            website: None,
            icons: Vec::new(),
            instructions: None,
            catalog: Catalog {
                tools: Vec::new(),
                resources: Vec::new(),
                templates: Vec::new(),
                prompts: Vec::new(),
                skills: Vec::new(),
                logging: false,
                page_size: PAGE_SIZE,
                list_ttl: LIST_TTL,
            },
            handlers: Handlers::none(),
            registered: Vec::new(),
            scopes: Vec::new(),
            limits: Limits::default(),
            declared: Declared::NONE,
            error: None,
        }
    }

    /// What people read in place of the name.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What the server is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Where people read more.
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.website = Some(url.into());
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// What models should know about the server as a whole: how its tools play together.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Declares that handlers send log lines to clients. Without it [`Call::log`](crate::Call::log) does nothing.
    pub fn logging(mut self) -> Self {
        self.catalog.logging = true;
        self
    }

    /// Declares a scope, with what users read when they are asked to grant it.
    pub fn scope(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.scopes.push((name.into(), description.into()));
        self
    }

    /// Lets a function add what belongs together, such as the tools of one module.
    pub fn with(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    /// How many items a page of a list has. Defaults to 100.
    pub fn page_size(mut self, items: usize) -> Self {
        self.catalog.page_size = items;
        self
    }

    /// How long clients may keep lists and the server's description. Defaults to five minutes.
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.catalog.list_ttl = ttl;
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Checks a primitive, and remembers the first error.
    fn register(&mut self, kind: &'static str, key: &str, listing: &Listing, cache: Option<Cache>) {
        self.declared = self.declared.or(listing.connections);
        match Registered::check(kind, key, listing, cache) {
            Ok(registered) => self.registered.push(registered),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    /// Checks everything and creates the server.
    ///
    /// # Errors
    /// [`BuildError`] for the first error found.
    pub fn build(self) -> Result<Server<E>, BuildError> {
        check_all(&self.scopes, &self.registered)?;
        if let Some(error) = self.error {
            return Err(error);
        }
        check_icons(&self.icons)?;
        if self.catalog.page_size == 0 {
            return Err(BuildError::PageSize);
        }
        let info = Object::new()
            .text("name", &self.name)
            .text("version", &self.version)
            .maybe_text("title", self.title.as_deref())
            .maybe_text("description", self.description.as_deref())
            .maybe_text("websiteUrl", self.website.as_deref())
            .maybe_raw("icons", icon::list(&self.icons).as_deref())
            .close();
        let presentation = Presentation {
            meta: Rc::new(Object::new().raw("io.modelcontextprotocol/serverInfo", &info)),
            info,
            capabilities: self.catalog.capabilities(),
            name: self.name,
            title: self.title,
            description: self.description,
            instructions: self.instructions,
        };
        Ok(Server {
            presentation,
            catalog: self.catalog,
            handlers: self.handlers,
            scopes: self.scopes,
            slots: Slots::new(self.limits.concurrent_streams),
            load: Load::default(),
            declared: self.declared,
            limits: self.limits,
        })
    }
}

impl<E: Clone + 'static> ServerBuilder<E> {
    /// Adds a tool. Tools are listed in the order in which they are added.
    pub fn tool(mut self, tool: Tool<E>) -> Self {
        self.register("tool", &tool.name, &tool.listing, None);
        let name = tool.name.clone();
        match tool.build() {
            Ok(entry) => self.catalog.tools.push(Rc::new(entry)),
            Err(error) => self.fail(BuildError::Schema { tool: name, error }),
        }
        self.handlers.tools = Some(tools::handle);
        self
    }

    /// Adds a resource.
    pub fn resource(mut self, resource: Resource<E>) -> Self {
        self.register("resource", &resource.uri, &resource.listing, resource.cache);
        self.catalog.resources.push(Rc::new(resource.build()));
        self.handlers.resources = Some(resources::handle);
        self
    }

    /// Adds a resource template. Where several match a URI, the first one is read.
    pub fn resource_template(mut self, template: ResourceTemplate<E>) -> Self {
        self.register("resource template", &template.template, &template.listing, template.cache);
        let text = template.template.clone();
        match template.build() {
            Ok(entry) => self.catalog.templates.push(Rc::new(entry)),
            Err(error) => self.fail(BuildError::Template { template: text, error }),
        }
        self.handlers.resources = Some(resources::handle);
        self.handlers.completion = Some(completion::handle);
        self
    }

    /// Adds a prompt.
    pub fn prompt(mut self, prompt: Prompt<E>) -> Self {
        self.register("prompt", &prompt.name, &prompt.listing, None);
        let name = prompt.name.clone();
        match prompt.build() {
            Ok(entry) => self.catalog.prompts.push(Rc::new(entry)),
            Err(error) => self.fail(BuildError::PromptArgument { prompt: name, error }),
        }
        self.handlers.prompts = Some(prompts::handle);
        self.handlers.completion = Some(completion::handle);
        self
    }
    /// Adds a skill, as `include_skill!` makes it. Its files become resources, of which `SKILL.md` is in their list.
    pub fn skill(mut self, skill: Skill) -> Self {
        for file in skill.files() {
            self.register("resource", file.uri, &skill.listing, None);
            self.catalog.resources.push(Rc::new(skill.resource(file)));
        }
        self.catalog.skills.push(skill.build());
        self.handlers.resources = Some(resources::handle);
        self.handlers.skills = Some(skills::handle);
        self
    }
}
