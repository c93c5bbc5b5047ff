//! The adapter to Cloudflare Workers, and the only place that knows Cloudflare, beside the library's own.
//!
//! A request's work outlives it: clients hang up, and what was begun at the provider must not stay half done.

mod kv;
mod platform;

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use futures_util::FutureExt;
use mcp_edge::{
    http::{RequestBody, RequestHead, Response},
    log::{AccessLog, trace_id},
    oauth::{access::scope::Scopes, challenge::ChallengeContext, denial::Reason},
    ports::Background,
    settings::LogLevel,
    worker::{EdgePorts, JsBody, Request, Response as JsResponse, setting, target_of, to_js},
};
use worker::{Context, Env, ScheduleContext, ScheduledEvent, console_error, console_log, event};

use self::platform::Cloudflare;
use crate::{
    audit::AuditLog,
    registrar::{MAX_BODY_BYTES, Registrar},
    services::RequestContext,
};

thread_local! {
    static REGISTRAR: OnceCell<Result<Rc<Registrar>, String>> = const { OnceCell::new() };
}

fn registrar(env: &Env) -> Result<Rc<Registrar>, String> {
    let make = || Registrar::new(|name| setting(env, name)).map(Rc::new).map_err(|error| error.to_string());
    REGISTRAR.with(|registrar| registrar.get_or_init(make).clone())
}

/// Answers one HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<JsResponse> {
    let registrar = match registrar(&env) {
        Ok(registrar) => registrar,
        Err(mistakes) => {
            console_error!("{mistakes}");
            let nothing = ChallengeContext { resource_metadata: String::new(), basic_scopes: Scopes::default() };
            return Ok(to_js(nothing.response(&Reason::Misconfigured.into())));
        }
    };
    let arrived = worker::Date::now().as_millis();
    let body = match request.method().as_str() {
        "POST" | "PUT" => JsBody::new(&request).text(MAX_BODY_BYTES).await,
        _ => Ok(String::new()),
    };
    let incoming = Incoming::read(&request);
    let ports = EdgePorts::new(env.clone());
    let answer = Rc::new(RefCell::new(None));
    let work = {
        let (answer, ports) = (Rc::clone(&answer), ports.clone());
        async move {
            let head = incoming.head();
            let mut log = AccessLog {
                request_id: head.header("cf-ray").unwrap_or("local").to_owned(),
                trace_id: head.header("traceparent").and_then(trace_id).map(str::to_owned),
                http_method: method_name(head.method()),
                ..AccessLog::default()
            };
            let (address, worker_zone) = (head.header("cf-connecting-ip"), head.header("cf-worker"));
            let audit = Rc::new(|line: &str| console_log!("{line}"));
            let request = RequestContext::new(arrived / 1000, address, worker_zone, body, audit);
            let response = registrar.handle(&head, &Cloudflare::new(env, ports), &request, &mut log).await;
            let settings = &registrar.deployment.settings.edge;
            if settings.log == LogLevel::All || (settings.log == LogLevel::Denials && log.outcome != "ok") {
                log.ms = worker::Date::now().as_millis().saturating_sub(arrived);
                console_log!("{}", log.to_line());
            }
            *answer.borrow_mut() = Some(response);
        }
    };
    ports.outlive(work.boxed_local()).await;
    let response = answer.borrow_mut().take().unwrap_or_else(|| Response::empty(500));
    Ok(to_js(response))
}

/// The scheduled run: ends registrations that nobody uses.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let outcome = match registrar(&env) {
        Ok(registrar) => {
            let platform = Cloudflare::new(env.clone(), EdgePorts::new(env));
            let now = worker::Date::now().as_millis() / 1000;
            let audit = |line: &str| console_log!("{line}");
            registrar.clean_up(&platform, now, AuditLog(&audit)).await.map_err(|error| error.to_string())
        }
        Err(mistakes) => Err(mistakes),
    };
    match outcome {
        Ok(report) => console_log!("{}", serde_json::json!({ "cleanup": report })),
        Err(error) => console_error!("{}", serde_json::json!({ "cleanup": null, "failure": error })),
    }
}

/// A request's head, copied out of JavaScript: the request may end before the work does.
struct Incoming {
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
}

impl Incoming {
    fn read(request: &Request) -> Self {
        let headers = worker::Headers(request.headers());
        let present = |name: &'static str| Some((name, headers.get(name).ok().flatten()?));
        Self {
            method: request.method(),
            target: target_of(&request.url()).to_owned(),
            headers: Registrar::HEADER_NAMES.into_iter().filter_map(present).collect(),
        }
    }

    fn head(&self) -> RequestHead<'_> {
        let head = RequestHead::new(&self.method, &self.target);
        self.headers.iter().fold(head, |head, (name, value)| head.with_header(name, value))
    }
}

/// The log names no method that somebody invented.
fn method_name(method: &str) -> &'static str {
    ["GET", "POST", "OPTIONS", "HEAD", "DELETE", "PUT"].into_iter().find(|known| *known == method).unwrap_or("other")
}
