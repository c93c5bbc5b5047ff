//! The adapter to Cloudflare Workers, and the only place that knows Cloudflare.
//!
//! | module | what it adapts |
//! |---|---|
//! | [`serve`] | the `fetch` event: request in, response out |
//! | `prelude` | crossings between JavaScript and WebAssembly, as few as possible |
//! | `ports` | KV, `fetch`, WebCrypto, timers, randomness, the rate limiter |
//! | `metrics` | Analytics Engine |

mod metrics;
mod ports;
mod prelude;
mod serve;

pub use ports::EdgePorts;
pub use serve::{JsBody, serve, setting, target_of, to_js};
pub use web_sys::{Request, Response};
