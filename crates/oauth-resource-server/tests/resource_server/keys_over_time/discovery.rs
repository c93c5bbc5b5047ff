//! The places of the discovery document: which of them counts, and what is said when none does.

use super::*;
use crate::support::world::discovery;

const PLACES: [DocumentPlace; 4] = DocumentPlace::ALL;

/// Responses that are not the document of this issuer.
fn wrong_answers() -> [Answer; 13] {
    let without = |name: &str| {
        let mut document = discovery(ISSUER);
        document.as_object_mut().expect("an object").remove(name);
        Answer::json(&document)
    };
    let with = |name: &str, value: Value| {
        let mut document = discovery(ISSUER);
        document[name] = value;
        Answer::json(&document)
    };
    [
        Answer::Reply(404, String::new()),
        Answer::Reply(401, String::new()),
        Answer::Reply(429, String::new()),
        Answer::Reply(500, String::new()),
        Answer::Reply(302, String::new()),
        Answer::Reply(204, String::new()),
        Answer::Reply(200, "<!doctype html>".to_owned()),
        Answer::Reply(200, "x".repeat(65 * 1024)),
        without("jwks_uri"),
        with("jwks_uri", json!(["https://tenant.example/oidc/jwks"])),
        with("issuer", json!("https://evil.example")),
        Answer::Down,
        Answer::After(6000, Box::new(Answer::Down)),
    ]
}

/// A world whose places have these answers, and the outcome of a good token in it.
fn outcome_at(places: [Answer; 4]) -> (History, Result<(), Denial>) {
    let mut history = History::new(false);
    for (place, answer) in PLACES.into_iter().zip(places) {
        history.world.answer(&place.url(ISSUER), answer);
    }
    let outcome = history.server_outcome().map(drop);
    (history, outcome)
}

fn asked(history: &History) -> [usize; 4] {
    PLACES.map(|place| history.world.calls(&place.url(ISSUER)))
}

#[test]
fn what_is_at_one_place_does_not_end_the_search() {
    for wrong in wrong_answers() {
        for at in 0..4 {
            let mut places: [Answer; 4] = std::array::from_fn(|_| Answer::Reply(404, String::new()));
            places[..at].fill(wrong.clone());
            // Two that do not respond take all the time that there is.
            if matches!(wrong, Answer::After(..)) && at > 1 {
                continue;
            }
            places[at] = Answer::json(&discovery(ISSUER));
            let (history, outcome) = outcome_at(places);
            assert_eq!(outcome, Ok(()), "{wrong:?} before place {at}");
            assert_eq!(asked(&history), std::array::from_fn(|place| usize::from(place <= at)), "{wrong:?}");
        }
    }
}

