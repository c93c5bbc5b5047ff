//! The one refresh at a time.
//!
//! The attempt stands in the row before anything is sent. What it obtains is written in one statement before anybody is
//! answered, and only while the attempt is still its own and the key still active. Only the provider's definite refusal
//! ends a key: an outage, trouble with our own client and an unknown outcome leave it as it is, and a later use repeats with
//! the same refresh token.
//!
//! Before the provider is asked, the store is: a key that was revoked has a marker there, so that a backup of this object
//! that is older than the revocation does not revive it. Workers KV shows a marker everywhere within 60 seconds; where the
//! store fails, nobody can say, and the answer is that it is unavailable.

use mcp_edge_runtime::{
    ports::{Runtime, Store},
    secret::Secret,
    sql::{SqlError, SqlStorage},
};
use mcp_edge_sign_in::random_text::random_text;

use super::{
    context::{Context, marker_of},
    lease::{KEPT_SECONDS, stranger},
    message::State,
    record::Record,
    rows::Kept,
};
use crate::{
    jwt::expiry_of,
    lease::{ATTEMPT_SECONDS, Attempt, REFRESH_SECONDS, SPARED_SECONDS, timed},
    provider::{Grants, RefreshError, Refreshed},
    secrets::Seal,
};

/// What has become of a refresh.
pub(super) enum After {
    /// An access token.
    Token(Secret),
    /// The provider has ended the grant just now; the row as it was.
    Ended(Box<Record>),
    /// It is not known.
    Unavailable {
        /// Seconds.
        retry_after: u64,
        /// For the operator.
        cause: String,
    },
    /// Something else has happened to the key meanwhile.
    LookAgain,
}

/// What was found out before and at the provider.
enum Outcome {
    Refreshed(Refreshed),
    HasMarker,
    Ended,
    Unavailable(String),
}

/// Carries out a refresh. `clock` says the time of now.
pub(super) async fn refresh<S: SqlStorage, G: Grants, K: Runtime + Store>(
    context: &Context<'_, S, G, K>,
    record: &Record,
    secret: &Secret,
    clock: &impl Fn() -> u64,
) -> Result<After, SqlError> {
    let now = clock();
    let sealed = record.refresh_sealed.as_deref().unwrap_or_default();
    let cause = if let Some(cause) = stranger(record, context.rules) {
        cause
    } else if let Ok(refresh_token) = Seal::refresh(secret, record.owner()).open(sealed) {
        let attempt = Attempt { id: random_text(context.services), until: now + ATTEMPT_SECONDS };
        context.rows.begin(&attempt)?;
        let outcome = timed(context.services, ask(context, record, &refresh_token, now)).await;
        let outcome = outcome.unwrap_or_else(|| {
            Outcome::Unavailable(format!("no complete answer of the provider within {REFRESH_SECONDS} s"))
        });
        // Many providers repeat the refresh token that they were sent.
        let outcome = match outcome {
            Outcome::Refreshed(mut refreshed) => {
                refreshed.refresh_token.take_if(|new| new.expose() == refresh_token.expose());
                Outcome::Refreshed(refreshed)
            }
            outcome => outcome,
        };
        return end(context, record, secret, &attempt, outcome, now, clock()).await;
    } else {
        "the refresh token cannot be opened"
    };
    context.rows.fail(None, now + SPARED_SECONDS, cause)?;
    Ok(After::Unavailable { retry_after: SPARED_SECONDS, cause: cause.to_owned() })
}

async fn ask<S: SqlStorage, G: Grants, K: Runtime + Store>(
    context: &Context<'_, S, G, K>,
    record: &Record,
    refresh_token: &Secret,
    now: u64,
) -> Outcome {
    match context.services.get(&marker_of(&record.id)).await {
        Ok(None) => {}
        Ok(Some(_)) => return Outcome::HasMarker,
        Err(error) => return Outcome::Unavailable(format!("the store of revoked keys: {error}")),
    }
    match context.grants.refresh(refresh_token, &record.key.scopes, now).await {
        Ok(refreshed) => Outcome::Refreshed(refreshed),
        Err(RefreshError::Ended) => Outcome::Ended,
        Err(RefreshError::Unavailable(cause)) => Outcome::Unavailable(cause),
    }
}

