//! Answering with one JSON document or with a stream of events (MCP 2026-07-28, basic/transports/streamable-http).
//!
//! A handler runs until it is done or has something to say before. In the first case the answer is JSON with the right
//! status. In the second it is an event stream, whose status is 200 in any case: so everything that has another
//! status is decided before a handler runs, as far as that is possible. A handler that is silent for longer than
//! [`KEEP_ALIVE`] gets a stream, too, so that comment lines can keep the connection open.
//!
//! The stream drives the handler. If nobody reads it any more, both are dropped: that is cancellation.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, future::LocalBoxFuture, stream::StreamExt};

use crate::{limits::KEEP_ALIVE, notification::Outbox};
use mcp_edge_protocol::outcome::{Outcome, Rendered};
use mcp_edge_runtime::{
    http::{Body, Response},
    ports::Runtime,
};

/// A handler at work.
pub(crate) struct Work {
    pub answer: LocalBoxFuture<'static, Rendered>,
    pub outbox: Rc<Outbox>,
}

/// How many streams are open, and how many may be.
#[derive(Clone)]
pub(crate) struct Slots {
    open: Rc<Cell<usize>>,
    limit: usize,
}

/// A stream that is open until this is dropped.
struct Slot(Rc<Cell<usize>>);

impl Slots {
    pub fn new(limit: usize) -> Self {
        Self { open: Rc::default(), limit }
    }

    fn take(&self) -> Option<Slot> {
        (self.open.get() < self.limit).then(|| {
            self.open.set(self.open.get() + 1);
            Slot(Rc::clone(&self.open))
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Runs the handler until its answer can begin. `slots` are none if the client takes no streams. A stream is dropped when
/// its client disconnects if that means `cancel_on_disconnect`.
pub(crate) async fn respond(
    work: Work,
    runtime: Rc<dyn Runtime>,
    slots: Option<&Slots>,
    cancel_on_disconnect: bool,
) -> (Response, Outcome) {
    let Work { mut answer, outbox } = work;
    let Some(slot) = slots.and_then(Slots::take) else {
        outbox.close();
        let rendered = answer.await;
        let outcome = rendered.outcome;
        return (rendered.into_response(), outcome);
    };
    let mut silence = None;
    let early = poll_fn(|context| {
        if let Poll::Ready(rendered) = answer.as_mut().poll(context) {
            return Poll::Ready(Some(rendered));
        }
        if !outbox.is_empty() {
            return Poll::Ready(None);
        }
        // The timer starts only now: most handlers are done at once and need none.
        silence.get_or_insert_with(|| runtime.sleep(KEEP_ALIVE)).as_mut().poll(context).map(|()| None)
    })
    .await;
    if let Some(rendered) = early {
        let outcome = rendered.outcome;
        return (rendered.into_response(), outcome);
    }
    let events = Events { answer: Some(answer), outbox, silence: None, runtime, first: true, _slot: slot };
    let response = Response {
        status: 200,
        headers: vec![
            ("content-type", "text/event-stream".into()),
            ("x-content-type-options", "nosniff".into()),
            ("cache-control", "no-cache, no-transform".into()),
            // For the proxies that would collect the events otherwise.
            ("x-accel-buffering", "no".into()),
        ],
        body: Body::Stream { chunks: events.boxed_local(), cancel_on_disconnect },
    };
    (response, Outcome::Streaming)
}

/// The events of one answer.
struct Events {
    /// None when the answer is out.
    answer: Option<LocalBoxFuture<'static, Rendered>>,
    outbox: Rc<Outbox>,
    silence: Option<LocalBoxFuture<'static, ()>>,
    runtime: Rc<dyn Runtime>,
    first: bool,
    _slot: Slot,
}

impl Stream for Events {
    type Item = String;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<String>> {
        let this = self.get_mut();
        let Some(answer) = &mut this.answer else { return Poll::Ready(None) };
        // What was said before the stream began goes out before the handler goes on: it waits for that.
        let done = if this.first && !this.outbox.is_empty() { Poll::Pending } else { answer.as_mut().poll(context) };
        this.first = false;

        let mut chunk: String = this.outbox.take().iter().map(|message| event(message)).collect();
        if let Poll::Ready(rendered) = done {
            chunk.push_str(&event(rendered.body.as_deref().unwrap_or_default()));
            this.answer = None;
            return Poll::Ready(Some(chunk));
        }
        if !chunk.is_empty() {
            this.silence = None;
            return Poll::Ready(Some(chunk));
        }
        let silence = this.silence.get_or_insert_with(|| this.runtime.sleep(KEEP_ALIVE));
        if silence.as_mut().poll(context).is_ready() {
            this.silence = None;
            return Poll::Ready(Some(": keepalive\n\n".to_owned()));
        }
        Poll::Pending
    }
}

/// An event with one JSON document, which is on one line.
fn event(json: &str) -> String {
    ["event: message\ndata: ", json, "\n\n"].concat()
}

/// What `work` comes to, or none if it takes longer than `limit`; then it is dropped.
pub(crate) async fn within<T>(
    limit: Duration,
    runtime: &Rc<dyn Runtime>,
    mut work: LocalBoxFuture<'static, T>,
) -> Option<T> {
    let mut alarm = None;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => alarm.get_or_insert_with(|| runtime.sleep(limit)).as_mut().poll(context).map(|()| None),
    })
    .await
}
