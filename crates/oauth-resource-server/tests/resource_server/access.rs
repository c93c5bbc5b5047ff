//! Who may come, through which client, from which issuer, and what they may do and see.

use mcp_edge_identity::{Identity, Kind, Party, Scopes};
use mcp_edge_oauth::{
    client_policy::ClientList,
    denial::{Denial, Reason},
    disclosure::Disclosure,
    resource_server::{Authentication, ResourceServer, TrustPolicy, TrustedIssuer},
    token::validity::EXPIRY_LEEWAY_SECONDS,
};
use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Value, json};

use crate::support::{
    signatures::key_pair,
    tokens::{self, ISSUER, RESOURCE, Scene, header, mint, policy, send, send_traced},
    world::{World, jwks_url},
};

const OTHER_ISSUER: &str = "https://login.partner.example";
const OTHER_RESOURCE: &str = "api://mcp";

/// Who a good token with changed claims stands for, under a changed policy.
fn identity(policy: TrustPolicy, change: impl FnOnce(&mut Value)) -> Result<Identity, Reason> {
    let scene = Scene::new(policy);
    let outcome = scene.send(&scene.token(|_, claims| change(claims)));
    outcome.map(|identity| (*identity).clone()).map_err(|denial| denial.reason())
}

fn with(change: impl FnOnce(&mut TrustPolicy)) -> TrustPolicy {
    let mut policy = policy();
    change(&mut policy);
    policy
}

#[test]
fn clients_are_allowed_and_denied_by_id_or_host() {
    let url = |claims: &mut Value| claims["client_id"] = "https://agents.example/client.json".into();
    let list = ClientList::parse;
    assert!(identity(with(|it| it.clients.allowed = list("agent")), |_| ()).is_ok());
    assert!(identity(with(|it| it.clients.allowed = list("agents.example")), url).is_ok());
    assert_eq!(identity(with(|it| it.clients.allowed = list("agents.example")), |_| ()), Err(Reason::ClientNotAllowed));
    assert_eq!(identity(with(|it| it.clients.denied = list("agents.example")), url), Err(Reason::ClientDenied));
    assert!(identity(with(|it| it.clients.denied = list("agents.example")), |_| ()).is_ok());
    let both = |it: &mut TrustPolicy| {
        it.clients.allowed = list("agent");
        it.clients.denied = list("agent");
    };
    assert_eq!(identity(with(both), |_| ()), Err(Reason::ClientDenied));
}

#[test]
fn a_client_is_third_party_unless_it_is_listed() {
    let first = |it: &mut TrustPolicy| it.clients.first_party = ClientList::parse("agent");
    assert_eq!(identity(with(first), |_| ()).unwrap().party(), Party::First);
    assert_eq!(identity(policy(), |_| ()).unwrap().party(), Party::Third);
    assert_eq!(identity(with(first), |claims| claims["client_id"] = "agent2".into()).unwrap().party(), Party::Third);
}

#[test]
fn a_machine_is_a_client_that_is_its_own_subject() {
    assert_eq!(identity(policy(), |_| ()).unwrap().kind(), Kind::Unknown);
    assert_eq!(identity(policy(), |claims| claims["sub"] = "agent".into()).unwrap().kind(), Kind::Machine);
    let by_azp = |claims: &mut Value| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove("client_id");
        claims.insert("azp".into(), "alice".into());
    };
    assert_eq!(identity(policy(), by_azp).unwrap().kind(), Kind::Machine);
}

#[test]
fn scopes_imply_others() {
    let hierarchy = |it: &mut TrustPolicy| {
        it.hierarchy.imply("whoami:write", &Scopes::parse("whoami:read"));
        it.required_scopes = Scopes::parse("whoami:read");
    };
    let scoped = |scope: &'static str| move |claims: &mut Value| claims["scope"] = scope.into();
    let identity_with = |scope| identity(with(hierarchy), scoped(scope));
    assert_eq!(identity_with("whoami:write").unwrap().scopes().to_string(), "whoami:read whoami:write");
    assert_eq!(identity_with("whoami:read").unwrap().scopes().to_string(), "whoami:read");
    assert_eq!(identity_with("whoami"), Err(Reason::InsufficientScope));
    assert_eq!(identity_with(""), Err(Reason::InsufficientScope));
}

