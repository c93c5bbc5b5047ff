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
    rules::{offered_of, seconds_of_use},
};
use crate::{
    lease::{ATTEMPT_SECONDS, Attempt, REFRESH_SECONDS, SPARED_SECONDS, timed},
    owner::Owner,
    secrets::connections::Purpose,
    service::{AuthorizationServers, Issued, Narrowing, RefreshFailure, ServiceError, ServiceTokens},
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
        let late = format!("no complete answer of the service within {REFRESH_SECONDS} s");
        Err(ServiceError::Unavailable(late).into())
    });
    let now = clock();
    let outcome = match outcome {
        Ok(refreshed) => Ok(refreshed),
        Err(RefreshFailure { error, rotated }) => {
            let sealed = rotated.and_then(|rotated| context.seal(&rotated, Purpose::Account, owner, connection));
            if let Some(sealed) = &sealed {
                context.rows.replace(account, sent_sealed, sealed)?;
            }
            Err(error)
        }
    };
    match outcome {
        Ok(mut refreshed) => {
            // Many services repeat the refresh token that they were sent.
            refreshed.refresh_token.take_if(|new| new.expose() == sent.expose());
            keep(context, owner, account, (&attempt, sent_sealed), refreshed, (begun.min(now), now), clock).await
        }
        Err(ServiceError::Ended) => {
            if context.rows.end_by_service(account, &attempt, sent_sealed, now)? {
                context.has_ended(account, owner);
            } else {
                context.rows.abandon(account, &attempt)?;
            }
            Ok(After::LookAgain)
        }
        Err(ServiceError::AnotherService(_)) => {
            context.rows.abandon(account, &attempt)?;
            Ok(After::Elsewhere)
        }
        Err(ServiceError::Superseded(_)) => {
            context.rows.abandon(account, &attempt)?;
            Ok(After::Sealed)
        }
        Err(error) => {
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
    let seal = |plain: &Secret, purpose| context.seal(plain, purpose, owner, connection);
    let seconds = seconds_of_use(refreshed.until, true, begun);
    let access = seal(&refreshed.access_token, Purpose::Account).map(|sealed| AccessToken {
        sealed,
        seconds,
        until: begun + seconds.unwrap_or_default(),
    });
    let refresh_sealed = refreshed.refresh_token.as_ref().and_then(|new| seal(new, Purpose::Account));
    if context.rows.keep(account, attempt, access, refresh_sealed.as_deref(), &refreshed.scopes)? {
        return Ok(After::Token(refreshed.access_token, refreshed.scopes));
    }
    // Another attempt has taken the place of this one, or the account is not there any more. The refresh token of an account that
    // is still there is kept unless a newer one is, and never revoked: that would end the account.
    if let Some(refresh_sealed) = &refresh_sealed {
        context.rows.replace(account, sent_sealed, refresh_sealed)?;
    }
    let is_there = context.rows.account(connection)?;
    if is_there.is_some_and(|current| current.hold == account.hold && current.ended_at.is_none()) {
        return Ok(After::LookAgain);
    }
    // It was disconnected, and its earlier refresh token revoked or about to be: so is what came now.
    let departure = Departure {
        id: random_text(context.services),
        connection: connection.to_owned(),
        name: account.tokens.name.clone(),
        client_id: account.tokens.client_id.clone(),
        from: account.tokens.from.clone(),
        refresh_sealed: refreshed.refresh_token.as_ref().and_then(|new| seal(new, Purpose::Revocation)),
        access_sealed: seal(&refreshed.access_token, Purpose::Revocation),
        since: now,
        state: Revocation::Pending,
        tries: 0,
        next_try: now,
        is_refresh_revoked: false,
    };
    context.rows.write(vec![departures::put(&departure)])?;
    context.wake_by(now).await?;
    revoke_due(context, owner, Some(&[&departure.id]), clock).await?;
    Ok(After::LookAgain)
}
