//! `STEP_UP`: how a client learns that a call needs scopes that its token lacks.

use mcp_edge_identity::Credential;
use mcp_edge_oauth::denial::Denial;
use mcp_edge_runtime::http::Response;
use mcp_edge_server::RefusedCall;

use crate::settings::StepUp;

/// The answer to a tool call that lacks a scope.
pub(super) struct StepUpAnswer {
    call: RefusedCall,
    status: u16,
}

impl StepUpAnswer {
    /// Prepares the answer to the call in a body. `None`: the plain response of the denial is the answer, as it is to all other
    /// messages, and to those who sent a key: to sign in again gives its user a token, and leaves the key as it is.
    pub fn to(step_up: StepUp, credential: &Credential, body: &str) -> Option<Self> {
        if !credential.is_access_token() {
            return None;
        }
        let status = match step_up {
            StepUp::Http => return None,
            StepUp::Result => 200,
            StepUp::Both => 403,
        };
        Some(Self { call: RefusedCall::of(body)?, status })
    }

    /// The response, made from the plain one. `None`: the denial is no want of scopes.
    pub fn response(self, denial: &Denial, plain: &Response) -> Option<Response> {
        let Denial::InsufficientScope { .. } = denial else { return None };
        let challenge = plain.header("www-authenticate")?;
        let response = Response::json(self.status, self.call.result(challenge));
        // A status that promises success comes without a challenge.
        Some(if self.status == 200 { response } else { response.with_header("www-authenticate", challenge.to_owned()) })
    }
}
