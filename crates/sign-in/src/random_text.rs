//! Random text: states, verifiers, nonces and tokens of forms.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_edge_runtime::ports::Runtime;

/// 256 random bits as 43 characters of base64url. They are no credentials, so they have no prefix that scanners of leaked
/// secrets look for.
pub fn random_text(runtime: &(impl Runtime + ?Sized)) -> String {
    let mut bytes = [0; 32];
    runtime.random(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
