//! What the operator decides about clients, scopes and further issuers.

use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Value, json};

use crate::{
    both::{Comparison, Scene},
    support::{
        signatures::key_pair,
        tokens::{ISSUER, RESOURCE, mint},
        world::START,
    },
};

const OTHER: &str = "https://login.partner.example";

fn scene(settings: &[(&str, &str)]) -> Scene {
    let mut scene = Scene::new(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]).with(settings);
    for issuer in [ISSUER, OTHER] {
        scene.publish(issuer, &[key_pair("ed25519").jwk("k")]);
    }
    scene
}

/// A good token with some claims in place of its own; `null` removes one.
fn token(typ: &str, changes: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": typ, "kid": "k" });
    let mut claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "agent", "scope": "read", "iat": START - 60,
        "exp": START + 3600,
    });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    mint(&key_pair("ed25519"), Algorithm::EdDSA, &header, &claims)
}

#[test]
fn hosts_of_clients_are_compared_alike() {
    let mut comparison = Comparison::default();
    for client in [
        "agent",
        "AGENT",
        "agents.example",
        "https://agents.example/c.json",
        "https://AGENTS.example/c.json",
        "HTTPS://agents.example/c.json",
        "https://agents.example\\x",
        "https://evil.example\\@agents.example/",
        "https://agents.example@evil.example/",
        "https://x@agents.example/",
        "https://agents.example:8443/",
        "https://agents.example?x",
        "https://agents.example#x",
        "https:///x",
        "http://agents.example/",
        "https://\u{e9}.example/",
    ] {
        for name in ["ALLOWED_CLIENTS", "DENIED_CLIENTS", "FIRST_PARTY_CLIENTS"] {
            for list in ["agents.example agent", "Agents.Example", "x@agents.example agents.example:8443", "https:"] {
                let token = token("at+jwt", &json!({ "client_id": client }));
                comparison.compare(&scene(&[(name, list)]), &token, || format!("{client} {name} {list}"));
            }
        }
    }
    assert!(comparison.accepted > 20 && comparison.refused["client_denied"] > 5, "{:?}", comparison.refused);
    comparison.finish();
}

#[test]
fn scopes_of_this_resource_are_found_alike() {
    let mut comparison = Comparison::default();
    let entry = |more: &str| format!(r#"[{{"issuer":"{OTHER}","audience":["{RESOURCE}"]{more}}}]"#);
    let (generic, cognito) = (entry(""), entry(r#","provider":"cognito""#));
    for scopes in [
        "read",
        "api://a/read",
        "api://a/email email",
        "api://a/",
        "api://a",
        "api://a/b/read openid",
        "api://a/api://a/read",
        "api://b/read",
        "api://a//",
        "/ read",
        "/",
        "openid profile api://a/read api://b/write",
    ] {
        for provider in ["generic", "entra", "cognito"] {
            for more in ["[]", &generic, &cognito] {
                for iss in [ISSUER, OTHER] {
                    for aud in [json!(RESOURCE), json!(null), json!([])] {
                        let token = token(
                            if provider == "generic" { "at+jwt" } else { "JWT" },
                            &json!({ "iss": iss, "aud": aud, "scope": scopes, "scp": scopes, "token_use": "access" }),
                        );
                        let settings =
                            [("SCOPE_PREFIX", "api://a/"), ("MORE_ISSUERS", more), ("ALLOWED_CLIENTS", "agent")];
                        let scene = scene(&settings).with(&[
                            ("PROVIDER", provider),
                            ("TOKEN_TYPES", "at+jwt jwt none"),
                            ("CLAIM_SCOPES", "read=sub email=iss"),
                        ]);
                        comparison.compare(&scene, &token, || format!("{scopes} {provider} {more} {iss} {aud}"));
                    }
                }
            }
        }
    }
    assert!(comparison.accepted > 50 && comparison.refused["wrong_audience"] > 50, "{:?}", comparison.refused);
    comparison.finish();
}

#[test]
fn further_issuers_are_read_alike() {
    let mut comparison = Comparison::default();
    for more in [
        "",
        r#","provider":"keycloak""#,
        r#","provider":" ""#,
        r#","provider":" generic ""#,
        r#","token_types":"jwt""#,
        r#","token_types":" ""#,
        r#","client_id_claims":"azp""#,
        r#","scope_claims":"roles""#,
        r#","organization_claim":" org ""#,
        r#","user_by_subject":"true""#,
        r#","user_by_subject":" false ","client_id_claims":" ""#,
    ] {
        let entry = format!(r#"[{{"issuer":"{OTHER}","audience":["a"]{more}}}]"#);
        for top in [
            &[][..],
            &[("TOKEN_TYPES", "none jwt")],
            &[("CLIENT_ID_CLAIMS", "app")],
            &[("SCOPE_CLAIMS", "permissions")],
            &[("ORGANIZATION_CLAIM", "group")],
            &[("USER_BY_SUBJECT", "true")],
            &[("PROVIDER", "keycloak"), ("CLIENT_ID_CLAIMS", "app"), ("TOKEN_TYPES", "jwt at+jwt")],
        ] {
            for typ in ["at+jwt", "jwt"] {
                for organization in [json!("o"), json!(["o"]), json!({ "o": {} }), json!({ "o": 1, "p": 2 }), json!({})]
                {
                    let token = token(
                        typ,
                        &json!({
                            "iss": OTHER, "aud": "a", "azp": "azp", "app": "app", "roles": ["r"], "permissions": "p",
                            "org": organization, "group": organization, "organization": organization, "typ": "Bearer",
                        }),
                    );
                    let scene = scene(top).with(&[("MORE_ISSUERS", &entry)]);
                    comparison.compare(&scene, &token, || format!("{more} {top:?} {typ} {organization}"));
                }
            }
        }
    }
    assert!(comparison.accepted > 100, "{:?}", comparison.refused);
    comparison.finish();
}
