//! The events of a Worker.
//!
//! The [`App`] is created by the first request of an isolate and kept: settings cannot change while an isolate lives, and
//! Workers forbid I/O and randomness outside of events.

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
    thread::LocalKey,
};

use futures_util::{FutureExt, StreamExt, future::ready};
use wasm_bindgen::JsValue;
use worker::{Env, console_error};

use super::{
    bridge, event, executor, metrics,
    request::{Arrived, HeadReader, HeadText, JsBody},
    response::to_js,
    services,
};
use crate::{
    app::{App, Handled, Scheduled},
    context::RequestContext,
    http::{Body, RequestHead, Response},
    json::Object,
    log::{LogLevel, LogRecord, outcome_of, trace_id},
};

/// Cloudflare's id of the request.
const RAY_HEADER: &str = "cf-ray";

/// W3C Trace Context.
const TRACE_HEADER: &str = "traceparent";

/// More than most lines of the log have.
const USUAL_LINE_BYTES: usize = 512;

/// Longer ray ids are not Cloudflare's.
const MAX_RAY_BYTES: usize = 64;

/// What an isolate keeps of its Worker.
pub struct Shell<A>(OnceCell<Result<Rc<Running<A>>, String>>);

impl<A: App> Shell<A> {
    /// Creates a shell without an application; the first event creates that.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }
}

impl<A: App> Default for Shell<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// An application at work.
struct Running<A> {
    app: A,
    heads: HeadReader,
    /// Where data points go, if there is such a binding.
    metrics: Option<Env>,
    /// Numbers the requests that come without Cloudflare's ray id.
    requests: Cell<u64>,
}

/// Answers a `fetch` event: a response, or the promise of one. `create` makes the application of this isolate from the
/// Worker's bindings; its error names everything that is wrong with the settings.
pub fn fetch<A: App>(
    shell: &'static LocalKey<Shell<A>>,
    request: web_sys::Request,
    env: Env,
    create: impl Fn(&Env) -> Result<A, String> + 'static,
) -> JsValue {
    executor::run(respond(shell, request, env, create).boxed_local())
}

/// Answers a `fetch` event, for Workers that have a handler of their own.
pub async fn respond<A: App>(
    shell: &'static LocalKey<Shell<A>>,
    request: web_sys::Request,
    env: Env,
    create: impl Fn(&Env) -> Result<A, String> + 'static,
) -> web_sys::Response {
    match running(shell, &env, create) {
        Ok(running) => running.answer(request).await,
        Err(errors) => {
            console_error!("{errors}");
            let Some(text) = HeadText::of(&request) else { return to_js(head_too_large()) };
            to_js(A::misconfigured(&text.request_line()))
        }
    }
}

/// Answers a `scheduled` event; the promise of its end. It is rejected after a run that could not be carried out, so that
/// the platform counts a failed event, which operators watch. The isolate goes on: nothing has crashed.
pub fn scheduled<A: Scheduled>(
    shell: &'static LocalKey<Shell<A>>,
    env: Env,
    create: impl Fn(&Env) -> Result<A, String> + 'static,
) -> JsValue {
    let run = async move {
        let outcome = match running(shell, &env, create) {
            Ok(running) => running.app.scheduled(milliseconds() / 1000).await,
            Err(errors) => Err(A::misconfigured_run(&errors)),
        };
        match outcome {
            Ok(line) => {
                bridge::log(&line);
                Ok(JsValue::UNDEFINED)
            }
            Err(line) => {
                console_error!("{line}");
                Err(js_sys::Error::new("the scheduled run failed").into())
            }
        }
    };
    event::promise(run)
}

fn running<A: App>(
    shell: &'static LocalKey<Shell<A>>,
    env: &Env,
    create: impl Fn(&Env) -> Result<A, String> + 'static,
) -> Result<Rc<Running<A>>, String> {
    shell.with(|shell| shell.0.get_or_init(|| Running::new(env, create).map(Rc::new)).clone())
}

impl<A: App> Running<A> {
    // Apart from what happens to every request: V8 compiles a function as a whole when it is first called.
    #[cold]
    #[inline(never)]
    fn new(env: &Env, create: impl Fn(&Env) -> Result<A, String>) -> Result<Self, String> {
        let app = create(env)?;
        let mut header_names = app.header_names();
        header_names.always.extend([RAY_HEADER, TRACE_HEADER].map(str::to_owned));
        executor::prepare();
        Ok(Self {
            app,
            heads: HeadReader::new(header_names),
            metrics: metrics::are_wanted(env).then(|| env.clone()),
            requests: Cell::new(0),
        })
    }

