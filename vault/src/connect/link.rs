//! The link by which an account is connected, and the consent. Opening it changes nothing: mail scanners and previews of chats
//! open links before their readers do.

use mcp_edge_sign_in::{form::Form, session::Session};

use super::{
    accounts::own_account,
    agents::key_names,
    error::{ConnectError, answered, failed, unexpected},
    round_trip::{Consent, begin, depart},
    servers::Servers,
};
use crate::{
    audit::{AccountEvent, AccountLine},
    connected::{
        message::{Account, Answer, Link, Request},
        rules::covers,
    },
    connection::settings::Connection,
    pages::{agent::AgentName, consent::Asked},
    platform::Platform,
    service::grant::asked as all_asked,
    visit::{Outcome, Visit, owner_of},
};

/// What a link is for, as its user sees it.
struct Opened<'a> {
    link: Link,
    connection: &'a Connection,
    agent: AgentName,
    /// What the agent asks for and the connection offers.
    scopes: Vec<String>,
    /// The same, with what every authorization at the service asks for.
    asked: Vec<String>,
    /// The account, if it was connected with these scopes meanwhile.
    connected: Option<Account>,
}

impl Opened<'_> {
    fn asked<'a>(&'a self, id: &'a str) -> Asked<'a> {
        Asked {
            id,
            connection: self.connection,
            agent: &self.agent,
            scopes: &self.asked,
            user_of_token: &self.link.user_of_token,
            is_spent: self.link.is_spent,
            is_cancelled: self.link.is_cancelled,
        }
    }
}

/// What the link asks for; with `?answer=later`, that nothing was done.
pub async fn open<P: Platform>(visit: &Visit<'_, P>, id: &str) -> Outcome {
    let Some(session) = visit.session.as_ref() else { return visit.pages.sign_in_first(id).into() };
    let opened = match opened(visit, session, id).await {
        Ok(opened) => opened,
        Err(outcome) => return *outcome,
    };
    let asked = opened.asked(id);
    let page = match &opened.connected {
        Some(account) => visit.pages.connected_already(session, opened.connection, account),
        None if Form::parse(visit.head.query()).first("answer") == "later" => visit.pages.not_now(session, &asked),
        None => visit.pages.consent(session, &asked, 200),
    };
    Outcome::from(page).about_connection(&opened.connection.name)
}

/// The user agrees: uses the link up, and leads to the service. A link that was used up leads there again if the form says so:
/// it was shown to the same user that nothing is connected yet.
pub async fn agree<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    id: &str,
    form: &Form,
) -> Outcome {
    match opened(visit, session, id).await {
        Ok(opened) => {
            let name = &opened.connection.name;
            agree_to(visit, servers, session, opened, (id, form)).await.about_connection(name)
        }
        Err(outcome) => *outcome,
    }
}

async fn agree_to<P: Platform>(
    visit: &Visit<'_, P>,
    servers: &dyn Servers,
    session: &Session,
    mut opened: Opened<'_>,
    (id, form): (&str, &Form),
) -> Outcome {
    if let Some(account) = &opened.connected {
        return visit.pages.connected_already(session, opened.connection, account).into();
    }
    if opened.link.is_spent && form.first("again").is_empty() {
        return visit.pages.consent(session, &opened.asked(id), 409).into();
    }
    let consent = Consent {
        connection: opened.connection,
        scopes: opened.scopes.clone(),
        link: Some(id.to_owned()),
        of_another_account: false,
    };
    // A service that cannot be asked uses no link up.
    let departure = match begin(visit, servers, session, consent).await {
        Ok(departure) => departure,
        Err(error) => return failed(visit, &error, &opened.connection.title, Some(id)),
    };
    if !opened.link.is_spent {
        let spent = answered(visit.deployment.accounts(&owner_of(session), Request::Spend { id: id.to_owned() }).await);
        match spent {
            Ok(Answer::Done) => {}
            // In another tab, just now.
            Ok(Answer::Used) => {
                opened.link.is_spent = true;
                return visit.pages.consent(session, &opened.asked(id), 409).into();
            }
            Ok(Answer::Unknown) => return not_yours(visit, session, id),
            Ok(_) => return failed(visit, &unexpected(), &opened.connection.title, Some(id)),
            Err(error) => return failed(visit, &error, &opened.connection.title, Some(id)),
        }
    }
    depart(visit, session, opened.connection, departure)
}

/// Looks a link up in the object of the user who has opened it.
async fn opened<'a, P: Platform>(
    visit: &Visit<'a, P>,
    session: &Session,
    id: &str,
) -> Result<Opened<'a>, Box<Outcome>> {
    let owner = owner_of(session);
    let link = match answered(visit.deployment.accounts(&owner, Request::Link { id: id.to_owned() }).await) {
        Ok(Answer::Link(link)) => link,
        Ok(Answer::Unknown) => return Err(Box::new(not_yours(visit, session, id))),
        Ok(_) => return Err(Box::new(failed(visit, &unexpected(), "The service", Some(id)))),
        Err(error) => return Err(Box::new(failed(visit, &error, "The service", Some(id)))),
    };
    let Some(connection) = visit.connection(&link.connection) else {
        return Err(Box::new(visit.pages.not_offered(session).into()));
    };
    let agent = key_names(visit.deployment, &owner, std::iter::once(&link.agent)).await.of(&link.agent);
    // What the operator does not offer any more is not asked for.
    let scopes: Vec<String> = link.scopes.iter().filter(|scope| connection.scopes.contains(scope)).cloned().collect();
    let asked = all_asked(&connection.scopes, &scopes).unwrap_or_default().into_iter().map(str::to_owned).collect();
    let connected = if link.is_spent {
        match connected_with(visit, session, &connection.name, &scopes).await {
            Ok(account) => account,
            Err(error) => return Err(Box::new(failed(visit, &error, &connection.title, Some(id)))),
        }
    } else {
        None
    };
    Ok(Opened { link, connection, agent, scopes, asked, connected })
}

/// The account of a connection, if it is connected with all of these scopes.
async fn connected_with<P: Platform>(
    visit: &Visit<'_, P>,
    session: &Session,
    connection: &str,
    scopes: &[String],
) -> Result<Option<Account>, ConnectError> {
    let account = own_account(visit, session, connection).await?;
    Ok(account.filter(|account| account.ended_at.is_none() && covers(&account.scopes, scopes)))
}

/// Another user's link, or one that is over: nothing tells them apart, here or to the one who sent it.
fn not_yours<P: Platform>(visit: &Visit<'_, P>, session: &Session, id: &str) -> Outcome {
    visit.deployment.audit().account(AccountLine {
        event: AccountEvent::LinkOfAnotherUser,
        subject: &session.subject,
        connection: None,
        agent: None,
        user_of_token: None,
    });
    Outcome::from(visit.pages.not_your_link(session, id)).because("the link is not this user's, or has expired")
}
