//! What a client says about itself: name, version and capabilities (MCP 2026-07-28, basic). Self-declared, so good
//! for display, logs and the question of what it can be asked, and for nothing else.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The software at the other end, as it calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
}

/// What a client can be asked during a request. Empty for clients of the era with a handshake: they declare it once,
/// in a request that a stateless server has forgotten.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientCapabilities(pub(super) Map<String, Value>);

/// Something that a client can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Filling in a form.
    Elicitation,
    /// Visiting a URL.
    UrlElicitation,
    /// An answer from its model.
    Sampling,
    /// An answer from its model, with tools.
    SamplingTools,
    /// Its workspace roots.
    Roots,
}

impl Capability {
    fn path(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Elicitation => ("elicitation", None),
            Self::UrlElicitation => ("elicitation", Some("url")),
            Self::Sampling => ("sampling", None),
            Self::SamplingTools => ("sampling", Some("tools")),
            Self::Roots => ("roots", None),
        }
    }

    /// As a `ClientCapabilities` object with this capability alone.
    pub(super) fn to_json(self) -> &'static str {
        match self {
            Self::Elicitation => r#"{"elicitation":{}}"#,
            Self::UrlElicitation => r#"{"elicitation":{"url":{}}}"#,
            Self::Sampling => r#"{"sampling":{}}"#,
            Self::SamplingTools => r#"{"sampling":{"tools":{}}}"#,
            Self::Roots => r#"{"roots":{}}"#,
        }
    }
}

impl ClientCapabilities {
    /// Whether the client has declared `capability` for this request.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        let (name, part) = capability.path();
        let Some(Value::Object(declared)) = self.0.get(name) else { return false };
        match part {
            Some(part) => declared.get(part).is_some_and(Value::is_object),
            // An empty `elicitation` means forms; one that names other modes means those.
            None if name == "elicitation" => declared.is_empty() || declared.contains_key("form"),
            None => true,
        }
    }

    /// The settings of an extension that the client supports.
    #[must_use]
    pub fn extension(&self, identifier: &str) -> Option<&Value> {
        self.0.get("extensions")?.get(identifier)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn declared(value: &Value) -> ClientCapabilities {
        ClientCapabilities(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn elicitation_without_modes_means_forms() {
        assert!(declared(&json!({"elicitation": {}})).has(Capability::Elicitation));
        assert!(declared(&json!({"elicitation": {"form": {}}})).has(Capability::Elicitation));
        assert!(!declared(&json!({"elicitation": {"url": {}}})).has(Capability::Elicitation));
        assert!(declared(&json!({"elicitation": {"url": {}}})).has(Capability::UrlElicitation));
        assert!(!declared(&json!({"elicitation": {}})).has(Capability::UrlElicitation));
    }

    #[test]
    fn what_is_no_object_is_not_declared() {
        assert!(!declared(&json!({"sampling": true})).has(Capability::Sampling));
        assert!(!declared(&json!({})).has(Capability::Roots));
        assert!(declared(&json!({"sampling": {"tools": {}}})).has(Capability::SamplingTools));
    }
}
