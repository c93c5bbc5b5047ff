//! Connections of Node.js.

use std::cell::Cell;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{ConnectionOptions, USER_AGENT, address::Address, body::BodyReader, failure, node_error, secrets::Secrets};
use crate::{
    host::{Event, Host, Network},
    http::{BodyPolicy, HttpClient, HttpRequest, HttpResponse, MAX_BODY_BYTES, TransportError},
    target::Target,
};

/// An HTTP client whose connections Node.js has.
#[derive(Debug)]
pub struct HostTransport {
    network: Network,
    secrets: Secrets,
    /// The number of the next request.
    next: Cell<u32>,
}

/// A request and what has become of it.
enum Exchange {
    Sent(BodyPolicy),
    Reading { status: u16, headers: Vec<(String, String)>, body: BodyReader },
    Over(Result<HttpResponse, TransportError>),
}

impl HostTransport {
    /// Creates a client.
    #[must_use]
    pub fn new(host: &Host, options: &ConnectionOptions) -> Self {
        let timeout = u32::try_from(options.timeout.as_millis()).unwrap_or(u32::MAX);
        let authorities = options.authorities.as_ref().map(|it| it.iter().map(pem).collect());
        Self { network: host.connect(timeout, authorities), secrets: options.secrets.clone(), next: Cell::new(0) }
    }

    fn start(&self, request: &HttpRequest) -> Exchange {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        match described(request) {
            Ok(described) => {
                self.network.start(number, &described);
                Exchange::Sent(request.body_policy)
            }
            Err(error) => Exchange::Over(Err(error)),
        }
    }

    fn advance(&self, exchange: Exchange, event: &Event) -> Exchange {
        let kind = event.kind();
        match (exchange, kind.as_str()) {
            (Exchange::Sent(policy), "head") => {
                let headers = headers(event.headers());
                let body = BodyReader::new(policy, &headers);
                self.read_on(event, event.status(), headers, body)
            }
            (Exchange::Reading { status, headers, mut body }, "chunk") => {
                body.push(&event.bytes());
                self.read_on(event, status, headers, body)
            }
            (Exchange::Reading { status, headers, body }, "end") => self.finish(status, headers, body, None),
            (Exchange::Reading { status, headers, body }, "error") => {
                self.finish(status, headers, body, Some(failure_of(event)))
            }
            (Exchange::Sent(_), "error") => Exchange::Over(Err(failure_of(event))),
            // What was on its way when the request was cancelled.
            (exchange, _) => exchange,
        }
    }

    fn read_on(&self, event: &Event, status: u16, headers: Vec<(String, String)>, body: BodyReader) -> Exchange {
        if body.wants_more() {
            return Exchange::Reading { status, headers, body };
        }
        self.network.cancel(event.number());
        self.finish(status, headers, body, None)
    }

    fn finish(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        body: BodyReader,
        interrupted: Option<TransportError>,
    ) -> Exchange {
        let (body, truncated) = body.finish(interrupted);
        Exchange::Over(Ok(self.secrets.redact(HttpResponse { status, headers, body, truncated })))
    }
}

impl HttpClient for HostTransport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.send_together(&[request]).pop().unwrap_or_else(|| Err(lost()))
    }

    fn send_together(&self, requests: &[&HttpRequest]) -> Vec<Result<HttpResponse, TransportError>> {
        let first = self.next.get();
        let mut exchanges: Vec<_> = requests.iter().map(|request| self.start(request)).collect();
        while exchanges.iter().any(|it| !matches!(it, Exchange::Over(_))) {
            let event = self.network.next();
            if event.kind() == "lost" {
                break;
            }
            let at = event.number().wrapping_sub(first) as usize;
            if let Some(place) = exchanges.get_mut(at) {
                let exchange = std::mem::replace(place, Exchange::Over(Err(lost())));
                *place = self.advance(exchange, &event);
            }
        }
        let result = |exchange| match exchange {
            Exchange::Over(result) => result,
            Exchange::Sent(_) | Exchange::Reading { .. } => Err(lost()),
        };
        exchanges.into_iter().map(result).collect()
    }
}

/// The thread for connections does not answer.
fn lost() -> TransportError {
    failure::other("the thread for connections does not answer")
}

/// A request in the form that `doctor/node/http-worker.mjs` reads.
fn described(request: &HttpRequest) -> Result<String, TransportError> {
    let address = Address::parse(&request.url)?;
    let mut headers = vec![("host", address.host_header.clone())];
    if !request.headers.iter().any(|(name, _)| *name == "user-agent") {
        headers.push(("user-agent", USER_AGENT.to_owned()));
    }
    if let Some(body) = &request.body {
        headers.push(("content-length", body.len().to_string()));
    }
    headers.extend(request.headers.iter().cloned());
    Ok(json!({
        "isHttps": address.is_https,
        // A proxy named in the environment cannot reach this machine's loopback interface.
        "bypassesProxy": Target::parse(&request.url).is_ok_and(|target| target.is_loopback()),
        "host": address.host,
        "port": address.port,
        "method": request.method,
        "path": address.path,
        "headers": headers,
        "body": request.body,
        "maxBytes": MAX_BODY_BYTES,
    })
    .to_string())
}

fn headers(names_and_values: Vec<String>) -> Vec<(String, String)> {
    let mut parts = names_and_values.into_iter();
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        headers.push((name.to_ascii_lowercase(), value));
    }
    headers
}

fn failure_of(event: &Event) -> TransportError {
    node_error::transport_error(&event.code(), &event.message())
}

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}
