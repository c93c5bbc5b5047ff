//! The copy in the shared store: when it is written, and when it is used.

use super::*;

#[test]
fn another_order_of_keys_and_members_is_not_worth_a_write() {
    let mut history = History::new(false);
    history.happen(&Event::Announce);
    history.happen(&Event::Fresh);
    assert_eq!(history.world.store_writes(), 1);
    let mut keys: Vec<_> = history.published().into_iter().map(jwk).collect();
    keys.reverse();
    let text = json!({ "keys": keys }).to_string();
    let document = crate::support::world::discovery(ISSUER).to_string().replacen('{', "{\"scopes_supported\":[],", 1);
    history.world.answer(&jwks_url(ISSUER), Answer::Reply(200, text));
    history.world.answer(&discovery_url(ISSUER), Answer::Reply(200, document));
    history.world.advance(FRESH_SECONDS);
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    assert!(send(&history.world, &history.server, &token).is_ok());
    assert_eq!(history.world.calls(&jwks_url(ISSUER)), 2, "renewed");
    assert_eq!(history.world.store_writes(), 1);
}

#[test]
fn a_provider_whose_keys_differ_each_time_is_not_written_each_time() {
    let mut history = History::new(false);
    for _ in 0..120 {
        history.happen(&Event::Fresh);
        history.happen(&Event::Rotate);
        history.happen(&Event::Wait(COOL_DOWN_SECONDS));
    }
    assert!(history.world.store_writes() <= 7, "{} writes in an hour", history.world.store_writes());
}

#[test]
fn what_another_isolate_has_written_is_not_written_again() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let other = ResourceServer::new(policy());
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    assert!(send(&history.world, &other, &token).is_ok());
    history.happen(&Event::Rotate);
    history.happen(&Event::Wait(FRESH_SECONDS));
    history.happen(&Event::Fresh);
    assert_eq!(history.world.store_writes(), 2);
    history.world.advance(61);
    assert!(send(&history.world, &other, &token).is_ok());
    history.world.finish_background();
    assert_eq!(history.world.store_writes(), 2, "both have the new set, and one has written it");
}

#[test]
fn a_store_that_is_down_is_done_without() {
    let mut history = History::new(false);
    history.happen(&Event::StoreDown(true));
    assert!(history.happen(&Event::Fresh).unwrap().is_ok());
    assert_eq!(history.world.stored(ISSUER), None);
}

#[test]
fn a_cold_isolate_takes_the_keys_from_the_store_without_asking_the_provider() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    history.happen(&Event::Provider(Health::Down));
    history.happen(&Event::ColdStart);
    assert!(history.happen(&Event::Fresh).unwrap().is_ok());
    assert_eq!(history.asked, []);
}

#[test]
fn the_store_is_written_when_keys_change_or_grow_old_and_otherwise_not() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    assert_eq!(history.world.store_writes(), 1);
    for _ in 0..2 {
        history.happen(&Event::Wait(FRESH_SECONDS));
        history.happen(&Event::Fresh);
    }
    assert_eq!(history.world.store_writes(), 1, "twenty minutes of the same keys");
    history.happen(&Event::Rotate);
    history.happen(&Event::Wait(FRESH_SECONDS));
    history.happen(&Event::Fresh);
    assert_eq!(history.world.store_writes(), 2, "a new key");
    for _ in 0..30 {
        history.happen(&Event::Wait(FRESH_SECONDS));
        history.happen(&Event::Fresh);
        let stored = history
            .world
            .stored(ISSUER)
            .and_then(|text| Record::parse(&text, &ProviderLocation::of_issuer(ISSUER), history.world.now()));
        let age = stored.expect("a record").keys_age(history.world.now());
        assert!(age < REVALIDATE_SECONDS, "a cold isolate would have to wait: {age}");
    }
    assert_eq!(history.world.store_writes(), 12, "every half hour, five hours long");
}

