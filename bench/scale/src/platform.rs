//! What stands behind the ports of an isolate: KV, the provider, timers, randomness.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use mcp_edge_runtime::{
    crypto::{Algorithm, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
};
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng};

use crate::{
    kv::{CacheTier, Kv},
    provider::{self, Answer, Provider},
    time::Clock,
    tokens,
};

/// A location reads what its own cache, that of its region, or the central store has. Cloudflare's own figures of 2025 are
/// below 5 ms for the median and some hundred for what no cache has.
const fn read_latency(tier: CacheTier) -> Duration {
    Duration::from_millis(match tier {
        CacheTier::Location => 4,
        CacheTier::Region => 40,
        CacheTier::Central => 180,
    })
}

/// Until the central store has taken a write.
const WRITE_LATENCY: Duration = Duration::from_millis(200);

/// A connection that is refused takes so long.
const REFUSED_LATENCY: Duration = Duration::from_millis(80);

/// All that isolates share; a handle, clones are the same platform.
#[derive(Clone)]
pub struct Platform {
    /// The time.
    pub clock: Clock,
    /// The namespace of the keys.
    pub kv: Rc<RefCell<Kv>>,
    /// The identity provider.
    pub provider: Rc<Provider>,
    /// The one source of randomness, so that a seed decides about all.
    pub random: Rc<RefCell<SmallRng>>,
}

impl Platform {
    /// Creates a platform with an empty namespace and an honest provider.
    #[must_use]
    pub fn new(seed: u64, kv: Kv) -> Self {
        Self {
            clock: Clock::default(),
            kv: Rc::new(RefCell::new(kv)),
            provider: Rc::default(),
            random: Rc::new(RefCell::new(SmallRng::seed_from_u64(seed))),
        }
    }

    /// A random number from 0 to below 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.random.borrow_mut().random()
    }

    /// A random number of an exponential distribution.
    #[must_use]
    pub fn exponential(&self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }
}

/// The services of the isolates of one location.
#[derive(Clone)]
pub struct LocationServices {
    /// What all locations share.
    pub platform: Platform,
    /// The number of this one.
    pub location: usize,
}

impl Fetch for LocationServices {
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        let Platform { clock, provider, .. } = &self.platform;
        match provider.answer(request.url, clock.milliseconds()) {
            Answer::Down => {
                clock.sleep(REFUSED_LATENCY).await;
                Err(FetchError::Network("connection refused".to_owned()))
            }
            answer => {
                let latency = provider::latency(self.platform.share());
                clock.sleep(latency.min(request.timeout)).await;
                if latency > request.timeout {
                    return Err(FetchError::Timeout(request.timeout));
                }
                let (status, body) = match answer {
                    Answer::Document(body) => (200, body),
                    _ => (404, "not found".to_owned()),
                };
                Ok(HttpResponse { status, challenge: String::new(), body })
            }
        }
    }
}

impl Store for LocationServices {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let clock = &self.platform.clock;
        let read = self.platform.kv.borrow_mut().get(self.location, key, clock.milliseconds());
        match read {
            Ok((value, tier)) => {
                clock.sleep(read_latency(tier)).await;
                Ok(value.map(|value| value.to_string()))
            }
            Err(message) => Err(StoreError(message)),
        }
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError> {
        let clock = &self.platform.clock;
        clock.sleep(WRITE_LATENCY).await;
        let ttl = u64::try_from(ttl.as_millis()).expect("a day");
        let written = self.platform.kv.borrow_mut().put(self.location, key, value, ttl, clock.milliseconds());
        written.map_err(StoreError)
    }
}

impl SignatureVerifier for LocationServices {
    async fn verify(
        &self,
        key: &impl VerificationKey,
        _algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        Ok(signature == tokens::sign(&key.thumbprint(), message))
    }
}

impl Runtime for LocationServices {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.platform.clock.sleep(duration)
    }

    fn random(&self, buffer: &mut [u8]) {
        self.platform.random.borrow_mut().fill_bytes(buffer);
    }
}

impl Background for LocationServices {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        self.platform.clock.spawn(work)
    }
}

impl OperatorLog for LocationServices {
    fn info(&self, _line: &str) {}

    fn error(&self, line: &str) {
        // An honest provider and honest settings: nothing is worth a line.
        panic!("{line}");
    }
}

impl FailureLimit for LocationServices {
    async fn count_failure(&self, _address: &str) -> bool {
        false
    }
}
