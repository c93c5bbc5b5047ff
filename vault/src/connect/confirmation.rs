//! Whether the account that was authorized is the right one: only then is it connected.

use mcp_edge_sign_in::{form::Form, session::Session};

use super::{
    accounts::own_account,
    agents::key_names,
    cancellation::cancelled,
    error::{ConnectError, answered, failed, unexpected},
    round_trip::{Consent, begin, depart},
    servers::Servers,
};
use crate::{
    audit::{AccountEvent, AccountLine},
    connected::message::{Account, Answer, Link, Request},
    connection::settings::Connection,
    pages::confirmation::Held,
    platform::Platform,
    sign_in::destination::is_link_id,
    visit::{Outcome, Visit, owner_of},
};

/// What waits for confirmation, as an address or a form names it.
struct Named<'a> {
    /// The id of what is held: another tab may hold another account.
    hold: &'a str,
    /// The id of the link that led there.
    link: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(fields: &'a Form) -> Self {
        Self { hold: fields.first("hold"), link: Some(fields.first("link")).filter(|link| is_link_id(link)) }
    }
}

/// The question.
pub async fn ask<P: Platform>(visit: &Visit<'_, P>, session: &Session, connection: &Connection) -> Outcome {
    let query = Form::parse(visit.head.query());
    let named = Named::of(&query);
    match held(visit, session, connection, &named).await {
        Ok((account, replaces)) => {
            let held = Held {
                connection,
                hold: named.hold,
                link: named.link,
                account: &account,
                replaces: replaces.as_deref(),
            };
            visit.pages.confirmation(session, &held).into()
        }
        Err(error) => failed(visit, &error, &connection.title, named.link),
    }
}

/// The answer: `confirm`, `another` or `discard`.
pub async fn decide<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    connection: &Connection,
    form: &Form,
) -> Outcome {
    let named = Named::of(form);
    let done = match form.first("decision") {
        "confirm" => confirm(visit, session, connection, &named).await,
        "another" => choose_another(visit, servers, session, connection, &named).await,
        "discard" => discard(visit, session, connection, &named).await,
        _ => return visit.pages.not_found(Some(session)).into(),
    };
    done.unwrap_or_else(|error| failed(visit, &error, &connection.title, named.link))
}

async fn confirm<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: &Connection,
    named: &Named<'_>,
) -> Result<Outcome, ConnectError> {
    let owner = owner_of(session);
    let waiting = match held(visit, session, connection, named).await {
        Ok((account, _)) => Some(account),
        // The answer to the first confirmation may be lost: the object knows whether it was this one.
        Err(ConnectError::NothingHeld) => None,
        Err(error) => return Err(error),
    };
    let link = link_of(visit, session, named).await;
    let request = Request::Confirm {
        connection: connection.name.clone(),
        hold: named.hold.to_owned(),
        link: named.link.map(str::to_owned),
    };
    match answered(visit.deployment.accounts(&owner, request).await)? {
        Answer::Done => {}
        Answer::Unknown | Answer::Used => return Err(ConnectError::NothingHeld),
        _ => return Err(unexpected()),
    }
    // Said again if the user confirms again: a line that comes twice is better than one that is lost.
    let agent = link.as_ref().map(|link| &link.agent);
    visit.deployment.audit().account(AccountLine {
        event: AccountEvent::Connected,
        subject: &session.subject,
        connection: Some(&connection.name),
        agent,
        user_of_token: link.as_ref().map(|link| link.user_of_token.as_str()),
    });
    let name = match agent {
        Some(agent) => Some(key_names(visit.deployment, &owner, std::iter::once(agent)).await.of(agent)),
        None => None,
    };
    let account = match waiting {
        Some(account) => account,
        None => own_account(visit, session, &connection.name).await?.ok_or(ConnectError::NothingHeld)?,
    };
    Ok(visit.pages.connected(session, connection, &account, name.as_ref()).into())
}

/// Begins again, and gives back what is held. In this order: if the service cannot be asked, the user can still confirm.
async fn choose_another<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    connection: &Connection,
    named: &Named<'_>,
) -> Result<Outcome, ConnectError> {
    held(visit, session, connection, named).await?;
    // What the link asked for; without one, everything that is offered: as at the beginning.
    let (scopes, link): (Vec<String>, Option<String>) = match (link_of(visit, session, named).await, named.link) {
        (Some(link), Some(id)) if link.connection == connection.name => (link.scopes, Some(id.to_owned())),
        (_, None) => (connection.scopes.clone(), None),
        // The link has expired meanwhile: nothing says any more what the user agreed to.
        (_, Some(_)) => {
            give_back(visit, session, connection, named).await?;
            return Ok(visit.pages.link_expired(session, connection).into());
        }
    };
    let scopes = scopes.into_iter().filter(|scope| connection.scopes.contains(scope)).collect();
    let consent = Consent { connection, scopes, link, of_another_account: true };
    let departure = begin(visit, servers, session, consent).await?;
    give_back(visit, session, connection, named).await?;
    Ok(depart(visit, session, connection, departure))
}

async fn discard<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: &Connection,
    named: &Named<'_>,
) -> Result<Outcome, ConnectError> {
    give_back(visit, session, connection, named).await?;
    if let Some(id) = named.link {
        cancelled(visit, session, id).await;
    }
    Ok(visit.pages.discarded(session, connection).into())
}

/// Gives back what is held. Repeated, it is done; what was confirmed, or is not known any more, is not given back.
async fn give_back<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: &Connection,
    named: &Named<'_>,
) -> Result<(), ConnectError> {
    let request = Request::Discard { connection: connection.name.clone(), hold: named.hold.to_owned() };
    match answered(visit.deployment.accounts(&owner_of(session), request).await)? {
        Answer::Done => Ok(()),
        Answer::Unknown | Answer::Used => Err(ConnectError::NothingHeld),
        _ => Err(unexpected()),
    }
}

/// The account that is held, and the name of the one that it replaces.
async fn held<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: &Connection,
    named: &Named<'_>,
) -> Result<(Account, Option<String>), ConnectError> {
    let request = Request::Held { connection: connection.name.clone() };
    match answered(visit.deployment.accounts(&owner_of(session), request).await)? {
        Answer::Held { hold, account, replaces } if hold == named.hold => Ok((account, replaces)),
        Answer::Held { .. } | Answer::Unknown | Answer::Used => Err(ConnectError::NothingHeld),
        _ => Err(unexpected()),
    }
}

/// The link that led there, if there was one and it can be said.
async fn link_of<P: Platform>(visit: &Visit<'_, P>, session: &Session, named: &Named<'_>) -> Option<Link> {
    let request = Request::Link { id: named.link?.to_owned() };
    match visit.deployment.accounts(&owner_of(session), request).await {
        Ok(Answer::Link(link)) => Some(link),
        Ok(_) | Err(_) => None,
    }
}
