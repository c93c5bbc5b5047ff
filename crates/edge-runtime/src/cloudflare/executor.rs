//! Runs requests with as few promises as possible.
//!
//! A promise that Rust creates or awaits costs closures, microtasks and several crossings; for a tool that answers at once
//! that is more than everything else together. So a request is polled until it must wait. If it waits for one promise that
//! JavaScript can await by itself (the body, a signature), the request is suspended, and JavaScript resumes it by its
//! number. Only a request that waits for anything else continues as a promise of wasm-bindgen.
//!
//! Most promises are never settled once the client has gone: what waits for them is forgotten after some time. What is
//! kept alive until it is settled (see `waitUntil` in `bridge.js`) may take long, and is not.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;
use js_sys::{
    Promise,
    futures::{JsFuture, future_to_promise},
};
use wasm_bindgen::{JsValue, closure::Closure};

use super::bridge;
use crate::http::Response;

/// Requests that may be suspended at the same time. When clients disconnect, the runtime drops their requests without a
/// notice: what they leave here is dropped at the latest when so many have been suspended after it. With the largest heads
/// that are read, that is 32 of an isolate's 128 MB.
const MAX_WAITING: usize = 256;

/// What JavaScript awaits for one request.
#[derive(Default)]
struct Suspension {
    /// Whether JavaScript can await `promise` for the request.
    is_available: Cell<bool>,
    /// Whether `promise` is settled even if the client disconnects.
    is_kept_alive: Cell<bool>,
    promise: RefCell<Option<Promise>>,
    value: RefCell<Option<JsValue>>,
}

/// Awaits a promise; if it is rejected, the result is `undefined`. A request awaits one promise at a time in this way; in
/// other futures the promise is awaited as usual. If the client disconnects, the request may be dropped here.
pub async fn settled(promise: Promise) -> JsValue {
    awaited(promise, false).await
}

/// The same for a promise that is settled even if the client disconnects, however long that takes.
pub async fn settled_even_if_disconnected(promise: Promise) -> JsValue {
    awaited(promise, true).await
}

async fn awaited(promise: Promise, is_kept_alive: bool) -> JsValue {
    let is_free = |suspension: &Rc<Suspension>| suspension.is_available.get() && suspension.promise.borrow().is_none();
    let Some(suspension) = CURRENT.with_borrow(Clone::clone).filter(is_free) else {
        return JsFuture::from(promise).await.unwrap_or(JsValue::UNDEFINED);
    };
    suspension.is_kept_alive.set(is_kept_alive);
    suspension.promise.replace(Some(promise));
    poll_fn(|_| suspension.value.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// A request that runs.
struct Request {
    future: LocalBoxFuture<'static, web_sys::Response>,
    suspension: Rc<Suspension>,
    relay: Arc<Relay>,
}

/// Wakes what follows it at the moment: the promise of a request, once there is one. A future may keep the first waker that
/// it is polled with for good (timers of the `worker` crate do), so it gets one that lasts.
#[derive(Default)]
pub(super) struct Relay(Mutex<Option<Waker>>);

impl Relay {
    /// Wakes `waker` from now on.
    pub(super) fn follow(&self, waker: &Waker) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Request {
    fn poll(&mut self) -> Poll<web_sys::Response> {
        CURRENT.replace(Some(Rc::clone(&self.suspension)));
        let outcome = self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&self.relay))));
        CURRENT.take();
        outcome
    }

    /// Continues the request as a promise.
    fn promise(mut self) -> Promise {
        self.suspension.is_available.set(false);
        let rest = poll_fn(move |context| {
            self.relay.follow(context.waker());
            self.poll().map(|response| Ok(response.into()))
        });
        let promise = future_to_promise(AssertUnwindSafe(rest));
        bridge::abortable(promise.clone()).unwrap_or(promise)
    }
}

thread_local! {
    /// That of the request that is being polled.
    static CURRENT: RefCell<Option<Rc<Suspension>>> = const { RefCell::new(None) };
    /// Suspended requests with their numbers; those in front have waited longer.
    static WAITING: RefCell<VecDeque<(u32, Request)>> = const { RefCell::new(VecDeque::new()) };
    /// Those among them that are resumed even if their clients disconnect.
    static KEPT_ALIVE: RefCell<VecDeque<(u32, Request)>> = const { RefCell::new(VecDeque::new()) };
    static LAST_NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// Lets JavaScript call [`resume`]; once per isolate.
pub fn prepare() {
    let resume = Closure::<dyn Fn(u32, JsValue) -> JsValue>::new(resume);
    // It sets a variable of the bridge, and nothing else.
    let _ = bridge::on_resume(&resume.into_js_value());
}

/// Runs a request as far as it goes: the response, or the promise of one.
pub fn run(future: LocalBoxFuture<'static, web_sys::Response>) -> JsValue {
    let suspension = Suspension { is_available: Cell::new(true), ..Suspension::default() };
    proceed(Request { future, suspension: Rc::new(suspension), relay: Arc::default() })
}

/// Continues a request with the value that it was suspended for.
fn resume(number: u32, value: JsValue) -> JsValue {
    let found = [&WAITING, &KEPT_ALIVE].into_iter().find_map(|list| {
        list.with_borrow_mut(|waiting| {
            let place = waiting.iter().position(|(its_number, _)| *its_number == number)?;
            waiting.remove(place)
        })
    });
    match found {
        Some((_, request)) => {
            request.suspension.value.replace(Some(value));
            proceed(request)
        }
        None => crate::cloudflare::response::to_js(Response::empty(503).with_header("retry-after", "1")).into(),
    }
}

fn proceed(mut request: Request) -> JsValue {
    if let Poll::Ready(response) = request.poll() {
        return response.into();
    }
    let promise = request.suspension.promise.take();
    match promise {
        Some(promise) => bridge::suspend(wait(request), promise).into(),
        None => request.promise().into(),
    }
}

/// Suspends a request; returns the number to resume it by.
fn wait(request: Request) -> u32 {
    let number = LAST_NUMBER.get().wrapping_add(1);
    LAST_NUMBER.set(number);
    if request.suspension.is_kept_alive.get() {
        KEPT_ALIVE.with_borrow_mut(|waiting| waiting.push_back((number, request)));
        return number;
    }
    let forgotten = WAITING.with_borrow_mut(|waiting| {
        let oldest = if waiting.len() < MAX_WAITING { None } else { waiting.pop_front() };
        waiting.push_back((number, request));
        oldest
    });
    // Dropped here, outside of the borrow: its destructors may suspend or resume others.
    drop(forgotten);
    number
}
