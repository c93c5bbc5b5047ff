//! URLs that the operator gives in place of those that the provider publishes.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use mcp_edge_oauth::{denial::KeysOutage, keys::jwks_cache::IssuerKeys, provider::Provider};
use mcp_edge_runtime::ports::Runtime;

use super::*;
use crate::support::world::{discovery, introspection_url};

const KEYS: &str = "https://keys.example/jwks?p=a";

const PLACES: [DocumentPlace; 4] = DocumentPlace::ALL;

fn keys_at(url: &str) -> ProviderUrls {
    ProviderUrls { jwks: Some(url.to_owned()), ..ProviderUrls::default() }
}

/// A history whose keys are where the operator says, and whose discovery document is answered like this at all places.
fn history(discovery: &Answer) -> History {
    let history = History::with_urls(keys_at(KEYS), false);
    history.world.answer(KEYS, Answer::json(&json!({ "keys": [jwk(1)] })));
    answer_discovery(&history, discovery);
    history
}

fn answer_discovery(history: &History, answer: &Answer) {
    for place in PLACES {
        history.world.answer(&place.url(ISSUER), answer.clone());
    }
}

fn searches(history: &History) -> usize {
    history.world.calls(&discovery_url(ISSUER))
}

/// What a good token meets, and how many milliseconds it waited. Work in the background goes on.
fn verdict(history: &History, token: &str) -> (Result<(), Reason>, u64) {
    let began = history.world.milliseconds();
    let request = tokens::authenticate(&history.world, &history.server, token);
    let outcome = history.world.run(request).outcome.map(drop).map_err(|denial| denial.reason());
    (outcome, history.world.milliseconds() - began)
}

fn good_token(history: &History) -> String {
    mint_pretended(&jwk(1), &claims(history.world.now()))
}

/// What is known of the provider, and how long it took.
fn provider(history: &History) -> (Result<Provider, Denial>, u64) {
    let began = history.world.milliseconds();
    let keys: &Rc<IssuerKeys> = &history.server.keys()[0];
    let asking: LocalBoxFuture<'_, _> = keys.provider(history.world.now(), &history.world).boxed_local();
    (history.world.run(asking), history.world.milliseconds() - began)
}

fn token_endpoint(history: &History) -> Option<String> {
    provider(history).0.expect("a provider").token_endpoint
}

fn whole_document(history: &History) -> Result<Rc<str>, Denial> {
    history.world.run(history.server.keys()[0].whole_document(history.world.now(), &history.world))
}

/// How a server without a discovery document, or one in an outage, answers for it.
fn no_document() -> [Answer; 7] {
    [
        Answer::Reply(404, String::new()),
        Answer::Reply(500, String::new()),
        Answer::Reply(200, "<html>".to_owned()),
        Answer::json(&json!({"issuer": "https://other.example"})),
        Answer::Down,
        Answer::After(60_000, Box::new(Answer::Down)),
        Answer::Hang,
    ]
}

#[test]
fn jwts_are_verified_without_a_discovery_document_and_nobody_waits_for_it() {
    for answer in no_document() {
        let history = history(&answer);
        let keys = Rc::clone(&history.server.keys()[0]);
        for round in 1..=5 {
            assert_eq!(verdict(&history, &good_token(&history)), (Ok(()), 0), "{answer:?}");
            assert_eq!(keys.provider_failure(), None, "{answer:?}: no outage");
            assert_eq!(history.world.run(keys.ready(history.world.now(), &history.world)), Ok(()), "{answer:?}");
            assert!(searches(&history) <= round, "{answer:?}: one search for each renewal");
            // Time for the store and the keys; then as the platform does in the end.
            history.world.run(history.world.sleep(Duration::from_secs(1)));
            history.world.drop_background();
            history.world.advance(FRESH_SECONDS);
        }
        assert_eq!(history.world.calls(KEYS), 5, "{answer:?}");
        assert_eq!(history.world.calls(&jwks_url(ISSUER)), 0, "{answer:?}");
        assert_eq!(history.world.warnings(), Vec::<String>::new(), "{answer:?}");
    }
}

#[test]
fn a_hanging_search_holds_no_new_key_back() {
    let history = history(&Answer::Hang);
    assert_eq!(verdict(&history, &good_token(&history)), (Ok(()), 0));
    history.world.advance(2);
    history.world.answer(KEYS, Answer::json(&json!({ "keys": [jwk(1), jwk(2)] })));
    let new = mint_pretended(&jwk(2), &claims(history.world.now()));
    assert_eq!(verdict(&history, &new), (Ok(()), 0));
    assert_eq!(searches(&history), 1, "the search is still under way");
    // After an hour without traffic, a renewal comes before the answer, and does not wait for the document either.
    history.world.drop_background();
    history.world.advance(REVALIDATE_SECONDS);
    history.world.answer(KEYS, Answer::After(700, Box::new(Answer::json(&json!({ "keys": [jwk(2)] })))));
    assert_eq!(verdict(&history, &good_token(&history)), (Err(Reason::UnknownKey), 700));
}

