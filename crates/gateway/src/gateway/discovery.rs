//! Which era the upstream speaks, found out when it matters.

use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{
    forward::{Forward, UpstreamResponse},
    keys::SigningKey,
};

use super::{Gateway, Refused, messages::failed};
use crate::{
    answer::{Answered, Discovery},
    eras,
    failure::Failure,
    upstream::{Caller, UpstreamRequest},
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Makes sure that the upstream speaks the era without a handshake.
    pub(super) async fn require_modern<'a>(&self, id: Option<&'a str>, caller: Caller<'_>) -> Result<(), Refused<'a>> {
        let is_modern = if let Some(is_modern) = self.upstream.eras.is_modern(caller.context.now) {
            is_modern
        } else {
            let outgoing = UpstreamRequest {
                body: Some(eras::DISCOVER),
                headers: &eras::DISCOVER_HEADERS,
                ..UpstreamRequest::default()
            };
            let response = self.upstream.send(caller, outgoing).await.map_err(failed(id))?;
            self.discover(eras::DISCOVER_ID, response, caller).await.map_err(failed(id))?.is_some()
        };
        if is_modern { Ok(()) } else { Err(Refused::Rpc { id, error: eras::legacy_only(), era: Era::Modern }) }
    }

    /// Answers a client's own `server/discover`.
    pub(super) async fn discovered<'a>(
        &self,
        id: &'a str,
        response: UpstreamResponse<F::Body>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'a>> {
        let discovered = self.discover(id, response, caller).await.map_err(failed(Some(id)))?;
        discovered.ok_or_else(|| Refused::Rpc { id: Some(id), error: eras::legacy_only(), era: Era::Modern })
    }

    /// What the upstream's response to `server/discover` comes to; nothing if it speaks only handshakes.
    async fn discover(
        &self,
        id: &str,
        response: UpstreamResponse<F::Body>,
        caller: Caller<'_>,
    ) -> Result<Option<Answered>, Failure> {
        let now = caller.context.now;
        match self.answering(Era::Modern, caller).discovery(id, response).await? {
            Discovery::Modern(answered) => {
                self.upstream.eras.learn(true, now);
                Ok(Some(answered))
            }
            Discovery::Legacy => {
                self.upstream.eras.learn(false, now);
                Ok(None)
            }
            // It may be an accident.
            Discovery::Failed => Ok(None),
        }
    }
}
