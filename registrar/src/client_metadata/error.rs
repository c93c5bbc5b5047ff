//! Errors in client metadata (RFC 7591 §3.2.2).

use serde_json::json;

/// The error codes of RFC 7591 §3.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// `invalid_redirect_uri`
    InvalidRedirectUri,
    /// `invalid_client_metadata`
    InvalidClientMetadata,
    /// `unapproved_software_statement`
    UnapprovedSoftwareStatement,
}

impl ErrorCode {
    /// As it is sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }
}

/// Metadata that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct MetadataError {
    /// The code.
    pub code: ErrorCode,
    /// Which member, with its index where it is a list: `redirect_uris[1]`. Our own text, never the client's.
    pub member: String,
    /// What is wrong with it and what to do, as the rest of a sentence. Our own text, never the client's.
    pub problem: String,
}

impl MetadataError {
    /// Creates an error in any member but the redirect URIs.
    #[must_use]
    pub fn metadata(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidClientMetadata, member: member.into(), problem: problem.into() }
    }

    /// Creates an error in the redirect URIs.
    #[must_use]
    pub fn redirect_uri(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidRedirectUri, member: member.into(), problem: problem.into() }
    }

    /// `{"error":…,"error_description":…}`.
    #[must_use]
    pub fn body(&self) -> String {
        json!({ "error": self.code.name(), "error_description": format!("{} {}", self.member, self.problem) })
            .to_string()
    }
}
