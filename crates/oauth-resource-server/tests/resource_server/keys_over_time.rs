//! The keys as a state machine: random histories of provider, store, clock and senders, held against what the key
//! policy promises. SignatureVerifier are pretended, so a thousand histories take seconds.

use std::{collections::HashMap, rc::Rc};

use futures_util::FutureExt;
use mcp_edge_identity::Identity;
use mcp_edge_oauth::{
    denial::{Denial, Reason},
    keys::{
        policy::{
            BURST, BURST_WINDOW_SECONDS, CEILING_SECONDS, CLOCK_SKEW_SECONDS, COLD_RETRY_SECONDS, COOL_DOWN_SECONDS,
            FRESH_SECONDS, REVALIDATE_SECONDS,
        },
        record::Record,
    },
    resource_server::ResourceServer,
    token::validity::{EXPIRY_LEEWAY_SECONDS, LEEWAY_SECONDS},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    tokens::{self, ISSUER, mint_pretended, policy, pretended_jwk, send},
    world::{Answer, World, discovery_url, jwks_url},
};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// Time goes by.
    Wait(u64),
    /// A new token signed by the current key.
    Fresh,
    /// One of the tokens that were sent before, by its place from the end.
    Again(usize),
    /// A token under an invented `kid`, issued so many seconds before (or, negative, after) now.
    Invented { kid: u8, age: i64 },
    /// A token of the current `kid` with a signature of nobody's.
    Forged,
    /// The next key signs from now on; the one before the current is withdrawn.
    Rotate,
    /// The next key is published, and signs at the next rotation.
    Announce,
    /// What the provider answers from now on.
    Provider(Health),
    /// Whether the store works.
    StoreDown(bool),
    /// The store forgets.
    StoreWiped,
    /// Another isolate takes over: its memory is empty, the store is the same.
    ColdStart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Up,
    /// No connection at all.
    Down,
    /// The discovery document cannot be had, the keys can.
    WithoutDiscovery,
    /// Answers, and nothing that is of use.
    Garbage,
    EmptySet,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let wait = prop_oneof![
        4 => 0_u64..5,
        4 => 5_u64..40,
        2 => 40_u64..700,
        1 => Just(FRESH_SECONDS),
        1 => CEILING_SECONDS / 2..CEILING_SECONDS + 100,
    ];
    let health = prop_oneof![
        4 => Just(Health::Up),
        3 => Just(Health::Down),
        1 => Just(Health::WithoutDiscovery),
        1 => Just(Health::Garbage),
        1 => Just(Health::EmptySet),
    ];
    let age = prop_oneof![Just(0_i64), -60_i64..60, 60_i64..3000];
    let event = prop_oneof![
        8 => wait.prop_map(Event::Wait),
        8 => Just(Event::Fresh),
        4 => (0_usize..12).prop_map(Event::Again),
        6 => (any::<u8>(), age).prop_map(|(kid, age)| Event::Invented { kid, age }),
        2 => Just(Event::Forged),
        2 => Just(Event::Rotate),
        1 => Just(Event::Announce),
        3 => health.prop_map(Event::Provider),
        1 => any::<bool>().prop_map(Event::StoreDown),
        1 => Just(Event::StoreWiped),
        1 => Just(Event::ColdStart),
    ];
    prop::collection::vec(event, 1..80)
}

/// A token that was sent before.
#[derive(Clone)]
struct Sent {
    key: u64,
    claims: Value,
    token: String,
}

/// A history in the making: the world, one isolate, and what a know-it-all knows.
struct History {
    world: World,
    server: ResourceServer,
    health: Health,
    /// When the provider began to answer like this.
    health_since: u64,
    /// The key that signs; keys have numbers.
    current: u64,
    announced: bool,
    sent: Vec<Sent>,
    /// When the provider last handed out a set with this key, to whichever isolate.
    handed_out: HashMap<u64, u64>,
    /// The keys that this isolate was handed last, by the provider itself.
    last_seen: Option<Vec<u64>>,
    /// When this isolate asked the provider, and whether it had no usable copy then.
    asked: Vec<(u64, bool)>,
    seen_calls: usize,
    /// Makes the tokens of this history unlike those of its twin, so that nothing is ever remembered.
    always_new: bool,
    serial: u64,
}

