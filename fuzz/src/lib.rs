//! What must hold for any input: one module for each parser of data from clients, providers and operators.
//!
//! `fuzz_targets/` calls these functions with the inputs of libFuzzer, `tests/seeds.rs` with those of `seeds/`.

pub mod bearer;
pub mod client_metadata;
pub mod gateway;
pub mod gateway_results;
pub mod json_rpc;
pub mod jwks;
pub mod jwt;
pub mod redirect_uri;
mod schema;
pub mod scopes;
pub mod settings;
mod sse;
pub mod stream;
pub mod tool_arguments;
mod typed_arguments;

/// Checks one input and panics if a property does not hold.
pub type Check = fn(&[u8]);

/// Every target: its name, which is that of its program and of its folder in `seeds/`, and its check.
pub const TARGETS: [(&str, Check); 12] = [
    ("bearer", bearer::check),
    ("client_metadata", client_metadata::check),
    ("gateway", gateway::check),
    ("gateway_results", gateway_results::check),
    ("json_rpc", json_rpc::check),
    ("jwks", jwks::check),
    ("jwt", jwt::check),
    ("redirect_uri", redirect_uri::check),
    ("scopes", scopes::check),
    ("settings", settings::check),
    ("stream", stream::check),
    ("tool_arguments", tool_arguments::check),
];

/// Passes on input that is UTF-8, as the runtime's are.
fn with_text(input: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
}