/// Writes what an attempt has come to. `begun` is when it began, so that what is kept is never younger than it seems.
async fn end<S: SqlStorage, G: Grants, K: Runtime + Store>(
    context: &Context<'_, S, G, K>,
    record: &Record,
    secret: &Secret,
    attempt: &Attempt,
    outcome: Outcome,
    begun: u64,
    now: u64,
) -> Result<After, SqlError> {
    let sent = record.refresh_sealed.as_deref().unwrap_or_default();
    match outcome {
        Outcome::HasMarker => {
            context.rows.revoke("restored backup", now)?;
            context.rows.marked()?;
            context.rows.leave_grant(None)?;
            Ok(After::LookAgain)
        }
        Outcome::Ended if context.rows.end(attempt, sent, now)? => Ok(match context.load(&record.id)? {
            Some(ended) => After::Ended(Box::new(ended)),
            None => After::LookAgain,
        }),
        Outcome::Ended => {
            context.rows.abandon(attempt)?;
            Ok(After::LookAgain)
        }
        Outcome::Unavailable(cause) => {
            context.rows.fail(Some(attempt), now + SPARED_SECONDS, &cause)?;
            Ok(match context.load(&record.id)? {
                Some(after) if after.key.state == State::Active => {
                    After::Unavailable { retry_after: SPARED_SECONDS, cause }
                }
                _ => After::LookAgain,
            })
        }
        Outcome::Refreshed(Refreshed { access_token, refresh_token }) => {
            let expiry = expiry_of(access_token.expose());
            let token_until = expiry.unwrap_or_default().min(begun.min(now) + KEPT_SECONDS);
            let seal = |seal: Seal<'_>, plain: &Secret| seal.seal(plain, context.services).ok();
            let token = (now < token_until).then(|| seal(Seal::token(secret, record.owner()), &access_token)).flatten();
            let refresh_sealed = refresh_token.as_ref().and_then(|new| {
                let grant = seal(context.secrets.grant_seal(record.owner()), new)?;
                Some((seal(Seal::refresh(secret, record.owner()), new)?, grant))
            });
            let kept = Kept {
                refresh_sealed: refresh_sealed.clone(),
                token: token.map(|token| (token, token_until)),
                at: now,
            };
            if !context.rows.keep(attempt, kept)? {
                if let (Some(refresh_token), Some(sealed)) = (refresh_token.as_ref(), &refresh_sealed) {
                    give_back(context, sent, refresh_token, sealed, now).await?;
                } else {
                    context.rows.leave_grant(None)?;
                }
                return Ok(After::LookAgain);
            }
            if expiry.is_none() {
                // No endpoint could verify it: the provider does not know the resource, for example.
                let cause = "the provider's access token is no JWT with an expiry";
                context.rows.fail(None, now + SPARED_SECONDS, cause)?;
                return Ok(After::Unavailable { retry_after: SPARED_SECONDS, cause: cause.to_owned() });
            }
            Ok(After::Token(access_token))
        }
    }
}

/// Another attempt has taken the place of this one, or the key was revoked, while the provider was asked. The refresh token of
/// a key that is active is kept unless a newer one is there, and never revoked: that would end the key, and those that share
/// its grant. Of a key that was revoked it is now the grant to revoke: later, under the rules for keys that share one, or at
/// once if the earlier one was already revoked.
async fn give_back<S: SqlStorage, G: Grants, K: Runtime + Store>(
    context: &Context<'_, S, G, K>,
    sent: &str,
    refresh_token: &Secret,
    sealed: &(String, String),
    now: u64,
) -> Result<(), SqlError> {
    context.rows.replace(sent, sealed, now)?;
    // From here to the revocation nothing is awaited.
    let is_active = context.rows.load()?.is_some_and(|record| record.key.state == State::Active);
    if is_active || context.rows.replace_grant(&sealed.1)? {
        return Ok(());
    }
    let is_revoked = context.grants.revoke(refresh_token, now).await.is_ok();
    context.rows.leave_grant((!is_revoked).then_some(sealed.1.as_str()))
}
