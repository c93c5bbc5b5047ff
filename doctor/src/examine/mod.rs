//! Sends the probes of an examination and records the results.
//!
//! This module decides which requests are sent, and in what order. An [`HttpClient`] sends them, and [`crate::checks`]
//! evaluate the results.
//!
//! An examination changes nothing: it registers no client, deletes no session, and calls no tool except `whoami`.
//! Redirects are reported, not followed.

mod mcp_probes;
mod upstream_probes;

use serde_json::Map;

use crate::{
    http::{Exchange, HttpClient, HttpRequest, TransportError, TransportErrorKind},
    mcp,
    probe::{ENDPOINT_REQUEST_HEADERS, METADATA_REQUEST_HEADERS, Probe},
    record::{Record, Upstream, string, strings},
    target::{DiscoveryForm, Target},
    token::{self, Token},
    user_agent::UserAgent,
};

/// Concurrent requests. More would be faster, but rate limits and bot protection might take it for an attack.
const MAX_CONCURRENT: usize = 4;

/// Examines a server, its upstream if it is a gateway, and with `directories` what directories require. Of `upstream`, the
/// examination records what is exchanged.
#[must_use]
pub fn examine(
    target: Target,
    required_origin: Option<String>,
    token: Option<Token>,
    upstream: Option<Upstream>,
    directories: bool,
    now: u64,
    client: &impl HttpClient,
) -> Record {
    let mut record = Record::new(target, now);
    (record.required_origin, record.token) = (required_origin, token);
    record.upstream = upstream.map(Box::new);
    record.directories = directories;
    let mut examination = Examination { record, client };
    examination.run();
    if let Some(upstream) = examination.record.upstream.take() {
        let upstream = examination.examine_upstream(*upstream);
        examination.record.upstream = Some(Box::new(upstream));
    }
    examination.record
}

struct Examination<'a, C> {
    record: Record,
    client: &'a C,
}