#[test]
fn a_document_that_is_there_is_used_whether_it_comes_before_the_keys_or_after_them() {
    for (document_ms, keys_ms) in [(0, 0), (0, 900), (900, 0), (900, 1800), (1800, 900)] {
        let history = history(&Answer::Reply(404, String::new()));
        let after = |milliseconds, answer| Answer::After(milliseconds, Box::new(answer));
        history.world.answer(&discovery_url(ISSUER), after(document_ms, Answer::json(&discovery(ISSUER))));
        history.world.answer(KEYS, after(keys_ms, Answer::json(&json!({ "keys": [jwk(1)] }))));
        assert_eq!(verdict(&history, &good_token(&history)), (Ok(()), keys_ms));
        // Who needs an endpoint waits for a search that is under way.
        let (found, waited) = provider(&history);
        let found = found.expect("a provider");
        assert_eq!(found.token_endpoint, Some(format!("{ISSUER}/token")), "{document_ms} {keys_ms}");
        assert_eq!(found.jwks_uri, KEYS);
        assert!(waited <= 920, "{waited}");
        assert!(whole_document(&history).is_ok());
        // Both are in the store, in one write.
        history.world.finish_background();
        assert!(history.stored(history.world.now()).expect("a copy").provider.document.is_some());
        assert_eq!(history.world.store_writes(), 1, "{document_ms} {keys_ms}");
    }
}

#[test]
fn who_needs_an_endpoint_waits_for_a_hanging_search_once_and_not_longer_than_three_seconds() {
    let history = history(&Answer::After(60_000, Box::new(Answer::Down)));
    let (found, waited) = provider(&history);
    assert_eq!(found, Ok(Provider::without_document(&history.location)));
    assert!((2900..=3100).contains(&waited), "{waited}");
    history.world.finish_background();
    for _ in 0..3 {
        history.world.advance(FRESH_SECONDS);
        assert_eq!(provider(&history), (Ok(Provider::without_document(&history.location)), 0));
        // The renewal behind it.
        history.world.finish_background();
    }
    assert_eq!(searches(&history), 4);
}

#[test]
fn a_document_that_appears_later_is_found_at_the_next_renewal() {
    let history = history(&Answer::Reply(404, String::new()));
    assert_eq!(verdict(&history, &good_token(&history)).0, Ok(()));
    history.world.finish_background();
    assert_eq!(token_endpoint(&history), None);
    history.world.answer(&discovery_url(ISSUER), Answer::json(&discovery(ISSUER)));
    for seconds in [FRESH_SECONDS / 2, FRESH_SECONDS / 2] {
        assert_eq!(token_endpoint(&history), None);
        history.world.advance(seconds);
    }
    assert_eq!(verdict(&history, &good_token(&history)), (Ok(()), 0));
    history.world.finish_background();
    assert_eq!(token_endpoint(&history), Some(format!("{ISSUER}/token")));
    assert_eq!(searches(&history), 2);
}

#[test]
fn a_held_document_is_used_for_a_day_of_an_outage() {
    let history = history(&Answer::Reply(404, String::new()));
    history.world.answer(&discovery_url(ISSUER), Answer::json(&discovery(ISSUER)));
    assert!(token_endpoint(&history).is_some());
    answer_discovery(&history, &Answer::Down);
    let began = history.world.now();
    while history.world.now() - began < CEILING_SECONDS + FRESH_SECONDS {
        let is_young = history.world.now() - began < CEILING_SECONDS;
        assert_eq!(verdict(&history, &good_token(&history)), (Ok(()), 0));
        history.world.finish_background();
        assert_eq!(token_endpoint(&history).is_some(), is_young, "{}", history.world.now() - began);
        history.world.advance(FRESH_SECONDS);
    }
}

#[test]
fn without_a_document_there_is_nothing_to_mirror() {
    let history = history(&Answer::Reply(404, String::new()));
    assert_eq!(verdict(&history, &good_token(&history)).0, Ok(()));
    history.world.finish_background();
    for _ in 0..3 {
        let Err(Denial::KeysUnavailable { cause: KeysOutage::Provider(cause), retry_after }) = whole_document(&history)
        else {
            panic!("an outage of the document")
        };
        assert_eq!(cause.to_string(), format!("{ISSUER}: no discovery document: all places: status 404"));
        assert_eq!(retry_after, FRESH_SECONDS);
    }
    assert_eq!((searches(&history), history.world.calls(KEYS)), (1, 1), "strangers cause no requests");
}

