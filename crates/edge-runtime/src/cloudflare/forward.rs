//! Requests that are passed on, and responses that are passed back, by `fetch` or a binding.

use std::{any::Any, time::Duration};

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::{
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest, UpstreamBody, UpstreamResponse},
    http::{Body, BodyError, PlatformBody, RequestBody},
};

#[wasm_bindgen(module = "/src/cloudflare/forward.js")]
extern "C" {
    fn forward(
        env: &Env,
        binding: Option<&str>,
        request: &web_sys::Request,
        method: &str,
        url: &str,
        headers: &str,
        is_client_body: bool,
        content: Option<&str>,
        milliseconds: f64,
    ) -> Promise;
    #[wasm_bindgen(js_name = headOf)]
    fn head_of(response: &JsValue, names: &str) -> String;
    // `catch` as in `bridge`.
    #[wasm_bindgen(catch, js_name = textOf)]
    fn text_of(response: &JsValue, limit: f64) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = streamOf)]
    fn stream_of(response: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch)]
    fn cancel(response: &JsValue) -> Result<(), JsValue>;
}

/// Where requests are passed on to.
#[derive(Debug, Clone)]
pub struct Upstream {
    env: Env,
    binding: Option<&'static str>,
}

impl Upstream {
    /// Creates a way to any server that `fetch` reaches.
    #[must_use]
    pub fn internet(env: &Env) -> Self {
        Self { env: env.clone(), binding: None }
    }

    /// Creates a way to what is bound to `binding`: another Worker, a private network, a certificate for mTLS.
    #[must_use]
    pub fn binding(env: &Env, binding: &'static str) -> Self {
        Self { env: env.clone(), binding: Some(binding) }
    }
}

impl Forward for Upstream {
    type Body = StreamBody;

    #[allow(clippy::cast_precision_loss, reason = "timeouts far below 2^52")]
    async fn forward(
        &self,
        context: &RequestContext,
        request: ForwardRequest<'_>,
    ) -> Result<UpstreamResponse<StreamBody>, ForwardError> {
        let connection: &dyn Any = &*context.connection;
        let Some(client) = connection.downcast_ref::<web_sys::Request>() else {
            return Err(ForwardError::Network("the context is not that of a request to this Worker".to_owned()));
        };
        if let Some(name) = request.unsendable_header() {
            return Err(ForwardError::Header(name.to_owned()));
        }
        let headers: String = request.headers.iter().flat_map(|(name, value)| [name, "\n", value, "\n"]).collect();
        let (is_client_body, text) = match request.body {
            ForwardContent::Empty => (false, None),
            ForwardContent::Text(text) => (false, Some(text)),
            ForwardContent::ClientBody => (true, None),
        };
        let response = forward(
            &self.env,
            self.binding,
            client,
            request.method.as_str(),
            request.url,
            &headers,
            is_client_body,
            text,
            request.timeout.as_millis() as f64,
        );
        let response = JsFuture::from(response).await.unwrap_or_default();
        if let Some(error) = response.as_string() {
            return Err(self.error(&error, request.timeout));
        }
        let head = head_of(&response, &request.response_headers.join("\n"));
        let body = StreamBody(Some(response));
        let mut lines = head.split('\n');
        let status = lines.next().and_then(|status| status.parse().ok()).unwrap_or(502);
        let is_sendable = |value: &&str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let present = request.response_headers.iter().zip(lines).filter_map(|(name, line)| {
            let value = line.strip_prefix('=').filter(is_sendable)?;
            Some((*name, value.to_owned()))
        });
        Ok(UpstreamResponse { status, headers: present.collect(), body })
    }
}

impl Upstream {
    fn error(&self, error: &str, timeout: Duration) -> ForwardError {
        let (kind, explanation) = error.split_once('\n').unwrap_or((error, ""));
        match kind {
            "!timeout" => ForwardError::Timeout(timeout),
            "!redirect" => ForwardError::Redirect(explanation.parse().unwrap_or_default()),
            "!disconnected" => ForwardError::Disconnected,
            "!used" => ForwardError::BodyUsed,
            "!unbound" => ForwardError::Unbound(self.binding.unwrap_or_default().to_owned()),
            _ => ForwardError::Network(explanation.to_owned()),
        }
    }
}

/// The body of a response that stays in JavaScript. Dropping it cancels the response.
#[derive(Debug)]
pub struct StreamBody(Option<JsValue>);

impl UpstreamBody for StreamBody {
    fn into_body(mut self) -> Body {
        let stream = self.0.take().and_then(|response| stream_of(&response).ok());
        stream
            .filter(|stream| !stream.is_null())
            .map_or(Body::Empty, |stream| Body::Platform(PlatformBody::new(stream)))
    }
}

impl RequestBody for StreamBody {
    #[allow(clippy::cast_precision_loss, reason = "the limit is far below 2^52")]
    async fn text(mut self, limit: usize) -> Result<String, BodyError> {
        let response = self.0.take().unwrap_or_default();
        let Ok(text) = text_of(&response, limit as f64) else { return Err(BodyError::Truncated) };
        let text = JsFuture::from(text).await.map_err(|_| BodyError::Truncated)?;
        text.as_string().ok_or(BodyError::TooLarge)
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        if let Some(response) = self.0.take() {
            // Were it to fail, the response would end with its request.
            let _ = cancel(&response);
        }
    }
}
