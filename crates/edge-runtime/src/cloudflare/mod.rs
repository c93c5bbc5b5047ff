//! The Worker shell: everything between Cloudflare Workers and an [`App`](crate::app::App). The only code that knows
//! Cloudflare.
//!
//! | module | what it contains |
//! |---|---|
//! | `shell` | the `fetch` and `scheduled` events, the log line |
//! | `executor` | runs a request without a promise of Rust's own, as far as possible |
//! | `request` | head and body of a request |
//! | `response` | the response |
//! | `bridge` | crossings between JavaScript and WebAssembly, as few as possible |
//! | `services` | KV, `fetch`, WebCrypto, timers, randomness, the rate limiter |
//! | `metrics` | Analytics Engine |
//! | `object` | Durable Objects: events, SQL storage, alarms |
//! | `forward` | requests and responses that are passed on without their bodies |
//! | `proxy` | whole requests that are passed on to another Worker |
//! | `service_call` | calls to other Workers and to Durable Objects; named entrypoints |
//! | `keys` | secret keys in WebCrypto |
//! | `event` | events that are answered with a promise |

mod bridge;
mod event;
mod executor;
mod forward;
mod keys;
mod metrics;
mod object;
mod proxy;
mod request;
mod response;
mod service_call;
mod services;
mod shell;

pub use forward::{StreamBody, Upstream, is_bound};
pub use keys::{Es256Key, HkdfKey, HmacKey};
pub use object::ObjectState;
#[doc(hidden)]
pub use object::{object_alarm, object_fetch};
pub use proxy::BoundWorker;
pub use service_call::{Binding, answer};
#[doc(hidden)]
pub use service_call::{ServiceCell, entrypoint_fetch};
pub use services::{Bindings, EdgeRuntime, EdgeServices};
pub use shell::{Shell, fetch, respond, scheduled, setting};
#[doc(hidden)]
pub use wasm_bindgen;
pub use web_sys::{Request, Response};
pub use worker::Env;

/// Half as large as the allocator of Rust's standard library, and as fast: no request takes more instructions.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Makes an [`App`](crate::app::App) a Worker: `worker!(App, create)` answers its `fetch` event, `worker!(App, create,
/// scheduled)` its `scheduled` event as well. `create` is a `fn(&Env) -> Result<App, String>`; its error is logged for
/// every request, and must name everything that is wrong.
#[macro_export]
macro_rules! worker {
    ($app:ty, $create:expr) => {
        ::std::thread_local! {
            static SHELL: $crate::cloudflare::Shell<$app> = const { $crate::cloudflare::Shell::new() };
        }

        /// Answers one HTTP request.
        #[doc(hidden)]
        #[$crate::cloudflare::wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::cloudflare::wasm_bindgen)]
        pub fn fetch(
            request: $crate::cloudflare::Request,
            env: $crate::cloudflare::Env,
        ) -> $crate::cloudflare::wasm_bindgen::JsValue {
            $crate::cloudflare::fetch(&SHELL, request, env, $create)
        }
    };
    ($app:ty, $create:expr, scheduled) => {
        $crate::worker!($app, $create);

        /// Runs the scheduled work.
        #[doc(hidden)]
        #[$crate::cloudflare::wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::cloudflare::wasm_bindgen)]
        pub fn scheduled(
            _event: $crate::cloudflare::wasm_bindgen::JsValue,
            env: $crate::cloudflare::Env,
        ) -> $crate::cloudflare::wasm_bindgen::JsValue {
            $crate::cloudflare::scheduled(&SHELL, env, $create)
        }
    };
}
