//! The object of a connection's registration: what it does with each request.
//!
//! The request to the issuer stands in a row before it is sent; others wait for its outcome. What was registered is stored before
//! anybody is answered. A request whose outcome is lost leaves a client at the issuer that nobody uses.

use std::time::Duration;

use mcp_edge_runtime::{
    ports::{Fetch, Runtime},
    seal::{OpenError, SealError},
    sql::{SqlError, SqlStorage},
};
use mcp_edge_sign_in::random_text::random_text;

use super::{
    message::{Answer, Registered, Request},
    request::{Registration, RegistrationError, register},
    rows::{Attempt, Client, Rows},
};
use crate::secrets::connections::{ConnectionSecrets, Opened, Place, Purpose};

/// How long a request may take, in seconds; longer than the platform lets it.
const ATTEMPT_SECONDS: u64 = 10;

/// How long the issuer is spared after a failure, in seconds.
pub const SPARED_SECONDS: u64 = 5;

/// How long a client counts as known after it was registered, in seconds: an issuer that does not know it by then would be
/// asked again and again. And how long after the issuer has refused it first: one wrong answer ends no account.
pub const SETTLING_SECONDS: u64 = 60;

/// How long before the end of its secret a client is registered anew, in seconds.
const EXPIRY_MARGIN_SECONDS: u64 = 300;

/// How long a request waits for another one, and how often it looks, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 10_000;
const POLL_MILLISECONDS: u64 = 50;

/// Whose secret is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// The issuer.
    pub issuer: &'a str,
    /// The redirect URI.
    pub redirect_uri: &'a str,
}

const fn place_of(owner: Owner<'_>) -> Place<'_> {
    let Owner { connection, issuer, redirect_uri } = owner;
    Place { purpose: Purpose::Registration, issuer, subject: redirect_uri, connection }
}

/// The object of a connection's registration.
pub struct RegistrationObject<'a, S, R> {
    rows: Rows<'a, S>,
    secrets: &'a ConnectionSecrets,
    services: &'a R,
}

impl<'a, S: SqlStorage, R: Fetch + Runtime> RegistrationObject<'a, S, R> {
    /// Creates the object for one event.
    #[must_use]
    pub const fn new(storage: &'a S, secrets: &'a ConnectionSecrets, services: &'a R) -> Self {
        Self { rows: Rows(storage), secrets, services }
    }

    /// Answers a message ([`Request`] as JSON) with an [`Answer`] as JSON. `clock` says the time of now, in seconds since 1970.
    ///
    /// # Errors
    /// What the operator is to know of a failure; without secrets.
    pub async fn answer(&self, message: &str, clock: &impl Fn() -> u64) -> Result<String, String> {
        let request = serde_json::from_str(message).map_err(|_| "a message that cannot be read".to_owned())?;
        let answer = match request {
            Request::Of { connection, issuer, client_id } => self.of(&connection, &issuer, &client_id, clock()),
            Request::Current { connection, issuer, redirect_uri, endpoint, metadata, refused } => {
                let owner = Owner { connection: &connection, issuer: &issuer, redirect_uri: &redirect_uri };
                self.current(owner, &endpoint, &metadata, refused.as_deref(), clock).await
            }
        };
        let answer = answer.map_err(|error| format!("the storage of registrations: {error}"))?;
        serde_json::to_string(&answer).map_err(|error| error.to_string())
    }

    fn of(&self, connection: &str, issuer: &str, client_id: &str, now: u64) -> Result<Answer, SqlError> {
        let client = self.rows.of(client_id)?.filter(|client| client.issuer == issuer);
        let Some(client) = client else { return Ok(Answer::Unknown) };
        let newest = self.rows.newest(&client.issuer, &client.redirect_uri)?;
        let is_refused = client.refused_at.is_some_and(|at| at.saturating_add(SETTLING_SECONDS) <= now);
        let is_replaced = is_refused && newest.is_some_and(|newest| newest.client_id != client_id);
        let opened = self.open(&client, connection)?;
        Ok(opened.map_or_else(unopened, |client| Answer::Client { client, is_replaced }))
    }

