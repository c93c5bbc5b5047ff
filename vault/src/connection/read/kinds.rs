//! What belongs to each kind of connection.

use mcp_edge_runtime::{
    public_host::is_public_host,
    uri::{has_plain_authority, host_of, origin},
};
use mcp_edge_sign_in::authorization::OWN_PARAMETERS;

use super::entry::{Around, Entry};
use crate::connection::{
    address::Reach,
    settings::{AccountSource, Exchange, Kind, LogtoBroker, LogtoVault, Management, Place, RegisteredClient, Service},
};

pub(super) const CONNECT: &str = "connect";
pub(super) const EXCHANGE: &str = "exchange";
pub(super) const BROKER: &str = "logto-broker";
pub(super) const VAULT: &str = "logto-vault";
pub(super) const STATIC: &str = "static";

pub(super) const NAMES: [&str; 5] = [CONNECT, EXCHANGE, BROKER, VAULT, STATIC];

pub(super) const KINDS: &str = "it is one of \"connect\", \"exchange\", \"logto-broker\", \"logto-vault\", \"static\"";

/// Reads what belongs to `kind`. `None`: it has an error that leaves nothing to read.
pub(super) fn read(entry: &Entry<'_, '_>, kind: &str, url: &str, around: &Around<'_>) -> Option<Kind> {
    match kind {
        CONNECT => service(entry, url).map(|service| Kind::Connect(Box::new(service))),
        EXCHANGE => Some(Kind::Exchange(exchange(entry, around))),
        BROKER => {
            let resource = entry.identifier("resource");
            if resource.is_none() {
                entry.error("resource is not set: give the indicator of the API resource at Logto");
            }
            let resource = resource.unwrap_or_default();
            check_downstream(entry, &resource, around);
            let (client, management) = logto(entry, around);
            Some(Kind::LogtoBroker(LogtoBroker { resource, client: client?, management: management? }))
        }
        VAULT => {
            let target = entry.required("target", "give the connector's target, such as github, or sso:<connector id>");
            let link_url = entry.endpoint("link_url");
            let (client, management) = logto(entry, around);
            Some(Kind::LogtoVault(LogtoVault { target, link_url, client: client?, management: management? }))
        }
        STATIC => {
            let secret = entry.secret();
            if secret.is_none() {
                entry
                    .error(&format!("its token is not set: set it with `wrangler secret put {}`", entry.secret_name()));
            }
            secret.map(Kind::Static)
        }
        // It was reported that there is none.
        "" => None,
        other => {
            entry.wrong("kind", other, &["is not known: ", KINDS].concat());
            None
        }
    }
}

fn service(entry: &Entry<'_, '_>, url: &str) -> Option<Service> {
    let resource = entry.base("resource");
    let place = place(entry, resource.is_some());
    let client = entry.client();
    let parameters = entry.pairs("authorization_parameters");
    for (at, (name, _)) in parameters.iter().enumerate() {
        if OWN_PARAMETERS.contains(&name.as_str()) || name.is_empty() {
            entry.wrong("authorization_parameters", name, "is set by the vault itself: remove it");
        } else if parameters[..at].iter().any(|(other, _)| other == name) {
            entry.wrong("authorization_parameters", name, "is set twice");
        }
    }
    let of_place = match place.as_ref() {
        Some(Place::Resource) => resource.as_deref(),
        Some(Place::Issuer(url) | Place::Endpoints { token: url, .. }) => Some(url.as_str()),
        None => None,
    };
    let (hosts, account) = (hosts(entry), account(entry, [Some(url), of_place]));
    Some(Service { place: place?, resource, client, hosts, parameters, account })
}

