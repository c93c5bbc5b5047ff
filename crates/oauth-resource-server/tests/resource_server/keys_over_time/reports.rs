//! What operators and clients see of the keys, and for how long requests wait for each other.

use mcp_edge_oauth::denial::KeysOutage;

use super::*;

/// Why there are no keys, and when to come back.
fn outage(outcome: Result<Rc<Identity>, Denial>) -> (KeysOutage, u64) {
    match outcome {
        Err(Denial::KeysUnavailable { cause, retry_after }) => (cause, retry_after),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_age_of_the_copy_is_reported() {
    let mut history = History::new(false);
    let keys = Rc::clone(&history.server.keys()[0]);
    assert_eq!(keys.issuer(), ISSUER);
    assert_eq!(keys.age(history.world.now()), None);
    history.happen(&Event::Fresh);
    assert_eq!(keys.age(history.world.now()), Some(0));
    history.happen(&Event::Wait(7));
    assert_eq!(keys.age(history.world.now()), Some(7));
    history.happen(&Event::Wait(CEILING_SECONDS));
    assert_eq!(keys.age(history.world.now()), None);
}

#[test]
fn failures_of_store_and_provider_are_reported_until_they_answer() {
    let mut history = History::new(false);
    let keys = Rc::clone(&history.server.keys()[0]);
    assert_eq!((keys.store_failure(), keys.provider_failure()), (None, None));
    history.happen(&Event::StoreDown(true));
    history.happen(&Event::Provider(Health::Down));
    let ready = |history: &History| history.world.run(keys.ready(history.world.now(), &history.world));
    assert_eq!(ready(&history).expect_err("no keys").reason(), Reason::KeysUnavailable);
    assert!(keys.store_failure().is_some_and(|failure| failure.contains("the store is down")));
    assert!(keys.provider_failure().is_some_and(|failure| failure.contains("connection refused")));
    history.happen(&Event::StoreDown(false));
    history.happen(&Event::Provider(Health::Up));
    history.happen(&Event::Wait(COLD_RETRY_SECONDS));
    assert_eq!(ready(&history), Ok(()));
    assert_eq!((keys.store_failure(), keys.provider_failure()), (None, None));
}

#[test]
fn a_key_that_may_be_newer_than_the_copy_is_an_outage_of_its_own() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let invented = |number: u64, issued_at| {
        mint_pretended(&pretended_jwk(&format!("x-{number}"), 1000 + number), &claims(issued_at))
    };
    let mut last = None;
    for number in 0..=u64::from(BURST) {
        last = Some(history.send(&invented(number, history.world.now() + 1)));
    }
    let (cause, retry_after) = outage(last.expect("an outcome"));
    assert_eq!(cause, KeysOutage::CopyMayBeOlder);
    assert!((1..=COOL_DOWN_SECONDS).contains(&retry_after), "{retry_after}");
}

#[test]
fn a_request_waits_six_seconds_for_another_one_that_fetches_the_first_keys() {
    let history = History::new(false);
    history.world.publish(ISSUER, &[]);
    history.world.answer(&jwks_url(ISSUER), Answer::Hang);
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    let request = || tokens::authenticate(&history.world, &history.server, &token).map(|it| it.outcome).boxed_local();
    let mut race = history.world.race([request(), request()]);
    let began = history.world.milliseconds();
    let outcomes = race.run();
    let [None, Some(outcome)] = <[_; 2]>::try_from(outcomes).expect("two") else { panic!("the first one hangs") };
    assert_eq!(outage(outcome.map_err(Rc::unwrap_or_clone)), (KeysOutage::NoCopy, 1));
    assert_eq!(history.world.milliseconds() - began, 6000);
}

#[test]
fn who_waits_for_the_renewal_of_an_old_copy_gets_what_it_brings() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let token = history.sent[0].token.clone();
    // Its key is withdrawn, and the provider takes a second for each document to say so.
    history.happen(&Event::Rotate);
    history.happen(&Event::Rotate);
    history.happen(&Event::Wait(REVALIDATE_SECONDS));
    for (url, document) in [
        (discovery_url(ISSUER), crate::support::world::discovery(ISSUER)),
        (jwks_url(ISSUER), json!({ "keys": [jwk(history.current)] })),
    ] {
        history.world.answer(&url, Answer::After(1000, Box::new(Answer::json(&document))));
    }
    let request = || tokens::authenticate(&history.world, &history.server, &token).map(|it| it.outcome).boxed_local();
    let mut race = history.world.race([request(), request()]);
    for outcome in race.run() {
        let denial = outcome.expect("an answer").expect_err("a withdrawn key");
        assert_eq!(denial.reason(), Reason::UnknownKey);
    }
}

#[test]
fn a_discovery_document_leads_to_keys_for_a_day_after_its_place_is_gone() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Provider(Health::WithoutDiscovery));
    // The keys are renewed all the time, the document never.
    let mut last = history.world.now();
    let dies_at = last + CEILING_SECONDS;
    while history.world.now() + FRESH_SECONDS < dies_at {
        history.happen(&Event::Wait(FRESH_SECONDS));
        assert!(history.happen(&Event::Fresh).unwrap().is_ok());
        let age = history.server.keys()[0].age(history.world.now()).expect("a copy");
        last = history.world.now() - age;
        assert!(age < 2 * FRESH_SECONDS, "{age}");
    }
    history.happen(&Event::Wait(dies_at - history.world.now()));
    history.happen(&Event::Fresh);
    history.happen(&Event::Wait(FRESH_SECONDS));
    history.happen(&Event::Fresh);
    let age = history.server.keys()[0].age(history.world.now()).expect("a copy");
    assert_eq!(history.world.now() - age, last, "renewed by a document of a day");
}

#[test]
fn documents_may_have_64_kibibytes() {
    for (bytes, is_read) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let mut history = History::new(false);
        let document = crate::support::world::discovery(ISSUER).to_string();
        let padded = format!("{document}{}", " ".repeat(bytes - document.len()));
        history.world.answer(&discovery_url(ISSUER), Answer::Reply(200, padded));
        assert_eq!(history.server_outcome().is_ok(), is_read, "{bytes}");
    }
}

#[test]
fn copies_are_used_for_a_day_renewed_for_every_hour_and_fetched_every_half_minute() {
    assert_eq!((CEILING_SECONDS, REVALIDATE_SECONDS, FRESH_SECONDS), (86_400, 3_600, 600));
    assert_eq!((COOL_DOWN_SECONDS, COLD_RETRY_SECONDS, MAX_RENEWAL_PAUSE_SECONDS), (30, 5, 300));
}

#[test]
fn who_else_writes_into_the_store_is_reported_for_an_hour() {
    let mut history = History::new(false);
    history.server = ResourceServer::with_exclusive_store(policy());
    history.happen(&Event::Fresh);
    let (written_at, token) = (history.world.now(), history.sent[0].token.clone());
    let own = history.world.stored(ISSUER).expect("a record");
    history.world.put_into_store(ISSUER, &own.replace(tokens::RESOURCE, "https://other.example/mcp"));
    let server = ResourceServer::with_exclusive_store(policy());
    assert!(send(&history.world, &server, &token).is_ok());
    let other = |now| server.keys()[0].other_writer(now);
    assert_eq!(other(written_at + REVALIDATE_SECONDS - 1).as_deref(), Some("https://other.example/mcp"));
    assert_eq!(other(written_at + REVALIDATE_SECONDS), None);
}
