//! Requests to the MCP endpoint: responses, challenges and lines of the log.

use mcp_edge::{
    endpoint::Endpoint,
    schemars::{self, JsonSchema},
    settings::Settings,
};
use mcp_edge_oauth::{
    challenge::ChallengeContext,
    denial::{Denial, Reason},
};
use mcp_edge_runtime::{
    app::{App, Handled},
    http::{BodyError, RequestBody, RequestHead, Response},
    json::Object,
    log::LogRecord,
};
use mcp_edge_server::{Call, Server, Tool, ToolError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    signatures::key_pair,
    tokens::{self, ISSUER, RESOURCE, header, mint},
    world::{START, World},
};

pub const METADATA_URL: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// A deployment with three tools, and its simulated surroundings.
pub struct Deployment {
    pub world: World,
    pub endpoint: Endpoint<(), World>,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// A body that must not be read.
pub struct Untouchable;

impl RequestBody for Untouchable {
    async fn text(self, _limit: usize) -> Result<String, BodyError> {
        panic!("the body was read")
    }
}

impl Deployment {
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let world = World::new();
        world.publish(ISSUER, &[key_pair("p384-1").jwk("k")]);
        Self::in_world(world, settings)
    }

    /// A new isolate in a world that has a past.
    pub fn in_world(world: World, settings: &[(&str, &str)]) -> Self {
        let minimal = [("ISSUER", ISSUER), ("RESOURCE", RESOURCE)];
        let setting = |name: &str| {
            let mut all = settings.iter().chain(&minimal);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings::parse(setting).expect("good settings");
        let tool = |name: &str| Tool::new(name, async |call: Call| call.identity().subject().to_owned()).read_only();
        let server = Server::builder("test", "1")
            .scope("whoami:read", "See who you are")
            .scope("whoami:write", "Change who you are")
            .tool(tool("open"))
            .tool(tool("scoped").scope("whoami:read").scope("whoami:write"))
            .tool(tool("personal").needs_user())
            .tool(tool("internal").first_party_only())
            .tool(Tool::new("asking", async |call: Call| {
                call.elicit::<Name>("name", "What is your name?").map(|Name { name }| name).map_err(ToolError::from)
            }))
            .build()
            .expect("good tools");
        Self { endpoint: Endpoint::new(settings, server, (), world.clone()), world }
    }

    /// A good token with changed claims.
    pub fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let algorithm = mcp_edge_runtime::crypto::Algorithm::ES384;
        let mut claims = tokens::claims(self.world.now());
        change(&mut claims);
        mint(&key_pair("p384-1"), algorithm, &header(algorithm, "k"), &claims)
    }

    pub fn send(&self, head: &RequestHead<'_>, body: impl RequestBody) -> (Response, LogRecord) {
        let context = self.world.context();
        let Handled { response, record } = self.world.run(self.endpoint.handle(head, body, &context));
        (response, record)
    }

    /// Calls a tool with a token.
    pub fn call(&self, tool: &str, token: &str) -> (Response, LogRecord) {
        let authorization = format!("Bearer {token}");
        let head = RequestHead::new("POST", "/mcp")
            .with_header("authorization", &authorization)
            .with_header("content-type", "application/json")
            .with_header("accept", "application/json, text/event-stream")
            .with_header("mcp-protocol-version", "2025-11-25");
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}});
        self.send(&head, body.to_string().as_str())
    }
}

/// Calls the tool with an input request, in the modern era, with further parameters.
fn ask(deployment: &Deployment, token: &str, more: &Value) -> Value {
    let authorization = format!("Bearer {token}");
    let head = RequestHead::new("POST", "/mcp")
        .with_header("authorization", &authorization)
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream")
        .with_header("mcp-protocol-version", "2026-07-28")
        .with_header("mcp-method", "tools/call")
        .with_header("mcp-name", "asking");
    let mut params = json!({"name": "asking", "arguments": {}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }});
    for (name, value) in more.as_object().into_iter().flatten() {
        params[name] = value.clone();
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let (response, _) = deployment.send(&head, body.to_string().as_str());
    serde_json::from_str(response.text()).expect("a JSON-RPC answer")
}

