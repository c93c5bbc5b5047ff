//! Test support: a server and a provider without problems, and changes to their recorded responses.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    check::Check,
    examine::examine,
    finding::Finding,
    gateway::{authorization::Authorization, settings::GatewaySettings},
    http::{HttpClient, HttpRequest, HttpResponse, TransportError, TransportErrorKind},
    mcp::{Era, List},
    outcome::Verdict,
    pages,
    probe::Probe,
    record::{Record, Upstream},
    target::Target,
    token::Token,
};

pub const URL: &str = "https://mcp.example.com/mcp";
pub const ISSUER: &str = "https://tenant.logto.app/oidc";
pub const UPSTREAM: &str = "https://docs.example.net/mcp";
pub const NOW: u64 = 1_800_000_000;
pub const AUTHORIZATION: &str = "Bearer of-the-upstream";
const PAST_LISTS: Probe = Probe::ToolsWithoutCredentials(Era::Legacy);
pub const CHALLENGE: &str = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\", \
                             scope=\"whoami:read\"";

/// The record of an examination without problems, with a token, an upstream, credentials for it, and settings, of a server that is to be
/// listed in directories.
pub fn good() -> Record {
    let token = Some(token(&json!({})));
    examine(Target::parse(URL).unwrap(), None, token, Some(upstream("whoami=whoami:read")), true, NOW, &GoodServer)
}

/// An upstream with credentials, and settings with this `TOOL_SCOPES`.
pub fn upstream(tool_scopes: &str) -> Upstream {
    let text = format!("[vars]\nTOOL_SCOPES = {tool_scopes:?}");
    let settings = GatewaySettings::read("wrangler.toml", &text, None).unwrap();
    Upstream::new(Target::parse(UPSTREAM).unwrap(), Authorization::new(AUTHORIZATION).ok(), Some(settings), NOW)
}

/// A change to what was exchanged with the upstream itself.
pub fn direct(change: impl FnOnce(&mut Record)) -> impl FnOnce(&mut Record) {
    move |record| change(&mut record.upstream.as_mut().unwrap().direct)
}

/// Takes the operator's access to the upstream away.
pub fn without_access(record: &mut Record) {
    let upstream = record.upstream.as_mut().unwrap();
    upstream.authorization = None;
    upstream.direct.exchanges.retain(|probe, _| !(Probe::LegacyInitialize..=PAST_LISTS).contains(probe));
}

/// A token with valid claims, except for these.
pub fn token(changes: &Value) -> Token {
    let mut claims = json!({ "iss": ISSUER, "aud": URL, "sub": "u1", "exp": NOW + 600 });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "ES384", "typ": "at+jwt", "kid": "k1" });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Token::new(&format!("{}.{}.c2ln", encode(&header), encode(&claims))).unwrap()
}

/// The finding of a check after a change to the good record.
pub fn found(check: &'static Check, change: impl FnOnce(&mut Record)) -> Finding {
    let mut record = good();
    change(&mut record);
    Finding::of(check, &record)
}

/// Asserts the verdict of a check after a change to the good record, and a part of what it observed.
#[track_caller]
pub fn expect(check: &'static Check, verdict: Verdict, observed: &str, change: impl FnOnce(&mut Record)) {
    let finding = found(check, change);
    let actual = (finding.verdict, finding.observed.contains(observed));
    assert_eq!(actual, (verdict, true), "{}: {finding:#?}", check.slug);
}

/// Changes the only tool in both eras.
pub fn tool(change: impl Fn(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
    move |record| {
        for probe in [Probe::LegacyTools, Probe::ModernTools] {
            record.edit(probe, |message| change(message["result"]["tools"][0].as_object_mut().unwrap()));
        }
    }
}

/// Replaces the list of tools in both eras.
pub fn tool_list(result: Value) -> impl FnOnce(&mut Record) {
    move |record| {
        for probe in [Probe::LegacyTools, Probe::ModernTools] {
            record.edit(probe, |it| it["result"] = result.clone());
        }
    }
}

/// Announces and returns a list.
pub fn announce(list: List, result: Value) -> impl FnOnce(&mut Record) {
    move |record| {
        record.edit(Probe::LegacyInitialize, |it| it["result"]["capabilities"][list.capability()] = json!({}));
        let mut exchange = record.exchanges[&Probe::LegacyTools].clone();
        let body = json!({ "jsonrpc": "2.0", "id": 1, "result": { list.member(): result } }).to_string();
        exchange.result = exchange.result.map(|it| HttpResponse { body, ..it });
        record.exchanges.insert(pages::probe(Era::Legacy, list, 1), exchange);
    }
}

/// Adds a second page with this result to the list of tools of the legacy era.
pub fn second_page(result: Value) -> impl FnOnce(&mut Record) {
    second_exchange(move |it| *it = Ok(json_response(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))))
}

