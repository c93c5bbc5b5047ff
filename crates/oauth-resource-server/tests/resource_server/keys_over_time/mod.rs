//! Keys over time: histories of provider, store, clock and senders. Signatures are pretended, so a thousand histories take
//! seconds.

mod discovery;
mod given_urls;
mod histories;
mod outages;
mod reports;
mod rotation;
mod stored_copies;

use std::{collections::HashMap, rc::Rc};

use futures_util::FutureExt;
use mcp_edge_identity::Identity;
use mcp_edge_oauth::{
    denial::{Denial, Reason},
    keys::{
        policy::{
            BURST, BURST_WINDOW_SECONDS, CEILING_SECONDS, CLOCK_SKEW_SECONDS, COLD_RETRY_SECONDS, COOL_DOWN_SECONDS,
            FRESH_SECONDS, MAX_RENEWAL_PAUSE_SECONDS, REVALIDATE_SECONDS,
        },
        record::Record,
    },
    provider::{DocumentPlace, ProviderLocation, ProviderUrls},
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
    /// Where the provider is.
    location: ProviderLocation,
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
    /// Makes the tokens of this history unlike those of the compared one, so that nothing is ever remembered.
    always_new: bool,
    serial: u64,
}

impl History {
    fn new(always_new: bool) -> Self {
        Self::with_urls(ProviderUrls::default(), always_new)
    }

    /// Of a server whose operator gives these URLs.
    fn with_urls(urls: ProviderUrls, always_new: bool) -> Self {
        let location = ProviderLocation { urls, ..ProviderLocation::of_issuer(ISSUER) };
        let mut history = Self {
            world: World::with_pretend_signatures(),
            server: server_at(&location),
            location,
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
                self.server = server_at(&self.location);
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
                let is_up = self.health == Health::Up && now >= self.health_since + MAX_RENEWAL_PAUSE_SECONDS;
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
                assert!(matches!(denial.reason(), Reason::UnknownKey | Reason::KeysUnavailable), "{denial:?}");
            }
        }
        outcome
    }

    /// If the provider answers, a client that retries when it should is let in.
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
        let stored = self.stored(now);
        !self.world.is_store_down() && stored.is_some_and(|record| record.keys_age(now) < CEILING_SECONDS)
    }

    /// The copy in the store.
    fn stored(&self, now: u64) -> Option<Record> {
        self.world.stored_of(&self.location).and_then(|text| Record::parse(&text, &self.location, now))
    }

    /// Sends a token and looks at what that made of the provider.
    fn send(&mut self, token: &str) -> Result<Rc<Identity>, Denial> {
        let now = self.world.now();
        let was_cold = self.server.keys()[0].age(now).is_none() && !self.store_helps(now);
        let outcome = send(&self.world, &self.server, token);
        let calls = self.world.received();
        let mut discovering = false;
        // The other places of the document belong to the attempt that the first of them began.
        let elsewhere = DocumentPlace::ALL[1..].iter().map(|place| place.url(ISSUER)).collect::<Vec<_>>();
        for call in calls[self.seen_calls..].iter().filter(|call| !elsewhere.contains(&call.url)) {
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

    /// Nothing is wrong with the keys of an honest history that the operator would have to hear of.
    fn check_silence(&self) {
        assert_eq!(self.world.warnings(), Vec::<String>::new());
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

/// A server that knows nothing yet, and trusts the provider there.
fn server_at(location: &ProviderLocation) -> ResourceServer {
    let mut policy = policy();
    policy.issuers[0].urls.clone_from(&location.urls);
    ResourceServer::new(policy)
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

impl History {
    /// What a good token meets, without the checks of an honest history.
    fn server_outcome(&mut self) -> Result<Rc<Identity>, Denial> {
        let token = mint_pretended(&jwk(self.current), &claims(self.world.now()));
        self.send(&token)
    }
}
