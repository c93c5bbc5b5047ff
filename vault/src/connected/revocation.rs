//! Revocation at the service (RFC 7009) of tokens that are used no more: at once, and by the alarm for a day.
//!
//! What is to be revoked stands in the table before the service is asked, and an alarm is set before that, so that after a crash
//! it is done then. All of it can be repeated: a token that the service does not know counts as revoked there.

use mcp_edge_runtime::{
    alarm::Alarms,
    json::Object,
    ports::{OperatorLog, Runtime},
    sql::{SqlError, SqlStorage},
};

use super::{
    context::{AccountsError, Context},
    departures,
    message::Revocation,
    record::{Departure, Tokens},
    rows::delete_hold,
    rules::{MIN_PAUSE, due, is_held, is_over, may_revoke, pause},
};
use crate::{
    lease::timed,
    owner::Owner,
    secrets::connections::Purpose,
    service::{AuthorizationServers, Issued, ServiceError},
};

/// Revokes what is due, each thing once: everything, or `only` those with these ids. What somebody waits for does not wait for
/// the rest, which may be of other services.
pub(super) async fn revoke_due<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    only: Option<&[&str]>,
    clock: &impl Fn() -> u64,
) -> Result<(), AccountsError> {
    let is_meant = |departure: &Departure| only.is_none_or(|ids| ids.contains(&&*departure.id));
    for departure in context.departures.all()?.into_iter().filter(is_meant) {
        if departure.state != Revocation::Pending || clock() < departure.next_try {
            continue;
        }
        // Another request may have done it while this one awaited.
        if let Some(departure) = context.departures.get(&departure.id)?
            && departure.state == Revocation::Pending
        {
            revoke(context, owner, &departure, clock).await?;
        }
    }
    Ok(())
}

async fn revoke<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    departure: &Departure,
    clock: &impl Fn() -> u64,
) -> Result<(), AccountsError> {
    let Departure { id, connection, account: of, client_id, from, .. } = departure;
    let (account, hold) = (context.rows.account(connection)?, context.rows.hold(connection)?);
    let account = account.filter(|account| account.ended_at.is_none()).map(|account| account.tokens);
    let kept = account.into_iter().chain(hold.map(|hold| hold.tokens)).collect::<Vec<Tokens>>();
    if !may_revoke(of.as_ref(), client_id, &kept) {
        context.departures.end(id, Revocation::NotOffered, clock())?;
        return Ok(());
    }
    if context.servers.leads_elsewhere(connection, from) {
        return leave(context, departure, clock());
    }
    // To revoke a refresh token ends the grant, and its access tokens with it (RFC 7009 §2.1): a service need not revoke those by
    // themselves. What cannot be opened any more is not revoked.
    let mut has_ended = departure.is_refresh_revoked;
    let sealed = [(&departure.refresh_sealed, true), (&departure.access_sealed, false)];
    for (sealed, is_refresh_token) in sealed {
        let Some(opened) = sealed.as_ref().and_then(|it| context.open(it, Purpose::Revocation, owner, connection))
        else {
            continue;
        };
        let issued = Issued { connection, client_id, from };
        let revoked = timed(context.services, context.servers.revoke(issued, &opened.plain, clock())).await;
        let no_answer = || Err(ServiceError::Unavailable(String::new()));
        match revoked.unwrap_or_else(no_answer) {
            Ok(true) if is_refresh_token => {
                context.departures.refresh_revoked(id)?;
                has_ended = true;
            }
            Ok(true) => has_ended |= departure.refresh_sealed.is_none(),
            Ok(false) => break,
            Err(ServiceError::AnotherService(_)) => return leave(context, departure, clock()),
            Err(_) => {
                let at = clock() + pause(departure.tries);
                context.departures.try_again(id, at)?;
                context.wake_by(at).await?;
                return Ok(());
            }
        }
    }
    let state = if has_ended { Revocation::Revoked } else { Revocation::NotOffered };
    Ok(context.departures.end(id, state, clock())?)
}

/// Forgets tokens of a service that the connection leads to no more: another one is not to see them.
fn leave<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    departure: &Departure,
    now: u64,
) -> Result<(), AccountsError> {
    warn(context, departure, "were not revoked: CONNECTIONS leads to another service, or another issuer, by now");
    Ok(context.departures.end(&departure.id, Revocation::NotOffered, now)?)
}

fn warn<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    departure: &Departure,
    why: &str,
) {
    let warning = ["the tokens of a disconnected account ", why].concat();
    let line = Object::new().text("warning", &warning).text("connection", &departure.connection);
    context.services.error(&line.close());
}

/// Does everything that is due, and sets the next alarm.
pub(super) async fn wake<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    clock: &impl Fn() -> u64,
) -> Result<(), AccountsError> {
    context.rows.migrate()?;
    let Some(owner) = context.rows.owner()? else { return Ok(()) };
    // The platform repeats the alarm of a crash six times; after that, this one is left.
    context.wake_by(clock() + MIN_PAUSE).await?;
    expire_holds(context, &owner, clock())?;
    revoke_due(context, &owner, None, clock).await?;
    let now = clock();
    for departure in context.departures.all()?.iter().filter(|departure| is_over(departure, now)) {
        if departure.state == Revocation::Pending {
            warn(context, departure, "could not be revoked at the service within a day");
        }
        context.departures.forget(&departure.id)?;
    }
    let links = context.links.sweep(now)?;
    match next_due(context)?.into_iter().chain(links).min() {
        Some(at) => context.storage.set_alarm(at.max(now + MIN_PAUSE).saturating_mul(1000)).await?,
        None => context.storage.delete_alarm().await?,
    }
    Ok(())
}

/// When there is something to be done next for what is held and what has left, in seconds since 1970.
pub(super) fn next_due<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
) -> Result<Option<u64>, SqlError> {
    let holds = context.rows.holds()?.into_iter().map(|hold| hold.until);
    Ok(context.departures.all()?.iter().map(due).chain(holds).min())
}

/// Nobody has confirmed them: they are given back.
fn expire_holds<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    now: u64,
) -> Result<(), AccountsError> {
    for hold in context.rows.holds()?.iter().filter(|hold| !is_held(hold, now)) {
        let departure = context.departure(&hold.id, &hold.connection, &hold.tokens, owner, now);
        let mut statements = vec![delete_hold(hold)];
        statements.extend(departure.as_ref().map(departures::put));
        context.rows.write(statements)?;
    }
    Ok(())
}
