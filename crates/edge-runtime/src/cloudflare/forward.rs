//! Requests that are passed on, and responses that are passed back, by `fetch` or a binding.

use std::{any::Any, time::Duration};

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::executor;
use crate::{
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest, ReadError, UpstreamBody, UpstreamResponse},
    http::{Body, PlatformBody},
};

#[wasm_bindgen(module = "/src/cloudflare/forward.js")]
extern "C" {
    fn forward(
        env: &Env,
        request: &web_sys::Request,
        url: &str,
        lines: &str,
        is_client_body: bool,
        content: Option<&str>,
        timeout: f64,
        ends_after: Option<f64>,
    ) -> Promise;
    #[wasm_bindgen(js_name = headOf)]
    fn head_of(response: &JsValue) -> String;
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

/// As many bytes as most heads of requests with an assertion have.
const USUAL_LINES_BYTES: usize = 2 * 1024;

#[allow(clippy::cast_precision_loss, reason = "far below 2^52; what is not, is longer than any timer")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_millis() as f64
}

/// Where requests are passed on to.
#[derive(Debug, Clone)]
pub struct Upstream {
    env: Env,
    binding: Option<&'static str>,
    /// See [`Self::awaited_alone`].
    is_awaited_alone: bool,
}

impl Upstream {
    /// Creates a way to any server that `fetch` reaches.
    #[must_use]
    pub fn internet(env: &Env) -> Self {
        Self { env: env.clone(), binding: None, is_awaited_alone: false }
    }

    /// Creates a way to what is bound to `binding`: another Worker, a private network, a certificate for mTLS.
    #[must_use]
    pub fn binding(env: &Env, binding: &'static str) -> Self {
        Self { env: env.clone(), binding: Some(binding), is_awaited_alone: false }
    }

    /// For a Worker whose requests await nothing else while they await this: no timer and no other request. What is awaited
    /// beside it (with `select`, for example) would not be noticed before the head of the response has arrived, or all of it
    /// if it is small JSON. The request is suspended until then, as `executor` says, which saves a promise of Rust's own.
    #[must_use]
    pub fn awaited_alone(self) -> Self {
        Self { is_awaited_alone: true, ..self }
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
        let lines = self.lines(&request);
        let (is_client_body, text) = match request.body {
            ForwardContent::Empty => (false, None),
            ForwardContent::Text(text) => (false, Some(text)),
            ForwardContent::ClientBody => (true, None),
        };
        let response = forward(
            &self.env,
            client,
            request.url,
            &lines,
            is_client_body,
            text,
            milliseconds(request.timeout),
            request.ends_after.map(milliseconds),
        );
        let response = if self.is_awaited_alone {
            executor::settled_even_if_disconnected(response).await
        } else {
            JsFuture::from(response).await.unwrap_or_default()
        };
        let head = head_of(&response);
        if !head.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(self.error(&head, request.timeout));
        }
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
    /// What `forward.js` splits again: nothing in it has line breaks, or commas where they separate.
    fn lines(&self, request: &ForwardRequest<'_>) -> String {
        // Compressed events would wait for more of them.
        let own = ("accept-encoding", "identity");
        let headers = request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(own.0)).chain([&own]);
        let mut lines = String::with_capacity(USUAL_LINES_BYTES);
        for part in [self.binding, request.client_headers_prefix] {
            lines.extend(part.map(|part| ["=", part]).into_iter().flatten());
            lines.push('\n');
        }
        lines.extend([request.method.as_str(), "\n"]);
        lines.extend(request.response_headers.iter().flat_map(|name| [name, ","]));
        lines.push('\n');
        lines.extend(headers.flat_map(|(name, value)| [name, "\n", value, "\n"]));
        lines
    }

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
