//! Why no response was received, in words that do not depend on what opened the connection.

use std::{fmt, io};

use crate::http::{TransportError, TransportErrorKind};

/// What is wrong with a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsProblem {
    /// The certificate is from an authority that is not trusted, or is that of an authority.
    UnknownAuthority,
    /// The certificate was valid until some time ago.
    Expired,
    /// The certificate will be valid.
    NotYetValid,
    /// The certificate is for other host names.
    OtherName,
    /// What answers does not speak TLS.
    NotTls,
    /// The server ended the handshake.
    Refused,
    /// Something else, in the words of the library.
    Other(String),
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "the certificate is not from an authority that is trusted",
            Self::Expired => "the certificate has expired",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::OtherName => "the certificate is for another host name",
            Self::NotTls => "what answers there does not speak TLS",
            Self::Refused => "the server refuses the handshake",
            Self::Other(text) => text,
        })
    }
}

/// The host name does not resolve.
#[must_use]
pub fn dns() -> TransportError {
    failure(TransportErrorKind::Dns, "")
}

/// The time is over.
#[must_use]
pub fn timeout() -> TransportError {
    failure(TransportErrorKind::Timeout, "")
}

/// There is no connection, for this reason.
#[must_use]
pub fn connect(reason: io::ErrorKind) -> TransportError {
    failure(TransportErrorKind::Connect, reason.to_string())
}

/// There is no connection to a proxy, or none from it.
#[must_use]
pub fn proxy() -> TransportError {
    failure(TransportErrorKind::Connect, "through the proxy that the environment names")
}

/// There is no TLS connection.
#[must_use]
pub fn tls(problem: &TlsProblem) -> TransportError {
    failure(TransportErrorKind::Tls, problem.to_string())
}

/// The connection closed early.
#[must_use]
pub fn closed() -> TransportError {
    failure(TransportErrorKind::Protocol, "the server closed it")
}

/// The response was not HTTP.
#[must_use]
pub fn not_http() -> TransportError {
    failure(TransportErrorKind::Protocol, "it cannot be read")
}

/// Something else, in the words of the library.
#[must_use]
pub fn other(detail: impl Into<String>) -> TransportError {
    failure(TransportErrorKind::Protocol, detail)
}

/// What an error of a connection means.
#[must_use]
pub fn of_connection(error: &io::Error) -> TransportError {
    use io::ErrorKind::{
        AddrNotAvailable, BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, PermissionDenied, TimedOut, UnexpectedEof,
    };
    match error.kind() {
        kind @ (ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable | PermissionDenied) => {
            connect(kind)
        }
        TimedOut => timeout(),
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => closed(),
        _ => other(error.to_string()),
    }
}

fn failure(kind: TransportErrorKind, detail: impl Into<String>) -> TransportError {
    TransportError { kind, detail: detail.into() }
}
