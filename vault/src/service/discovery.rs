//! Finding the authorization server of a service: from its resource (RFC 9728) or its issuer (RFC 8414, OpenID Connect
//! Discovery), or from the endpoints of the settings.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use mcp_edge_oauth::{
    denial::Excerpt,
    json_members,
    keys::jwks_cache::{MAX_DOCUMENT_BYTES, document, search},
    provider::{DocumentPlace, Provider, ProviderLocation, ProviderUrls},
};
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, Method, RequestContent, Runtime},
    uri::split_origin,
};
use serde_json::Value;

use super::{ServiceError, challenge::resource_metadata, hosts::Hosts, server::AuthorizationServer};
use crate::connection::settings::{Connection, Place, Service};

/// For everything together. A user waits, or a tool.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For the request that asks a resource who protects it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The places of metadata in the order of MCP clients (authorization, "Authorization Server Metadata Discovery"): what a
/// server says of registration is in the document that they read.
const PLACES: [DocumentPlace; 4] = [
    DocumentPlace::OAuthInserted,
    DocumentPlace::OpenIdInserted,
    DocumentPlace::OpenIdAppended,
    DocumentPlace::OAuthAppended,
];

/// Finds the authorization server of a connection. `held` is what is known of it from before.
///
/// # Errors
/// [`ServiceError::ForeignEndpoint`] and [`ServiceError::Unavailable`].
pub async fn discover(
    connection: &Connection,
    service: &Service,
    hosts: &Hosts,
    held: Option<&AuthorizationServer>,
    services: &(impl Fetch + Runtime),
) -> Result<AuthorizationServer, ServiceError> {
    let found = pin!(find(connection, service, hosts, held, services));
    match select(found, services.sleep(TIMEOUT)).await {
        Either::Left((found, _)) => found,
        Either::Right(_) => Err(unavailable(connection, &format!("no metadata within {} s", TIMEOUT.as_secs()))),
    }
}

async fn find(
    connection: &Connection,
    service: &Service,
    hosts: &Hosts,
    held: Option<&AuthorizationServer>,
    services: &(impl Fetch + Runtime),
) -> Result<AuthorizationServer, ServiceError> {
    let issuer = match &service.place {
        Place::Endpoints { authorization, token, revocation } => {
            return AuthorizationServer::of_endpoints(authorization, token, revocation.as_deref(), hosts);
        }
        Place::Issuer(issuer) => issuer.clone(),
        Place::Resource => {
            let resource = service.resource.as_deref().unwrap_or_default();
            issuer_of(connection, resource, hosts, services).await?
        }
    };
    hosts.check("issuer", &issuer)?;
    let location = ProviderLocation { urls: ProviderUrls::of_issuer(&issuer), issuer };
    let mut places: Vec<(Option<DocumentPlace>, String)> = Vec::new();
    for place in PLACES {
        let url = place.url(location.urls.authorization_server.as_deref().unwrap_or(&location.issuer));
        if places.iter().all(|(_, known)| *known != url) {
            places.push((Some(place), url));
        }
    }
    // Compared as it was published.
    let held = held.and_then(|held| Provider::parse_for_client(held.provider.document.as_deref()?, &location).ok());
    let found = search(&location, places, Provider::parse_for_client, held.as_ref(), services).await;
    let found = found.map_err(|error| unavailable(connection, &error.to_string()))?;
    AuthorizationServer::of_metadata(&found, hosts, &connection.name)
}

/// The issuer of a resource: the first of its `authorization_servers` (RFC 9728 §2).
///
/// The metadata is where the resource says so in its challenge (§5.1), or else at its well-known place (§3.1), or at that of
/// its origin, where MCP servers may have it. Its `resource` must be the resource of the settings (§3.3): otherwise one resource
/// could send the users of another one to its own authorization server.
async fn issuer_of(
    connection: &Connection,
    resource: &str,
    hosts: &Hosts,
    services: &impl Fetch,
) -> Result<String, ServiceError> {
    hosts.check("resource", resource)?;
    let urls = match probe(resource, services).await {
        Some(url) => vec![url],
        None => well_known(resource),
    };
    let mut failures: Vec<String> = Vec::new();
    for url in urls {
        hosts.check("resource_metadata", &url)?;
        match document(&url, MAX_DOCUMENT_BYTES, services).await {
            Ok(text) => match read_metadata(&text, resource) {
                Ok(issuer) => return Ok(issuer),
                Err(error) => failures.push(format!("{url}: {error}")),
            },
            Err(error) => failures.push(format!("{url}: {error}")),
        }
    }
    Err(unavailable(connection, &["no protected resource metadata: ", &failures.join("; ")].concat()))
}

/// Asks the resource without a token, and reads its challenge. `None`: it names no metadata, or has not answered.
async fn probe(resource: &str, services: &impl Fetch) -> Option<String> {
    let request = HttpRequest {
        method: Method::GET,
        url: resource,
        authorization: None,
        body: RequestContent::Empty,
        timeout: PROBE_TIMEOUT,
        max_body: MAX_DOCUMENT_BYTES,
    };
    let reply = services.fetch(request).await.ok()?;
    if reply.status == 401 { resource_metadata(&reply.challenge) } else { None }
}

/// The well-known places of a resource's metadata: the path inserted (RFC 9728 §3.1), and without it.
fn well_known(resource: &str) -> Vec<String> {
    const NAME: &str = "/.well-known/oauth-protected-resource";
    let (origin, path) = split_origin(resource);
    let root = [origin, NAME].concat();
    // §3.1: a slash after the host goes away, if nothing follows it.
    let inserted = [root.as_str(), if path == "/" { "" } else { path }].concat();
    if inserted == root { vec![root] } else { vec![inserted, root] }
}

fn read_metadata(text: &str, resource: &str) -> Result<String, String> {
    let wanted = |name: &str| matches!(name, "resource" | "authorization_servers");
    let members = json_members::read(text.as_bytes(), &wanted).map_err(|error| error.to_string())?;
    let found = members.get("resource").and_then(Value::as_str).unwrap_or_default();
    if found != resource {
        return Err(format!("it is of the resource {:?}, not of {resource:?}", Excerpt::new(found)));
    }
    let servers = members.get("authorization_servers").and_then(Value::as_array);
    let first = servers.and_then(|all| all.first()).and_then(Value::as_str);
    first.map(str::to_owned).ok_or_else(|| "it has no authorization_servers".to_owned())
}

fn unavailable(connection: &Connection, why: &str) -> ServiceError {
    ServiceError::Unavailable(["connection ", &connection.name, ": ", why].concat())
}
