//! Random text: form tokens, numbers of forms, states and verifiers.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_edge_runtime::ports::Runtime;

/// 256 random bits as text: form tokens, numbers of forms, states and verifiers. They are no credentials, so they do not
/// begin as registration access tokens do, which scanners of leaked secrets look for.
pub(super) fn random_text(runtime: &(impl Runtime + ?Sized)) -> String {
    let mut bytes = [0; 32];
    runtime.random(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
