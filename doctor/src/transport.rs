//! HTTP over the network: the only module that opens connections.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use ureq::{
    Agent, Body,
    http::{self, HeaderMap},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    http::{
        BodyPolicy, HttpClient, HttpRequest, HttpResponse, MAX_BODY_BYTES, TransportError, TransportErrorKind,
        Truncation,
    },
    mcp,
    target::Target,
};

/// The doctor's own `User-Agent`. Probes that test bot protection replace it.
const USER_AGENT: &str = concat!("mcp-edge-doctor/", env!("CARGO_PKG_VERSION"));

/// Replaces the operator's token and other secrets in responses that contain them.
const REDACTED: &str = "<token>";

/// An HTTP client that connects over the network.
pub struct Transport {
    agent: Agent,
    secrets: Vec<String>,
}

/// Why a file contains no certificates.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file is not PEM.
    #[error("the file is not PEM: {0}")]
    NotPem(String),
    /// The file is PEM, but contains no certificate.
    #[error("the file contains no certificate")]
    NoCertificate,
}

impl Transport {
    /// Creates a client.
    ///
    /// `timeout` applies to each request as a whole. Without `authorities` the client trusts Mozilla's list, as hosted
    /// MCP clients do; with them it trusts only these. `secrets` are removed from every response.
    #[must_use]
    pub fn new(timeout: Duration, authorities: Option<Vec<Certificate<'static>>>, secrets: &[&str]) -> Self {
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
        Self { agent: config.into(), secrets: secrets.iter().map(|&secret| secret.to_owned()).collect() }
    }

    fn run(&self, request: &HttpRequest) -> Result<http::Response<Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        // A proxy named in the environment cannot reach this machine's loopback interface.
        let bypass_proxy = Target::parse(&request.url).is_ok_and(|target| target.is_loopback());
        match &request.body {
            Some(body) => self.run_on_agent(builder.body(body.as_str())?, bypass_proxy),
            None => self.run_on_agent(builder.body(())?, bypass_proxy),
        }
    }

    fn run_on_agent(
        &self,
        request: http::Request<impl ureq::AsSendBody>,
        bypass_proxy: bool,
    ) -> Result<http::Response<Body>, ureq::Error> {
        if bypass_proxy {
            self.agent.run(self.agent.configure_request(request).proxy(None).build())
        } else {
            self.agent.run(request)
        }
    }

    fn redact(&self, text: String) -> String {
        let hide = |text: String, secret: &String| {
            if text.contains(secret) { text.replace(secret, REDACTED) } else { text }
        };
        self.secrets.iter().fold(text, hide)
    }
}

impl HttpClient for Transport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut response = self.run(request).map_err(|error| transport_error(&error))?;
        let headers = headers(response.headers());
        let is_stream = headers.iter().any(|(name, value)| {
            name == "content-type" && value.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
        });
        let (body, truncated) = match request.body_policy {
            BodyPolicy::SkipStream if is_stream => (String::new(), None),
            BodyPolicy::UntilResponse if is_stream => read(response.body_mut(), Some(mcp::holds_response)),
            _ => read(response.body_mut(), None),
        };
        let headers = headers.into_iter().map(|(name, value)| (name, self.redact(value))).collect();
        Ok(HttpResponse { status: response.status().as_u16(), headers, body: self.redact(body), truncated })
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// Reads a body up to its end, up to [`MAX_BODY_BYTES`], or until `is_complete` accepts what was read.
fn read(body: &mut Body, is_complete: Option<fn(&str) -> bool>) -> (String, Option<Truncation>) {
    let mut reader = body.with_config().limit(u64::MAX).reader();
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    let truncated = loop {
        match reader.read(&mut chunk) {
            Ok(0) => break None,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Some(Truncation::Interrupted(transport_error(&error.into()).to_string())),
        }
        if bytes.len() as u64 > MAX_BODY_BYTES {
            break Some(Truncation::TooLong);
        }
        if is_complete.is_some_and(|is_complete| is_complete(&String::from_utf8_lossy(&bytes))) {
            break None;
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), truncated)
}

fn transport_error(error: &ureq::Error) -> TransportError {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, InvalidData, NetworkUnreachable, PermissionDenied,
        TimedOut,
    };
    let (kind, detail) = match error {
        ureq::Error::HostNotFound => (TransportErrorKind::Dns, String::new()),
        ureq::Error::Timeout(_) => (TransportErrorKind::Timeout, String::new()),
        ureq::Error::Tls(text) => (TransportErrorKind::Tls, (*text).to_owned()),
        ureq::Error::Rustls(error) => (TransportErrorKind::Tls, error.to_string()),
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
            (TransportErrorKind::Connect, error.to_string())
        }
        ureq::Error::Io(error) => match error.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable | PermissionDenied => {
                (TransportErrorKind::Connect, error.to_string())
            }
            TimedOut => (TransportErrorKind::Timeout, String::new()),
            // The resolver's errors have no kind; their messages begin with these words in the standard library.
            _ if error.to_string().starts_with("failed to lookup address") => (TransportErrorKind::Dns, String::new()),
            // The kind that rustls uses for a peer it rejects.
            InvalidData => (TransportErrorKind::Tls, error.to_string()),
            _ => (TransportErrorKind::Protocol, error.to_string()),
        },
        other => (TransportErrorKind::Protocol, other.to_string()),
    };
    TransportError { kind, detail }
}

/// Reads the certificates of `--ca-file`.
///
/// # Errors
/// A sentence, if the file cannot be read, or has no certificates.
pub fn read_certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = fs::read(file).map_err(|error| format!("--ca-file {}: {error}", file.display()))?;
    certificates(&pem).map_err(|error| format!("--ca-file {}: {error}", file.display()))
}

/// Reads the certificates of a PEM file.
///
/// # Errors
/// [`CertificateError`] if the file is not PEM or contains no certificate.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, CertificateError> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| CertificateError::NotPem(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(certificates) }
}
