//! Introspection where the operator says, with and without a discovery document.

use mcp_edge_oauth::provider::{DocumentPlace, ProviderUrls};

use super::*;
use crate::support::world::jwks_url;

const CHECK: &str = "https://check.example/introspect?tenant=a";

const OTHER_TOKEN: &str = "another-opaque-token";

fn scene_with(mut policy: TrustPolicy, change: impl FnOnce(&mut ProviderUrls)) -> Scene {
    change(&mut policy.issuers[0].urls);
    let scene = Scene::new(policy);
    scene.world.answer(CHECK, Answer::json(&active(&scene)));
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene
}

fn given(change: impl FnOnce(&mut ProviderUrls)) -> Scene {
    scene_with(policy(), |urls| {
        urls.introspection = Some(CHECK.to_owned());
        change(urls);
    })
}

fn answer_discovery(scene: &Scene, answer: &Answer) {
    for place in DocumentPlace::ALL {
        scene.world.answer(&place.url(ISSUER), answer.clone());
    }
}

/// How many milliseconds a good token waits.
fn waited(scene: &Scene, token: &str) -> u64 {
    let began = scene.world.milliseconds();
    let request = tokens::authenticate(&scene.world, &scene.server, token);
    let outcome = scene.world.run(request).outcome;
    assert!(outcome.is_ok(), "{outcome:?}");
    scene.world.milliseconds() - began
}

#[test]
fn the_secret_goes_to_the_operators_endpoint_and_to_no_other() {
    let scene = given(|_| ());
    assert!(scene.send(TOKEN).is_ok());
    let calls = scene.world.received();
    let sent = calls.iter().find(|call| call.url == CHECK).expect("a request");
    assert!(sent.authorization.as_deref().is_some_and(|it| it.starts_with("Basic ")), "{sent:?}");
    assert_eq!(scene.world.calls(&introspection_url(ISSUER)), 0);
}

#[test]
fn how_the_secret_is_sent_is_what_the_document_says() {
    let scene = given(|_| ());
    let mut document = discovery(ISSUER);
    document["introspection_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    scene.world.answer(&discovery_url(ISSUER), Answer::json(&document));
    assert!(scene.send(TOKEN).is_ok());
    let sent = scene.world.received().into_iter().find(|call| call.url == CHECK).expect("a request");
    assert_eq!(sent.authorization, None);
    assert!(sent.form.is_some_and(|form| form.contains("client_secret=s3cret")));
}

#[test]
fn no_document_is_needed() {
    let silent = || Answer::After(60_000, Box::new(Answer::Down));
    for has_keys in [true, false] {
        for answer in [Answer::Reply(404, String::new()), Answer::Reply(500, String::new()), Answer::Down, silent()] {
            let scene = given(|urls| urls.jwks = has_keys.then(|| jwks_url(ISSUER)));
            answer_discovery(&scene, &answer);
            let first = waited(&scene, TOKEN);
            // The search is waited for a little: perhaps the document says how the secret is sent.
            let longest = if matches!(answer, Answer::After(..)) { 3100 } else { 20 };
            assert!(first <= longest, "{has_keys} {answer:?}: {first}");
            scene.world.finish_background();
            assert_eq!(waited(&scene, OTHER_TOKEN), 0, "{has_keys} {answer:?}");
            assert_eq!(scene.world.calls(CHECK), 2);
        }
    }
}

#[test]
fn nobody_waits_long_for_a_document_that_is_not_needed() {
    let scene = given(|_| ());
    let now = scene.world.now();
    // A copy whose document leads elsewhere does for keys, and not to send tokens to.
    let mut document = discovery(ISSUER);
    document["userinfo_endpoint"] = "https://elsewhere.example/me".into();
    let jwks = json!({ "keys": [scene.key.jwk("k")] });
    let stored = json!({ "provider": document, "provider_fetched_at": now, "jwks": jwks, "jwks_fetched_at": now });
    scene.world.put_into_store(ISSUER, &stored.to_string());
    answer_discovery(&scene, &Answer::After(60_000, Box::new(Answer::Down)));
    for token in [TOKEN, OTHER_TOKEN, "a-third-opaque-token"] {
        let waited = waited(&scene, token);
        assert!(waited <= 3100, "{waited}");
        scene.world.finish_background();
    }
}

#[test]
fn no_keys_are_needed() {
    let scene = given(|urls| urls.jwks = Some(jwks_url(ISSUER)));
    scene.world.take_down(ISSUER);
    assert!(scene.send(TOKEN).is_ok());
    assert_eq!(scene.reason(&scene.token(|_, _| ())), Reason::KeysUnavailable);
}

#[test]
fn without_document_and_without_the_operators_endpoint_there_is_none() {
    for (policy, name) in [(policy(), "introspection"), (userinfo_policy(), "userinfo")] {
        let scene = scene_with(policy, |urls| urls.jwks = Some(jwks_url(ISSUER)));
        answer_discovery(&scene, &Answer::Reply(404, String::new()));
        let denial = scene.send(TOKEN).expect_err("no endpoint");
        assert_eq!(denial.reason(), Reason::IntrospectionUnavailable);
        assert_eq!(denial.detail().as_deref(), Some(format!("the provider has no {name} endpoint").as_str()));
        assert!(scene.send(&scene.token(|_, _| ())).is_ok(), "JWTs are not affected");
    }
}

#[test]
fn the_operators_verdict_is_the_only_one() {
    let scene = given(|_| ());
    scene.world.answer(CHECK, Answer::json(&json!({"active": false})));
    assert_eq!(scene.reason(TOKEN), Reason::Inactive);
    scene.world.answer(CHECK, Answer::Down);
    assert_eq!(scene.reason(OTHER_TOKEN), Reason::IntrospectionUnavailable);
    assert_eq!(scene.world.calls(&introspection_url(ISSUER)), 0);
}
