//! Who sends what, where: users with tokens, programs with access keys, and those whom a scenario adds.

use std::{cell::RefCell, cmp::Reverse, collections::BinaryHeap, rc::Rc};

use crate::{
    deployment::{Deployment, SHARE_OF_ACCESS_KEYS},
    platform::Platform,
    tokens::{SigningKey, TOKEN_SECONDS},
    vault::access_key,
};

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A user of this number at the location.
    User(usize),
    /// A program with an access key.
    Program,
    /// One who sends the same credential everywhere, for as long as a scenario wants.
    Probe,
    /// A stranger, with tokens whose key nobody published.
    Stranger,
}

/// A credential, and who sends it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The number of the location.
    pub location: usize,
    /// Who.
    pub sender: Sender,
    /// What.
    pub credential: Rc<str>,
}

/// A source of requests: the n-th request of each source of each location has its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Customers,
    Probe,
    Strangers,
}

/// A user's token, and when it was issued.
type Held = Option<(Rc<str>, u64)>;

/// All traffic.
pub struct Traffic {
    platform: Platform,
    /// Milliseconds between two requests of customers, by location.
    pauses: Vec<f64>,
    users: Vec<RefCell<Vec<Held>>>,
    access_keys: Vec<Vec<Rc<str>>>,
    probe: Option<Rc<str>>,
    probe_pause: f64,
    strangers_pause: Option<f64>,
    strangers: u64,
    /// Microseconds, so that a busy location is not rounded.
    next: BinaryHeap<Reverse<(u64, Source, usize)>>,
}

impl Traffic {
    /// Creates the traffic of customers.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    pub fn new(platform: Platform, deployment: &Deployment) -> Self {
        let shares = deployment.shares();
        let count = |all: usize, share: f64| (all as f64 * share).round().max(1.0) as usize;
        let mut first_key = 0;
        let access_keys = shares.iter().map(|share| {
            let keys = count(deployment.size.access_keys, *share);
            first_key += keys;
            (first_key - keys..first_key).map(|number| access_key(number).into()).collect()
        });
        let mut traffic = Self {
            access_keys: access_keys.collect(),
            pauses: shares.iter().map(|share| 86_400_000.0 / (deployment.size.requests_per_day * share)).collect(),
            users: shares.iter().map(|share| RefCell::new(vec![None; count(deployment.size.users, *share)])).collect(),
            probe: None,
            probe_pause: 0.0,
            strangers_pause: None,
            strangers: 0,
            next: BinaryHeap::new(),
            platform,
        };
        for location in 0..shares.len() {
            traffic.schedule(0, Source::Customers, location);
        }
        traffic
    }

    /// From now on `credential` is sent at each location, at random moments `seconds` apart on average; `None` ends it.
    pub fn set_probe(&mut self, credential: Option<&str>, seconds: f64) {
        let was_running = self.probe.is_some();
        (self.probe, self.probe_pause) = (credential.map(Rc::from), seconds * 1000.0);
        if !was_running && self.probe.is_some() {
            for location in 0..self.pauses.len() {
                self.schedule(self.platform.clock.milliseconds() * 1000, Source::Probe, location);
            }
        }
    }

    /// From now on strangers send so many tokens a second, to all locations alike, each with a `kid` of its own.
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    pub fn set_strangers(&mut self, per_second: f64) {
        self.strangers_pause = Some(self.pauses.len() as f64 * 1000.0 / per_second);
        for location in 0..self.pauses.len() {
            self.schedule(self.platform.clock.milliseconds() * 1000, Source::Strangers, location);
        }
    }

    /// When the next request comes, in milliseconds.
    #[must_use]
    pub fn next_at(&self) -> u64 {
        self.next.peek().map_or(u64::MAX, |Reverse((at, ..))| at / 1000)
    }

    /// The next request, which comes now.
    pub fn take(&mut self) -> Option<Sent> {
        let Reverse((at, source, location)) = self.next.pop()?;
        match source {
            Source::Customers => {
                self.schedule(at, source, location);
                Some(self.of_customer(location))
            }
            Source::Probe => {
                let credential = self.probe.clone()?;
                self.schedule(at, source, location);
                Some(Sent { location, sender: Sender::Probe, credential })
            }
            Source::Strangers => {
                self.schedule(at, source, location);
                self.strangers += 1;
                let key = SigningKey::new(u64::MAX - self.strangers);
                let credential = key.token("stranger", self.platform.clock.now()).into();
                Some(Sent { location, sender: Sender::Stranger, credential })
            }
        }
    }

    /// A user's token was refused: the client throws it away, and signs in again.
    pub fn refused(&self, location: usize, user: usize) {
        self.users[location].borrow_mut()[user] = None;
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    fn of_customer(&self, location: usize) -> Sent {
        let choose = |count: usize| (self.platform.share() * count as f64) as usize;
        if self.platform.share() < SHARE_OF_ACCESS_KEYS {
            let keys = &self.access_keys[location];
            return Sent { location, sender: Sender::Program, credential: Rc::clone(&keys[choose(keys.len())]) };
        }
        let mut users = self.users[location].borrow_mut();
        let (user, now) = (choose(users.len()), self.platform.clock.now());
        let credential = match &users[user] {
            // Clients fetch the next one a minute before the old one ends.
            Some((token, issued_at)) if now + 60 < issued_at + TOKEN_SECONDS => Rc::clone(token),
            _ => {
                let subject = format!("user-{location}-{user}");
                let token: Rc<str> = self.platform.provider.signing_key().token(&subject, now).into();
                users[user] = Some((Rc::clone(&token), now));
                token
            }
        };
        Sent { location, sender: Sender::User(user), credential }
    }

    fn schedule(&mut self, from: u64, source: Source, location: usize) {
        let pause = match source {
            Source::Customers => self.pauses[location],
            Source::Probe => self.probe_pause,
            Source::Strangers => self.strangers_pause.unwrap_or(f64::MAX),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours")]
        let after = (self.platform.exponential(pause) * 1000.0) as u64;
        self.next.push(Reverse((from + after, source, location)));
    }
}
