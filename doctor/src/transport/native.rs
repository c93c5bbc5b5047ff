//! Connections of this process.

use std::{
    collections::HashSet,
    io::{self, Read},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::http::{HeaderMap, Request, Response};
use rustls::CertificateError;
use ureq::{
    Agent, Body,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{
    ConnectionOptions, USER_AGENT,
    address::Address,
    body::BodyReader,
    failure::{self, TlsProblem},
    secrets::Secrets,
};
use crate::{
    http::{HttpClient, HttpRequest, HttpResponse, TransportError},
    target::Target,
};

/// An HTTP client that connects over the network.
pub struct Transport {
    agent: Agent,
    /// Keeps no connection open.
    unpooled: Agent,
    /// Hosts, with scheme and port, that have answered: a connection to them may be one that was kept open.
    answered: Mutex<HashSet<Origin>>,
    secrets: Secrets,
}

/// Whether it is https, the host, and the port.
type Origin = (bool, String, u16);

impl Transport {
    /// Creates a client.
    #[must_use]
    pub fn new(options: &ConnectionOptions) -> Self {
        let roots = match &options.authorities {
            Some(certificates) => {
                let certificates: Vec<_> =
                    certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
                RootCerts::new_with_certs(&certificates)
            }
            None => RootCerts::WebPki,
        };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .timeout_global(Some(options.timeout))
                .user_agent(USER_AGENT)
                .accept("")
                .tls_config(tls.clone())
        };
        Self {
            agent: config().build().into(),
            unpooled: config().max_idle_connections(0).build().into(),
            answered: Mutex::default(),
            secrets: options.secrets.clone(),
        }
    }

    /// Sends a request, and sends it again if it was lost on a connection that was kept open: servers close those without a word, at
    /// any time, and what is sent then is read by nobody. None of the doctor's requests changes anything if it is read twice.
    fn run(&self, request: &HttpRequest, address: &Address) -> Result<Response<Body>, TransportError> {
        let origin = (address.is_https, address.host.clone(), address.port);
        let has_answered = self.answered().contains(&origin);
        let mut outcome = Self::run_on(&self.agent, request, address).map_err(|error| transport_error(&error));
        if has_answered && outcome.as_ref().is_err_and(|error| *error == failure::closed()) {
            outcome = Self::run_on(&self.unpooled, request, address).map_err(|error| transport_error(&error));
        }
        if outcome.is_ok() && !has_answered {
            self.answered().insert(origin);
        }
        outcome
    }

    fn answered(&self) -> MutexGuard<'_, HashSet<Origin>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_on(agent: &Agent, request: &HttpRequest, address: &Address) -> Result<Response<Body>, ureq::Error> {
        let mut builder = Request::builder().method(request.method).uri(address.uri.clone());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        // A proxy named in the environment cannot reach this machine's loopback interface.
        let bypass_proxy = Target::parse(&request.url).is_ok_and(|target| target.is_loopback());
        match &request.body {
            Some(body) => run_on_agent(agent, builder.body(body.as_str())?, bypass_proxy),
            None => run_on_agent(agent, builder.body(())?, bypass_proxy),
        }
    }
}

fn run_on_agent(
    agent: &Agent,
    request: Request<impl ureq::AsSendBody>,
    bypass_proxy: bool,
) -> Result<Response<Body>, ureq::Error> {
    if bypass_proxy { agent.run(agent.configure_request(request).proxy(None).build()) } else { agent.run(request) }
}

impl HttpClient for Transport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let address = Address::parse(&request.url)?;
        let mut response = self.run(request, &address)?;
        let headers = headers(response.headers());
        let (body, truncated) = read(response.body_mut(), BodyReader::new(request.body_policy, &headers));
        Ok(self.secrets.redact(HttpResponse { status: response.status().as_u16(), headers, body, truncated }))
    }

    fn send_together(&self, requests: &[&HttpRequest]) -> Vec<Result<HttpResponse, TransportError>> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = requests.iter().map(|request| scope.spawn(move || self.send(request))).collect();
            let panicked = || failure::other("the request panicked");
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
        })
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn read(body: &mut Body, mut read: BodyReader) -> (String, Option<crate::http::Truncation>) {
    let mut reader = body.with_config().limit(u64::MAX).reader();
    let mut chunk = [0; 8192];
    while read.wants_more() {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => read.push(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return read.finish(Some(transport_error(&error.into()))),
        }
    }
    read.finish(None)
}

fn transport_error(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::HostNotFound => failure::dns(),
        ureq::Error::Timeout(_) => failure::timeout(),
        ureq::Error::Tls(text) => failure::tls(&TlsProblem::Other((*text).to_owned())),
        ureq::Error::Rustls(error) => failure::tls(&tls_problem(error)),
        ureq::Error::ConnectionFailed => failure::connect(io::ErrorKind::NotConnected),
        ureq::Error::ConnectProxyFailed(_) => failure::proxy(),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => failure::not_http(),
        ureq::Error::Io(error) => {
            if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return failure::tls(&tls_problem(error));
            }
            // The resolver's errors have no kind; their messages begin with these words in the standard library.
            if error.to_string().starts_with("failed to lookup address") {
                return failure::dns();
            }
            // The kind that rustls uses for a peer it rejects.
            if error.kind() == io::ErrorKind::InvalidData {
                return failure::tls(&TlsProblem::Other(error.to_string()));
            }
            failure::of_connection(error)
        }
        other => failure::other(other.to_string()),
    }
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            UnknownIssuer => TlsProblem::UnknownAuthority,
            // What `openssl req -x509` makes: a certificate that signed itself, and may sign others.
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                TlsProblem::UnknownAuthority
            }
            Expired | ExpiredContext { .. } => TlsProblem::Expired,
            NotValidYet | NotValidYetContext { .. } => TlsProblem::NotYetValid,
            NotValidForName | NotValidForNameContext { .. } => TlsProblem::OtherName,
            other => TlsProblem::Other(other.to_string()),
        },
        rustls::Error::InvalidMessage(_) => TlsProblem::NotTls,
        rustls::Error::AlertReceived(_) => TlsProblem::Refused,
        other => TlsProblem::Other(other.to_string()),
    }
}
