//! Every reason to refuse a request, and what it looks like from both sides.
//!
//! A [`Reason`] is stable: its slug stands in the log, `docs/denials.md` lists it with what an operator does about it,
//! and a test holds the two together. What a stranger sees is decided in [`Reason::face`], in one place; most reasons
//! share a text there, because a prober must not learn which check a forged token got past. Treat a new reason like a
//! new variant of a public enum: it does not compile until its slug and its face are decided.
//!
//! An outage is never reported as a bad token: clients answer a 401 by throwing the token away and signing in again,
//! which cannot succeed while the provider is down.

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_runtime::log::LogRecord;

/// Details are for one line of a log, and a remembered refusal keeps its own: what came from outside is cut to this
/// length.
const MAX_DETAIL: usize = 256;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    // The request, before any token is looked at.
    /// `Origin` is present and not allowed.
    OriginNotAllowed,
    /// No `Authorization` header.
    NoCredentials,
    /// `Authorization` with another scheme than `Bearer`.
    UnsupportedScheme,
    /// `Bearer` without a token, or with characters that no token has.
    MalformedAuthorization,
    /// More than one token.
    MultipleCredentials,
    /// A token in the query string.
    TokenInQuery,
    /// A token longer than [`crate::bearer::MAX_TOKEN_BYTES`].
    TokenTooLarge,
    /// Too many failed authentications from one address.
    RateLimited,

    // The form of a JWT.
    /// Looks like a JWT and is none: bad base64url, bad JSON, a missing or wrongly typed member.
    MalformedToken,
    /// Five segments: an encrypted JWT.
    EncryptedToken,
    /// A member name occurs twice in header or claims.
    DuplicateMember,
    /// `crit`, `b64`, `zip` or `cty` ask for a processing that we do not do.
    UnsupportedHeader,
    /// `typ` is not that of an access token: an ID token, for example.
    WrongType,
    /// `alg` is not on the list.
    UnsupportedAlgorithm,

    // The claims.
    /// `iss` is missing or none of the configured issuers.
    WrongIssuer,
    /// `aud` is missing or does not name us.
    WrongAudience,
    /// `exp` is missing or not a number.
    MissingExpiry,
    /// `exp` has passed.
    Expired,
    /// `nbf` has not come.
    NotYetValid,
    /// `iat` lies in the future or not before `exp`, or is no number.
    BadIssueTime,
    /// The operator refuses tokens that were issued before a certain time.
    IssuedBeforeCutoff,
    /// `sub` is missing or empty.
    MissingSubject,
    /// `cnf` binds the token to a key or a certificate (RFC 7800), and proofs of possession are not supported.
    SenderConstrained,

    // The key and the signature.
    /// No published key that can be used has the token's `kid`.
    UnknownKey,
    /// More than one published key would fit.
    AmbiguousKey,
    /// The key with this `kid` is of another kind than `alg` needs.
    KeyMismatch,
    /// The published key cannot be imported.
    UnusableKey,
    /// The operator refuses this key.
    KeyDenied,
    /// The signature does not verify.
    BadSignature,

    // Opaque tokens.
    /// Not a JWT, and opaque tokens are not accepted here.
    OpaqueNotAccepted,
    /// The provider says that the token is not (or no longer) good.
    Inactive,
    /// The provider knows the token, but it is no access token: a refresh token, for example, or by its claims an ID
    /// token.
    NotAnAccessToken,

    // Permission.
    /// The client is on the deny list.
    ClientDenied,
    /// There is an allow list of clients and this one is not on it.
    ClientNotAllowed,
    /// A granted scope is missing.
    InsufficientScope,
    /// The tool wants a person, and the token does not prove one.
    UserRequired,
    /// The tool is closed to third-party clients.
    FirstPartyOnly,

    // Not the sender's fault.
    /// The provider's keys cannot be had.
    KeysUnavailable,
    /// The provider's introspection or userinfo endpoint cannot be had.
    IntrospectionUnavailable,
    /// The provider refuses our own client: the introspection secret is wrong or has expired, or the client is gone.
    IntrospectionRefused,
    /// Too many unknown opaque tokens: the provider is not asked about this one.
    ProviderSpared,
    /// Our settings are wrong.
    Misconfigured,
}

