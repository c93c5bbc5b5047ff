//! Which era the upstream speaks, found out when it matters.

use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{forward::Forward, keys::SigningKey};

use super::{
    Gateway, Refused,
    messages::{failed, legacy_only},
};
use crate::{
    answer::{Answer, Asked, Kind},
    eras,
    results::ReadResult,
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
            let kind = Kind::Message(Some(ReadResult::Discover));
            let asked = Asked { kind, id: Some(eras::DISCOVER_ID), in_session: false };
            let answer = self.exchange(Era::Modern, outgoing, asked, caller).await.map_err(failed(id))?;
            matches!(answer, Answer::Given(_))
        };
        if is_modern { Ok(()) } else { Err(legacy_only(id)) }
    }

    /// Keeps what a response to `server/discover` has shown.
    pub(super) fn learn(&self, answer: &Answer, now: u64) {
        match answer {
            Answer::Given(_) => self.upstream.eras.learn(true, now),
            Answer::Legacy => self.upstream.eras.learn(false, now),
            // It may be an accident.
            Answer::Unclear => {}
        }
    }
}
