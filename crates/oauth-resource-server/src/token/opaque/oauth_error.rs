//! OAuth errors in responses of the provider (RFC 6749 §5.2, RFC 6750 §3).

use serde_json::Value;

use crate::json_members;

/// How Logto describes an `invalid_client`; the client's id follows.
pub(super) const UNKNOWN_CLIENT: &str = "invalid client ";

/// Code and description of an OAuth error (RFC 6749 §5.2), from the body or else from the challenge. The code is a
/// short word in lower case, or empty; the description may hold ids and must not be logged.
pub(super) fn parse(body: &str, challenge: &str) -> (String, String) {
    let body = json_members::read(body.as_bytes(), &|name| matches!(name, "error" | "error_description"));
    let body = body.unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_of_code = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let in_challenge = challenge.split_once("error=").map_or("", |(_, rest)| rest);
    let in_challenge = in_challenge.strip_prefix('"').unwrap_or(in_challenge);
    let in_challenge = &in_challenge[..in_challenge.bytes().take_while(is_of_code).count()];
    // What a challenge says of the token counts beside another word in the body: Google's is `invalid_request`.
    let code = match (in_challenge, text("error")) {
        ("invalid_token" | "insufficient_scope", _) | (_, "") => in_challenge,
        (_, code) => code,
    };
    let is_code = code.len() <= 40 && code.bytes().all(|byte| is_of_code(&byte));
    (if is_code { code.to_owned() } else { String::new() }, text("error_description").to_owned())
}