/// What a stranger sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// HTTP status.
    pub status: u16,
    /// The `error` code of RFC 6750 §3.1, if the answer carries one.
    pub error: Option<&'static str>,
    /// For humans who write clients. No quotes, no backslashes, ASCII (RFC 6750 §3).
    pub description: &'static str,
    /// Whether the answer carries a `WWW-Authenticate` challenge.
    pub challenge: bool,
}

impl Reason {
    /// All of them, in the order of declaration.
    pub const ALL: [Self; 42] = [
        Self::OriginNotAllowed,
        Self::NoCredentials,
        Self::UnsupportedScheme,
        Self::MalformedAuthorization,
        Self::MultipleCredentials,
        Self::TokenInQuery,
        Self::TokenTooLarge,
        Self::RateLimited,
        Self::MalformedToken,
        Self::EncryptedToken,
        Self::DuplicateMember,
        Self::UnsupportedHeader,
        Self::WrongType,
        Self::UnsupportedAlgorithm,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::MissingExpiry,
        Self::Expired,
        Self::NotYetValid,
        Self::BadIssueTime,
        Self::IssuedBeforeCutoff,
        Self::MissingSubject,
        Self::SenderConstrained,
        Self::UnknownKey,
        Self::AmbiguousKey,
        Self::KeyMismatch,
        Self::UnusableKey,
        Self::KeyDenied,
        Self::BadSignature,
        Self::OpaqueNotAccepted,
        Self::Inactive,
        Self::NotAnAccessToken,
        Self::ClientDenied,
        Self::ClientNotAllowed,
        Self::InsufficientScope,
        Self::UserRequired,
        Self::FirstPartyOnly,
        Self::KeysUnavailable,
        Self::IntrospectionUnavailable,
        Self::IntrospectionRefused,
        Self::ProviderSpared,
        Self::Misconfigured,
    ];

