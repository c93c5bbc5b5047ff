//! Tokens with any content: the parsed claims are the signed ones, and every check returns a result.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_oauth::token::{
    claims,
    jwt::{self, Form},
    opaque,
    profile::TokenProfile,
    validity::{EXPIRY_LEEWAY_SECONDS, LEEWAY_SECONDS},
};
use mcp_edge_runtime::ports::HttpResponse;
use serde_json::{Map, Value};

use crate::with_text;

const ISSUER: &str = "https://issuer.example";
const NOW: u64 = 1_795_000_000;

/// The input is a token, its claims, or an introspection response.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        if jwt::form_of(input) == Form::Jwt {
            check_token(input);
        }
        if let Ok(Value::Object(all)) = serde_json::from_str(input) {
            check_claims(all);
        }
        let audiences = ["https://mcp.example.com/mcp".to_owned()];
        for status in [200, 400, 401] {
            let reply = HttpResponse { status, challenge: String::new(), body: input.to_owned() };
            if let Ok(claims) =
                opaque::read_introspection(&reply, "us", ISSUER, &audiences, &TokenProfile::default(), NOW, &|_| true)
            {
                assert_eq!(status, 200);
                assert_eq!(claims.issuer, ISSUER);
                let document: Value = serde_json::from_str(input).expect("what is accepted is JSON");
                assert_eq!(document["active"], true);
                assert!(document["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
                let _ = claims::check_time(&claims, NOW);
            }
        }
    });
}

fn check_token(input: &str) {
    let Ok(parsed) = jwt::parse(input, &|_| true) else { return };
    let parts: Vec<&str> = input.split('.').collect();
    let [header, payload, _] = parts[..] else { panic!("a JWT has three parts: {input:?}") };
    assert_eq!(parsed.signing_input, [header, payload].join("."));
    // What another parser reads in the same part: nobody else takes other claims for the signed ones.
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("what is accepted is base64url without padding");
    assert_eq!(serde_json::from_slice::<Map<String, Value>>(&payload).ok().as_ref(), Some(&parsed.claims));
    let header = URL_SAFE_NO_PAD.decode(header).expect("what is accepted is base64url without padding");
    let header: Map<String, Value> = serde_json::from_slice(&header).expect("what is accepted is JSON");
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    assert!(!algorithm.is_empty() && algorithm != "none" && !algorithm.starts_with("HS"), "{algorithm}");
    assert!(!header.contains_key("crit"));
    check_claims(parsed.claims);
}

fn check_claims(all: Map<String, Value>) {
    let subject = all.get("sub").cloned();
    let Ok(claims) = claims::read(all, &TokenProfile::default()) else { return };
    assert!(!claims.subject.is_empty() && !claims.audience.is_empty());
    assert_eq!(subject, Some(Value::from(claims.subject.as_str())));
    if claims::check_time(&claims, NOW).is_ok() {
        assert!(claims.expires_at + EXPIRY_LEEWAY_SECONDS > NOW);
        assert!(claims.not_before.is_none_or(|date| date <= NOW + LEEWAY_SECONDS));
    }
    let own = claims.audience.clone();
    assert!(claims::check_audience(&claims, &own).is_ok());
    assert!(claims::check_audience(&claims, &[]).is_err());
    // Every check returns a result with any clock.
    let _ = claims::check_time(&claims, 0);
    let _ = claims::check_time(&claims, u64::MAX);
}
