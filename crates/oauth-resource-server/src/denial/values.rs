//! The values of denials: excerpts of what came from outside, and what exactly was wrong.

use std::{fmt, rc::Rc};

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_runtime::crypto::Algorithm;

use crate::memory_size;

/// Details are for one line of a log, and a remembered denial keeps its own: what came from outside is cut to this
/// length.
pub const MAX_EXCERPT_BYTES: usize = 256;

/// The beginning of a text from outside, at most [`MAX_EXCERPT_BYTES`], cut between characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(Rc<str>);

impl Excerpt {
    /// Creates an excerpt of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text[..text.floor_char_boundary(MAX_EXCERPT_BYTES)].into())
    }

    /// The excerpt itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In quotes, with escapes.
impl fmt::Debug for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A segment of a compact JWT (RFC 7515 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Segment {
    #[error("header")]
    Header,
    #[error("claims")]
    Claims,
    #[error("signature")]
    Signature,
}

/// What makes a token malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Another number of segments than three.
    #[error("a signed JWT must have three segments")]
    Segments,
    /// Not unpadded, canonical base64url.
    #[error("the {0} must be base64url without padding")]
    Encoding(Segment),
    /// Not a JSON object.
    #[error("the {0} must be a JSON object")]
    NotAnObject(Segment),
    /// A member of the header or a claim of another type than its specification says.
    #[error("{0} must be a string")]
    NotAString(&'static str),
    /// A claim that is no NumericDate (RFC 7519 §2).
    #[error("{0} must be a number of seconds since 1970")]
    NotADate(&'static str),
}

/// What is wrong with `exp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// There is none.
    #[error("missing")]
    Missing,
    /// Another type, or a number outside of the years 1970 to 9999.
    #[error("not a number of seconds since 1970")]
    NotADate,
}

/// What is wrong with `iat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are named after the claims")]
pub enum IssueTimeError {
    /// Another type, or a number outside of the years 1970 to 9999.
    #[error("iat is not a number of seconds since 1970")]
    NotADate,
    /// In the future, or not before `exp`.
    #[error("iat {iat}, exp {exp}, now {now}")]
    Implausible { iat: u64, exp: u64, now: u64 },
}

/// How a token is bound to its sender (RFC 7800).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Confirmation {
    /// RFC 9449.
    #[error("cnf.jkt: DPoP")]
    DPoP,
    /// RFC 8705.
    #[error("cnf.x5t#S256: mutual TLS")]
    MutualTls,
    /// Another method.
    #[error("cnf: a method that is not known here")]
    Other,
}

/// What identifies a denied key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyIdentifier {
    /// `kid` of the token or of the published key.
    #[error("kid")]
    Kid,
    /// The SHA-256 thumbprint (RFC 7638).
    #[error("thumbprint")]
    Thumbprint,
}

/// Whether the key that no token can be verified with is published. Follows the name of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Publication {
    /// It is not, as far as is known.
    #[error("")]
    No,
    /// With values that cannot be used.
    #[error(": this key is published and cannot be used")]
    Unusable,
    /// With its private part, so that anybody can sign with it.
    #[error(": the provider published this private key, and it cannot be used")]
    Private,
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// The key makes signatures of another length.
    Length {
        /// Bytes of this signature.
        found: usize,
        /// Bytes of the key's signatures.
        expected: usize,
    },
    /// It is not one of this key over this token.
    NotVerified,
}

/// Follows the name of the key.
impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, expected } => write!(formatter, ": {found} bytes, expected {expected}"),
            Self::NotVerified => Ok(()),
        }
    }
}

/// Why an opaque token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueRefusal {
    /// The operator accepts none.
    #[error("OPAQUE_TOKEN_CLIENTS is not set")]
    NotConfigured,
    /// The provider names no client.
    #[error("no client is named")]
    NoClient,
    /// The client is not listed.
    #[error("client {0:?}")]
    Client(Excerpt),
}

/// What the provider said of a token that is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderVerdict {
    /// `active` is `false` (RFC 7662 §2.2).
    #[error("introspection answered active: false")]
    Inactive,
    /// An OAuth error that concerns the token.
    #[error("{endpoint} answered {status}{}", after_space(code))]
    Error {
        /// Which endpoint.
        endpoint: Endpoint,
        /// HTTP status.
        status: u16,
        /// The OAuth error code; empty if there is none.
        code: Excerpt,
    },
    /// Found out in another way, by a server that is built on this crate.
    #[error("{0}")]
    Other(&'static str),
}

/// An endpoint of the provider that is asked about opaque tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Endpoint {
    /// RFC 7662.
    #[error("introspection")]
    Introspection,
    /// OpenID Connect Core §5.3.
    #[error("userinfo")]
    Userinfo,
}

/// Bytes that a value holds in memory beside itself.
pub(super) trait HeldBytes {
    /// Most values hold none.
    fn held_bytes(&self) -> usize {
        0
    }
}

impl HeldBytes for Excerpt {
    fn held_bytes(&self) -> usize {
        // With the counts of the `Rc`.
        memory_size::text(&self.0) + 2 * size_of::<usize>()
    }
}

impl<T: HeldBytes> HeldBytes for Option<T> {
    fn held_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::held_bytes)
    }
}

impl HeldBytes for Scopes {
    fn held_bytes(&self) -> usize {
        memory_size::scopes(self)
    }
}

impl HeldBytes for OpaqueRefusal {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Client(client) => client.held_bytes(),
            Self::NotConfigured | Self::NoClient => 0,
        }
    }
}

impl HeldBytes for ProviderVerdict {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Error { code, .. } => code.held_bytes(),
            Self::Inactive | Self::Other(_) => 0,
        }
    }
}

impl HeldBytes for &'static str {}
impl HeldBytes for Algorithm {}
impl HeldBytes for Confirmation {}
impl HeldBytes for ExpiryError {}
impl HeldBytes for IssueTimeError {}
impl HeldBytes for KeyIdentifier {}
impl HeldBytes for Kind {}
impl HeldBytes for Publication {}
impl HeldBytes for Segment {}
impl HeldBytes for SignatureError {}
impl HeldBytes for TokenError {}
impl HeldBytes for bool {}
impl HeldBytes for u16 {}
impl HeldBytes for u64 {}
impl HeldBytes for usize {}

/// A value, or `none`.
pub(super) struct OrNone<'a>(pub Option<&'a dyn fmt::Display>);

impl fmt::Display for OrNone<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(formatter),
            None => formatter.write_str("none"),
        }
    }
}

/// An excerpt in quotes, or `none`.
pub(super) struct Quoted<'a>(pub &'a Option<Excerpt>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => fmt::Debug::fmt(text, formatter),
            None => formatter.write_str("none"),
        }
    }
}

/// An error code behind the status that it came with; empty if there is none.
pub(super) fn after_space(code: &Excerpt) -> String {
    if code.as_str().is_empty() { String::new() } else { format!(" {code}") }
}

/// What would prove a user, to an operator whose tool requires one.
pub(super) const fn proof_of_user(kind: Kind) -> &'static str {
    match kind {
        Kind::Machine => "the client acts for itself: a user has to sign in through it",
        _ => {
            "no proof of a user: typ at+jwt with client_id and another sub, or auth_time, acr or amr; for an opaque \
             token the scope openid"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_cut_between_characters() {
        let excerpt = Excerpt::new(&"ä".repeat(60_000));
        assert!((MAX_EXCERPT_BYTES - 1..=MAX_EXCERPT_BYTES).contains(&excerpt.as_str().len()), "{excerpt}");
        assert_eq!(Excerpt::new("short").as_str(), "short");
    }
}