#[test]
fn a_stored_value_that_is_no_record_of_this_issuer_is_not_used() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let good = history.world.stored(ISSUER).expect("a record");
    let evil = good.replace("\"issuer\":\"https://tenant.example/oidc\"", "\"issuer\":\"https://evil.example\"");
    assert_ne!(good, evil);
    let year = 365 * 86400;
    let future = good.replace(
        &format!("\"jwks_fetched_at\":{}", history.world.now()),
        &format!("\"jwks_fetched_at\":{}", history.world.now() + year),
    );
    assert_ne!(good, future);
    for bad in [evil, future, "{}".to_owned(), "null".to_owned(), "x".to_owned()] {
        history.happen(&Event::ColdStart);
        history.happen(&Event::Provider(Health::Down));
        history.world.put_into_store(ISSUER, &bad);
        let outcome = history.happen(&Event::Fresh).unwrap();
        assert_eq!(outcome.expect_err(&bad).reason(), Reason::KeysUnavailable);
    }
}

#[test]
fn an_exclusive_store_is_one_that_nobody_else_writes_into() {
    let mut history = History::new(false);
    let exclusive = || ResourceServer::with_exclusive_store(policy());
    history.server = exclusive();
    history.happen(&Event::Fresh);
    let own = history.world.stored(ISSUER).expect("a record");
    let (token, calls) = (history.sent[0].token.clone(), history.world.received().len());
    // What it has written itself is as good as ever.
    let server = exclusive();
    assert!(send(&history.world, &server, &token).is_ok());
    assert_eq!((history.world.received().len(), server.keys()[0].other_writer(history.world.now())), (calls, None));
    // A record that does not say who wrote it is none, and is replaced.
    let writer = format!("\"writer\":\"{}\"", tokens::RESOURCE);
    history.world.put_into_store(ISSUER, &own.replace(&format!("{writer},"), ""));
    let server = exclusive();
    assert!(send(&history.world, &server, &token).is_ok());
    assert_eq!((history.world.received().len(), server.keys()[0].other_writer(history.world.now())), (calls + 2, None));
    assert_eq!(history.world.stored(ISSUER).as_ref(), Some(&own));
    // One of another deployment is not used and not replaced.
    let foreign = own.replace(&writer, r#""writer":"https://other.example/mcp""#);
    history.world.put_into_store(ISSUER, &foreign);
    let server = exclusive();
    assert!(send(&history.world, &server, &token).is_ok());
    assert_eq!(server.keys()[0].other_writer(history.world.now()).as_deref(), Some("https://other.example/mcp"));
    assert_eq!((history.world.received().len(), history.world.stored(ISSUER)), (calls + 4, Some(foreign)));
    // For a store that may be shared it is as good as any.
    assert!(send(&history.world, &ResourceServer::new(policy()), &token).is_ok());
    assert_eq!(history.world.received().len(), calls + 4);
}

#[test]
fn keys_are_not_fetched_from_where_only_the_store_says_that_they_are() {
    let mut history = History::new(false);
    history.happen(&Event::Fresh);
    let foreign = "https://evil.example/jwks";
    let stored = history.world.stored(ISSUER).expect("a record").replace(&jwks_url(ISSUER), foreign);
    history.world.put_into_store(ISSUER, &stored);
    history.world.answer(foreign, Answer::json(&json!({ "keys": [jwk(7)] })));
    history.happen(&Event::ColdStart);
    history.happen(&Event::Provider(Health::WithoutDiscovery));
    history.happen(&Event::Wait(REVALIDATE_SECONDS));
    let token = history.sent[0].token.clone();
    assert!(send(&history.world, &history.server, &token).is_ok(), "the stored keys serve");
    let evil = mint_pretended(&jwk(7), &claims(history.world.now()));
    assert_eq!(send(&history.world, &history.server, &evil).expect_err("evil").reason(), Reason::KeysUnavailable);
    assert_eq!(history.world.calls(foreign), 0);
}
