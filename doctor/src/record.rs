//! Everything that was asked and answered, by question; and what follows from the answers for the next questions.
//!
//! [`crate::examine`] fills it, [`crate::checks`] judge it. Both see the server's documents through the same few
//! readers here, so that what is judged is what was followed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    challenge::{Challenge, ChallengeError},
    clients::Agent,
    exchange::{Answer, Exchange, Failure},
    finding::Skip,
    message::{self, Response},
    target::{DiscoveryForm, Target},
    token::Token,
};

/// A question to the server or its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// `initialize` without a token: how most clients begin.
    Initialize,
    /// `server/discover` without a token: how clients of 2026-07-28 begin.
    Discover,
    /// `GET` of the endpoint without a token: how mcp-remote begins.
    Get,
    /// `initialize` with a token that nobody signed.
    ForgedToken,
    /// `initialize` at the same URL with one slash more or less.
    SlashTwin,
    /// `initialize` with the user agent of a client.
    AsAgent(Agent),
    /// The metadata document with the user agent of a client.
    MetadataAsAgent(Agent),

    /// Protected resource metadata where RFC 9728 puts it for this URL.
    MetadataAtPath,
    /// Protected resource metadata at the root of the origin.
    MetadataAtRoot,
    /// Protected resource metadata where the challenge says it is, if that is neither of the two.
    MetadataAsNamed,
    /// Authorization server metadata at the server's own origin.
    Mirror,

    /// `initialize` from a page of the server's own origin.
    FromOwnOrigin,
    /// `initialize` from a page of another origin.
    FromOtherOrigin,
    /// A browser's question before that.
    Preflight,
    /// A browser's question before it reads the metadata document.
    MetadataPreflight,
    /// The metadata document for a page of another origin.
    MetadataFromOtherOrigin,

    /// The provider's metadata.
    Discovery(DiscoveryForm),
    /// The provider's metadata for a page of another origin.
    DiscoveryFromOtherOrigin,
    /// The provider's keys.
    Keys,
    /// A browser's question before it exchanges a code for a token.
    TokenPreflight,

    /// The handshake of 2025-11-25, signed in.
    LegacyInitialize,
    /// The end of the handshake.
    LegacyInitialized,
    /// `tools/list` in that era.
    LegacyTools,
    /// `tools/call` of `whoami` in that era.
    LegacyWhoami,
    /// The `GET` for a stream of the server's own messages.
    LegacyStream,
    /// `server/discover` of 2026-07-28, signed in.
    ModernDiscover,
    /// `tools/list` in that era.
    ModernTools,
    /// `tools/call` of `whoami` in that era.
    ModernWhoami,
}

/// A page that is certainly not on anybody's list (RFC 2606 keeps the name free).
pub const FOREIGN_ORIGIN: &str = "https://mcp-edge-doctor.example";

/// One examination.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was examined.
    pub target: Target,
    /// The page that should be able to call, if the operator named one.
    pub page: Option<String>,
    /// The token that the operator lent.
    pub token: Option<Token>,
    /// When it began, in seconds since 1970.
    pub now: u64,
    /// What was asked, and what came of it.
    pub exchanges: BTreeMap<Probe, Exchange>,
}

impl Record {
    /// An examination that has not begun.
    #[must_use]
    pub fn new(target: Target, now: u64) -> Self {
        Self { target, page: None, token: None, now, exchanges: BTreeMap::new() }
    }

    /// The origin of the page that asks from elsewhere.
    #[must_use]
    pub fn other_origin(&self) -> &str {
        self.page.as_deref().unwrap_or(FOREIGN_ORIGIN)
    }

    /// What came of a question. `None` if it was not asked.
    #[must_use]
    pub fn outcome(&self, probe: Probe) -> Option<&Result<Answer, Failure>> {
        self.exchanges.get(&probe).map(|exchange| &exchange.outcome)
    }

    /// The answer to a question. `None` if it was not asked or not answered.
    #[must_use]
    pub fn answer(&self, probe: Probe) -> Option<&Answer> {
        self.outcome(probe)?.as_ref().ok()
    }

