//! The one refresh at a time of an account.
//!
//! The attempt stands in the row before anything is sent. What it obtains is written in one statement before anybody is
//! answered, and only while the attempt is still its own and the account still the one that it was begun for. Only the service's
//! definite refusal ends an account: an outage, trouble with our own client and an unknown outcome leave it as it is, and a
//! later use repeats with the same refresh token.

use mcp_edge_runtime::{
    alarm::Alarms,
    ports::{OperatorLog, Runtime},
    secret::Secret,
    sql::SqlStorage,
};
use mcp_edge_sign_in::random_text::random_text;

use super::{
    context::{AccountsError, Context},
    departures,
    message::Revocation,
    record::{AccessToken, Account, Departure},
    revocation::revoke_due,
    rules::{is_subset, offered_of, seconds_of_use},
};
use crate::{
    lease::{ATTEMPT_SECONDS, Attempt, REFRESH_SECONDS, SPARED_SECONDS, timed},
    owner::Owner,
    secrets::connections::Purpose,
    service::{AuthorizationServers, Issued, Narrowing, RefreshError, ServiceError, ServiceTokens},
};

/// What has become of a refresh.
pub(super) enum After {
    /// An access token, and what it may do.
    Token(Secret, String),
    /// The refresh token was sealed with another secret, or goes with settings that have changed since: the account has to be
    /// connected anew.
    Sealed,
    /// The connection leads to another service by now, to which nothing was sent: an account of it has to be connected.
    Elsewhere,
    /// It is not known.
    Unavailable {
        /// Seconds.
        retry_after: u64,
        /// For the operator.
        cause: String,
    },
    /// Something else has happened to the account meanwhile.
    LookAgain,
}

/// Carries out a refresh, for as much of what was granted as is `offered`. `clock` says the time of now.
pub(super) async fn refresh<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    account: &Account,
    offered: &[String],
    clock: &impl Fn() -> u64,
) -> Result<After, AccountsError> {
    let begun = clock();
    let (connection, tokens) = (account.connection.as_str(), &account.tokens);
    let sent_sealed = tokens.refresh_sealed.as_deref().unwrap_or_default();
    let Some(sent) = context.open(sent_sealed, Purpose::Account, owner, connection) else { return Ok(After::Sealed) };
    // At once: the service may go on with the same refresh token, and the earlier secret may be gone before it can be asked.
    let anew = if sent.is_old { context.seal(&sent.plain, Purpose::Account, owner, connection) } else { None };
    let sent_sealed = match &anew {
        Some(anew) if context.rows.replace(account, sent_sealed, anew)? => anew,
        _ => sent_sealed,
    };
    let sent = sent.plain;
    let scopes = offered_of(&tokens.scopes, offered);
    let attempt = Attempt { id: random_text(context.services), until: begun + ATTEMPT_SECONDS };
    context.rows.begin(account, &attempt)?;
    let issued = Issued { connection, client_id: &tokens.client_id, from: &tokens.from };
    let narrowing = Narrowing { granted: &tokens.scopes, wanted: &scopes };
    let work = context.servers.refresh(issued, &sent, narrowing, begun);
    let outcome = timed(context.services, work).await.unwrap_or_else(|| {
        Err(ServiceError::Unavailable(format!("no complete answer of the service within {REFRESH_SECONDS} s")).into())
    });
    let now = clock();
    // Many services repeat the refresh token that they were sent.
    let is_new = |new: &Secret| new.expose() != sent.expose();
    let error = match outcome {
        Ok(refreshed) if !scopes.is_empty() && !is_subset(&refreshed.scopes, &scopes) => {
            let error = ServiceError::WiderScopes("the service granted scopes that were not asked for".to_owned());
            RefreshError { error, refresh_token: refreshed.refresh_token }
        }
        Ok(mut refreshed) => {
            refreshed.refresh_token.take_if(|new| !is_new(new));
            return keep(context, owner, account, (&attempt, sent_sealed), refreshed, (begun.min(now), now), clock)
                .await;
        }
        Err(error) => error,
    };
    // The access token is refused and never given out. The refresh token beside it is the only one that the service takes from
    // now on: without it the next refresh would end the account.
    if let Some(new) = error.refresh_token.filter(is_new) {
        let is_there = keep_refresh_token(context, owner, account, sent_sealed, &new)?;
        if !is_there {
            depart(context, owner, account, (Some(&new), None), now, clock).await?;
        }
    }
    match error.error {
        ServiceError::Ended => {
            if context.rows.end_by_service(account, &attempt, sent_sealed, now)? {
                context.has_ended(account, owner);
            } else {
                context.rows.abandon(account, &attempt)?;
            }
            Ok(After::LookAgain)
        }
        ServiceError::AnotherService(_) => {
            context.rows.abandon(account, &attempt)?;
            Ok(After::Elsewhere)
        }
        ServiceError::Superseded(_) => {
            context.rows.abandon(account, &attempt)?;
            Ok(After::Sealed)
        }
        error => {
            let cause = error.to_string();
            context.rows.fail(account, &attempt, now + SPARED_SECONDS, &cause)?;
            Ok(match context.rows.account(connection)? {
                Some(after) if after.hold == account.hold => After::Unavailable { retry_after: SPARED_SECONDS, cause },
                _ => After::LookAgain,
            })
        }
    }
}