#[test]
fn keys_of_an_earlier_url_are_not_used() {
    let (old, new) = ("https://old.example/jwks", "https://new.example/jwks");
    let token = |number: u64, history: &History| mint_pretended(&jwk(number), &claims(history.world.now()));
    for before in [ProviderUrls::default(), keys_at(old)] {
        let mut history = History::with_urls(before, false);
        history.world.answer(old, Answer::json(&json!({ "keys": [jwk(1)] })));
        history.world.answer(new, Answer::json(&json!({ "keys": [jwk(7)] })));
        assert_eq!(verdict(&history, &token(1, &history)).0, Ok(()));
        history.world.finish_background();
        assert!(history.stored(history.world.now()).is_some());
        // The operator has changed it, and the store is the same.
        let old_location = history.location.clone();
        history.location.urls = keys_at(new);
        history.happen(&Event::ColdStart);
        assert_eq!(verdict(&history, &token(1, &history)).0, Err(Reason::UnknownKey));
        assert_eq!(verdict(&history, &token(7, &history)).0, Ok(()));
        history.world.finish_background();
        assert_eq!(history.world.store_writes(), 2, "each place has a copy of its own");
        // And during an outage of the new place.
        history.world.wipe_store();
        history.location = old_location;
        history.happen(&Event::ColdStart);
        assert_eq!(verdict(&history, &token(1, &history)).0, Ok(()));
        history.world.finish_background();
        history.location.urls = keys_at(new);
        history.world.answer(new, Answer::Down);
        history.happen(&Event::ColdStart);
        assert_eq!(verdict(&history, &token(1, &history)).0, Err(Reason::KeysUnavailable));
    }
}

#[test]
fn the_discovery_document_is_where_the_operator_says_and_nowhere_else() {
    let url = "https://documents.example/oidc.json?appid=a";
    let urls = || ProviderUrls { discovery: Some(url.to_owned()), ..ProviderUrls::default() };
    let good = || Answer::json(&discovery(ISSUER));
    let with = |name: &str, value: Value| {
        let mut document = discovery(ISSUER);
        document[name] = value;
        Answer::json(&document)
    };
    for (answer, expected) in [
        (good(), None),
        (Answer::Reply(404, String::new()), Some("status 404")),
        (Answer::Down, Some("connection refused")),
        // The configured issuer, byte for byte.
        (with("issuer", format!("{ISSUER}/").into()), Some("of another issuer, \"https://tenant.example/oidc/\"")),
        (with("issuer", "https://documents.example".into()), Some("of another issuer, \"https://documents.example\"")),
        (with("jwks_uri", Value::Null), Some("not a discovery document")),
    ] {
        let mut history = History::with_urls(urls(), false);
        // What is at the places of the specifications does not count.
        assert_eq!(history.world.calls(&discovery_url(ISSUER)), 0);
        history.world.answer(url, answer);
        let outcome = history.server_outcome().map(drop).map_err(|denial| denial.reason());
        assert_eq!(outcome, if expected.is_none() { Ok(()) } else { Err(Reason::KeysUnavailable) });
        assert_eq!(history.world.calls(url), 1);
        assert!(PLACES.iter().all(|place| history.world.calls(&place.url(ISSUER)) == 0));
        let failure = expected.map(|cause| format!("{ISSUER}: no discovery document: DISCOVERY_URL: {cause}"));
        assert_eq!(history.server.keys()[0].provider_failure(), failure);
    }
}

#[test]
fn a_stored_document_is_trusted_no_more_for_the_operators_urls() {
    let evil = |text: &str| text.replace("https://tenant.example/oidc/token", "https://evil.example/token");
    let urls = ProviderUrls { discovery: Some("https://documents.example/oidc.json".to_owned()), ..keys_at(KEYS) };
    let mut history = History::with_urls(urls, false);
    history.world.answer(KEYS, Answer::json(&json!({ "keys": [jwk(1)] })));
    history.world.answer("https://documents.example/oidc.json", Answer::json(&discovery(ISSUER)));
    assert!(token_endpoint(&history).is_some());
    history.world.finish_background();
    let honest = history.world.stored_of(&history.location).expect("a copy");
    let poisoned = evil(&honest).replace(&jwks_url(ISSUER), "https://evil.example/jwks");
    assert_ne!(poisoned, honest);
    history.world.put_into_store_of(&history.location, &poisoned);
    history.world.answer("https://evil.example/jwks", Answer::json(&json!({ "keys": [jwk(7)] })));
    for outage in [false, true] {
        history.happen(&Event::ColdStart);
        if outage {
            history.world.answer("https://documents.example/oidc.json", Answer::Down);
        }
        history.world.advance(REVALIDATE_SECONDS);
        assert_eq!(verdict(&history, &good_token(&history)).0, Ok(()));
        let found = provider(&history).0;
        assert!(found.iter().all(|found| !format!("{found:?}").contains("evil")), "{outage} {found:?}");
        assert_eq!(found.is_ok(), !outage);
        history.world.finish_background();
        history.world.put_into_store_of(&history.location, &poisoned);
    }
    assert_eq!(history.world.calls("https://evil.example/jwks"), 0);
    // A store that denies the document does not hide it.
    let record = Record::parse(&honest, &history.location, history.world.now()).expect("a record");
    let denied = honest.replace(record.provider.document.as_deref().expect("a document"), "null");
    assert_ne!(denied, honest);
    history.world.put_into_store_of(&history.location, &denied);
    history.world.answer("https://documents.example/oidc.json", Answer::json(&discovery(ISSUER)));
    history.happen(&Event::ColdStart);
    assert!(token_endpoint(&history).is_some());
}

