//! Tokens with any content: the parsed claims are the signed ones, and every check returns a result.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_edge_oauth::token::{
    claims,
    jwt::{self, Form},
    opaque,
    validity::{EXPIRY_LEEWAY_SECONDS, LEEWAY_SECONDS},
};
use mcp_edge_runtime::ports::HttpResponse;

const NOW: u64 = 1_795_000_000;

fuzz_target!(|input: &str| {
    if jwt::form_of(input) == Form::Jwt {
        let types = [jwt::ACCESS_TOKEN_TYPES[0].to_owned(), String::new()];
        if let Ok(parsed) = jwt::parse(input, &types, &|_| true) {
            assert!(input.starts_with(parsed.signing_input));
            check(parsed.claims);
        }
    }
    // The same bytes as claims, and as an introspection response.
    if let Ok(serde_json::Value::Object(all)) = serde_json::from_str(input) {
        check(all);
    }
    let audiences = ["https://mcp.example.com/mcp".to_owned()];
    let reply = HttpResponse { status: 200, challenge: String::new(), body: input.to_owned() };
    if let Ok(claims) = opaque::read_introspection(&reply, "us", "https://issuer.example", &audiences, NOW, &|_| true) {
        assert_eq!(claims.issuer, "https://issuer.example");
        let _ = claims::check_time(&claims, NOW);
    }
});

fn check(all: serde_json::Map<String, serde_json::Value>) {
    let Ok(claims) = claims::read(all) else { return };
    assert!(!claims.subject.is_empty() && !claims.audience.is_empty());
    if claims::check_time(&claims, NOW).is_ok() {
        assert!(claims.expires_at + EXPIRY_LEEWAY_SECONDS > NOW);
        assert!(claims.not_before.is_none_or(|date| date <= NOW + LEEWAY_SECONDS));
    }
    // Every check returns a result with any clock.
    let _ = claims::check_time(&claims, 0);
    let _ = claims::check_time(&claims, u64::MAX);
}
