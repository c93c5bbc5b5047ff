//! The adapter to Cloudflare Workers: the bindings of this Worker, its named entrypoint and its Durable Objects.

mod cloudflare;
mod isolate;
mod objects;

use std::rc::Rc;

use mcp_edge_runtime::cloudflare::{EdgeServices, Env};

use self::{cloudflare::Cloudflare, isolate::isolate};
use crate::{
    connect::servers::Servers,
    connection::{answer::AccessGiver, caller::Callers, sources::ProviderTokens},
    credentials::{Credentials, InternalSettings},
    deployment::Deployment,
    internal,
    vault::Vault,
};

mcp_edge_runtime::worker!(Vault<Cloudflare>, create);
mcp_edge_runtime::entrypoint!(Internal, internal::Internal<Cloudflare, ProviderTokens<EdgeServices>>, create_internal);
mcp_edge_runtime::durable_object!(KeyObject, fetch = objects::key);
mcp_edge_runtime::durable_object!(AccountObject, fetch = objects::account, alarm = objects::wake_account);
mcp_edge_runtime::durable_object!(
    PersonalTokenObject,
    fetch = objects::personal_token,
    alarm = objects::wake_personal_token
);
mcp_edge_runtime::durable_object!(
    ConnectedAccountsObject,
    fetch = objects::connected_accounts,
    alarm = objects::wake_connected_accounts
);
mcp_edge_runtime::durable_object!(RegistrationObject, fetch = objects::registration);

fn create(env: &Env) -> Result<Vault<Cloudflare>, String> {
    let isolate = isolate(env)?;
    let resource_server = Rc::clone(&isolate.resource_server);
    let deployment = Deployment::sharing(resource_server, isolate.settings.clone(), isolate.platform.clone());
    let services: Rc<dyn Servers> = isolate.service_clients.clone();
    Ok(Vault::connecting(deployment, Some(services)))
}

fn create_internal(env: &Env) -> Result<internal::Internal<Cloudflare, ProviderTokens<EdgeServices>>, String> {
    let isolate = isolate(env)?;
    let exchange = isolate.settings.personal_tokens.as_ref().and_then(|tokens| tokens.exchange.as_ref());
    let settings = InternalSettings {
        key_prefix: isolate.settings.key_prefix.clone(),
        personal_token_scopes: exchange.map(|exchange| exchange.scopes.to_string()),
        logs_subjects: isolate.settings.log.subject,
    };
    let platform = Rc::new(isolate.platform.clone());
    let credentials = Rc::new(Credentials::new(platform, isolate.secrets.clone(), settings));
    let internal = internal::Internal::new(Rc::clone(&credentials), Rc::new(objects::now));
    if isolate.settings.connections.is_empty() {
        return Ok(internal);
    }
    let resource_server = Rc::clone(&isolate.resource_server);
    let deployment = Deployment::sharing(resource_server, isolate.settings.clone(), isolate.platform.clone());
    let deployment = Rc::new(deployment);
    let callers = Callers::new(Rc::clone(&deployment), credentials);
    let callers = callers.map_err(|denial| denial.detail().unwrap_or_else(|| "ISSUER is not set".to_owned()))?;
    let keys = Rc::clone(isolate.resource_server.keys().first().ok_or("ISSUER is not set")?);
    let sources = ProviderTokens::new(keys, isolate.rules.issuers.clone(), isolate.platform.services.clone());
    Ok(internal.with_access(AccessGiver::new(deployment, callers, sources)))
}