impl History {
    fn new(always_new: bool) -> Self {
        let mut history = Self {
            world: World::with_pretend_signatures(),
            server: ResourceServer::new(policy()),
            health: Health::Up,
            health_since: 0,
            current: 1,
            announced: false,
            sent: Vec::new(),
            handed_out: HashMap::new(),
            last_seen: None,
            asked: Vec::new(),
            seen_calls: 0,
            always_new,
            serial: 0,
        };
        history.publish();
        history
    }

    /// What is published, or would be if the provider were up.
    fn published(&self) -> Vec<u64> {
        (self.current.saturating_sub(1).max(1)..=self.current + u64::from(self.announced)).collect()
    }

    fn publish(&mut self) {
        let keys: Vec<_> = self.published().into_iter().map(jwk).collect();
        self.world.publish(ISSUER, &keys);
        match self.health {
            Health::Up => {}
            Health::Down => self.world.take_down(ISSUER),
            Health::WithoutDiscovery => self.world.answer(&discovery_url(ISSUER), Answer::Reply(500, String::new())),
            Health::Garbage => {
                self.world.answer(&discovery_url(ISSUER), Answer::Reply(200, "<html>".to_owned()));
                self.world.answer(&jwks_url(ISSUER), Answer::Reply(200, "<html>".to_owned()));
            }
            Health::EmptySet => self.world.answer(&jwks_url(ISSUER), Answer::json(&json!({ "keys": [] }))),
        }
    }

    /// Lets something happen and returns the answer, if it was a request.
    fn happen(&mut self, event: &Event) -> Option<Result<Rc<Identity>, Denial>> {
        let now = self.world.now();
        match *event {
            Event::Wait(seconds) => self.world.advance(seconds),
            Event::Fresh => {
                self.serial += 1;
                let mut claims = claims(now);
                claims["jti"] = self.serial.into();
                // Every third lives short.
                if self.sent.len() % 3 == 2 {
                    claims["exp"] = json!(now + 100);
                }
                let token = mint_pretended(&jwk(self.current), &claims);
                self.sent.push(Sent { key: self.current, claims: claims.clone(), token: token.clone() });
                return Some(self.send_honest(self.current, &claims, &token));
            }
            Event::Again(back) => {
                let sent = self.sent.iter().rev().nth(back)?.clone();
                let token = if self.always_new { self.copy_of(&sent) } else { sent.token };
                return Some(self.send_honest(sent.key, &sent.claims, &token));
            }
            Event::Invented { kid, age } => {
                let issued_at = now.saturating_add_signed(-age).min(now + LEEWAY_SECONDS);
                let key = pretended_jwk(&format!("invented-{kid}"), u64::MAX - u64::from(kid));
                let outcome = self.send(&mint_pretended(&key, &claims(issued_at)));
                let reason = outcome.as_ref().expect_err("nobody published this key").reason();
                assert!(matches!(reason, Reason::UnknownKey | Reason::KeysUnavailable), "{reason:?}");
                return Some(outcome);
            }
            Event::Forged => {
                let mut forged = mint_pretended(&jwk(self.current), &claims(now));
                let good = forged.pop();
                forged.pop();
                forged.push_str(if good == Some('w') { "Ag" } else { "Aw" });
                let outcome = self.send(&forged);
                assert!(outcome.is_err(), "a forged token");
                return Some(outcome);
            }
            Event::Rotate => {
                self.current += 1;
                self.announced = false;
            }
            Event::Announce => self.announced = true,
            Event::Provider(health) if health == self.health => {}
            Event::Provider(health) => (self.health, self.health_since) = (health, now),
            Event::StoreDown(down) => self.world.set_store_down(down),
            Event::StoreWiped => self.world.wipe_store(),
            Event::ColdStart => {
                self.server = ResourceServer::new(policy());
                self.asked.clear();
                self.last_seen = None;
            }
        }
        self.publish();
        None
    }

