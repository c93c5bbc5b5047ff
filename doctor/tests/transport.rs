//! The HTTP client over real connections on this machine: redirects, truncation, time-outs, TLS, redaction.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mcp_edge_doctor::{
    http::HttpClient,
    http::{HttpRequest, HttpResponse, MAX_BODY_BYTES, TransportError, TransportErrorKind, Truncation},
    transport::{ConnectionOptions, certificates::certificates, native::Transport, secrets::Secrets},
};

/// A timeout that does not expire even on a slow machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Serves one connection on a free port; `serve` is called when the request's head has been read. Returns the URL.
fn serving(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        serve(stream);
    });
    url
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Sends these bytes and closes the connection.
fn responding(bytes: impl Into<Vec<u8>>) -> String {
    let bytes = bytes.into();
    serving(move |mut stream| {
        // The client may close the connection first.
        let _ = stream.write_all(&bytes);
    })
}

/// A client that trusts the authorities of a PEM file, or the public ones.
fn transport(timeout: Duration, authorities: Option<&str>, secrets: &[&str]) -> Transport {
    let authorities = authorities.map(|pem| certificates(pem.as_bytes()).unwrap());
    Transport::new(&ConnectionOptions { timeout, authorities, secrets: Secrets::new(secrets.iter().copied()) })
}

fn send(request: &HttpRequest) -> Result<HttpResponse, TransportError> {
    transport(TIMEOUT, None, &[]).send(request)
}

fn get(url: &str) -> Result<HttpResponse, TransportError> {
    send(&HttpRequest::get(url))
}

fn kind(result: Result<HttpResponse, TransportError>) -> TransportErrorKind {
    result.unwrap_err().kind
}

#[test]
fn a_response_is_recorded_unchanged() {
    let url = responding(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer\r\nContent-Length: 2\r\n\r\n{}",
    );
    let response = get(&url).unwrap();
    assert_eq!((response.status, response.body.as_str(), response.truncated), (401, "{}", None));
    let challenges: Vec<_> = response.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
    assert_eq!(challenges.len(), 2);
}

#[test]
fn a_request_is_sent_unchanged() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp?a=1", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        head.to_ascii_lowercase()
    });
    send(&HttpRequest::get(url).header("user-agent", "openai-mcp/1.0.0").header("accept", "text/event-stream"))
        .unwrap();
    let head = server.join().unwrap();
    let lines = |name: &str| head.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect::<Vec<_>>();
    assert!(head.starts_with("get /mcp?a=1 http/1.1\r\n"), "{head}");
    assert_eq!(lines("user-agent:"), ["user-agent: openai-mcp/1.0.0"]);
    // The checks cannot read a compressed response.
    assert_eq!(lines("accept"), ["accept: text/event-stream"]);
    assert_eq!(lines("origin:"), Vec::<String>::new());
}

#[test]
fn a_redirect_is_recorded_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
        let response = send(&HttpRequest::post(responding(head), "{}")).unwrap();
        assert_eq!((response.status, response.redirect()), (status, Some("/elsewhere")));
    }
}

/// Serves connections one after the other; `serve` answers the requests of each, which are numbered from 0, or does not. Returns the
/// URL, and what counts the connections.
fn serving_connections(
    serve: impl Fn(usize, usize) -> Option<&'static str> + Send + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let connection = counted.fetch_add(1, Ordering::SeqCst);
            for request in 0.. {
                let head = read_head(&mut stream);
                let body = if head.starts_with("POST") { 2 } else { 0 };
                let _ = stream.read_exact(&mut vec![0; body]);
                // Without an answer: closes the connection. The client has closed it if there was no request.
                let Some(answer) = serve(connection, request).filter(|_| !head.is_empty()) else { break };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, connections)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn a_request_that_is_lost_on_a_connection_that_was_kept_open_is_sent_again() {
    for request in [HttpRequest::get, |url: String| HttpRequest::post(url, "{}")] {
        // The first connection ends with the second request, without a word.
        let (url, connections) = serving_connections(|connection, request| match (connection, request) {
            (0, 1) => None,
            _ => Some(OK),
        });
        let transport = transport(TIMEOUT, None, &[]);
        for _ in 0..3 {
            assert_eq!(transport.send(&request(url.clone())).map(|response| response.status), Ok(200));
        }
        assert!(connections.load(Ordering::SeqCst) >= 2);
    }
}

#[test]
fn a_server_that_never_answers_is_asked_again_once_at_most() {
    let (url, connections) = serving_connections(|_, _| None);
    assert_eq!(kind(get(&url)), TransportErrorKind::Protocol);
    assert_eq!(connections.load(Ordering::SeqCst), 1, "nothing can be lost on a new connection");
    let (url, connections) = serving_connections(|connection, request| (connection + request == 0).then_some(OK));
    let transport = transport(TIMEOUT, None, &[]);
    transport.send(&HttpRequest::get(url.clone())).unwrap();
    let failed = transport.send(&HttpRequest::get(url)).unwrap_err();
    assert_eq!((failed.kind, failed.detail.as_str()), (TransportErrorKind::Protocol, "the server closed it"));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[test]
fn an_endless_body_is_truncated() {
    let url = serving(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        // Until the client closes the connection.
        while stream.write_all(&[b' '; 8192]).is_ok() {}
    });
    let response = get(&url).unwrap();
    assert_eq!(response.truncated, Some(Truncation::TooLong));
    assert_eq!(response.body.len() as u64, MAX_BODY_BYTES);
}

#[test]
fn an_incomplete_body_is_reported() {
    let response = get(&responding("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")).unwrap();
    assert!(matches!(response.truncated, Some(Truncation::Interrupted(_))), "{response:?}");
}

#[test]
fn a_stream_that_stays_open_is_read_up_to_the_response() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let url = serving(move |mut stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n";
        let event = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
        stream.write_all(format!("{head}{event}").as_bytes()).unwrap();
        // Open until the test is over.
        let _ = receiver.recv();
    });
    let response = send(&HttpRequest::post(url, "{}")).unwrap();
    assert!(response.truncated.is_none() && response.body.contains("\"result\""), "{response:?}");
    drop(sender);
}

