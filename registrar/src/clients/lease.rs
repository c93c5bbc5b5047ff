//! The lease of a client that is being changed: one change at a time, at all locations.
//!
//! A change is several calls of the provider, and another one between them would leave a client of two versions. The
//! ledger locks the client for [`LEASE_SECONDS`](crate::ledger::LEASE_SECONDS). The holder renews that while it works, so a
//! change may take longer, and one whose isolate is gone holds others up for so long and no more.
//!
//! A holder that cannot renew stops before another can begin. After the ledger has renewed a lease, its answer may take ten
//! seconds; then come `MAX_MISSES` times `RENEWAL` and a question that is repeated once, at most twenty seconds each; the
//! call of the provider that is in progress ends within five. That is 75 of 120 seconds. Once another change has begun, a
//! renewal is refused, also after that one has ended: a lost lease does not come back.
//!
//! A lease is ended before its time only if everything that its change sent last was answered. If the provider or the store
//! did not answer, or the lease was lost, it expires by itself, so that at least 45 seconds pass before another change begins.
//!
//! What remains possible is a late request:
//!
//! - one that the provider carries out more than 45 seconds after its sender gave it up, or, if it was repeated and then
//!   answered, after its change has ended;
//! - those of an isolate that stands still for longer than its lease, or that the clock of the ledger has left behind: it
//!   goes on until the answer to its next renewal, and does not notice at all if it is done before.
//!
//! Such a request leaves a part of the client as the earlier change wanted it. Every change writes all parts, so that lasts
//! until the next one.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use mcp_edge_runtime::ports::Runtime;

use super::{Context, random_id};
use crate::{
    client_metadata::ClientMetadata,
    ledger::{ChangeError, Ledger},
    platform::Platform,
};

/// How long a change waits for another change of the same client to end.
const WAIT: Duration = Duration::from_millis(250);
const MAX_WAITS: usize = 40;

/// The pause between two renewals.
const RENEWAL: Duration = Duration::from_secs(10);

/// After so many renewals in a row that failed, the holder stops.
const MAX_MISSES: usize = 2;

/// A lease, and what came with it.
pub struct Lease {
    /// Its id in the ledger.
    pub id: String,
    /// The metadata that the last change wrote, if the store may not show it yet.
    pub present: Option<ClientMetadata>,
}

/// Waits for another change of the same client, and takes a lease.
///
/// # Errors
/// [`ChangeError`].
pub async fn take<A, P: Platform>(context: &Context<'_, A, P>, client_id: &str) -> Result<Lease, ChangeError> {
    let (ledger, services) = (context.platform.ledger(), context.platform.services());
    let id = random_id(services);
    for _ in 0..MAX_WAITS {
        match ledger.begin_change(&id, client_id, context.now).await {
            Err(ChangeError::Busy) => services.sleep(WAIT).await,
            begun => return begun.map(|present| Lease { id, present }),
        }
    }
    Err(ChangeError::Busy)
}

/// Works while the lease is kept. What was begun when the lease is lost stays as it is, for the next change to write over.
///
/// # Errors
/// [`ChangeError::Busy`] if the lease is lost; otherwise what the work says.
pub async fn keep<A, P: Platform, T, E: From<ChangeError>>(
    context: &Context<'_, A, P>,
    client_id: &str,
    lease: &Lease,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match select(pin!(work), pin!(renew_until_lost(context, client_id, lease))).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => Err(ChangeError::Busy.into()),
    }
}

async fn renew_until_lost<A, P: Platform>(context: &Context<'_, A, P>, client_id: &str, lease: &Lease) {
    let mut misses = 0;
    while misses < MAX_MISSES {
        context.platform.services().sleep(RENEWAL).await;
        match context.platform.ledger().renew_change(&lease.id, client_id, context.now).await {
            Ok(()) => misses = 0,
            Err(ChangeError::Busy) => return,
            Err(ChangeError::Unavailable(_)) => misses += 1,
        }
    }
}