    /// The same token as far as any decision goes, in other bytes.
    fn copy_of(&mut self, sent: &Sent) -> String {
        self.serial += 1;
        let mut claims = sent.claims.clone();
        claims["copy"] = self.serial.into();
        mint_pretended(&jwk(sent.key), &claims)
    }

    /// Sends a token that an honest provider issued at some time, and checks the promises made to its owner.
    fn send_honest(&mut self, key: u64, claims: &Value, token: &str) -> Result<Rc<Identity>, Denial> {
        let dies_at = claims["exp"].as_u64().expect("a date") + EXPIRY_LEEWAY_SECONDS;
        let (now, last_seen) = (self.world.now(), self.last_seen.clone());
        let outcome = self.send(token);
        match &outcome {
            Ok(_) => {
                assert!(now < dies_at, "expired");
                let fetched = self.handed_out.get(&key).copied().expect("a key that was never handed out");
                assert!(
                    now.saturating_sub(fetched) < CEILING_SECONDS,
                    "a key from a copy of {} seconds",
                    now - fetched
                );
                let age = self.server.keys()[0].age(now).expect("a copy");
                let is_up = self.health == Health::Up && now >= self.health_since + COOL_DOWN_SECONDS;
                assert!(!is_up || age < REVALIDATE_SECONDS, "the provider is up, and the copy is of {age} seconds");
                // What was seen before: a copy may be renewed behind this very request's back.
                let is_withdrawn = last_seen.is_some_and(|keys| !keys.contains(&key));
                assert!(!is_withdrawn || self.last_seen.as_ref().is_some_and(|keys| keys.contains(&key)), "withdrawn");
            }
            Err(denial) if now >= dies_at => assert_eq!(denial.reason(), Reason::Expired),
            Err(denial) if self.published().contains(&key) => {
                assert_eq!(denial.reason(), Reason::KeysUnavailable, "key {key} is published");
                let wait = denial.retry_after().expect("a time to wait");
                self.come_back(key, token, wait, dies_at);
            }
            Err(denial) => {
                assert!(matches!(denial.reason(), Reason::UnknownKey | Reason::KeysUnavailable), "{denial:?}")
            }
        }
        outcome
    }

    /// If the provider answers, whoever does as told is let in.
    fn come_back(&mut self, key: u64, token: &str, wait: u64, dies_at: u64) {
        assert!((1..=COOL_DOWN_SECONDS).contains(&wait), "{wait}");
        if self.health == Health::Up && self.world.now() + wait < dies_at {
            self.world.advance(wait);
            let outcome = self.send(token);
            assert!(outcome.is_ok(), "key {key}, after {wait} seconds: {outcome:?}");
        }
    }

    /// Whether a cold isolate would find a usable copy in the store.
    fn store_helps(&self, now: u64) -> bool {
        let stored = self.world.stored(ISSUER).and_then(|text| Record::parse(&text, ISSUER, now));
        !self.world.is_store_down() && stored.is_some_and(|record| record.keys_age(now) < CEILING_SECONDS)
    }

