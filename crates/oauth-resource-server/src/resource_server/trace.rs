//! The outcome of an authentication, and what was learned on the way.

use std::rc::Rc;

use crate::denial::Denial;
use mcp_edge_identity::Identity;
use mcp_edge_runtime::log::LogRecord;

/// The outcome of an authentication.
#[derive(Debug, Clone, PartialEq)]
pub struct Authentication {
    /// Who sent the request, or why it is refused. Both are shared with the cache of verdicts.
    pub outcome: Result<Rc<Identity>, Rc<Denial>>,
    /// What was learned on the way, also of a request that is refused.
    pub trace: AuthTrace,
}

/// What was learned during an authentication, for the log, as far as the request came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthTrace {
    /// The issuer, once it is known to be a configured one.
    pub issuer: Option<String>,
    /// `kid` of the token, not proven before the signature holds.
    pub kid: Option<String>,
    /// The client, once verified.
    pub client_id: Option<String>,
    /// The subject, once verified.
    pub subject: Option<String>,
    /// The id of the access key, once verified.
    pub key_id: Option<String>,
    /// Which cache answered: `verified`, `memory`, `store` or `provider`; `exchange` if a credential was exchanged for an
    /// access token.
    pub tier: Option<&'static str>,
}

impl AuthTrace {
    /// Adds what was learned to the record of the request; the subject only if the operator wants it there.
    pub fn add_to(self, record: &mut LogRecord, with_subject: bool) {
        record.maybe_cut("client_id", self.client_id);
        record.maybe_cut("sub", self.subject.filter(|_| with_subject));
        record.maybe_cut("issuer", self.issuer);
        record.maybe_cut("kid", self.kid);
        record.maybe_cut("key_id", self.key_id);
        if let Some(tier) = self.tier {
            record.text("tier", tier);
        }
    }
}
