//! The requests to the upstream of a gateway: without credentials, with forged assertions, and, if the operator has
//! access, those that show what the gateway makes of it.

use serde_json::{Map, json};

use super::{Examination, mcp_probes::Requests, with_token};
use crate::{
    gateway::forgery::{Claims, Forgery, forge},
    http::{HttpClient, HttpRequest},
    mcp::{self, Era, List, Session},
    probe::Probe,
    record::{Record, Upstream, document, string, strings},
    target::Target,
};

/// A session ID that no server hands out.
const UNKNOWN_SESSION: &str = "mcp-edge-doctor-00000000-0000-4000-8000-000000000000";

impl<C: HttpClient> Examination<'_, C> {
    /// Sends the upstream's requests, after those to the gateway, and returns it with what was exchanged.
    pub(super) fn examine_upstream(&self, mut upstream: Upstream) -> Upstream {
        let target = upstream.direct.target.clone();
        let mut direct = Examination { record: Record::new(target.clone(), self.record.now), client: self.client };
        direct.send_without_credentials();
        upstream.direct = direct.record.clone();
        if upstream.is_reached() && !upstream.is_open() {
            direct.send_forged_assertions(&forged_assertions(&self.record, upstream.audience()));
        }
        // Credentials are never sent over an unencrypted connection.
        let authorization = upstream.authorization.as_ref().filter(|_| target.is_https() || target.is_loopback());
        if authorization.is_some() || upstream.is_open() {
            let authorization = authorization.map(|it| it.expose().to_owned());
            direct.send_with_access(Requests::new(target.as_str().to_owned(), authorization), &self.record);
        }
        upstream.direct = direct.record;
        upstream
    }

    fn send_without_credentials(&mut self) {
        let url = self.endpoint().to_owned();
        self.send_all(&[Era::Legacy, Era::Modern].map(|era| (first_probe(era), first_request(era, &url))));
        // Servers that keep sessions look for one before they look for credentials.
        let session = self.record.response(Probe::Initialize).map(Session::from_response).unwrap_or_default();
        let method = List::Tools.method();
        self.send_all(&[
            (Probe::ToolsWithoutCredentials(Era::Legacy), mcp::legacy_request(&url, &session, method, &json!({}))),
            (Probe::ToolsWithoutCredentials(Era::Modern), mcp::modern_request(&url, method, Map::new(), None)),
        ]);
    }

    fn send_forged_assertions(&mut self, forged: &[(Forgery, String)]) {
        let url = self.endpoint();
        let probe = |(forgery, assertion): &(Forgery, String)| {
            Era::ALL.map(|era| (Probe::ForgedAssertion(*forgery, era), with_token(first_request(era, url), assertion)))
        };
        self.send_all(&forged.iter().flat_map(probe).collect::<Vec<_>>());
    }

    fn send_with_access(&mut self, mut requests: Requests, gateway: &Record) {
        self.send_handshakes(&mut requests);
        self.send_lists(&requests);
        let response = gateway.response(Probe::LegacyInitialize).filter(|response| response.is_success());
        let Some(session) = response.map(Session::from_response).filter(|session| session.id.is_some()) else { return };
        let unknown = Session { id: Some(UNKNOWN_SESSION.to_owned()), ..session.clone() };
        let ping = |session| requests.authorize(mcp::legacy_request(self.endpoint(), session, "ping", &json!({})));
        self.send_all(&[(Probe::SessionOfGateway, ping(&session)), (Probe::UnknownSession, ping(&unknown))]);
    }
}

const fn first_probe(era: Era) -> Probe {
    match era {
        Era::Legacy => Probe::Initialize,
        Era::Modern => Probe::Discover,
    }
}

fn first_request(era: Era, url: &str) -> HttpRequest {
    match era {
        Era::Legacy => mcp::initialize(url),
        Era::Modern => mcp::modern_request(url, "server/discover", Map::new(), None),
    }
}

