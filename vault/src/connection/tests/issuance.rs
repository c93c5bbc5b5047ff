//! One issuance for all that want the same.

use std::{cell::Cell, time::Duration};

use futures_util::future::join_all;
use mcp_edge_runtime::ports::Runtime as _;

use super::*;
use crate::{
    connection::{
        issuance::{Issuances, Purpose},
        source::{IssuedToken, NoToken},
    },
    testing::world::World,
};

fn purpose(subject: &str) -> Purpose {
    Purpose::new("billing", subject, &scopes(&["read"]))
}

fn token(text: &str, until: u64) -> IssuedToken {
    IssuedToken { token: Secret::new(text), scopes: "read".to_owned(), until }
}

#[test]
fn a_hundred_requests_share_one_issuance() {
    let (world, issuances, count) = (World::new(), Issuances::default(), Cell::new(0));
    let request = || {
        let (world, issuances, count) = (&world, &issuances, &count);
        async move {
            let now = world.clock.now();
            let issue = async || {
                world.sleep(Duration::from_secs(1)).await;
                count.set(count.get() + 1);
                Ok(token(&count.get().to_string(), now + 600))
            };
            issuances.token(purpose("a"), now, world, issue).await.map(|issued| issued.token.expose().to_owned())
        }
    };
    let outcomes = world.clock.run(join_all((0..100).map(|_| request())));
    assert!(outcomes.iter().all(|outcome| outcome.as_deref() == Ok("1")), "{outcomes:?}");
    assert_eq!(world.clock.run(request()), Ok("1".to_owned()));
    // Also one that is good for longer is used for five minutes only.
    world.clock.pass(301);
    assert_eq!(world.clock.run(request()), Ok("2".to_owned()));
}

#[test]
fn others_have_their_own_and_a_refused_one_is_forgotten() {
    let (world, issuances) = (World::new(), Issuances::default());
    let get = |subject: &str, text: &'static str| {
        let now = world.clock.now();
        let issue = async || Ok(token(text, now + 600));
        world.clock.run(issuances.token(purpose(subject), now, &world, issue)).unwrap().token.expose().to_owned()
    };
    assert_eq!((get("a", "1"), get("b", "2"), get("a", "3")), ("1".into(), "2".into(), "1".into()));
    issuances.forget(purpose("a"), "another");
    assert_eq!(get("a", "3"), "1");
    issuances.forget(purpose("a"), "1");
    assert_eq!(get("a", "3"), "3");
}

#[test]
fn a_failure_is_nobody_elses_and_is_not_kept() {
    let (world, issuances, count) = (World::new(), Issuances::default(), Cell::new(0));
    let request = || {
        let (world, issuances, count) = (&world, &issuances, &count);
        async move {
            let now = world.clock.now();
            let issue = async || {
                world.sleep(Duration::from_millis(100)).await;
                count.set(count.get() + 1);
                if count.get() == 1 { Err(NoToken::Unavailable("down".to_owned())) } else { Ok(token("t", now + 60)) }
            };
            issuances.token(purpose("a"), now, world, issue).await.is_ok()
        }
    };
    let mut outcomes = world.clock.run(join_all((0..5).map(|_| request())));
    outcomes.sort_unstable();
    assert_eq!((outcomes, count.get()), (vec![false, true, true, true, true], 2));
}

#[test]
fn a_token_that_ends_in_a_moment_is_not_used_again() {
    let (world, issuances) = (World::new(), Issuances::default());
    let get = |text: &'static str| {
        let now = world.clock.now();
        let issue = async || Ok(token(text, now + 15));
        world.clock.run(issuances.token(purpose("a"), now, &world, issue)).unwrap().token.expose().to_owned()
    };
    assert_eq!((get("1"), get("2")), ("1".into(), "1".into()));
    world.clock.pass(5);
    assert_eq!(get("2"), "2");
}

#[test]
fn purposes_do_not_run_into_each_other() {
    let of = |connection: &str, subject: &str, names: &[&str]| Purpose::new(connection, subject, &scopes(names));
    assert_ne!(of("a", "b", &["c"]), of("a", "bc", &[]));
    assert_ne!(of("a", "b", &["c d"]), of("a", "b", &["c", "d"]));
    assert_ne!(of("ab", "c", &[]), of("a", "bc", &[]));
    assert_eq!(of("a", "b", &["c"]), of("a", "b", &["c"]));
}
