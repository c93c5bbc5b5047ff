//! Which era the upstream speaks, found out when it matters.

use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{forward::Forward, keys::SigningKey};

use super::{Gateway, Refused, messages::failed};
use crate::{
    answer::{Answer, Asked, Kind},
    eras,
    failure::Failure,
    results::Ids,
    upstream::{Caller, UpstreamRequest},
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Makes sure that the upstream speaks the era without a handshake.
    pub(super) async fn require_modern<'a>(&self, id: Option<&'a str>, caller: Caller<'_>) -> Result<(), Refused<'a>> {
        let era = if let Some(era) = self.upstream.eras.known(caller.context.now) {
            Some(era)
        } else {
            self.probe(caller).await.map_err(failed(id))?
        };
        if era == Some(Era::Modern) {
            return Ok(());
        }
        Err(Refused::Rpc { id, error: eras::legacy_only(), era: Era::Modern })
    }

    /// Asks the upstream in the gateway's own words: what all callers are answered by must not depend on what one of them
    /// has sent.
    async fn probe(&self, caller: Caller<'_>) -> Result<Option<Era>, Failure> {
        let request = UpstreamRequest {
            body: Some(eras::DISCOVER),
            headers: &eras::DISCOVER_HEADERS,
            is_own: true,
            ..UpstreamRequest::default()
        };
        let asked = Asked {
            kind: Kind::Probe,
            ids: Some(Ids { asked: eras::DISCOVER_ID, answered: eras::DISCOVER_ID }),
            is_request: true,
            in_session: false,
        };
        let Answer::Era(found) = self.exchange(Era::Modern, request, asked, caller).await? else { return Ok(None) };
        if let Some(era) = found {
            self.upstream.eras.learn(era, caller.context.now);
        }
        Ok(found)
    }
}