impl<C: HttpClient> Examination<'_, C> {
    fn run(&mut self) {
        self.send_all(&[(Probe::Initialize, mcp::initialize(self.endpoint()))]);
        if !self.record.is_reached() {
            return;
        }
        self.send_all(&self.server_probes());
        self.send_all(&self.discovery_probes());
        self.send_all(&self.provider_probes());
        if self.record.is_protected() {
            let forged = with_token(mcp::initialize(self.endpoint()), &self.forged_token());
            let empty = mcp::initialize(self.endpoint()).header("authorization", "Bearer");
            self.send_all(&[(Probe::ForgedToken, forged), (Probe::EmptyBearer, empty)]);
        }
        self.send_mcp_probes();
    }

    /// Probes that depend only on the URL and the challenge.
    fn server_probes(&self) -> Vec<(Probe, HttpRequest)> {
        let target = &self.record.target;
        let url = self.endpoint();
        let other = self.record.other_origin();
        let at_path = target.metadata_url();
        let mut probes = vec![
            (Probe::Discover, mcp::modern_request(url, "server/discover", Map::new(), None)),
            (Probe::Get, HttpRequest::get(url).header("accept", "application/json, text/event-stream")),
            (Probe::MetadataAtPath, metadata(&at_path)),
            (Probe::Mirror, metadata(&target.mirror_url())),
            (Probe::FromOwnOrigin, mcp::initialize(url).header("origin", target.origin())),
            (Probe::FromOtherOrigin, mcp::initialize(url).header("origin", other)),
            (Probe::Preflight, HttpRequest::preflight(url, other, "POST", ENDPOINT_REQUEST_HEADERS)),
            (Probe::MetadataFromOtherOrigin, metadata(&at_path).header("origin", other)),
            (Probe::MetadataPreflight, HttpRequest::preflight(&at_path, other, "GET", METADATA_REQUEST_HEADERS)),
        ];
        if self.record.upstream.is_some() {
            let keys = HttpRequest::get(target.assertion_keys_url()).header("accept", "application/json");
            probes.push((Probe::AssertionKeys, keys));
        }
        if self.record.directories {
            let plain = |url: String| HttpRequest::get(url).header("accept", "text/plain");
            probes.push((Probe::RegistryEntry, metadata(&target.registry_entry_url())));
            probes.push((Probe::RegistryProof, plain(target.registry_proof_url())));
            probes.push((Probe::OpenAiChallenge, plain(target.openai_challenge_url())));
        }
        if let Some(toggled) = target.with_slash_toggled() {
            probes.push((Probe::SlashToggled, mcp::initialize(&toggled)));
        }
        let at_root = target.root_metadata_url();
        if at_root != at_path {
            probes.push((Probe::MetadataAtRoot, metadata(&at_root)));
        }
        let challenge = self.record.challenge().and_then(Result::ok);
        if let Some(named) = challenge.as_ref().and_then(|it| it.get("resource_metadata"))
            && named != at_path
            && named != at_root
        {
            probes.push((Probe::MetadataInChallenge, metadata(named)));
        }
        for agent in UserAgent::ALL {
            let as_agent = |request: HttpRequest| request.header("user-agent", agent.header_value());
            probes.push((Probe::MetadataAsUserAgent(agent), as_agent(metadata(&at_path))));
            // The registry fetches documents only.
            if agent != UserAgent::Registry {
                probes.push((Probe::AsUserAgent(agent), as_agent(mcp::initialize(url))));
            }
        }
        probes
    }

    fn discovery_probes(&self) -> Vec<(Probe, HttpRequest)> {
        let Some(issuer) = self.record.issuer() else { return Vec::new() };
        let urls = DiscoveryForm::ALL.into_iter().filter_map(|form| Some((form, form.url(&issuer)?)));
        urls.map(|(form, url)| (Probe::Discovery(form), metadata(&url))).collect()
    }

    fn provider_probes(&self) -> Vec<(Probe, HttpRequest)> {
        let Some((form, provider)) = self.record.provider_metadata() else { return Vec::new() };
        let other = self.record.other_origin();
        let found_at = self.record.url(Probe::Discovery(form));
        let mut probes = vec![(Probe::DiscoveryFromOtherOrigin, metadata(found_at).header("origin", other))];
        if let Some(url) = string(&provider, "jwks_uri") {
            probes.push((Probe::Keys, HttpRequest::get(url).header("accept", "application/json")));
        }
        if let Some(url) = string(&provider, "token_endpoint") {
            probes.push((Probe::TokenPreflight, HttpRequest::preflight(url, other, "POST", "")));
        }
        probes
    }

    fn forged_token(&self) -> String {
        let metadata = self.record.resource_metadata().unwrap_or_default();
        let resource = string(&metadata, "resource").unwrap_or(self.record.target.as_str());
        let issuer = self.record.issuer().unwrap_or_default();
        token::unsigned_jwt(&issuer, resource, &strings(&metadata, "scopes_supported").join(" "), self.record.now)
    }

    fn endpoint(&self) -> &str {
        self.record.target.as_str()
    }

    /// Sends independent requests, [`MAX_CONCURRENT`] at a time, and records the results.
    fn send_all(&mut self, probes: &[(Probe, HttpRequest)]) {
        for batch in probes.chunks(MAX_CONCURRENT) {
            let target = &self.record.target;
            let reasons: Vec<_> = batch.iter().map(|(_, request)| target.reason_not_to_request(&request.url)).collect();
            let is_allowed = |((_, request), reason): ((_, _), &Option<_>)| reason.is_none().then_some(request);
            let allowed: Vec<&HttpRequest> =
                batch.iter().map(|(it, request)| (it, request)).zip(&reasons).filter_map(is_allowed).collect();
            let mut results = self.client.send_together(&allowed).into_iter();
            for ((probe, request), reason) in batch.iter().zip(reasons) {
                let result = match reason {
                    Some(detail) => Err(TransportError { kind: TransportErrorKind::NotSent, detail }),
                    None => results.next().unwrap_or_else(|| Err(not_answered())),
                };
                self.record.exchanges.insert(*probe, Exchange { url: request.url.clone(), result });
            }
        }
    }
}

/// The client returned fewer results than there were requests.
fn not_answered() -> TransportError {
    TransportError { kind: TransportErrorKind::Protocol, detail: "the request has no result".to_owned() }
}

/// A `GET` of a metadata document with the headers of SDK clients.
fn metadata(url: &str) -> HttpRequest {
    HttpRequest::get(url).header("accept", "application/json").header("mcp-protocol-version", mcp::LEGACY_REVISION)
}

