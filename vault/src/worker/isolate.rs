//! What an isolate keeps for everything that happens in it: the pages, the entrypoint, and every object that is in it.
//!
//! The platform puts many objects into one isolate. Each of them has its own storage, and they share the provider's keys
//! and endpoints: otherwise each key would have them fetched anew.

use std::{cell::OnceCell, rc::Rc};

use mcp_edge_oauth::{keys::jwks_cache::IssuerKeys, resource_server::ResourceServer};
use mcp_edge_runtime::{
    cloudflare::{EdgeServices, Env, setting},
    json::Object,
    ports::OperatorLog,
};

use super::cloudflare::Cloudflare;
use crate::{
    key::lease::Rules,
    pages::name_of,
    personal_token::{exchange::ProviderExchange, flights::Flights},
    provider::ProviderGrants,
    secrets::{VaultSecrets, connections::ConnectionSecrets},
    service::{clients::ServiceClients, of_connection::Own},
    settings::Settings,
};

/// What an isolate keeps.
pub(super) struct Isolate {
    pub(super) settings: Settings,
    pub(super) secrets: VaultSecrets,
    pub(super) platform: Cloudflare,
    pub(super) resource_server: Rc<ResourceServer>,
    pub(super) grants: ProviderGrants<EdgeServices>,
    pub(super) rules: Rules,
    /// `None`: `PAT_PREFIX` is not set.
    pub(super) exchange: Option<ProviderExchange<EdgeServices>>,
    pub(super) flights: Flights,
    /// What the secrets of connections are sealed with; `None`: no account can be connected.
    pub(super) connection_secrets: Option<ConnectionSecrets>,
    /// The client of the services that accounts are connected of.
    pub(super) service_clients: Rc<ServiceClients<EdgeServices, Cloudflare>>,
}

thread_local! {
    static ISOLATE: OnceCell<Result<Rc<Isolate>, String>> = const { OnceCell::new() };
}

/// What this isolate keeps; it is created by the first event.
///
/// # Errors
/// Everything that is wrong with the settings.
pub(super) fn isolate(env: &Env) -> Result<Rc<Isolate>, String> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| Isolate::new(env).map(Rc::new)).clone())
}

impl Isolate {
    fn new(env: &Env) -> Result<Self, String> {
        let settings = Settings::parse(|name| setting(env, name)).map_err(|errors| errors.to_string())?;
        let platform = Cloudflare::new(env, settings.jurisdiction.clone());
        let services = &platform.services;
        for warning in &settings.warnings {
            services.error(&Object::new().text("warning", warning).close());
        }
        let resource_server = Rc::new(ResourceServer::with_exclusive_store(Rc::clone(&settings.server.trust)));
        // Settings without an issuer are an error.
        let keys = Rc::clone(resource_server.keys().first().ok_or("ISSUER is not set")?);
        let trust = &settings.server.trust;
        let (resource, prefix) = (settings.server.resource.url.clone(), trust.scope_prefix.clone());
        let issuers = trust.issuers.first().map(|trusted| trusted.accepted.clone()).unwrap_or_default();
        Ok(Self {
            secrets: VaultSecrets::new(&settings.secret, settings.jurisdiction.as_deref()),
            grants: ProviderGrants::new(Rc::clone(&keys), settings.client.clone(), resource, prefix, services.clone()),
            rules: Rules { not_before: settings.not_before, issuers, client_id: settings.client.client_id.clone() },
            exchange: exchange_of(&settings, keys, services),
            flights: Flights::default(),
            connection_secrets: settings.connection_secrets(),
            service_clients: Rc::new(service_clients(&settings, &platform)),
            resource_server,
            platform,
            settings,
        })
    }
}

/// The client of the services of all connections.
fn service_clients(settings: &Settings, platform: &Cloudflare) -> ServiceClients<EdgeServices, Cloudflare> {
    let server = &settings.server;
    let own =
        Own { origin: server.resource.origin.clone(), name: name_of(settings), resource: server.resource.url.clone() };
    ServiceClients::new(settings.connections.iter(), own, platform.clone(), platform.services.clone())
}

/// How personal access tokens are exchanged, if they are.
fn exchange_of(
    settings: &Settings,
    keys: Rc<IssuerKeys>,
    services: &EdgeServices,
) -> Option<ProviderExchange<EdgeServices>> {
    let request = settings.personal_tokens.as_ref()?.exchange.clone()?;
    Some(ProviderExchange::new(keys, request, services.clone()))
}
