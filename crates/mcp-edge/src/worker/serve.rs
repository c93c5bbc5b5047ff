//! The `fetch` event.
//!
//! The endpoint (settings, tools, keys, verified tokens) is made by the first request of an isolate and kept: settings
//! cannot change while an isolate lives, and Workers forbid I/O and randomness outside of requests.

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
};

use futures_util::{FutureExt, StreamExt, future::ready};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Context, Env, console_error};

use super::{
    errand::{self, Errand},
    metrics,
    ports::{EdgePorts, EdgeRuntime},
    prelude,
};
use crate::{
    endpoint::{Endpoint, Exchange},
    health,
    http::{Body, BodyError, RequestBody, RequestHead, Response},
    log::{AccessLog, trace_id},
    mcp::{BuildError, Revision, Server},
    oauth::{access::scope::Scopes, challenge::ChallengeContext, denial::Reason},
    ports::Background,
    settings::{LogLevel, Settings},
};

/// Where the request came from, as Cloudflare says.
const ADDRESS_HEADER: &str = "cf-connecting-ip";

/// Cloudflare's id of the request.
const RAY_HEADER: &str = "cf-ray";

/// W3C Trace Context.
const TRACE_HEADER: &str = "traceparent";

/// The size of a request's head, of which most is its token.
const USUAL_HEAD_BYTES: usize = 8 * 1024;

/// Method, URL and the headers that are looked at, together. The largest token has an eighth of it, and a request is
/// kept with all of this until its body has come.
const MAX_HEAD_BYTES: usize = 128 * 1024;

/// What an isolate keeps.
struct Edge {
    endpoint: Endpoint<Env>,
    header_names: Vec<String>,
    runtime: Rc<EdgeRuntime>,
    /// Whether somebody wants data points.
    has_metrics: bool,
    /// Numbers the requests that come without Cloudflare's ray id.
    requests: Cell<u64>,
}

thread_local! {
    static EDGE: OnceCell<Result<Rc<Edge>, String>> = const { OnceCell::new() };

    /// Where JavaScript writes the heads of requests.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; USUAL_HEAD_BYTES]);
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
/// async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
///     Ok(serve(request, env, context, server).await)
/// }
///
/// fn server() -> Result<Server<Env>, BuildError> {
///     Server::builder("example", "1.0.0").build()
/// }
/// # fn main() {}
/// ```
pub async fn serve(request: web_sys::Request, env: Env, context: Context, build: Build) -> web_sys::Response {
    answer(request, env, context, build, Rc::default()).await
}

/// What [`entry!`](crate::entry) exports: an answer, or the promise of one.
#[doc(hidden)]
pub fn fetch(request: web_sys::Request, env: Env, context: JsValue, build: Build) -> JsValue {
    let errand = Rc::<Errand>::default();
    let context = Context::new(context.unchecked_into());
    errand::work(answer(request, env, context, build, Rc::clone(&errand)).boxed_local(), errand)
}

async fn answer(
    request: web_sys::Request,
    env: Env,
    context: Context,
    build: Build,
    errand: Rc<Errand>,
) -> web_sys::Response {
    let edge = EDGE.with(|edge| edge.get_or_init(|| Edge::new(&env, build).map(Rc::new)).clone());
    match edge {
        Ok(edge) => edge.answer(request, env, context, errand).await,
        Err(mistakes) => {
            console_error!("{mistakes}");
            misconfigured(&request)
        }
    }
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
        header_names.extend([ADDRESS_HEADER, RAY_HEADER, TRACE_HEADER].map(str::to_owned));
        prelude::watch(&header_names.join("\n"));
        errand::prepare();
        Ok(Self {
            endpoint,
            header_names,
            runtime: Rc::new(EdgeRuntime),
            has_metrics: metrics::are_wanted(env),
            requests: Cell::new(0),
        })
    }

    async fn answer(
        self: Rc<Self>,
        request: web_sys::Request,
        env: Env,
        context: Context,
        errand: Rc<Errand>,
    ) -> web_sys::Response {
        let Some(text) = read_head(&request) else { return to_js(head_too_large()) };
        let (arrived, head) = self.parse_head(&text);
        let trace = head.header(TRACE_HEADER).and_then(|header| Some((header, trace_id(header)?)));
        let mut log = AccessLog {
            request_id: self.request_id(&head),
            trace_id: trace.map(|(_, id)| id.to_owned()),
            http_method: method_name(head.method()),
            ..AccessLog::default()
        };
        let traceparent = trace.map(|(header, _)| header.to_owned());
        let ports = EdgePorts::new(env.clone(), Some(context), traceparent).with_errand(Rc::clone(&errand));
        let now = arrived / 1000;
        let report: Rc<dyn Fn(&str)> = Rc::new(|message| console_error!("{message}"));
        let runtime = self.runtime.clone();
        let address = head.header(ADDRESS_HEADER).map(str::to_owned);
        let exchange = Exchange { env: env.clone(), ports: ports.clone(), runtime, now, report, address };
        let body = JsBody { request: &request, errand };
        let mut response = self.endpoint.handle(&head, body, exchange, &mut log).await;

        self.report(&mut log, arrived, &mut response, &env);
        if self.endpoint.resource_server().has_chores() {
            let (edge, its_ports) = (Rc::clone(&self), ports.clone());
            let chores = async move { edge.endpoint.resource_server().do_chores(now, &its_ports).await };
            // The answer does not wait for them.
            drop(ports.outlive(chores.boxed_local()));
        }
        let response = stop_when_gone(response, request, log.revision);
        to_js(response)
    }

    /// Takes apart what `prelude.js` wrote: milliseconds since 1970, method, URL, watched headers.
    fn parse_head<'a>(&'a self, text: &'a str) -> (u64, RequestHead<'a>) {
        let mut lines = text.split('\n');
        let arrived = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
        let method = lines.next().unwrap_or_default();
        let target = target_of(lines.next().unwrap_or_default());
        let present =
            self.header_names.iter().zip(lines).filter_map(|(name, line)| Some((name, line.strip_prefix('=')?)));
        let head = present.fold(RequestHead::new(method, target), |head, (name, value)| head.with_header(name, value));
        (arrived, head)
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

    fn report(&self, log: &mut AccessLog, arrived: u64, response: &mut Response, env: &Env) {
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
            metrics::write(env, log);
        }
    }
}

