use std::{cell::Cell, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode, jwk::Jwk};
use mcp_edge_identity::Credential;
use mcp_edge_runtime::{base64::STANDARD, secret::Secret};
use serde_json::{Value, json};

use super::*;
use crate::credentials::signing_key::{PrivateKey, jwks};

const NOW: u64 = 1_800_000_000;

/// The key of RFC 7515 appendix A.3, and the same as PKCS #8.
const JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"2026-11",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const PKCS8: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\
    H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\
    7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";

/// Signs on this machine.
struct NativeKey;

impl SigningKey for NativeKey {
    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        let key = EncodingKey::from_ec_der(&STANDARD.decode(PKCS8).unwrap());
        let signature = jsonwebtoken::crypto::sign(message, &key, Algorithm::ES256).unwrap();
        Ok(URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap())
    }
}

/// A key that the platform does not take.
struct BrokenKey;

impl SigningKey for BrokenKey {
    async fn sign(&self, _: &[u8]) -> Result<[u8; 64], KeyError> {
        Err(KeyError::Invalid("DataError".to_owned()))
    }
}

/// Counts instead of drawing at random.
#[derive(Default)]
struct Counter(Cell<u8>);

impl Runtime for Counter {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        unreachable!("signing does not wait")
    }

    fn random(&self, buffer: &mut [u8]) {
        self.0.set(self.0.get() + 1);
        buffer.fill(self.0.get());
    }
}

fn ada() -> Identity {
    Identity::for_test("ada", "docs:write docs:read").with(|verified| verified.expires_at = NOW + 3_600)
}

fn claims(identity: &Identity) -> AssertionClaims<'_> {
    AssertionClaims { primary_issuer: "https://issuer.example", identity }
}

fn beginning() -> Beginning {
    let (audience, actor) = ("https://upstream.example/mcp", "https://mcp.example.com/mcp");
    Beginning::new("2026-11", "https://mcp.example.com", audience, actor)
}

fn sign(claims: &AssertionClaims<'_>, runtime: &Counter) -> String {
    assertion(&NativeKey, &beginning(), claims, NOW, runtime).now_or_never().unwrap().unwrap()
}

/// The claims of an assertion whose signature is not looked at.
fn content(identity: &Identity) -> Value {
    let token = sign(&claims(identity), &Counter::default());
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// What a verifier does that knows the published document: `aud` and `iss` must be exactly these.
fn verify(token: &str, audience: &str, issuer: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let document = jwks(&[PrivateKey::parse(&Secret::new(JWK)).unwrap().public().clone()]);
    let document: Value = serde_json::from_str(&document).unwrap();
    let key: Jwk = serde_json::from_value(document["keys"][0].clone()).unwrap();
    let header = jsonwebtoken::decode_header(token)?;
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::ES256, Some("at+jwt")));
    assert_eq!(header.kid, key.common.key_id);
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // The clock of these tests stands still.
    validation.validate_exp = false;
    Ok(decode(token, &DecodingKey::from_jwk(&key)?, &validation)?.claims)
}

#[test]
fn an_assertion_says_who_is_calling() {
    let token = sign(&claims(&ada()), &Counter::default());
    let expected = json!({
        "iss": "https://mcp.example.com",
        "aud": "https://upstream.example/mcp",
        "sub": "ada",
        "client_id": "test-client",
        "scope": "docs:read docs:write",
        "act": {"sub": "https://mcp.example.com/mcp"},
        "sub_id": {"format": "iss_sub", "iss": "https://issuer.example", "sub": "ada"},
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "AQEBAQEBAQEBAQEBAQEBAQ",
    });
    assert_eq!(verify(&token, "https://upstream.example/mcp", "https://mcp.example.com").unwrap(), expected);
}

#[test]
fn an_assertion_names_the_access_key_if_there_is_one() {
    assert_eq!(content(&ada().with_access_key(Some(&["search"])))["key_id"], "0123456789abcdef");
    // It is the endpoint's, and the same for all issuers.
    let elsewhere = ada().with_access_key(None).with(|verified| verified.issuer = "https://other.example".into());
    assert_eq!(content(&elsewhere)["key_id"], "0123456789abcdef");
    let personal = ada().with(|verified| verified.credential = Credential::PersonalAccessToken);
    for identity in [ada(), personal] {
        assert_eq!(content(&identity).get("key_id"), None);
    }
}

#[test]
fn an_assertion_is_for_one_upstream_and_of_one_gateway() {
    let token = sign(&claims(&ada()), &Counter::default());
    assert!(verify(&token, "https://upstream.example/other", "https://mcp.example.com").is_err());
    assert!(verify(&token, "https://upstream.example/mcp", "https://other.example.com").is_err());
}

