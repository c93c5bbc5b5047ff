//! The lease of a client that is being changed: one change at a time, at all locations.
//!
//! A change is several calls of the provider, and another one between them would leave a client of two versions. The
//! ledger locks the client for [`LEASE_SECONDS`](crate::ledger::LEASE_SECONDS). The holder renews that while it works, so a
//! change may take longer, and one whose isolate is gone holds others up for so long and no more.
//!
//! A holder that cannot renew stops before another can begin. After the ledger has renewed a lease, its answer may take ten
//! seconds; then come `MAX_MISSES` times `RENEWAL` and a question that is repeated once, at most twenty seconds each; the
//! call of the provider that is in progress ends within five. That is 75 of 120 seconds. What remains possible is a request
//! that the provider carries out more than 45 seconds after its sender gave it up, or an isolate that stands still for
//! so long between two steps and sends one more. The change that has begun meanwhile writes every part of the client, and the
//! next one again, so what such a request leaves does not last.

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
        match context.platform.ledger().begin_change(&lease.id, client_id, context.now).await {
            Ok(_) => misses = 0,
            Err(ChangeError::Busy) => return,
            Err(ChangeError::Unavailable(_)) => misses += 1,
        }
    }
}
