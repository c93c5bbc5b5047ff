//! A user's connected accounts: the list, connecting from there, and disconnecting.

use mcp_edge_sign_in::{form::Form, redirect::redirect, session::Session};

use super::{
    agents::key_names,
    error::{ConnectError, answered, failed, unexpected},
    round_trip::{Consent, begin, depart},
    servers::Servers,
};
use crate::{
    audit::{AccountEvent, AccountLine},
    connected::message::{Account, Answer, Request},
    connection::settings::Connection,
    pages::CONNECTIONS_PATH,
    platform::Platform,
    visit::{Outcome, Visit, owner_of},
};

/// The list: what is connected, and what can be.
pub async fn list<P: Platform>(visit: &Visit<'_, P>, session: &Session) -> Outcome {
    let accounts = match accounts(visit, session).await {
        Ok(accounts) => accounts,
        Err(error) => return failed(visit, &error, "The service", None),
    };
    let agents = accounts.iter().flat_map(|account| account.uses.iter().map(|it| &it.agent));
    let names = key_names(visit.deployment, &owner_of(session), agents).await;
    let offered: Vec<&Connection> = visit.connections().collect();
    visit.pages.accounts(session, &accounts, &offered, &names).into()
}

/// The question before an action (`?action=…`); the list for anything else.
pub async fn one<P: Platform>(visit: &Visit<'_, P>, session: &Session, name: &str) -> Outcome {
    let action = Form::parse(visit.head.query()).first("action").to_owned();
    match (action.as_str(), visit.connection(name)) {
        ("connect", Some(connection)) => visit.pages.connect_question(session, connection).into(),
        ("connect", None) => visit.pages.not_offered(session).into(),
        // What is not offered any more can be disconnected all the same.
        ("disconnect", connection) => match own_account(visit, session, name).await {
            Ok(Some(account)) => visit.pages.disconnect_question(session, title_of(connection, name), &account).into(),
            Ok(None) => visit.pages.not_connected(session).into(),
            Err(error) => failed(visit, &error, title_of(connection, name), None),
        },
        _ => redirect(CONNECTIONS_PATH).into(),
    }
}

/// Connects or disconnects.
pub async fn change<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    name: &str,
    form: &Form,
) -> Outcome {
    let connection = visit.connection(name);
    match (form.first("action"), connection) {
        ("connect", Some(connection)) => {
            let scopes = connection.scopes.clone();
            let consent = Consent { connection, scopes, link: None, of_another_account: false };
            match begin(visit, servers, session, consent).await {
                Ok(departure) => depart(visit, session, connection, departure),
                Err(error) => failed(visit, &error, &connection.title, None),
            }
        }
        ("connect", None) => visit.pages.not_offered(session).into(),
        ("disconnect", _) => {
            let done = disconnect(visit, session, connection, name).await;
            done.unwrap_or_else(|error| failed(visit, &error, title_of(connection, name), None))
        }
        _ => visit.pages.not_found(Some(session)).into(),
    }
}

async fn disconnect<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: Option<&Connection>,
    name: &str,
) -> Result<Outcome, ConnectError> {
    let was_connected = own_account(visit, session, name).await?.is_some();
    let request = Request::Disconnect { connection: name.to_owned() };
    let answer = answered(visit.deployment.accounts(&owner_of(session), request).await);
    // Repeated, the object answers the same; and an answer that is lost says nothing about what was done.
    let is_done = match &answer {
        Ok(answer) => matches!(answer, Answer::Disconnected(_)),
        Err(_) => was_connected && matches!(own_account(visit, session, name).await, Ok(None)),
    };
    if was_connected && is_done {
        visit.deployment.audit().account(AccountLine {
            event: AccountEvent::Disconnected,
            subject: &session.subject,
            connection: Some(name),
            agent: None,
            user_of_token: None,
        });
    }
    match answer? {
        Answer::Disconnected(revocation) => {
            Ok(visit.pages.disconnected(session, title_of(connection, name), revocation).into())
        }
        Answer::Unknown => Ok(visit.pages.not_connected(session).into()),
        _ => Err(unexpected()),
    }
}

/// The account of a connection, if one is connected.
pub(super) async fn own_account<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    name: &str,
) -> Result<Option<Account>, ConnectError> {
    Ok(accounts(visit, session).await?.into_iter().find(|account| account.connection == name))
}

async fn accounts<P: Platform>(visit: &Visit<'_, P>, session: &Session) -> Result<Vec<Account>, ConnectError> {
    match answered(visit.deployment.accounts(&owner_of(session), Request::List).await)? {
        Answer::Accounts(accounts) => Ok(accounts),
        _ => Err(unexpected()),
    }
}

fn title_of<'a>(connection: Option<&'a Connection>, name: &'a str) -> &'a str {
    connection.map_or(name, |connection| &connection.title)
}
