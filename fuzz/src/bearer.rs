//! `Authorization` and query with any content: the result is a refusal whose response contains nothing of the request,
//! or a token of the permitted form.

use mcp_edge_oauth::{Scopes, bearer, challenge::ChallengeContext};
use mcp_edge_runtime::http::{Body, RequestHead};
use serde_json::Value;

use crate::with_text;

/// The first line is the target, the rest the header.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let (target, authorization) = input.split_once('\n').unwrap_or(("/mcp", input));
        let head = RequestHead::new("POST", target).with_header("authorization", authorization);
        match bearer::token_of(&head) {
            Ok(token) => accepted(target, authorization, token),
            Err(denial) => {
                let context = ChallengeContext {
                    resource_metadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp".to_owned(),
                    basic_scopes: Scopes::parse("whoami:read"),
                    ..ChallengeContext::default()
                };
                let response = context.response(&denial);
                assert!(matches!(response.status, 400 | 401), "{denial:?}: {}", response.status);
                for (name, value) in &response.headers {
                    assert!(value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{name}: {value}");
                }
                let Body::Text(body) = &response.body else { panic!("{:?}", response.body) };
                let body: Value = serde_json::from_str(body).expect("the body is JSON");
                // A constant of a hundred bytes: nothing of the request.
                assert!(
                    body["error_description"].as_str().is_some_and(|text| text.len() < 200 && text.is_ascii()),
                    "{body}"
                );
            }
        }
    });
}

fn accepted(target: &str, authorization: &str, token: bearer::BearerToken<'_>) {
    let text = token.expose();
    assert!(authorization.trim_matches([' ', '\t']).ends_with(text));
    assert!(!text.is_empty() && text.len() <= bearer::MAX_TOKEN_BYTES);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\')));
    let query = target.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    assert!(!query.split('&').any(|pair| pair.starts_with("access_token=")));
    assert_eq!(bearer::parse(&format!("Bearer {text}")), Ok(token));
    if text.len() > 12 {
        assert!(!format!("{token:?}").contains(text), "the token is shown");
    }
}
