//! Connections for one caller, by calls of the vault.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, CallService},
};

use crate::{
    access::ServiceAccess,
    port::{Connections, NoAccess, TokenRequest},
    vault_call::{AccessRequest, answer_from_json},
};

/// Seconds until it makes sense to ask again, if the vault does not answer.
const RETRY_AFTER: u64 = 5;

/// The connections of one caller. It lives as long as one request.
pub struct VaultConnections<C> {
    vault: Rc<C>,
    credential: Secret,
}

impl<C> VaultConnections<C> {
    /// Creates the connections of the sender of `credential`.
    #[must_use]
    pub const fn new(vault: Rc<C>, credential: Secret) -> Self {
        Self { vault, credential }
    }
}

impl<C: CallService> Connections for VaultConnections<C> {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>> {
        let message = AccessRequest {
            credential: self.credential.clone(),
            connection: request.connection.to_owned(),
            scopes: request.scopes.to_vec(),
            user_of_token: request.user_of_token.to_owned(),
            refused: request.refused.map(|access| access.token.clone()),
        };
        async move {
            let answer = self.vault.call(message.to_json()).await.map_err(|error| unanswered(&error))?;
            let access =
                answer_from_json(&answer).unwrap_or_else(|| Err(unavailable("an answer of another version")))?;
            if access.connection != request.connection {
                return Err(unavailable("an answer about another connection"));
            }
            // The service that it is sent to could call this server as the caller.
            if access.token == self.credential {
                return Err(unavailable("an answer with the caller's own credential"));
            }
            Ok(access)
        }
        .boxed_local()
    }
}

fn unanswered(error: &CallError) -> NoAccess {
    match error {
        CallError::Unbound(_) | CallError::Forbidden => {
            let cause = ["the vault: ", &error.to_string(), BINDING].concat();
            NoAccess::Misconfigured { cause }
        }
        error => unavailable(&error.to_string()),
    }
}

/// What the operator does about a vault that cannot be called.
const BINDING: &str = "; the binding VAULT_CALLS in [[services]] of wrangler.toml needs entrypoint = \"Internal\" and props = { \
                       role = \"endpoint\" }";

fn unavailable(cause: &str) -> NoAccess {
    NoAccess::Unavailable { title: String::new(), retry_after: RETRY_AFTER, cause: ["the vault: ", cause].concat() }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Duration};

    use super::*;
    use crate::vault_call::{AccessAnswer, answer_to_json};

    /// Answers every call with the same, and keeps what it was asked.
    struct Vault {
        answer: Result<String, CallError>,
        asked: RefCell<Vec<String>>,
    }

    impl CallService for Vault {
        async fn call(&self, message: String) -> Result<String, CallError> {
            self.asked.borrow_mut().push(message);
            self.answer.clone()
        }
    }

    fn access(connection: &str) -> ServiceAccess {
        ServiceAccess {
            connection: connection.to_owned(),
            token: Secret::new("gho_secret"),
            scopes: "repo:read".to_owned(),
            url: "https://api.example.com".to_owned(),
        }
    }

    fn ask(answer: Result<String, CallError>, refused: Option<&ServiceAccess>) -> (AccessAnswer, Vec<String>) {
        let vault = Rc::new(Vault { answer, asked: RefCell::default() });
        let connections = VaultConnections::new(Rc::clone(&vault), Secret::new("ey.caller"));
        let scopes = ["repo:read".to_owned()];
        let request = TokenRequest { connection: "github", scopes: &scopes, user_of_token: "issues", refused };
        let answer = connections.access(request).now_or_never().expect("this vault answers at once");
        (answer, vault.asked.take())
    }

    #[test]
    fn the_vault_is_asked_with_the_credential_of_the_caller() {
        let (answer, asked) = ask(Ok(answer_to_json(&Ok(access("github")))), None);
        assert_eq!(answer, Ok(access("github")));
        assert_eq!(asked, [r#"["access","ey.caller","github",["repo:read"],"issues",null]"#]);
        let (_, asked) = ask(Ok(answer_to_json(&Ok(access("github")))), Some(&access("github")));
        assert_eq!(asked, [r#"["access","ey.caller","github",["repo:read"],"issues","gho_secret"]"#]);
    }

    #[test]
    fn the_vaults_refusals_are_passed_on() {
        for refusal in [
            NoAccess::NotConnected { title: "GitHub".to_owned(), url: None },
            NoAccess::Refused { title: "GitHub".to_owned(), cause: "access_denied".to_owned() },
            NoAccess::NeedsUser,
            NoAccess::CallerRefused,
        ] {
            assert_eq!(ask(Ok(answer_to_json(&Err(refusal.clone()))), None).0, Err(refusal));
        }
    }

    #[test]
    fn an_answer_about_something_else_is_an_outage() {
        let other = answer_to_json(&Ok(access("gitlab")));
        for answer in [other.as_str(), "", "null", r#"["of another version"]"#] {
            let (answer, _) = ask(Ok(answer.to_owned()), None);
            assert!(matches!(answer, Err(NoAccess::Unavailable { retry_after: 5, .. })), "{answer:?}");
        }
    }

    #[test]
    fn the_callers_own_credential_is_no_token_of_a_service() {
        let own = ServiceAccess { token: Secret::new("ey.caller"), ..access("github") };
        let (answer, _) = ask(Ok(answer_to_json(&Ok(own))), None);
        assert!(matches!(answer, Err(NoAccess::Unavailable { .. })), "{answer:?}");
    }

    #[test]
    fn a_vault_that_does_not_answer_is_no_denial() {
        for error in [
            CallError::Timeout(Duration::from_secs(14)),
            CallError::TooLarge(65_536),
            CallError::Rejected(413),
            CallError::Failed(500),
            CallError::Overloaded,
            CallError::Network("connection reset".to_owned()),
        ] {
            let (answer, _) = ask(Err(error.clone()), None);
            let Err(NoAccess::Unavailable { cause, .. }) = answer else { panic!("{error}: {answer:?}") };
            assert_eq!(cause, format!("the vault: {error}"));
        }
    }

    #[test]
    fn a_wrong_binding_is_said_with_its_fix() {
        for error in [CallError::Unbound("VAULT_CALLS".to_owned()), CallError::Forbidden] {
            let (answer, _) = ask(Err(error.clone()), None);
            let Err(NoAccess::Misconfigured { cause }) = answer else { panic!("{error}: {answer:?}") };
            assert!(cause.contains(&error.to_string()) && cause.contains("entrypoint = \"Internal\""), "{cause}");
        }
    }
}
