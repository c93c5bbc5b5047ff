//! Time that passes only while everybody waits, and the executor that lets it.

use std::{
    cell::{Cell, RefCell},
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

use futures_util::future::{FutureExt, LocalBoxFuture};

/// When tests begin, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// A clock. Copies are the same clock.
#[derive(Clone, Default)]
pub struct Clock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Since the test began; never goes back.
    milliseconds: Cell<u64>,
    /// What the clock on the wall is wrong by, in seconds.
    skew: Cell<i64>,
    sleepers: RefCell<Vec<(u64, Waker)>>,
    tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock {
    /// The clock on the wall, in seconds since 1970.
    pub fn now(&self) -> u64 {
        (NOW + self.0.milliseconds.get() / 1000).checked_add_signed(self.0.skew.get()).unwrap()
    }

    /// Puts the clock on the wall forward or back.
    pub fn skew(&self, seconds: i64) {
        self.0.skew.set(self.0.skew.get() + seconds);
    }

    /// Lets time pass while nothing happens.
    pub fn pass(&self, seconds: u64) {
        self.0.milliseconds.set(self.0.milliseconds.get() + seconds * 1000);
    }

    pub fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let inner = Rc::clone(&self.0);
        let until = inner.milliseconds.get() + u64::try_from(duration.as_millis()).unwrap();
        poll_fn(move |context| {
            if until <= inner.milliseconds.get() {
                return Poll::Ready(());
            }
            inner.sleepers.borrow_mut().push((until, context.waker().clone()));
            Poll::Pending
        })
        .boxed_local()
    }

    /// Starts work that nobody waits for.
    pub fn spawn(&self, work: LocalBoxFuture<'static, ()>) {
        self.0.tasks.borrow_mut().push(work);
    }

    /// Runs a future to its end, and what it has started as far as it comes by then.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.run_at_most(future, u64::MAX).unwrap()
    }

    /// Runs everything that was started to its end.
    pub fn settle(&self) {
        self.run(async {
            while !self.0.tasks.borrow().is_empty() {
                self.sleep(Duration::from_millis(1)).await;
            }
        });
    }

    /// The same for so many milliseconds; then it is dropped, as in a crash.
    pub fn run_at_most<T>(&self, future: impl Future<Output = T>, milliseconds: u64) -> Option<T> {
        let end = self.0.milliseconds.get().saturating_add(milliseconds);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return Some(output);
                }
                let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
                for mut task in tasks {
                    if task.as_mut().poll(&mut context).is_pending() {
                        self.0.tasks.borrow_mut().push(task);
                    }
                }
            }
            let next = self.0.sleepers.borrow().iter().map(|(until, _)| *until).min().expect("nothing can go on");
            if next > end {
                self.0.milliseconds.set(end);
                return None;
            }
            self.0.milliseconds.set(next.max(self.0.milliseconds.get()));
            let (due, later) = self.0.sleepers.take().into_iter().partition(|(until, _)| *until <= next);
            *self.0.sleepers.borrow_mut() = later;
            let due: Vec<(u64, Waker)> = due;
            for (_, waker) in due {
                waker.wake();
            }
        }
    }
}
