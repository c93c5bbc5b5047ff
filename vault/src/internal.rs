//! The named entrypoint: what endpoints ask.
//!
//! | message | what is answered |
//! |---|---|
//! | use a key, exchange a personal access token | an access token of the provider ([`crate::credentials`]) |
//! | access | a token of another service for the caller ([`crate::connection::answer`]) |

use std::rc::Rc;

use mcp_edge_access_keys::vault_call::Request;
use mcp_edge_connections::{
    port::NoAccess,
    vault_call::{AccessRequest, answer_to_json},
};
use mcp_edge_runtime::service_call::{Props, Service};

use crate::{
    connection::{answer::AccessGiver, source::TokenSource},
    credentials::Credentials,
    platform::Platform,
};

/// The role that the props of an endpoint's binding name.
const ENDPOINT: &str = "endpoint";

/// The entrypoint.
pub struct Internal<P: Platform, T> {
    credentials: Rc<Credentials<P>>,
    /// `None`: there are no connections.
    access: Option<AccessGiver<P, T>>,
    clock: Rc<dyn Fn() -> u64>,
}

/// An endpoint.
pub struct Endpoint(());

impl<P: Platform, T: TokenSource + 'static> Internal<P, T> {
    /// Creates the entrypoint of a vault without connections. `clock` says the time of now, in seconds since 1970.
    #[must_use]
    pub fn new(credentials: Rc<Credentials<P>>, clock: Rc<dyn Fn() -> u64>) -> Self {
        Self { credentials, access: None, clock }
    }

    /// The same with connections.
    #[must_use]
    pub fn with_access(self, access: AccessGiver<P, T>) -> Self {
        Self { access: Some(access), ..self }
    }
}

impl<P: Platform, T: TokenSource + 'static> Service for Internal<P, T> {
    type Caller = Endpoint;

    fn authorize(&self, props: &Props) -> Option<Endpoint> {
        (props.string("role") == Some(ENDPOINT)).then_some(Endpoint(()))
    }

    async fn answer(&self, Endpoint(()): Endpoint, message: String) -> Result<String, String> {
        if let Some(request) = AccessRequest::from_json(&message) {
            let answer = match &self.access {
                Some(access) => access.answer(&request, (self.clock)()).await,
                None => Err(NoAccess::Misconfigured { cause: "CONNECTIONS is not set in the vault".to_owned() }),
            };
            return Ok(answer_to_json(&answer));
        }
        let request = Request::from_json(&message).ok_or("an endpoint sent a message that cannot be read")?;
        Ok(self.credentials.answer(&request).await.to_json())
    }
}
