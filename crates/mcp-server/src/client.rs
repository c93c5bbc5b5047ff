//! What a client says about itself: name, version and capabilities (MCP 2026-07-28, basic). Self-declared, so good
//! for display, logs and the question of what it can be asked, and for nothing else.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::limits::{CLIENT_INFO_BYTES, EXTENSIONS_BYTES};
use mcp_edge_protocol::{error::RpcError, params::pick_members};

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

impl ClientInfo {
    pub(super) fn is_short(&self) -> bool {
        self.name.len() + self.version.len() <= CLIENT_INFO_BYTES
    }
}

/// What a client can be asked during a request. Empty for clients of the era with a handshake: they declare it once,
/// in a request that a stateless server has forgotten.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientCapabilities {
    /// A bit for each.
    declared: u8,
    extensions: Option<Box<Extensions>>,
}

/// The settings of extensions.
#[derive(Debug, Clone)]
struct Extensions {
    json: String,
    /// Made of it when somebody asks.
    members: OnceCell<Map<String, Value>>,
}

impl PartialEq for Extensions {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

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
    /// Reads a `ClientCapabilities` object.
    ///
    /// # Errors
    /// If a known member occurs twice, or the settings of extensions are larger than anybody needs.
    pub(super) fn read(json: &RawValue) -> Result<Self, RpcError> {
        if is_empty(json) {
            return Ok(Self::default());
        }
        let malformed = |_| RpcError::envelope("clientCapabilities", "is malformed, or has a member twice");
        let [elicitation, sampling, roots, extensions] =
            pick_members(json.get(), &["elicitation", "sampling", "roots", "extensions"]).map_err(malformed)?;
        let mut declared = 0;
        let mut declare = |capability: Capability, is_declared| declared |= u8::from(is_declared) << capability as u8;
        if let Some(raw) = elicitation.filter(|raw| is_object(raw)) {
            let [form, url] = pick_members(raw.get(), &["form", "url"]).map_err(malformed)?;
            // `elicitation` without modes means forms; with other modes, which are objects, it means those.
            declare(Capability::Elicitation, form.is_some() || raw.get().rfind('{') == Some(0));
            declare(Capability::UrlElicitation, url.is_some_and(is_object));
        }
        if let Some(raw) = sampling.filter(|raw| is_object(raw)) {
            let [tools] = pick_members(raw.get(), &["tools"]).map_err(malformed)?;
            declare(Capability::Sampling, true);
            declare(Capability::SamplingTools, tools.is_some_and(is_object));
        }
        declare(Capability::Roots, roots.is_some_and(is_object));
        let extensions = match extensions {
            Some(raw) if raw.get().len() > EXTENSIONS_BYTES => {
                let problem = format!("has extensions of more than {EXTENSIONS_BYTES} bytes");
                return Err(RpcError::envelope("clientCapabilities", &problem));
            }
            raw => raw.map(|raw| Box::new(Extensions { json: raw.get().to_owned(), members: OnceCell::new() })),
        };
        Ok(Self { declared, extensions })
    }

    /// Whether the client has declared `capability` for this request.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.declared >> capability as u8 & 1 == 1
    }

    /// The settings of an extension that the client supports.
    #[must_use]
    pub fn extension(&self, identifier: &str) -> Option<&Value> {
        let Extensions { json, members } = self.extensions.as_deref()?;
        members.get_or_init(|| serde_json::from_str(json).unwrap_or_default()).get(identifier)
    }
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

fn is_empty(object: &RawValue) -> bool {
    object.get().bytes().all(|byte| matches!(byte, b'{' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &str) -> Result<ClientCapabilities, RpcError> {
        ClientCapabilities::read(serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}")))
    }

    fn declared(value: &Value) -> ClientCapabilities {
        read(&value.to_string()).unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[test]
    fn elicitation_without_modes_means_forms() {
        assert!(declared(&json!({"elicitation": {}})).has(Capability::Elicitation));
        assert!(declared(&json!({"elicitation": {"form": {}}})).has(Capability::Elicitation));
        assert!(!declared(&json!({"elicitation": {"url": {}}})).has(Capability::Elicitation));
        assert!(declared(&json!({"elicitation": {"url": {}}})).has(Capability::UrlElicitation));
        assert!(!declared(&json!({"elicitation": {}})).has(Capability::UrlElicitation));
        assert!(!declared(&json!({"elicitation": {"video": {}}})).has(Capability::Elicitation));
    }

    #[test]
    fn what_is_no_object_is_not_declared() {
        assert!(!declared(&json!({"sampling": true})).has(Capability::Sampling));
        assert!(!declared(&json!({})).has(Capability::Roots));
        assert!(declared(&json!({"sampling": {"tools": {}}})).has(Capability::SamplingTools));
        assert!(!declared(&json!({"elicitation": {"url": true}})).has(Capability::UrlElicitation));
    }

    #[test]
    fn what_is_null_is_not_declared() {
        let nulls = declared(&json!({"elicitation": null, "sampling": null, "roots": null, "extensions": null}));
        assert_eq!(nulls, ClientCapabilities::default());
        let forms = declared(&json!({"elicitation": {"form": null, "url": null}, "sampling": {"tools": null}}));
        assert!(forms.has(Capability::Elicitation) && !forms.has(Capability::UrlElicitation));
        assert!(forms.has(Capability::Sampling) && !forms.has(Capability::SamplingTools));
        let url = declared(&json!({"elicitation": {"form": null, "url": {}}}));
        assert!(!url.has(Capability::Elicitation) && url.has(Capability::UrlElicitation));
    }

    #[test]
    fn an_empty_object_may_have_spaces() {
        for json in [r#"{"elicitation":{ }}"#, "{\n\"elicitation\"\n:\n{\r\n\t}}"] {
            assert!(read(json).is_ok_and(|declared| declared.has(Capability::Elicitation)), "{json}");
        }
    }

    #[test]
    fn extensions_have_settings() {
        let declared = declared(&json!({"extensions": {"com.example/x": {"a": [1]}}}));
        assert_eq!(declared.extension("com.example/x"), Some(&json!({"a": [1]})));
        assert_eq!(declared.extension("com.example/y"), None);
        assert_eq!(ClientCapabilities::default().extension("x"), None);
    }

    #[test]
    fn what_is_unknown_is_skipped_however_deep_and_large_it_is() {
        let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        let json = format!(r#"{{"x":{deep},"roots":{{"y":{deep}}},"x":1}}"#);
        assert!(read(&json).is_ok_and(|declared| declared.has(Capability::Roots)));
    }

    #[test]
    fn a_known_member_that_occurs_twice_is_an_error() {
        assert!(read(r#"{"roots":{},"roots":{}}"#).is_err());
        assert!(read(r#"{"elicitation":{"url":{},"url":{}}}"#).is_err());
    }

    #[test]
    fn settings_of_extensions_have_a_limit() {
        let of = |length| json!({"extensions": {"x": "x".repeat(length)}}).to_string();
        assert!(read(&of(EXTENSIONS_BYTES - 8)).is_ok());
        assert!(read(&of(EXTENSIONS_BYTES)).is_err_and(|error| error.message.contains("16384 bytes")));
    }
}
