//! The Cloudflare Worker of an MCP server: its bindings and its `fetch` event.

use mcp_edge_runtime::cloudflare::{self, Bindings, EdgeServices, Shell, is_bound, setting};
use mcp_edge_server::{BuildError, Server};
use worker::Env;
#[cfg(feature = "access-keys")]
use {
    crate::settings::{AccessKeySettings, PAGES_BINDING},
    mcp_edge_oauth::exchange::VAULT_BINDING,
    mcp_edge_runtime::{
        cloudflare::{Binding, BoundWorker},
        proxy::Proxy,
        service_call::CallLimits,
    },
    std::{rc::Rc, time::Duration},
};

#[cfg(feature = "gateway")]
use crate::gateway;
use crate::{endpoint::Endpoint, settings::Settings};

#[doc(hidden)]
pub use mcp_edge_runtime::cloudflare::{Request, Response, wasm_bindgen};

/// The names of the bindings in `wrangler.toml`.
const BINDINGS: Bindings = Bindings { store: "JWKS", rate_limiter: "RATE_LIMITER" };

/// A call of the vault may wait ten seconds for another one that uses the same key, and asks the provider.
#[cfg(feature = "access-keys")]
const VAULT_LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(14), max_answer: 64 * 1024 };

/// Beside that, the vault may have to find out where the service is, and to wait for its answer.
#[cfg(feature = "connections")]
const CONNECTION_LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(25), ..VAULT_LIMITS };

/// Builds a server with its tools, once per isolate.
pub type Build = fn() -> Result<Server<Env>, BuildError>;

type McpShell = Shell<Endpoint<Env, EdgeServices>>;

thread_local! {
    static SHELL: McpShell = const { Shell::new() };
}

/// Handles a `fetch` event, for Workers with their own handler. If MCP is all that a Worker does,
/// [`entry!`](crate::entry) is faster.
///
/// ```no_run
/// use mcp_edge::{BuildError, Request, Response, Server, serve};
/// use worker::{Context, Env, event};
///
/// #[event(fetch)]
/// async fn fetch(request: Request, env: Env, _: Context) -> worker::Result<Response> {
///     Ok(serve(request, env, server).await)
/// }
///
/// fn server() -> Result<Server<Env>, BuildError> {
///     Server::builder("example", "1.0.0").build()
/// }
/// # fn main() {}
/// ```
pub async fn serve(request: Request, env: Env, build: Build) -> Response {
    cloudflare::respond(&SHELL, request, env, move |env| create(env, build)).await
}

/// What [`entry!`](crate::entry) exports: a response, or the promise of one.
#[doc(hidden)]
pub fn fetch(request: Request, env: Env, build: Build) -> wasm_bindgen::JsValue {
    cloudflare::fetch(&SHELL, request, env, move |env| create(env, build))
}

fn create(env: &Env, build: Build) -> Result<Endpoint<Env, EdgeServices>, String> {
    #[allow(unused_mut, reason = "without the feature")]
    let mut endpoint = create_endpoint(env, build)?;
    #[cfg(feature = "access-keys")]
    accept_keys(&mut endpoint, env);
    #[cfg(feature = "connections")]
    let endpoint = with_connections(endpoint, env);
    Ok(endpoint)
}

/// Connects an endpoint with the vault for tokens of other services, if anything needs them.
#[cfg(feature = "connections")]
fn with_connections(endpoint: Endpoint<Env, EdgeServices>, env: &Env) -> Endpoint<Env, EdgeServices> {
    if !endpoint.needs_connections() {
        return endpoint;
    }
    endpoint.with_connections(Binding::service(env, VAULT_BINDING).limits(CONNECTION_LIMITS))
}

/// Connects an endpoint with the vault, as far as it is bound.
#[cfg(feature = "access-keys")]
fn accept_keys(endpoint: &mut Endpoint<Env, EdgeServices>, env: &Env) {
    let AccessKeySettings { has_pages, has_vault, .. } = endpoint.settings().access_keys;
    let pages = has_pages.then(|| Rc::new(BoundWorker::new(env, PAGES_BINDING)) as Rc<dyn Proxy>);
    let vault = has_vault.then(|| Binding::service(env, VAULT_BINDING).limits(VAULT_LIMITS));
    endpoint.accept_keys(pages, vault);
}

fn create_endpoint(env: &Env, build: Build) -> Result<Endpoint<Env, EdgeServices>, String> {
    let settings = Settings::parse_bound(|name| setting(env, name), |name| is_bound(env, name));
    let settings = settings.map_err(|error| error.to_string())?;
    let services = EdgeServices::new(env.clone(), BINDINGS);
    #[cfg(feature = "gateway")]
    if let Some(gateway) = &settings.gateway {
        let gateway = gateway::create(gateway, env);
        settings.check_scopes(&gateway.scopes())?;
        let server = gateway::presentation(&settings).map_err(|error| error.to_string())?;
        return Ok(Endpoint::with_gateway(settings, server, gateway, env.clone(), services));
    }
    let server = build().map_err(|error| format!("the tools are wrong, no request will be let through: {error}"))?;
    settings.check_scopes(&server.scopes())?;
    settings.check_connections(server.first_connection())?;
    Ok(Endpoint::new(settings, server, env.clone(), services))
}

/// Exports a `fetch` event that is handled by the MCP server that a function builds, once per isolate.
///
/// ```
/// use mcp_edge::{BuildError, Server};
/// use worker::Env;
///
/// mcp_edge::entry!(server);
///
/// fn server() -> Result<Server<Env>, BuildError> {
///     Server::builder("example", "1.0.0").build()
/// }
/// ```
#[macro_export]
macro_rules! entry {
    ($server:expr) => {
        /// Answers one HTTP request.
        #[doc(hidden)]
        #[$crate::worker::wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::worker::wasm_bindgen)]
        pub fn fetch(request: $crate::Request, env: ::worker::Env) -> $crate::worker::wasm_bindgen::JsValue {
            $crate::worker::fetch(request, env, $server)
        }
    };
}