#[test]
fn what_a_scope_implies_discloses_nothing() {
    // Consent covers what the user saw, not what the operator says it implies.
    let policy = with(|it| it.hierarchy.imply("whoami:read", &Scopes::parse("profile email")));
    let identity = identity(policy, |claims| claims["email"] = "alice@example.com".into()).unwrap();
    assert!(identity.scopes().contains("email") && identity.claims().is_empty());
}

#[test]
fn claims_pass_only_under_a_scope_that_covers_them() {
    let rich = |scope: &'static str| {
        move |claims: &mut Value| {
            claims["scope"] = scope.into();
            claims["email"] = "alice@example.com".into();
            claims["name"] = "Alice".into();
            claims["plan"] = "gold".into();
        }
    };
    let names = |policy, scope| identity(policy, rich(scope)).unwrap().claims().keys().cloned().collect::<Vec<_>>();
    assert!(names(policy(), "whoami:read").is_empty());
    assert_eq!(names(policy(), "profile"), ["name"]);
    let mapped = with(|it| it.disclosure = Disclosure::parse("whoami:read=plan,email").unwrap());
    let mut shown = names(mapped.clone(), "whoami:read");
    shown.sort();
    assert_eq!(shown, ["email", "plan"]);
    assert!(names(mapped, "other").is_empty());
}

/// A server that trusts two issuers, each for another audience; both publish a key under the same `kid`.
fn two_issuers() -> (World, ResourceServer) {
    let world = World::new();
    world.publish(ISSUER, &[key_pair("p384-1").jwk("k")]);
    world.publish(OTHER_ISSUER, &[key_pair("p384-2").jwk("k")]);
    let issuers = [(ISSUER, RESOURCE), (OTHER_ISSUER, OTHER_RESOURCE)]
        .map(|(issuer, audience)| TrustedIssuer::new(issuer, vec![audience.to_owned()]));
    let server = ResourceServer::new(TrustPolicy { issuers: issuers.to_vec(), ..policy() });
    (world, server)
}

fn signed(world: &World, key: &str, issuer: &str, audience: &str) -> String {
    let mut claims = tokens::claims(world.now());
    claims["iss"] = issuer.into();
    claims["aud"] = audience.into();
    mint(&key_pair(key), Algorithm::ES384, &header(Algorithm::ES384, "k"), &claims)
}

#[test]
fn each_issuer_vouches_for_its_own_tokens_alone() {
    let (world, server) = two_issuers();
    for (key, issuer, audience, expected) in [
        ("p384-1", ISSUER, RESOURCE, None),
        ("p384-2", OTHER_ISSUER, OTHER_RESOURCE, None),
        // The other issuer's key, and its own name.
        ("p384-1", OTHER_ISSUER, OTHER_RESOURCE, Some(Reason::BadSignature)),
        ("p384-2", ISSUER, RESOURCE, Some(Reason::BadSignature)),
        // An audience that only the other one may issue for.
        ("p384-1", ISSUER, OTHER_RESOURCE, Some(Reason::WrongAudience)),
        ("p384-2", OTHER_ISSUER, RESOURCE, Some(Reason::WrongAudience)),
        ("p384-1", "https://evil.example", RESOURCE, Some(Reason::WrongIssuer)),
    ] {
        for _ in 0..2 {
            let outcome = send(&world, &server, &signed(&world, key, issuer, audience));
            assert_eq!(outcome.as_ref().err().map(Denial::reason), expected, "{key} {issuer} {audience}");
            if let Ok(identity) = outcome {
                assert_eq!(identity.issuer(), issuer);
            }
        }
    }
}

#[test]
fn one_issuers_outage_does_not_touch_the_other() {
    let (world, server) = two_issuers();
    world.take_down(ISSUER);
    let denial = send(&world, &server, &signed(&world, "p384-1", ISSUER, RESOURCE)).unwrap_err();
    assert_eq!(denial.reason(), Reason::KeysUnavailable);
    assert!(send(&world, &server, &signed(&world, "p384-2", OTHER_ISSUER, OTHER_RESOURCE)).is_ok());
}

#[test]
fn a_discovery_document_that_speaks_for_another_issuer_is_not_used() {
    let (world, server) = two_issuers();
    let impostor = crate::support::world::discovery(OTHER_ISSUER);
    world.answer(&crate::support::world::discovery_url(ISSUER), crate::support::world::Answer::json(&impostor));
    let denial = send(&world, &server, &signed(&world, "p384-2", ISSUER, RESOURCE)).unwrap_err();
    assert_eq!(denial.reason(), Reason::KeysUnavailable);
    assert_eq!(world.calls(&jwks_url(OTHER_ISSUER)), 0);
}