#[test]
fn of_two_valid_documents_the_first_counts_however_late_it_comes() {
    let elsewhere = |host: &str| {
        let mut document = discovery(ISSUER);
        document["jwks_uri"] = format!("https://{host}/jwks").into();
        Answer::json(&document)
    };
    let first = Answer::After(4900, Box::new(Answer::json(&discovery(ISSUER))));
    let (history, outcome) =
        outcome_at([first, elsewhere("a.example"), elsewhere("b.example"), elsewhere("c.example")]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(asked(&history), [1, 0, 0, 0]);
}

#[test]
fn when_all_fail_it_is_an_outage_and_each_place_is_named_with_its_cause() {
    let status = |status: u16| Answer::Reply(status, String::new());
    let foreign = Answer::json(&discovery("https://other.example/oidc"));
    for (places, expected) in [
        ([status(404), status(404), status(404), status(404)], "all places: status 404"),
        (
            [status(500), status(404), status(404), status(302)],
            "OpenID appended: status 500; OAuth inserted: status 404; OAuth appended: status 404; OpenID inserted: \
             answered with a redirect (status 302)",
        ),
        (
            [foreign, Answer::Down, Answer::Reply(200, "<html>".to_owned()), status(404)],
            r#"OpenID appended: of another issuer, "https://other.example/oidc"; OAuth inserted: connection refused; OAuth appended: not a discovery document; OpenID inserted: status 404"#,
        ),
    ] {
        let (history, outcome) = outcome_at(places);
        let denial = outcome.expect_err("no document");
        assert_eq!(denial.reason(), Reason::KeysUnavailable);
        let failure = history.server.keys()[0].provider_failure().expect("a failure");
        assert_eq!(failure, format!("{ISSUER}: no discovery document: {expected}"));
        assert_eq!(asked(&history), [1, 1, 1, 1]);
    }
}

#[test]
fn a_search_has_an_end_and_old_keys_serve_meanwhile() {
    let silent = || Answer::After(60_000, Box::new(Answer::Down));
    let (mut history, outcome) = outcome_at([silent(), silent(), silent(), silent()]);
    assert!(outcome.is_err());
    assert!((8000..=8100).contains(&history.world.milliseconds()), "{}", history.world.milliseconds());
    assert_eq!(asked(&history), [1, 1, 0, 0]);
    let failure = history.server.keys()[0].provider_failure().expect("a failure");
    assert!(
        failure.ends_with("appended: no complete answer within 5s; OAuth inserted: no complete answer within 8s"),
        "{failure}"
    );

    history.world.publish(ISSUER, &[jwk(1)]);
    history.world.advance(COLD_RETRY_SECONDS);
    assert!(history.server_outcome().is_ok());
    for place in PLACES {
        history.world.answer(&place.url(ISSUER), Answer::Reply(404, String::new()));
    }
    history.world.advance(FRESH_SECONDS);
    assert!(history.server_outcome().is_ok(), "the old document leads to the keys");
}

/// A history that holds the document of the first place, whose copy is old and whose first place is out of order since.
/// The second has another valid document of this issuer, of a host whose keys are somebody else's.
fn held_document_after(outage: &Answer) -> History {
    let mut history = History::new(false);
    assert!(history.server_outcome().is_ok());
    history.world.advance(FRESH_SECONDS);
    let mut foreign = discovery(ISSUER);
    foreign["jwks_uri"] = "https://foreign.example/jwks".into();
    history.world.answer(&PLACES[1].url(ISSUER), Answer::json(&foreign));
    history
        .world
        .answer("https://foreign.example/jwks", Answer::json(&json!({ "keys": [pretended_jwk("foreign", 77)] })));
    history.world.answer(&PLACES[0].url(ISSUER), outage.clone());
    history
}

/// What may pass: errors of the server, too many requests, a redirect to a page of maintenance, no connection, no answer.
fn outages() -> [Answer; 6] {
    let status = |status: u16| Answer::Reply(status, String::new());
    let silent = Answer::After(6000, Box::new(Answer::Down));
    [status(500), status(503), status(429), status(302), Answer::Down, silent]
}

#[test]
fn an_outage_of_one_place_does_not_replace_the_document_by_that_of_a_later_one() {
    for outage in outages() {
        let mut history = held_document_after(&outage);
        let foreign = |world: &World| mint_pretended(&pretended_jwk("foreign", 77), &claims(world.now()));
        for _ in 0..2 {
            let token = foreign(&history.world);
            assert!(history.send(&token).is_err(), "{outage:?}: a token under a foreign key");
            let honest = history.server_outcome();
            assert!(honest.is_ok(), "{outage:?}: {honest:?}");
            history.world.finish_background();
            history.world.advance(FRESH_SECONDS);
        }
        assert_eq!(history.world.calls("https://foreign.example/jwks"), 0, "{outage:?}");
        assert!(history.world.stored(ISSUER).is_none_or(|it| !it.contains("foreign")), "{outage:?}");
        // What the issuer says counts again as soon as it says something: here that nothing is at its first place.
        history.world.answer(&PLACES[0].url(ISSUER), Answer::Reply(404, String::new()));
        let token = foreign(&history.world);
        assert!(history.send(&token).is_ok(), "{outage:?}");
    }
}

#[test]
fn a_later_place_confirms_the_document_during_an_outage_of_an_earlier_one() {
    for outage in outages() {
        let mut history = held_document_after(&outage);
        history.world.answer(&PLACES[1].url(ISSUER), Answer::json(&discovery(ISSUER)));
        history.world.advance(CEILING_SECONDS / 2);
        assert!(history.server_outcome().is_ok());
        history.world.finish_background();
        let record = Record::parse(
            &history.world.stored(ISSUER).expect("a copy"),
            &ProviderLocation::of_issuer(ISSUER),
            history.world.now(),
        );
        let age = record.expect("a record").provider_age(history.world.now());
        assert!(age < FRESH_SECONDS, "{outage:?}: {age}");
    }
}

#[test]
fn many_requests_make_one_search() {
    let mut history = History::new(false);
    for place in &PLACES[..3] {
        history.world.answer(&place.url(ISSUER), Answer::After(100, Box::new(Answer::Reply(500, String::new()))));
    }
    history.world.answer(&PLACES[3].url(ISSUER), Answer::json(&discovery(ISSUER)));
    let token = mint_pretended(&jwk(1), &claims(history.world.now()));
    let requests = (0..20).map(|_| tokens::authenticate(&history.world, &history.server, &token).boxed_local());
    assert!(history.world.race(requests).run().into_iter().all(|it| it.is_some_and(|it| it.outcome.is_ok())));
    assert_eq!(asked(&history), [1, 1, 1, 1]);
    assert!(history.server_outcome().is_ok());
}

#[test]
fn a_provider_on_the_same_zone_is_named_as_the_likely_cause() {
    for body in ["error code: 1042".to_owned(), "error code: 1042\n".to_owned()] {
        let refused = || Answer::Reply(404, body.clone());
        let (history, outcome) = outcome_at([refused(), refused(), refused(), refused()]);
        let (failure, detail) = (history.server.keys()[0].provider_failure(), outcome.unwrap_err().detail());
        for text in [failure, detail] {
            let text = text.expect("a cause");
            assert!(text.contains("1042") && text.contains("global_fetch_strictly_public"), "{text}");
            assert!(text.len() < 200, "the line is cut");
        }

        let mut history = History::new(false);
        history.world.answer(&jwks_url(ISSUER), refused());
        let detail = history.server_outcome().unwrap_err().detail().unwrap_or_default();
        assert!(detail.contains("1042") && detail.contains("global_fetch_strictly_public"), "{detail}");
        assert!(detail.contains(&jwks_url(ISSUER)), "{detail}");
    }
    for body in ["1042 items", "error code: 1016"] {
        let (history, _) = outcome_at(std::array::from_fn(|_| Answer::Reply(404, body.to_owned())));
        let failure = history.server.keys()[0].provider_failure().expect("a failure");
        assert!(failure.ends_with("status 404"), "{failure}");
    }
}

#[test]
fn the_operator_hears_of_a_private_key_once() {
    let mut history = History::new(false);
    let leaked = json!({"kty": "EC", "crv": "P-256", "kid": "leaked", "x": "x", "y": "y", "d": "s3cret"});
    history.world.answer(&jwks_url(ISSUER), Answer::json(&json!({ "keys": [jwk(1), leaked] })));
    let all = |history: &History| history.world.warnings().concat();
    for _ in 0..5 {
        assert!(history.server_outcome().is_ok());
        history.world.advance(FRESH_SECONDS + 1);
        history.world.finish_background();
    }
    assert_eq!(history.world.warnings().len(), 1);
    assert!(all(&history).contains("private key") && all(&history).contains("leaked"), "{}", all(&history));
    assert!(all(&history).contains(ISSUER) && !all(&history).contains("s3cret"), "{}", all(&history));

    let key = pretended_jwk("leaked", 9);
    let denial = history.send(&mint_pretended(&key, &claims(history.world.now()))).unwrap_err();
    assert_eq!(denial.reason(), Reason::UnknownKey);
    assert!(denial.detail().unwrap_or_default().contains("published this private key"), "{denial}");
}

#[test]
fn the_operator_hears_of_private_keys_also_if_there_are_no_others() {
    let mut history = History::new(false);
    let leaked = json!({"kty": "EC", "crv": "P-256", "kid": "leaked", "x": "x", "y": "y", "d": "s3cret"});
    history.world.answer(&jwks_url(ISSUER), Answer::json(&json!({ "keys": [leaked] })));
    for _ in 0..3 {
        let denial = history.server_outcome().unwrap_err();
        assert_eq!(denial.reason(), Reason::KeysUnavailable);
        history.world.advance(FRESH_SECONDS + 1);
        history.world.finish_background();
    }
    let warnings = history.world.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("warning") && warnings[0].contains("kid leaked"), "{warnings:?}");
    assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
}