    /// Sends a token and looks at what that made of the provider.
    fn send(&mut self, token: &str) -> Result<Rc<Identity>, Denial> {
        let now = self.world.now();
        let was_cold = self.server.keys()[0].age(now).is_none() && !self.store_helps(now);
        let outcome = send(&self.world, &self.server, token);
        let calls = self.world.received();
        let mut discovering = false;
        for call in &calls[self.seen_calls..] {
            let is_discovery = call.url == discovery_url(ISSUER);
            if is_discovery || !discovering {
                self.asked.push((call.at, was_cold));
            }
            discovering = is_discovery;
            if call.url == jwks_url(ISSUER) && matches!(self.health, Health::Up | Health::WithoutDiscovery) {
                let keys = self.published();
                self.handed_out.extend(keys.iter().map(|key| (*key, call.at)));
                self.last_seen = Some(keys);
            }
        }
        self.seen_calls = calls.len();
        outcome
    }

    /// Holds the requests of one isolate to the provider against the budget.
    fn check_budget(&self) {
        let mut window: Option<u64> = None;
        let mut extra = 0;
        for pair in self.asked.windows(2) {
            let [(before, _), (at, was_cold)] = [pair[0], pair[1]];
            let pause = at - before;
            if pause >= COOL_DOWN_SECONDS || was_cold && pause >= COLD_RETRY_SECONDS {
                continue;
            }
            assert!(!was_cold, "two attempts within {pause} seconds while nobody can be served");
            if window.is_none_or(|since| at >= since + BURST_WINDOW_SECONDS) {
                (window, extra) = (Some(at), 0);
            }
            extra += 1;
            assert!(extra <= BURST, "{extra} extra requests since {window:?}");
        }
    }
}

fn claims(now: u64) -> Value {
    let mut claims = tokens::claims(now);
    // Long enough that the keys, not the tokens, come to an end.
    claims["exp"] = json!(now + 30 * 86400);
    claims
}

fn jwk(number: u64) -> Value {
    pretended_jwk(&format!("key-{number}"), number)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_promises_of_the_key_policy_hold(events in events()) {
        let mut history = History::new(false);
        for event in &events {
            history.happen(event);
            if matches!(event, Event::ColdStart) {
                continue;
            }
            history.check_budget();
        }
    }

    /// The same history twice: once with a memory of verified tokens, once with tokens that are never the same bytes.
    /// No answer differs.
    #[test]
    fn a_remembered_verdict_is_the_verdict_of_full_verification(events in events()) {
        let (mut with_memory, mut without) = (History::new(false), History::new(true));
        for event in &events {
            let (one, other) = (with_memory.happen(event), without.happen(event));
            prop_assert_eq!(one, other, "{:?}", event);
            prop_assert_eq!(with_memory.world.now(), without.world.now());
        }
    }
}

// What the histories above must not miss, told one by one.

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
    // Whatever time has passed and whether or not the provider is up.
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
fn an_asker_that_is_dropped_makes_room_for_the_next() {
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
        let stored = history.world.stored(ISSUER).and_then(|text| Record::parse(&text, ISSUER, history.world.now()));
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

#[test]
fn huge_and_slow_and_redirected_answers_are_outages() {
    for answer in [
        Answer::Reply(200, format!("{{\"keys\":[],\"pad\":\"{}\"}}", "x".repeat(64 * 1024))),
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

#[test]
fn the_other_place_of_the_discovery_document_is_tried_only_if_the_first_has_none() {
    let second = "https://tenant.example/.well-known/oauth-authorization-server/oidc";
    let mut history = History::new(false);
    history.world.answer(&discovery_url(ISSUER), Answer::Reply(404, String::new()));
    history.world.answer(second, Answer::json(&crate::support::world::discovery(ISSUER)));
    assert!(history.server_outcome().is_ok());

    let mut history = History::new(false);
    history.world.answer(&discovery_url(ISSUER), Answer::Reply(500, String::new()));
    assert!(history.server_outcome().is_err());
    assert_eq!(history.world.calls(second), 0);
}

impl History {
    /// What a good token meets, without the checks of an honest history.
    fn server_outcome(&mut self) -> Result<Rc<Identity>, Denial> {
        let token = mint_pretended(&jwk(self.current), &claims(self.world.now()));
        self.send(&token)
    }
}
