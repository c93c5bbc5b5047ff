//! Random text: states, verifiers, nonces and tokens of forms.

use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, ports::Runtime};

/// 256 random bits as 43 characters of base64url. They are no credentials, so they have no prefix that scanners of leaked
/// secrets look for.
pub fn random_text(runtime: &(impl Runtime + ?Sized)) -> String {
    let mut bytes = [0; 32];
    runtime.random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