#[test]
fn keys_may_be_on_the_origin_of_the_given_document_and_a_store_cannot_lead_there() {
    let url = "https://documents.example/oidc.json";
    let urls = ProviderUrls { discovery: Some(url.to_owned()), ..ProviderUrls::default() };
    let mut history = History::with_urls(urls, false);
    let mut document = discovery(ISSUER);
    document["jwks_uri"] = "https://documents.example/jwks".into();
    history.world.answer(url, Answer::json(&document));
    history.world.answer("https://documents.example/jwks", Answer::json(&json!({ "keys": [jwk(1)] })));
    history.world.answer("https://documents.example/evil", Answer::json(&json!({ "keys": [jwk(7)] })));
    assert!(history.server_outcome().is_ok());
    let stored = history.world.stored_of(&history.location).expect("a copy");
    history
        .world
        .put_into_store_of(&history.location, &stored.replace("documents.example/jwks", "documents.example/evil"));
    history.world.answer(url, Answer::Down);
    history.happen(&Event::ColdStart);
    history.world.advance(REVALIDATE_SECONDS);
    assert!(history.server_outcome().is_ok(), "the stored keys serve");
    assert_eq!(history.world.calls("https://documents.example/evil"), 0);
}

#[test]
fn the_document_of_an_issuer_of_all_tenants_is_found_and_names_the_template() {
    let all = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let organizations = "https://login.microsoftonline.com/organizations/v2.0";
    for (issuer, expected) in [(all, true), (organizations, false), ("https://login.microsoftonline.com/t/v2.0", false)]
    {
        let mut policy = policy();
        let ProviderLocation { issuer: template, urls } = ProviderLocation::of_issuer(all);
        (policy.issuers[0].issuer, policy.issuers[0].urls) = (template, urls);
        let (world, server) = (World::with_pretend_signatures(), ResourceServer::new(policy));
        let document = json!({"issuer": issuer, "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys"});
        world.answer(&discovery_url(organizations), Answer::json(&document));
        world.answer(document["jwks_uri"].as_str().expect("a URL"), Answer::json(&json!({ "keys": [jwk(1)] })));
        let ready = world.run(server.keys()[0].ready(world.now(), &world));
        assert_eq!(ready.is_ok(), expected, "{issuer}");
        assert!(world.received().iter().all(|call| !call.url.contains('{')));
    }
}

#[test]
fn a_given_introspection_endpoint_does_not_make_a_stored_document_foreign() {
    let urls = ProviderUrls { introspection: Some("https://check.example/".to_owned()), ..ProviderUrls::default() };
    let mut history = History::with_urls(urls, false);
    assert!(history.server_outcome().is_ok());
    assert_eq!(history.location.store_key(), format!("provider:{ISSUER}"), "what is fetched is the same");
    history.happen(&Event::Provider(Health::Down));
    history.happen(&Event::ColdStart);
    let (found, waited) = provider(&history);
    assert_eq!(found.map(|it| it.introspection_endpoint), Ok(Some("https://check.example/".to_owned())));
    assert_eq!(waited, 0);
    assert_eq!(history.world.calls(&introspection_url(ISSUER)), 0);
}

#[test]
fn a_stored_document_from_a_clock_ahead_does_not_hide_what_is_found() {
    let mut history = history(&Answer::json(&discovery(ISSUER)));
    assert_eq!(verdict(&history, &good_token(&history)).0, Ok(()));
    history.world.finish_background();
    let honest = history.world.stored_of(&history.location).expect("a copy");
    let foreign = honest.replace(&introspection_url(ISSUER), "https://elsewhere.example/introspection");
    assert_ne!(foreign, honest);
    let now = history.world.now();
    let ahead = foreign.replace(&now.to_string(), &(now + 50).to_string());
    history.world.put_into_store_of(&history.location, &ahead);
    history.happen(&Event::ColdStart);
    assert_eq!(verdict(&history, &good_token(&history)).0, Ok(()));
    assert_eq!(provider(&history).0.expect("a provider").introspection_endpoint, Some(introspection_url(ISSUER)));
}
