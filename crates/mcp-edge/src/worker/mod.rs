//! The adapter to Cloudflare Workers, and the only place that knows Cloudflare.
//!
//! | module | what it adapts |
//! |---|---|
//! | [`serve`] | the `fetch` event: request in, response out |
//! | [`entry!`](crate::entry) | the same as a Worker's only handler, and faster |
//! | `errand` | what a request waits for, without a promise of Rust's own |
//! | `request` | head and body of a request |
//! | `response` | the answer |
//! | `prelude` | crossings between JavaScript and WebAssembly, as few as possible |
//! | `ports` | KV, `fetch`, WebCrypto, timers, randomness, the rate limiter |
//! | `metrics` | Analytics Engine |

mod errand;
mod metrics;
mod ports;
mod prelude;
mod request;
mod response;
mod serve;

pub use ports::EdgePorts;
pub use request::{JsBody, target_of};
pub use response::to_js;
#[doc(hidden)]
pub use serve::fetch;
pub use serve::{Build, serve, setting};
#[doc(hidden)]
pub use wasm_bindgen;
pub use web_sys::{Request, Response};

/// Makes an MCP server all that a Worker is: its `fetch` event is answered by the server that this function builds, once
/// per isolate.
///
/// ```
/// use mcp_edge::mcp::{BuildError, Server};
/// use worker::Env;
///
/// mcp_edge::entry!(server);
///
/// fn server() -> Result<Server<Env>, BuildError> {
///     Server::builder("example", "1.0.0").build()
/// }
/// ```
#[macro_export]
macro_rules! entry {
    ($server:expr) => {
        /// Answers one HTTP request.
        #[doc(hidden)]
        #[$crate::worker::wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::worker::wasm_bindgen)]
        pub fn fetch(request: $crate::worker::Request, env: ::worker::Env) -> $crate::worker::wasm_bindgen::JsValue {
            $crate::worker::fetch(request, env, $server)
        }
    };
}
