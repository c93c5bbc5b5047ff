//! The object of one user's connected accounts: what it does with each request.
//!
//! What is decided from rows is written before anything is awaited: other requests are in the object at the same time.

use mcp_edge_runtime::{
    alarm::Alarms,
    ports::{OperatorLog, Runtime},
    secret::Secret,
    sql::{SqlError, SqlStorage},
};
use mcp_edge_sign_in::random_text::random_text;

use super::{
    context::{AccountsError, Context, unavailable},
    holding, links,
    message::{Answer, Envelope, Link, Request},
    record::Account,
    refresh::{self, After},
    revocation,
    rows::tables,
    rules::{LINK_SECONDS, Step, asked, covers, next},
};
use crate::{
    connection::caller::Agent,
    lease::{ATTEMPT_SECONDS, Patience, Turn},
    owner::Owner,
    secrets::{
        connections::{ConnectionSecrets, Purpose},
        hash_of, is_same_hash,
    },
    service::AuthorizationServers,
};

/// The object of one user's connected accounts.
pub struct ConnectedAccountsObject<'a, S, A, K>(Context<'a, S, A, K>);

/// Who needs a token for what.
struct Need {
    connection: String,
    scopes: Vec<String>,
    offered: Vec<String>,
    agent: Agent,
    user_of_token: String,
}