/// Returns status, challenge and logged reason of a refusal.
fn refusal((response, log): (Response, LogRecord)) -> (u16, Option<String>, String) {
    let body: Value = serde_json::from_str(response.text()).expect("every refusal has a JSON body");
    assert!(body["error_description"].is_string(), "{body}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    (response.status, response.header("www-authenticate").map(str::to_owned), log.get("reason").to_owned())
}

#[test]
fn a_valid_token_is_accepted() {
    let deployment = Deployment::new(&[]);
    let (response, log) = deployment.call("open", &deployment.token(|_| ()));
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.text().contains("alice"));
    assert_eq!((log.get("reason"), log.get("client_id"), log.get("sub")), ("", "agent", "alice"));
}

#[test]
fn every_method_is_authenticated_first() {
    let deployment = Deployment::new(&[("REQUIRED_SCOPES", "whoami:read")]);
    for method in ["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "get"] {
        let head = RequestHead::new(method, "/mcp").with_header("content-type", "text/plain");
        let (status, challenge, reason) = refusal(deployment.send(&head, Untouchable));
        assert_eq!((status, reason.as_str()), (401, "no_credentials"), "{method}");
        let expected = format!(r#"Bearer resource_metadata="{METADATA_URL}", scope="whoami:read""#);
        assert_eq!(challenge, Some(expected), "{method}");
    }
    let preflight = RequestHead::new("OPTIONS", "/mcp");
    assert_eq!(deployment.send(&preflight, Untouchable).0.status, 204);
}

#[test]
fn a_page_may_read_why_it_was_refused() {
    let head = RequestHead::new("POST", "/mcp").with_header("origin", "https://mcp.example.com");
    let (response, _) = Deployment::new(&[]).send(&head, Untouchable);
    assert_eq!(response.status, 401);
    assert_eq!(response.header("access-control-allow-origin"), Some("https://mcp.example.com"));
    assert_eq!(response.header("access-control-expose-headers"), Some("WWW-Authenticate, Retry-After"));
    assert_eq!(response.header("vary"), Some("Origin"));
}

#[test]
fn an_origin_that_is_not_listed_is_refused_before_authentication() {
    let deployment = Deployment::new(&[("ALLOWED_ORIGINS", "https://app.example.com")]);
    let authorization = format!("Bearer {}", deployment.token(|_| ()));
    for origin in ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"] {
        let head =
            RequestHead::new("POST", "/mcp").with_header("origin", origin).with_header("authorization", &authorization);
        let refused = refusal(deployment.send(&head, Untouchable));
        assert_eq!(refused, (403, None, Reason::OriginNotAllowed.slug().to_owned()), "{origin}");
    }
    assert_eq!(deployment.world.verifications(), 0);
}

#[test]
fn too_many_failures_get_429() {
    let deployment = Deployment::new(&[]);
    let bad = deployment.token(|claims| claims["aud"] = "https://other.example".into());
    assert_eq!(refusal(deployment.call("open", &bad)).2, "wrong_audience");
    deployment.world.set_too_many_failures(true);
    let (response, log) = deployment.call("open", &bad);
    assert_eq!((response.status, response.header("retry-after")), (429, Some("10")));
    assert_eq!(response.header("www-authenticate"), None);
    assert_eq!((log.get("reason"), log.get("detail")), ("rate_limited", "after wrong_audience"));
    // A good token is no failure, nor is an expired one, an outage, or the lack of a token.
    let expired = deployment.token(|claims| {
        claims["iat"] = json!(1);
        claims["exp"] = json!(2);
    });
    assert_eq!(refusal(deployment.call("open", &expired)).2, "expired");
    assert_eq!(deployment.call("open", &deployment.token(|_| ())).0.status, 200);
    let head = RequestHead::new("POST", "/mcp");
    assert_eq!(deployment.send(&head, Untouchable).0.status, 401);
    let down = Deployment::new(&[]);
    down.world.set_too_many_failures(true);
    down.world.take_down(ISSUER);
    assert_eq!(down.call("open", &down.token(|_| ())).0.status, 503);
    assert_eq!((deployment.world.failures(), down.world.failures()), (2, 0));
}