    async fn current(
        &self,
        owner: Owner<'_>,
        endpoint: &str,
        metadata: &str,
        refused: Option<&str>,
        clock: &impl Fn() -> u64,
    ) -> Result<Answer, SqlError> {
        let mut waited = 0;
        loop {
            let now = clock();
            let newest = self.rows.newest(owner.issuer, owner.redirect_uri)?;
            if let Some(client) = newest.filter(|client| client.refused_at.is_none()) {
                let is_refused = refused == Some(client.client_id.as_str());
                let is_new = (client.registered_at..client.registered_at + SETTLING_SECONDS).contains(&now);
                if is_refused && is_new {
                    let why = "the service does not know the client that it registered a moment ago";
                    return Ok(Answer::Refused(why.to_owned()));
                }
                if is_refused {
                    self.rows.refused(&client.client_id, now)?;
                } else if client.expires_at.is_none_or(|at| now.saturating_add(EXPIRY_MARGIN_SECONDS) < at)
                    && let Some(client) = self.open(&client, owner.connection)?
                {
                    return Ok(Answer::Client { client, is_replaced: false });
                }
            }
            // From here to the row of the request nothing is awaited.
            let attempt = self.rows.attempt()?;
            let is_within = |until: u64, seconds: u64| now < until && until <= now.saturating_add(seconds);
            if is_within(attempt.failed_until, SPARED_SECONDS) {
                return Ok(failed(attempt.is_refusal, attempt.cause));
            }
            if !is_within(attempt.until, ATTEMPT_SECONDS) {
                return self.register(owner, endpoint, metadata, clock).await;
            }
            if waited >= PATIENCE_MILLISECONDS {
                return Ok(failed(false, "another request registers our client".to_owned()));
            }
            self.services.sleep(Duration::from_millis(POLL_MILLISECONDS)).await;
            waited += POLL_MILLISECONDS;
        }
    }

    async fn register(
        &self,
        owner: Owner<'_>,
        endpoint: &str,
        metadata: &str,
        clock: &impl Fn() -> u64,
    ) -> Result<Answer, SqlError> {
        let attempt = Attempt {
            id: random_text(self.services),
            until: clock().saturating_add(ATTEMPT_SECONDS),
            ..Attempt::default()
        };
        self.rows.note(&attempt)?;
        let registered = register(endpoint, metadata, owner.redirect_uri, self.services).await;
        let now = clock();
        let (is_refusal, cause) = match registered {
            Ok(registration) => match self.keep(owner, &registration, now)? {
                Some(client) => return Ok(Answer::Client { client, is_replaced: false }),
                None => (false, "the client's secret cannot be sealed".to_owned()),
            },
            Err(RegistrationError::Refused(cause)) => (true, cause),
            Err(RegistrationError::Unavailable(cause)) => (false, cause),
        };
        // Another one may have taken its place.
        if self.rows.attempt()?.id == attempt.id {
            let failed_until = now.saturating_add(SPARED_SECONDS);
            self.rows.note(&Attempt { until: 0, failed_until, is_refusal, cause: cause.clone(), ..attempt })?;
        }
        Ok(failed(is_refusal, cause))
    }

    fn keep(&self, owner: Owner<'_>, registration: &Registration, now: u64) -> Result<Option<Registered>, SqlError> {
        let Registration { client_id, client_secret, is_posted, expires_at } = registration;
        let sealed = match client_secret {
            Some(secret) => match self.secrets.seal(secret, place_of(owner), self.services) {
                Ok(sealed) => Some(sealed),
                Err(SealError) => return Ok(None),
            },
            None => None,
        };
        self.rows.keep(&Client {
            client_id: client_id.clone(),
            issuer: owner.issuer.to_owned(),
            redirect_uri: owner.redirect_uri.to_owned(),
            sealed,
            is_posted: *is_posted,
            expires_at: *expires_at,
            registered_at: now,
            refused_at: None,
        })?;
        let client_secret = client_secret.as_ref().map(|secret| secret.expose().to_owned());
        Ok(Some(Registered { client_id: client_id.clone(), client_secret, is_posted: *is_posted }))
    }

    /// Opens the secret of a client, and seals it anew if it was sealed with an earlier secret. `None`: it opens no more.
    fn open(&self, client: &Client, connection: &str) -> Result<Option<Registered>, SqlError> {
        let owner = Owner { connection, issuer: &client.issuer, redirect_uri: &client.redirect_uri };
        let client_secret = match &client.sealed {
            None => None,
            Some(sealed) => match self.secrets.open(sealed, place_of(owner)) {
                Err(OpenError) => return Ok(None),
                Ok(Opened { plain: secret, is_old }) => {
                    if is_old && let Ok(sealed) = self.secrets.seal(&secret, place_of(owner), self.services) {
                        self.rows.reseal(&client.client_id, &sealed)?;
                    }
                    Some(secret.expose().to_owned())
                }
            },
        };
        Ok(Some(Registered { client_id: client.client_id.clone(), client_secret, is_posted: client.is_posted }))
    }
}

fn unopened() -> Answer {
    failed(false, "the client's secret cannot be opened: CONNECTIONS_SECRET was replaced".to_owned())
}

fn failed(is_refusal: bool, cause: String) -> Answer {
    if is_refusal { Answer::Refused(cause) } else { Answer::Unavailable(cause) }
}
