//! The catalog: all primitives that a server offers, and what follows from them.

use std::{collections::BinaryHeap, rc::Rc, time::Duration};

use mcp_edge_identity::Scopes;
use mcp_edge_runtime::json::Object;

use crate::primitives::{
    connection::Declared,
    prompt::PromptEntry,
    required::RequiredConnection,
    resource::{ResourceEntry, TemplateEntry},
    skill::SkillEntry,
    tool::ToolEntry,
};
use mcp_edge_identity::Requirements;
use mcp_edge_protocol::method::Method;

/// All primitives of a server, in the order in which they are listed.
pub(crate) struct Catalog<E> {
    pub tools: Vec<Rc<ToolEntry<E>>>,
    pub resources: Vec<Rc<ResourceEntry<E>>>,
    pub templates: Vec<Rc<TemplateEntry<E>>>,
    pub prompts: Vec<Rc<PromptEntry<E>>>,
    /// Their files are among the resources.
    pub skills: Vec<SkillEntry>,
    /// Whether handlers send log messages to clients.
    pub logging: bool,
    /// Items of one page of a list.
    pub page_size: usize,
    /// How long clients may keep lists and the server's description.
    pub list_ttl: Duration,
}

/// A tool as people see it, for a page.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ToolInfo<'a> {
    /// The name that models use.
    pub name: &'a str,
    /// The name that people read, if another.
    pub title: Option<&'a str>,
    /// What it does.
    pub description: Option<&'a str>,
    /// What the caller must have been granted.
    pub scopes: &'a Scopes,
    /// Whether it refuses clients that act for themselves.
    pub needs_user: bool,
    /// Whether it refuses clients that are not the operator's own.
    pub first_party_only: bool,
    /// Whether it refuses access keys and personal access tokens.
    pub refuses_keys: bool,
    /// The accounts at other services that it uses.
    pub connections: &'a [RequiredConnection],
}

impl<E> Catalog<E> {
    /// All scopes that anything here requires.
    pub fn scopes(&self) -> Scopes {
        let tools = self.tools.iter().map(|tool| &tool.requirements);
        let resources = self.resources.iter().map(|resource| &resource.requirements);
        let templates = self.templates.iter().map(|template| &template.requirements);
        let prompts = self.prompts.iter().map(|prompt| &prompt.requirements);
        let all = tools.chain(resources).chain(templates).chain(prompts);
        all.flat_map(|requirements: &Requirements| requirements.scopes.iter()).collect()
    }

    /// The connections that anything here uses, those of several primitives several times.
    pub fn connections(&self) -> impl Iterator<Item = &'static RequiredConnection> {
        let tools = self.tools.iter().map(|tool| tool.connections);
        let resources = self.resources.iter().map(|resource| resource.connections);
        let templates = self.templates.iter().map(|template| template.connections);
        let prompts = self.prompts.iter().map(|prompt| prompt.connections);
        let all = tools.chain(resources).chain(templates).chain(prompts);
        all.flat_map(Declared::all)
    }

    /// The tools in the order in which they are listed.
    pub fn tool_infos(&self) -> impl Iterator<Item = ToolInfo<'_>> {
        self.tools.iter().map(|tool| ToolInfo {
            name: &tool.name,
            title: tool.title.as_deref(),
            description: tool.description.as_deref(),
            scopes: &tool.requirements.scopes,
            needs_user: tool.requirements.user,
            first_party_only: tool.requirements.first_party,
            refuses_keys: tool.requirements.refuses_keys,
            connections: tool.connections.all(),
        })
    }

    /// The headers that repeat arguments of tools, sorted, each once.
    pub fn parameter_headers(&self) -> Vec<&str> {
        let parameters = self.tools.iter().flat_map(|tool| &tool.parameters);
        let headers: BinaryHeap<&str> = parameters.map(|parameter| parameter.header.as_str()).collect();
        let mut headers = headers.into_sorted_vec();
        headers.dedup();
        headers
    }

    /// Whether there is anything that `method` acts on.
    pub fn supports(&self, method: Method) -> bool {
        match method {
            Method::Initialize | Method::Ping | Method::Discover => true,
            Method::SetLevel => self.logging,
            Method::ToolsList | Method::ToolsCall => !self.tools.is_empty(),
            Method::PromptsList | Method::PromptsGet => !self.prompts.is_empty(),
            Method::ResourcesList
            | Method::TemplatesList
            | Method::ResourcesRead
            | Method::Subscribe
            | Method::Unsubscribe => self.has_resources(),
            Method::Complete => self.has_completions(),
            Method::SkillsList | Method::SkillsGet => !self.skills.is_empty(),
        }
    }

    /// `ServerCapabilities` as JSON. Nothing announces changes, so neither `listChanged` nor `subscribe` is among them.
    pub fn capabilities(&self) -> String {
        let declared = [
            ("tools", !self.tools.is_empty()),
            ("resources", self.has_resources()),
            ("prompts", !self.prompts.is_empty()),
            ("completions", self.has_completions()),
            ("logging", self.logging),
        ];
        let declared = declared.into_iter().filter(|(_, is_declared)| *is_declared);
        let declared = declared.fold(Object::new(), |object, (name, _)| object.raw(name, "{}"));
        // Without `directoryRead`: the entry of a skill names all of its files.
        let extensions = (!self.skills.is_empty()).then_some(r#"{"io.modelcontextprotocol/skills":{}}"#);
        declared.maybe_raw("extensions", extensions).close()
    }

    fn has_resources(&self) -> bool {
        !self.resources.is_empty() || !self.templates.is_empty()
    }

    fn has_completions(&self) -> bool {
        self.prompts.iter().any(|prompt| !prompt.completers.is_empty())
            || self.templates.iter().any(|template| !template.completers.is_empty())
    }
}