    /// Where a question went; empty if it was not asked.
    #[must_use]
    pub fn url(&self, probe: Probe) -> &str {
        self.exchanges.get(&probe).map_or("", |exchange| exchange.url.as_str())
    }

    /// Whether the endpoint answered at all, and did not send us elsewhere.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.answer(Probe::Initialize).is_some_and(|answer| answer.redirect().is_none())
    }

    /// Whether the endpoint asks for sign-in.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.answer(Probe::Initialize).is_some_and(|answer| answer.status == 401)
    }

    /// Whether it speaks MCP to anybody.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answer(Probe::Initialize).is_some_and(|answer| {
            answer.status == 200
                && matches!(message::response(answer), Some(Response::Result(it)) if it["protocolVersion"].is_string())
        })
    }

    /// The answer of a server that was reached.
    ///
    /// # Errors
    /// [`Skip`] if it was not, or was not asked this.
    pub fn of_server(&self, probe: Probe) -> Result<&Answer, Skip> {
        if !self.is_reached() {
            return Err(Skip::new("the endpoint was not reached"));
        }
        match self.outcome(probe) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(failure)) => Err(Skip::new(format!("{}: {failure}", self.url(probe)))),
            None => Err(Skip::new("it was not asked")),
        }
    }

    /// The challenge of the endpoint, as the first client meets it. `None` if there is no such header.
    #[must_use]
    pub fn challenge(&self) -> Option<Result<Challenge, ChallengeError>> {
        let answer = self.answer(Probe::Initialize).filter(|answer| answer.status == 401)?;
        answer.header("www-authenticate").map(Challenge::parse)
    }

    /// The protected resource metadata that clients use: where the challenge points, else at the path, else the root.
    #[must_use]
    pub fn metadata(&self) -> Option<Map<String, Value>> {
        let named = self.challenge().and_then(Result::ok);
        let named = named.as_ref().and_then(|challenge| challenge.get("resource_metadata"));
        let probes = [Probe::MetadataAsNamed, Probe::MetadataAtPath, Probe::MetadataAtRoot];
        let first = probes.into_iter().find(|probe| named.is_some_and(|url| self.url(*probe) == url));
        first.into_iter().chain(probes).find_map(|probe| document(self.answer(probe)?))
    }

    /// The provider that clients use: the first one of the metadata, else that at the server's own origin.
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        match self.metadata() {
            Some(metadata) => strings(&metadata, "authorization_servers").first().map(|it| (*it).to_owned()),
            None => self.own_provider(),
        }
    }

    /// The provider that a server of 2025-03-26 offers: there was no protected resource metadata then, and the server
    /// was its own authorization server. Clients still look for it where there is no such metadata.
    #[must_use]
    pub fn own_provider(&self) -> Option<String> {
        if self.metadata().is_some() {
            return None;
        }
        string(&document(self.answer(Probe::Mirror)?)?, "issuer").map(str::to_owned)
    }

    /// The provider's metadata that clients use: the first form that answers with a document.
    #[must_use]
    pub fn provider(&self) -> Option<(DiscoveryForm, Map<String, Value>)> {
        DiscoveryForm::ALL.into_iter().find_map(|form| Some((form, document(self.answer(Probe::Discovery(form))?)?)))
    }

    /// The provider's metadata.
    ///
    /// # Errors
    /// [`Skip`] if there is none.
    pub fn of_provider(&self) -> Result<Map<String, Value>, Skip> {
        match self.provider() {
            Some((_, document)) => Ok(document),
            None if self.issuer().is_none() => Err(Skip::new("no provider is named")),
            None => Err(Skip::new("the provider's metadata could not be read")),
        }
    }
}

/// A JSON object that was served whole with 200.
#[must_use]
pub fn document(answer: &Answer) -> Option<Map<String, Value>> {
    if answer.status != 200 || answer.cut.is_some() {
        return None;
    }
    match serde_json::from_str(&answer.body) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A member that is a list of strings; empty if it is missing or something else.
#[must_use]
pub fn strings<'a>(document: &'a Map<String, Value>, name: &str) -> Vec<&'a str> {
    let list = document.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A member that is a non-empty string.
#[must_use]
pub fn string<'a>(document: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