impl<'a, S: SqlStorage + Alarms, A: AuthorizationServers, K: Runtime + OperatorLog>
    ConnectedAccountsObject<'a, S, A, K>
{
    /// Creates the object for one event. `names_subjects` is `LOG_SUBJECT`.
    #[must_use]
    pub const fn new(
        storage: &'a S,
        servers: &'a A,
        services: &'a K,
        secrets: &'a ConnectionSecrets,
        names_subjects: bool,
    ) -> Self {
        Self(Context::new(storage, servers, services, secrets, names_subjects))
    }

    /// Answers a message ([`Envelope`] as JSON) with an [`Answer`] as JSON. `clock` says the time of now, in seconds since 1970:
    /// a request may wait for others, and what they wrote meanwhile is measured by the clock of then.
    ///
    /// # Errors
    /// [`AccountsError`], for the operator; without secrets.
    pub async fn answer(&self, message: &str, clock: &impl Fn() -> u64) -> Result<String, AccountsError> {
        let Envelope { owner, request } = serde_json::from_str(message).map_err(|_| AccountsError::Message)?;
        self.0.rows.migrate()?;
        if self.0.rows.owner()?.is_some_and(|known| known != owner) {
            return Err(AccountsError::ForeignOwner);
        }
        let now = clock();
        let answer = match request {
            Request::Access { connection, scopes, offered, agent, user_of_token, refused } => {
                let need = Need { connection, scopes, offered, agent, user_of_token };
                if let Some(refused) = refused {
                    self.forget_refused(&owner, &need.connection, &Secret::new(refused))?;
                }
                self.access(&owner, &need, clock).await?
            }
            Request::Link { id } => self.0.links.get(&id, now)?.map_or(Answer::Unknown, Answer::Link),
            Request::Spend { id } => self.spend(&id, now)?,
            Request::CancelLink { id } => {
                self.0.links.cancel(&id)?;
                Answer::Done
            }
            Request::Hold { authorization, account } => {
                holding::hold(&self.0, &owner, &authorization, *account, now).await?
            }
            Request::Held { connection } => holding::find(&self.0, &connection, now)?,
            Request::Confirm { connection, hold, link } => {
                holding::confirm(&self.0, &owner, &connection, (&hold, link.as_deref()), now).await?
            }
            Request::Discard { connection, hold } => holding::discard(&self.0, &owner, &connection, &hold, now).await?,
            Request::List => {
                // An alarm that was lost is set again.
                if let Some(at) = revocation::next_due(&self.0)? {
                    self.0.wake_by(at).await?;
                }
                holding::list(&self.0, &owner, now)?
            }
            Request::Disconnect { connection } => holding::disconnect(&self.0, &owner, &connection, clock).await?,
        };
        serde_json::to_string(&answer).map_err(|_| AccountsError::Message)
    }

    /// Does what is due, and sets the next alarm.
    ///
    /// # Errors
    /// [`AccountsError`]; the platform repeats the alarm.
    pub async fn wake(&self, clock: &impl Fn() -> u64) -> Result<(), AccountsError> {
        revocation::wake(&self.0, clock).await
    }

    /// Forgets an access token that the service has refused, if it is still the one that is given out.
    fn forget_refused(&self, owner: &Owner, connection: &str, refused: &Secret) -> Result<(), SqlError> {
        let Some(account) = self.0.rows.account(connection)? else { return Ok(()) };
        let Some(access) = &account.tokens.access else { return Ok(()) };
        let kept = self.0.open(&access.sealed, Purpose::Account, owner, connection);
        if kept.is_some_and(|kept| is_same_hash(&hash_of(&kept.plain), &hash_of(refused))) {
            self.0.rows.forget_access(&account, &access.sealed)?;
        }
        Ok(())
    }

    async fn access(&self, owner: &Owner, need: &Need, clock: &impl Fn() -> u64) -> Result<Answer, AccountsError> {
        let mut patience = Patience::default();
        loop {
            let now = clock();
            let Some(account) = self.0.rows.account(&need.connection)? else {
                return self.link(owner, need, "", now).await;
            };
            if self.0.servers.leads_elsewhere(&need.connection, &account.tokens.from) {
                return self.link(owner, need, "", now).await;
            }
            let granted = account.tokens.scopes.as_str();
            match next(&account, &need.scopes, &need.offered, now) {
                Step::Link => return self.link(owner, need, granted, now).await,
                Step::Answer => {
                    if let Some(token) = self.kept(owner, &account)? {
                        return Ok(self.token(need, &token, granted.to_owned(), now)?);
                    }
                    // It was sealed with a secret that is not known any more; the refresh token most likely as well.
                    let Some(access) =
                        account.tokens.access.as_ref().filter(|_| account.tokens.refresh_sealed.is_some())
                    else {
                        return self.link(owner, need, granted, now).await;
                    };
                    self.0.rows.forget_access(&account, &access.sealed)?;
                    continue;
                }
                Step::End => {
                    if self.0.rows.end(&account, now)? {
                        self.0.has_ended(&account, owner);
                    }
                    continue;
                }
                Step::Obtain(Turn::Spare { retry_after }) => {
                    return Ok(Answer::Unavailable { retry_after, cause: account.failure });
                }
                Step::Obtain(Turn::Wait) => {
                    if patience.wait(self.0.services).await {
                        continue;
                    }
                    return Ok(unavailable("another request waits for the service"));
                }
                Step::Obtain(Turn::Shorten) => {
                    self.0.rows.shorten(&account, now + ATTEMPT_SECONDS)?;
                    continue;
                }
                Step::Obtain(Turn::Refresh) => {}
            }
            match refresh::refresh(&self.0, owner, &account, &need.offered, clock).await? {
                After::Token(token, scopes) if covers(&scopes, &need.scopes) => {
                    return Ok(self.token(need, &token, scopes, clock())?);
                }
                After::Token(_, scopes) => return self.link(owner, need, &scopes, clock()).await,
                After::Elsewhere => return self.link(owner, need, "", clock()).await,
                After::Sealed => return self.link(owner, need, granted, clock()).await,
                After::Unavailable { retry_after, cause } => return Ok(Answer::Unavailable { retry_after, cause }),
                After::LookAgain => {}
            }
        }
    }

    /// The access token that is kept. What was sealed with an earlier secret is sealed anew, and the refresh token with it.
    fn kept(&self, owner: &Owner, account: &Account) -> Result<Option<Secret>, SqlError> {
        let connection = account.connection.as_str();
        let Some(access) = &account.tokens.access else { return Ok(None) };
        let Some(opened) = self.0.open(&access.sealed, Purpose::Account, owner, connection) else { return Ok(None) };
        if opened.is_old {
            let anew = |plain: &Secret| self.0.seal(plain, Purpose::Account, owner, connection);
            let refresh = match &account.tokens.refresh_sealed {
                Some(sealed) => {
                    self.0.open(sealed, Purpose::Account, owner, connection).and_then(|it| anew(&it.plain)).map(Some)
                }
                None => Some(None),
            };
            if let (Some(access), Some(refresh)) = (anew(&opened.plain), refresh) {
                self.0.rows.reseal(account, &access, refresh.as_deref())?;
            }
        }
        Ok(Some(opened.plain))
    }

    /// Answers with an access token, and notes the use.
    fn token(&self, need: &Need, token: &Secret, scopes: String, now: u64) -> Result<Answer, SqlError> {
        self.0.links.used(&need.connection, &need.agent, &need.user_of_token, now)?;
        Ok(Answer::Token { access_token: token.expose().to_owned(), scopes })
    }

    /// Answers with the link by which an account is connected: the same one as before, if that is good for a while.
    async fn link(&self, owner: &Owner, need: &Need, granted: &str, now: u64) -> Result<Answer, AccountsError> {
        let link = Link {
            connection: need.connection.clone(),
            scopes: asked(granted, &need.scopes, &need.offered),
            agent: need.agent.clone(),
            user_of_token: need.user_of_token.clone(),
            is_spent: false,
            is_cancelled: false,
        };
        if let Some(link) = self.0.links.same(&link, now)? {
            return Ok(Answer::NotConnected { link });
        }
        self.0.wake_by(now + LINK_SECONDS).await?;
        // Another request may have made it while this one awaited.
        if let Some(link) = self.0.links.same(&link, now)? {
            return Ok(Answer::NotConnected { link });
        }
        let id = random_text(self.0.services);
        let mut statements = tables(owner);
        statements.extend(links::put(&id, &link, now));
        self.0.rows.write(statements)?;
        Ok(Answer::NotConnected { link: id })
    }

    fn spend(&self, id: &str, now: u64) -> Result<Answer, SqlError> {
        Ok(match self.0.links.get(id, now)? {
            None => Answer::Unknown,
            Some(_) if self.0.links.spend(id)? => Answer::Done,
            Some(_) => Answer::Used,
        })
    }
}
