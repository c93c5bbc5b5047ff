//! Whole requests that are passed on to another Worker, through a binding.

use std::any::Any;

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::{
    context::RequestContext,
    http::{Body, PlatformBody, Response},
    proxy::{Proxy, ProxyError, ProxyRequest},
};

#[wasm_bindgen(module = "/src/cloudflare/proxy.js")]
extern "C" {
    #[wasm_bindgen(js_name = passOn)]
    fn pass_on(
        env: &Env,
        binding: &str,
        request: &web_sys::Request,
        url: &str,
        names: &str,
        limit: f64,
        milliseconds: f64,
    ) -> Promise;
}

/// A Worker that is bound to this one.
#[derive(Debug, Clone)]
pub struct BoundWorker {
    env: Env,
    binding: &'static str,
}

impl BoundWorker {
    /// Creates a way to the default entrypoint of the Worker that is bound to `binding`.
    #[must_use]
    pub fn new(env: &Env, binding: &'static str) -> Self {
        Self { env: env.clone(), binding }
    }

    #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    async fn send(&self, context: &RequestContext, request: ProxyRequest<'_>) -> Result<Response, ProxyError> {
        let connection: &dyn Any = &*context.connection;
        let Some(client) = connection.downcast_ref::<web_sys::Request>() else {
            return Err(ProxyError::Network("the context is not that of a request to this Worker".to_owned()));
        };
        let (limit, milliseconds) = (request.max_body as f64, request.timeout.as_millis() as f64);
        let names = request.headers.join("\n");
        let response = pass_on(&self.env, self.binding, client, request.url, &names, limit, milliseconds);
        let response = JsFuture::from(response).await.unwrap_or_default();
        if let Some(status) = js_sys::Reflect::get(&response, &"status".into()).ok().and_then(|status| status.as_f64())
        {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status is an integer")]
            let status = status as u16;
            return Ok(Response { status, headers: Vec::new(), body: Body::Response(PlatformBody::new(response)) });
        }
        let error = response.as_string().unwrap_or_default();
        let (kind, explanation) = error.split_once('\n').unwrap_or_default();
        Err(match kind {
            "!large" => ProxyError::TooLarge(request.max_body),
            "!truncated" => ProxyError::Truncated,
            "!disconnected" => ProxyError::Disconnected,
            "!timeout" => ProxyError::Timeout(request.timeout),
            "!unbound" => ProxyError::Unbound(self.binding.to_owned()),
            _ => ProxyError::Network(explanation.to_owned()),
        })
    }
}

impl Proxy for BoundWorker {
    fn pass_on<'a>(
        &'a self,
        context: &'a RequestContext,
        request: ProxyRequest<'a>,
    ) -> LocalBoxFuture<'a, Result<Response, ProxyError>> {
        self.send(context, request).boxed_local()
    }
}
