//! What an isolate knows of the authorization server of one connection: found once for all requests, good for ten minutes, and
//! kept while it cannot be found again.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use mcp_edge_oauth::{
    keys::jwks_cache::{IssuerKeys, StoreUse},
    provider::{ProviderLocation, ProviderUrls},
};
use mcp_edge_runtime::ports::Runtime;
use mcp_edge_sign_in::client::SecretMethod;

use super::{ServiceError, server::AuthorizationServer};
use crate::lease::Patience;

/// How long what was found counts as new, in seconds.
pub const FRESH_SECONDS: u64 = 600;

/// How long it is used while the service cannot be asked, in seconds.
pub const CEILING_SECONDS: u64 = 24 * 3_600;

/// How long the service is spared after a failure, in seconds.
pub const SPARED_SECONDS: u64 = 5;

/// How long a search may take, in seconds: a request that was cut off may never end its own.
const LEASE_SECONDS: u64 = 15;

/// How long a request waits for the search of another one, and how often it looks, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 11_000;
const POLL_MILLISECONDS: u64 = 50;

/// What is known of one authorization server.
#[derive(Debug, Default)]
pub struct Known {
    /// The server, and when it was found.
    server: RefCell<Option<(Rc<AuthorizationServer>, u64)>>,
    /// Why the last search failed, and when.
    failure: RefCell<Option<(ServiceError, u64)>>,
    /// When the search that is under way began, and its number.
    search: Cell<Option<(u64, u64)>>,
    searches: Cell<u64>,
    /// The keys of its ID tokens.
    keys: RefCell<Option<Rc<IssuerKeys>>>,
    /// How the service has taken the secret of our client, where that had to be found out.
    pub method: Cell<Option<SecretMethod>>,
}

impl Known {
    /// The authorization server; `search` finds it, given what is known of it from before. One request searches at a time. While
    /// the service cannot be asked, what was found within the last day is used; what it publishes that may not be used is
    /// an error at once.
    ///
    /// # Errors
    /// That of the search; [`ServiceError::Unavailable`] if the one of another request takes too long.
    pub async fn server(
        &self,
        now: u64,
        runtime: &impl Runtime,
        search: impl AsyncFnOnce(Option<Rc<AuthorizationServer>>) -> Result<AuthorizationServer, ServiceError>,
    ) -> Result<Rc<AuthorizationServer>, ServiceError> {
        let began = now;
        let mut patience = Patience::new(PATIENCE_MILLISECONDS, POLL_MILLISECONDS);
        loop {
            let now = began + patience.seconds();
            if let Some(server) = self.found_within(FRESH_SECONDS, now) {
                return Ok(server);
            }
            let held = self.found_within(CEILING_SECONDS, now);
            let failure = self.failure.borrow().clone();
            if let Some((error, at)) = failure
                && (at..at + SPARED_SECONDS).contains(&now)
            {
                return instead_of(held, error);
            }
            match self.search.get() {
                Some((from, _)) if (from..from + LEASE_SECONDS).contains(&now) => match held {
                    Some(held) => return Ok(held),
                    None if patience.wait(runtime).await => {}
                    None => {
                        return Err(ServiceError::Unavailable("another request waits for the service".to_owned()));
                    }
                },
                _ => {
                    let running = self.begin(now);
                    let found = search(held.clone()).await;
                    drop(running);
                    return self.note(found, held, now);
                }
            }
        }
    }

    /// The server that was found last, however long ago.
    #[must_use]
    pub fn last_found(&self) -> Option<Rc<AuthorizationServer>> {
        self.server.borrow().as_ref().map(|(server, _)| Rc::clone(server))
    }

    fn found_within(&self, seconds: u64, now: u64) -> Option<Rc<AuthorizationServer>> {
        let server = self.server.borrow();
        // A clock that has gone back says nothing of what lies ahead.
        let within = |(_, at): &&(_, u64)| (*at..at.saturating_add(seconds)).contains(&now);
        server.as_ref().filter(within).map(|(server, _)| Rc::clone(server))
    }

    fn begin(&self, now: u64) -> Running<'_> {
        let number = self.searches.get() + 1;
        self.searches.set(number);
        self.search.set(Some((now, number)));
        Running { known: self, number }
    }

    fn note(
        &self,
        found: Result<AuthorizationServer, ServiceError>,
        held: Option<Rc<AuthorizationServer>>,
        now: u64,
    ) -> Result<Rc<AuthorizationServer>, ServiceError> {
        match found {
            Ok(server) => {
                let server = Rc::new(server);
                *self.server.borrow_mut() = Some((Rc::clone(&server), now));
                *self.failure.borrow_mut() = None;
                Ok(server)
            }
            Err(error) => {
                *self.failure.borrow_mut() = Some((error.clone(), now));
                instead_of(held, error)
            }
        }
    }

    /// The keys of the ID tokens of `server`, whose `jwks_uri` may be used. `writer` is the resource of this deployment, whose
    /// store is its own.
    pub fn keys(&self, server: &AuthorizationServer, writer: &str) -> Rc<IssuerKeys> {
        let urls = ProviderUrls { jwks: Some(server.provider.jwks_uri.clone()), ..ProviderUrls::default() };
        let location = ProviderLocation { issuer: server.provider.issuer.clone(), urls };
        let mut keys = self.keys.borrow_mut();
        if let Some(keys) = keys.as_ref().filter(|keys| *keys.location() == location) {
            return Rc::clone(keys);
        }
        let new = Rc::new(IssuerKeys::new(location, StoreUse::Exclusive(writer.to_owned())));
        *keys = Some(Rc::clone(&new));
        new
    }
}

/// What was found before, in place of an outage.
fn instead_of(
    held: Option<Rc<AuthorizationServer>>,
    error: ServiceError,
) -> Result<Rc<AuthorizationServer>, ServiceError> {
    match (held, error) {
        (Some(held), ServiceError::Unavailable(_)) => Ok(held),
        (_, error) => Err(error),
    }
}

/// A search under way. It has ended when this is dropped, however that happens.
struct Running<'k> {
    known: &'k Known,
    number: u64,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Unless another one has taken its place, for it took too long.
        if self.known.search.get().is_some_and(|(_, number)| number == self.number) {
            self.known.search.set(None);
        }
    }
}
