//! Asks the questions. Which ones, with what, and in what order is decided here; how they travel is [`Ask`]'s concern,
//! and what the answers mean is [`crate::checks`]'.
//!
//! Nothing is changed anywhere: no client is registered, no session deleted, no tool called but `whoami`. Redirects are
//! reported, never followed.

use serde_json::{Map, Value, json};

use crate::{
    checks::{ENDPOINT_HEADERS, METADATA_HEADERS},
    clients::Agent,
    exchange::{Answer, Exchange, Failure, FailureKind, Request},
    message::{self, Response, Session},
    record::{Probe, Record, string, strings},
    target::{DiscoveryForm, Target},
    token::{self, Token},
};

/// What carries a request.
pub trait Ask: Sync {
    /// Sends it, and gives what came back.
    ///
    /// # Errors
    /// [`Failure`] if there is no HTTP answer.
    fn ask(&self, request: &Request) -> Result<Answer, Failure>;
}

/// How many requests are under way at once: enough to be done soon, too few to look like an attack.
const AT_ONCE: usize = 4;

/// The tool that is called, where it exists: it changes nothing.
const WHOAMI: &str = "whoami";

/// Examines a server.
#[must_use]
pub fn examine(target: Target, page: Option<String>, token: Option<Token>, now: u64, ask: &impl Ask) -> Record {
    let record = Record { page, token, ..Record::new(target, now) };
    let mut examination = Examination { record, ask };
    examination.run();
    examination.record
}

struct Examination<'a, A> {
    record: Record,
    ask: &'a A,
}

