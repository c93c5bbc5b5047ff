//! The Rust side of `bridge.js`.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/cloudflare/bridge.js")]
extern "C" {
    pub fn watch(always: &str, of_messages: &str, of_others: &str);
    // `catch`, here and below, only because wasm-bindgen lists a module once for each function that needs no glue, and
    // bundlers warn of it.
    #[wasm_bindgen(catch, js_name = onResume)]
    pub fn on_resume(resume: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(catch)]
    pub fn abortable(promise: Promise) -> Result<Promise, JsValue>;
    pub fn suspend(number: u32, promise: Promise) -> Promise;
    pub fn head(request: &web_sys::Request, into: &mut [u8]) -> i32;
    pub fn copy(bytes: &JsValue, into: &mut [u8]) -> i32;
    pub fn body(request: &web_sys::Request, limit: f64) -> Promise;
    #[wasm_bindgen(catch, js_name = isGone)]
    pub fn is_gone(request: &web_sys::Request) -> Result<bool, JsValue>;
    #[wasm_bindgen(js_name = keepHeaders)]
    pub fn keep_headers(number: usize, lines: &str);
    pub fn respond(status: u16, headers: usize, body: JsValue) -> web_sys::Response;
    #[wasm_bindgen(js_name = respondOnce)]
    pub fn respond_once(status: u16, headers: &str, body: JsValue) -> web_sys::Response;
    pub fn call(
        method: &str,
        url: &str,
        authorization: Option<&str>,
        media_type: Option<&str>,
        content: Option<&str>,
        milliseconds: f64,
        limit: f64,
    ) -> Promise;
    pub fn load(env: &JsValue, binding: &str, key: &str, cache_ttl: f64) -> Promise;
    pub fn save(env: &JsValue, binding: &str, key: &str, value: &str, expiration_ttl: f64) -> Promise;
    #[wasm_bindgen(js_name = isOverLimit)]
    pub fn is_over_limit(env: &JsValue, binding: &str, key: &str) -> Promise;
    #[wasm_bindgen(js_name = hasBinding)]
    pub fn has_binding(env: &JsValue, binding: &str) -> bool;
    #[wasm_bindgen(js_name = writeDataPoint)]
    pub fn write_data_point(env: &JsValue, binding: &str, index: &str, blobs: &str, status: f64, milliseconds: f64);
    #[wasm_bindgen(js_name = importKey)]
    pub fn import_key(algorithm: &str, jwk: &str) -> Promise;
    pub fn verify(algorithm: &str, key: &JsValue, signature: &[u8], message: &[u8]) -> Promise;
    #[wasm_bindgen(catch, js_name = waitUntil)]
    pub fn wait_until(promise: &Promise) -> Result<(), JsValue>;
    #[wasm_bindgen(catch)]
    pub fn now() -> Result<f64, JsValue>;
    pub fn setting(env: &JsValue, name: &str) -> Option<String>;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    pub fn log(line: &str);
}
