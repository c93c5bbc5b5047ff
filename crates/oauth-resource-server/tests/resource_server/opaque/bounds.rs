//! Lengths, times and waiting exactly at their bounds.

use futures_util::FutureExt;
use mcp_edge_oauth::token::opaque::MAX_OPAQUE_BYTES;

use super::*;

#[test]
fn a_token_may_be_as_long_as_its_bound() {
    let scene = good();
    assert!(scene.send(&"x".repeat(MAX_OPAQUE_BYTES)).is_ok());
    assert_eq!(scene.reason(&"x".repeat(MAX_OPAQUE_BYTES + 1)), Reason::TokenTooLarge);
    assert_eq!(introspections(&scene), 1);
}

#[test]
fn without_exp_a_token_is_good_for_as_long_as_the_answer_is_used() {
    let scene = Scene::new(userinfo_policy());
    scene.world.answer(&userinfo_url(ISSUER), Answer::json(&json!({ "sub": "alice" })));
    let identity = scene.send(TOKEN).expect("a good token");
    assert_eq!(identity.expires_at(), scene.world.now() + 30);
    let scene = good();
    let mut answer = active(&scene);
    answer.as_object_mut().expect("an answer").remove("exp");
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    assert_eq!(scene.send(TOKEN).expect("a good token").expires_at(), scene.world.now() + 60);
}

/// A scene in which as many requests are open as may be. The first one was sent so many seconds ago.
fn full(seconds: u64) -> Scene {
    let scene = good();
    scene.world.answer(&introspection_url(ISSUER), Answer::Hang);
    let tokens: Vec<_> = (0..MAX_QUESTIONS).map(|number| format!("open-{number}")).collect();
    let requests = tokens.iter().map(|token| tokens::authenticate(&scene.world, &scene.server, token).boxed_local());
    let began = scene.world.now();
    // Their clients go away, and nobody learns what became of them.
    assert!(scene.world.race(requests.collect::<Vec<_>>()).run().iter().all(Option::is_none));
    scene.world.advance_to(began + seconds);
    scene
}

#[test]
fn who_waits_for_others_is_asked_about_in_the_next_window() {
    let scene = full(6);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    let began = scene.world.milliseconds();
    assert!(scene.send(TOKEN).is_ok());
    assert_eq!(scene.world.milliseconds() - began, (WINDOW_SECONDS - 6) * 1000);
}

#[test]
fn who_waits_for_others_gives_up_after_five_seconds() {
    let scene = full(2);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    let began = scene.world.milliseconds();
    assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable);
    assert_eq!(scene.world.milliseconds() - began, 5000);
}
