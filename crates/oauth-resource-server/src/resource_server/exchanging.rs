//! How credentials are exchanged for access tokens, and the exchanges that are in flight.

use std::{fmt, rc::Rc};

use crate::{
    bearer,
    denial::Denial,
    exchange::{CredentialExchange, CredentialKind, InFlight},
};
use mcp_edge_runtime::http::RequestHead;

/// How credentials are exchanged, and the exchanges that are in flight.
pub(super) struct Exchanging {
    pub(super) exchange: Rc<dyn CredentialExchange>,
    pub(super) in_flight: Rc<InFlight>,
}

/// Shows nothing: it holds secrets.
impl fmt::Debug for Exchanging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exchanging(…)")
    }
}

impl Exchanging {
    pub(super) fn new(exchange: Rc<dyn CredentialExchange>) -> Self {
        Self { exchange, in_flight: Rc::default() }
    }

    /// Refuses a request with such a credential where none belongs.
    pub(super) fn check_places(&self, head: &RequestHead<'_>) -> Result<(), Denial> {
        bearer::check_places(head, &|text| self.exchange.has_form(text))
    }

    /// Itself, with the kind of a credential, if it is one of those that are exchanged.
    pub(super) fn with_kind(&self, credential: &str) -> Option<(&Self, CredentialKind)> {
        self.exchange.kind_of(credential).map(|kind| (self, kind))
    }
}
