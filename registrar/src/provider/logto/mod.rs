//! Logto, through its Management API.
//!
//! | module | what it does |
//! |---|---|
//! | `api` | calls: the machine token, repeating, time limits, what statuses mean |
//! | `applications` | the operations, step by step, each with its way back |
//! | `consent`, `secrets`, `sign_in_log`, `stored` | consent scopes, secrets and the audit log of an application; what is read of it |
//!
//! The machine token has the only scope that the API knows, `all`: whoever holds it or the secret behind it
//! administers the tenant. It is kept in the memory of an isolate and nowhere else.

mod api;
mod applications;
mod consent;
mod secrets;
mod sign_in_log;
mod stored;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use mcp_edge_runtime::ports::{Fetch, Runtime};

use self::{api::MachineToken, consent::ScopeIds};

/// The tenant, and our client in it.
#[derive(Clone)]
pub struct Tenant {
    /// Base URL of the Management API, such as `https://tenant.logto.app/api`; no slash at the end.
    pub api: String,
    /// Its resource indicator: the same on Logto Cloud, `https://default.logto.app/api` elsewhere.
    pub indicator: String,
    /// The machine-to-machine application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: crate::secret::Secret,
    /// Resource indicator of the MCP server, whose permissions are among the scopes of clients.
    pub mcp_resource: String,
}

/// A tenant, with what an isolate has cached of it.
pub struct Logto {
    tenant: Tenant,
    token: RefCell<Option<MachineToken>>,
    scope_ids: RefCell<Option<ScopeIds>>,
    /// Whether the audit log was seen to take periods as we mean them.
    periods_work: Cell<bool>,
}

impl Logto {
    /// Creates a tenant without a token or anything else cached.
    #[must_use]
    pub fn new(tenant: Tenant) -> Self {
        Self { tenant, token: RefCell::default(), scope_ids: RefCell::default(), periods_work: Cell::default() }
    }

    /// For use within one request or run, at `now` (seconds since 1970). `token_endpoint` is from the provider's
    /// discovery document.
    pub fn at<'a, P: Fetch + Runtime>(
        &'a self,
        ports: &'a P,
        token_endpoint: impl Into<String>,
        now: u64,
    ) -> LogtoApplications<'a, P> {
        LogtoApplications { logto: self, ports, token_endpoint: token_endpoint.into(), now }
    }
}

/// [`Logto`] within one request or run.
pub struct LogtoApplications<'a, P> {
    logto: &'a Logto,
    ports: &'a P,
    token_endpoint: String,
    now: u64,
}
