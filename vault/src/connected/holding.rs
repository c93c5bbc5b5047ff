//! From an authorization to an account: what is held, confirmed, discarded, and disconnected.
//!
//! From reading rows to writing what follows from them nothing is awaited: other requests are in the object at the same time.

use mcp_edge_runtime::{
    alarm::Alarms,
    ports::{OperatorLog, Runtime},
    secret::Secret,
    sql::{SqlError, SqlStorage},
};
use mcp_edge_sign_in::random_text::random_text;

use super::{
    context::{AccountsError, Context, unavailable},
    departures, links,
    message::{Account as Listed, Answer, NewAccount, Revocation},
    record::{AccessToken, Account, Hold, Tokens},
    revocation::revoke_due,
    rows::{delete_account, delete_hold, put_account, put_hold, tables, use_authorization},
    rules::{
        AUTHORIZATION_SECONDS, HOLD_SECONDS, MAX_ACCOUNTS, is_another_account, is_held, may_revoke, seconds_of_use,
    },
};
use crate::{owner::Owner, secrets::connections::Purpose, service::AuthorizationServers};

/// Keeps an account until it is confirmed.
pub(super) async fn hold<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    authorization: &str,
    new: NewAccount,
    now: u64,
) -> Result<Answer, AccountsError> {
    context.wake_by(now + HOLD_SECONDS).await?;
    let connection = new.connection.clone();
    let earlier = context.rows.hold(&connection)?;
    if let Some(id) = context.rows.hold_of(authorization)? {
        // The answer to the first request may be lost.
        return Ok(match earlier {
            Some(hold) if hold.id == id && is_held(&hold, now) => held(context, &hold)?,
            _ => Answer::Used,
        });
    }
    let accounts = context.rows.accounts()?;
    if accounts.len() >= MAX_ACCOUNTS && !accounts.iter().any(|account| account.connection == connection) {
        return Ok(unavailable("the user has as many connected accounts as there can be"));
    }
    let Some(tokens) = sealed(context, owner, new, now) else {
        return Ok(unavailable("the tokens of the service are too long to be sealed"));
    };
    let id = random_text(context.services);
    let hold = Hold { id, connection, tokens, held_at: now, until: now + HOLD_SECONDS };
    let mut statements = tables(owner);
    statements.extend(use_authorization(authorization, &hold.id, now + AUTHORIZATION_SECONDS, now));
    statements.push(put_hold(&hold));
    if let Some(earlier) = earlier {
        statements.extend(leaving(
            context,
            owner,
            &earlier.id,
            &earlier.connection,
            &earlier.tokens,
            &hold.tokens,
            now,
        ));
    }
    context.rows.write(statements)?;
    Ok(held(context, &hold)?)
}

/// What is held for a connection.
pub(super) fn find<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    connection: &str,
    now: u64,
) -> Result<Answer, SqlError> {
    match context.rows.hold(connection)?.filter(|hold| can_be_confirmed(context, hold, now)) {
        Some(hold) => held(context, &hold),
        None => Ok(Answer::Unknown),
    }
}

/// The account that is held is the right one: it takes the place of another, and `link`, which led there, has done its work. Repeated,
/// it answers the same.
pub(super) async fn confirm<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    connection: &str,
    (id, link): (&str, Option<&str>),
    now: u64,
) -> Result<Answer, AccountsError> {
    context.wake_by(now).await?;
    let earlier = context.rows.account(connection)?;
    let Some(hold) =
        context.rows.hold(connection)?.filter(|hold| hold.id == id && can_be_confirmed(context, hold, now))
    else {
        let is_confirmed = earlier.is_some_and(|account| account.hold == id);
        return Ok(if is_confirmed { Answer::Done } else { Answer::Unknown });
    };
    let account = Account {
        connection: connection.to_owned(),
        hold: hold.id.clone(),
        tokens: hold.tokens.clone(),
        connected_at: now,
        ended_at: None,
        attempt: None,
        failed_until: 0,
        failure: String::new(),
    };
    let mut statements = vec![delete_hold(&hold), put_account(&account)];
    statements.extend(link.map(|link| links::connected(link, connection)));
    if let Some(earlier) = earlier {
        if is_another_account(&earlier.tokens, &account.tokens) {
            statements.push(links::delete_uses(connection));
        }
        let left = leaving(context, owner, &earlier.hold, connection, &earlier.tokens, &account.tokens, now);
        statements.extend(left);
    }
    context.rows.write(statements)?;
    Ok(Answer::Done)
}

/// The account that is held is not the right one: it is given back, by the alarm. Repeated, it answers the same.
pub(super) async fn discard<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    connection: &str,
    id: &str,
    now: u64,
) -> Result<Answer, AccountsError> {
    context.wake_by(now).await?;
    let Some(hold) = context.rows.hold(connection)?.filter(|hold| hold.id == id) else {
        return Ok(if context.rows.account(connection)?.is_some_and(|account| account.hold == id) {
            Answer::Used
        } else if context.departures.get(id)?.is_some() {
            Answer::Done
        } else {
            Answer::Unknown
        });
    };
    let mut statements = vec![delete_hold(&hold)];
    let departure = context.departure(&hold.id, connection, &hold.tokens, owner, now);
    statements.extend(departure.as_ref().map(departures::put));
    context.rows.write(statements)?;
    Ok(Answer::Done)
}

