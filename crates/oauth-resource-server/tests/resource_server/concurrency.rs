//! Requests of one isolate run interleaved and share what they learn, never a promise.

use std::cell::RefCell;

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_oauth::{
    denial::Reason,
    keys::policy::{COLD_RETRY_SECONDS, COOL_DOWN_SECONDS, FRESH_SECONDS, LEASE_SECONDS},
    resource_server::ResourceServer,
};
use mcp_edge_runtime::ports::Runtime;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{
    tokens::{ISSUER, authenticate, claims, mint_pretended, policy, pretended_jwk, send},
    world::{Answer, Race, World, discovery, discovery_url, jwks_url},
};

/// Two networks away.
const LATENCY_MILLISECONDS: u64 = 130;

struct Isolate {
    world: World,
    server: ResourceServer,
    key: Value,
}

type Outcome = Result<(), Reason>;

impl Isolate {
    fn new() -> Self {
        let world = World::with_pretend_signatures();
        let key = pretended_jwk("k", 1);
        world.publish(ISSUER, std::slice::from_ref(&key));
        Self { world, server: ResourceServer::new(policy()), key }
    }

    /// Provider and store take their time.
    fn slow() -> Self {
        let isolate = Self::new();
        isolate.world.set_store_latency(7);
        for url in [discovery_url(ISSUER), jwks_url(ISSUER)] {
            isolate.delay(&url, LATENCY_MILLISECONDS);
        }
        isolate
    }

    fn delay(&self, url: &str, milliseconds: u64) {
        let answer = if url == discovery_url(ISSUER) {
            Answer::json(&discovery(ISSUER))
        } else {
            Answer::json(&serde_json::json!({ "keys": [self.key] }))
        };
        self.world.answer(url, Answer::After(milliseconds, Box::new(answer)));
    }

    /// One request with a token of its own.
    fn request(&self, number: u64) -> LocalBoxFuture<'_, Outcome> {
        let mut claims = claims(self.world.now());
        claims["jti"] = number.into();
        self.request_with(mint_pretended(&self.key, &claims))
    }

    fn request_with(&self, token: String) -> LocalBoxFuture<'_, Outcome> {
        async move {
            let outcome = authenticate(&self.world, &self.server, &token).await.outcome;
            outcome.map(drop).map_err(|denial| denial.reason())
        }
        .boxed_local()
    }

    fn race(&self, requests: u64) -> Race<'_, Outcome> {
        self.world.race((0..requests).map(|number| self.request(number)))
    }

    fn calls(&self) -> (usize, usize) {
        (self.world.calls(&discovery_url(ISSUER)), self.world.calls(&jwks_url(ISSUER)))
    }
}

fn all(outcomes: &[Option<Outcome>], expected: Outcome) -> bool {
    outcomes.iter().all(|outcome| *outcome == Some(expected))
}

#[test]
fn fifty_requests_on_a_cold_isolate_make_one_fetch_of_each_document_and_all_succeed() {
    let isolate = Isolate::slow();
    let outcomes = isolate.race(50).run();
    assert_eq!(outcomes.len(), 50);
    assert!(all(&outcomes, Ok(())), "{outcomes:?}");
    assert_eq!(isolate.calls(), (1, 1));
    assert_eq!(isolate.world.store_reads(), 1);
    // Nobody waited for much longer than the two fetches take.
    assert!(isolate.world.milliseconds() < 2 * LATENCY_MILLISECONDS + 100, "{}", isolate.world.milliseconds());
}

#[test]
fn fifty_requests_with_an_empty_memory_and_a_full_store_ask_nobody_else() {
    let isolate = Isolate::slow();
    assert!(send(&isolate.world, &isolate.server, &mint_pretended(&isolate.key, &claims(isolate.world.now()))).is_ok());
    let before = isolate.calls();
    let next =
        Isolate { server: ResourceServer::new(policy()), world: isolate.world.clone(), key: isolate.key.clone() };
    assert!(all(&next.race(50).run(), Ok(())));
    assert_eq!(next.calls(), before);
}

#[test]
fn fifty_requests_under_a_new_key_make_one_fetch() {
    let mut isolate = Isolate::slow();
    assert!(isolate.world.run(isolate.request(0)).is_ok());
    isolate.world.advance(COOL_DOWN_SECONDS);
    isolate.key = pretended_jwk("next", 2);
    isolate.delay(&jwks_url(ISSUER), LATENCY_MILLISECONDS);
    assert!(all(&isolate.race(50).run(), Ok(())));
    assert_eq!(isolate.calls(), (1, 2));
}

