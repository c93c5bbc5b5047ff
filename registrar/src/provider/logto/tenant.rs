//! The tenant, and what an isolate has cached of it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use mcp_edge_runtime::ports::{Fetch, Runtime};

use crate::secret::Secret;

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
    pub client_secret: Secret,
    /// Resource indicator of the MCP server, whose permissions are among the scopes of clients.
    pub mcp_resource: String,
}

/// A token for the Management API.
#[derive(Debug, Clone)]
pub(super) struct MachineToken {
    pub token: Secret,
    /// Seconds since 1970.
    pub usable_until: u64,
}

/// Names and ids of the MCP server's permissions.
#[derive(Debug, Clone)]
pub(super) struct ScopeIds {
    pub ids: BTreeMap<String, String>,
    /// Seconds since 1970.
    pub read_at: u64,
}

/// A tenant, with what an isolate has cached of it.
pub struct Logto {
    pub(super) tenant: Tenant,
    pub(super) token: RefCell<Option<MachineToken>>,
    pub(super) scope_ids: RefCell<Option<ScopeIds>>,
    /// Whether the audit log was seen to take periods as we mean them.
    pub(super) periods_work: Cell<bool>,
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
    pub(super) logto: &'a Logto,
    pub(super) ports: &'a P,
    pub(super) token_endpoint: String,
    pub(super) now: u64,
}
