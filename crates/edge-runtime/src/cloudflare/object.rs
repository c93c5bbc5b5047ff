//! Durable Objects: their events, their SQL storage, their alarm.
//!
//! The generated entry exports a JavaScript class for each [`durable_object!`](crate::durable_object). An object of it
//! holds `state` and `env` and hands both over with each event, so nothing of it points into WebAssembly's memory: after
//! a crash the next event starts a new instance, and the object answers with its storage as it was.

use std::future::Future;

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::{event, response::to_js};
use crate::{
    alarm::{AlarmError, Alarms},
    http::Response,
    sql::{Rows, SqlError, SqlStorage, Statement, encoding},
};

#[wasm_bindgen(module = "/src/cloudflare/object.js")]
extern "C" {
    fn execute(state: &JsValue, statements: &str) -> String;
    // `catch` as in `bridge`.
    #[wasm_bindgen(catch, js_name = setAlarm)]
    fn set_alarm(state: &JsValue, at: f64) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = getAlarm)]
    fn get_alarm(state: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = deleteAlarm)]
    fn delete_alarm(state: &JsValue) -> Result<Promise, JsValue>;
}

/// The state of one Durable Object: its SQL storage and its alarm.
///
/// Statics and `thread_local!`s are shared with every other object of the isolate, and with the Worker itself; what
/// belongs to an object is in its storage.
#[derive(Debug, Clone)]
pub struct ObjectState(JsValue);

impl SqlStorage for ObjectState {
    fn transaction(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, SqlError> {
        let result = execute(&self.0, &encoding::to_json(&statements)?);
        match result.strip_prefix('!') {
            Some(message) => Err(SqlError::from_message(message)),
            None => encoding::from_json(&result),
        }
    }
}

impl Alarms for ObjectState {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds far below 2^52")]
    async fn set_alarm(&self, at: u64) -> Result<(), AlarmError> {
        settled(set_alarm(&self.0, at as f64)).await.map(drop)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds far below 2^52")]
    async fn get_alarm(&self) -> Result<Option<u64>, AlarmError> {
        Ok(settled(get_alarm(&self.0)).await?.as_f64().map(|at| at as u64))
    }

    async fn delete_alarm(&self) -> Result<(), AlarmError> {
        settled(delete_alarm(&self.0)).await.map(drop)
    }
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, AlarmError> {
    let value = async { JsFuture::from(promise?).await };
    value.await.map_err(|thrown| AlarmError(event::message_of(&thrown)))
}

/// Answers a `fetch` event of an object; what [`durable_object!`](crate::durable_object) exports.
#[doc(hidden)]
pub fn object_fetch<F: Future<Output = Response> + 'static>(
    request: web_sys::Request,
    env: Env,
    state: JsValue,
    handle: impl FnOnce(ObjectState, Env, web_sys::Request) -> F,
) -> JsValue {
    let response = handle(ObjectState(state), env, request);
    event::promise(async { Ok(to_js(response.await).into()) })
}

/// Handles the alarm of an object; what [`durable_object!`](crate::durable_object) exports.
#[doc(hidden)]
pub fn object_alarm<F: Future<Output = Result<(), String>> + 'static>(
    env: Env,
    state: JsValue,
    handle: impl FnOnce(ObjectState, Env) -> F,
) -> JsValue {
    let work = handle(ObjectState(state), env);
    event::promise(async { work.await.map(|()| JsValue::UNDEFINED).map_err(|error| js_sys::Error::new(&error).into()) })
}

/// Exports a class of Durable Objects: `durable_object!(Ledger, fetch = ledger::fetch, alarm = ledger::alarm)`, with
/// either event or both. `wrangler.toml` names the class in `[[durable_objects.bindings]]` and in
/// `new_sqlite_classes` of a migration.
///
/// - `fetch`: `async fn(ObjectState, Env, Request) -> Response`, a request from a Worker that has the object's binding.
///   For calls of JSON, `fetch = |state, env, request| answer(request, MAX, |message| …)`, see
///   [`answer`](crate::cloudflare::answer).
/// - `alarm`: `async fn(ObjectState, Env) -> Result<(), String>`. After an error, and after a crash, the platform repeats
///   the alarm: at least twice as late each time, six times.
#[macro_export]
macro_rules! durable_object {
    ($class:ident, $($event:ident = $handler:expr),+ $(,)?) => {
        const _: () = { $( $crate::durable_object!(@export $class $event $handler); )+ };
    };
    (@export $class:ident fetch $handler:expr) => {
        /// Answers a request to the object.
        #[$crate::cloudflare::wasm_bindgen::prelude::wasm_bindgen(
            wasm_bindgen = $crate::cloudflare::wasm_bindgen, js_namespace = $class, js_name = objectFetch
        )]
        pub fn __object_fetch(
            request: $crate::cloudflare::Request,
            env: $crate::cloudflare::Env,
            state: $crate::cloudflare::wasm_bindgen::JsValue,
        ) -> $crate::cloudflare::wasm_bindgen::JsValue {
            $crate::cloudflare::object_fetch(request, env, state, $handler)
        }
    };
    (@export $class:ident alarm $handler:expr) => {
        /// Handles the object's alarm.
        #[$crate::cloudflare::wasm_bindgen::prelude::wasm_bindgen(
            wasm_bindgen = $crate::cloudflare::wasm_bindgen, js_namespace = $class, js_name = objectAlarm
        )]
        pub fn __object_alarm(
            env: $crate::cloudflare::Env,
            state: $crate::cloudflare::wasm_bindgen::JsValue,
        ) -> $crate::cloudflare::wasm_bindgen::JsValue {
            $crate::cloudflare::object_alarm(env, state, $handler)
        }
    };
}