/// Adds a second page to the list of tools of the legacy era, whose request has the result of the first one, changed.
pub fn second_exchange(change: impl FnOnce(&mut Result<HttpResponse, TransportError>)) -> impl FnOnce(&mut Record) {
    move |record| {
        record.edit(Probe::LegacyTools, |it| it["result"]["nextCursor"] = json!("2"));
        let mut exchange = record.exchanges[&Probe::LegacyTools].clone();
        change(&mut exchange.result);
        record.exchanges.insert(Probe::Page(Era::Legacy, List::Tools, 2), exchange);
    }
}

/// Changes to a record.
pub trait Change {
    /// Changes the response to a probe.
    fn change(&mut self, probe: Probe, change: impl FnOnce(&mut HttpResponse));
    /// Changes the JSON document in the response to a probe.
    fn edit(&mut self, probe: Probe, change: impl FnOnce(&mut Map<String, Value>));
    /// Replaces the response to a probe with an error.
    fn fail(&mut self, probe: Probe, kind: TransportErrorKind);
    /// Replaces the response to a probe with another one.
    fn put(&mut self, probe: Probe, status: u16, media_type: &str, body: &str);
}

impl Change for Record {
    fn change(&mut self, probe: Probe, change: impl FnOnce(&mut HttpResponse)) {
        change(self.exchanges.get_mut(&probe).unwrap().result.as_mut().unwrap());
    }

    fn edit(&mut self, probe: Probe, change: impl FnOnce(&mut Map<String, Value>)) {
        self.change(probe, |response| {
            let mut document: Map<String, Value> = serde_json::from_str(&response.body).unwrap();
            change(&mut document);
            response.body = Value::Object(document).to_string();
        });
    }

    fn fail(&mut self, probe: Probe, kind: TransportErrorKind) {
        self.exchanges.get_mut(&probe).unwrap().result = Err(TransportError { kind, detail: String::new() });
    }

    fn put(&mut self, probe: Probe, status: u16, media_type: &str, body: &str) {
        self.change(probe, |response| *response = http_response(status, &[("content-type", media_type)], body));
    }
}

impl HttpResponse {
    /// Replaces a header; `None` removes it.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(it, _)| it != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
}

pub fn http_response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpResponse { status, headers, body: body.to_owned(), truncated: None }
}

fn json_response(body: &Value) -> HttpResponse {
    http_response(200, &[("content-type", "application/json"), ("access-control-allow-origin", "*")], &body.to_string())
}

/// The server and its provider.
pub struct GoodServer;

