//! An MCP server of the official Rust SDK that requires assertions of a gateway, as docs/gateway.md shows it.
//!
//! The argument is JSON: `{"port", "issuer", "audience", "jwks_uri"}`. The keys are read once, at the start, over plain
//! HTTP on this machine. It serves both eras at `/mcp`.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, Uri, header::AUTHORIZATION, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{Implementation, ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Deserialize)]
struct Options {
    port: u16,
    issuer: String,
    audience: String,
    jwks_uri: String,
}

/// The claims of a verified assertion.
#[derive(Clone, Deserialize)]
struct Caller(Map<String, Value>);

struct Verifier {
    keys: JwkSet,
    expected: Validation,
}

impl Verifier {
    fn read(&self, token: &str) -> Option<Caller> {
        let header = decode_header(token).ok()?;
        if header.typ.as_deref() != Some("at+jwt") {
            return None;
        }
        let key = DecodingKey::from_jwk(self.keys.find(&header.kid?)?).ok()?;
        Some(decode::<Caller>(token, &key, &self.expected).ok()?.claims)
    }
}

async fn verify(
    State(verifier): State<Arc<Verifier>>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let caller = verifier.read(token).ok_or(StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

struct Notes;

#[tool_router]
impl Notes {
    #[tool(description = "Returns the claims of the caller's assertion", annotations(read_only_hint = true))]
    async fn claims(&self, context: RequestContext<RoleServer>) -> Result<String, ErrorData> {
        let caller = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Caller>());
        let Caller(claims) = caller.ok_or_else(|| ErrorData::internal_error("there is no caller", None))?;
        Ok(Value::Object(claims.clone()).to_string())
    }

    #[tool(description = "Deletes everything", annotations(destructive_hint = true))]
    async fn delete_everything(&self) -> String {
        "deleted".to_owned()
    }
}

#[tool_handler]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("rmcp", "1.0.0"))
    }
}

/// The body of a response to GET. In HTTP/1.0 it ends with the connection, and is not chunked.
async fn get(uri: &str) -> Result<String, Box<dyn Error>> {
    let uri: Uri = uri.parse()?;
    let authority = uri.authority().ok_or("jwks_uri has no host")?.as_str();
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(format!("GET {} HTTP/1.0\r\nHost: {authority}\r\n\r\n", uri.path()).as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response.split_once("\r\n\r\n").ok_or("the response of jwks_uri has no body")?.1.to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options: Options = serde_json::from_str(&std::env::args().nth(1).ok_or("usage: gateway-upstream-rmcp JSON")?)?;
    let mut expected = Validation::new(Algorithm::ES256);
    expected.set_issuer(&[&options.issuer]);
    expected.set_audience(&[&options.audience]);
    expected.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    expected.leeway = 5;
    let keys = serde_json::from_str(&get(&options.jwks_uri).await?)?;
    let service = StreamableHttpService::new(
        || Ok(Notes),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let verifier = Arc::new(Verifier { keys, expected });
    let app = Router::new().nest_service("/mcp", service).layer(from_fn_with_state(verifier, verify));
    axum::serve(TcpListener::bind(("127.0.0.1", options.port)).await?, app).await?;
    Ok(())
}
