//! The rules of admission, as functions over rows. Each reads, decides and writes once, and awaits nothing.

use mcp_edge_runtime::sql::SqlError;

use super::{
    Admission, LEASE_SECONDS, RESERVATION_SECONDS, TokenUses,
    rows::{Change, Client, Reservation, Rows, Write},
};

/// How long the store may show older metadata than the last change wrote, with a margin: a location keeps what it has
/// read for a minute.
pub const VISIBLE_SECONDS: u64 = 10 * 60;

/// Why an operation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The clients of earlier versions are not counted yet.
    #[error("the clients of earlier versions are not imported")]
    NotImported,
    /// A count has reached its limit.
    #[error("a count has reached its limit for {retry_after} seconds")]
    TooMany {
        /// Seconds until there may be another.
        retry_after: u64,
    },
    /// There is no room.
    #[error("there is no room")]
    Full,
    /// The developer has as many clients as anybody may have.
    #[error("the developer has {limit} clients")]
    Quota {
        /// The limit.
        limit: u32,
    },
    /// Another change is in progress.
    #[error("another change is in progress")]
    Busy,
    /// There is no such reservation: it has ended.
    #[error("the reservation has ended")]
    Ended,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] SqlError),
}

/// Reserves a use of a token. `false`: none is left.
///
/// # Errors
/// [`Refusal`].
pub fn take_use(rows: &impl Rows, id: &str, uses: &TokenUses, now: u64) -> Result<bool, Refusal> {
    check_imported(rows)?;
    let known = rows.reservation(id, now)?.unwrap_or_default();
    if known.token.is_some() {
        return Ok(true);
    }
    if rows.uses(&uses.token, now)? >= uses.total {
        return Ok(false);
    }
    let token = Some((uses.token.clone(), uses.expires_at));
    let reservation = Reservation { token, until: now + RESERVATION_SECONDS, ..known };
    rows.write(vec![Write::Reservation(id.to_owned(), reservation)])?;
    Ok(true)
}

/// Reserves room for a client: (1) rates, (2) the developer's quota, (3) the total.
///
/// # Errors
/// [`Refusal`]; then nothing is counted.
pub fn admit(rows: &impl Rows, id: &str, admission: &Admission, now: u64) -> Result<(), Refusal> {
    check_imported(rows)?;
    let known = rows.reservation(id, now)?.unwrap_or_default();
    if known.is_admitted {
        return Ok(());
    }
    // (1)
    let mut writes = Vec::new();
    for (key, limit) in &admission.rates {
        let counted = rows.window(key)?.count(now, *limit).map_err(|retry_after| Refusal::TooMany { retry_after })?;
        writes.push(Write::Window(key.clone(), counted));
    }
    let owner = admission.owner.as_ref().map(|(owner, _)| owner.clone());
    let occupied = rows.occupied(owner.as_deref(), now)?;
    // (2)
    if let Some((_, limit)) = admission.owner
        && occupied.of_owner >= limit
    {
        return Err(Refusal::Quota { limit });
    }
    // (3)
    if occupied.total >= admission.capacity {
        return Err(Refusal::Full);
    }
    let reservation = Reservation { is_admitted: true, owner, until: now + RESERVATION_SECONDS, ..known };
    writes.push(Write::Reservation(id.to_owned(), reservation));
    Ok(rows.write(writes)?)
}

/// Turns a reservation into a client.
///
/// # Errors
/// [`Refusal::Ended`] if there is no such reservation any more, unless it has led to this client before.
pub fn settle(rows: &impl Rows, id: &str, client_id: &str, now: u64) -> Result<(), Refusal> {
    let Some(Reservation { is_admitted, owner, token, .. }) = rows.reservation(id, now)? else {
        return if rows.has_client(client_id)? { Ok(()) } else { Err(Refusal::Ended) };
    };
    let mut writes = vec![Write::NoReservation(id.to_owned())];
    if is_admitted {
        writes.push(Write::Client(Client { id: client_id.to_owned(), owner, registered_at: now }));
    }
    if let Some((token, expires_at)) = token {
        writes.push(Write::Use { token, client_id: client_id.to_owned(), expires_at });
    }
    Ok(rows.write(writes)?)
}

/// Counts one more under `key`.
///
/// # Errors
/// [`Refusal`].
pub fn count(rows: &impl Rows, key: &str, limit: u32, now: u64) -> Result<(), Refusal> {
    let counted = rows.window(key)?.count(now, limit).map_err(|retry_after| Refusal::TooMany { retry_after })?;
    Ok(rows.write(vec![Write::Window(key.to_owned(), counted)])?)
}

/// Begins a change, and gives the metadata that the last one wrote, if the store may not show it everywhere yet.
///
/// # Errors
/// [`Refusal::Busy`] while another one is in progress.
pub fn begin_change(rows: &impl Rows, id: &str, client_id: &str, now: u64) -> Result<Option<String>, Refusal> {
    let known = rows.change(client_id)?;
    if now < known.until && known.id != id {
        return Err(Refusal::Busy);
    }
    let metadata = known.metadata.filter(|_| now < known.written_at + VISIBLE_SECONDS);
    let change = Change {
        id: id.to_owned(),
        until: now + LEASE_SECONDS,
        metadata: metadata.clone(),
        written_at: known.written_at,
    };
    rows.write(vec![Write::Change(client_id.to_owned(), change)])?;
    Ok(metadata)
}

/// Renews the lease of a change. It may have run out, as long as no other change has begun.
///
/// # Errors
/// [`Refusal::Busy`] if the change has ended, or another one has begun: a lost lease does not come back.
pub fn renew_change(rows: &impl Rows, id: &str, client_id: &str, now: u64) -> Result<(), Refusal> {
    let known = rows.change(client_id)?;
    if known.id != id {
        return Err(Refusal::Busy);
    }
    let renewed = Change { until: now + LEASE_SECONDS, ..known };
    Ok(rows.write(vec![Write::Change(client_id.to_owned(), renewed)])?)
}

/// Ends a change. One that has lost its lease to another changes nothing.
///
/// # Errors
/// [`Refusal::Storage`].
pub fn end_change(
    rows: &impl Rows,
    id: &str,
    client_id: &str,
    written: Option<String>,
    now: u64,
) -> Result<(), Refusal> {
    let known = rows.change(client_id)?;
    if known.id != id {
        return Ok(());
    }
    let ended = match written {
        Some(metadata) => Change { metadata: Some(metadata), written_at: now, ..Change::default() },
        None => Change { id: String::new(), until: 0, ..known },
    };
    Ok(rows.write(vec![Write::Change(client_id.to_owned(), ended)])?)
}

fn check_imported(rows: &impl Rows) -> Result<(), Refusal> {
    if rows.is_imported()? { Ok(()) } else { Err(Refusal::NotImported) }
}