#[test]
fn an_audience_may_stand_among_others() {
    let several = |claims: &mut Value| claims["aud"] = json!(["https://other.example", RESOURCE]);
    assert!(identity(policy(), several).is_ok());
}

#[test]
fn every_algorithm_verifies_with_its_key_and_no_other() {
    let keys = [
        (Algorithm::RS256, "rsa-1"),
        (Algorithm::RS384, "rsa-1"),
        (Algorithm::RS512, "rsa-1"),
        (Algorithm::PS256, "rsa-1"),
        (Algorithm::PS384, "rsa-1"),
        (Algorithm::PS512, "rsa-1"),
        (Algorithm::ES256, "p256"),
        (Algorithm::ES384, "p384-1"),
        (Algorithm::EdDSA, "ed25519"),
    ];
    for (algorithm, key) in keys {
        let world = World::new();
        let key = key_pair(key);
        let server = ResourceServer::new(policy());
        world.publish(ISSUER, &[key.jwk("k")]);
        let claims = tokens::claims(world.now());
        let token = mint(&key, algorithm, &header(algorithm, "k"), &claims);
        assert!(send(&world, &server, &token).is_ok(), "{}", algorithm.name());
        // The same key and claims under the name of each other algorithm.
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let signature = token.rsplit_once('.').unwrap().1;
            let confused = mint(&key, algorithm, &header(other, "k"), &claims);
            let swapped = format!("{}.{signature}", confused.rsplit_once('.').unwrap().0);
            for forged in [confused, swapped] {
                let reason = send(&world, &server, &forged).expect_err("confused").reason();
                assert!(
                    matches!(reason, Reason::KeyMismatch | Reason::BadSignature),
                    "{} as {}: {reason:?}",
                    algorithm.name(),
                    other.name()
                );
            }
        }
    }
}

#[test]
fn the_newer_name_of_eddsa_is_the_same_algorithm() {
    let world = World::new();
    world.publish(ISSUER, &[key_pair("ed25519").jwk("k")]);
    let mut header = header(Algorithm::EdDSA, "k");
    header["alg"] = "Ed25519".into();
    let token = mint(&key_pair("ed25519"), Algorithm::EdDSA, &header, &tokens::claims(world.now()));
    assert!(send(&world, &ResourceServer::new(policy()), &token).is_ok());
}

#[test]
fn the_trace_tells_which_cache_answered() {
    let scene = Scene::new(policy());
    let tier = |scene: &Scene, token: &str| send_traced(&scene.world, &scene.server, token).trace.tier;
    let (one, two) = (scene.token(|_, _| ()), scene.token(|_, claims| claims["jti"] = "2".into()));
    assert_eq!(tier(&scene, &one), Some("provider"));
    assert_eq!(tier(&scene, &one), Some("verified"));
    assert_eq!(tier(&scene, &two), Some("memory"));
    // Another isolate with the same store.
    let other = Scene { server: ResourceServer::new(policy()), ..scene };
    assert_eq!(tier(&other, &one), Some("store"));
}

#[test]
fn a_remembered_token_costs_no_cryptography_and_expires_like_any_other() {
    let scene = Scene::new(policy());
    let token = scene.token(|_, _| ());
    for _ in 0..5 {
        assert!(scene.send(&token).is_ok());
    }
    assert_eq!(scene.world.verifications(), 1);
    scene.world.advance(3600 + EXPIRY_LEEWAY_SECONDS - 1);
    assert!(scene.send(&token).is_ok());
    scene.world.advance(1);
    assert_eq!(scene.reason(&token), Reason::Expired);
}

#[test]
fn the_trace_names_nobody_before_the_signature_holds() {
    let scene = Scene::new(policy());
    let forged = format!("{}AAAA", scene.token(|_, _| ()));
    let Authentication { outcome, trace } = send_traced(&scene.world, &scene.server, &forged);
    assert!(outcome.is_err());
    assert_eq!((trace.client_id, trace.subject), (None, None));
    assert_eq!((trace.issuer.as_deref(), trace.kid.as_deref()), (Some(ISSUER), Some("k")));
}
