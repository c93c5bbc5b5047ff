//! The developer portal.

use mcp_edge::{
    http::{RequestHead, Response},
    log::AccessLog,
    ports::Ports,
};

use crate::{
    registrar::{Exchange, Registrar},
    settings::PortalClient,
    store::RegistrationStore,
};

/// The portal.
pub struct Portal {}

impl Portal {
    /// New.
    #[must_use]
    pub fn new(_client: PortalClient, _edge: &mcp_edge::settings::Settings) -> Self {
        Self {}
    }

    pub(crate) async fn handle<S: RegistrationStore, P: Ports>(
        &self,
        _head: &RequestHead<'_>,
        _registrar: &Registrar,
        _exchange: &Exchange<S, P>,
        _log: &mut AccessLog,
    ) -> Response {
        Response::empty(404)
    }
}
