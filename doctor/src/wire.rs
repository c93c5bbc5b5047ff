//! HTTP, and nothing else: the only place that opens connections.

use std::{
    io::{self, Read},
    time::Duration,
};

use ureq::{
    Agent, Body,
    http::{self, HeaderMap},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    examine::Ask,
    exchange::{Answer, Cut, Failure, FailureKind, MAX_BODY_BYTES, Reading, Request},
    message,
    target::Target,
    token::Token,
};

/// How the doctor introduces itself where it does not try another's name.
const USER_AGENT: &str = concat!("mcp-edge-doctor/", env!("CARGO_PKG_VERSION"));

/// What stands where a server sent the operator's token back.
const REDACTED: &str = "<token>";

/// Connections over the network.
pub struct Wire {
    agent: Agent,
    secret: Option<Token>,
}

/// Why a file holds no certificates.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It is no PEM.
    #[error("it is not a PEM file: {0}")]
    NotPem(String),
    /// It is PEM of something else.
    #[error("it holds no certificate")]
    Empty,
}

impl Wire {
    /// Prepares it. `timeout` is for each request as a whole; `authorities` are trusted in addition to nothing: without
    /// them Mozilla's list is, as hosted clients trust it. `secret` is taken out of everything that comes back.
    #[must_use]
    pub fn new(timeout: Duration, authorities: Option<Vec<Certificate<'static>>>, secret: Option<Token>) -> Self {
        let roots = match authorities {
            Some(certificates) => RootCerts::new_with_certs(&certificates),
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .user_agent(USER_AGENT)
            .accept("")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Self { agent: config.into(), secret }
    }

    fn run(&self, request: &Request) -> Result<http::Response<Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        // A proxy of the environment does not lead back to this machine.
        let is_local = Target::parse(&request.url).is_ok_and(|target| target.is_loopback());
        match &request.body {
            Some(body) => self.send(builder.body(body.as_str())?, is_local),
            None => self.send(builder.body(())?, is_local),
        }
    }

    fn send(
        &self,
        request: http::Request<impl ureq::AsSendBody>,
        is_local: bool,
    ) -> Result<http::Response<Body>, ureq::Error> {
        if is_local {
            self.agent.run(self.agent.configure_request(request).proxy(None).build())
        } else {
            self.agent.run(request)
        }
    }

    fn without_secret(&self, text: String) -> String {
        match &self.secret {
            Some(secret) if text.contains(secret.expose()) => text.replace(secret.expose(), REDACTED),
            _ => text,
        }
    }
}

impl Ask for Wire {
    fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let mut response = self.run(request).map_err(|error| failure(&error))?;
        let headers = headers(response.headers());
        let is_stream = headers.iter().any(|(name, value)| {
            name == "content-type" && value.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
        });
        let (body, cut) = match request.reading {
            Reading::NoStream if is_stream => (String::new(), None),
            Reading::UntilResponse if is_stream => read(response.body_mut(), Some(message::holds_response)),
            _ => read(response.body_mut(), None),
        };
        let headers = headers.into_iter().map(|(name, value)| (name, self.without_secret(value))).collect();
        Ok(Answer { status: response.status().as_u16(), headers, body: self.without_secret(body), cut })
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// Reads a body until it ends, is enough (never, without a test for it), or is too much.
fn read(body: &mut Body, is_enough: Option<fn(&str) -> bool>) -> (String, Option<Cut>) {
    let mut reader = body.with_config().limit(u64::MAX).reader();
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    let cut = loop {
        match reader.read(&mut chunk) {
            Ok(0) => break None,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Some(Cut::Broken(failure(&error.into()).to_string())),
        }
        if bytes.len() as u64 > MAX_BODY_BYTES {
            break Some(Cut::TooLong);
        }
        if is_enough.is_some_and(|is_enough| is_enough(&String::from_utf8_lossy(&bytes))) {
            break None;
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), cut)
}

fn failure(error: &ureq::Error) -> Failure {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, InvalidData, NetworkUnreachable, PermissionDenied,
        TimedOut,
    };
    let (kind, detail) = match error {
        ureq::Error::HostNotFound => (FailureKind::Dns, String::new()),
        ureq::Error::Timeout(_) => (FailureKind::Timeout, String::new()),
        ureq::Error::Tls(text) => (FailureKind::Tls, (*text).to_owned()),
        ureq::Error::Rustls(error) => (FailureKind::Tls, error.to_string()),
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => (FailureKind::Connect, error.to_string()),
        ureq::Error::Io(error) => match error.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable | PermissionDenied => {
                (FailureKind::Connect, error.to_string())
            }
            TimedOut => (FailureKind::Timeout, String::new()),
            // The resolver's errors have no kind of their own; this is how the standard library begins them.
            _ if error.to_string().starts_with("failed to lookup address") => (FailureKind::Dns, String::new()),
            // rustls reports what it does not like about a peer in this way.
            InvalidData => (FailureKind::Tls, error.to_string()),
            _ => (FailureKind::Protocol, error.to_string()),
        },
        other => (FailureKind::Protocol, other.to_string()),
    };
    Failure { kind, detail }
}

/// Reads the certificates of a PEM file.
///
/// # Errors
/// [`CertificateError`] if there are none.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, CertificateError> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| CertificateError::NotPem(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(CertificateError::Empty) } else { Ok(certificates) }
}