impl HttpClient for GoodServer {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = request.url.as_str();
        Ok(match (request.method, url) {
            ("OPTIONS", URL) => http_response(
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
            ("OPTIONS", _) => http_response(
                204,
                &[("access-control-allow-origin", "*"), ("access-control-allow-headers", "mcp-protocol-version")],
                "",
            ),
            (_, URL) => endpoint(request),
            (_, UPSTREAM) => upstream_endpoint(request),
            ("GET", "https://mcp.example.com/account/connections") => {
                http_response(200, &[("content-type", "text/html; charset=utf-8")], "<!doctype html>")
            }
            ("GET", "https://mcp.example.com/server.json") => json_response(&json!({
                "name": "com.example/whoami", "description": "Shows the signed-in identity.", "version": "1.0.0",
                "remotes": [{ "type": "streamable-http", "url": URL }],
            })),
            ("GET", "https://mcp.example.com/.well-known/mcp-registry-auth") => http_response(
                200,
                &[("content-type", "text/plain")],
                "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            ),
            ("GET", "https://mcp.example.com/.well-known/openai-apps-challenge") => {
                http_response(200, &[("content-type", "text/plain; charset=utf-8")], "3f2c-token")
            }
            ("GET", "https://mcp.example.com/.well-known/jwks.json") => json_response(&json!({ "keys": [{
                "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "a1",
                "x": "OUiiqA0pABatVzcIkcqw2qWgJx6Z6gKPAkJHSHxeZTk", "y": "KivWQZq-5723BEXgcQE4jfVU8Ramkmb1r4__FSrx8iw",
            }] })),
            (
                "GET",
                "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
                | "https://mcp.example.com/.well-known/oauth-protected-resource",
            ) => json_response(&json!({
                "resource": URL, "authorization_servers": [ISSUER], "scopes_supported": ["whoami:read"],
                "resource_policy_uri": "https://example.com/privacy", "resource_tos_uri": "https://example.com/terms",
                "resource_documentation": "https://example.com/docs",
            })),
            ("GET", "https://tenant.logto.app/oidc/.well-known/openid-configuration") => json_response(&json!({
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
            ("GET", "https://tenant.logto.app/oidc/jwks") => json_response(&json!({
                "keys": [{ "kty": "EC", "crv": "P-384", "use": "sig", "kid": "k1", "x": "eA", "y": "eQ" }],
            })),
            _ => http_response(404, &[("content-type", "application/json")], r#"{"error":"not_found"}"#),
        })
    }
}

fn endpoint(request: &HttpRequest) -> HttpResponse {
    let header = |name| request.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str());
    let with_cors = |mut response: HttpResponse| {
        response.set("access-control-allow-origin", Some("*"));
        response.set("access-control-expose-headers", Some("WWW-Authenticate"));
        response
    };
    let good = format!("Bearer {}", token(&json!({})).expose());
    match header("authorization") {
        None | Some("Bearer") => with_cors(http_response(
            401,
            &[("www-authenticate", CHALLENGE), ("content-type", "application/json")],
            "{}",
        )),
        Some(it) if it != good => {
            let challenge = CHALLENGE.replace("Bearer ", "Bearer error=\"invalid_token\", ");
            with_cors(http_response(401, &[("www-authenticate", &challenge)], "{}"))
        }
        Some(_) if request.method == "GET" => http_response(405, &[("allow", "POST")], ""),
        Some(_) => mcp_response(request.body.as_deref().unwrap()),
    }
}

/// An upstream that sets a cookie and lets every page in, as frameworks do.
fn upstream_endpoint(request: &HttpRequest) -> HttpResponse {
    let is_authorized = request.headers.iter().any(|(name, value)| *name == "authorization" && value == AUTHORIZATION);
    if !is_authorized {
        return http_response(401, &[("www-authenticate", "Bearer"), ("content-type", "application/json")], "{}");
    }
    let mut response = mcp_response(request.body.as_deref().unwrap());
    response.set("set-cookie", Some("sid=1; Path=/"));
    response.set("x-powered-by", Some("Express"));
    response
}

fn mcp_response(body: &str) -> HttpResponse {
    let message: Value = serde_json::from_str(body).unwrap();
    let is_modern = message["params"]["_meta"].is_object();
    let mut result = match message["method"].as_str().unwrap() {
        "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} } }),
        "server/discover" => json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} } }),
        "tools/list" => json!({ "tools": [{
            "name": "whoami", "description": "Tells who is signed in.", "inputSchema": { "type": "object", "properties": {} },
            "annotations": { "title": "Who am I", "readOnlyHint": true, "destructiveHint": false, "openWorldHint": false },
            "securitySchemes": [{ "type": "oauth2", "scopes": ["whoami:read"] }],
            "_meta": { "mcp-edge/connections": [{ "name": "github", "scopes": [] }] },
        }] }),
        "tools/call" => json!({ "content": [], "structuredContent": { "sub": "u1", "username": "ada" } }),
        "notifications/initialized" => return http_response(202, &[], ""),
        other => panic!("no probe sends {other}"),
    };
    if is_modern {
        result["resultType"] = json!("complete");
        result["ttlMs"] = json!(0);
        result["cacheScope"] = json!("private");
    }
    json_response(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
}
