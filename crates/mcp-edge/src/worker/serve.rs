//! The `fetch` event.
//!
//! The endpoint (settings, tools, keys, verified tokens) is made by the first request of an isolate and kept: settings
//! cannot change while an isolate lives, and Workers forbid I/O and randomness outside of requests.

use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
};

use futures_util::{FutureExt, StreamExt, future::ready};
use wasm_bindgen::JsValue;
use worker::{Env, console_error};

use super::{
    errand, metrics,
    ports::{EdgePorts, EdgeRuntime},
    prelude,
    request::{Arrived, HeadReader, HeadText, JsBody},
    response::to_js,
};
use crate::{
    endpoint::{Endpoint, Exchange},
    health,
    http::{Body, RequestHead, Response},
    log::{AccessLog, trace_id},
    mcp::{BuildError, Revision, Server},
    oauth::{access::scope::Scopes, challenge::ChallengeContext, denial::Reason},
    settings::{LogLevel, Settings},
};

/// Cloudflare's id of the request.
const RAY_HEADER: &str = "cf-ray";

/// W3C Trace Context.
const TRACE_HEADER: &str = "traceparent";

/// What an isolate keeps.
struct Edge {
    endpoint: Endpoint<Env>,
    ports: EdgePorts,
    heads: HeadReader,
    runtime: Rc<EdgeRuntime>,
    /// Takes what went wrong inside, for the operator.
    report: Rc<dyn Fn(&str)>,
    /// Whether somebody wants data points.
    has_metrics: bool,
    /// Numbers the requests that come without Cloudflare's ray id.
    requests: Cell<u64>,
}

thread_local! {
    static EDGE: OnceCell<Result<Rc<Edge>, String>> = const { OnceCell::new() };
}

/// Makes a server with its tools, once per isolate.
pub type Build = fn() -> Result<Server<Env>, BuildError>;

/// Answers a `fetch` event, for Workers that answer more than MCP and so have a handler of their own. Where it is all
/// there is to do, [`entry!`](crate::entry) does it faster.
///
/// ```no_run
/// use mcp_edge::{
///     mcp::{BuildError, Server},
///     worker::{Request, Response, serve},
/// };
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
pub async fn serve(request: web_sys::Request, env: Env, build: Build) -> web_sys::Response {
    let edge = EDGE.with(|edge| edge.get_or_init(|| Edge::new(&env, build).map(Rc::new)).clone());
    match edge {
        Ok(edge) => edge.answer(request, env).await,
        Err(mistakes) => {
            console_error!("{mistakes}");
            misconfigured(&request)
        }
    }
}

/// What [`entry!`](crate::entry) exports: an answer, or the promise of one.
#[doc(hidden)]
pub fn fetch(request: web_sys::Request, env: Env, build: Build) -> JsValue {
    errand::work(serve(request, env, build).boxed_local())
}

impl Edge {
    // Apart from what happens to every request: V8 compiles a function as a whole when it is first called.
    #[cold]
    #[inline(never)]
    fn new(env: &Env, build: Build) -> Result<Self, String> {
        let settings = Settings::parse(|name| prelude::setting(env, name)).map_err(|error| error.to_string())?;
        let server =
            build().map_err(|error| format!("the tools are wrong, no request will be let through: {error}"))?;
        let endpoint = Endpoint::new(settings, server);
        let mut header_names = endpoint.header_names();
        header_names.always.extend([RAY_HEADER, TRACE_HEADER].map(str::to_owned));
        errand::prepare();
        Ok(Self {
            endpoint,
            ports: EdgePorts::new(env.clone()),
            heads: HeadReader::new(header_names),
            runtime: Rc::new(EdgeRuntime),
            report: Rc::new(|message| console_error!("{message}")),
            has_metrics: metrics::are_wanted(env),
            requests: Cell::new(0),
        })
    }

