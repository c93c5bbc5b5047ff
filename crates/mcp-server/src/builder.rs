//! Building a server, and refusing then what could only fail later.

use std::{rc::Rc, time::Duration};

use crate::{
    limits::{LIST_TTL, Limits, NAME_LENGTH, PAGE_SIZE},
    load::Load,
    primitives::{
        access::Listing,
        icon::{self, Icon},
        prompt::{Prompt, PromptArgumentError},
        resource::{Resource, ResourceTemplate},
        schema::SchemaError,
        template::TemplateError,
        tool::Tool,
    },
    server::Server,
    transport::stream::Slots,
};
use mcp_edge_identity::is_scope_token;
use mcp_edge_runtime::json::Object;

/// A server under construction. Made by [`Server::builder`].
#[must_use]
pub struct ServerBuilder<E = ()> {
    name: String,
    version: String,
    title: Option<String>,
    description: Option<String>,
    website: Option<String>,
    icons: Vec<Icon>,
    instructions: Option<String>,
    logging: bool,
    tools: Vec<Tool<E>>,
    resources: Vec<Resource<E>>,
    templates: Vec<ResourceTemplate<E>>,
    prompts: Vec<Prompt<E>>,
    scopes: Vec<(String, String)>,
    page_size: usize,
    list_ttl: Duration,
    limits: Limits,
}

/// Why a server cannot be built. Each is a mistake in the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A name that clients may refuse.
    #[error("{kind} name {name:?} is not 1 to {NAME_LENGTH} characters of A-Z a-z 0-9 _ . -")]
    Name {
        /// `tool` or `prompt`.
        kind: &'static str,
        /// As given.
        name: String,
    },
    /// Two items that clients could not tell apart.
    #[error("there are two {kind}s called {name:?}")]
    Duplicate {
        /// `tool`, `resource`, `resource template`, `prompt` or `scope`.
        kind: &'static str,
        /// Name or URI.
        name: String,
    },
    /// Not a URI: no scheme, or characters that must be escaped.
    #[error("{0:?} is not an absolute URI")]
    Uri(String),
    /// A scope name that no token can contain (RFC 6749 §3.3).
    #[error("{0:?} is not a scope name")]
    ScopeName(String),
    /// An item requires a scope of which users have never been told anything.
    #[error("{item:?} requires the scope {scope:?}, which is not declared")]
    UndeclaredScope {
        /// Name or URI.
        item: String,
        /// The scope.
        scope: String,
    },
    /// A schema of a tool.
    #[error("the schema of tool {tool:?}: {error}")]
    Schema {
        /// Its name.
        tool: String,
        /// What is wrong.
        #[source]
        error: SchemaError,
    },
    /// A URI template.
    #[error("the template {template:?}: {error}")]
    Template {
        /// As given.
        template: String,
        /// What is wrong.
        #[source]
        error: TemplateError,
    },
    /// The arguments of a prompt.
    #[error("the prompt {prompt:?}: {error}")]
    PromptArgument {
        /// Its name.
        prompt: String,
        /// What is wrong.
        #[source]
        error: PromptArgumentError,
    },
    /// An icon that clients will not fetch.
    #[error("icon {0:?} is neither an https: nor a data: URI")]
    Icon(String),
    /// A resource that not everybody may read, but that caches may give to anybody.
    #[error("{0:?} requires something of its readers and yet lets shared caches keep it")]
    PublicCache(String),
    /// Pages without items never end.
    #[error("the page size is 0")]
    PageSize,
}

