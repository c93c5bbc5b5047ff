//! Errors of the portal, and what users see of each. The exact reason goes into the log.

use mcp_edge_sign_in::{
    authorization::{AuthorizationError, Refusal},
    session::Session,
};

use super::{
    pages::Pages,
    sign_in::{SignInError, must_ask},
};
use crate::{
    clients::{delete::DeleteError, register::RegisterError, update::UpdateError},
    handled::{Findings, Handled},
    ledger::{AdmissionError, ChangeError},
    provider::ProviderError,
    storage::StorageError,
};

/// When it makes sense to come back after an outage.
const RETRY_SECONDS: u64 = 10;

/// When there may be room again: unused clients end once a day.
const FULL_RETRY_SECONDS: u64 = 3_600;

/// Why a developer did not get what they asked for. Errors in metadata are shown beside the form's fields.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// There is no such page or application, or it is somebody else's.
    #[error("not found")]
    NotFound,
    /// The client has ended.
    #[error("there is no such client")]
    Gone,
    /// A client was not registered.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A client was not changed.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The provider failed.
    #[error(transparent)]
    Provider(ProviderError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<ProviderError> for PortalError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Gone => Self::Gone,
            other => Self::Provider(other),
        }
    }
}

impl From<DeleteError> for PortalError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Provider(error) => error.into(),
            DeleteError::Storage(error) => error.into(),
        }
    }
}

impl PortalError {
    /// The table: status, explanation, and when to come back.
    fn to_public(&self) -> (u16, &'static str, Option<u64>) {
        match self {
            Self::NotFound
            | Self::Gone
            | Self::Update(UpdateError::Gone)
            | Self::Register(RegisterError::Provider(ProviderError::Gone)) => {
                (404, "There is no such application, or it is not yours", None)
            }
            Self::Register(RegisterError::Metadata(_)) | Self::Update(UpdateError::Metadata(_)) => {
                (400, "The metadata is not acceptable", None)
            }
            Self::Register(RegisterError::Admission(AdmissionError::TooManyRegistrations { retry_after })) => {
                (429, "Too many clients were registered from here, try again later", Some(*retry_after))
            }
            Self::Register(RegisterError::Admission(AdmissionError::Full)) => {
                let explanation = "No more clients can be registered at the moment, ask the operator";
                (503, explanation, Some(FULL_RETRY_SECONDS))
            }
            Self::Register(RegisterError::Admission(AdmissionError::DeveloperQuota { .. })) => {
                (403, "You have as many applications as you may have: remove one first", None)
            }
            Self::Update(UpdateError::Change(ChangeError::Busy)) => {
                (503, "Another change of this application is in progress, try again later", Some(RETRY_SECONDS))
            }
            Self::Register(RegisterError::Provider(error))
            | Self::Update(UpdateError::Provider(error))
            | Self::Provider(error) => match error {
                ProviderError::Refused(_) => (400, "The identity provider does not accept this metadata", None),
                ProviderError::Misconfigured(_) => (500, "This server is not set up correctly", None),
                _ => (503, "The identity provider cannot be reached, try again later", Some(RETRY_SECONDS)),
            },
            Self::Register(_) | Self::Update(_) | Self::Storage(_) => {
                (503, "Applications cannot be read or changed right now, try again later", Some(RETRY_SECONDS))
            }
        }
    }

    /// The page, and what the log says.
    pub(super) fn into_handled(self, pages: &Pages, session: &Session) -> Handled {
        let (status, explanation, retry_after) = self.to_public();
        if status == 404 {
            let detail = (!matches!(self, Self::NotFound)).then(|| self.to_string());
            return Handled {
                response: pages.not_found(session),
                findings: Findings { detail, ..Findings::default() },
            };
        }
        let mut response = pages.failed(Some(session), status, explanation);
        if let Some(seconds) = retry_after {
            response = response.with_header("retry-after", seconds.to_string());
        }
        Handled { response, findings: Findings { detail: Some(self.to_string()), ..Findings::default() } }
    }
}