fn with_token(request: HttpRequest, token: &str) -> HttpRequest {
    request.header("authorization", bearer(token))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        http::HttpResponse,
        testing::{GoodServer, ISSUER, NOW, URL, http_response, token},
    };

    /// The good server with some responses changed. Remembers the requests.
    struct Modified<F> {
        change: F,
        sent: Mutex<Vec<HttpRequest>>,
    }

    impl<F: Fn(&HttpRequest) -> Option<HttpResponse> + Sync> HttpClient for Modified<F> {
        fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
            self.sent.lock().unwrap().push(request.clone());
            (self.change)(request).map_or_else(|| GoodServer.send(request), Ok)
        }
    }

    pub(super) fn examined(
        token: Option<Token>,
        change: impl Fn(&HttpRequest) -> Option<HttpResponse> + Sync,
    ) -> (Record, Vec<HttpRequest>) {
        let client = Modified { change, sent: Mutex::default() };
        let record = examine(Target::parse(URL).unwrap(), None, token, None, false, NOW, &client);
        (record, client.sent.into_inner().unwrap())
    }

    pub(super) fn document(body: &Value) -> HttpResponse {
        http_response(200, &[("content-type", "application/json")], &body.to_string())
    }

    #[test]
    fn the_token_is_sent_to_the_endpoint_only() {
        let secret = token(&json!({}));
        let (_, sent) = examined(Some(secret.clone()), |_| None);
        let bearers: Vec<_> = sent.iter().filter(|it| format!("{it:?}").contains(secret.expose())).collect();
        assert!(bearers.len() > 5);
        assert!(bearers.iter().all(|request| request.url == URL));
    }

    #[test]
    fn without_a_token_no_tool_is_listed_or_called() {
        let (record, sent) = examined(None, |_| None);
        assert!(record.response(Probe::LegacyInitialize).is_none());
        assert!(!sent.iter().any(|request| request.body.as_deref().is_some_and(|body| body.contains("tools/"))));
    }

    #[test]
    fn an_examination_changes_nothing() {
        let (_, sent) = examined(Some(token(&json!({}))), |_| None);
        for request in sent {
            assert!(matches!(request.method, "GET" | "OPTIONS") || request.url.starts_with(URL), "{request:?}");
        }
    }

    #[test]
    fn after_a_redirect_nothing_is_sent() {
        let (record, sent) =
            examined(None, |_| Some(http_response(301, &[("location", "https://elsewhere.example/")], "")));
        assert_eq!((sent.len(), record.is_reached()), (1, false));
    }

    #[test]
    fn the_metadata_url_of_the_challenge_is_requested_and_takes_precedence() {
        const METADATA: &str = "https://mcp.example.com/metadata.json";
        let (record, _) = examined(None, |request| match request.url.as_str() {
            URL => Some(http_response(
                401,
                &[("www-authenticate", &format!("Bearer resource_metadata=\"{METADATA}\""))],
                "",
            )),
            METADATA => Some(document(&json!({ "resource": "from there", "authorization_servers": [ISSUER] }))),
            _ => None,
        });
        assert_eq!(record.resource_metadata().unwrap()["resource"], "from there");
    }

    #[test]
    fn a_server_on_the_internet_cannot_direct_the_doctor_into_a_private_network() {
        let (record, sent) = examined(None, |request| {
            request.url.contains("oauth-protected-resource").then(|| {
                document(&json!({ "resource": URL, "authorization_servers": ["http://169.254.169.254/latest"] }))
            })
        });
        let kind = record.result(Probe::Discovery(DiscoveryForm::OpenIdAppended)).unwrap().as_ref().unwrap_err().kind;
        assert_eq!(kind, TransportErrorKind::NotSent);
        assert!(!sent.iter().any(|request| request.url.contains("169.254")));
    }

    #[test]
    fn a_session_is_kept_and_an_open_server_needs_no_token() {
        let (record, sent) = examined(None, |request| {
            let message: Value = serde_json::from_str(request.body.as_deref()?).ok()?;
            let result = match message["method"].as_str()? {
                "initialize" => json!({ "protocolVersion": "2025-06-18" }),
                "tools/list" => json!({ "tools": [{ "name": "whoami", "inputSchema": { "type": "object" } }] }),
                _ => return Some(http_response(400, &[], "")),
            };
            let mut response = document(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }));
            response.set("mcp-session-id", Some("s-1"));
            Some(response)
        });
        assert!(record.is_open() && record.response(Probe::LegacyWhoami).is_some());
        assert!(record.response(Probe::ModernTools).is_none() && record.response(Probe::ForgedToken).is_none());
        let call = sent.iter().find(|it| it.body.as_deref().is_some_and(|body| body.contains("tools/call"))).unwrap();
        assert!(call.headers.contains(&("mcp-session-id", "s-1".to_owned())));
        assert!(call.headers.contains(&("mcp-protocol-version", "2025-06-18".to_owned())));
    }

    #[test]
    fn a_whoami_with_required_arguments_is_not_called() {
        let (record, _) = examined(Some(token(&json!({}))), |request| {
            let tool = json!({ "name": "whoami", "inputSchema": { "type": "object", "required": ["secret"] } });
            let is_list = request.body.as_deref().is_some_and(|body| body.contains("tools/list"));
            is_list.then(|| document(&json!({ "id": 1, "result": { "tools": [tool] } })))
        });
        assert!(record.response(Probe::LegacyTools).is_some());
        assert!(record.response(Probe::LegacyWhoami).is_none() && record.response(Probe::ModernWhoami).is_none());
    }
}
