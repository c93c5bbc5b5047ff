//! The identity provider: its documents, how long they take, outages, and rotations of its keys.

use std::{cell::RefCell, rc::Rc, time::Duration};

use crate::tokens::{ISSUER, SigningKey};

/// The provider.
#[derive(Debug)]
pub struct Provider(RefCell<State>);

#[derive(Debug)]
struct State {
    /// What is published; the last but `announced` signs.
    keys: Vec<Rc<SigningKey>>,
    signing: Rc<SigningKey>,
    next_number: u64,
    is_up: bool,
    requests: Requests,
    /// By minute.
    by_minute: Vec<u32>,
}

/// The requests that it received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// For the discovery document.
    pub discovery: u64,
    /// For the key set.
    pub keys: u64,
}

/// What a request gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This document, with status 200.
    Document(String),
    /// Status 404.
    NotFound,
    /// No connection.
    Down,
}

impl Default for Provider {
    fn default() -> Self {
        let first = SigningKey::new(1);
        Self(RefCell::new(State {
            keys: vec![Rc::clone(&first)],
            signing: first,
            next_number: 2,
            is_up: true,
            requests: Requests::default(),
            by_minute: Vec::new(),
        }))
    }
}

impl Provider {
    /// Answers a request for `url` at a moment (milliseconds since the beginning).
    pub fn answer(&self, url: &str, now: u64) -> Answer {
        let mut state = self.0.borrow_mut();
        let minute = usize::try_from(now / 60_000).expect("a time within the simulation");
        if state.by_minute.len() <= minute {
            state.by_minute.resize(minute + 1, 0);
        }
        state.by_minute[minute] += 1;
        let is_of_keys = url == format!("{ISSUER}/jwks");
        if is_of_keys {
            state.requests.keys += 1;
        } else {
            state.requests.discovery += 1;
        }
        if !state.is_up {
            return Answer::Down;
        }
        if is_of_keys {
            let keys: Vec<&str> = state.keys.iter().map(|key| &*key.jwk).collect();
            Answer::Document(format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
        } else if url == format!("{ISSUER}/.well-known/openid-configuration") {
            Answer::Document(format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}"#))
        } else {
            Answer::NotFound
        }
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing_key(&self) -> Rc<SigningKey> {
        Rc::clone(&self.0.borrow().signing)
    }

    /// Publishes the next key beside the one that signs.
    pub fn announce(&self) {
        let mut state = self.0.borrow_mut();
        let key = SigningKey::new(state.next_number);
        state.next_number += 1;
        state.keys.push(key);
    }

    /// Signs with the newest key from now on, which is published if it was not, and withdraws all others.
    pub fn rotate(&self) {
        if self.0.borrow().keys.len() == 1 {
            self.announce();
        }
        let mut state = self.0.borrow_mut();
        let newest = state.keys.pop().expect("a key");
        state.signing = Rc::clone(&newest);
        state.keys = vec![newest];
    }

    /// Whether it answers from now on.
    pub fn set_up(&self, is_up: bool) {
        self.0.borrow_mut().is_up = is_up;
    }

    /// What it received so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.0.borrow().requests
    }

    /// The most that it received within one minute since `since` (milliseconds).
    #[must_use]
    pub fn peak_of_a_minute(&self, since: u64) -> u64 {
        let from = usize::try_from(since / 60_000).expect("a time within the simulation");
        self.0.borrow().by_minute.iter().skip(from).max().copied().unwrap_or_default().into()
    }
}

/// How long an answer takes: `share` is a random number below 1. Half of them take less than 120 ms, one in ten more than
/// half a second, one in a hundred three seconds, and one in five hundred longer than anybody waits.
#[must_use]
pub fn latency(share: f64) -> Duration {
    Duration::from_secs_f64(0.06 + 0.06 * share / (1.0 - share * 0.99))
}
