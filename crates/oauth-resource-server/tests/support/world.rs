//! Everything outside, played by the test: provider, store, clock, signatures.
//!
//! Time is virtual. It stands still while anything can happen and then jumps to the next moment somebody waits for, so
//! a test of ten seconds takes none, and runs the same way every time.

mod services;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_oauth::provider::ProviderLocation;
use mcp_edge_runtime::{context::RequestContext, crypto::Thumbprint};
use serde_json::{Value, json};

/// When every world begins, in seconds since 1970.
pub const START: u64 = 1_795_000_000;

/// How the provider answers at one URL.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With this status and body.
    Reply(u16, String),
    /// Not at all: no connection.
    Down,
    /// After so many milliseconds, or with a timeout if the caller does not wait that long.
    After(u64, Box<Answer>),
    /// Not before [`World::release`]; not even a timeout fires, as if the caller's own client had gone away.
    Hang,
}

impl Answer {
    pub fn json(body: &Value) -> Self {
        Self::Reply(200, body.to_string())
    }
}

/// A call that the provider received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub at: u64,
    pub url: String,
    pub authorization: Option<String>,
    pub form: Option<String>,
}

/// A handle to the world; clones are the same world.
#[derive(Clone, Default)]
pub struct World(Rc<State>);

/// When somebody is woken, and the number of the timer.
type Timer = (u64, u64);

/// Holds a timer. Nobody waits for one whose future is gone.
struct Sleeper {
    state: Rc<State>,
    timer: Timer,
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.state.timers.borrow_mut().remove(&self.timer);
    }
}

#[derive(Default)]
struct State {
    milliseconds: Cell<u64>,
    timers: RefCell<BTreeSet<Timer>>,
    timers_set: Cell<u64>,
    /// Counts all events; while it stands still, nothing can happen before time goes on.
    events: Cell<u64>,
    released: Cell<bool>,
    answers: RefCell<HashMap<String, Answer>>,
    received: RefCell<Vec<Received>>,
    stored: RefCell<HashMap<String, (String, u64)>>,
    store_is_down: Cell<bool>,
    store_latency: Cell<u64>,
    store_reads: Cell<usize>,
    store_writes: Cell<usize>,
    pretend_signatures: Cell<bool>,
    verifications: Cell<usize>,
    too_many_failures: Cell<bool>,
    failures: Cell<usize>,
    warnings: RefCell<Vec<String>>,
    /// What continues regardless of the requests.
    background: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// A world in which signatures are those of [`signatures::pretend`]: thousands of them cost nothing.
    pub fn with_pretend_signatures() -> Self {
        let world = Self::default();
        world.0.pretend_signatures.set(true);
        world
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        START + self.0.milliseconds.get() / 1000
    }

    /// Milliseconds since the world began.
    pub fn milliseconds(&self) -> u64 {
        self.0.milliseconds.get()
    }

    pub fn advance(&self, seconds: u64) {
        self.0.milliseconds.set(self.0.milliseconds.get() + seconds * 1000);
    }

    /// Sets the clock, for recorded tokens. Goes forward only.
    pub fn advance_to(&self, now: u64) {
        assert!(now >= self.now(), "time does not go back");
        self.0.milliseconds.set((now - START) * 1000);
    }

    /// The context of a request that arrives now.
    pub fn context(&self) -> RequestContext {
        RequestContext { request_id: String::new(), now: self.now(), connection: Rc::new(self.clone()) }
    }

    // The provider.

    pub fn answer(&self, url: &str, answer: Answer) {
        self.0.answers.borrow_mut().insert(url.to_owned(), answer);
    }

    /// An honest provider: discovery at `issuer`, with these keys.
    pub fn publish(&self, issuer: &str, keys: &[Value]) {
        self.answer(&discovery_url(issuer), Answer::json(&discovery(issuer)));
        self.answer(&jwks_url(issuer), Answer::json(&json!({ "keys": keys })));
    }

    /// Nothing of `issuer` answers.
    pub fn take_down(&self, issuer: &str) {
        for url in [discovery_url(issuer), jwks_url(issuer), introspection_url(issuer), userinfo_url(issuer)] {
            self.answer(&url, Answer::Down);
        }
    }

    /// Lets go of every [`Answer::Hang`]; they are looked up again.
    pub fn release(&self) {
        self.0.released.set(true);
    }

    /// What the provider received.
    pub fn received(&self) -> Vec<Received> {
        self.0.received.borrow().clone()
    }

    /// How many calls a URL received.
    pub fn calls(&self, url: &str) -> usize {
        self.0.received.borrow().iter().filter(|call| call.url == url).count()
    }

    // The store.

    pub fn set_store_down(&self, down: bool) {
        self.0.store_is_down.set(down);
    }

    pub fn is_store_down(&self) -> bool {
        self.0.store_is_down.get()
    }

    pub fn set_store_latency(&self, milliseconds: u64) {
        self.0.store_latency.set(milliseconds);
    }

    pub fn wipe_store(&self) {
        self.0.stored.borrow_mut().clear();
    }

    pub fn put_into_store(&self, issuer: &str, value: &str) {
        self.put_into_store_of(&ProviderLocation::of_issuer(issuer), value);
    }

    pub fn put_into_store_of(&self, location: &ProviderLocation, value: &str) {
        self.0.stored.borrow_mut().insert(location.store_key(), (value.to_owned(), u64::MAX));
    }

    pub fn stored(&self, issuer: &str) -> Option<String> {
        self.stored_of(&ProviderLocation::of_issuer(issuer))
    }

    pub fn stored_of(&self, location: &ProviderLocation) -> Option<String> {
        self.0.stored.borrow().get(&location.store_key()).map(|(value, _)| value.clone())
    }