impl<A: Ask> Examination<'_, A> {
    fn run(&mut self) {
        self.ask_all(&[(Probe::Initialize, message::initialize(self.endpoint()))]);
        if !self.record.is_reached() {
            return;
        }
        self.ask_all(&self.first_questions());
        self.ask_all(&self.discovery_questions());
        self.ask_all(&self.provider_questions());
        if self.record.is_protected() {
            let forged = self.forged();
            self.ask_all(&[(Probe::ForgedToken, signed(message::initialize(self.endpoint()), &forged))]);
        }
        self.speak();
    }

    /// What needs to know nothing but the URL and the challenge.
    fn first_questions(&self) -> Vec<(Probe, Request)> {
        let target = &self.record.target;
        let url = self.endpoint();
        let other = self.record.other_origin();
        let at_path = target.metadata_url();
        let mut questions = vec![
            (Probe::Discover, message::modern(url, "server/discover", Map::new(), None)),
            (Probe::Get, Request::get(url).header("accept", "application/json, text/event-stream")),
            (Probe::MetadataAtPath, metadata(&at_path)),
            (Probe::Mirror, metadata(&target.mirror_url())),
            (Probe::FromOwnOrigin, message::initialize(url).header("origin", target.origin())),
            (Probe::FromOtherOrigin, message::initialize(url).header("origin", other)),
            (Probe::Preflight, Request::preflight(url, other, "POST", ENDPOINT_HEADERS)),
            (Probe::MetadataFromOtherOrigin, metadata(&at_path).header("origin", other)),
            (Probe::MetadataPreflight, Request::preflight(&at_path, other, "GET", METADATA_HEADERS)),
        ];
        if let Some(twin) = target.slash_twin() {
            questions.push((Probe::SlashTwin, message::initialize(&twin)));
        }
        let at_root = target.root_metadata_url();
        if at_root != at_path {
            questions.push((Probe::MetadataAtRoot, metadata(&at_root)));
        }
        let challenge = self.record.challenge().and_then(Result::ok);
        if let Some(named) = challenge.as_ref().and_then(|it| it.get("resource_metadata"))
            && named != at_path
            && named != at_root
        {
            questions.push((Probe::MetadataAsNamed, metadata(named)));
        }
        for agent in Agent::ALL {
            let named = |request: Request| request.header("user-agent", agent.user_agent());
            questions.push((Probe::MetadataAsAgent(agent), named(metadata(&at_path))));
            // The registry reads documents only.
            if agent != Agent::Registry {
                questions.push((Probe::AsAgent(agent), named(message::initialize(url))));
            }
        }
        questions
    }

    fn discovery_questions(&self) -> Vec<(Probe, Request)> {
        let Some(issuer) = self.record.issuer() else { return Vec::new() };
        let places = DiscoveryForm::ALL.into_iter().filter_map(|form| Some((form, form.url(&issuer)?)));
        places.map(|(form, url)| (Probe::Discovery(form), metadata(&url))).collect()
    }

    fn provider_questions(&self) -> Vec<(Probe, Request)> {
        let Some((form, provider)) = self.record.provider() else { return Vec::new() };
        let other = self.record.other_origin();
        let found_at = self.record.url(Probe::Discovery(form));
        let mut questions = vec![(Probe::DiscoveryFromOtherOrigin, metadata(found_at).header("origin", other))];
        if let Some(url) = string(&provider, "jwks_uri") {
            questions.push((Probe::Keys, Request::get(url).header("accept", "application/json")));
        }
        if let Some(url) = string(&provider, "token_endpoint") {
            questions.push((Probe::TokenPreflight, Request::preflight(url, other, "POST", "")));
        }
        questions
    }

    fn forged(&self) -> String {
        let metadata = self.record.metadata().unwrap_or_default();
        let resource = string(&metadata, "resource").unwrap_or(self.record.target.typed());
        let issuer = self.record.issuer().unwrap_or_default();
        token::unsigned(&issuer, resource, &strings(&metadata, "scopes_supported").join(" "), self.record.now)
    }

    /// Both eras, signed in where that is needed.
    fn speak(&mut self) {
        let target = &self.record.target;
        // A token is not sent in the clear.
        let is_safe = target.is_https() || target.is_loopback();
        let token = self.record.token.clone().filter(|_| is_safe);
        if token.is_none() && !self.record.is_open() {
            return;
        }
        let sign = |request| match &token {
            Some(token) => signed(request, token.expose()),
            None => request,
        };
        let url = self.endpoint().to_owned();

        self.ask_all(&[
            (Probe::LegacyInitialize, sign(message::initialize(&url))),
            (Probe::ModernDiscover, sign(message::modern(&url, "server/discover", Map::new(), None))),
        ]);
        let mut questions = Vec::new();
        let session = self.record.answer(Probe::LegacyInitialize).filter(|it| it.is_success()).map(Session::begun_by);
        if let Some(session) = &session {
            // The order matters to servers that keep sessions.
            self.ask_all(&[(Probe::LegacyInitialized, sign(message::initialized(&url, session)))]);
            let list = message::legacy(&url, session, "tools/list", &json!({}));
            questions.push((Probe::LegacyTools, sign(list)));
            questions.push((Probe::LegacyStream, sign(message::open_stream(&url, session))));
        }
        if self.record.answer(Probe::ModernDiscover).is_some_and(Answer::is_success) {
            questions.push((Probe::ModernTools, sign(message::modern(&url, "tools/list", Map::new(), None))));
        }
        self.ask_all(&questions);

        let mut questions = Vec::new();
        let call = json!({ "name": WHOAMI, "arguments": {} });
        if let Some(session) = &session
            && self.offers_whoami(Probe::LegacyTools)
        {
            questions.push((Probe::LegacyWhoami, sign(message::legacy(&url, session, "tools/call", &call))));
        }
        if let Value::Object(call) = call
            && self.offers_whoami(Probe::ModernTools)
        {
            questions.push((Probe::ModernWhoami, sign(message::modern(&url, "tools/call", call, Some(WHOAMI)))));
        }
        self.ask_all(&questions);
    }

    /// Whether the list has a tool of this name that needs no arguments.
    fn offers_whoami(&self, list: Probe) -> bool {
        let Some(Response::Result(result)) = self.record.answer(list).and_then(message::response) else { return false };
        let tools = result["tools"].as_array().cloned().unwrap_or_default();
        tools
            .iter()
            .any(|tool| tool["name"] == WHOAMI && tool["inputSchema"]["required"].as_array().is_none_or(Vec::is_empty))
    }

    fn endpoint(&self) -> &str {
        self.record.target.typed()
    }

    /// Asks several independent questions, a few at once, and records what came of them.
    fn ask_all(&mut self, questions: &[(Probe, Request)]) {
        for some in questions.chunks(AT_ONCE) {
            let (ask, target) = (self.ask, &self.record.target);
            let asked: Vec<(Probe, Exchange)> = std::thread::scope(|scope| {
                let under_way: Vec<_> = some
                    .iter()
                    .map(|(probe, request)| (*probe, request, scope.spawn(move || ask_one(ask, target, request))))
                    .collect();
                let ended = under_way.into_iter().map(|(probe, request, thread)| {
                    let broken = Failure { kind: FailureKind::Protocol, detail: "the request panicked".to_owned() };
                    (probe, Exchange { url: request.url.clone(), outcome: thread.join().unwrap_or(Err(broken)) })
                });
                ended.collect()
            });
            self.record.exchanges.extend(asked);
        }
    }
}

fn ask_one(ask: &impl Ask, target: &Target, request: &Request) -> Result<Answer, Failure> {
    match target.refusal_to_ask(&request.url) {
        Some(detail) => Err(Failure { kind: FailureKind::NotAsked, detail }),
        None => ask.ask(request),
    }
}

/// A metadata document as SDK clients ask for it.
fn metadata(url: &str) -> Request {
    Request::get(url).header("accept", "application/json").header("mcp-protocol-version", message::LEGACY_REVISION)
}

