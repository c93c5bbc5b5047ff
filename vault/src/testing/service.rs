//! A service of others that rotates refresh tokens, and ends a grant when one is used twice (RFC 9700 §4.14.2).

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use mcp_edge_runtime::secret::Secret;

use super::clock::Clock;
use crate::service::{
    AuthorizationServers, Begun, Issued, Narrowing, Provenance, Redemption, RefreshError, ServiceError, ServiceTokens,
    account::ServiceAccount,
};

/// The service.
pub struct TestService {
    clock: Clock,
    /// Refresh tokens: their grants, and whether they were used.
    issued: RefCell<BTreeMap<String, (String, bool)>>,
    ended: RefCell<Vec<String>>,
    /// How many refreshes there were that it has dealt with.
    pub refreshes: Cell<usize>,
    in_flight: Cell<usize>,
    pub most_in_flight: Cell<usize>,
    /// Tokens that were revoked, in that order.
    pub revoked: RefCell<Vec<String>>,
    pub way_there: Cell<u64>,
    pub way_back: Cell<u64>,
    /// It answers nothing but this.
    pub fails_with: RefCell<Option<ServiceError>>,
    pub rotates: Cell<bool>,
    pub revokes: Cell<bool>,
    /// It revokes access tokens as well as refresh tokens.
    pub revokes_access: Cell<bool>,
    /// For how many seconds access tokens are good; `None`: it does not say.
    pub lifetime: Cell<Option<u64>>,
    /// What it grants in place of what was asked for.
    pub grants: RefCell<Option<String>>,
    /// Where its tokens are from, and where the connection leads.
    pub place: RefCell<Provenance>,
    /// The connection leads elsewhere, and that is not known before the service is asked.
    pub was_moved: Cell<bool>,
    /// What was asked for last.
    pub asked: RefCell<String>,
}

impl TestService {
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            issued: RefCell::default(),
            ended: RefCell::default(),
            refreshes: Cell::default(),
            in_flight: Cell::default(),
            most_in_flight: Cell::default(),
            revoked: RefCell::default(),
            way_there: Cell::new(50),
            way_back: Cell::new(50),
            fails_with: RefCell::default(),
            rotates: Cell::new(true),
            revokes: Cell::new(true),
            revokes_access: Cell::new(true),
            lifetime: Cell::new(Some(3_600)),
            grants: RefCell::default(),
            place: RefCell::new(Provenance {
                issuer: "https://login.service.example".to_owned(),
                service: "https://api.service.example".to_owned(),
            }),
            was_moved: Cell::default(),
            asked: RefCell::default(),
        }
    }

    /// A refresh token of a grant, as an authorization gives it.
    pub fn authorize(&self, grant: &str) -> String {
        let token = format!("refresh token {} of {grant}", self.issued.borrow().len());
        self.issued.borrow_mut().insert(token.clone(), (grant.to_owned(), false));
        token
    }

    /// Ends a grant: its user has removed it there, for example.
    pub fn end(&self, grant: &str) {
        self.ended.borrow_mut().push(grant.to_owned());
    }

    pub fn has_ended(&self, grant: &str) -> bool {
        self.ended.borrow().iter().any(|ended| ended == grant)
    }

    fn check(&self, from: &Provenance) -> Result<(), ServiceError> {
        let is_another = self.was_moved.get() || *from != *self.place.borrow();
        if is_another { Err(ServiceError::AnotherService("another".to_owned())) } else { Ok(()) }
    }

    async fn way(&self, milliseconds: u64) {
        self.clock.sleep(Duration::from_millis(milliseconds)).await;
    }

    fn rotate(&self, refresh_token: &Secret, issued: Issued<'_>, scopes: &str) -> Result<ServiceTokens, ServiceError> {
        self.refreshes.set(self.refreshes.get() + 1);
        let found = self.issued.borrow().get(refresh_token.expose()).cloned();
        let Some((grant, is_used)) = found else { return Err(ServiceError::Ended) };
        if is_used {
            self.end(&grant);
        }
        if self.has_ended(&grant) {
            return Err(ServiceError::Ended);
        }
        let new = self.rotates.get().then(|| {
            self.issued.borrow_mut().get_mut(refresh_token.expose()).unwrap().1 = true;
            Secret::new(self.authorize(&grant))
        });
        Ok(ServiceTokens {
            access_token: Secret::new(format!("access token {} of {grant}", self.refreshes.get())),
            until: self.lifetime.get().map(|seconds| self.clock.now() + seconds),
            refresh_token: new,
            id_token: None,
            scopes: self.grants.borrow().clone().unwrap_or_else(|| scopes.to_owned()),
            client_id: issued.client_id.to_owned(),
            from: issued.from.clone(),
        })
    }
}

impl AuthorizationServers for TestService {
    async fn begin(&self, _: &str, _: &[String], _: u64) -> Result<Begun, ServiceError> {
        unreachable!("pages begin")
    }

    async fn redeem(&self, _: Redemption<'_>, _: u64) -> Result<ServiceTokens, ServiceError> {
        unreachable!("pages redeem")
    }

    async fn account(&self, _: &str, _: &ServiceTokens, _: u64) -> Result<ServiceAccount, ServiceError> {
        unreachable!("pages ask for accounts")
    }

    fn leads_elsewhere(&self, _: &str, from: &Provenance) -> bool {
        *from != *self.place.borrow()
    }

    async fn refresh(
        &self,
        issued: Issued<'_>,
        refresh_token: &Secret,
        Narrowing { wanted: scopes, .. }: Narrowing<'_>,
        _: u64,
    ) -> Result<ServiceTokens, RefreshError> {
        struct InFlight<'a>(&'a Cell<usize>);
        impl Drop for InFlight<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        self.in_flight.set(self.in_flight.get() + 1);
        self.most_in_flight.set(self.most_in_flight.get().max(self.in_flight.get()));
        let _in_flight = InFlight(&self.in_flight);
        scopes.clone_into(&mut self.asked.borrow_mut());
        self.way(self.way_there.get()).await;
        if let Some(error) = &*self.fails_with.borrow() {
            return Err(error.clone().into());
        }
        self.check(issued.from)?;
        let refreshed = self.rotate(refresh_token, issued, scopes);
        self.way(self.way_back.get()).await;
        Ok(refreshed?)
    }

    async fn revoke(&self, issued: Issued<'_>, token: &Secret, _: u64) -> Result<bool, ServiceError> {
        self.check(issued.from)?;
        self.way(self.way_there.get()).await;
        if let Some(error) = &*self.fails_with.borrow() {
            return Err(error.clone());
        }
        let found = self.issued.borrow().get(token.expose()).cloned();
        if !self.revokes.get() || (found.is_none() && !self.revokes_access.get()) {
            return Ok(false);
        }
        self.revoked.borrow_mut().push(token.expose().to_owned());
        if let Some((grant, _)) = found {
            self.end(&grant);
        }
        Ok(true)
    }
}
