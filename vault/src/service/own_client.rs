//! Our client at a service: registered by the operator, or described by a document of ours, or registered dynamically.

use mcp_edge_runtime::{ports::Services, secret::Secret};
use mcp_edge_sign_in::client::{Client, SecretMethod};

use super::{
    ServiceError,
    client_metadata::{OwnClient, redirect_uri},
    of_connection::{OfConnection, Own},
    registration::{
        client::{Registrations, ask},
        message::{Answer, Registered, Request},
    },
    server::AuthorizationServer,
};
use crate::connection::settings::RegisteredClient;

/// Our client.
pub struct OurClient {
    /// Its credentials.
    pub client: Client,
    /// Where it comes from.
    pub kind: ClientKind,
    /// How its secret is to be sent at first, where nobody says how the service takes it.
    pub guess: Option<SecretMethod>,
}

/// Where a client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// The settings.
    Settings,
    /// Its `client_id` is the URL of a document of ours.
    Document,
    /// Dynamic registration.
    Registered {
        /// Whether another one has taken its place, for the service did not know it any more.
        is_replaced: bool,
    },
}

/// The other way to send a secret.
#[must_use]
pub const fn other_method(method: SecretMethod) -> SecretMethod {
    if matches!(method, SecretMethod::Post) { SecretMethod::Basic } else { SecretMethod::Post }
}

/// Our clients at services.
pub struct OwnClients<S, R> {
    /// What services learn of us.
    pub own: Own,
    /// The objects of registrations.
    pub registrations: R,
    /// What the objects are called with.
    pub services: S,
}

impl<S: Services, R: Registrations> OwnClients<S, R> {
    /// The client for a new authorization. `refused` is the one that the service does not know any more.
    ///
    /// # Errors
    /// [`ServiceError::Client`], with what the operator has to do; [`ServiceError::ForeignEndpoint`] of the registration
    /// endpoint; [`ServiceError::Unavailable`].
    pub async fn current(
        &self,
        of: &OfConnection,
        server: &AuthorizationServer,
        refused: Option<&str>,
    ) -> Result<OurClient, ServiceError> {
        if let Some(registered) = of.service.client.as_ref() {
            return Ok(self.of_settings(of, server, registered));
        }
        if server.takes_client_documents && self.own.is_public() {
            return Ok(self.of_document(of));
        }
        let Some(endpoint) = server.registration.clone()? else {
            return Err(ServiceError::Client(format!(
                "connection {}: its service registers no clients: register one there by hand with the redirect URI {}, and \
                 set client_id",
                of.name(),
                redirect_uri(&self.own.origin, of.name())
            )));
        };
        let own = self.own_client(of);
        let request = Request::Current {
            connection: of.name().to_owned(),
            issuer: server.provider.issuer.clone(),
            redirect_uri: own.redirect_uri(),
            endpoint,
            metadata: own.registration(method_for(server)),
            refused: refused.map(str::to_owned),
        };
        self.registered(of, &request).await
    }

    /// The client that something was issued to.
    ///
    /// # Errors
    /// [`ServiceError::Superseded`]: it is none of ours any more; [`ServiceError::Unavailable`].
    pub async fn of(
        &self,
        of: &OfConnection,
        server: &AuthorizationServer,
        client_id: &str,
    ) -> Result<OurClient, ServiceError> {
        let settings = of.service.client.as_ref();
        if let Some(registered) = settings.filter(|registered| registered.client_id == client_id) {
            return Ok(self.of_settings(of, server, registered));
        }
        if self.own_client(of).document_url() == client_id {
            return Ok(self.of_document(of));
        }
        let request = Request::Of {
            connection: of.name().to_owned(),
            issuer: server.provider.issuer.clone(),
            client_id: client_id.to_owned(),
        };
        self.registered(of, &request).await
    }

    async fn registered(&self, of: &OfConnection, request: &Request) -> Result<OurClient, ServiceError> {
        let named = |why: &str| ["connection ", of.name(), ": ", why].concat();
        match ask(&self.registrations, of.name(), request, &self.services).await {
            Answer::Client { client: Registered { client_id, client_secret, is_posted }, is_replaced } => {
                let method = if is_posted { SecretMethod::Post } else { SecretMethod::Basic };
                let client = self.client(of, client_id, client_secret.map(Secret::new), method);
                Ok(OurClient { client, kind: ClientKind::Registered { is_replaced }, guess: None })
            }
            Answer::Unknown => Err(ServiceError::Superseded(named(
                "it was connected with another client_id than that of the settings: the account must be connected anew",
            ))),
            Answer::Refused(why) => Err(ServiceError::Client(named(&why))),
            Answer::Unavailable(why) => Err(ServiceError::Unavailable(named(&why))),
        }
    }

    /// Without a list of methods in the metadata, HTTP Basic is what every server supports (RFC 8414 §2); of servers without
    /// metadata many take the form alone.
    fn of_settings(&self, of: &OfConnection, server: &AuthorizationServer, registered: &RegisteredClient) -> OurClient {
        let RegisteredClient { client_id, client_secret } = registered;
        let is_known = server.methods.is_some() || client_secret.is_none();
        let has_metadata = server.provider.document.is_some();
        let guess = if has_metadata { SecretMethod::Basic } else { SecretMethod::Post };
        OurClient {
            client: self.client(of, client_id.clone(), client_secret.clone(), SecretMethod::AsSupported),
            kind: ClientKind::Settings,
            guess: (!is_known).then_some(guess),
        }
    }

    fn of_document(&self, of: &OfConnection) -> OurClient {
        let client = self.client(of, self.own_client(of).document_url(), None, SecretMethod::AsSupported);
        OurClient { client, kind: ClientKind::Document, guess: None }
    }

    fn client(
        &self,
        of: &OfConnection,
        client_id: String,
        client_secret: Option<Secret>,
        method: SecretMethod,
    ) -> Client {
        Client { client_id, client_secret, method, redirect_uri: redirect_uri(&self.own.origin, of.name()) }
    }

    fn own_client<'a>(&'a self, of: &'a OfConnection) -> OwnClient<'a> {
        OwnClient {
            origin: &self.own.origin,
            name: &self.own.name,
            connection: of.name(),
            scopes: &of.connection.scopes,
        }
    }
}

/// The method to register with: a secret if the service takes one.
fn method_for(server: &AuthorizationServer) -> &'static str {
    let Some(methods) = &server.methods else { return "client_secret_basic" };
    let supported = ["client_secret_basic", "client_secret_post", "none"];
    let first = supported.into_iter().find(|method| methods.iter().any(|known| known == method));
    first.unwrap_or("client_secret_basic")
}