#[test]
fn fifty_requests_during_an_outage_make_one_attempt_and_all_hear_of_it() {
    let isolate = Isolate::slow();
    isolate.world.answer(&discovery_url(ISSUER), Answer::After(LATENCY_MILLISECONDS, Box::new(Answer::Down)));
    assert!(all(&isolate.race(50).run(), Err(Reason::KeysUnavailable)));
    assert_eq!(isolate.calls(), (1, 0));
}

#[test]
fn a_request_that_never_finishes_holds_nobody_up_for_long_and_is_replaced() {
    let isolate = Isolate::slow();
    isolate.world.answer(&jwks_url(ISSUER), Answer::Hang);
    let answered_at = RefCell::new(Vec::new());
    let timed = async |number| {
        let outcome = isolate.request(number).await;
        answered_at.borrow_mut().push(isolate.world.milliseconds());
        outcome
    };
    let mut race = isolate.world.race((0..10).map(|number| timed(number).boxed_local()));
    let outcomes = race.run();
    assert_eq!(outcomes[0], None, "it hangs");
    assert!(all(&outcomes[1..], Err(Reason::KeysUnavailable)), "{outcomes:?}");
    let last = answered_at.borrow().iter().copied().max();
    assert!(last.is_some_and(|last| last < COLD_RETRY_SECONDS * 1000 + 1200), "{last:?}");

    // The next one asks in its place, while it still hangs.
    isolate.world.advance(COLD_RETRY_SECONDS);
    isolate.delay(&jwks_url(ISSUER), LATENCY_MILLISECONDS);
    race.join(isolate.request(10));
    assert_eq!(race.run().pop(), Some(Some(Ok(()))));

    // And when it wakes up after all, it is served.
    isolate.world.release();
    assert_eq!(race.run()[0], Some(Ok(())));
}

#[test]
fn a_client_that_goes_away_does_not_take_the_lease_with_it() {
    let isolate = Isolate::slow();
    isolate.world.answer(&jwks_url(ISSUER), Answer::Hang);
    let mut race = isolate.race(1);
    assert_eq!(race.run(), [None]);
    race.cancel(0);
    isolate.delay(&jwks_url(ISSUER), LATENCY_MILLISECONDS);
    isolate.world.advance(LEASE_SECONDS);
    race.join(isolate.request(1));
    assert_eq!(race.run()[1], Some(Ok(())));
}

#[test]
fn a_store_that_never_answers_is_done_without() {
    let isolate = Isolate::new();
    isolate.world.set_store_latency(3_600_000);
    assert!(all(&isolate.race(5).run(), Ok(())));
    assert!(isolate.world.milliseconds() < 3000, "{}", isolate.world.milliseconds());
}

#[test]
fn a_renewal_in_the_background_holds_nobody_up() {
    let isolate = Isolate::slow();
    assert!(isolate.world.run(isolate.request(0)).is_ok());
    isolate.world.advance(FRESH_SECONDS);
    isolate.delay(&jwks_url(ISSUER), 4000);
    assert!(isolate.world.run(isolate.request(1)).is_ok());
    let (began, finished) = (isolate.world.milliseconds(), RefCell::new(Vec::new()));
    let timed = async |number| {
        let outcome = isolate.request(number).await;
        finished.borrow_mut().push(isolate.world.milliseconds());
        outcome
    };
    let requests = (2..20).map(|number| timed(number).boxed_local());
    let outcomes = isolate.world.race(requests).run();
    isolate.world.finish_background();
    assert!(all(&outcomes, Ok(())));
    assert!(finished.borrow().iter().all(|at| *at == began), "{began}: {:?}", finished.borrow());
    assert_eq!(isolate.calls(), (2, 2), "one renewal");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// For all latencies and moments of arrival: as long as the provider answers within the lease, a cold
    /// isolate asks once and serves everybody.
    #[test]
    fn arrival_and_latency_do_not_matter(
        arrivals in prop::collection::vec(0_u64..900, 1..40),
        store in 0_u64..200,
        discovery in 0_u64..800,
        jwks in 0_u64..800,
    ) {
        let isolate = Isolate::new();
        isolate.world.set_store_latency(store);
        isolate.delay(&discovery_url(ISSUER), discovery);
        isolate.delay(&jwks_url(ISSUER), jwks);
        let requests = arrivals.iter().enumerate().map(|(number, arrival)| {
            let isolate = &isolate;
            let arrival = std::time::Duration::from_millis(*arrival);
            async move {
                isolate.world.sleep(arrival).await;
                isolate.request(number as u64).await
            }
            .boxed_local()
        });
        let outcomes = isolate.world.race(requests).run();
        prop_assert!(all(&outcomes, Ok(())), "{:?}", outcomes);
        prop_assert_eq!(isolate.calls(), (1, 1));
    }
}