impl<E> ServerBuilder<E> {
    pub(super) fn new(name: String, version: String) -> Self {
        Self {
            name,
            version,
            title: None,
            description: None,
            website: None,
            icons: Vec::new(),
            instructions: None,
            logging: false,
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            scopes: Vec::new(),
            page_size: PAGE_SIZE,
            list_ttl: LIST_TTL,
            limits: Limits::default(),
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
        self.logging = true;
        self
    }

    /// Declares a scope, with what users read when they are asked to grant it.
    pub fn scope(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.scopes.push((name.into(), description.into()));
        self
    }

    /// Adds a tool. Tools are listed in the order in which they are added.
    pub fn tool(mut self, tool: Tool<E>) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds a resource.
    pub fn resource(mut self, resource: Resource<E>) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds a resource template. Where several match a URI, the first one is read.
    pub fn resource_template(mut self, template: ResourceTemplate<E>) -> Self {
        self.templates.push(template);
        self
    }

    /// Adds a prompt.
    pub fn prompt(mut self, prompt: Prompt<E>) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// Lets a function add what belongs together, such as the tools of one module.
    pub fn with(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    /// How many items a page of a list has. Defaults to 100.
    pub fn page_size(mut self, items: usize) -> Self {
        self.page_size = items;
        self
    }

    /// How long clients may keep lists and the server's description. Defaults to five minutes.
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.list_ttl = ttl;
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Checks everything and makes the server.
    ///
    /// # Errors
    /// [`BuildError`] for the first mistake found.
    pub fn build(self) -> Result<Server<E>, BuildError>
    where
        E: 'static,
    {
        self.check()?;
        let info = Object::new()
            .text("name", &self.name)
            .text("version", &self.version)
            .maybe_text("title", self.title.as_deref())
            .maybe_text("description", self.description.as_deref())
            .maybe_text("websiteUrl", self.website.as_deref())
            .maybe_raw("icons", icon::list(&self.icons).as_deref())
            .close();
        let tools = self.tools.into_iter().map(|tool| {
            let name = tool.name.clone();
            tool.build().map(Rc::new).map_err(|error| BuildError::Schema { tool: name, error })
        });
        let templates = self.templates.into_iter().map(|template| {
            let text = template.template.clone();
            template.build().map(Rc::new).map_err(|error| BuildError::Template { template: text, error })
        });
        let prompts = self.prompts.into_iter().map(|prompt| {
            let name = prompt.name.clone();
            prompt.build().map(Rc::new).map_err(|error| BuildError::PromptArgument { prompt: name, error })
        });
        let mut server = Server {
            info: info.into(),
            name: self.name,
            title: self.title,
            description: self.description,
            instructions: self.instructions,
            capabilities: String::new(),
            logging: self.logging,
            tools: tools.collect::<Result<_, _>>()?,
            resources: self.resources.into_iter().map(|resource| Rc::new(resource.build())).collect(),
            templates: templates.collect::<Result<_, _>>()?,
            prompts: prompts.collect::<Result<_, _>>()?,
            scopes: self.scopes,
            page_size: self.page_size,
            list_ttl: self.list_ttl,
            slots: Slots::new(self.limits.concurrent_streams),
            load: Load::default(),
            limits: self.limits,
        };
        server.capabilities = server.render_capabilities();
        Ok(server)
    }

    fn check(&self) -> Result<(), BuildError> {
        let scopes = self.scopes.iter().map(|(name, _)| name.as_str());
        if let Some(name) = scopes.clone().find(|name| !is_scope_token(name)) {
            return Err(BuildError::ScopeName(name.to_owned()));
        }
        unique("scope", scopes)?;
        let tools = self.tools.iter().map(|tool| tool.name.as_str());
        let prompts = self.prompts.iter().map(|prompt| prompt.name.as_str());
        let resources = self.resources.iter().map(|resource| resource.uri.as_str());
        let templates = self.templates.iter().map(|template| template.template.as_str());
        tools.clone().try_for_each(|name| check_name("tool", name))?;
        prompts.clone().try_for_each(|name| check_name("prompt", name))?;
        resources.clone().try_for_each(|uri| check_uri(uri, false))?;
        templates.clone().try_for_each(|template| check_uri(template, true))?;
        unique("tool", tools.clone())?;
        unique("prompt", prompts.clone())?;
        unique("resource", resources.clone())?;
        unique("resource template", templates.clone())?;

        let listings = tools
            .zip(self.tools.iter().map(|tool| &tool.listing))
            .chain(prompts.zip(self.prompts.iter().map(|prompt| &prompt.listing)))
            .chain(resources.zip(self.resources.iter().map(|resource| &resource.listing)))
            .chain(templates.zip(self.templates.iter().map(|template| &template.listing)));
        for (item, listing) in listings {
            self.check_listing(item, listing)?;
        }
        check_icons(&self.icons)?;

        let caches = self.resources.iter().map(|resource| (&resource.uri, &resource.listing, resource.cache));
        let template_caches = self.templates.iter().map(|entry| (&entry.template, &entry.listing, entry.cache));
        for (uri, listing, cache) in caches.chain(template_caches) {
            if cache.is_some_and(|cache| cache.public) && !listing.requirements.is_open() {
                return Err(BuildError::PublicCache(uri.clone()));
            }
        }
        if self.page_size == 0 { Err(BuildError::PageSize) } else { Ok(()) }
    }

    fn check_listing(&self, item: &str, listing: &Listing) -> Result<(), BuildError> {
        let declared = |scope: &&String| self.scopes.iter().any(|(name, _)| name == *scope);
        if let Some(scope) = listing.requirements.named.iter().find(|scope| !declared(scope)) {
            return Err(BuildError::UndeclaredScope { item: item.to_owned(), scope: scope.clone() });
        }
        check_icons(&listing.icons)
    }
}

fn check_name(kind: &'static str, name: &str) -> Result<(), BuildError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=NAME_LENGTH).contains(&name.len()) && name.bytes().all(valid) {
        Ok(())
    } else {
        Err(BuildError::Name { kind, name: name.to_owned() })
    }
}

/// A scheme (RFC 3986 §3.1), a colon, and visible ASCII but for what must be escaped. The braces of templates are
/// looked at when they are parsed.
fn check_uri(uri: &str, braces: bool) -> Result<(), BuildError> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`|".contains(&byte))
        && (braces || !uri.contains(['{', '}']));
    if valid { Ok(()) } else { Err(BuildError::Uri(uri.to_owned())) }
}

fn check_icons(icons: &[Icon]) -> Result<(), BuildError> {
    match icons.iter().find(|icon| !icon.is_safe()) {
        Some(icon) => Err(BuildError::Icon(icon.src().to_owned())),
        None => Ok(()),
    }
}

fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a str> + Clone) -> Result<(), BuildError> {
    let mut sorted: Vec<&str> = names.collect();
    sorted.sort_unstable();
    match sorted.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first()).flatten()) {
        Some(twice) => Err(BuildError::Duplicate { kind, name: (*twice).to_owned() }),
        None => Ok(()),
    }
}
