//! The platform: this Worker's bindings.

use mcp_edge_runtime::cloudflare::{Binding, Bindings, EdgeServices, Env};

use crate::platform::{OBJECT_LIMITS, Platform};

/// What `wrangler.toml` binds. Nothing limits failed authentications.
const BINDINGS: Bindings = Bindings { store: "VAULT_STORE", rate_limiter: "RATE_LIMITER" };

/// The namespaces of Durable Objects.
const KEYS: &str = "KEYS";
const ACCOUNTS: &str = "ACCOUNTS";
const PERSONAL_TOKENS: &str = "PERSONAL_TOKENS";
const CONNECTED_ACCOUNTS: &str = "CONNECTED_ACCOUNTS";
const REGISTRATIONS: &str = "REGISTRATIONS";

/// The platform: bindings and services of Cloudflare.
#[derive(Clone)]
pub struct Cloudflare {
    env: Env,
    pub(super) services: EdgeServices,
    /// `VAULT_JURISDICTION`, in which all objects are.
    jurisdiction: Option<String>,
}

impl Cloudflare {
    pub(super) fn new(env: &Env, jurisdiction: Option<String>) -> Self {
        Self { env: env.clone(), services: EdgeServices::new(env.clone(), BINDINGS), jurisdiction }
    }

    fn object(&self, namespace: &'static str, name: &str) -> Binding {
        Binding::object(&self.env, namespace, name).jurisdiction(self.jurisdiction.as_deref()).limits(OBJECT_LIMITS)
    }
}

impl Platform for Cloudflare {
    type Services = EdgeServices;
    type Object = Binding;

    fn services(&self) -> &EdgeServices {
        &self.services
    }

    fn key(&self, id: &str) -> Binding {
        self.object(KEYS, id)
    }

    fn account(&self, name: &str) -> Binding {
        self.object(ACCOUNTS, name)
    }

    fn personal_token(&self, name: &str) -> Binding {
        self.object(PERSONAL_TOKENS, name)
    }

    fn connected_accounts(&self, name: &str) -> Binding {
        self.object(CONNECTED_ACCOUNTS, name)
    }

    fn registration(&self, connection: &str) -> Binding {
        self.object(REGISTRATIONS, connection)
    }
}
