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
        self.ask_all(vec![(Probe::Initialize, message::initialize(self.endpoint()))]);
        if !self.record.is_reached() {
            return;
        }
        self.ask_all(self.first_questions());
        self.ask_all(self.discovery_questions());
        self.ask_all(self.provider_questions());
        if self.record.is_protected() {
            let forged = self.forged();
            self.ask_all(vec![(Probe::ForgedToken, signed(message::initialize(self.endpoint()), &forged))]);
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

        self.ask_all(vec![
            (Probe::LegacyInitialize, sign(message::initialize(&url))),
            (Probe::ModernDiscover, sign(message::modern(&url, "server/discover", Map::new(), None))),
        ]);
        let mut questions = Vec::new();
        let session = self.record.answer(Probe::LegacyInitialize).filter(|it| it.is_success()).map(Session::begun_by);
        if let Some(session) = &session {
            // The order matters to servers that keep sessions.
            self.ask_all(vec![(Probe::LegacyInitialized, sign(message::initialized(&url, session)))]);
            let list = message::legacy(&url, session, "tools/list", &json!({}));
            questions.push((Probe::LegacyTools, sign(list)));
            questions.push((Probe::LegacyStream, sign(message::open_stream(&url, session))));
        }
        if self.record.answer(Probe::ModernDiscover).is_some_and(Answer::is_success) {
            questions.push((Probe::ModernTools, sign(message::modern(&url, "tools/list", Map::new(), None))));
        }
        self.ask_all(questions);

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
        self.ask_all(questions);
    }

    /// Whether the list has a tool of this name that needs no arguments.
    fn offers_whoami(&self, list: Probe) -> bool {
        let Some(Response::Result(result)) = self.record.answer(list).and_then(message::response) else { return false };
        let tools = result["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().any(|tool| {
            tool["name"] == WHOAMI && tool["inputSchema"]["required"].as_array().is_none_or(Vec::is_empty)
        })
    }

    fn endpoint(&self) -> &str {
        self.record.target.typed()
    }

    /// Asks several independent questions, a few at once, and records what came of them.
    fn ask_all(&mut self, questions: Vec<(Probe, Request)>) {
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
