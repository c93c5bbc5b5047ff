//! The isolates: which of a location serves a request, when a new one starts, and with which settings.

use std::{cell::Cell, rc::Rc};

use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{
    client_policy::ClientPolicy,
    disclosure::Disclosure,
    exchange::Exchanges,
    resource_server::{ResourceServer, TrustPolicy, TrustedIssuer},
    scope_hierarchy::Hierarchy,
    scope_prefix::ScopePrefix,
    settings::{CredentialSettings, Resource},
    token::denied::DeniedTokens,
};
use mcp_edge_runtime::settings::Reader;

use crate::{
    deployment::Placement,
    platform::{LocationServices, Platform},
    tokens::{ISSUER, RESOURCE},
    vault::Vault,
};

/// An isolate: its memory is that of one [`ResourceServer`].
pub struct Isolate {
    /// The product.
    pub server: ResourceServer,
    /// What it gets from outside.
    pub services: LocationServices,
    ends_at: u64,
    used_at: Cell<u64>,
    version: usize,
}

/// All isolates.
pub struct Isolates {
    platform: Platform,
    vault: Vault,
    placement: Placement,
    running: Vec<Vec<Option<Rc<Isolate>>>>,
    started: u64,
    /// The versions of the settings, and when each location has the newest.
    denied: Vec<DeniedTokens>,
    deployed_at: Vec<u64>,
}

impl Isolates {
    /// Creates a deployment whose isolates have not started.
    #[must_use]
    pub fn new(platform: Platform, vault: Vault, placement: Placement, locations: usize) -> Self {
        let running = vec![vec![None; placement.isolates]; locations];
        let deployed_at = vec![0; locations];
        Self { platform, vault, placement, running, started: 0, denied: vec![DeniedTokens::default()], deployed_at }
    }

    /// How many have started so far.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.started
    }

    /// How many run now.
    #[must_use]
    pub fn count(&self) -> usize {
        let now = self.platform.clock.milliseconds();
        self.running.iter().flatten().flatten().filter(|isolate| self.lives(isolate, now)).count()
    }

    /// Deploys settings that deny tokens; a location has them at the latest after so many milliseconds, and then serves no
    /// request with an isolate that has not.
    pub fn deploy(&mut self, denied: DeniedTokens, within: u64) {
        let now = self.platform.clock.milliseconds();
        self.denied.push(denied);
        for at in &mut self.deployed_at {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "seconds"
            )]
            let after = (self.platform.share() * within as f64) as u64;
            *at = now + after;
        }
    }

    /// The isolate that serves a request at `location` now.
    pub fn serve(&mut self, location: usize) -> Rc<Isolate> {
        let now = self.platform.clock.milliseconds();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a few"
        )]
        let place = (self.platform.share() * self.placement.isolates as f64) as usize;
        let newest = self.denied.len() - 1;
        let version = if now >= self.deployed_at[location] { newest } else { newest - 1 };
        if let Some(isolate) = &self.running[location][place]
            && self.lives(isolate, now)
            && isolate.version == version
        {
            isolate.used_at.set(now);
            return Rc::clone(isolate);
        }
        let isolate = Rc::new(self.start(location, version, now));
        self.running[location][place] = Some(Rc::clone(&isolate));
        isolate
    }

    fn lives(&self, isolate: &Isolate, now: u64) -> bool {
        now < isolate.ends_at && now < isolate.used_at.get() + self.placement.idle_seconds * 1000
    }

    fn start(&mut self, location: usize, version: usize, now: u64) -> Isolate {
        self.started += 1;
        let services = LocationServices { platform: self.platform.clone(), location };
        let policy = policy(self.denied[version].clone());
        let (get, resource) = (|_: &str| None::<String>, Resource { url: RESOURCE.to_owned(), ..Resource::default() });
        let settings = CredentialSettings::read(&mut Reader::new(&get), &resource, &policy, true);
        let server = ResourceServer::new(policy);
        let keys = Rc::clone(&server.keys()[0]);
        let exchanges = Exchanges::new(settings, keys, Some(self.vault.clone()), services.clone());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours")]
        let life = self.platform.exponential(self.placement.life_seconds * 1000.0) as u64;
        Isolate {
            server: server.with_exchange(Rc::new(exchanges)),
            services,
            ends_at: now + life,
            used_at: Cell::new(now),
            version,
        }
    }
}

/// Trusts the provider, and asks for nothing else.
fn policy(denied: DeniedTokens) -> TrustPolicy {
    TrustPolicy {
        issuers: vec![TrustedIssuer::new(ISSUER, vec![RESOURCE.to_owned()])],
        required_scopes: Scopes::default(),
        scope_prefix: ScopePrefix::default(),
        hierarchy: Hierarchy::default(),
        disclosure: Disclosure::default(),
        clients: ClientPolicy::default(),
        organizations: Vec::new(),
        opaque: None,
        denied,
    }
}
