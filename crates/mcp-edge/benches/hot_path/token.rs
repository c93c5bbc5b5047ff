//! The checks of a token before its signature is verified, and its fingerprint in the cache.

use std::fmt::Debug;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gungraun::{library_benchmark, library_benchmark_group};
use mcp_edge_oauth::{
    bearer::{self, BearerToken},
    denial::Denial,
    resource_server::TrustedIssuer,
    token::{
        claims::{self, Claims},
        fingerprint::{Fingerprint, Fingerprints},
        jwt::{self, UnverifiedJwt},
    },
};
use mcp_edge_runtime::crypto::Algorithm;
use mcp_edge_server::testing::TestRuntime;
use serde_json::{Map, Value};

use crate::support::{
    tokens as samples,
    tokens::{ISSUER, RESOURCE},
};

/// The time of the check, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

/// Of a 2048-bit RSA key.
const SIGNATURE_BYTES: usize = 256;

/// A token of the usual size. Its signature is not verified here.
fn token_text() -> &'static str {
    let header = samples::header(Algorithm::RS256, "key-1");
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signature = URL_SAFE_NO_PAD.encode([7; SIGNATURE_BYTES]);
    format!("{}.{}.{signature}", encoded(&header), encoded(&samples::claims(NOW))).leak()
}

fn authorization() -> &'static str {
    format!("Bearer {}", token_text()).leak()
}

fn claims_of_issuer() -> (Map<String, Value>, &'static TrustedIssuer) {
    let Value::Object(claims) = samples::claims(NOW) else { panic!("claims are an object") };
    (claims, Box::leak(Box::new(TrustedIssuer::new(ISSUER, vec![RESOURCE.to_owned()]))))
}

fn is_ok<T, E: Debug>(result: Result<T, E>) {
    if let Err(error) = result {
        panic!("{error:?}");
    }
}

// The header of a request (RFC 6750 §2.1).
#[library_benchmark]
#[bench::usual(setup = authorization, teardown = is_ok)]
fn parse_bearer(authorization: &'static str) -> Result<BearerToken<'static>, Denial> {
    bearer::parse(authorization)
}

// The compact form, decoded.
#[library_benchmark]
#[bench::usual(setup = token_text, teardown = is_ok)]
fn parse_jwt(token: &'static str) -> Result<UnverifiedJwt<'static>, Denial> {
    jwt::parse(token, &claims::is_decisive)
}

// Types, audience and times of the claims.
#[library_benchmark]
#[bench::usual(setup = claims_of_issuer, teardown = is_ok)]
fn check_claims((all, issuer): (Map<String, Value>, &'static TrustedIssuer)) -> Result<Claims, Denial> {
    let claims = claims::read(all, &issuer.profile)?;
    claims::check_audience(&claims, &issuer.audiences)?;
    claims::check_time(&claims, NOW)?;
    Ok(claims)
}

/// The second token is measured: the first one generates the key.
fn fingerprints_and_token() -> (Fingerprints, &'static str) {
    let fingerprints = Fingerprints::default();
    fingerprints.of("", &TestRuntime::default());
    (fingerprints, token_text())
}

// The fingerprint of a token in the cache.
#[library_benchmark]
#[bench::usual(setup = fingerprints_and_token)]
fn take_fingerprint((fingerprints, token): (Fingerprints, &'static str)) -> Fingerprint {
    fingerprints.of(token, &TestRuntime::default())
}

library_benchmark_group!(name = tokens, benchmarks = [parse_bearer, parse_jwt, check_claims, take_fingerprint]);
