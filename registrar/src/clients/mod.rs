//! The operations on clients, for the registration endpoint, the portal and the scheduled run alike.
//!
//! | module | operation |
//! |---|---|
//! | [`register`] | registers a client |
//! | [`submission`] | recognizes a form of the portal that is sent again |
//! | [`authenticate`] | finds a client by its registration access token |
//! | [`read`] | reads a client's secret |
//! | [`update`], [`lease`] | changes a client's metadata, one change at a time |
//! | [`delete`] | removes a client |
//! | [`rotate_secret`] | replaces a client's secret |
//!
//! A client exists in two places. It is made at the provider first and recorded second, and removed in the same order:
//! if anything fails in between, there is never a record of a client that could still do harm, and what is left at the
//! provider carries a mark that the scheduled run recognizes.

pub mod authenticate;
pub mod delete;
pub mod lease;
pub mod read;
pub mod register;
pub mod rotate_secret;
pub mod submission;
pub mod update;

use mcp_edge_runtime::ports::Runtime;

use self::submission::Submissions;
use crate::{
    application::ApplicationType, audit::AuditLog, client_metadata::ClientMetadata, platform::Platform, policy::Policy,
    storage::records::Records,
};

/// The dependencies of an operation.
pub struct Context<'a, A, P> {
    /// The applications at the provider.
    pub applications: &'a A,
    /// The store, the ledger, time to wait and randomness.
    pub platform: &'a P,
    /// The operator's decisions.
    pub policy: &'a Policy,
    /// Forms that were sent lately.
    pub submissions: &'a Submissions,
    /// Seconds since 1970.
    pub now: u64,
    /// Takes a line for each change.
    pub audit: AuditLog<'a>,
}

impl<A, P: Platform> Context<'_, A, P> {
    /// The records of clients.
    #[must_use]
    pub fn records(&self) -> Records<'_, P::Store> {
        Records(self.platform.store())
    }

    /// Random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        random(self.platform.services())
    }
}

fn random<const N: usize>(runtime: &impl Runtime) -> [u8; N] {
    let mut bytes = [0; N];
    runtime.random(&mut bytes);
    bytes
}

/// The id of a reservation or a change: 64 random bits.
pub fn random_id(runtime: &impl Runtime) -> String {
    format!("{:016x}", u64::from_ne_bytes(random(runtime)))
}

/// The type and the hosts of redirect URIs, for the audit log.
fn summary(metadata: &ClientMetadata) -> String {
    let hosts: Vec<String> = metadata
        .redirect_uris
        .iter()
        .map(|uri| {
            let host = crate::client_metadata::page_uri::host_of(uri);
            host.unwrap_or_else(|| uri.split(':').next().unwrap_or_default().to_owned() + ":")
        })
        .collect();
    format!("{} application, answers go to {}", ApplicationType::of(metadata).name(), hosts.join(" "))
}
