//! Where the requests of a connection may go: to hosts that the operator has named, by https, on the public internet.
//!
//! What a service publishes about itself is input: metadata that names an endpoint elsewhere would send users, codes and
//! secrets there, or requests of ours into the network that the Worker is in.

use mcp_edge_oauth::denial::Excerpt;
use mcp_edge_runtime::uri::host_of;

use super::ServiceError;
use crate::connection::{
    address::Reach,
    settings::{Connection, Place, Service},
};

/// The hosts of one connection.
#[derive(Debug, Clone)]
pub struct Hosts {
    connection: String,
    /// Names in lower case, and ports.
    allowed: Vec<(String, String)>,
    /// In development plain http, private addresses and any port are accepted.
    reach: Reach,
}

impl Hosts {
    /// Creates the hosts of a connection: those of its `url`, its issuer, its resource and the endpoints of its settings, and
    /// those that `hosts` lists.
    #[must_use]
    pub fn of(connection: &Connection, service: &Service, reach: Reach) -> Self {
        let mut urls = vec![connection.url.as_str()];
        urls.extend(service.resource.as_deref());
        match &service.place {
            // It is there already.
            Place::Resource => {}
            Place::Issuer(url) => urls.push(url),
            Place::Endpoints { authorization, token, revocation } => {
                urls.extend([authorization.as_str(), token]);
                urls.extend(revocation.as_deref());
            }
        }
        let of_urls = urls.into_iter().map(place_of);
        let listed = service.hosts.iter().map(|host| place_of(&["https://", host].concat()));
        let allowed = of_urls.chain(listed).filter(|(host, _)| !host.is_empty()).collect();
        Self { connection: connection.name.clone(), allowed, reach }
    }

    /// Whether requests, or users, may be sent to a URL; `what` names it for the operator.
    ///
    /// # Errors
    /// [`ServiceError::ForeignEndpoint`].
    pub fn check(&self, what: &str, url: &str) -> Result<(), ServiceError> {
        let refused = |why: &str| {
            Err(ServiceError::ForeignEndpoint(format!(
                "connection {}: {what} {:?} {why}",
                self.connection,
                Excerpt::new(url)
            )))
        };
        if let Err(problem) = self.reach.check_endpoint(url) {
            return refused(problem);
        }
        let (host, port) = place_of(url);
        let is_any_port = self.reach == Reach::Development;
        let is_named = |(allowed, its_port): &(String, String)| *allowed == host && (*its_port == port || is_any_port);
        if !self.allowed.iter().any(is_named) {
            return refused(
                "is at a host that the connection does not name: if it belongs to the service, add the host to its \
                 member hosts",
            );
        }
        Ok(())
    }
}

/// The host of a URL in lower case, and its port.
fn place_of(url: &str) -> (String, String) {
    let (host, port) = host_of(url);
    let default = if url.starts_with("http://") { "80" } else { "443" };
    (host.to_ascii_lowercase(), port.unwrap_or(default).to_owned())
}
