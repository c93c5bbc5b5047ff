//! The loop: from one moment to the next, and a request's way.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Waker},
};

use futures_util::FutureExt;
use mcp_edge_runtime::http::RequestHead;

use crate::{
    deployment::{Deployment, REGIONS},
    isolates::Isolates,
    kv::Kv,
    measures::{Counters, Ended, Figures, Measures},
    platform::Platform,
    traffic::{Sender, Sent, Traffic},
    vault::Vault,
};

/// An hour, in milliseconds.
pub const HOUR: u64 = 3600 * 1000;

/// How often the isolates that run are counted.
const COUNT_EVERY: u64 = 5 * 60 * 1000;

/// A deployment in the making.
pub struct Simulation {
    /// The clock, KV and the provider.
    pub platform: Platform,
    /// The vault.
    pub vault: Vault,
    /// The isolates.
    pub isolates: Isolates,
    /// The requests to come.
    pub traffic: Rc<RefCell<Traffic>>,
    /// What came of those that came.
    pub measures: Rc<RefCell<Measures>>,
    /// The counters when the measuring began.
    before: Counters,
    counted: (u64, u64),
    next_count: u64,
}

impl Simulation {
    /// Creates a deployment that nobody has used yet.
    #[must_use]
    pub fn new(deployment: &Deployment, seed: u64) -> Self {
        let platform = Platform::new(seed, Kv::new(REGIONS.min(deployment.locations), deployment.size.limits));
        let vault = Vault::new(platform.clock.clone(), Rc::clone(&platform.provider));
        let traffic = Traffic::new(platform.clone(), deployment);
        let isolates = Isolates::new(platform.clone(), vault.clone(), deployment.placement, deployment.locations);
        Self {
            platform,
            vault,
            isolates,
            traffic: Rc::new(RefCell::new(traffic)),
            measures: Rc::default(),
            before: Counters::default(),
            counted: (0, 0),
            next_count: 0,
        }
    }

    /// Lets time go by until a moment, in milliseconds since the beginning.
    pub fn run_until(&mut self, end: u64) {
        let clock = self.platform.clock.clone();
        loop {
            let next = self.traffic.borrow().next_at().min(clock.next_timer().unwrap_or(u64::MAX)).min(self.next_count);
            if next >= end {
                clock.advance_to(end);
                clock.run_ready();
                return;
            }
            clock.advance_to(next.max(clock.milliseconds()));
            clock.run_ready();
            if next == self.next_count {
                self.counted = (self.counted.0 + self.isolates.count() as u64, self.counted.1 + 1);
                self.next_count += COUNT_EVERY;
            }
            while self.traffic.borrow().next_at() <= clock.milliseconds() {
                let sent = self.traffic.borrow_mut().take();
                if let Some(sent) = sent {
                    self.send(sent);
                }
            }
            clock.run_ready();
        }
    }

    /// Forgets what was counted so far: what comes from now on is measured.
    pub fn begin_measuring(&mut self) {
        *self.measures.borrow_mut() = Measures::default();
        self.before = self.counters();
        self.counted = (0, 0);
    }

    /// The figures since the measuring began.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn figures(&self) -> Figures {
        let (before, after, measures) = (self.before, self.counters(), self.measures.borrow());
        let hours = (after.at - before.at) as f64 / HOUR as f64;
        let per_hour = |before: u64, after: u64| (after - before) as f64 / hours;
        let per_day = |before: u64, after: u64| 24.0 * per_hour(before, after);
        let ppm = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 * 1e6 / of as f64 };
        Figures {
            hours,
            requests: measures.requests,
            isolates: self.counted.0 as f64 / self.counted.1.max(1) as f64,
            started_per_day: per_day(before.isolates, after.isolates),
            discovery_per_hour: per_hour(before.provider.discovery, after.provider.discovery),
            keys_per_hour: per_hour(before.provider.keys, after.provider.keys),
            peak_of_a_minute: self.platform.provider.peak_of_a_minute(before.at),
            kv_reads_per_day: per_day(before.kv.reads, after.kv.reads),
            kv_central_reads_per_day: per_day(before.kv.central_reads, after.kv.central_reads),
            kv_writes_per_day: per_day(before.kv.writes, after.kv.writes),
            kv_refused_per_day: per_day(before.kv.refused, after.kv.refused),
            objects_per_day: per_day(before.objects, after.objects),
            refreshes_per_hour: per_hour(before.refreshes, after.refreshes),
            unavailable_ppm: ppm(measures.unavailable, measures.requests),
            unavailable: measures.unavailable,
            waited_ppm: ppm(measures.waited, measures.of_users),
            refused: measures.refused.values().sum(),
            oldest_copy: measures.oldest_copy,
            followed_after: None,
            strangers: measures.strangers.0,
            strangers_unavailable_ppm: ppm(measures.strangers.1, measures.strangers.0),
        }
    }

    /// Sends a request to the isolate that serves it.
    fn send(&mut self, sent: Sent) {
        let Sent { location, sender, credential } = sent;
        let (isolate, clock) = (self.isolates.serve(location), self.platform.clock.clone());
        let (measures, traffic) = (Rc::clone(&self.measures), Rc::clone(&self.traffic));
        let began = clock.milliseconds();
        let mut request = async move {
            let authorization = ["Bearer ", &credential].concat();
            let head = RequestHead::new("POST", "/mcp").with_header("authorization", &authorization);
            let now = clock.now();
            let outcome = isolate.server.authenticate(&head, now, &isolate.services).await.outcome;
            let denial = outcome.err();
            measures.borrow_mut().note(&Ended {
                location,
                sender,
                began,
                now: clock.milliseconds(),
                copy_age: isolate.server.keys()[0].age(now),
                denial: denial.as_deref(),
            });
            if let (Sender::User(user), Some(denial)) = (sender, denial)
                && !denial.reason().is_outage()
            {
                traffic.borrow().refused(location, user);
            }
        }
        .boxed_local();
        // Most have nothing to wait for.
        if request.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.platform.clock.start(request);
        }
    }

    fn counters(&self) -> Counters {
        Counters {
            at: self.platform.clock.milliseconds(),
            provider: self.platform.provider.requests(),
            kv: self.platform.kv.borrow().operations(),
            objects: self.vault.requests(),
            refreshes: self.vault.refreshes(),
            isolates: self.isolates.started(),
        }
    }
}
