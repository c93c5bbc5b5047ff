//! Events that are answered with a promise, and what JavaScript throws.

use std::{future::Future, panic::AssertUnwindSafe};

use js_sys::futures::future_to_promise;
use wasm_bindgen::{JsCast, JsValue};

use super::bridge;

/// The promise of an event's answer. It is rejected if WebAssembly crashes before it is settled.
pub fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let promise = future_to_promise(AssertUnwindSafe(work));
    bridge::abortable(promise.clone()).unwrap_or(promise).into()
}

/// The message of what JavaScript threw.
pub fn message_of(thrown: &JsValue) -> String {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| error.message().into());
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| "unknown error".to_owned())
}
