//! Errors of the registration endpoint, and what clients see of each. The exact reason goes into the log.

use mcp_edge_oauth::{
    challenge::ChallengeContext,
    denial::{Denial, ProviderVerdict},
};
use mcp_edge_runtime::http::Response;
use serde_json::json;

use crate::{
    client_metadata::error::MetadataError,
    clients::{authenticate::AuthenticateError, delete::DeleteError, register::RegisterError, update::UpdateError},
    failed_attempts::TooManyFailedAttempts,
    handled::{Findings, Handled},
    initial_token::InitialTokenError,
    ledger::{AdmissionError, CallError, ChangeError, LedgerError},
    provider::ProviderError,
    storage::StorageError,
};

/// When it makes sense to come back after an outage.
const RETRY_SECONDS: u64 = 10;

/// When there may be room again: unused clients end once a day.
const FULL_RETRY_SECONDS: u64 = 3_600;

/// Why a request at the endpoint was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is no registration access token or initial access token, or it is not valid.
    #[error("{0}")]
    Unauthorized(Denial),
    /// The body is announced as something else.
    #[error("the body is not announced as JSON")]
    NotJson,
    /// The body is compressed.
    #[error("the body is compressed")]
    BodyEncoded,
    /// The body has more bytes than a registration can have.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body ended before it was complete.
    #[error("the body was truncated")]
    BodyTruncated,
    /// The metadata is not acceptable.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A registration was not admitted.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// Too many tokens from the same network were not valid.
    #[error(transparent)]
    FailedAttempts(#[from] TooManyFailedAttempts),
    /// A management request was not admitted.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A change could not begin.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The client has ended.
    #[error("there is no such client")]
    Gone,
    /// The provider failed.
    #[error(transparent)]
    Provider(ProviderError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What a client sees of an error.
struct PublicError {
    status: u16,
    error: &'static str,
    description: &'static str,
    retry_after: Option<u64>,
}

impl EndpointError {
    /// The table: status, error code, description, and when to come back.
    fn to_public(&self) -> PublicError {
        let (status, error, description, retry_after) = match self {
            Self::Unauthorized(_) | Self::Gone => (401, "invalid_token", "There is no such client", None),
            Self::NotJson => {
                let description = "The body must be JSON, with content-type: application/json";
                (415, "invalid_client_metadata", description, None)
            }
            Self::BodyEncoded => {
                let description = "The body must not be compressed: send it without Content-Encoding";
                (415, "invalid_client_metadata", description, None)
            }
            Self::BodyTooLarge => (413, "invalid_client_metadata", "The body is too large", None),
            Self::BodyTruncated => (400, "invalid_client_metadata", "Request body was truncated", None),
            Self::Metadata(error) => (400, error.code.name(), "The metadata is not acceptable", None),
            Self::Admission(AdmissionError::TooManyRegistrations { retry_after }) => {
                let description = "Too many clients were registered from here, try again later";
                (429, "too_many_requests", description, Some(*retry_after))
            }
            Self::FailedAttempts(TooManyFailedAttempts { retry_after }) => {
                let description = "Too many tokens from here were not valid, try again later";
                (429, "too_many_requests", description, Some(*retry_after))
            }
            Self::Call(CallError::TooMany { retry_after }) => {
                let description = "There were too many calls for this client, try again later";
                (429, "too_many_requests", description, Some(*retry_after))
            }
            Self::Admission(AdmissionError::Full) => {
                let description = "No more clients can be registered at the moment, ask the operator";
                (503, "temporarily_unavailable", description, Some(FULL_RETRY_SECONDS))
            }
            Self::Admission(AdmissionError::DeveloperQuota { .. }) => {
                let description = "You have as many applications as you may have: remove one first";
                (403, "access_denied", description, None)
            }
            Self::Change(ChangeError::Busy) => {
                let description = "Another change of this client is in progress, try again later";
                (503, "temporarily_unavailable", description, Some(RETRY_SECONDS))
            }
            Self::Provider(ProviderError::Refused(_)) => {
                (400, "invalid_client_metadata", "The identity provider does not accept this metadata", None)
            }
            Self::Provider(ProviderError::Misconfigured(_)) => {
                (500, "server_error", "This server is not set up correctly", None)
            }
            Self::Provider(_) => {
                let description = "The identity provider cannot be reached, try again later";
                (503, "temporarily_unavailable", description, Some(RETRY_SECONDS))
            }
            Self::Storage(_)
            | Self::Ledger(_)
            | Self::Admission(AdmissionError::Unavailable(_))
            | Self::Call(CallError::Unavailable(_))
            | Self::Change(ChangeError::Unavailable(_)) => {
                let description = "Registrations cannot be read or changed right now, try again later";
                (503, "temporarily_unavailable", description, Some(RETRY_SECONDS))
            }
        };
        PublicError { status, error, description, retry_after }
    }

    /// The response, and what the log says.
    pub(super) fn into_handled(self) -> Handled {
        let detail = match &self {
            Self::Unauthorized(denial) => return unauthorized(denial.clone()),
            Self::NotJson | Self::BodyEncoded | Self::BodyTooLarge | Self::BodyTruncated => None,
            error => Some(error.to_string()),
        };
        let PublicError { status, error, description, retry_after } = self.to_public();
        let body = match &self {
            Self::Metadata(error) => error.body(),
            _ => json!({ "error": error, "error_description": description }).to_string(),
        };
        let mut response = Response::json(status, body).with_header("cache-control", "no-store");
        if matches!(self, Self::BodyEncoded) {
            // That it is the encoding, and what would be accepted (RFC 9110 §12.5.3, §15.5.16).
            response = response.with_header("accept-encoding", "identity");
        }
        if let Some(seconds) = retry_after {
            response = response.with_header("retry-after", seconds.to_string());
        }
        Handled { response, findings: Findings { detail, ..Findings::default() } }
    }
}

impl EndpointError {
    /// The error for a registration access token or an initial access token that is unknown, or not valid any more.
    #[must_use]
    pub const fn unknown_token() -> Self {
        Self::Unauthorized(Denial::Inactive { verdict: ProviderVerdict::Other("unknown to the registrar") })
    }
}

/// A denial without a resource behind it: for registration access tokens and initial access tokens.
fn unauthorized(denial: Denial) -> Handled {
    let error = denial.reason().to_public().error;
    let challenge = error.map_or_else(|| "Bearer".to_owned(), |error| format!("Bearer error=\"{error}\""));
    let mut response = ChallengeContext::default().response(&denial);
    // These tokens have nothing to do with the provider, so no document of ours helps.
    for (name, value) in &mut response.headers {
        if *name == "www-authenticate" {
            *value = challenge.clone().into();
        }
    }
    Handled { response, findings: Findings::of_denial(denial) }
}

impl From<ProviderError> for EndpointError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Gone => Self::Gone,
            other => Self::Provider(other),
        }
    }
}