#[test]
fn a_tool_can_require_scopes_a_user_or_a_first_party_client() {
    let deployment = Deployment::new(&[]);
    let user = deployment.token(|claims| claims["auth_time"] = START.into());
    let machine = deployment.token(|claims| claims["sub"] = "agent".into());
    let (status, challenge, reason) = refusal(deployment.call("scoped", &user));
    assert_eq!((status, reason.as_str()), (403, Reason::InsufficientScope.slug()));
    let challenge = challenge.expect("a challenge");
    assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#), "{challenge}");
    assert!(challenge.ends_with(r#"scope="whoami:read whoami:write""#), "{challenge}");
    assert_eq!(deployment.call("personal", &user).0.status, 200);
    assert_eq!(refusal(deployment.call("personal", &machine)), (403, None, Reason::UserRequired.slug().to_owned()));
    assert_eq!(refusal(deployment.call("internal", &user)), (403, None, Reason::FirstPartyOnly.slug().to_owned()));
    let own = Deployment::new(&[("FIRST_PARTY_CLIENTS", "agent")]);
    assert_eq!(own.call("internal", &own.token(|_| ())).0.status, 200);
}

#[test]
fn a_tool_for_users_is_refused_to_possible_machines_and_the_log_names_the_fix() {
    let deployment = Deployment::new(&[("TOKEN_TYPES", "at+jwt none")]);
    let mut unknown = tokens::claims(deployment.world.now());
    unknown.as_object_mut().unwrap().remove("client_id");
    unknown["azp"] = "agent".into();
    let mut machine = tokens::claims(deployment.world.now());
    machine["sub"] = "agent".into();
    for (claims, explained) in [(unknown, "auth_time, acr or amr"), (machine, "acts for itself")] {
        let algorithm = mcp_edge_runtime::crypto::Algorithm::ES384;
        let token = mint(&key_pair("p384-1"), algorithm, &json!({ "alg": "ES384", "kid": "k" }), &claims);
        assert_eq!(deployment.call("open", &token).0.status, 200);
        let (response, log) = deployment.call("personal", &token);
        let detail = log.get("detail").to_owned();
        assert!(detail.contains(explained) && detail.len() <= 200, "{detail}");
        assert!(!response.text().contains(explained), "{}", response.text());
        assert_eq!(refusal((response, log)), (403, None, Reason::UserRequired.slug().to_owned()));
    }
}

/// A client requests exactly the scopes of the challenge, so the challenge must include those of every request.
#[test]
fn a_challenge_includes_the_required_scopes() {
    let deployment = Deployment::new(&[("REQUIRED_SCOPES", "basic")]);
    let token = deployment.token(|claims| claims["scope"] = "basic".into());
    let (status, challenge, _) = refusal(deployment.call("scoped", &token));
    assert_eq!(status, 403);
    assert!(challenge.is_some_and(|it| it.ends_with(r#"scope="basic whoami:read whoami:write""#)));
}

#[test]
fn invalid_settings_get_a_generic_response() {
    // What an adapter answers with when the settings cannot be read: there is no endpoint then.
    let response = ChallengeContext::default().response(&Denial::Misconfigured { error: None });
    assert_eq!((response.status, response.header("www-authenticate")), (500, None));
    assert_eq!(
        response.text(),
        r#"{"error":"server_error","error_description":"This server is not set up correctly"}"#
    );
}

#[test]
fn an_outage_gets_retry_after_and_its_reason_is_only_in_the_log() {
    let deployment = Deployment::new(&[]);
    deployment.world.take_down(ISSUER);
    let (response, log) = deployment.call("open", &deployment.token(|_| ()));
    assert_eq!((response.status, response.header("www-authenticate")), (503, None));
    assert!(response.header("retry-after").is_some());
    assert!(!response.text().contains("refused") && !response.text().contains("tenant.example"), "{}", response.text());
    assert_eq!(log.get("reason"), "keys_unavailable");
    assert!(log.get("provider_failure").contains("tenant.example"));
}

#[test]
fn no_token_reaches_the_log() {
    let deployment = Deployment::new(&[]);
    let good = deployment.token(|_| ());
    let bad = deployment.token(|claims| claims["aud"] = "other".into());
    for token in
        [good.as_str(), &bad, "VXpE0vCeh2tNZGWy1_Qm3dDUTF1f6xDqE4mYk8Nb2sQ", &good[..good.len() - 4], "a, Bearer b"]
    {
        let line = deployment.call("open", token).1.append_to(Object::new()).close();
        assert!(!line.contains(token), "{line}");
        assert!(!token.split('.').any(|segment| segment.len() > 20 && line.contains(segment)), "{line}");
    }
}

#[test]
fn challenges_contain_no_data_of_the_request() {
    let deployment = Deployment::new(&[]);
    let token = deployment.token(|claims| claims["aud"] = "evil\"\r\nx-injected: yes".into());
    let (response, _) = deployment.call("open", &token);
    let challenge = response.header("www-authenticate").expect("a challenge");
    assert!(!challenge.contains("evil") && challenge.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "{challenge}");
}

#[test]
fn the_metadata_document_is_the_same_at_both_paths_and_for_all_readers() {
    let deployment = Deployment::new(&[("REQUIRED_SCOPES", "whoami:read offline_access")]);
    let places = ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];
    let [root, inserted] = places.map(|place| {
        let (response, _) = deployment.send(&RequestHead::new("GET", place), Untouchable);
        assert_eq!((response.status, response.header("access-control-allow-origin")), (200, Some("*")), "{place}");
        response.text().to_owned()
    });
    assert_eq!(root, inserted);
    let document: Value = serde_json::from_str(&root).expect("JSON");
    assert_eq!(document["resource"], RESOURCE);
    assert_eq!(document["authorization_servers"], json!([ISSUER]));
    assert_eq!(document["scopes_supported"], json!(["whoami:read", "whoami:write"]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    let elsewhere = RequestHead::new("GET", "/.well-known/oauth-protected-resource/other");
    assert_eq!(deployment.send(&elsewhere, Untouchable).0.status, 404);
}

#[test]
fn sealed_state_of_another_deployment_with_the_same_secret_is_refused() {
    const STAGING: &str = "https://staging.example.com/mcp";
    let secret = ("STATE_SECRET", "0123456789abcdef0123456789abcdef");
    let here = Deployment::new(&[secret]);
    let same = Deployment::in_world(here.world.clone(), &[secret]);
    let staging = Deployment::in_world(here.world.clone(), &[secret, ("RESOURCE", STAGING)]);
    // Good at both, so that nothing but the state tells them apart.
    let token = here.token(|claims| claims["aud"] = json!([RESOURCE, STAGING]));
    let answer = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    for (asking, others) in [(&here, &staging), (&staging, &here)] {
        let state = ask(asking, &token, &Value::Null)["result"]["requestState"].clone();
        assert!(state.is_string());
        let again = json!({"requestState": state, "inputResponses": answer});
        assert_eq!(ask(asking, &token, &again)["result"]["content"][0]["text"], "Ada");
        assert_eq!(ask(others, &token, &again)["error"]["code"], -32602);
    }
    // Another isolate of the same deployment.
    let state = ask(&here, &token, &Value::Null)["result"]["requestState"].clone();
    let again = json!({"requestState": state, "inputResponses": answer});
    assert_eq!(ask(&same, &token, &again)["result"]["content"][0]["text"], "Ada");
}