/// Forgets an account, and what is held for its connection, and revokes both. From the first write on nobody is given a token.
/// Repeated, it says what has become of it.
pub(super) async fn disconnect<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    connection: &str,
    clock: &impl Fn() -> u64,
) -> Result<Answer, AccountsError> {
    let now = clock();
    context.wake_by(now).await?;
    let Some(account) = context.rows.account(connection)? else {
        let departures = context.departures.all()?;
        let last = departures.iter().find(|departure| departure.connection == connection);
        return Ok(last.map_or(Answer::Unknown, |departure| Answer::Disconnected(departure.state)));
    };
    let mut statements = vec![delete_account(&account), links::delete_uses(connection)];
    let departure = context.departure(&account.hold, connection, &account.tokens, owner, now);
    statements.extend(departure.as_ref().map(departures::put));
    let mut left = vec![account.hold.as_str()];
    let hold = context.rows.hold(connection)?;
    if let Some(hold) = &hold {
        left.push(&hold.id);
        statements.push(delete_hold(hold));
        let departure = context.departure(&hold.id, connection, &hold.tokens, owner, now);
        statements.extend(departure.as_ref().map(departures::put));
    }
    context.rows.write(statements)?;
    revoke_due(context, owner, Some(&left), clock).await?;
    let departure = context.departures.get(&account.hold)?;
    // An account that has ended has nothing left to revoke.
    Ok(Answer::Disconnected(departure.map_or(Revocation::Revoked, |departure| departure.state)))
}

/// All accounts.
pub(super) fn list<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    now: u64,
) -> Result<Answer, SqlError> {
    let listed = |account: Account| -> Result<Listed, SqlError> {
        let sealed = account.tokens.refresh_sealed.as_ref();
        let sealed = sealed.or(account.tokens.access.as_ref().map(|access| &access.sealed));
        let is_open = sealed.is_some_and(|it| context.open(it, Purpose::Account, owner, &account.connection).is_some());
        // Sealed with a secret that is not known any more, or of a service that the connection leads to no more, it is of no use.
        let is_usable = is_open && !context.servers.leads_elsewhere(&account.connection, &account.tokens.from);
        Ok(Listed {
            uses: context.links.uses(&account.connection)?,
            ended_at: account.ended_at.or((!is_usable).then_some(now)),
            connection: account.connection,
            name: account.tokens.name,
            scopes: account.tokens.scopes,
            connected_at: account.connected_at,
        })
    };
    context.rows.accounts()?.into_iter().map(listed).collect::<Result<_, _>>().map(Answer::Accounts)
}

/// In time, and while the connection leads to the service that it is of.
fn can_be_confirmed<S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    hold: &Hold,
    now: u64,
) -> bool {
    is_held(hold, now) && !context.servers.leads_elsewhere(&hold.connection, &hold.tokens.from)
}

/// What is left to be revoked of tokens in whose place others are put.
fn leaving<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    id: &str,
    connection: &str,
    tokens: &Tokens,
    new: &Tokens,
    now: u64,
) -> Option<mcp_edge_runtime::sql::Statement> {
    if !may_revoke(tokens.account.as_ref(), &tokens.client_id, [new]) {
        return None;
    }
    context.departure(id, connection, tokens, owner, now).as_ref().map(departures::put)
}

fn held<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    hold: &Hold,
) -> Result<Answer, SqlError> {
    let account = context.rows.account(&hold.connection)?;
    let another = account.filter(|account| is_another_account(&account.tokens, &hold.tokens));
    let replaces = another.map(|account| account.tokens.name);
    Ok(Answer::Held {
        hold: hold.id.clone(),
        account: Listed {
            connection: hold.connection.clone(),
            name: hold.tokens.name.clone(),
            scopes: hold.tokens.scopes.clone(),
            connected_at: hold.held_at,
            uses: Vec::new(),
            ended_at: None,
        },
        replaces,
    })
}

fn sealed<S: SqlStorage + Alarms, A, K: Runtime + OperatorLog>(
    context: &Context<'_, S, A, K>,
    owner: &Owner,
    new: NewAccount,
    now: u64,
) -> Option<Tokens> {
    let seconds = seconds_of_use(new.until, new.refresh_token.is_some(), now);
    let seal = |token: String| context.seal(&Secret::new(token), Purpose::Account, owner, &new.connection);
    let refresh_sealed = match new.refresh_token {
        Some(token) => Some(seal(token)?),
        None => None,
    };
    let access = AccessToken { sealed: seal(new.access_token)?, seconds, until: now + seconds.unwrap_or_default() };
    let NewAccount { name, id: account, client_id, from, scopes, .. } = new;
    Some(Tokens { name, account, client_id, from, scopes, access: Some(access), refresh_sealed })
}