impl From<RegisterError> for EndpointError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Metadata(error) => error.into(),
            RegisterError::Admission(error) => error.into(),
            RegisterError::Provider(error) => error.into(),
            RegisterError::Storage(error) => error.into(),
        }
    }
}

impl From<UpdateError> for EndpointError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Metadata(error) => error.into(),
            UpdateError::Change(error) => error.into(),
            UpdateError::Gone => Self::Gone,
            UpdateError::Provider(error) => error.into(),
            UpdateError::Storage(error) => error.into(),
        }
    }
}

impl From<DeleteError> for EndpointError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Provider(error) => error.into(),
            DeleteError::Storage(error) => error.into(),
        }
    }
}

impl From<AuthenticateError> for EndpointError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::TooManyFailedAttempts(error) => error.into(),
            AuthenticateError::Storage(error) => error.into(),
        }
    }
}

impl From<InitialTokenError> for EndpointError {
    fn from(error: InitialTokenError) -> Self {
        match error {
            InitialTokenError::TooManyFailedAttempts(error) => error.into(),
            InitialTokenError::Store(error) => Self::Storage(error.into()),
            InitialTokenError::Ledger(error) => error.into(),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_oauth::denial::Reason;
    use mcp_edge_runtime::ports::StoreError;

    use super::*;

    #[test]
    fn every_error_has_its_row() {
        let unavailable = || LedgerError("down".to_owned());
        let too_many = TooManyFailedAttempts { retry_after: 60 };
        for (error, status, code, retry_after) in [
            (EndpointError::NotJson, 415, "invalid_client_metadata", None),
            (EndpointError::BodyEncoded, 415, "invalid_client_metadata", None),
            (EndpointError::BodyTooLarge, 413, "invalid_client_metadata", None),
            (EndpointError::BodyTruncated, 400, "invalid_client_metadata", None),
            (MetadataError::redirect_uri("redirect_uris", "must").into(), 400, "invalid_redirect_uri", None),
            (AdmissionError::TooManyRegistrations { retry_after: 60 }.into(), 429, "too_many_requests", Some("60")),
            (AdmissionError::Full.into(), 503, "temporarily_unavailable", Some("3600")),
            (AdmissionError::DeveloperQuota { limit: 3 }.into(), 403, "access_denied", None),
            (AdmissionError::from(unavailable()).into(), 503, "temporarily_unavailable", Some("10")),
            (InitialTokenError::from(too_many).into(), 429, "too_many_requests", Some("60")),
            (AuthenticateError::from(too_many).into(), 429, "too_many_requests", Some("60")),
            (CallError::TooMany { retry_after: 60 }.into(), 429, "too_many_requests", Some("60")),
            (CallError::from(unavailable()).into(), 503, "temporarily_unavailable", Some("10")),
            (ChangeError::Busy.into(), 503, "temporarily_unavailable", Some("10")),
            (UpdateError::Gone.into(), 401, "invalid_token", None),
            (ProviderError::Refused("no".to_owned()).into(), 400, "invalid_client_metadata", None),
            (ProviderError::Misconfigured("role".to_owned()).into(), 500, "server_error", None),
            (ProviderError::TooLarge.into(), 503, "temporarily_unavailable", Some("10")),
            (StorageError::from(StoreError("down".to_owned())).into(), 503, "temporarily_unavailable", Some("10")),
        ] {
            let text = error.to_string();
            let Handled { response, findings } = error.into_handled();
            assert_eq!((response.status, response.header("retry-after")), (status, retry_after), "{text}");
            let body: serde_json::Value = serde_json::from_str(response.text()).unwrap();
            assert_eq!(body["error"], code, "{text}");
            assert_eq!(response.header("cache-control"), Some("no-store"), "{text}");
            // The reason is the operator's; what is wrong with a body stands in the response.
            assert_eq!(findings.detail.is_some(), !matches!(status, 413 | 415) && text != "the body was truncated");
        }
    }

    #[test]
    fn an_invalid_token_is_challenged_without_a_document_of_ours() {
        let Handled { response, findings } = EndpointError::unknown_token().into_handled();
        assert_eq!(response.status, 401);
        assert_eq!(response.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        assert_eq!(findings.denial.map(|denial| denial.reason()), Some(Reason::Inactive));
    }
}
