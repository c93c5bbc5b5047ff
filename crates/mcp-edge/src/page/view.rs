//! What the page shows: name, description, tools and scopes, taken from settings and server.

use crate::settings::Settings;
use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{protected_resource::advertisable, resource_server::TrustPolicy};
use mcp_edge_runtime::uri::split_origin;
use mcp_edge_server::{Server, ToolInfo};

/// The description of a server for which neither the settings nor the author give one.
pub(super) const DESCRIPTION: &str = "AI agents of your choice can work here on your behalf, as far as you allow it.";

/// The input of all sections.
pub(super) struct View<'a> {
    pub(super) settings: &'a Settings,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    /// The tools without those that only the operator's own clients may call.
    pub(super) tools: Vec<ToolInfo<'a>>,
    /// Each scope that one of the tools needs, with the author's description.
    pub(super) scopes: Vec<(String, Option<&'a str>)>,
    /// The scopes of a gateway's tables, whose tools the page cannot know.
    pub(super) gateway_scopes: Option<&'a Scopes>,
}

impl<'a> View<'a> {
    /// Creates the view of a server, or of a gateway with its scopes.
    pub(super) fn new<E>(settings: &'a Settings, server: &'a Server<E>, gateway_scopes: Option<&'a Scopes>) -> Self {
        let is_shown = |tool: &ToolInfo<'_>| gateway_scopes.is_none() && !tool.first_party_only;
        let tools: Vec<_> = server.tools().filter(is_shown).collect();
        let required = &settings.trust.required_scopes;
        let needed = tools.iter().map(|tool| tool.scopes).chain(gateway_scopes);
        let scopes: Scopes = required.iter().chain(needed.flat_map(Scopes::iter)).collect();
        let described =
            |scope: &str| server.scope_descriptions().find(|(name, _)| *name == scope).map(|(_, text)| text);
        Self {
            settings,
            name: settings.display.name.as_deref().unwrap_or_else(|| server.title()),
            description: settings.description.as_deref().or_else(|| server.description()).unwrap_or(DESCRIPTION),
            tools,
            scopes: advertisable(&scopes).map(|scope: &str| (scope.to_owned(), described(scope))).collect(),
            gateway_scopes,
        }
    }

    /// Returns the scopes of a call of `tool`, as clients request them.
    pub(super) fn needed_by(&self, tool: &ToolInfo<'_>) -> Scopes {
        let TrustPolicy { scope_prefix, required_scopes, .. } = &*self.settings.trust;
        scope_prefix.requested(&required_scopes.union(tool.scopes)).into_owned()
    }

    /// Returns the scopes that every request needs (`basic`), or those that it does not, as clients request them.
    pub(super) fn scopes_of(&self, basic: bool) -> Vec<String> {
        let TrustPolicy { scope_prefix, required_scopes, .. } = &*self.settings.trust;
        let scopes =
            self.scopes.iter().map(|(scope, _)| scope).filter(|scope| required_scopes.contains(scope) == basic);
        scopes.map(|scope| scope_prefix.before(scope).to_owned() + scope).collect()
    }

    /// Returns the origin of the first issuer. Clients use the first issuer, and so does the playground.
    pub(super) fn provider_origin(&self) -> Option<&'a str> {
        self.settings.trust.issuers.first().map(|trusted| split_origin(&trusted.issuer).0)
    }

    /// Returns the first character of the name. CSS makes it upper-case where this does not.
    pub(super) fn initial(&self) -> String {
        self.name.chars().take(1).map(|first| first.to_ascii_uppercase()).collect()
    }
}
