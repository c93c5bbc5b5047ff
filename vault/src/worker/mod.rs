//! The adapter to Cloudflare Workers: the bindings of this Worker, its named entrypoint and its Durable Objects.

mod isolate;
mod objects;

use std::rc::Rc;

use mcp_edge_runtime::cloudflare::{Binding, Bindings, EdgeServices, Env};

use self::isolate::isolate;
use crate::{
    deployment::Deployment,
    internal::{self, InternalSettings},
    platform::{OBJECT_LIMITS, Platform},
    vault::Vault,
};

/// What `wrangler.toml` binds. Nothing limits failed authentications.
const BINDINGS: Bindings = Bindings { store: "VAULT_STORE", rate_limiter: "RATE_LIMITER" };

/// The namespaces of Durable Objects.
const KEYS: &str = "KEYS";
const ACCOUNTS: &str = "ACCOUNTS";
const PERSONAL_TOKENS: &str = "PERSONAL_TOKENS";

mcp_edge_runtime::worker!(Vault<Cloudflare>, create);
mcp_edge_runtime::entrypoint!(Internal, internal::Internal<Cloudflare>, create_internal);
mcp_edge_runtime::durable_object!(KeyObject, fetch = objects::key);
mcp_edge_runtime::durable_object!(AccountObject, fetch = objects::account, alarm = objects::wake_account);
mcp_edge_runtime::durable_object!(
    PersonalTokenObject,
    fetch = objects::personal_token,
    alarm = objects::wake_personal_token
);

fn create(env: &Env) -> Result<Vault<Cloudflare>, String> {
    let isolate = isolate(env)?;
    let resource_server = Rc::clone(&isolate.resource_server);
    Ok(Vault::of(Deployment::sharing(resource_server, isolate.settings.clone(), isolate.platform.clone())))
}

fn create_internal(env: &Env) -> Result<internal::Internal<Cloudflare>, String> {
    let isolate = isolate(env)?;
    let settings = InternalSettings {
        key_prefix: isolate.settings.key_prefix.clone(),
        exchanges_personal_tokens: isolate.settings.personal_tokens.is_some(),
        logs_subjects: isolate.settings.log.subject,
    };
    Ok(internal::Internal::new(Rc::new(isolate.platform.clone()), isolate.secrets.clone(), settings))
}

/// The platform: bindings and services of Cloudflare.
#[derive(Clone)]
pub(crate) struct Cloudflare {
    env: Env,
    services: EdgeServices,
    /// `VAULT_JURISDICTION`, in which all objects are.
    jurisdiction: Option<String>,
}

impl Cloudflare {
    fn new(env: &Env, jurisdiction: Option<String>) -> Self {
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
}
