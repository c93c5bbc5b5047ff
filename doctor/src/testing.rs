//! A server and a provider with which everything is right, for tests that change one thing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    checks,
    examine::{Ask, examine},
    exchange::{Answer, Failure, FailureKind, Request},
    finding::{Check, Finding, Verdict},
    record::{Probe, Record},
    target::Target,
    token::Token,
};

pub const URL: &str = "https://mcp.example.com/mcp";
pub const ISSUER: &str = "https://tenant.logto.app/oidc";
pub const NOW: u64 = 1_800_000_000;
pub const CHALLENGE: &str = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\", \
                             scope=\"whoami:read\"";

/// Everything right, examined with a token.
pub fn good() -> Record {
    examine(Target::parse(URL).unwrap(), None, Some(token(&json!({}))), NOW, &World)
}

/// A token whose claims are right but for these.
pub fn token(changes: &Value) -> Token {
    let mut claims = json!({ "iss": ISSUER, "aud": URL, "sub": "u1", "exp": NOW + 600 });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "ES384", "typ": "at+jwt", "kid": "k1" });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Token::new(&format!("{}.{}.c2ln", encode(&header), encode(&claims))).unwrap()
}

/// What is found once something was changed.
pub fn found(check: Check, change: impl FnOnce(&mut Record)) -> Finding {
    let mut record = good();
    change(&mut record);
    checks::judge(&record).into_iter().find(|finding| finding.check == check).unwrap()
}

/// Asserts what is found once something was changed, and that it was right before.
#[track_caller]
pub fn expect(check: Check, verdict: Verdict, seen: &str, change: impl FnOnce(&mut Record)) {
    let finding = found(check, change);
    assert_eq!((finding.verdict, finding.seen.contains(seen)), (verdict, true), "{}: {finding:#?}", check.slug());
}

/// Changes to a record.
pub trait Change {
    /// Changes the answer to a question.
    fn change(&mut self, probe: Probe, change: impl FnOnce(&mut Answer));
    /// Changes the JSON document that answers a question.
    fn edit(&mut self, probe: Probe, change: impl FnOnce(&mut Map<String, Value>));
    /// Leaves a question without an answer.
    fn fail(&mut self, probe: Probe, kind: FailureKind);
    /// Changes the answer to a question for another one.
    fn put(&mut self, probe: Probe, status: u16, kind: &str, body: &str);
}

impl Change for Record {
    fn change(&mut self, probe: Probe, change: impl FnOnce(&mut Answer)) {
        change(self.exchanges.get_mut(&probe).unwrap().outcome.as_mut().unwrap());
    }

    fn edit(&mut self, probe: Probe, change: impl FnOnce(&mut Map<String, Value>)) {
        self.change(probe, |answer| {
            let mut document: Map<String, Value> = serde_json::from_str(&answer.body).unwrap();
            change(&mut document);
            answer.body = Value::Object(document).to_string();
        });
    }

    fn fail(&mut self, probe: Probe, kind: FailureKind) {
        self.exchanges.get_mut(&probe).unwrap().outcome = Err(Failure { kind, detail: String::new() });
    }

    fn put(&mut self, probe: Probe, status: u16, kind: &str, body: &str) {
        self.change(probe, |answer| *answer = answered(status, &[("content-type", kind)], body));
    }
}

impl Answer {
    /// Replaces a header; `None` removes it.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(it, _)| it != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
}

pub fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answer { status, headers, body: body.to_owned(), cut: None }
}

fn json_answer(body: &Value) -> Answer {
    answered(200, &[("content-type", "application/json"), ("access-control-allow-origin", "*")], &body.to_string())
}

/// The server and its provider.
pub struct World;

impl Ask for World {
    fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let url = request.url.as_str();
        Ok(match (request.method, url) {
            ("OPTIONS", URL) => answered(
                204,
                &[
                    ("access-control-allow-origin", "*"),
                    (
                        "access-control-allow-headers",
                        "Authorization, Content-Type, Mcp-Method, Mcp-Name, MCP-Protocol-Version",
                    ),
                ],
                "",
            ),
            ("OPTIONS", _) => answered(
                204,
                &[("access-control-allow-origin", "*"), ("access-control-allow-headers", "mcp-protocol-version")],
                "",
            ),
            (_, URL) => endpoint(request),
            (
                "GET",
                "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
                | "https://mcp.example.com/.well-known/oauth-protected-resource",
            ) => json_answer(&json!({
                "resource": URL, "authorization_servers": [ISSUER], "scopes_supported": ["whoami:read"],
            })),
            ("GET", "https://tenant.logto.app/oidc/.well-known/openid-configuration") => json_answer(&json!({
                "issuer": ISSUER,
                "authorization_endpoint": "https://tenant.logto.app/oidc/auth",
                "token_endpoint": "https://tenant.logto.app/oidc/token",
                "registration_endpoint": "https://tenant.logto.app/oidc/reg",
                "jwks_uri": "https://tenant.logto.app/oidc/jwks",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
                "client_id_metadata_document_supported": true,
                "authorization_response_iss_parameter_supported": true,
            })),
            ("GET", "https://tenant.logto.app/oidc/jwks") => json_answer(&json!({
                "keys": [{ "kty": "EC", "crv": "P-384", "use": "sig", "kid": "k1", "x": "eA", "y": "eQ" }],
            })),
            _ => answered(404, &[("content-type", "application/json")], r#"{"error":"not_found"}"#),
        })
    }
}

fn endpoint(request: &Request) -> Answer {
    let header = |name| request.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str());
    let readable = |mut answer: Answer| {
        answer.set("access-control-allow-origin", Some("*"));
        answer.set("access-control-expose-headers", Some("WWW-Authenticate"));
        answer
    };
    let good = format!("Bearer {}", token(&json!({})).expose());
    match header("authorization") {
        None => readable(answered(401, &[("www-authenticate", CHALLENGE), ("content-type", "application/json")], "{}")),
        Some(it) if it != good => {
            let challenge = CHALLENGE.replace("Bearer ", "Bearer error=\"invalid_token\", ");
            readable(answered(401, &[("www-authenticate", &challenge)], "{}"))
        }
        Some(_) if request.method == "GET" => answered(405, &[("allow", "POST")], ""),
        Some(_) => spoken(request.body.as_deref().unwrap()),
    }
}

fn spoken(body: &str) -> Answer {
    let message: Value = serde_json::from_str(body).unwrap();
    let is_modern = message["params"]["_meta"].is_object();
    let mut result = match message["method"].as_str().unwrap() {
        "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} } }),
        "server/discover" => json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} } }),
        "tools/list" => json!({ "tools": [{
            "name": "whoami", "description": "Tells who is signed in.", "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true, "destructiveHint": false, "openWorldHint": false },
        }] }),
        "tools/call" => json!({ "content": [], "structuredContent": { "sub": "u1", "username": "ada" } }),
        "notifications/initialized" => return answered(202, &[], ""),
        other => panic!("nobody asks {other}"),
    };
    if is_modern {
        result["resultType"] = json!("complete");
        result["ttlMs"] = json!(0);
        result["cacheScope"] = json!("private");
    }
    json_answer(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
}

mod tests {
    use super::*;

    #[test]
    fn with_everything_right_nothing_is_found() {
        for finding in checks::judge(&good()) {
            assert_eq!(finding.verdict, Verdict::Ok, "{finding:#?}");
        }
    }
}