#[test]
fn a_tampered_assertion_does_not_verify() {
    let token = sign(&claims(&ada()), &Counter::default());
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let bob = Identity::for_test("bob", "").with(|verified| verified.expires_at = NOW + 3_600);
    let of_bob = sign(&claims(&bob), &Counter::default());
    let [_, payload, _] = of_bob.split('.').collect::<Vec<_>>()[..] else { panic!("{of_bob}") };
    let tampered = [header, payload, signature].join(".");
    assert!(verify(&tampered, "https://upstream.example/mcp", "https://mcp.example.com").is_err());
}

/// The beginning is encoded apart from the rest.
#[test]
fn an_assertion_is_one_text_in_base64_for_parts_of_any_length() {
    let identity = ada();
    for audience in ["", "a", "ab", "abc", "\"ä"] {
        let beginning = Beginning::new("2026-11", "https://mcp.example.com", audience, "actor");
        let (claims, runtime) = (claims(&identity), Counter::default());
        let token = assertion(&NativeKey, &beginning, &claims, NOW, &runtime).now_or_never().unwrap().unwrap();
        let content = verify(&token, audience, "https://mcp.example.com").unwrap();
        assert_eq!((&content["aud"], &content["sub"]), (&json!(audience), &json!("ada")));
    }
}

#[test]
fn no_two_assertions_have_the_same_id() {
    let runtime = Counter::default();
    assert_ne!(sign(&claims(&ada()), &runtime), sign(&claims(&ada()), &runtime));
}

#[test]
fn an_assertion_ends_with_the_token() {
    let ends = |expires_at| content(&ada().with(|verified| verified.expires_at = expires_at))["exp"].clone();
    assert_eq!(ends(NOW + 61), NOW + 60);
    assert_eq!(ends(NOW + 59), NOW + 59);
    // Accepted all the same, because clocks differ.
    assert_eq!(ends(NOW), NOW + 5);
    assert_eq!(ends(NOW - 4), NOW + 5);
    assert_eq!(ends(u64::MAX), NOW + 60);
}

#[test]
fn no_two_users_share_a_subject() {
    let subject = |issuer: &str, subject: &str| {
        let identity = ada().with(|verified| {
            verified.issuer = issuer.to_owned();
            verified.subject = subject.to_owned();
        });
        let content = content(&identity);
        assert_eq!(content["sub_id"], json!({"format": "iss_sub", "iss": issuer, "sub": subject}));
        content["sub"].as_str().unwrap().to_owned()
    };
    assert_eq!(subject("https://issuer.example", "bob"), "bob");
    assert_eq!(subject("https://other.example", "bob"), "https://other.example#bob");
    // A user who is called like somebody else's.
    assert_eq!(
        subject("https://issuer.example", "https://other.example#bob"),
        "https://issuer.example#https://other.example#bob"
    );
    assert_eq!(subject("https://issuer.example/", "bob"), "https://issuer.example/#bob");
}

#[test]
fn no_two_organizations_share_a_name() {
    let organization = |issuer: &str| {
        let identity = ada().with(|verified| {
            verified.issuer = issuer.to_owned();
            verified.organization_id = Some("acme".to_owned());
        });
        content(&identity)["organization_id"].clone()
    };
    assert_eq!(organization("https://issuer.example"), "acme");
    assert_eq!(organization("https://other.example"), "https://other.example#acme");
}

#[test]
fn what_is_unknown_is_left_out() {
    let machine = Identity::for_test("machine", "").with(|verified| verified.client_id = None);
    let content = content(&machine);
    for name in ["client_id", "scope", "organization_id"] {
        assert_eq!(content.get(name), None, "{name}");
    }
}

#[test]
fn what_a_token_says_stays_a_string() {
    let subject = "a\",\"sub\":\"admin\n\u{0}\\";
    let content = content(&ada().with(|verified| {
        verified.subject = subject.to_owned();
        verified.client_id = Some(subject.to_owned());
    }));
    assert_eq!((content["sub"].as_str(), content["client_id"].as_str()), (Some(subject), Some(subject)));
}

#[test]
fn a_key_that_the_platform_does_not_take_signs_nothing() {
    let signed = assertion(&BrokenKey, &beginning(), &claims(&ada()), NOW, &Counter::default()).now_or_never().unwrap();
    assert_eq!(signed, Err(KeyError::Invalid("DataError".to_owned())));
}
