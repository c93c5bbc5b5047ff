//! What tests have in place of the platform.

use std::{cell::Cell, time::Duration};

use futures_util::future::LocalBoxFuture;
use mcp_edge_runtime::ports::Runtime;

/// Counts instead of drawing at random.
#[derive(Debug, Default)]
pub struct Counter(Cell<u8>);

impl Runtime for Counter {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        unreachable!("nothing here waits")
    }

    fn random(&self, buffer: &mut [u8]) {
        self.0.set(self.0.get() + 1);
        buffer.fill(self.0.get());
    }
}
