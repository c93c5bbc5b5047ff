//! What the errors of Node.js mean.

use std::io::ErrorKind;

use super::failure::{self, TlsProblem};
use crate::http::TransportError;

/// The code with which the thread for connections says that the time of a request is over.
const TIME_IS_OVER: &str = "DOCTOR_TIMEOUT";

/// What an error means, by its code (Node.js, "Errors" and "TLS"; OpenSSL, `X509_STORE_CTX_get_error`).
#[must_use]
pub fn transport_error(code: &str, message: &str) -> TransportError {
    match code {
        TIME_IS_OVER | "ETIMEDOUT" => failure::timeout(),
        "ENOTFOUND" | "EAI_AGAIN" | "EAI_FAIL" | "EAI_NODATA" | "EAI_NONAME" => failure::dns(),
        "ECONNREFUSED" => failure::connect(ErrorKind::ConnectionRefused),
        "EHOSTUNREACH" => failure::connect(ErrorKind::HostUnreachable),
        "ENETUNREACH" => failure::connect(ErrorKind::NetworkUnreachable),
        "EADDRNOTAVAIL" => failure::connect(ErrorKind::AddrNotAvailable),
        "EACCES" | "EPERM" => failure::connect(ErrorKind::PermissionDenied),
        "ECONNRESET" | "ECONNABORTED" | "EPIPE" => failure::closed(),
        _ if code.starts_with("ERR_PROXY_") => failure::proxy(),
        _ if code.starts_with("HPE_") => failure::not_http(),
        _ => match tls_problem(code, message) {
            Some(problem) => failure::tls(&problem),
            None => failure::other(message),
        },
    }
}

fn tls_problem(code: &str, message: &str) -> Option<TlsProblem> {
    Some(match code {
        "DEPTH_ZERO_SELF_SIGNED_CERT"
        | "SELF_SIGNED_CERT_IN_CHAIN"
        | "UNABLE_TO_GET_ISSUER_CERT"
        | "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
        | "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
        | "CERT_UNTRUSTED" => TlsProblem::UnknownAuthority,
        "CERT_HAS_EXPIRED" => TlsProblem::Expired,
        "CERT_NOT_YET_VALID" => TlsProblem::NotYetValid,
        "ERR_TLS_CERT_ALTNAME_INVALID" => TlsProblem::OtherName,
        "ERR_SSL_WRONG_VERSION_NUMBER" | "ERR_SSL_PACKET_LENGTH_TOO_LONG" | "ERR_SSL_HTTP_REQUEST" => {
            TlsProblem::NotTls
        }
        // What the server says: ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION, for example.
        _ if code.starts_with("ERR_SSL_") && code.contains("_ALERT_") => TlsProblem::Refused,
        // The same while something was written.
        "EPROTO" => match reason(message) {
            "wrong version number" | "packet length too long" | "http request" => TlsProblem::NotTls,
            reason if reason.contains("alert") => TlsProblem::Refused,
            reason => TlsProblem::Other(reason.to_owned()),
        },
        _ if ["ERR_SSL_", "ERR_TLS_", "CERT_"].iter().any(|start| code.starts_with(start)) => {
            TlsProblem::Other(reason(message).to_owned())
        }
        _ => return None,
    })
}

/// The reason in a message of OpenSSL, `…:error:<number>:<library> routines:<function>:<reason>:<file>:<line>`; other
/// messages as they are.
fn reason(message: &str) -> &str {
    let reason = message.split(':').skip_while(|part| !part.ends_with(" routines")).nth(2);
    reason.unwrap_or(message).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::TransportErrorKind::{Connect, Dns, Protocol, Timeout, Tls};

    #[test]
    fn each_code_has_its_kind() {
        for (code, kind, shown) in [
            ("ENOTFOUND", Dns, "the host name does not resolve"),
            ("ECONNREFUSED", Connect, "no connection (connection refused)"),
            ("DOCTOR_TIMEOUT", Timeout, "no response in time"),
            ("CERT_HAS_EXPIRED", Tls, "no TLS connection (the certificate has expired)"),
            ("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", Tls, "no TLS connection (the server refuses the handshake)"),
            ("ERR_SSL_SOMETHING", Tls, "no TLS connection (the message)"),
            ("ERR_PROXY_TUNNEL", Connect, "no connection (through the proxy that the environment names)"),
            (
                "ECONNRESET",
                Protocol,
                "the connection closed early, or the response was not HTTP (the server closed it)",
            ),
            (
                "HPE_INVALID_CONSTANT",
                Protocol,
                "the connection closed early, or the response was not HTTP (it cannot be read)",
            ),
            ("", Protocol, "the connection closed early, or the response was not HTTP (the message)"),
        ] {
            let error = transport_error(code, "the message");
            assert_eq!((error.kind, error.to_string().as_str()), (kind, shown), "{code}");
        }
    }

    #[test]
    fn of_a_message_of_openssl_the_reason_is_kept() {
        let shown = |reason: &str| {
            let message =
                format!("write EPROTO C0:error:0A00010B:SSL routines:tls_validate_record_header:{reason}:../a.c:77:\n");
            transport_error("EPROTO", &message).detail
        };
        assert_eq!(shown("wrong version number"), "what answers there does not speak TLS");
        assert_eq!(shown("tlsv1 alert protocol version"), "the server refuses the handshake");
        assert_eq!(shown("bad ecpoint"), "bad ecpoint");
    }
}
