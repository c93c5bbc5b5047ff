//! Virtual time, and what waits for it.
//!
//! Time stands still while anything can go on, and then jumps to the next moment that somebody waits for. Futures are
//! polled by hand, in the order in which they were woken, so that a run with the same seed is the same run.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::BinaryHeap,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::LocalBoxFuture,
    stream::{FuturesUnordered, Stream},
};

/// When every simulation begins, in seconds since 1970.
pub const START_SECONDS: u64 = 1_795_000_000;

/// A handle to the clock and to what it runs; clones are the same clock.
#[derive(Clone, Default)]
pub struct Clock(Rc<State>);

#[derive(Default)]
struct State {
    /// Since the simulation began.
    milliseconds: Cell<u64>,
    timers: RefCell<BinaryHeap<Reverse<(Moment, Timer)>>>,
    timers_set: Cell<u64>,
    started: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    tasks: RefCell<FuturesUnordered<LocalBoxFuture<'static, ()>>>,
}

/// A moment, and a number that tells timers of the same moment apart.
type Moment = (u64, u64);

/// A timer that somebody waits for. All are equal: their moments decide.
#[derive(Clone, Default)]
struct Timer(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl PartialEq for Timer {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

/// Whether something was woken since it was last polled.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock {
    /// Milliseconds since the simulation began.
    #[must_use]
    pub fn milliseconds(&self) -> u64 {
        self.0.milliseconds.get()
    }

    /// Seconds since 1970, as an isolate sees them.
    #[must_use]
    pub fn now(&self) -> u64 {
        START_SECONDS + self.milliseconds() / 1000
    }

    /// Ends after `duration`.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let until = self.milliseconds() + u64::try_from(duration.as_millis()).expect("a time within the simulation");
        let timer = Timer::default();
        let number = self.0.timers_set.get();
        self.0.timers_set.set(number + 1);
        self.0.timers.borrow_mut().push(Reverse(((until, number), timer.clone())));
        poll_fn(move |context| {
            if timer.0.0.get() {
                return Poll::Ready(());
            }
            *timer.0.1.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .boxed_local()
    }

    /// Starts work that continues to its end by itself; the returned future ends with it.
    #[must_use]
    pub fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        let end = Timer::default();
        let ended = end.clone();
        self.start(async move {
            work.await;
            end.fire();
        });
        poll_fn(move |context| {
            if ended.0.0.get() {
                return Poll::Ready(());
            }
            *ended.0.1.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .boxed_local()
    }

    /// Starts a task that nobody waits for.
    pub fn start(&self, task: impl Future<Output = ()> + 'static) {
        self.0.started.borrow_mut().push(task.boxed_local());
    }

    /// The moment of the next timer, if there is one.
    #[must_use]
    pub fn next_timer(&self) -> Option<u64> {
        self.0.timers.borrow().peek().map(|Reverse(((at, _), _))| *at)
    }

    /// Goes forward to a moment, and wakes all that wait for it.
    ///
    /// # Panics
    /// If time would go back.
    pub fn advance_to(&self, milliseconds: u64) {
        assert!(milliseconds >= self.milliseconds(), "time does not go back");
        self.0.milliseconds.set(milliseconds);
        while self.next_timer().is_some_and(|at| at <= milliseconds) {
            let due = self.0.timers.borrow_mut().pop();
            if let Some(Reverse((_, timer))) = due {
                timer.fire();
            }
        }
    }

    /// Runs everything that can go on without time going by.
    pub fn run_ready(&self) {
        let woken = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            let started = std::mem::take(&mut *self.0.started.borrow_mut());
            let has_started = !started.is_empty();
            let mut tasks = self.0.tasks.take();
            tasks.extend(started);
            let mut has_ended = false;
            {
                let mut tasks = pin!(&mut tasks);
                while let Poll::Ready(Some(())) = tasks.as_mut().poll_next(&mut context) {
                    has_ended = true;
                }
            }
            *self.0.tasks.borrow_mut() = tasks;
            let was_woken = woken.0.swap(false, Ordering::Relaxed);
            if !has_started && !has_ended && !was_woken && self.0.started.borrow().is_empty() {
                return;
            }
        }
    }
}

impl Timer {
    fn fire(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.borrow_mut().take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleepers_wake_in_the_order_of_their_moments_and_work_is_waited_for() {
        let (clock, log) = (Clock::default(), Rc::new(RefCell::new(Vec::new())));
        for seconds in [3, 1, 2] {
            let (sleep, log) = (clock.sleep(Duration::from_secs(seconds)), Rc::clone(&log));
            clock.start(sleep.map(move |()| log.borrow_mut().push(seconds)));
        }
        let work = clock.spawn(clock.sleep(Duration::from_secs(4)));
        let end = Rc::clone(&log);
        clock.start(work.map(move |()| end.borrow_mut().push(4)));
        clock.run_ready();
        while let Some(at) = clock.next_timer() {
            clock.advance_to(at);
            clock.run_ready();
        }
        assert_eq!((&*log.borrow(), clock.now()), (&vec![1, 2, 3, 4], START_SECONDS + 4));
    }
}