    async fn answer(self: Rc<Self>, request: web_sys::Request, env: Env) -> web_sys::Response {
        let Some(text) = HeadText::of(&request) else { return to_js(head_too_large()) };
        let Arrived { at: arrived, head } = self.heads.parse(&text);
        let mut log = AccessLog {
            request_id: self.request_id(&head),
            trace_id: head.header(TRACE_HEADER).and_then(trace_id).map(str::to_owned),
            http_method: method_name(head.method()),
            ..AccessLog::default()
        };
        let request = Rc::new(request);
        let exchange = Exchange {
            env,
            ports: self.ports.clone(),
            sender: Rc::clone(&request),
            runtime: self.runtime.clone(),
            now: arrived / 1000,
            report: Rc::clone(&self.report),
        };
        let mut response = self.endpoint.handle(&head, JsBody::new(&request), exchange, &mut log).await;

        self.finish(&mut log, arrived, &mut response);
        let response = stop_when_gone(response, request, log.revision);
        to_js(response)
    }

    fn request_id(&self, head: &RequestHead<'_>) -> String {
        match head.header(RAY_HEADER) {
            Some(ray) if ray.len() <= 64 && ray.bytes().all(|byte| byte.is_ascii_graphic()) => ray.to_owned(),
            _ => {
                let number = self.requests.get() + 1;
                self.requests.set(number);
                format!("local-{number}")
            }
        }
    }

    /// Writes the line of the log, and whatever else tells of the request.
    fn finish(&self, log: &mut AccessLog, arrived: u64, response: &mut Response) {
        let settings = self.endpoint.settings();
        let wanted = match settings.log {
            LogLevel::All => true,
            LogLevel::Denials => log.outcome != "ok",
            LogLevel::Off => false,
        };
        if wanted || settings.development {
            log.ms = milliseconds().saturating_sub(arrived);
        }
        if wanted {
            prelude::log(&log.to_line());
        }
        if settings.development {
            response.headers.push(("server-timing", format!("total;dur={}", log.ms).into()));
        }
        if self.has_metrics {
            metrics::write(self.ports.env(), log);
        }
    }
}

/// Since 1970.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "integers far below 2^52")]
fn milliseconds() -> u64 {
    prelude::now().unwrap_or_default() as u64
}

/// A setting: text as it is, anything else (numbers, lists, tables of wrangler.toml) as JSON.
#[must_use]
pub fn setting(env: &Env, name: &str) -> Option<String> {
    prelude::setting(env, name)
}

/// The log names no method that somebody invented.
fn method_name(method: &str) -> &'static str {
    ["GET", "POST", "OPTIONS", "HEAD", "DELETE", "PUT", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// Drops a stream, and the tool behind it, when its client has left. In the revisions with a handshake a client that
/// leaves is not to be taken for one that cancels (MCP 2025-11-25, basic/transports); their streams run to their end.
///
/// It looks when there is something to send, which is every 15 seconds at least. Waiting for the signal instead would
/// leave a promise that never settles behind each stream, and with it whatever waits for the promise.
fn stop_when_gone(response: Response, request: Rc<web_sys::Request>, revision: Option<&str>) -> Response {
    let is_modern = revision == Some(Revision::V2026_07_28.as_str());
    let body = match response.body {
        Body::Stream(chunks) if is_modern => {
            let is_here = move |_: &String| ready(!prelude::is_gone(&request).unwrap_or(false));
            Body::Stream(chunks.take_while(is_here).boxed_local())
        }
        body => body,
    };
    Response { body, ..response }
}

/// RFC 6585 §5.
fn head_too_large() -> Response {
    Response::json(431, r#"{"error_description":"The request's headers are too large."}"#)
}

/// What a stranger sees of wrong settings, and a monitor.
fn misconfigured(request: &web_sys::Request) -> web_sys::Response {
    let Some(text) = HeadText::of(request) else { return to_js(head_too_large()) };
    let nothing = ChallengeContext { resource_metadata: String::new(), basic_scopes: Scopes::default() };
    let refusal = || nothing.response(&Reason::Misconfigured.into());
    to_js(health::respond_misconfigured(&text.request_line()).unwrap_or_else(refusal))
}