/// Writes what was obtained. `begun` is when the refresh began: what is kept is never younger than it seems.
async fn keep<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    account: &Account,
    (attempt, sent_sealed): (&Attempt, &str),
    refreshed: ServiceTokens,
    (begun, now): (u64, u64),
    clock: &impl Fn() -> u64,
) -> Result<After, AccountsError> {
    let connection = account.connection.as_str();
    let seal = |plain: &Secret| context.seal(plain, Purpose::Account, owner, connection);
    let seconds = seconds_of_use(refreshed.until, true, begun);
    let access = seal(&refreshed.access_token).map(|sealed| AccessToken {
        sealed,
        seconds,
        until: begun + seconds.unwrap_or_default(),
    });
    let refresh_sealed = refreshed.refresh_token.as_ref().and_then(seal);
    if context.rows.keep(account, attempt, access, refresh_sealed.as_deref(), &refreshed.scopes)? {
        return Ok(After::Token(refreshed.access_token, refreshed.scopes));
    }
    // Another attempt has taken the place of this one, or the account is not there any more.
    let is_there = match &refreshed.refresh_token {
        Some(new) => keep_refresh_token(context, owner, account, sent_sealed, new)?,
        None => is_connected(context, account)?,
    };
    if !is_there {
        let came = (refreshed.refresh_token.as_ref(), Some(&refreshed.access_token));
        depart(context, owner, account, came, now, clock).await?;
    }
    Ok(After::LookAgain)
}

/// Puts a refresh token in the place of the one that was sent, unless a newer one is there. Says whether the account is still
/// connected: its refresh token is never revoked, as that would end the account.
fn keep_refresh_token<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    account: &Account,
    sent_sealed: &str,
    new: &Secret,
) -> Result<bool, AccountsError> {
    if let Some(sealed) = context.seal(new, Purpose::Account, owner, &account.connection) {
        context.rows.replace(account, sent_sealed, &sealed)?;
    }
    is_connected(context, account)
}

fn is_connected<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    account: &Account,
) -> Result<bool, AccountsError> {
    let current = context.rows.account(&account.connection)?;
    Ok(current.is_some_and(|current| current.hold == account.hold && current.ended_at.is_none()))
}

/// Revokes the refresh and the access token that came for an account that is not there any more: it was disconnected, and its
/// earlier refresh token revoked or about to be.
async fn depart<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    account: &Account,
    (refresh, access): (Option<&Secret>, Option<&Secret>),
    now: u64,
    clock: &impl Fn() -> u64,
) -> Result<(), AccountsError> {
    let connection = account.connection.as_str();
    let seal = |token: &Secret| context.seal(token, Purpose::Revocation, owner, connection);
    let departure = Departure {
        id: random_text(context.services),
        connection: connection.to_owned(),
        name: account.tokens.name.clone(),
        account: account.tokens.account.clone(),
        client_id: account.tokens.client_id.clone(),
        from: account.tokens.from.clone(),
        refresh_sealed: refresh.and_then(seal),
        access_sealed: access.and_then(seal),
        since: now,
        state: Revocation::Pending,
        tries: 0,
        next_try: now,
        is_refresh_revoked: false,
    };
    context.rows.write(vec![departures::put(&departure)])?;
    context.wake_by(now).await?;
    revoke_due(context, owner, Some(&[&departure.id]), clock).await
}