/// Since 1970.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "integers far below 2^52")]
fn milliseconds() -> u64 {
    prelude::now().unwrap_or_default() as u64
}

/// The part of an absolute URL after the authority; the runtime has parsed and normalized it before.
#[must_use]
pub fn target_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let slash = url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
    &url[slash..]
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

/// What [`prelude::head`] wrote; `None` for what nobody reads.
fn read_head(request: &web_sys::Request) -> Option<String> {
    SCRATCH.with_borrow_mut(|scratch| {
        loop {
            match usize::try_from(prelude::head(request, scratch)) {
                Ok(length) => break Some(String::from_utf8_lossy(scratch.get(..length)?).into_owned()),
                Err(_) if scratch.len() >= MAX_HEAD_BYTES => break None,
                Err(_) => scratch.resize(scratch.len() * 4, 0),
            }
        }
    })
}

/// The body of a request that has not been read yet.
pub struct JsBody<'a> {
    request: &'a web_sys::Request,
    errand: Rc<Errand>,
}

impl<'a> JsBody<'a> {
    /// The body of this request.
    #[must_use]
    pub fn new(request: &'a web_sys::Request) -> Self {
        Self { request, errand: Rc::default() }
    }
}

impl RequestBody for JsBody<'_> {
    #[allow(clippy::cast_precision_loss, reason = "the limit is far below 2^52")]
    async fn text(self, limit: usize) -> Result<String, BodyError> {
        let body = self.errand.bring(prelude::body(self.request, limit as f64)).await;
        body.as_string().ok_or(if body.is_null() { BodyError::TooLarge } else { BodyError::Broken })
    }
}

/// Drops a stream, and the tool behind it, when its client has left. In the revisions with a handshake a client that
/// leaves is not to be taken for one that cancels (MCP 2025-11-25, basic/transports); their streams run to their end.
///
/// It looks when there is something to send, which is every 15 seconds at least. Waiting for the signal instead would
/// leave a promise that never settles behind each stream, and with it whatever waits for the promise.
fn stop_when_gone(response: Response, request: web_sys::Request, revision: Option<&str>) -> Response {
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

/// The platform's form of an answer.
#[must_use]
pub fn to_js(response: Response) -> web_sys::Response {
    let body = match response.body {
        Body::Empty => JsValue::NULL,
        Body::Text(text) => JsValue::from_str(&text),
        Body::Stream(chunks) => {
            let chunks = chunks.map(|chunk| Ok(js_sys::Uint8Array::from(chunk.as_bytes()).into()));
            wasm_streams::ReadableStream::from_stream(chunks).into_raw().unchecked_into()
        }
    };
    let mut headers = String::with_capacity(256);
    for (name, value) in &response.headers {
        headers.push_str(name);
        headers.push('\n');
        headers.push_str(value);
        headers.push('\n');
    }
    prelude::respond(response.status, &headers, body)
}

/// RFC 6585 §5.
fn head_too_large() -> Response {
    Response::json(431, r#"{"error_description":"The request's headers are too large."}"#)
}

/// What a stranger sees of wrong settings, and a monitor.
fn misconfigured(request: &web_sys::Request) -> web_sys::Response {
    let Some(text) = read_head(request) else { return to_js(head_too_large()) };
    let mut lines = text.split('\n').skip(1);
    let method = lines.next().unwrap_or_default();
    let head = RequestHead::new(method, target_of(lines.next().unwrap_or_default()));
    let nothing = ChallengeContext { resource_metadata: String::new(), basic_scopes: Scopes::default() };
    let refusal = || nothing.response(&Reason::Misconfigured.into());
    to_js(health::respond_misconfigured(&head).unwrap_or_else(refusal))
}
