//! To the service and back: (1) each authorization once, (2) the code for tokens, (3) the account's name, (4) the tokens are held
//! until the user confirms the account. What fails after (2) is given back.

use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, digest::sha256};
use mcp_edge_sign_in::{
    authorization::{self, AuthorizationError, Code, RoundTrip},
    redirect::redirect,
    session::Session,
};

use super::{
    cancellation::cancelled,
    error::{ConnectError, answered, failed, unexpected},
    servers::Servers,
};
use crate::{
    account::message::{Answer as AccountAnswer, Request as AccountRequest},
    connected::message::{Answer, NewAccount, Request},
    connection::settings::Connection,
    pages::confirmation::confirmation_path,
    platform::Platform,
    service::{Issued, Redemption, ServiceTokens},
    sign_in::pending::{Attempt, Pending, PendingCookies, Purpose},
    visit::{Outcome, Visit, owner_of},
};

/// What a user has agreed to.
#[derive(Debug)]
pub struct Consent<'a> {
    /// Whose account is to be connected.
    pub connection: &'a Connection,
    /// The scopes, all of them offered.
    pub scopes: Vec<String>,
    /// The id of the link that led there, if one did.
    pub link: Option<String>,
    /// Whether the service is to ask which account it is.
    pub of_another_account: bool,
}

/// A round trip that was begun: where the browser is to go, and its cookie.
#[derive(Debug)]
pub struct Departure {
    url: String,
    cookie: String,
}

/// Begins a round trip to the service.
///
/// # Errors
/// [`ConnectError`].
pub async fn begin<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    consent: Consent<'_>,
) -> Result<Departure, ConnectError> {
    let Consent { connection, scopes, link, of_another_account } = consent;
    let begun = servers.begin(&connection.name, &scopes, of_another_account, visit.now).await?;
    let attempt = Attempt {
        owner: owner_of(session),
        connection: connection.name.clone(),
        scopes,
        link,
        client_id: begun.client_id,
        issuer: begun.issuer,
        from: begun.from,
    };
    let pending = Pending { round_trip: begun.round_trip, purpose: Purpose::Connect(Box::new(attempt)) };
    let cookie = visit.pending.begun(&pending, visit.now, visit.deployment.platform.services())?;
    Ok(Departure { url: begun.url, cookie })
}

/// Sends the browser to the service.
#[must_use]
pub fn depart<P>(visit: &Visit<'_, P>, session: &Session, connection: &Connection, departure: Departure) -> Outcome {
    let page = visit.pages.leaving_to_service(session, connection, &departure.url);
    Outcome::from(page).with_cookie(departure.cookie)
}

/// Takes the browser back from the service of `connection`.
pub async fn finish<P: Platform>(visit: &Visit<'_, P>, servers: &dyn Servers, connection: &Connection) -> Outcome {
    let state = authorization::state_of(visit.head);
    let pending = visit.pending.read(visit.head, &state, visit.now);
    let link = match pending.as_ref().map(|pending| &pending.purpose) {
        Some(Purpose::Connect(attempt)) if attempt.connection == connection.name => attempt.link.clone(),
        _ => None,
    };
    let outcome = match finish_pending(visit, servers, connection, pending).await {
        Ok(hold) => redirect(&confirmation_path(&connection.name, &hold, link.as_deref())).into(),
        Err(error) => {
            if let (true, Some(session), Some(id)) = (error.is_cancelled(), &visit.session, &link) {
                cancelled(visit, session, id).await;
            }
            failed(visit, &error, &connection.title, link.as_deref())
        }
    };
    // It is over in any case.
    match PendingCookies::ended(&state) {
        Some(cookie) => outcome.with_cookie(cookie),
        None => outcome,
    }
}

/// The id of what is held.
async fn finish_pending<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    connection: &Connection,
    pending: Option<Pending>,
) -> Result<String, ConnectError> {
    let (attempt, round_trip) = match pending {
        Some(Pending { purpose: Purpose::Connect(attempt), round_trip }) if attempt.connection == connection.name => {
            (attempt, round_trip)
        }
        Some(_) => return Err(ConnectError::AnotherConnection),
        None => return Err(AuthorizationError::NotBegunHere.into()),
    };
    let code = authorization::finish(visit.head, Some(&round_trip), &attempt.issuer)?;
    let session = visit.session.as_ref().ok_or(ConnectError::SignedOut)?;
    if owner_of(session) != attempt.owner {
        return Err(ConnectError::AnotherUser);
    }
    // (1) A service may revoke what it has issued when a code comes twice (RFC 6749 §4.1.2): reloading must not do that.
    let authorization = URL_SAFE_NO_PAD.encode(sha256(&round_trip.state));
    let once = AccountRequest::Use { authorization: authorization.clone() };
    if visit.deployment.account(&attempt.owner, &once).await? != AccountAnswer::Done {
        return Err(ConnectError::Used);
    }
    // (2)
    let tokens = redeem(visit, servers, &attempt, &code, &round_trip).await?;
    match hold(visit, servers, &attempt, &tokens, authorization).await {
        Ok(hold) => Ok(hold),
        Err(error) => {
            give_back(visit, servers, &attempt, &tokens).await;
            Err(error)
        }
    }
}

async fn redeem<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    attempt: &Attempt,
    code: &Code,
    round_trip: &RoundTrip,
) -> Result<ServiceTokens, ConnectError> {
    let redemption = Redemption {
        connection: &attempt.connection,
        client_id: &attempt.client_id,
        from: &attempt.from,
        code,
        round_trip,
        scopes: &attempt.scopes,
    };
    Ok(servers.redeem(redemption, visit.now).await?)
}

async fn hold<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    attempt: &Attempt,
    tokens: &ServiceTokens,
    authorization: String,
) -> Result<String, ConnectError> {
    // (3)
    let of = servers.account(&attempt.connection, tokens, visit.now).await.map_err(ConnectError::NoName)?;
    let account = NewAccount {
        connection: attempt.connection.clone(),
        name: of.name,
        id: of.id,
        access_token: tokens.access_token.expose().to_owned(),
        until: tokens.until,
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        scopes: tokens.scopes.clone(),
        client_id: tokens.client_id.clone(),
        from: tokens.from.clone(),
    };
    // (4)
    let request = Request::Hold { authorization, account: Box::new(account) };
    match answered(visit.deployment.accounts(&attempt.owner, request).await)? {
        Answer::Held { hold, .. } => Ok(hold),
        Answer::Used => Err(ConnectError::Used),
        _ => Err(unexpected()),
    }
}

/// Revokes tokens that nobody has, and nobody will. If the service cannot be asked, they end there by themselves. Not if an
/// account of the same service is connected or held: services may end all that a client has of an account (RFC 7009 §2.1), and
/// this may be the same one.
async fn give_back<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    attempt: &Attempt,
    tokens: &ServiceTokens,
) {
    let Attempt { owner, connection, .. } = attempt;
    let is_other = match visit.deployment.accounts(owner, Request::List).await {
        Ok(Answer::Accounts(accounts)) => !accounts.iter().any(|account| account.connection == *connection),
        Ok(_) | Err(_) => false,
    };
    let held = Request::Held { connection: connection.clone() };
    if is_other && matches!(visit.deployment.accounts(owner, held).await, Ok(Answer::Unknown)) {
        let token = tokens.refresh_token.as_ref().unwrap_or(&tokens.access_token);
        let issued = Issued { connection, client_id: &tokens.client_id, from: &tokens.from };
        let _ = servers.revoke(issued, token, visit.now).await;
    }
}
