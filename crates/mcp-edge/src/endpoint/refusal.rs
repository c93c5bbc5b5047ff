//! Messages of callers who are known, and who lack what a message needs.

use std::rc::Rc;

use mcp_edge_identity::Kind;
use mcp_edge_oauth::denial::{Denial, ProviderVerdict};
use mcp_edge_runtime::{http::Response, log::LogRecord, ports::Services};
use mcp_edge_server::AccessNeeded;

use super::{Endpoint, step_up::StepUpAnswer};

/// How the log says that the vault does not take a credential (any more) that was accepted here.
const REFUSED_BY_VAULT: ProviderVerdict = ProviderVerdict::Other("refused by the vault");

impl<E: Clone + 'static, S: Services> Endpoint<E, S> {
    /// Refuses a message: with an error result where that is how clients ask for further scopes.
    pub(super) fn refuse(
        &self,
        needed: AccessNeeded,
        kind: Kind,
        step_up: Option<StepUpAnswer>,
        record: &mut LogRecord,
    ) -> Result<Response, Rc<Denial>> {
        let denial = self.denial_for(needed, kind);
        let answer = step_up.and_then(|step_up| step_up.response(&denial, &self.challenge.response(&denial)));
        if answer.is_some() {
            denial.add_to(record);
        }
        answer.ok_or_else(|| denial.into())
    }

    /// Returns the denial for a refusal by the protocol layer. The challenge names all scopes that the call needs, including
    /// those of every request, because a client requests exactly those.
    fn denial_for(&self, needed: AccessNeeded, kind: Kind) -> Denial {
        match needed {
            AccessNeeded::Scopes(scopes) => {
                Denial::InsufficientScope { needed: scopes.union(&self.settings.trust.required_scopes) }
            }
            AccessNeeded::User => Denial::UserRequired { kind },
            AccessNeeded::FirstParty => Denial::FirstPartyOnly,
            AccessNeeded::AccessToken => Denial::KeyRefused,
            AccessNeeded::KeyForTool => Denial::KeyForOtherTools,
            AccessNeeded::AcceptedCredential => Denial::Inactive { verdict: REFUSED_BY_VAULT },
        }
    }
}