fn signed(request: Request, token: &str) -> Request {
    request.header("authorization", format!("Bearer {token}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::testing::{ISSUER, NOW, URL, World, answered, token};

    /// The good world with something changed in it, and a memory of what was asked.
    struct Changed<F> {
        change: F,
        asked: Mutex<Vec<Request>>,
    }

    impl<F: Fn(&Request) -> Option<Answer> + Sync> Ask for Changed<F> {
        fn ask(&self, request: &Request) -> Result<Answer, Failure> {
            self.asked.lock().unwrap().push(request.clone());
            (self.change)(request).map_or_else(|| World.ask(request), Ok)
        }
    }

    fn examined(token: Option<Token>, change: impl Fn(&Request) -> Option<Answer> + Sync) -> (Record, Vec<Request>) {
        let world = Changed { change, asked: Mutex::default() };
        let record = examine(Target::parse(URL).unwrap(), None, token, NOW, &world);
        (record, world.asked.into_inner().unwrap())
    }

    fn document(body: &Value) -> Answer {
        answered(200, &[("content-type", "application/json")], &body.to_string())
    }

    #[test]
    fn the_token_goes_to_the_endpoint_alone() {
        let secret = token(&json!({}));
        let (_, asked) = examined(Some(secret.clone()), |_| None);
        let bearers: Vec<_> = asked.iter().filter(|it| format!("{it:?}").contains(secret.expose())).collect();
        assert!(bearers.len() > 5);
        assert!(bearers.iter().all(|request| request.url == URL));
    }

    #[test]
    fn without_a_token_nobody_is_asked_to_do_anything() {
        let (record, asked) = examined(None, |_| None);
        assert!(record.answer(Probe::LegacyInitialize).is_none());
        assert!(!asked.iter().any(|request| request.body.as_deref().is_some_and(|body| body.contains("tools/"))));
    }

    #[test]
    fn nothing_is_changed_anywhere() {
        let (_, asked) = examined(Some(token(&json!({}))), |_| None);
        for request in asked {
            assert!(matches!(request.method, "GET" | "OPTIONS") || request.url.starts_with(URL), "{request:?}");
        }
    }

    #[test]
    fn behind_a_redirect_nothing_is_asked() {
        let (record, asked) =
            examined(None, |_| Some(answered(301, &[("location", "https://elsewhere.example/")], "")));
        assert_eq!((asked.len(), record.is_reached()), (1, false));
    }

    #[test]
    fn the_place_that_the_challenge_names_is_asked_and_goes_first() {
        const PLACE: &str = "https://mcp.example.com/metadata.json";
        let (record, _) = examined(None, |request| match request.url.as_str() {
            URL => Some(answered(401, &[("www-authenticate", &format!("Bearer resource_metadata=\"{PLACE}\""))], "")),
            PLACE => Some(document(&json!({ "resource": "from there", "authorization_servers": [ISSUER] }))),
            _ => None,
        });
        assert_eq!(record.metadata().unwrap()["resource"], "from there");
    }

    #[test]
    fn a_server_on_the_internet_cannot_send_the_doctor_into_a_private_network() {
        let (record, asked) = examined(None, |request| {
            request.url.contains("oauth-protected-resource").then(|| {
                document(&json!({ "resource": URL, "authorization_servers": ["http://169.254.169.254/latest"] }))
            })
        });
        let kind = record.outcome(Probe::Discovery(DiscoveryForm::OpenIdAppended)).unwrap().as_ref().unwrap_err().kind;
        assert_eq!(kind, FailureKind::NotAsked);
        assert!(!asked.iter().any(|request| request.url.contains("169.254")));
    }

    #[test]
    fn a_session_is_kept_and_an_open_server_needs_no_token() {
        let (record, asked) = examined(None, |request| {
            let message: Value = serde_json::from_str(request.body.as_deref()?).ok()?;
            let result = match message["method"].as_str()? {
                "initialize" => json!({ "protocolVersion": "2025-06-18" }),
                "tools/list" => json!({ "tools": [{ "name": "whoami", "inputSchema": { "type": "object" } }] }),
                _ => return Some(answered(400, &[], "")),
            };
            let mut answer = document(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }));
            answer.set("mcp-session-id", Some("s-1"));
            Some(answer)
        });
        assert!(record.is_open() && record.answer(Probe::LegacyWhoami).is_some());
        assert!(record.answer(Probe::ModernTools).is_none() && record.answer(Probe::ForgedToken).is_none());
        let call = asked.iter().find(|it| it.body.as_deref().is_some_and(|body| body.contains("tools/call"))).unwrap();
        assert!(call.headers.contains(&("mcp-session-id", "s-1".to_owned())));
        assert!(call.headers.contains(&("mcp-protocol-version", "2025-06-18".to_owned())));
    }

    #[test]
    fn a_whoami_that_wants_arguments_is_left_alone() {
        let (record, _) = examined(Some(token(&json!({}))), |request| {
            let tool = json!({ "name": "whoami", "inputSchema": { "type": "object", "required": ["secret"] } });
            let is_list = request.body.as_deref().is_some_and(|body| body.contains("tools/list"));
            is_list.then(|| document(&json!({ "id": 1, "result": { "tools": [tool] } })))
        });
        assert!(record.answer(Probe::LegacyTools).is_some());
        assert!(record.answer(Probe::LegacyWhoami).is_none() && record.answer(Probe::ModernWhoami).is_none());
    }
}
