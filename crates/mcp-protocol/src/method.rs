//! Methods of requests and notifications, by name.

use super::revision::Era;

/// A request method of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `initialize`
    Initialize,
    /// `ping`
    Ping,
    /// `logging/setLevel`
    SetLevel,
    /// `resources/subscribe`
    Subscribe,
    /// `resources/unsubscribe`
    Unsubscribe,
    /// `server/discover`
    Discover,
    /// `tools/list`
    ToolsList,
    /// `tools/call`
    ToolsCall,
    /// `prompts/list`
    PromptsList,
    /// `prompts/get`
    PromptsGet,
    /// `resources/list`
    ResourcesList,
    /// `resources/templates/list`
    TemplatesList,
    /// `resources/read`
    ResourcesRead,
    /// `completion/complete`
    Complete,
    /// `skills/list`, of the extension `io.modelcontextprotocol/skills`
    SkillsList,
    /// `skills/get`, of the same
    SkillsGet,
}

/// Every method once, next to its name.
const NAMES: [(Method, &str); 16] = [
    (Method::ToolsCall, "tools/call"),
    (Method::ToolsList, "tools/list"),
    (Method::Discover, "server/discover"),
    (Method::Initialize, "initialize"),
    (Method::Ping, "ping"),
    (Method::ResourcesRead, "resources/read"),
    (Method::ResourcesList, "resources/list"),
    (Method::TemplatesList, "resources/templates/list"),
    (Method::PromptsGet, "prompts/get"),
    (Method::PromptsList, "prompts/list"),
    (Method::Complete, "completion/complete"),
    (Method::SetLevel, "logging/setLevel"),
    (Method::Subscribe, "resources/subscribe"),
    (Method::Unsubscribe, "resources/unsubscribe"),
    (Method::SkillsList, "skills/list"),
    (Method::SkillsGet, "skills/get"),
];

/// The notifications that clients send.
const NOTIFICATIONS: [&str; 4] = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

/// A notification's name, if it is one of the protocol's.
#[must_use]
pub fn notification(name: &str) -> Option<&'static str> {
    NOTIFICATIONS.into_iter().find(|known| *known == name)
}

impl Method {
    /// The method of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(method, _)| *method)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }

    /// Whether an era has this method. `subscriptions/listen` is in no list here: this server announces no changes, so it
    /// does not offer it.
    #[must_use]
    pub fn exists_in(self, era: Era) -> bool {
        match self {
            Self::Initialize | Self::Ping | Self::SetLevel | Self::Subscribe | Self::Unsubscribe => era == Era::Legacy,
            Self::Discover => era == Era::Modern,
            _ => true,
        }
    }

    /// The member of `params` that the `Mcp-Name` header repeats (MCP 2026-07-28, basic/transports).
    #[must_use]
    pub fn named_by(self) -> Option<&'static str> {
        match self {
            Self::ToolsCall | Self::PromptsGet => Some("name"),
            Self::ResourcesRead => Some("uri"),
            _ => None,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_methods_are_inverse_to_each_other() {
        for (method, name) in NAMES {
            assert_eq!(Method::parse(name), Some(method));
            assert_eq!(method.as_str(), name);
        }
        assert_eq!(Method::parse("subscriptions/listen"), None);
    }
}