fn place(entry: &Entry<'_, '_>, has_resource: bool) -> Option<Place> {
    let issuer = entry.text("issuer").inspect(|issuer| {
        let checked = entry.reach.check_endpoint(issuer).map_err(str::to_owned);
        let checked = if issuer.contains('?') { Err("must have no query (RFC 8414 §2)".to_owned()) } else { checked };
        if let Err(problem) = checked {
            entry.wrong("issuer", issuer, &problem);
        }
    });
    let authorization = entry.endpoint("authorization_endpoint");
    let token = entry.endpoint("token_endpoint");
    let revocation = entry.endpoint("revocation_endpoint");
    let has_endpoint = authorization.is_some() || token.is_some() || revocation.is_some();
    match (issuer, authorization, token) {
        (Some(_), ..) if has_endpoint => {
            entry.error("issuer and endpoints are both set: endpoints are for servers without metadata; remove one");
            None
        }
        (Some(issuer), ..) => Some(Place::Issuer(issuer)),
        (None, Some(authorization), Some(token)) => Some(Place::Endpoints { authorization, token, revocation }),
        (None, ..) if has_endpoint => {
            entry.error("authorization_endpoint and token_endpoint must both be set");
            None
        }
        _ if has_resource => Some(Place::Resource),
        _ => {
            entry.error(
                "set resource (a service with protected resource metadata, such as an MCP server), issuer (an \
                 authorization server with metadata), or authorization_endpoint and token_endpoint",
            );
            None
        }
    }
}

fn hosts(entry: &Entry<'_, '_>) -> Vec<String> {
    let hosts = mcp_edge_runtime::settings::words(&entry.text("hosts").unwrap_or_default());
    for host in &hosts {
        let is_host = has_plain_authority(&["https://", host].concat()) && *host == host.to_ascii_lowercase();
        if !is_host {
            entry.wrong("hosts", host, "is not a host: write names such as login.example.com, separated by spaces");
        } else if entry.reach == Reach::Public && !is_public_host(host_of(&["https://", host].concat()).0) {
            entry.wrong("hosts", host, "is a private address or name");
        }
    }
    hosts
}

/// `own`: the service, and where its authorization server is known from.
fn account(entry: &Entry<'_, '_>, own: [Option<&str>; 2]) -> Option<AccountSource> {
    let (source, member) = (entry.endpoint("account_url"), entry.text("account_name"));
    if source.is_some() != member.is_some() {
        entry.error("account_url and account_name belong together: set both, or none");
    }
    let source = source?;
    if !own.into_iter().flatten().any(|own| origin(own) == origin(&source)) {
        entry.wrong("account_url", &source, "must be on the origin of url or of the issuer: the token is sent there");
    }
    Some(AccountSource { url: source, member: member? })
}

fn exchange(entry: &Entry<'_, '_>, around: &Around<'_>) -> Exchange {
    let (resource, audience) = (entry.identifier("resource"), entry.text("audience"));
    if resource.is_none() && audience.is_none() {
        entry.error("set resource or audience, or both: without them the issuer cannot tell what the token is for");
    }
    for value in [&resource, &audience].into_iter().flatten() {
        check_downstream(entry, value, around);
    }
    let client = entry.confidential_client().unwrap_or_else(|| RegisteredClient {
        client_id: around.client.client_id.clone(),
        client_secret: around.client.client_secret.clone(),
    });
    Exchange { resource, audience, client }
}

/// A token for ourselves is never sent to a service.
fn check_downstream(entry: &Entry<'_, '_>, resource: &str, around: &Around<'_>) {
    if resource == around.resource || around.audiences.iter().any(|own| own == resource) {
        entry.error(
            "resource and audience must not be RESOURCE, nor one of AUDIENCE: tokens for this server are not sent to services",
        );
    }
}

/// What the kinds of Logto have in common. Without `MANAGEMENT_*` that was reported already.
fn logto(entry: &Entry<'_, '_>, around: &Around<'_>) -> (Option<RegisteredClient>, Option<Management>) {
    let client = entry.confidential_client();
    if client.is_none() {
        entry.error(
            "client_id is not set: give the id of a first-party application that may exchange tokens \
             (customClientMetadata.allowTokenExchange)",
        );
    }
    (client, around.management.clone())
}