#[test]
fn of_a_stream_without_a_response_only_the_headers_are_read() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let url = serving(move |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        let _ = receiver.recv();
    });
    assert_eq!(get(&url).unwrap().media_type(), "text/event-stream");
    drop(sender);
}

#[test]
fn a_server_that_never_responds_is_a_timeout() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let url = serving(move |_stream| {
        let _ = receiver.recv();
    });
    let transport = transport(Duration::from_millis(200), None, &[]);
    assert_eq!(kind(transport.send(&HttpRequest::get(url))), TransportErrorKind::Timeout);
    drop(sender);
}

#[test]
fn a_closed_port_is_a_connection_failure() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(kind(get(&format!("http://127.0.0.1:{port}/mcp"))), TransportErrorKind::Connect);
}

#[test]
fn a_response_that_is_not_http_is_a_protocol_error() {
    assert_eq!(kind(get(&responding("SSH-2.0-OpenSSH_9.2\r\n"))), TransportErrorKind::Protocol);
    assert_eq!(kind(get(&responding(""))), TransportErrorKind::Protocol);
}

#[test]
fn an_unknown_host_name_is_a_dns_error() {
    // RFC 6761 §6.4 reserves the name: resolvers reject it without a query.
    assert_eq!(kind(get("https://mcp-edge-doctor.invalid/mcp")), TransportErrorKind::Dns);
}

#[test]
fn secrets_in_a_response_are_redacted() {
    let url = responding(
        "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer error_description=\"bad s3cr3t-token\"\r\nContent-Length: 26\r\n\r\n\"s3cr3t-token\" of-upstream",
    );
    let transport = transport(TIMEOUT, None, &["s3cr3t-token", "of-upstream"]);
    let shown = format!("{:?}", transport.send(&HttpRequest::get(url)).unwrap());
    assert!(!shown.contains("s3cr3t") && !shown.contains("of-up") && shown.matches("<token>").count() == 3, "{shown}");
}

/// A server on this machine whose certificate a private authority signed for `name`. Returns its URL and the authority.
fn serving_tls(name: &str) -> (String, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/mcp", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, tcp);
        if read_head(&mut stream).starts_with("GET") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        }
    });
    (url, authority_pem)
}

#[test]
fn a_private_authority_is_a_tls_error_unless_it_is_trusted() {
    let (url, _) = serving_tls("localhost");
    let failure = get(&url).unwrap_err();
    assert_eq!(failure.kind, TransportErrorKind::Tls, "{failure}");
    let (url, authority) = serving_tls("localhost");
    let transport = transport(TIMEOUT, Some(&authority), &[]);
    assert_eq!(transport.send(&HttpRequest::get(url)).unwrap().status, 200);
}

#[test]
fn a_certificate_for_another_name_is_a_tls_error() {
    let (url, authority) = serving_tls("elsewhere.example");
    let transport = transport(TIMEOUT, Some(&authority), &[]);
    assert_eq!(kind(transport.send(&HttpRequest::get(url))), TransportErrorKind::Tls);
}

#[test]
fn https_to_a_plain_http_port_is_a_tls_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/mcp", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad HttpRequest\r\nContent-Length: 0\r\n\r\n");
        // Keeps the connection open until the client has read the response.
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(kind(get(&url)), TransportErrorKind::Tls);
}

#[test]
fn a_file_without_certificates_is_rejected() {
    assert_eq!(certificates(b"hello").unwrap_err().to_string(), "the file contains no certificate");
}
