//! The services of an isolate, played by the world.

use std::{cell::Cell, future::poll_fn, rc::Rc, task::Poll, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_runtime::{
    context::Connection,
    crypto::{Algorithm, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, RequestContent, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
};

use super::{super::signatures, Answer, Received, World};

impl Fetch for World {
    async fn fetch(&self, call: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        self.note_event();
        self.0.received.borrow_mut().push(Received {
            at: self.now(),
            url: call.url.to_owned(),
            authorization: call.authorization.map(str::to_owned),
            form: match call.body {
                RequestContent::Form(form) => Some(form.to_owned()),
                RequestContent::Empty | RequestContent::Json(_) => None,
            },
        });
        let look_up = || self.0.answers.borrow().get(call.url).cloned();
        let mut answer = look_up().unwrap_or_else(|| Answer::Reply(404, "not found".to_owned()));
        loop {
            answer = match answer {
                Answer::Reply(status @ 300..=399, _) => return Err(FetchError::Redirect(status)),
                Answer::Reply(_, body) if body.len() > call.max_body => {
                    return Err(FetchError::TooLarge(call.max_body));
                }
                Answer::Reply(status, body) => return Ok(HttpResponse { status, challenge: String::new(), body }),
                Answer::Down => return Err(FetchError::Network("connection refused".to_owned())),
                Answer::After(milliseconds, _) if Duration::from_millis(milliseconds) > call.timeout => {
                    self.sleep(call.timeout).await;
                    return Err(FetchError::Timeout(call.timeout));
                }
                Answer::After(milliseconds, then) => {
                    self.sleep_milliseconds(milliseconds).await;
                    *then
                }
                Answer::Hang => {
                    poll_fn(|_| if self.0.released.get() { Poll::Ready(()) } else { Poll::Pending }).await;
                    look_up().filter(|answer| !matches!(answer, Answer::Hang)).unwrap_or(Answer::Down)
                }
            }
        }
    }
}

impl Store for World {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.note_event();
        self.0.store_reads.set(self.0.store_reads.get() + 1);
        self.sleep_milliseconds(self.0.store_latency.get()).await;
        if self.0.store_is_down.get() {
            return Err(StoreError("the store is down".to_owned()));
        }
        let stored = self.0.stored.borrow();
        Ok(stored.get(key).filter(|(_, until)| self.now() < *until).map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError> {
        self.note_event();
        self.0.store_writes.set(self.0.store_writes.get() + 1);
        if self.0.store_is_down.get() {
            return Err(StoreError("the store is down".to_owned()));
        }
        self.0.stored.borrow_mut().insert(key.to_owned(), (value.to_owned(), self.now() + ttl.as_secs()));
        Ok(())
    }
}

impl SignatureVerifier for World {
    async fn verify(
        &self,
        key: &impl VerificationKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        self.0.verifications.set(self.0.verifications.get() + 1);
        if self.0.pretend_signatures.get() {
            return Ok(signature == signatures::pretend(&key.thumbprint(), message));
        }
        signatures::verify(key, algorithm, message, signature)
    }
}

impl Runtime for World {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.sleep_milliseconds(u64::try_from(duration.as_millis()).expect("a short time"))
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(4); // Chosen by a fair dice roll. No test depends on it.
    }
}

impl Background for World {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        self.note_event();
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        self.0.background.borrow_mut().push(work.map(move |()| end.set(true)).boxed_local());
        poll_fn(move |_| if ended.get() { Poll::Ready(()) } else { Poll::Pending }).boxed_local()
    }
}

impl Connection for World {
    fn address(&self) -> Option<String> {
        Some("192.0.2.1".to_owned())
    }
}

impl OperatorLog for World {
    fn info(&self, line: &str) {
        panic!("{line}");
    }

    fn error(&self, line: &str) {
        self.0.warnings.borrow_mut().push(line.to_owned());
    }
}

impl FailureLimit for World {
    async fn count_failure(&self, _address: &str) -> bool {
        self.0.failures.set(self.0.failures.get() + 1);
        self.0.too_many_failures.get()
    }
}
