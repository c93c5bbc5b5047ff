//! The identity provider's administration API: the port, and Logto as its implementation.
//!
//! To add another provider's administration API, write a file beside [`logto`] that implements [`Applications`]. The
//! rest of the Worker knows this trait only.

pub mod logto;

use crate::{application::Application, secret::Secret};

/// Applications at the provider. Every operation either takes place or leaves everything as it was, as far as the
/// provider can still be reached; what an outage leaves behind is removed by [`Applications::remove_abandoned`].
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Applications {
    /// Makes an application with everything that belongs to it. Until [`Applications::confirm`] it is marked as
    /// unfinished. `attempt` is unique to this registration, so that an application whose creation was never answered
    /// can be found and removed.
    ///
    /// # Errors
    /// [`NotCreated`]; then there is no such application.
    async fn create(&self, application: &Application, attempt: &str) -> Result<Created, NotCreated>;

    /// Takes the mark of an unfinished registration away.
    ///
    /// # Errors
    /// [`ProviderError`]; the caller removes the application.
    async fn confirm(&self, client_id: &str) -> Result<(), ProviderError>;

    /// Makes an application that is `before` into `after`. The type stays.
    ///
    /// # Errors
    /// [`ProviderError`]; then it is as it was. After [`ProviderError::Unavailable`] it may be either, in part, and what was
    /// sent without an answer may still be carried out.
    async fn update(&self, client_id: &str, before: &Application, after: &Application) -> Result<(), ProviderError>;

    /// Removes an application. One that is gone already counts as removed.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn remove(&self, client_id: &str) -> Result<(), ProviderError>;

    /// The current secret; `None` for a public client.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn secret(&self, client_id: &str) -> Result<Option<Secret>, ProviderError>;

    /// Makes a new secret and removes those that are older, never one that is newer: of several rotations at the same
    /// moment the newest secret stays, and each gives the newest that it knows of. `name` is unique to this rotation:
    /// repeating it makes no further one.
    ///
    /// # Errors
    /// [`ProviderError`]; then at least one of the two secrets is good, and another rotation settles it.
    async fn rotate_secret(&self, client_id: &str, name: &str) -> Result<Secret, ProviderError>;

    /// Reads sign-ins through the application in `period` from the provider's log.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] if there is no such application.
    async fn usage(&self, client_id: &str, period: Period) -> Result<LogReading, ProviderError>;

    /// Removes applications whose registration was begun and never finished, and gives their ids. With `dry_run`
    /// nothing is removed.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn remove_abandoned(&self, dry_run: bool) -> Result<Vec<String>, ProviderError>;
}

/// A period of the provider's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its beginning, seconds since 1970.
    pub from: u64,
    /// Its end, milliseconds since 1970: it may be that of one entry among many. `None`: the present, by any clock.
    pub until_ms: Option<u64>,
}

/// The result of reading a period of the provider's log. Anybody can fill it with failures, and the provider forgets it after a
/// while, so what was not found in it is certain only if all of it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogReading {
    /// The last success that was found, in seconds since 1970.
    pub last_success: Option<u64>,
    /// What was before this moment, in milliseconds since 1970, was not read: there was too much of it. `None`: nothing
    /// that could matter.
    pub unread_until_ms: Option<u64>,
    /// The provider does not remember what was before this moment, in seconds since 1970, though the period begins
    /// earlier.
    pub forgotten_until: Option<u64>,
}

/// A new application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The provider's id for it.
    pub client_id: String,
    /// For confidential clients.
    pub secret: Option<Secret>,
}

/// An application that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCreated {
    /// The id of the application that was begun and taken back, if it came to that.
    pub begun: Option<String>,
    /// Why.
    pub error: ProviderError,
}

impl From<ProviderError> for NotCreated {
    fn from(error: ProviderError) -> Self {
        Self { begun: None, error }
    }
}

/// Why an operation at the provider failed. Details are for the operator's log: codes and our own text, never other text
/// of the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider is down: no answer, too many requests, or a server error.
    #[error("the provider is not available: {0}")]
    Unavailable(String),
    /// The provider rejects the application, although it passed our validation.
    #[error("the provider refused the application: {0}")]
    Refused(String),
    /// The answer is longer than anything that we ask for.
    #[error("an answer of the provider is too long")]
    TooLarge,
    /// Our own settings or credentials are wrong.
    #[error("the registrar is not set up correctly: {0}")]
    Misconfigured(String),
    /// There is no such application.
    #[error("the application does not exist")]
    Gone,
}
