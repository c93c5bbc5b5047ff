//! Outages of the provider and slow answers.

use super::*;
use crate::support::world::discovery;

#[test]
fn an_old_copy_serves_while_the_provider_hangs_and_nobody_waits_long() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let token = history.sent[0].token.clone();
    history.happen(&Event::Wait(REVALIDATE_SECONDS));
    history.world.answer(&discovery_url(ISSUER), Answer::Hang);
    for longest in [3500, 3500, 0, 0] {
        let began = history.world.milliseconds();
        let request = tokens::authenticate(&history.world, &history.server, &token);
        assert!(history.world.run(request).outcome.is_ok());
        let waited = history.world.milliseconds() - began;
        assert!(waited <= longest, "{waited}");
        // The lease ends, the cool-down does not.
        history.world.advance(4);
    }
    assert_eq!(history.world.calls(&discovery_url(ISSUER)), 2, "one attempt within the cool-down");
}

#[test]
fn a_lease_that_is_dropped_makes_room_for_the_next() {
    let mut history = History::new(false);
    history.world.answer(&discovery_url(ISSUER), Answer::Hang);
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    let request = tokens::authenticate(&history.world, &history.server, &token).map(|it| it.outcome);
    let mut race = history.world.race([request.boxed_local()]);
    assert!(matches!(race.run().as_slice(), [None | Some(Err(_))]));
    drop(race);
    history.world.drop_background();
    history.publish();
    history.world.advance(COLD_RETRY_SECONDS);
    let began = history.world.milliseconds();
    assert!(send(&history.world, &history.server, &token).is_ok());
    assert_eq!(history.world.milliseconds(), began, "nobody waits for who is gone");
}

#[test]
fn during_an_outage_old_keys_serve_for_a_day_and_not_longer() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Provider(Health::Down));
    history.happen(&Event::Wait(CEILING_SECONDS - 1));
    assert!(history.happen(&Event::Fresh).unwrap().is_ok());
    history.happen(&Event::Wait(1));
    assert_eq!(history.happen(&Event::Fresh).unwrap().unwrap_err().reason(), Reason::KeysUnavailable);
    history.happen(&Event::Provider(Health::Up));
    history.happen(&Event::Wait(COLD_RETRY_SECONDS));
    assert!(history.happen(&Event::Fresh).unwrap().is_ok());
}

#[test]
fn after_an_outage_an_old_copy_is_used_for_five_minutes_at_most() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Provider(Health::Down));
    for pause in std::iter::once(2 * REVALIDATE_SECONDS).chain([MAX_RENEWAL_PAUSE_SECONDS; 6]) {
        history.happen(&Event::Wait(pause));
        assert!(history.happen(&Event::Fresh).unwrap().is_ok());
    }
    history.happen(&Event::Provider(Health::Up));
    let mut age_after = |pause| {
        history.happen(&Event::Wait(pause));
        assert!(history.happen(&Event::Fresh).unwrap().is_ok());
        history.server.keys()[0].age(history.world.now()).expect("a copy")
    };
    assert!(age_after(MAX_RENEWAL_PAUSE_SECONDS - 1) > REVALIDATE_SECONDS);
    assert_eq!(age_after(1), 0);
}

#[test]
fn endpoints_that_the_issuer_has_confirmed_outlast_an_outage_although_newer_keys_come_from_the_store() {
    let mut history = History::new(false);
    // Sign-in on a domain of its own: only the issuer itself may say so.
    let mut document = discovery(ISSUER);
    document["token_endpoint"] = "https://sign-in.example/token".into();
    history.world.answer(&discovery_url(ISSUER), Answer::json(&document));
    assert!(history.server_outcome().is_ok());
    history.world.finish_background();
    history.world.advance(FRESH_SECONDS);
    let (old, new) = (history.world.now() - FRESH_SECONDS, history.world.now() - 60);
    let renewed = history.world.stored(ISSUER).expect("a record").replace(&old.to_string(), &new.to_string());
    history.world.put_into_store(ISSUER, &renewed);
    history.world.take_down(ISSUER);
    assert!(history.server_outcome().is_ok());
    history.world.finish_background();
    let (keys, now) = (&history.server.keys()[0], history.world.now());
    assert_eq!(keys.age(now), Some(60), "another isolate has renewed them");
    let provider = history.world.run(keys.provider(now, &history.world));
    let endpoint = provider.expect("what the issuer has said").token_endpoint;
    assert_eq!(endpoint.as_deref(), Some("https://sign-in.example/token"));
}

#[test]
fn an_outage_makes_one_attempt_for_each_cool_down_however_many_bad_tokens_come() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Provider(Health::Down));
    let before = history.asked.len();
    for second in 0..300_u16 {
        history.happen(&Event::Wait(1));
        for kid in 0..5 {
            history.happen(&Event::Invented { kid: (second % 50 * 5 + kid).to_le_bytes()[0], age: 1000 });
        }
        history.happen(&Event::Forged);
    }
    let attempts = history.asked.len() - before;
    assert!((9..=11).contains(&attempts), "{attempts} attempts in five minutes");
    history.check_budget();
}

#[test]
fn while_nobody_can_be_served_the_provider_is_asked_every_five_seconds() {
    let mut history = History::new(false);
    history.happen(&Event::Provider(Health::Down));
    for _ in 0..60 {
        history.happen(&Event::Fresh);
        history.happen(&Event::Fresh);
        history.happen(&Event::Wait(1));
    }
    assert_eq!(history.asked.len(), 12);
}

#[test]
fn huge_and_slow_and_redirected_answers_are_outages() {
    for answer in [
        Answer::Reply(200, format!("{{\"keys\":[],\"pad\":\"{}\"}}", "x".repeat(512 * 1024))),
        Answer::After(5001, Box::new(Answer::Down)),
        Answer::Reply(301, String::new()),
        Answer::Reply(204, String::new()),
        Answer::Reply(403, String::new()),
    ] {
        let mut history = History::new(false);
        history.world.answer(&jwks_url(ISSUER), answer.clone());
        let outcome = history.server_outcome();
        assert_eq!(outcome.expect_err("an outage").reason(), Reason::KeysUnavailable, "{answer:?}");
        assert!(history.server.keys()[0].provider_failure().expect("a failure").contains(&jwks_url(ISSUER)));
    }
}