/// Assertions with the claims that the gateway would make.
fn forged_assertions(gateway: &Record, audience: &str) -> Vec<(Forgery, String)> {
    let metadata = gateway.resource_metadata().unwrap_or_default();
    let resource = string(&metadata, "resource").unwrap_or(gateway.target.as_str());
    let origin = Target::parse(resource).unwrap_or_else(|_| gateway.target.clone()).origin();
    let keys = gateway.response(Probe::AssertionKeys).and_then(document).unwrap_or_default();
    let kid = keys.get("keys").and_then(|keys| keys[0]["kid"].as_str());
    let claims = Claims {
        issuer: &origin,
        audience,
        resource,
        provider: &gateway.issuer().unwrap_or_default(),
        scope: &strings(&metadata, "scopes_supported").join(" "),
        now: gateway.now,
    };
    Forgery::ALL.into_iter().filter_map(|forgery| Some((forgery, forge(forgery, &claims, kid)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        examine::examine,
        http::{HttpResponse, TransportError},
        testing::{self, AUTHORIZATION, GoodServer, NOW, UPSTREAM, URL, http_response, token},
    };

    /// The good server and its upstream, with some responses changed. Remembers the requests.
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

    /// Examines the good server with this upstream. Returns the requests, too.
    fn examined(
        upstream: Upstream,
        change: impl Fn(&HttpRequest) -> Option<HttpResponse> + Sync,
    ) -> (Upstream, Vec<HttpRequest>) {
        let client = Modified { change, sent: Mutex::default() };
        let token = Some(token(&json!({})));
        let record = examine(Target::parse(URL).unwrap(), None, token, Some(upstream), false, NOW, &client);
        (*record.upstream.unwrap(), client.sent.into_inner().unwrap())
    }

    fn message(result: &serde_json::Value) -> HttpResponse {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        http_response(200, &[("content-type", "application/json")], &body.to_string())
    }

    fn has(request: &HttpRequest, text: &str) -> bool {
        request.body.as_deref().is_some_and(|body| body.contains(text))
    }

    #[test]
    fn each_server_gets_its_own_credentials_only() {
        let (_, sent) = examined(testing::upstream(""), |_| None);
        let token = token(&json!({}));
        for (secret, url) in [(token.expose(), URL), (AUTHORIZATION, UPSTREAM)] {
            let bearers: Vec<_> = sent.iter().filter(|it| format!("{it:?}").contains(secret)).collect();
            assert!(bearers.len() > 4 && bearers.iter().all(|request| request.url == url), "{url}");
        }
    }

    #[test]
    fn the_upstream_is_asked_without_credentials_and_with_forged_ones() {
        let (upstream, sent) = examined(testing::upstream(""), |_| None);
        let to_upstream: Vec<_> = sent.iter().filter(|it| it.url == UPSTREAM).collect();
        let without = to_upstream.iter().filter(|it| !it.headers.iter().any(|(name, _)| *name == "authorization"));
        assert_eq!(without.count(), 4);
        for forgery in Forgery::ALL {
            for era in Era::ALL {
                assert!(upstream.direct.response(Probe::ForgedAssertion(forgery, era)).is_some());
            }
        }
        let forged = to_upstream.iter().flat_map(|it| &it.headers).filter(|(_, value)| value.starts_with("Bearer ey"));
        assert_eq!(forged.count(), 6);
        assert!(!to_upstream.iter().any(|it| has(it, "tools/call")), "a tool is called");
    }

    #[test]
    fn forged_assertions_have_the_claims_and_the_key_of_the_gateway() {
        let mut upstream = testing::upstream("");
        upstream.settings.as_mut().unwrap().audience = Some("urn:docs".to_owned());
        let (_, sent) = examined(upstream, |_| None);
        let forged = |it: &HttpRequest| {
            it.headers.iter().find_map(|(_, value)| value.strip_prefix("Bearer ey").map(str::to_owned))
        };
        let forged: Vec<_> = sent.iter().filter(|it| it.url == UPSTREAM).filter_map(forged).collect();
        let decoded: Vec<_> =
            forged.iter().filter_map(|it| crate::token::Token::new(&format!("ey{it}")).ok()?.decoded()).collect();
        assert_eq!(decoded.len(), 6);
        for (_, claims) in &decoded {
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://mcp.example.com"), &json!("urn:docs")));
            assert_eq!((&claims["act"]["sub"], &claims["exp"]), (&json!(URL), &json!(NOW + 60)));
        }
        assert!(decoded.iter().any(|(header, _)| header["alg"] == "ES256" && header["kid"] == "a1"));
    }

    #[test]
    fn an_open_upstream_needs_no_credentials_to_be_compared() {
        let upstream = Upstream { authorization: None, ..testing::upstream("") };
        let (upstream, sent) = examined(upstream, |request| {
            (request.url == UPSTREAM && request.body.is_some() && !has(request, "ping"))
                .then(|| GoodServer.send(&request.clone().header("authorization", AUTHORIZATION)).unwrap())
        });
        assert!(upstream.is_open() && upstream.direct.pages(Era::Modern, List::Tools).is_some());
        assert!(!sent.iter().any(|it| it.url == UPSTREAM && format!("{it:?}").contains("Bearer ey")), "forged");
    }

    #[test]
    fn without_credentials_a_protected_upstream_is_not_compared() {
        let (upstream, _) = examined(Upstream { authorization: None, ..testing::upstream("") }, |_| None);
        assert!(upstream.direct.response(Probe::LegacyInitialize).is_none());
    }

    #[test]
    fn credentials_never_leave_unencrypted() {
        let http = Target::parse("http://docs.example.net/mcp").unwrap();
        let settings = None;
        let upstream = Upstream::new(http, testing::upstream("").authorization, settings, NOW);
        let (upstream, sent) = examined(upstream, |_| None);
        assert!(upstream.is_reached() && !sent.iter().any(|it| format!("{it:?}").contains(AUTHORIZATION)));
    }

    #[test]
    fn the_upstream_is_asked_about_the_gateways_session() {
        let (upstream, sent) = examined(testing::upstream(""), |request| match request.url.as_str() {
            URL if has(request, "\"initialize\"") && format!("{request:?}").contains("Bearer ey") => {
                let mut response = message(&json!({ "protocolVersion": "2025-11-25", "capabilities": {} }));
                response.set("mcp-session-id", Some("sealed"));
                Some(response)
            }
            UPSTREAM if has(request, "ping") => Some(http_response(404, &[], "")),
            _ => None,
        });
        let pings: Vec<_> = sent.iter().filter(|it| has(it, "\"ping\"")).collect();
        assert!(pings.iter().any(|it| it.headers.contains(&("mcp-session-id", "sealed".to_owned()))));
        assert!(pings.len() == 2 && pings.iter().all(|it| it.url == UPSTREAM));
        let asked =
            [Probe::SessionOfGateway, Probe::UnknownSession].map(|probe| upstream.direct.response(probe).is_some());
        assert_eq!(asked, [true, true]);
    }

    #[test]
    fn a_server_that_is_not_reached_does_not_hide_its_upstream() {
        let (upstream, sent) = examined(testing::upstream(""), |request| {
            (request.url == URL).then(|| http_response(301, &[("location", "https://elsewhere.example/")], ""))
        });
        assert!(upstream.is_reached() && sent.iter().filter(|it| it.url != UPSTREAM).count() == 1);
    }
}
