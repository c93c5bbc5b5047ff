//! Calls between Workers, and to Durable Objects; named entrypoints.
//!
//! A named entrypoint is an export of its own. Requests from outside reach the default export alone, regardless of their host
//! and path; a named one is reached by bindings that name it (`entrypoint = "Vault"`), and the platform hands it the
//! `props` of that binding.

use std::{cell::OnceCell, future::Future, rc::Rc, thread::LocalKey};

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::{Env, console_error};

use super::{event, request::JsBody, response::to_js};
use crate::{
    http::{BodyError, RequestBody, Response},
    service_call::{CallError, CallLimits, CallService, Props, Service},
};

#[wasm_bindgen(module = "/src/cloudflare/service_call.js")]
extern "C" {
    #[wasm_bindgen(js_name = callService)]
    fn call_service(
        env: &Env,
        binding: &str,
        object: Option<&str>,
        jurisdiction: Option<&str>,
        message: &str,
        milliseconds: f64,
        limit: f64,
    ) -> Promise;
}

/// A service that is bound to this Worker, or one Durable Object of a namespace that is.
///
/// ```no_run
/// use mcp_edge_runtime::{cloudflare::{Binding, Env}, service_call::{CallError, CallService}};
///
/// async fn secret_of(env: &Env, user: &str) -> Result<String, CallError> {
///     let message = serde_json::json!({ "secret_of": user }).to_string();
///     Binding::service(env, "VAULT").call(message).await
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Binding {
    env: Env,
    name: &'static str,
    object: Option<String>,
    jurisdiction: Option<String>,
    limits: CallLimits,
}

impl Binding {
    /// Creates a client of the service bound to `binding`: `[[services]]` in `wrangler.toml`, with `entrypoint` and
    /// `props`.
    #[must_use]
    pub fn service(env: &Env, binding: &'static str) -> Self {
        Self { env: env.clone(), name: binding, object: None, jurisdiction: None, limits: CallLimits::default() }
    }

    /// Creates a client of the Durable Object `name` in the namespace bound to `binding`.
    #[must_use]
    pub fn object(env: &Env, binding: &'static str, name: impl Into<String>) -> Self {
        Self { object: Some(name.into()), ..Self::service(env, binding) }
    }

    /// Sets the jurisdiction that the object is kept in, such as `eu`. The object of the same name in another jurisdiction,
    /// or in none, is another object.
    #[must_use]
    pub fn jurisdiction(self, jurisdiction: Option<impl Into<String>>) -> Self {
        Self { jurisdiction: jurisdiction.map(Into::into), ..self }
    }

    /// Sets the limits of each call. Defaults to [`CallLimits::default`].
    #[must_use]
    pub fn limits(self, limits: CallLimits) -> Self {
        Self { limits, ..self }
    }
}

impl CallService for Binding {
    #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    async fn call(&self, message: String) -> Result<String, CallError> {
        let CallLimits { timeout, max_answer } = self.limits;
        let object = self.object.as_deref();
        let jurisdiction = self.jurisdiction.as_deref();
        let milliseconds = timeout.as_millis() as f64;
        let answer =
            call_service(&self.env, self.name, object, jurisdiction, &message, milliseconds, max_answer as f64);
        let answer = JsFuture::from(answer).await.map_err(|thrown| CallError::Network(event::message_of(&thrown)))?;
        let answer = answer.as_string().unwrap_or_default();
        let (status, text) = answer.split_once('\n').unwrap_or_default();
        Err(match status {
            "200" => return Ok(text.to_owned()),
            "!unbound" => CallError::Unbound(self.name.to_owned()),
            "!timeout" => CallError::Timeout(timeout),
            "!large" => CallError::TooLarge(max_answer),
            "!overloaded" => CallError::Overloaded,
            "403" => CallError::Forbidden,
            _ => match status.parse() {
                Ok(status @ 400..500) => CallError::Rejected(status),
                Ok(status) => CallError::Failed(status),
                Err(_) => CallError::Network(text.to_owned()),
            },
        })
    }
}

/// Answers a call: reads a message of at most `max_message` bytes, and returns what `handle` makes of it. An error of
/// `handle` is logged, and the caller learns that there was one.
pub async fn answer<F: Future<Output = Result<String, String>>>(
    request: web_sys::Request,
    max_message: usize,
    handle: impl FnOnce(String) -> F,
) -> Response {
    let message = match JsBody::new(&request).text(max_message).await {
        Ok(message) => message,
        Err(BodyError::TooLarge) => return Response::empty(413),
        Err(BodyError::Truncated | BodyError::NotUtf8) => return Response::empty(400),
    };
    match handle(message).await {
        Ok(answer) => Response::json(200, answer),
        Err(error) => {
            console_error!("{error}");
            Response::empty(500)
        }
    }
}

/// What an isolate keeps of a service.
pub type ServiceCell<S> = OnceCell<Result<Rc<S>, String>>;

/// Answers a `fetch` event of a named entrypoint; what [`entrypoint!`](crate::entrypoint) exports.
#[doc(hidden)]
pub fn entrypoint_fetch<S: Service>(
    cell: &'static LocalKey<ServiceCell<S>>,
    request: web_sys::Request,
    env: &Env,
    props: &str,
    create: impl FnOnce(&Env) -> Result<S, String>,
) -> JsValue {
    let service = cell.with(|cell| cell.get_or_init(|| create(env).map(Rc::new)).clone());
    let props = Props::from_json(props);
    event::promise(async move {
        let response = match service {
            Err(error) => {
                console_error!("{error}");
                Response::empty(500)
            }
            Ok(service) => match service.authorize(&props) {
                None => Response::empty(403),
                Some(caller) => answer(request, S::MAX_MESSAGE, |message| service.answer(caller, message)).await,
            },
        };
        Ok(to_js(response).into())
    })
}

/// Exports a named entrypoint that answers with a [`Service`]: `entrypoint!(Vault, VaultService, create)`, where
/// `create` is a `fn(&Env) -> Result<VaultService, String>`, called once per isolate.
#[macro_export]
macro_rules! entrypoint {
    ($name:ident, $service:ty, $create:expr) => {
        const _: () = {
            ::std::thread_local! {
                static SERVICE: $crate::cloudflare::ServiceCell<$service> = const { ::std::cell::OnceCell::new() };
            }

            /// Answers a call.
            #[$crate::cloudflare::wasm_bindgen::prelude::wasm_bindgen(
                        wasm_bindgen = $crate::cloudflare::wasm_bindgen, js_namespace = $name, js_name = entrypointFetch
                    )]
            pub fn __entrypoint_fetch(
                request: $crate::cloudflare::Request,
                env: &$crate::cloudflare::Env,
                props: &str,
            ) -> $crate::cloudflare::wasm_bindgen::JsValue {
                $crate::cloudflare::entrypoint_fetch(&SERVICE, request, env, props, $create)
            }
        };
    };
}
