//! The mirror of the provider's discovery document, and the health check. Neither needs a token, so requests for them must
//! not cause additional requests to the provider.

use mcp_edge_oauth::keys::policy::{CEILING_SECONDS, COLD_RETRY_SECONDS, FRESH_SECONDS};
use mcp_edge_runtime::{
    http::{RequestHead, Response},
    log::LogRecord,
};
use serde_json::{Value, json};

use crate::{
    requests::{Deployment, Untouchable},
    support::{
        signatures::key_pair,
        tokens::ISSUER,
        world::{Answer, discovery_url, jwks_url},
    },
};

const PARTNER: &str = "https://partner.example";

const MIRROR: &str = "/.well-known/oauth-authorization-server";

fn get(deployment: &Deployment, path: &str) -> (Response, LogRecord) {
    deployment.send(&RequestHead::new("GET", path), Untouchable)
}

fn health(deployment: &Deployment) -> (u16, Value) {
    let (response, _) = get(deployment, "/healthz");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("retry-after").is_some(), response.status == 503);
    (response.status, serde_json::from_str(response.text()).expect("JSON"))
}

fn with_partner() -> Deployment {
    let further = format!(r#"[{{"issuer":"{PARTNER}","audience":["x"]}}]"#);
    let deployment = Deployment::new(&[("MORE_ISSUERS", &further)]);
    deployment.world.publish(PARTNER, &[key_pair("p384-1").jwk("p")]);
    deployment
}

#[test]
fn a_deployment_with_keys_of_every_issuer_is_ready() {
    let deployment = with_partner();
    let part = |issuer: &str| json!({"issuer": issuer, "ready": true, "age_seconds": 0});
    assert_eq!(
        health(&deployment),
        (200, json!({"ready": true, "settings": {"ready": true}, "keys": [part(ISSUER), part(PARTNER)]}))
    );
}

#[test]
fn the_part_that_is_not_ready_is_named_and_the_reason_is_in_the_log() {
    let deployment = with_partner();
    deployment.world.take_down(PARTNER);
    let (status, body) = health(&deployment);
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    assert_eq!(body["keys"][0]["ready"], true);
    assert_eq!(body["keys"][1], json!({"issuer": PARTNER, "ready": false}));
    let (response, log) = get(&deployment, "/healthz");
    assert_eq!((log.get("route"), log.get("reason"), response.status), ("health", "keys_unavailable", 503));
    assert!(log.get("provider_failure").contains("connection refused"));
    assert!(!response.text().contains("refused") && !response.text().contains("jwks"), "{}", response.text());
}

#[test]
fn a_deployment_with_a_usable_copy_is_ready() {
    let deployment = Deployment::new(&[]);
    health(&deployment);
    deployment.world.finish_background();
    deployment.world.take_down(ISSUER);
    deployment.world.advance(CEILING_SECONDS - 1);
    let (status, body) = health(&deployment);
    assert_eq!((status, &body["keys"][0]["age_seconds"]), (200, &json!(CEILING_SECONDS - 1)));
    deployment.world.advance(1);
    assert_eq!(health(&deployment).0, 503);
}

#[test]
fn a_health_check_renews_an_old_copy_in_the_background() {
    let deployment = Deployment::new(&[]);
    health(&deployment);
    deployment.world.advance(FRESH_SECONDS);
    assert_eq!(health(&deployment).1["keys"][0]["age_seconds"], FRESH_SECONDS);
    deployment.world.finish_background();
    assert_eq!(health(&deployment).1["keys"][0]["age_seconds"], 0);
}

#[test]
fn frequent_health_checks_do_not_cause_more_requests_to_the_provider() {
    let deployment = Deployment::new(&[("AUTHORIZATION_SERVER_MIRROR", "true")]);
    deployment.world.take_down(ISSUER);
    let began = deployment.world.now();
    for _ in 0..50 {
        assert_eq!(health(&deployment).0, 503);
        assert_eq!(get(&deployment, MIRROR).0.status, 503);
        deployment.world.finish_background();
        deployment.world.advance(1);
    }
    let passed = usize::try_from((deployment.world.now() - began) / COLD_RETRY_SECONDS).expect("a short time");
    let asked = deployment.world.calls(&discovery_url(ISSUER));
    assert!((1..=passed + 1).contains(&asked), "asked {asked} times");
}

#[test]
fn keys_of_all_issuers_are_fetched_in_parallel() {
    let deployment = with_partner();
    for issuer in [ISSUER, PARTNER] {
        deployment.world.answer(&discovery_url(issuer), Answer::After(4000, Box::new(Answer::Down)));
    }
    let began = deployment.world.milliseconds();
    assert_eq!(health(&deployment).0, 503);
    assert_eq!(deployment.world.milliseconds() - began, 4000);
}

#[test]
fn the_mirror_is_the_first_issuers_document_byte_for_byte() {
    let further = format!(r#"[{{"issuer":"{PARTNER}","audience":["x"]}}]"#);
    let settings = [("AUTHORIZATION_SERVER_MIRROR", "true"), ("MORE_ISSUERS", further.as_str())];
    let deployment = Deployment::new(&settings);
    let document = format!(
        "{{ \"issuer\": \"{ISSUER}\",\n  \"jwks_uri\": \"{}\", \"client_id_metadata_document_supported\": true }}",
        jwks_url(ISSUER)
    );
    deployment.world.answer(&discovery_url(ISSUER), Answer::Reply(200, document.clone()));
    let places = [MIRROR, "/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration"];
    for place in places.into_iter().chain(["/.well-known/openid-configuration/mcp"]) {
        let (response, log) = get(&deployment, place);
        assert_eq!((response.status, response.text(), log.get("route")), (200, document.as_str(), "mirror"), "{place}");
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{place}");
    }
    assert_eq!(deployment.world.received().len(), 2, "the document and the keys, once");
    // Another isolate reads it unchanged from the store.
    deployment.world.finish_background();
    let other = Deployment::in_world(deployment.world.clone(), &settings);
    other.world.take_down(ISSUER);
    assert_eq!(get(&other, MIRROR).0.text(), document);
}

#[test]
fn the_mirror_is_off_by_default_and_503_in_an_outage() {
    let off = Deployment::new(&[]);
    assert_eq!(get(&off, MIRROR).0.status, 404);
    let deployment = Deployment::new(&[("AUTHORIZATION_SERVER_MIRROR", "true")]);
    deployment.world.take_down(ISSUER);
    let (response, log) = get(&deployment, MIRROR);
    assert_eq!((response.status, log.get("reason")), (503, "keys_unavailable"));
    assert!(response.header("retry-after").is_some());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("www-authenticate"), None);
    assert!(!response.text().contains("tenant.example"), "{}", response.text());
}

#[test]
fn the_endpoint_takes_precedence_at_any_path() {
    for path in ["/healthz", "/server.json", "/sse", "/server-card"] {
        let url = format!("https://mcp.example.com{path}");
        let deployment = Deployment::new(&[
            ("RESOURCE", &url),
            ("REGISTRY_NAME", "com.example/whoami"),
            ("RESOURCE_DESCRIPTION", "Shows the signed-in identity."),
            ("SERVER_CARD", "true"),
            ("AUTHORIZATION_SERVER_MIRROR", "true"),
        ]);
        let (response, log) = get(&deployment, path);
        assert_eq!((response.status, log.get("route")), (401, "mcp"), "{path}");
        assert_eq!(get(&deployment, &format!("{path}/server-card")).1.get("route"), "server_card");
        assert_eq!(get(&deployment, &format!("{MIRROR}{path}")).1.get("route"), "mirror");
        assert_eq!(get(&deployment, &format!("{MIRROR}/mcp")).0.status, 404);
    }
}

#[test]
fn without_the_feature_page_its_paths_are_answered_with_404() {
    let deployment = Deployment::new(&[("PLAYGROUND_CLIENT_ID", "playground")]);
    let expected = if cfg!(feature = "page") { (200, "page") } else { (404, "elsewhere") };
    for path in ["/", "/playground/callback"] {
        let (response, log) = get(&deployment, path);
        assert_eq!((response.status, log.get("route")), expected, "{path}");
    }
}
