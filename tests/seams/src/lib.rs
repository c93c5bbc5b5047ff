//! The Worker that shows the platform seams at work. Each module uses one of them as a Worker would:
//!
//! | module | shows |
//! |---|---|
//! | [`crypto`] | secret keys that sign, authenticate and derive |
//! | [`forwarder`] | requests and responses that are passed on without their bodies |
//! | [`ledger`] | a Durable Object with SQL storage and an alarm, before and after a crash |
//! | [`proxy`] | whole requests that another Worker answers |
//! | [`vault`] | a named entrypoint that only some bindings may call |
//!
//! `seams.test.mjs` calls it on workerd.

pub mod crypto;
pub mod forwarder;
pub mod ledger;
pub mod proxy;
pub mod vault;

use std::time::Duration;

use mcp_edge_runtime::{
    app::{App, Handled},
    cloudflare::{Binding, Env},
    context::RequestContext,
    http::{HeaderNames, RequestBody, RequestHead, Response},
    log::{LogLevel, LogRecord, LogSettings},
    service_call::{CallError, CallLimits, CallService},
};
use serde_json::json;

use self::crypto::Keys;

mcp_edge_runtime::worker!(Seams, |env: &Env| Ok(Seams { env: env.clone(), keys: Keys::new(env) }));
mcp_edge_runtime::durable_object!(Ledger, fetch = ledger::fetch, alarm = ledger::alarm);
mcp_edge_runtime::durable_object!(Journal, fetch = ledger::fetch);
mcp_edge_runtime::entrypoint!(Vault, vault::Vault, vault::Vault::new);

/// What calls from the default entrypoint may take.
const LIMITS: CallLimits = CallLimits { timeout: Duration::from_millis(500), max_answer: 64 * 1024 };

const MAX_MESSAGE: usize = 64 * 1024;

/// The bindings to which a path leads: those with different props, and one that does not exist.
const SERVICES: [(&str, &str); 5] = [
    ("/vault", "VAULT"),
    ("/vault-of-a-stranger", "VAULT_OF_A_STRANGER"),
    ("/vault-without-props", "VAULT_WITHOUT_PROPS"),
    ("/default-entrypoint", "DEFAULT_ENTRYPOINT"),
    ("/unbound", "UNBOUND"),
];

/// The default entrypoint: each path shows one seam.
pub struct Seams {
    env: Env,
    keys: Keys,
}

impl App for Seams {
    fn header_names(&self) -> HeaderNames {
        HeaderNames {
            always: ["x-chosen", "content-type", "x-ends-after", "x-read-timeout"].map(str::to_owned).to_vec(),
            of_messages: Vec::new(),
            of_others: Vec::new(),
        }
    }

    fn log_settings(&self) -> LogSettings {
        LogSettings { level: LogLevel::Off, subject: false, development: false }
    }

    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, context: &RequestContext) -> Handled {
        assert_ne!(head.path(), "/crash", "as this request is meant to");
        let response = if let Some(to) = head.path().strip_prefix("/forward/") {
            forwarder::forward(&self.env, context, head, to).await
        } else if let Some(to) = head.path().strip_prefix("/proxy/") {
            proxy::pass_on(&self.env, context, head, to).await
        } else if head.path() == "/bindings" {
            forwarder::bindings(&self.env)
        } else if head.path() == "/keys" {
            let message = body.text(MAX_MESSAGE).await.unwrap_or_default();
            Response::json(200, self.keys.use_all(&message).await.to_string())
        } else if let Some(callee) = self.callee(head.path()) {
            let message = body.text(MAX_MESSAGE).await.unwrap_or_default();
            respond(callee.call(message).await)
        } else {
            Response::empty(404)
        };
        Handled { response, record: LogRecord::default() }
    }

    fn misconfigured(_: &RequestHead<'_>) -> Response {
        Response::empty(500)
    }
}

impl Seams {
    /// What a path leads to, if it is called with JSON.
    fn callee(&self, path: &str) -> Option<Binding> {
        let service = SERVICES.into_iter().find(|(known, _)| *known == path);
        let object = |prefix, binding| Some(Binding::object(&self.env, binding, path.strip_prefix(prefix)?));
        service
            .map(|(_, binding)| Binding::service(&self.env, binding).limits(LIMITS))
            .or_else(|| object("/ledger/", "LEDGER"))
            .or_else(|| object("/journal/", "JOURNAL"))
    }
}

/// What a call returned, or its error.
fn respond(answer: Result<String, CallError>) -> Response {
    match answer {
        Ok(answer) => Response::json(200, answer),
        Err(error) => Response::json(502, json!({ "error": format!("{error:?}") }).to_string()),
    }
}

/// The snippets of `docs/platform.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/platform.md")]
struct Documentation;
