//! `Authorization` and query with any content: the result is a refusal, or a token of the permitted form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_edge_oauth::bearer;
use mcp_edge_runtime::http::RequestHead;

fuzz_target!(|input: &str| {
    // The first line is the target, the rest the header.
    let (target, authorization) = input.split_once('\n').unwrap_or(("/mcp", input));
    let head = RequestHead::new("POST", target).with_header("authorization", authorization);
    if let Ok(token) = bearer::token_of(&head) {
        let token = token.expose();
        assert!(authorization.trim_matches([' ', '\t']).ends_with(token));
        assert!(!token.is_empty() && token.len() <= bearer::MAX_TOKEN_BYTES);
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\')));
        let query = target.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
        assert!(!query.split('&').any(|pair| pair.starts_with("access_token=")));
    }
});
