//! The [`Services`](crate::ports::Services) of an isolate: KV, `fetch`, WebCrypto, timers, randomness, the rate limiter.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;
use worker::{Delay, Env, console_error};

use super::{
    bridge, event,
    executor::{self, Relay},
};
use crate::{
    context::Connection,
    crypto::{Algorithm, Thumbprint, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
};

/// What the services are bound to in `wrangler.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Bindings {
    /// The KV namespace of the [`Store`].
    pub store: &'static str,
    /// The rate limiter of the [`FailureLimit`]; nothing is limited if it is not bound.
    pub rate_limiter: &'static str,
}

/// How long Cloudflare's edge may answer a read from its own cache: the shortest time that all versions of the
/// documentation allow. The age of a record is checked by its own content.
const KV_CACHE_SECONDS: u64 = 60;

/// Imported keys kept at most, for one algorithm each. A few are in use; all issuers together may publish more, and then
/// the one that was imported first makes room, so that nobody can have all the others imported again with one token.
const MAX_IMPORTED_KEYS: usize = 256;

thread_local! {
    /// A `CryptoKey` made in one request works in the others of its isolate; importing costs as much as verifying.
    static IMPORTED_KEYS: RefCell<Vec<((Thumbprint, Algorithm), JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// Where the request came from, as Cloudflare says.
const ADDRESS_HEADER: &str = "cf-connecting-ip";

/// What all requests of an isolate use. Made of the Worker's bindings, which do not change while it lives, and of nothing
/// that belongs to a request.
#[derive(Clone)]
pub struct EdgeServices {
    env: Rc<Env>,
    bindings: Bindings,
}

impl EdgeServices {
    /// Creates services over the Worker's bindings.
    #[must_use]
    pub fn new(env: Env, bindings: Bindings) -> Self {
        Self { env: Rc::new(env), bindings }
    }
}

impl Connection for web_sys::Request {
    fn address(&self) -> Option<String> {
        self.header(ADDRESS_HEADER)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers().get(name).ok()?
    }
}

impl Fetch for EdgeServices {
    #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        let (media_type, content) = request.body.media_type_and_text().unzip();
        let answer = bridge::call(
            request.method.as_str(),
            request.url,
            request.authorization,
            media_type,
            content,
            request.timeout.as_millis() as f64,
            request.max_body as f64,
        );
        let answer = JsFuture::from(answer).await.map_err(|error| FetchError::Network(event::message_of(&error)))?;
        let answer = answer.as_string().unwrap_or_default();
        let (status, body) = answer.split_once('\n').unwrap_or_default();
        match status {
            "!timeout" => Err(FetchError::Timeout(request.timeout)),
            "!large" => Err(FetchError::TooLarge(request.max_body)),
            "!redirect" => Err(FetchError::Redirect(body.parse().unwrap_or_default())),
            _ => {
                let (status, challenge) = status.split_once(' ').unwrap_or((status, ""));
                match status.parse() {
                    Ok(status) => Ok(HttpResponse { status, challenge: challenge.to_owned(), body: body.to_owned() }),
                    Err(_) => Err(FetchError::Network(body.to_owned())),
                }
            }
        }
    }
}

impl Store for EdgeServices {
    #[allow(clippy::cast_precision_loss, reason = "a minute")]
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = JsFuture::from(bridge::load(&self.env, self.bindings.store, key, KV_CACHE_SECONDS as f64)).await;
        value.map(|value| value.as_string()).map_err(|thrown| StoreError(event::message_of(&thrown)))
    }

    #[allow(clippy::cast_precision_loss, reason = "a day")]
    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError> {
        let written =
            JsFuture::from(bridge::save(&self.env, self.bindings.store, key, value, ttl.as_secs() as f64)).await;
        written.map(drop).map_err(|thrown| StoreError(event::message_of(&thrown)))
    }
}

impl SignatureVerifier for EdgeServices {
    async fn verify(
        &self,
        key: &impl VerificationKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        let crypto_key = imported(key, algorithm).await?;
        // WebCrypto copies its input before it returns the promise, so borrowing is enough.
        let verdict = bridge::verify(algorithm.name(), &crypto_key, signature, message);
        Ok(executor::settled(verdict).await.is_truthy())
    }
}

async fn imported(key: &impl VerificationKey, algorithm: Algorithm) -> Result<JsValue, UnusableKey> {
    let name = (key.thumbprint(), algorithm);
    // A handful, mostly: looked through faster than hashed.
    let known = |keys: &Vec<(_, JsValue)>| keys.iter().find(|(known, _)| *known == name).map(|(_, key)| key.clone());
    if let Some(known) = IMPORTED_KEYS.with_borrow(known) {
        return Ok(known);
    }
    let promise = bridge::import_key(algorithm.name(), &key.to_jwk());
    let crypto_key = JsFuture::from(promise).await.map_err(|error| UnusableKey(event::message_of(&error)))?;
    IMPORTED_KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MAX_IMPORTED_KEYS {
            keys.remove(0);
        }
        keys.push((name, crypto_key.clone()));
    });
    Ok(crypto_key)
}

impl Runtime for EdgeServices {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        EdgeRuntime.sleep(duration)
    }

    fn random(&self, buffer: &mut [u8]) {
        EdgeRuntime.random(buffer);
    }
}

/// Timers and randomness need nothing of a request.
pub struct EdgeRuntime;

impl Runtime for EdgeRuntime {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        // A `Delay` wakes what has polled it first, for good. That may be a request whose answer has become a stream meanwhile.
        let (mut delay, relay) = (Delay::from(duration), Arc::<Relay>::default());
        poll_fn(move |context| {
            relay.follow(context.waker());
            Pin::new(&mut delay).poll(&mut Context::from_waker(&Waker::from(Arc::clone(&relay))))
        })
        .boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        // Cannot fail inside a request: `crypto.getRandomValues` is part of the runtime. Were it to fail all the same,
        // predictable bytes would be worse than a panic.
        getrandom::fill(buffer).expect("the runtime has a source of randomness");
    }
}

impl Background for EdgeServices {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        spawn(work)
    }
}

/// Starts work that continues when its request is abandoned or answered.
pub(super) fn spawn(work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
    let work = promise_of(work);
    // Were this to fail, the work would still go on as long as its request does.
    let _ = bridge::wait_until(&work);
    JsFuture::from(work).map(|_| ()).boxed_local()
}

/// The promise of the end of `work`.
pub(super) fn promise_of(work: LocalBoxFuture<'static, ()>) -> js_sys::Promise {
    future_to_promise(AssertUnwindSafe(work.map(|()| Ok(JsValue::UNDEFINED))))
}

impl OperatorLog for EdgeServices {
    fn info(&self, line: &str) {
        bridge::log(line);
    }

    fn error(&self, line: &str) {
        console_error!("{line}");
    }
}

impl FailureLimit for EdgeServices {
    async fn count_failure(&self, address: &str) -> bool {
        let refused = bridge::is_over_limit(&self.env, self.bindings.rate_limiter, address);
        JsFuture::from(refused).await.is_ok_and(|refused| refused.is_truthy())
    }
}
