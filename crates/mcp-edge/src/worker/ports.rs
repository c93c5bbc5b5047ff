//! KV, `fetch`, WebCrypto, timers, randomness and the rate limiter, as the [`crate::ports`] that the rules ask for.

use std::{cell::RefCell, panic::AssertUnwindSafe, rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Delay, Env};

use super::{errand, prelude};
use crate::{
    oauth::{
        keys::jwk::{Key, Thumbprint},
        token::algorithm::Algorithm,
    },
    ports::{
        Background, FailureLimit, Fetch, FetchError, Outgoing, Reply, Runtime, Sender, Signatures, Store, StoreError,
        UnusableKey,
    },
};

/// The KV namespace's binding.
const KV_BINDING: &str = "JWKS";

/// The optional rate limiter's binding.
const RATE_LIMITER_BINDING: &str = "RATE_LIMITER";

/// How long Cloudflare's edge may answer a read from its own cache. The shortest time that every documentation agrees
/// on; a record is looked at by its own age anyway.
const KV_CACHE_SECONDS: u64 = 60;

/// Imported keys kept at most: more than all issuers together publish.
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
pub struct EdgePorts(Rc<Env>);

impl EdgePorts {
    /// Creates the ports over the Worker's bindings.
    #[must_use]
    pub fn new(env: Env) -> Self {
        Self(Rc::new(env))
    }

    pub(super) fn env(&self) -> &Env {
        &self.0
    }
}

impl Sender for Rc<web_sys::Request> {
    fn address(&self) -> Option<String> {
        self.headers().get(ADDRESS_HEADER).ok()?
    }
}

impl Fetch for EdgePorts {
    #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    async fn fetch(&self, call: Outgoing<'_>) -> Result<Reply, FetchError> {
        let (media_type, content) = call.content.parts().unzip();
        let answer = prelude::call(
            call.method.name(),
            call.url,
            call.authorization,
            media_type,
            content,
            call.timeout.as_millis() as f64,
            call.max_body as f64,
        );
        let answer = JsFuture::from(answer).await.map_err(|error| FetchError::Network(text_of(&error)))?;
        let answer = answer.as_string().unwrap_or_default();
        let (status, body) = answer.split_once('\n').unwrap_or_default();
        match status {
            "!timeout" => Err(FetchError::Timeout(call.timeout)),
            "!large" => Err(FetchError::TooLarge(call.max_body)),
            "!redirect" => Err(FetchError::Redirect(body.parse().unwrap_or_default())),
            _ => {
                let (status, challenge) = status.split_once(' ').unwrap_or((status, ""));
                match status.parse() {
                    Ok(status) => Ok(Reply { status, challenge: challenge.to_owned(), body: body.to_owned() }),
                    Err(_) => Err(FetchError::Network(body.to_owned())),
                }
            }
        }
    }
}

impl Store for EdgePorts {
    #[allow(clippy::cast_precision_loss, reason = "a minute")]
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = JsFuture::from(prelude::load(self.env(), KV_BINDING, key, KV_CACHE_SECONDS as f64)).await;
        value.map(|value| value.as_string()).map_err(|thrown| StoreError(text_of(&thrown)))
    }

    #[allow(clippy::cast_precision_loss, reason = "a day")]
    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError> {
        let written = JsFuture::from(prelude::save(self.env(), KV_BINDING, key, value, ttl.as_secs() as f64)).await;
        written.map(drop).map_err(|thrown| StoreError(text_of(&thrown)))
    }
}

impl Signatures for EdgePorts {
    async fn verify(
        &self,
        key: &Key,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        let crypto_key = imported(key, algorithm).await?;
        // WebCrypto copies its input before it returns the promise, so borrowing is enough.
        let verdict = prelude::verify(algorithm.name(), &crypto_key, signature, message);
        Ok(errand::bring(verdict).await.is_truthy())
    }
}

async fn imported(key: &Key, algorithm: Algorithm) -> Result<JsValue, UnusableKey> {
    let name = (key.thumbprint, algorithm);
    // A handful, mostly: looked through faster than hashed.
    let known = |keys: &Vec<(_, JsValue)>| keys.iter().find(|(known, _)| *known == name).map(|(_, key)| key.clone());
    if let Some(known) = IMPORTED_KEYS.with_borrow(known) {
        return Ok(known);
    }
    let promise = prelude::import_key(algorithm.name(), &key.minimal_jwk());
    let crypto_key = JsFuture::from(promise).await.map_err(|error| UnusableKey(text_of(&error)))?;
    IMPORTED_KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MAX_IMPORTED_KEYS {
            keys.clear();
        }
        keys.push((name, crypto_key.clone()));
    });
    Ok(crypto_key)
}

impl Runtime for EdgePorts {
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
        Delay::from(duration).boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        // Cannot fail inside a request: `crypto.getRandomValues` is part of the runtime. Were it to fail all the same,
        // predictable bytes would be worse than a panic.
        getrandom::fill(buffer).expect("the runtime has a source of randomness");
    }
}

impl Background for EdgePorts {
    fn outlive(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        let work = future_to_promise(AssertUnwindSafe(work.map(|()| Ok(JsValue::UNDEFINED))));
        // Were this to fail, the work would still go on as long as its request does.
        let _ = prelude::wait_until(&work);
        JsFuture::from(work).map(|_| ()).boxed_local()
    }
}

impl FailureLimit for EdgePorts {
    async fn count_failure(&self, address: &str) -> bool {
        let refused = prelude::is_over_limit(self.env(), RATE_LIMITER_BINDING, address);
        JsFuture::from(refused).await.is_ok_and(|refused| refused.is_truthy())
    }
}

/// The message of whatever JavaScript threw.
fn text_of(thrown: &JsValue) -> String {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| error.message().into());
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| "unknown error".to_owned())
}
