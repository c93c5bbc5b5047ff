//! Issuers of all tenants, whose keys may belong to one tenant alone.

use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Value, json};

use crate::{
    both::{Comparison, Scene},
    support::{
        signatures::key_pair,
        tokens::{RESOURCE, mint},
        world::START,
    },
};

const ALL: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const ONE: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn of(tenant: &str) -> String {
    ALL.replace("{tenantid}", tenant)
}

/// The keys where the documents of all tenants are, each key with its issuer.
fn scene(issuer: &str, keys: &[(&str, Value)]) -> Scene {
    let mut scene = Scene::new(&[("ISSUER", issuer), ("RESOURCE", RESOURCE), ("PROVIDER", "entra")]);
    let keys: Vec<Value> = keys
        .iter()
        .map(|(kid, issuer)| {
            let mut jwk = key_pair("ed25519").jwk(kid);
            jwk["issuer"] = issuer.clone();
            jwk
        })
        .collect();
    // The second is where personal accounts sign in, too.
    for tenant in ["organizations", "common"] {
        let place = issuer.replace("{tenantid}", tenant);
        scene.publish(&place, &keys);
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{place}/jwks") }).to_string();
        scene.documents.insert(format!("{place}/.well-known/openid-configuration"), discovery);
    }
    scene
}

fn token(kid: &str, iss: &str, tid: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid });
    let claims = json!({
        "iss": iss, "aud": RESOURCE, "sub": "alice", "azp": "agent", "scp": "notes:read", "ver": "2.0", "tid": tid,
        "oid": "o", "iat": START, "exp": START + 60,
    });
    mint(&key_pair("ed25519"), Algorithm::EdDSA, &header, &claims)
}

#[test]
fn keys_of_tenants_are_judged_alike() {
    let mut comparison = Comparison::default();
    for issuer in [ALL.to_owned(), of(ONE)] {
        for tenants in [ONE, OTHER, "9188040d-6c67-4c5b-b112-36a304b66dad 72f988bf-86f1-41af-91ab-2d7cd011db47", ""] {
            for of_key in [
                json!(ALL),
                json!(of(ONE)),
                json!(of(OTHER)),
                json!(null),
                json!(1),
                json!(""),
                json!("https://a.example"),
            ] {
                let scene = scene(&issuer, &[("k", of_key.clone())]).with(&[("ALLOWED_TENANTS", tenants)]);
                for iss in [of(ONE), of(OTHER), ALL.to_owned(), of("organizations")] {
                    for tid in [json!(ONE), json!(OTHER), json!(null), json!("v2.0"), json!("{tenantid}"), json!([ONE])]
                    {
                        let name = || format!("{issuer} {tenants} {of_key} {iss} {tid}");
                        comparison.compare(&scene, &token("k", &iss, &tid), name);
                    }
                }
            }
        }
    }
    assert!(comparison.accepted > 5 && comparison.refused["key_mismatch"] > 5, "{:?}", comparison.refused);
    comparison.finish();
}

#[test]
fn places_that_the_operator_gives_are_asked_alike() {
    let mut comparison = Comparison::default();
    let good = token("k", &of(ONE), &json!(ONE));
    let mut scene = scene(&of(ONE), &[("k", json!(null))]);
    let keys = scene.documents[&format!("{}/jwks", of(ONE))].clone();
    scene.documents.insert("https://a.example/keys".to_owned(), keys);
    let document = json!({ "issuer": of(ONE), "jwks_uri": "https://a.example/keys" }).to_string();
    scene.documents.insert("https://a.example/document".to_owned(), document);
    let other = json!({ "issuer": of(OTHER), "jwks_uri": "https://a.example/keys" }).to_string();
    scene.documents.insert("https://a.example/other".to_owned(), other);
    for (name, path) in [
        ("DISCOVERY_URL", "document"),
        ("DISCOVERY_URL", "other"),
        ("DISCOVERY_URL", "none"),
        ("JWKS_URL", "keys"),
        ("JWKS_URL", "none"),
        ("JWKS_URL", "document"),
    ] {
        let scene = scene.clone().with(&[(name, &format!("https://a.example/{path}"))]);
        comparison.compare(&scene, &good, || format!("{name} {path}"));
    }
    assert_eq!(comparison.accepted, 2, "{:?}", comparison.refused);
    comparison.finish();
}