    /// The stable name in logs and in `docs/denials.md`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NoCredentials => "no_credentials",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::MalformedAuthorization => "malformed_authorization",
            Self::MultipleCredentials => "multiple_credentials",
            Self::TokenInQuery => "token_in_query",
            Self::TokenTooLarge => "token_too_large",
            Self::RateLimited => "rate_limited",
            Self::MalformedToken => "malformed_token",
            Self::EncryptedToken => "encrypted_token",
            Self::DuplicateMember => "duplicate_member",
            Self::UnsupportedHeader => "unsupported_header",
            Self::WrongType => "wrong_type",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::MissingExpiry => "missing_expiry",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::BadIssueTime => "bad_issue_time",
            Self::IssuedBeforeCutoff => "issued_before_cutoff",
            Self::MissingSubject => "missing_subject",
            Self::SenderConstrained => "sender_constrained",
            Self::UnknownKey => "unknown_key",
            Self::AmbiguousKey => "ambiguous_key",
            Self::KeyMismatch => "key_mismatch",
            Self::UnusableKey => "unusable_key",
            Self::KeyDenied => "key_denied",
            Self::BadSignature => "bad_signature",
            Self::OpaqueNotAccepted => "opaque_not_accepted",
            Self::Inactive => "inactive",
            Self::NotAnAccessToken => "not_an_access_token",
            Self::ClientDenied => "client_denied",
            Self::ClientNotAllowed => "client_not_allowed",
            Self::InsufficientScope => "insufficient_scope",
            Self::UserRequired => "user_required",
            Self::FirstPartyOnly => "first_party_only",
            Self::KeysUnavailable => "keys_unavailable",
            Self::IntrospectionUnavailable => "introspection_unavailable",
            Self::IntrospectionRefused => "introspection_refused",
            Self::ProviderSpared => "provider_spared",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// Whether it says nothing about the token, only that it cannot be checked now.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        matches!(
            self,
            Self::KeysUnavailable | Self::IntrospectionUnavailable | Self::IntrospectionRefused | Self::ProviderSpared
        )
    }

    /// What a stranger sees of it.
    #[must_use]
    pub const fn face(self) -> Face {
        match self {
            // RFC 6750 §3.1: a request without credentials gets a challenge without an error code.
            Self::NoCredentials | Self::UnsupportedScheme => {
                Face { status: 401, error: None, description: "Authentication is required", challenge: true }
            }
            Self::MalformedAuthorization => {
                Face::bad_request("The Authorization header must be the word Bearer, one space and one token")
            }
            Self::MultipleCredentials => Face::bad_request("The request carries more than one token"),
            Self::TokenInQuery => {
                Face::bad_request("Tokens in the query string are not accepted, use the Authorization header")
            }
            Self::Expired => Face::bad_token("The access token expired"),
            // What an honest client can mend by asking its provider for the right token. That the server serves this
            // resource and this issuer stands in its public metadata anyway.
            Self::WrongAudience => Face::bad_token("The access token was not issued for this resource"),
            Self::WrongIssuer => Face::bad_token("The access token was not issued by the provider of this resource"),
            Self::WrongType => Face::bad_token("The token is not an access token"),
            Self::OpaqueNotAccepted => Face::bad_token(
                "This resource needs a JWT access token: send the resource parameter to the token endpoint",
            ),
            Self::TokenTooLarge => Face::bad_token("The access token is too large"),
            Self::SenderConstrained => {
                Face::bad_token("The access token is bound to a key and cannot be used as a bearer token")
            }
            Self::MalformedToken
            | Self::EncryptedToken
            | Self::DuplicateMember
            | Self::UnsupportedHeader
            | Self::UnsupportedAlgorithm
            | Self::MissingExpiry
            | Self::NotYetValid
            | Self::BadIssueTime
            | Self::IssuedBeforeCutoff
            | Self::MissingSubject
            | Self::UnknownKey
            | Self::AmbiguousKey
            | Self::KeyMismatch
            | Self::UnusableKey
            | Self::KeyDenied
            | Self::BadSignature
            | Self::Inactive
            | Self::NotAnAccessToken => Face::bad_token("The access token is not valid"),
            Self::InsufficientScope => Face {
                status: 403,
                error: Some("insufficient_scope"),
                description: "The access token lacks a scope that this request needs",
                challenge: true,
            },
            // No scope would help, so no challenge that sends the user through consent again.
            Self::ClientDenied | Self::ClientNotAllowed => Face::forbidden("This client may not use this server"),
            Self::UserRequired => Face::forbidden("This operation needs a signed-in user"),
            Self::FirstPartyOnly => Face::forbidden("This operation is not open to third-party clients"),
            Self::OriginNotAllowed => Face::forbidden("This origin may not use this server"),
            Self::RateLimited => Face {
                status: 429,
                error: Some("too_many_requests"),
                description: "Too many failed attempts, try again later",
                challenge: false,
            },
            Self::KeysUnavailable
            | Self::IntrospectionUnavailable
            | Self::IntrospectionRefused
            | Self::ProviderSpared => Face {
                status: 503,
                error: Some("temporarily_unavailable"),
                description: "The token cannot be checked right now, try again later with the same token",
                challenge: false,
            },
            Self::Misconfigured => Face {
                status: 500,
                error: Some("server_error"),
                description: "This server is not set up correctly",
                challenge: false,
            },
        }
    }
}

impl Face {
    const fn bad_request(description: &'static str) -> Self {
        Self { status: 400, error: Some("invalid_request"), description, challenge: true }
    }

    const fn bad_token(description: &'static str) -> Self {
        Self { status: 401, error: Some("invalid_token"), description, challenge: true }
    }

