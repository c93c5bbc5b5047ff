//! Stands in for the module `connecting` where the feature `connections` is off: nobody has an account at the upstream.

use std::{rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use mcp_edge_identity::Identity;
use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{forward::Forward, keys::SigningKey};

use super::{Gateway, Refused, prepared::PreparedRequest};
use crate::{
    answer::{Answer, Answered, Asked},
    failure::Failure,
    pins::Pins,
    upstream::{Caller, UpstreamRequest},
};

/// Nobody is waited for.
pub(super) const PATIENCE: Duration = Duration::ZERO;

#[allow(clippy::unused_self, reason = "as where there are connections")]
impl<F: Forward, K: SigningKey> Gateway<F, K> {
    pub(super) const fn own_pins(&self, _: &Identity) -> Option<Rc<Pins>> {
        None
    }

    pub(super) fn pass_on<'s, 'a: 's>(
        &'s self,
        request: &'s PreparedRequest<'a>,
        caller: Caller<'s>,
    ) -> impl Future<Output = Result<Answered, Refused<'a>>> {
        self.pass_on_once(request, caller)
    }

    pub(super) fn exchange<'s>(
        &'s self,
        era: Era,
        request: UpstreamRequest<'s>,
        asked: Asked<'s>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answer, Failure>> {
        self.exchange_once(era, request, asked, caller)
    }
}
