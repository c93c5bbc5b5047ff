//! Rotated, unknown and disproved keys.

use super::*;

#[test]
fn a_key_that_began_to_sign_in_the_second_of_our_fetch_is_not_called_unknown() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Rotate);
    // Issued in the same second in which the old set was fetched.
    assert!(history.happen(&Event::Fresh).unwrap().is_ok());
}

#[test]
fn a_set_that_was_fetched_after_the_token_was_issued_has_the_last_word() {
    let mut history = History::new(false);
    history.happen(&Event::Wait(10));
    history.happen(&Event::Fresh);
    let invented = |history: &mut History, age: u64| {
        let event = Event::Invented { kid: 1, age: i64::try_from(age).expect("minutes") };
        assert_eq!(history.happen(&event).unwrap().unwrap_err().reason(), Reason::UnknownKey);
        history.asked.len()
    };
    assert_eq!(invented(&mut history, CLOCK_SKEW_SECONDS + 1), 1);
    // Regardless of the time that has passed, and whether or not the provider is up.
    history.happen(&Event::Provider(Health::Down));
    history.happen(&Event::Wait(FRESH_SECONDS - 1));
    assert_eq!(invented(&mut history, CLOCK_SKEW_SECONDS + FRESH_SECONDS), 1);
}

#[test]
fn a_new_key_is_found_also_if_the_providers_clock_is_behind_ours() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Wait(5));
    history.happen(&Event::Rotate);
    let token = mint_pretended(&jwk(2), &claims(history.world.now() - 120));
    assert!(history.send(&token).is_ok());
}

#[test]
fn a_withdrawn_key_is_worth_nothing_after_an_hour_while_the_provider_is_up() {
    for cold in [false, true] {
        let mut history = History::new(false);
        history.happen(&Event::Fresh);
        let token = history.sent[0].token.clone();
        history.happen(&Event::Rotate);
        history.happen(&Event::Rotate);
        if cold {
            history.happen(&Event::ColdStart);
        }
        history.happen(&Event::Wait(REVALIDATE_SECONDS));
        // Also if it takes its time.
        let keys: Vec<_> = history.published().into_iter().map(jwk).collect();
        let slowly = |answer| Answer::After(1200, Box::new(Answer::json(&answer)));
        history.world.answer(&discovery_url(ISSUER), slowly(crate::support::world::discovery(ISSUER)));
        history.world.answer(&jwks_url(ISSUER), slowly(json!({ "keys": keys })));
        let outcome = send(&history.world, &history.server, &token);
        assert_eq!(outcome.expect_err("withdrawn").reason(), Reason::UnknownKey, "cold: {cold}");
    }
}

#[test]
fn an_unknown_kid_is_asked_about_once() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Wait(COOL_DOWN_SECONDS));
    let before = history.asked.len();
    for _ in 0..10 {
        let outcome = history.happen(&Event::Invented { kid: 1, age: 0 }).unwrap();
        assert_eq!(outcome.unwrap_err().reason(), Reason::UnknownKey);
    }
    assert_eq!(history.asked.len(), before + 1);
}

#[test]
fn a_forged_signature_costs_one_look_for_each_cool_down() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Wait(COOL_DOWN_SECONDS));
    let before = history.asked.len();
    for _ in 0..10 {
        assert_eq!(history.happen(&Event::Forged).unwrap().unwrap_err().reason(), Reason::BadSignature);
    }
    assert_eq!(history.asked.len(), before + 1);
}

#[test]
fn a_new_key_under_an_old_name_is_found() {
    let world = World::with_pretend_signatures();
    let server = ResourceServer::new(policy());
    let (old, new) = (pretended_jwk("k", 1), pretended_jwk("k", 2));
    world.publish(ISSUER, std::slice::from_ref(&old));
    let old_token = mint_pretended(&old, &claims(world.now()));
    assert!(send(&world, &server, &old_token).is_ok());
    world.publish(ISSUER, std::slice::from_ref(&new));
    world.advance(COOL_DOWN_SECONDS);
    assert!(send(&world, &server, &mint_pretended(&new, &claims(world.now()))).is_ok());
    // And what the old key signed is worth nothing now, remembered or not.
    assert_eq!(send(&world, &server, &old_token).unwrap_err().reason(), Reason::BadSignature);
}

#[test]
fn an_old_copy_is_used_at_once_and_renewed_behind_the_requests_back() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Wait(FRESH_SECONDS));
    history.world.answer(&jwks_url(ISSUER), Answer::After(3000, Box::new(Answer::Down)));
    let began = history.world.milliseconds();
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    let outcome = history.world.run(tokens::authenticate(&history.world, &history.server, &token)).outcome;
    assert!(outcome.is_ok());
    assert_eq!(history.world.milliseconds(), began, "nobody waited");
    history.world.finish_background();
    assert!(history.world.calls(&jwks_url(ISSUER)) > 1, "renewed in the background");
}