    const fn forbidden(description: &'static str) -> Self {
        Self { status: 403, error: Some("access_denied"), description, challenge: false }
    }
}

/// A refusal: the reason, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// What exactly, for the operator's log only. Never a token, never a claim's value beyond `iss`, `aud`, `kid` and
    /// `alg`.
    pub detail: Option<String>,
    /// For [`Reason::InsufficientScope`]: every scope the operation needs.
    pub needed: Scopes,
    /// For outages and rate limits: seconds until it makes sense to come back.
    pub retry_after: Option<u64>,
}

impl Denial {
    /// A refusal with something to tell the operator.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { detail: Some(cut(detail.into())), ..Self::from(reason) }
    }

    /// Adds the reason and its detail to the record of the request.
    pub fn add_to(&self, record: &mut LogRecord) {
        record.text("reason", self.reason.slug());
        record.maybe_cut("detail", self.detail.clone());
    }

    /// An outage that is worth another try after `seconds`.
    #[must_use]
    pub fn unavailable(reason: Reason, seconds: u64, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..Self::new(reason, detail) }
    }

    /// The refusal of a caller who is not known to be a user, with what would prove one.
    #[must_use]
    pub fn user_required(kind: Kind) -> Self {
        let detail = match kind {
            Kind::Machine => "the client acts for itself: a user has to sign in through it",
            _ => {
                "no proof of a user: typ at+jwt with client_id and another sub, or auth_time, acr or amr; for an opaque \
                 token the scope openid"
            }
        };
        Self::new(Reason::UserRequired, detail)
    }

    /// A shortfall of scope; `needed` is everything the operation needs, granted or not.
    #[must_use]
    pub fn insufficient_scope(needed: Scopes) -> Self {
        Self { needed, ..Self::from(Reason::InsufficientScope) }
    }
}

/// At most [`MAX_DETAIL`] bytes, cut between characters, and no more memory than that.
fn cut(mut detail: String) -> String {
    if detail.len() > MAX_DETAIL {
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
        detail.shrink_to_fit();
    }
    detail
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None, needed: Scopes::default(), retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slugs_are_unique_and_all_lists_every_reason_once() {
        let slugs: HashSet<_> = Reason::ALL.iter().map(|reason| reason.slug()).collect();
        assert_eq!(slugs.len(), Reason::ALL.len());
        // `Misconfigured` is declared last: its discriminant tells how many there are.
        assert_eq!(Reason::ALL.len(), Reason::Misconfigured as usize + 1);
    }

    #[test]
    fn descriptions_fit_into_a_challenge_without_escaping() {
        for reason in Reason::ALL {
            let text = reason.face().description;
            assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
        }
    }

    #[test]
    fn details_are_cut_between_characters() {
        let denial = Denial::new(Reason::WrongAudience, "ä".repeat(60_000));
        let detail = denial.detail.unwrap_or_default();
        assert!((MAX_DETAIL - 1..=MAX_DETAIL).contains(&detail.len()) && detail.capacity() <= MAX_DETAIL, "{detail}");
    }

    #[test]
    fn an_outage_is_never_a_401() {
        for reason in Reason::ALL.into_iter().filter(|reason| reason.is_outage()) {
            assert_eq!(reason.face().status, 503);
            assert!(!reason.face().challenge);
        }
    }

    /// `docs/denials.md` is what an operator reads at night: a row for each reason, and no row for what is gone.
    #[test]
    fn the_documentation_lists_every_reason_with_its_status() {
        let page = include_str!("../../../docs/denials.md");
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), Reason::ALL.len(), "docs/denials.md has another number of rows than there are reasons");
        for reason in Reason::ALL {
            let start = format!("| `{}` | {} |", reason.slug(), reason.face().status);
            assert!(rows.iter().any(|row| row.starts_with(&start)), "docs/denials.md has no row that begins {start}");
        }
    }
}