    async fn answer(self: Rc<Self>, request: web_sys::Request) -> web_sys::Response {
        let Some(text) = HeadText::of(&request) else { return to_js(head_too_large()) };
        let request = Rc::new(request);
        let response = if A::CONTINUES_AFTER_DISCONNECT {
            let (work, answered) = (Rc::clone(&request), Rc::new(RefCell::new(None)));
            let slot = Rc::clone(&answered);
            let work = async move {
                let response = self.handle(&text, work).await;
                slot.replace(Some(response));
            };
            services::spawn(work.boxed_local()).await;
            answered.take().unwrap_or_else(|| Response::empty(500))
        } else {
            self.handle(&text, Rc::clone(&request)).await
        };
        to_js(cancel_on_disconnect(response, request))
    }

    /// Lets the application answer a request, and logs it.
    async fn handle(&self, text: &HeadText, request: Rc<web_sys::Request>) -> Response {
        let Arrived { at: arrived, head } = self.heads.parse(text);
        let context = RequestContext {
            request_id: self.request_id(&head),
            now: arrived / 1000,
            connection: Rc::<web_sys::Request>::clone(&request),
        };
        let Handled { mut response, record } = self.app.handle(&head, JsBody::new(&request), &context).await;
        self.log(&head, &context, arrived, &mut response, &record);
        response
    }

    fn request_id(&self, head: &RequestHead<'_>) -> String {
        match head.header(RAY_HEADER) {
            Some(ray) if ray.len() <= MAX_RAY_BYTES && ray.bytes().all(|byte| byte.is_ascii_graphic()) => {
                ray.to_owned()
            }
            _ => {
                let number = self.requests.get() + 1;
                self.requests.set(number);
                format!("local-{number}")
            }
        }
    }

    /// Writes the line of the log and the data point.
    fn log(
        &self,
        head: &RequestHead<'_>,
        context: &RequestContext,
        arrived: u64,
        response: &mut Response,
        record: &LogRecord,
    ) {
        let settings = self.app.log_settings();
        let outcome = outcome_of(response.status);
        let is_wanted = match settings.level {
            LogLevel::All => true,
            LogLevel::Denials => outcome != "ok",
            LogLevel::Off => false,
        };
        // In production the clock moves with I/O only, so this is waiting, not computing.
        let ms = if is_wanted || settings.development { milliseconds().saturating_sub(arrived) } else { 0 };
        if is_wanted {
            let line = Object::with_capacity(USUAL_LINE_BYTES)
                .text("request_id", &context.request_id)
                .maybe_text("trace_id", head.header(TRACE_HEADER).and_then(trace_id))
                .text("http_method", method_name(head.method()))
                .number("status", response.status)
                .text("outcome", outcome);
            bridge::log(&record.append_to(line).number("ms", ms).close());
        }
        if settings.development {
            response.headers.push(("server-timing", format!("total;dur={ms}").into()));
        }
        if let Some(env) = &self.metrics {
            metrics::write(env, record, outcome, response.status, ms);
        }
    }
}

/// Since 1970.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "integers far below 2^52")]
fn milliseconds() -> u64 {
    bridge::now().unwrap_or_default() as u64
}

/// A setting: text as it is, anything else (numbers, lists, tables of wrangler.toml) as JSON.
#[must_use]
pub fn setting(env: &Env, name: &str) -> Option<String> {
    bridge::setting(env, name)
}

/// The log names no method that a client made up.
fn method_name(method: &str) -> &'static str {
    ["GET", "POST", "OPTIONS", "HEAD", "DELETE", "PUT", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// Drops a stream that is to be cancelled, and the work behind it, when its client has disconnected.
///
/// It looks when there is something to send, which is every 15 seconds at least. Waiting for the signal instead would
/// leave a promise that never settles behind each stream, together with what awaits it.
fn cancel_on_disconnect(response: Response, request: Rc<web_sys::Request>) -> Response {
    let body = match response.body {
        Body::Stream { chunks, cancel_on_disconnect: true } => {
            let is_connected = move |_: &String| ready(!bridge::is_gone(&request).unwrap_or(false));
            Body::Stream { chunks: chunks.take_while(is_connected).boxed_local(), cancel_on_disconnect: true }
        }
        body => body,
    };
    Response { body, ..response }
}

/// RFC 6585 §5.
fn head_too_large() -> Response {
    Response::json(431, r#"{"error_description":"The request's headers are too large."}"#)
}
