//! The Worker that shows the platform seams at work. Each module uses one of them as a Worker would:
//!
//! | module | shows |
//! |---|---|
//! | [`ledger`] | a Durable Object with SQL storage and an alarm, before and after a crash |
//!
//! `seams.test.mjs` calls it on workerd.

pub mod ledger;

use mcp_edge_runtime::{
    app::{App, Handled},
    cloudflare::{Binding, Env},
    context::RequestContext,
    http::{HeaderNames, RequestBody, RequestHead, Response},
    log::{LogLevel, LogRecord, LogSettings},
    service_call::{CallError, CallLimits, CallService},
};

mcp_edge_runtime::worker!(Seams, |env: &Env| Ok(Seams { env: env.clone() }));
mcp_edge_runtime::durable_object!(Ledger, fetch = ledger::fetch, alarm = ledger::alarm);

/// The default entrypoint: each path shows one seam.
pub struct Seams {
    env: Env,
}

impl App for Seams {
    fn header_names(&self) -> HeaderNames {
        HeaderNames { always: Vec::new(), of_messages: Vec::new(), of_others: Vec::new() }
    }

    fn log_settings(&self) -> LogSettings {
        LogSettings { level: LogLevel::Off, subject: false, development: false }
    }

    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, _: &RequestContext) -> Handled {
        let response = match head.path() {
            "/crash" => panic!("as this request is meant to"),
            path => match path.strip_prefix("/ledger/") {
                Some(name) => {
                    let message = body.text(CallLimits::default().max_answer).await.unwrap_or_default();
                    respond(Binding::object(&self.env, "LEDGER", name).call(message).await)
                }
                None => Response::empty(404),
            },
        };
        Handled { response, record: LogRecord::default() }
    }

    fn misconfigured(_: &RequestHead<'_>) -> Response {
        Response::empty(500)
    }
}

/// What a call returned; its error as text, with a status that no answer has.
fn respond(answer: Result<String, CallError>) -> Response {
    match answer {
        Ok(answer) => Response::json(200, answer),
        Err(error) => Response::json(502, format!("{error:?}")),
    }
}

/// The snippets of `docs/platform.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/platform.md")]
struct Documentation;
