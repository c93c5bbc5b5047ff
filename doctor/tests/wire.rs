//! What the network can do to a request, over real connections on this machine.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use mcp_edge_doctor::{
    examine::Ask,
    exchange::{Answer, Cut, Failure, FailureKind, MAX_BODY_BYTES, Request},
    token::Token,
    wire::{Wire, certificates},
};

/// Long enough for the slowest machine, where nothing is expected to take long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Serves one connection on a free port; `serve` is called when the request's head has been read. Gives the URL.
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

/// Answers with these bytes and closes.
fn answering(bytes: impl Into<Vec<u8>>) -> String {
    let bytes = bytes.into();
    serving(move |mut stream| {
        // The asking side may have had enough before the end.
        let _ = stream.write_all(&bytes);
    })
}

fn ask(request: &Request) -> Result<Answer, Failure> {
    Wire::new(PATIENCE, None, None).ask(request)
}

fn get(url: &str) -> Result<Answer, Failure> {
    ask(&Request::get(url))
}

fn kind(outcome: Result<Answer, Failure>) -> FailureKind {
    outcome.unwrap_err().kind
}

#[test]
fn an_answer_is_recorded_as_it_came() {
    let url = answering(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer\r\nContent-Length: 2\r\n\r\n{}",
    );
    let answer = get(&url).unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.cut), (401, "{}", None));
    let challenges: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
    assert_eq!(challenges.len(), 2);
}

#[test]
fn a_request_goes_out_as_it_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp?a=1", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        head.to_ascii_lowercase()
    });
    ask(&Request::get(url).header("user-agent", "openai-mcp/1.0.0").header("accept", "text/event-stream")).unwrap();
    let head = server.join().unwrap();
    let lines = |name: &str| head.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect::<Vec<_>>();
    assert!(head.starts_with("get /mcp?a=1 http/1.1\r\n"), "{head}");
    assert_eq!(lines("user-agent:"), ["user-agent: openai-mcp/1.0.0"]);
    // A compressed answer would be none that can be judged.
    assert_eq!(lines("accept"), ["accept: text/event-stream"]);
    assert_eq!(lines("origin:"), Vec::<String>::new());
}

#[test]
fn a_redirect_is_recorded_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
        let answer = ask(&Request::post(answering(head), "{}")).unwrap();
        assert_eq!((answer.status, answer.redirect()), (status, Some("/elsewhere")));
    }
}

#[test]
fn a_body_without_end_is_cut() {
    let url = serving(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        // Until the reader hangs up.
        while stream.write_all(&[b' '; 8192]).is_ok() {}
    });
    let answer = get(&url).unwrap();
    assert_eq!(answer.cut, Some(Cut::TooLong));
    assert!(answer.body.len() as u64 <= MAX_BODY_BYTES + 8192);
}

#[test]
fn a_body_that_breaks_off_is_told_from_a_whole_one() {
    let answer = get(&answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")).unwrap();
    assert!(matches!(answer.cut, Some(Cut::Broken(_))), "{answer:?}");
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
    let answer = ask(&Request::post(url, "{}")).unwrap();
    assert!(answer.cut.is_none() && answer.body.contains("\"result\""), "{answer:?}");
    drop(sender);
}

#[test]
fn of_a_stream_that_only_listens_the_head_is_enough() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let url = serving(move |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        let _ = receiver.recv();
    });
    assert_eq!(get(&url).unwrap().media_type(), "text/event-stream");
    drop(sender);
}

#[test]
fn a_server_that_never_answers_is_a_timeout() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let url = serving(move |_stream| {
        let _ = receiver.recv();
    });
    let wire = Wire::new(Duration::from_millis(200), None, None);
    assert_eq!(kind(wire.ask(&Request::get(url))), FailureKind::Timeout);
    drop(sender);
}

#[test]
fn a_closed_port_is_no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(kind(get(&format!("http://127.0.0.1:{port}/mcp"))), FailureKind::Connect);
}

#[test]
fn what_speaks_no_http_is_a_protocol_failure() {
    assert_eq!(kind(get(&answering("SSH-2.0-OpenSSH_9.2\r\n"))), FailureKind::Protocol);
    assert_eq!(kind(get(&answering(""))), FailureKind::Protocol);
}

#[test]
fn a_name_that_does_not_exist_is_a_dns_failure() {
    // RFC 6761 §6.4: resolvers know that there is no such name without asking anybody.
    assert_eq!(kind(get("https://mcp-edge-doctor.invalid/mcp")), FailureKind::Dns);
}

#[test]
fn a_token_that_comes_back_is_taken_out() {
    let url = answering(
        "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer error_description=\"bad s3cr3t-token\"\r\nContent-Length: 14\r\n\r\n\"s3cr3t-token\"",
    );
    let wire = Wire::new(PATIENCE, None, Token::new("s3cr3t-token").ok());
    let shown = format!("{:?}", wire.ask(&Request::get(url)).unwrap());
    assert!(!shown.contains("s3cr3t") && shown.matches("<token>").count() == 2, "{shown}");
}

/// A server on this machine whose certificate a private authority signed for `name`. Gives its URL and the authority.
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
fn a_private_authority_is_a_tls_failure_unless_it_is_named() {
    let (url, _) = serving_tls("localhost");
    let failure = get(&url).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    let (url, authority) = serving_tls("localhost");
    let wire = Wire::new(PATIENCE, Some(certificates(authority.as_bytes()).unwrap()), None);
    assert_eq!(wire.ask(&Request::get(url)).unwrap().status, 200);
}

#[test]
fn a_certificate_for_another_name_is_a_tls_failure() {
    let (url, authority) = serving_tls("elsewhere.example");
    let wire = Wire::new(PATIENCE, Some(certificates(authority.as_bytes()).unwrap()), None);
    assert_eq!(kind(wire.ask(&Request::get(url))), FailureKind::Tls);
}

#[test]
fn https_asked_of_a_plain_port_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/mcp", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        // Not closed before the other side has seen it.
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(kind(get(&url)), FailureKind::Tls);
}

#[test]
fn a_file_without_certificates_is_refused() {
    assert_eq!(certificates(b"hello").unwrap_err().to_string(), "it holds no certificate");
}