    pub fn store_reads(&self) -> usize {
        self.0.store_reads.get()
    }

    pub fn store_writes(&self) -> usize {
        self.0.store_writes.get()
    }

    // The rest.

    /// How many signatures were verified.
    pub fn verifications(&self) -> usize {
        self.0.verifications.get()
    }

    /// Whether the limiter says that somebody failed too often.
    pub fn set_too_many_failures(&self, too_many: bool) {
        self.0.too_many_failures.set(too_many);
    }

    /// How many failures were counted.
    pub fn failures(&self) -> usize {
        self.0.failures.get()
    }

    /// The warnings to the operator.
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings.borrow().clone()
    }

    /// Does `future` to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut outcomes = self.race([future.boxed_local_here()]).run();
        outcomes.remove(0).expect("the future waits for something that never comes")
    }

    /// Lets the background work come to its end, without letting time go by beyond that.
    pub fn finish_background(&self) {
        self.run(poll_fn(|_| {
            let is_over = self.0.background.borrow().is_empty();
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    /// Ends the background work where it stands, as the platform may.
    pub fn drop_background(&self) {
        self.0.background.borrow_mut().clear();
    }

    /// Starts futures that run interleaved.
    pub fn race<'a, T>(&self, futures: impl IntoIterator<Item = LocalBoxFuture<'a, T>>) -> Race<'a, T> {
        let runners = futures.into_iter().map(|future| Runner { future: Some(future), outcome: None }).collect();
        Race { world: self.clone(), runners }
    }

    fn note_event(&self) {
        self.0.events.set(self.0.events.get() + 1);
    }

    fn sleep_milliseconds(&self, milliseconds: u64) -> LocalBoxFuture<'static, ()> {
        let state = Rc::clone(&self.0);
        let until = state.milliseconds.get() + milliseconds;
        let timer = (until, state.timers_set.get());
        state.timers_set.set(timer.1 + 1);
        if milliseconds > 0 {
            state.timers.borrow_mut().insert(timer);
        }
        self.note_event();
        let sleeper = Sleeper { state, timer };
        poll_fn(move |_| if sleeper.state.milliseconds.get() >= until { Poll::Ready(()) } else { Poll::Pending })
            .boxed_local()
    }

    /// Jumps to the next moment that somebody waits for, if there is one.
    fn skip_ahead(&self) -> bool {
        let now = self.0.milliseconds.get();
        let mut timers = self.0.timers.borrow_mut();
        *timers = timers.split_off(&(now + 1, 0));
        timers.pop_first().map(|(next, _)| self.0.milliseconds.set(next)).is_some()
    }
}

/// `boxed_local` for futures of any life time.
trait BoxedHere<'a>: Future + Sized + 'a {
    fn boxed_local_here(self) -> LocalBoxFuture<'a, Self::Output> {
        Box::pin(self)
    }
}
impl<'a, F: Future + 'a> BoxedHere<'a> for F {}

/// Futures that run interleaved.
pub struct Race<'a, T> {
    world: World,
    runners: Vec<Runner<'a, T>>,
}

struct Runner<'a, T> {
    future: Option<LocalBoxFuture<'a, T>>,
    outcome: Option<T>,
}

impl<'a, T> Race<'a, T> {
    /// Runs until all have finished, or those that have not will never do so. Takes the outcomes; the futures that
    /// hang stay, for another run.
    pub fn run(&mut self) -> Vec<Option<T>> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let before = self.world.0.events.get();
            let mut background = std::mem::take(&mut *self.world.0.background.borrow_mut());
            background.retain_mut(|work| {
                let goes_on = work.as_mut().poll(&mut context).is_pending();
                if !goes_on {
                    self.world.note_event();
                }
                goes_on
            });
            self.world.0.background.borrow_mut().extend(background);
            for runner in &mut self.runners {
                let Some(future) = &mut runner.future else { continue };
                if let Poll::Ready(outcome) = pin!(future).poll(&mut context) {
                    runner.outcome = Some(outcome);
                    runner.future = None;
                    self.world.note_event();
                }
            }
            let is_over = self.runners.iter().all(|runner| runner.future.is_none());
            let moved = self.world.0.events.get() != before;
            if is_over || (!moved && !self.world.skip_ahead()) {
                return self.runners.iter_mut().map(|runner| runner.outcome.take()).collect();
            }
        }
    }

    /// Gives up a future, as the runtime does when its client goes away.
    pub fn cancel(&mut self, index: usize) {
        self.runners[index].future = None;
    }

    /// One more.
    pub fn join(&mut self, future: LocalBoxFuture<'a, T>) {
        self.runners.push(Runner { future: Some(future), outcome: None });
    }
}

pub fn discovery_url(issuer: &str) -> String {
    format!("{issuer}/.well-known/openid-configuration")
}

pub fn jwks_url(issuer: &str) -> String {
    format!("{issuer}/jwks")
}

pub fn introspection_url(issuer: &str) -> String {
    format!("{issuer}/token/introspection")
}

pub fn userinfo_url(issuer: &str) -> String {
    format!("{issuer}/me")
}

/// A discovery document with the endpoints above, which are also Logto's.
pub fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": jwks_url(issuer),
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "introspection_endpoint": introspection_url(issuer),
        "userinfo_endpoint": userinfo_url(issuer),
    })
}

/// The thumbprint of a JWK, by the product's own reckoning.
pub fn thumbprint(jwk: &Value) -> Thumbprint {
    let set = mcp_edge_oauth::keys::key_set::KeySet::parse(&json!({ "keys": [jwk] }).to_string());
    set.expect("a usable key").iter().next().expect("one key").thumbprint
}
