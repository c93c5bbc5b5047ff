//! The object of one personal access token: one exchange at a time, and the access token that is kept.

use std::time::Duration;

use mcp_edge_runtime::{
    alarm::Alarms,
    ports::Runtime,
    secret::Secret,
    sql::{Rows, SqlError, SqlStorage, Statement},
};

use super::{
    exchange::{Exchange, ExchangeError},
    flights::{Flights, Known},
    message::{Answer, Request},
};
use crate::{
    columns::{number, unless_no_table},
    jwt::expiry_of,
    secrets::Seal,
};

const TABLE: Statement =
    Statement::new("CREATE TABLE IF NOT EXISTS token (sealed TEXT NOT NULL, until INTEGER NOT NULL) STRICT");

/// How long a request waits for another one's exchange, and how often it looks, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 10_000;
const POLL_MILLISECONDS: u64 = 50;

/// How long after its end the access token may lie in storage, in seconds.
const REMAINS: u64 = 3_600;

/// The object of one personal access token.
pub struct PersonalTokenObject<'a, S, E, R> {
    storage: &'a S,
    exchange: &'a E,
    runtime: &'a R,
    flights: &'a Flights,
    /// `PAT_SECONDS`.
    seconds: u64,
}

impl<'a, S: SqlStorage + Alarms, E: Exchange, R: Runtime> PersonalTokenObject<'a, S, E, R> {
    /// Creates the object for one event. `flights` is the isolate's; `seconds` is `PAT_SECONDS`.
    #[must_use]
    pub const fn new(storage: &'a S, exchange: &'a E, runtime: &'a R, flights: &'a Flights, seconds: u64) -> Self {
        Self { storage, exchange, runtime, flights, seconds }
    }

    /// Answers a message ([`Request`] as JSON) with an [`Answer`] as JSON. `clock` says the time of now, in
    /// seconds since 1970.
    ///
    /// # Errors
    /// What the operator is to know of a failure; without secrets.
    pub async fn answer(&self, message: &str, clock: &impl Fn() -> u64) -> Result<String, String> {
        let Request { name, token } =
            serde_json::from_str(message).map_err(|_| "a message that cannot be read".to_owned())?;
        let answer = self.exchanged(&name, &Secret::new(token), clock).await;
        let answer = answer.map_err(|error| format!("the personal access token's storage: {error}"))?;
        serde_json::to_string(&answer).map_err(|error| error.to_string())
    }

    /// Deletes what has ended.
    ///
    /// # Errors
    /// For the operator; the platform repeats the alarm.
    pub async fn wake(&self, now: u64) -> Result<(), String> {
        match self.until().map_err(|error| error.to_string())? {
            Some(until) if now < until => self.wake_at(until).await,
            _ => self
                .storage
                .execute(Statement::new("DROP TABLE IF EXISTS token"))
                .map(drop)
                .map_err(|error| error.to_string()),
        }
    }

    async fn exchanged(&self, name: &str, token: &Secret, clock: &impl Fn() -> u64) -> Result<Answer, SqlError> {
        let mut waited = 0;
        loop {
            let now = clock();
            if let Some((access_token, until)) = self.kept(name, token, now)? {
                return Ok(Answer::Token { access_token: access_token.expose().to_owned(), until });
            }
            match self.flights.find(name, now) {
                Some(Known::Failed { error, retry_after }) => return Ok(failed(error, retry_after)),
                Some(Known::Running) if waited >= PATIENCE_MILLISECONDS => {
                    return Ok(failed(unavailable("another request waits for the provider"), 5));
                }
                Some(Known::Running) => {
                    self.runtime.sleep(Duration::from_millis(POLL_MILLISECONDS)).await;
                    waited += POLL_MILLISECONDS;
                }
                None => return self.exchange(name, token, clock).await,
            }
        }
    }

    async fn exchange(&self, name: &str, token: &Secret, clock: &impl Fn() -> u64) -> Result<Answer, SqlError> {
        let now = clock();
        let Some(running) = self.flights.begin(name, now) else {
            return Ok(failed(unavailable("another request asks the provider"), 1));
        };
        let exchanged = self.exchange.exchange(token, now).await;
        let begun = now;
        let now = clock();
        let access_token = match exchanged {
            Ok(access_token) => access_token,
            Err(error) => {
                // What the provider accepted before, it accepts no longer.
                if error == ExchangeError::Refused {
                    self.forget()?;
                }
                running.fail(error.clone(), now);
                return Ok(failed(error, 5));
            }
        };
        let Some(expiry) = expiry_of(access_token.expose()) else {
            let error = unavailable("the provider's access token is no JWT with an expiry");
            running.fail(error.clone(), now);
            return Ok(failed(error, 5));
        };
        let until = expiry.min(begun.min(now) + self.seconds);
        // An access token that cannot be kept is still good.
        if now < until && self.wake_at(until + REMAINS).await.is_ok() {
            self.keep(name, token, &access_token, until)?;
        }
        drop(running);
        Ok(Answer::Token { access_token: access_token.expose().to_owned(), until: until.max(now) })
    }

    /// The access token that is kept, if it is good enough at `now`, and until when it is.
    fn kept(&self, name: &str, token: &Secret, now: u64) -> Result<Option<(Secret, u64)>, SqlError> {
        let select = self.storage.execute(Statement::new("SELECT sealed, until FROM token"));
        let Some(rows) = unless_no_table(select)? else { return Ok(None) };
        let Some(row) = rows.first() else { return Ok(None) };
        let until = number(row, 1)?;
        // No longer from now on than at first, should the clock have gone back.
        if now >= until || until > now + self.seconds {
            return Ok(None);
        }
        Ok(Seal::personal_token(token, name).open(row.text(0)?).ok().map(|access_token| (access_token, until)))
    }

    fn keep(&self, name: &str, token: &Secret, access_token: &Secret, until: u64) -> Result<(), SqlError> {
        let Ok(sealed) = Seal::personal_token(token, name).seal(access_token, self.runtime) else { return Ok(()) };
        let insert = Statement::new("INSERT INTO token VALUES (?, ?)").bind(sealed).bind(until);
        self.storage.transaction(vec![TABLE, Statement::new("DELETE FROM token"), insert]).map(drop)
    }

    /// Until when the access token is good that is kept, in seconds since 1970.
    fn until(&self) -> Result<Option<u64>, SqlError> {
        let rows = unless_no_table(self.storage.execute(Statement::new("SELECT until FROM token")))?;
        rows.as_ref().and_then(Rows::first).map(|row| number(row, 0)).transpose()
    }

    fn forget(&self) -> Result<(), SqlError> {
        unless_no_table(self.storage.execute(Statement::new("DROP TABLE token"))).map(drop)
    }

    async fn wake_at(&self, at: u64) -> Result<(), String> {
        self.storage.set_alarm(at.saturating_mul(1000)).await.map_err(|error| error.to_string())
    }
}

fn unavailable(cause: &str) -> ExchangeError {
    ExchangeError::Unavailable(cause.to_owned())
}

fn failed(error: ExchangeError, retry_after: u64) -> Answer {
    match error {
        ExchangeError::Refused => Answer::Refused,
        ExchangeError::Unavailable(cause) => Answer::Unavailable { retry_after, cause },
    }
}
