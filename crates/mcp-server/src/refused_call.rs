//! A tool call that lacks a scope, answered with an error result: for clients that do not honour the status 403.
//!
//! The member of `_meta` is `OpenAI`'s (developers.openai.com/plugins, authentication): the challenges that `WWW-Authenticate`
//! would have. Its clients ask the user for the scopes that they name.

use mcp_edge_protocol::{
    era::has_claim,
    jsonrpc::{self, Kind, parse_message},
    method::Method,
    revision::Era,
};
use mcp_edge_runtime::json::{Object, array, quote};

/// What the model reads, and can pass on to its user.
const TEXT: &str = "The user has not allowed this yet: it needs further scopes. Ask them to sign in again and to allow it, then \
                    repeat the call.";

/// A tool call, as far as its answer needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCall {
    /// JSON.
    id: String,
    era: Era,
}

impl RefusedCall {
    /// Reads a posted body. `None`: it is no call of a tool.
    #[must_use]
    pub fn of(body: &str) -> Option<Self> {
        let message = parse_message(body).ok()?;
        let Kind::Request { id, method } = message.kind else { return None };
        let era = if has_claim(&message.params) { Era::Modern } else { Era::Legacy };
        (Method::parse(&method) == Some(Method::ToolsCall)).then(|| Self { id: id.to_owned(), era })
    }

    /// The error result with a challenge, as JSON.
    #[must_use]
    pub fn result(&self, challenge: &str) -> String {
        let content = array([Object::new().text("type", "text").text("text", TEXT).close()]);
        let meta = Object::new().raw("mcp/www_authenticate", &array([quote(challenge)])).close();
        let kind = (self.era == Era::Modern).then_some("complete");
        let members = Object::new()
            .maybe_text("resultType", kind)
            .raw("content", &content)
            .flag("isError", true)
            .raw("_meta", &meta);
        jsonrpc::result(&self.id, &[&members])
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_calls_of_tools_have_such_a_result() {
        let call = |id: Value, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method}).to_string();
        assert!(RefusedCall::of(&call(json!(1), "tools/call")).is_some());
        for body in [
            call(json!(1), "prompts/get"),
            call(Value::Null, "tools/call"),
            json!({"jsonrpc": "2.0", "method": "tools/call"}).to_string(),
            json!([{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}]).to_string(),
            "{".to_owned(),
        ] {
            assert_eq!(RefusedCall::of(&body), None, "{body}");
        }
    }

    #[test]
    fn the_result_has_the_form_of_the_clients_era() {
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"a b\"";
        for (params, kind) in [
            (json!({"name": "t"}), Value::Null),
            (
                json!({"name": "t", "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}),
                json!("complete"),
            ),
        ] {
            let body = json!({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params}).to_string();
            let answer: Value = serde_json::from_str(&RefusedCall::of(&body).unwrap().result(challenge)).unwrap();
            assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!("x"), &json!(true)));
            assert_eq!(answer["result"]["_meta"]["mcp/www_authenticate"], json!([challenge]));
            assert_eq!(answer["result"]["resultType"], kind);
        }
    }
}