impl SignInError {
    /// The table: status, and explanation.
    fn to_public(&self) -> (u16, &'static str) {
        match self {
            Self::Authorization(error) => match error {
                AuthorizationError::NotBegunHere => (400, "This sign-in was begun in another window, or too long ago."),
                AuthorizationError::AnotherProvider => (400, "The answer came from another provider than was asked."),
                AuthorizationError::Refused { refusal: Refusal::Cancelled, .. } => (403, "The sign-in was cancelled."),
                AuthorizationError::Refused { refusal: Refusal::Outage, .. } => {
                    (503, "The identity provider failed, try again later.")
                }
                AuthorizationError::Refused { refusal: Refusal::Other, .. } => {
                    (403, "The identity provider refused the sign-in; the operator's log says more.")
                }
                AuthorizationError::NoCode => (400, "The answer has no code."),
                AuthorizationError::Duplicate(_) | AuthorizationError::LongCode(_) => {
                    (400, "The answer could not be read.")
                }
                AuthorizationError::NoEndpoint => (503, "The identity provider cannot be reached right now."),
            },
            Self::NotADeveloper { .. } => (403, "No permission"),
            Self::Denied(denial) => {
                let status = denial.reason().to_public().status.max(400);
                let explanation = match status {
                    503 => "The identity provider cannot be reached right now.",
                    500 => "This server is not set up correctly; its log says what to fix.",
                    _ => "The identity provider's answer could not be used.",
                };
                (status, explanation)
            }
        }
    }

    /// The page, and what the log says.
    pub(super) fn into_handled(self, pages: &Pages) -> Handled {
        let (status, explanation) = self.to_public();
        let (response, findings) = match self {
            Self::NotADeveloper { denial, account } => {
                let page = pages.not_a_developer(account.as_deref()).with_header("set-cookie", must_ask());
                (page, Findings::of_denial(denial))
            }
            Self::Denied(denial) => (pages.sign_in_failed(status, explanation), Findings::of_denial(denial)),
            Self::Authorization(
                error @ (AuthorizationError::Refused { .. }
                | AuthorizationError::Duplicate(_)
                | AuthorizationError::LongCode(_)),
            ) => {
                let detail = Some(error.to_string());
                (pages.sign_in_failed(status, explanation), Findings { detail, ..Findings::default() })
            }
            Self::Authorization(_) => (pages.sign_in_failed(status, explanation), Findings::default()),
        };
        Handled { response, findings }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_oauth::denial::{Denial, ProviderVerdict};

    use super::*;

    #[test]
    fn every_error_has_its_row() {
        let refused = |error: AdmissionError| PortalError::Register(error.into());
        for (error, status, retry_after) in [
            (PortalError::NotFound, 404, None),
            (UpdateError::Gone.into(), 404, None),
            (RegisterError::from(ProviderError::Gone).into(), 404, None),
            (refused(AdmissionError::TooManyRegistrations { retry_after: 60 }), 429, Some(60)),
            (refused(AdmissionError::Full), 503, Some(3_600)),
            (refused(AdmissionError::DeveloperQuota { limit: 3 }), 403, None),
            (UpdateError::from(ChangeError::Busy).into(), 503, Some(10)),
            (ProviderError::Refused("no".to_owned()).into(), 400, None),
            (UpdateError::from(ProviderError::Misconfigured("role".to_owned())).into(), 500, None),
            (DeleteError::from(ProviderError::TooLarge).into(), 503, Some(10)),
        ] {
            let (found, _, retry) = error.to_public();
            assert_eq!((found, retry), (status, retry_after), "{error}");
        }
        for (error, status) in [
            (SignInError::from(AuthorizationError::NotBegunHere), 400),
            (AuthorizationError::AnotherProvider.into(), 400),
            (AuthorizationError::NoCode.into(), 400),
            (AuthorizationError::Duplicate("code").into(), 400),
            (AuthorizationError::LongCode(5_000).into(), 400),
            (
                AuthorizationError::Refused { refusal: Refusal::Cancelled, error: "access_denied".to_owned() }.into(),
                403,
            ),
            (AuthorizationError::Refused { refusal: Refusal::Outage, error: "server_error".to_owned() }.into(), 503),
            (Denial::Misconfigured { error: None }.into(), 500),
            (Denial::Inactive { verdict: ProviderVerdict::Other("unknown") }.into(), 401),
        ] {
            assert_eq!(error.to_public().0, status, "{error}");
        }
    }
}
