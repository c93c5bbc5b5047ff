//! Requests that are passed on, and responses that are passed back, by `fetch` or a binding.

use std::{any::Any, time::Duration};

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::{
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest, ReadError, UpstreamBody, UpstreamResponse},
    http::{Body, PlatformBody},
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
        prefix: Option<&str>,
        is_client_body: bool,
        content: Option<&str>,
        timeout: f64,
        ends_after: Option<f64>,
    ) -> Promise;
    #[wasm_bindgen(js_name = headOf)]
    fn head_of(response: &JsValue, names: &str) -> String;
    // `catch` as in `bridge`.
    #[wasm_bindgen(catch, js_name = textOf)]
    fn text_of(response: &JsValue, limit: f64, timeout: f64) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = streamOf)]
    fn stream_of(response: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch)]
    fn cancel(response: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = isBound)]
    fn is_fetcher(env: &Env, binding: &str) -> bool;
}

/// Whether requests can be sent to what is bound to `binding`: it is a service, a private network or a certificate, and
/// not a variable or secret of that name.
#[must_use]
pub fn is_bound(env: &Env, binding: &str) -> bool {
    is_fetcher(env, binding)
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52; what is not, is longer than any timer")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_millis() as f64
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
            request.client_headers_prefix,
            is_client_body,
            text,
            milliseconds(request.timeout),
            request.ends_after.map(milliseconds),
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
            "!ended" => ForwardError::Ended,
            "!encoding" => ForwardError::Encoding(explanation.to_owned()),
            "!headers" => ForwardError::ClientHeaders,
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

    #[allow(clippy::cast_precision_loss, reason = "the limit is far below 2^52")]
    async fn text(mut self, limit: usize, timeout: Duration) -> Result<String, ReadError> {
        let response = self.0.take().unwrap_or_default();
        let text = text_of(&response, limit as f64, milliseconds(timeout)).map_err(|_| ReadError::Truncated)?;
        let text = JsFuture::from(text).await.unwrap_or_default();
        text.as_string().ok_or_else(|| match text.as_f64() {
            Some(TOO_LARGE) => ReadError::TooLarge(limit),
            Some(TIMEOUT) => ReadError::Timeout(timeout),
            Some(BUSY) => ReadError::Busy,
            _ => ReadError::Truncated,
        })
    }
}

/// What `textOf` resolves to if there is no text.
const TOO_LARGE: f64 = 1.0;
const TIMEOUT: f64 = 2.0;
const BUSY: f64 = 3.0;

impl Drop for StreamBody {
    fn drop(&mut self) {
        if let Some(response) = self.0.take() {
            // Were it to fail, the response would end with its request.
            let _ = cancel(&response);
        }
    }
}
