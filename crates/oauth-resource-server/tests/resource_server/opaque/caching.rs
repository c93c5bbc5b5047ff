//! How long answers of the provider are used, and how many requests it gets.

use super::*;

#[test]
fn a_good_answer_is_used_for_its_time_and_then_asked_again() {
    let scene = good();
    for _ in 0..5 {
        scene.send(TOKEN).unwrap();
    }
    assert_eq!((introspections(&scene), profiles(&scene)), (1, 1));
    scene.world.advance(29);
    scene.send(TOKEN).unwrap();
    assert_eq!(introspections(&scene), 1);
    scene.world.advance(1);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
    assert_eq!(scene.reason(TOKEN), Reason::Inactive, "a revoked token dies after 30 seconds");
}

#[test]
fn a_good_answer_is_not_used_past_the_expiry_it_names() {
    let scene = good();
    let mut answer = active(&scene);
    answer["exp"] = json!(scene.world.now() + 5);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    scene.send(TOKEN).unwrap();
    scene.world.advance(4);
    scene.send(TOKEN).unwrap();
    assert_eq!(introspections(&scene), 1);
    scene.world.advance(1);
    let _ = scene.send(TOKEN);
    assert_eq!(introspections(&scene), 2);
}

#[test]
fn a_bad_answer_is_remembered_for_ten_seconds() {
    let scene = answering(policy(), Answer::json(&json!({ "active": false })));
    for _ in 0..5 {
        assert_eq!(scene.reason(TOKEN), Reason::Inactive);
    }
    assert_eq!(introspections(&scene), 1);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene.world.advance(10);
    assert!(scene.send(TOKEN).is_ok());
}

#[test]
fn an_outage_is_not_remembered() {
    for outage in [Answer::Down, Answer::Reply(500, String::new()), Answer::After(6000, Box::new(Answer::Down))] {
        let scene = answering(policy(), outage);
        assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable);
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
        assert!(scene.send(TOKEN).is_ok(), "at once, when the provider is back");
    }
    let scene = answering(policy(), logto::answer("introspection.json", "wrong_secret"));
    assert_eq!(scene.reason(TOKEN), Reason::IntrospectionRefused);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert!(scene.send(TOKEN).is_ok(), "at once, when the secret is right");
}

#[test]
fn a_policy_of_clients_holds_for_remembered_answers_too() {
    let mut policy = policy();
    policy.clients.denied = ClientList::parse("agent");
    let scene = Scene::new(policy);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert_eq!(scene.reason(TOKEN), Reason::ClientDenied);
    assert_eq!(scene.reason(TOKEN), Reason::ClientDenied);
    assert_eq!(introspections(&scene), 1);
}

#[test]
fn a_flood_of_invented_tokens_does_not_reach_the_provider_and_spares_who_is_known() {
    let scene = good();
    scene.send(TOKEN).unwrap();
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
    let (before, began) = (introspections(&scene), scene.world.now());
    for number in 0..20 * u64::from(MAX_QUESTIONS) {
        let denial = scene.send(&format!("invented-{number}")).unwrap_err();
        assert!(matches!(denial.reason(), Reason::Inactive | Reason::ProviderSpared), "{denial:?}");
        assert!(scene.send(TOKEN).is_ok(), "remembered, so nobody need be asked");
        if number % 100 == 99 {
            scene.world.advance(1);
        }
    }
    // A client that was let in before is asked about again, flood or not.
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene.world.advance(policy().opaque.unwrap().positive_ttl_seconds);
    for number in 0..u64::from(MAX_QUESTIONS) {
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
        scene.send(&format!("more-{number}")).unwrap_err();
    }
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert_eq!(scene.reason("one-too-many"), Reason::ProviderSpared);
    assert!(scene.send(TOKEN).is_ok());
    let windows = usize::try_from((scene.world.now() - began) / WINDOW_SECONDS + 1).unwrap();
    assert!(introspections(&scene) - before <= windows * usize::try_from(MAX_QUESTIONS).unwrap());
    // A client that got a Retry-After is let in when the flood is over.
    scene.world.advance(WINDOW_SECONDS);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert!(scene.send("an-honest-one").is_ok());
}
