//! The exchanges of one examination, and the documents found in them.
//!
//! [`crate::examine`] fills a record and [`crate::checks`] evaluate it. Both read the server's documents through the
//! functions here, so that checks and examination agree about them.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::{Map, Value};

use crate::{
    challenge::{Challenge, ChallengeError},
    gateway::{authorization::Authorization, settings::GatewaySettings},
    http::{Exchange, HttpResponse, TransportError},
    mcp::{self, Era, List, RpcResponse},
    outcome::Skip,
    pages::Pages,
    probe::{Probe, UNLISTED_ORIGIN},
    target::{DiscoveryForm, Target},
    token::Token,
};

/// The upstream of a gateway: the server to which it passes messages on.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The operator's credentials for it.
    pub authorization: Option<Authorization>,
    /// The gateway's settings.
    pub settings: Option<GatewaySettings>,
    /// What was exchanged with the upstream itself, under the names that such requests to any server have.
    pub direct: Record,
}

impl Upstream {
    /// Creates an upstream without exchanges.
    #[must_use]
    pub fn new(
        target: Target,
        authorization: Option<Authorization>,
        settings: Option<GatewaySettings>,
        now: u64,
    ) -> Self {
        Self { authorization, settings, direct: Record::new(target, now) }
    }

    /// Whether it answers the first request of an era without credentials.
    #[must_use]
    pub fn is_open(&self) -> bool {
        [Probe::Initialize, Probe::Discover].into_iter().any(|probe| self.direct.rpc_result(probe).is_some())
    }

    /// Whether it responds at all.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        [Probe::Initialize, Probe::Discover].into_iter().any(|probe| self.direct.response(probe).is_some())
    }

    /// The `aud` of assertions for it: `UPSTREAM_AUDIENCE`, else its URL.
    #[must_use]
    pub fn audience(&self) -> &str {
        let named = self.settings.as_ref().and_then(|settings| settings.audience.as_deref());
        named.unwrap_or_else(|| self.direct.target.as_str())
    }
}

/// The exchanges of one examination.
#[derive(Debug, Clone)]
pub struct Record {
    /// The examined endpoint.
    pub target: Target,
    /// The origin of `--origin`: a page that must be able to call the server.
    pub required_origin: Option<String>,
    /// The operator's token.
    pub token: Option<Token>,
    /// The upstream, if the examined server is a gateway.
    pub upstream: Option<Box<Upstream>>,
    /// Whether the server is to be listed in directories (`--directories`).
    pub directories: bool,
    /// The start of the examination, in seconds since 1970.
    pub now: u64,
    /// Every request that was sent, with its result.
    pub exchanges: BTreeMap<Probe, Exchange>,
    /// What [`Self::pages`] has read.
    lists: OnceLock<BTreeMap<(Era, List), Pages>>,
}

impl Record {
    /// Creates a record without exchanges.
    #[must_use]
    pub fn new(target: Target, now: u64) -> Self {
        let (exchanges, lists) = (BTreeMap::new(), OnceLock::new());
        Self { target, required_origin: None, token: None, upstream: None, directories: false, now, exchanges, lists }
    }

    /// The origin of the cross-origin probes.
    #[must_use]
    pub fn other_origin(&self) -> &str {
        self.required_origin.as_deref().unwrap_or(UNLISTED_ORIGIN)
    }

    /// The result of a probe. `None` if it was not sent.
    #[must_use]
    pub fn result(&self, probe: Probe) -> Option<&Result<HttpResponse, TransportError>> {
        self.exchanges.get(&probe).map(|exchange| &exchange.result)
    }

    /// The response to a probe. `None` if it was not sent or got no response.
    #[must_use]
    pub fn response(&self, probe: Probe) -> Option<&HttpResponse> {
        self.result(probe)?.as_ref().ok()
    }

    /// The URL of a probe. Empty if it was not sent.
    #[must_use]
    pub fn url(&self, probe: Probe) -> &str {
        self.exchanges.get(&probe).map_or("", |exchange| exchange.url.as_str())
    }

    /// Whether the endpoint responded, and not with a redirect.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.response(Probe::Initialize).is_some_and(|response| response.redirect().is_none())
    }

    /// Whether the endpoint requires sign-in.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.response(Probe::Initialize).is_some_and(|response| response.status == 401)
    }

    /// Whether the endpoint accepts MCP requests without a token.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.response(Probe::Initialize).is_some_and(|response| {
            response.status == 200
                && matches!(mcp::rpc_response(response), Some(RpcResponse::Result(it)) if it["protocolVersion"].is_string())
        })
    }

    /// The result of the first request of an era: `initialize`, or `server/discover`. `None` if there is none.
    #[must_use]
    pub fn handshake(&self, era: Era) -> Option<Value> {
        let probe = match era {
            Era::Legacy => Probe::LegacyInitialize,
            Era::Modern => Probe::ModernDiscover,
        };
        self.rpc_result(probe)
    }

    /// The JSON-RPC result in a successful response. `None` if there is none.
    #[must_use]
    pub fn rpc_result(&self, probe: Probe) -> Option<Value> {
        match mcp::rpc_response(self.response(probe).filter(|response| response.is_success())?)? {
            RpcResponse::Result(result) => Some(result),
            RpcResponse::Error(..) => None,
        }
    }

    /// Whether the server announces a list among its capabilities in an era.
    #[must_use]
    pub fn announces(&self, era: Era, list: List) -> bool {
        self.handshake(era).is_some_and(|result| result["capabilities"][list.capability()].is_object())
    }

    /// The pages of a list in an era. `None` if there is no list.
    ///
    /// The first call reads all lists, because many checks look at them. Nothing may be recorded afterwards.
    #[must_use]
    pub fn pages(&self, era: Era, list: List) -> Option<&Pages> {
        let read = || {
            let all = Era::ALL.into_iter().flat_map(|era| List::ALL.map(|list| (era, list)));
            all.filter_map(|(era, list)| Some(((era, list), Pages::of(&self.exchanges, era, list)?))).collect()
        };
        self.lists.get_or_init(read).get(&(era, list))
    }

    /// The response of the server to a probe.
    ///
    /// # Errors
    /// [`Skip`] if the endpoint was not reached, or if there is no response to this probe.
    pub fn require_response(&self, probe: Probe) -> Result<&HttpResponse, Skip> {
        if !self.is_reached() {
            return Err(Skip::new("the endpoint was not reached"));
        }
        match self.result(probe) {
            Some(Ok(response)) => Ok(response),
            Some(Err(error)) => Err(Skip::new(format!("{}: {error}", self.url(probe)))),
            None => Err(Skip::new("the request was not sent, because an earlier one failed")),
        }
    }

    /// The challenge of the endpoint. `None` if the first response has no `WWW-Authenticate` header or is not a 401.
    #[must_use]
    pub fn challenge(&self) -> Option<Result<Challenge, ChallengeError>> {
        let response = self.response(Probe::Initialize).filter(|response| response.status == 401)?;
        response.header("www-authenticate").map(Challenge::parse)
    }

    /// The protected resource metadata that clients use: at the URL in the challenge, else at the path, else at the
    /// root.
    #[must_use]
    pub fn resource_metadata(&self) -> Option<Map<String, Value>> {
        let challenge = self.challenge().and_then(Result::ok);
        let named = challenge.as_ref().and_then(|challenge| challenge.get("resource_metadata"));
        let probes = [Probe::MetadataInChallenge, Probe::MetadataAtPath, Probe::MetadataAtRoot];
        let first = probes.into_iter().find(|probe| named.is_some_and(|url| self.url(*probe) == url));
        first.into_iter().chain(probes).find_map(|probe| document(self.response(probe)?))
    }

    /// The issuer that clients use: the first one in the metadata, else [`Self::same_origin_issuer`].
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        match self.resource_metadata() {
            Some(metadata) => strings(&metadata, "authorization_servers").first().map(|it| (*it).to_owned()),
            None => self.same_origin_issuer(),
        }
    }

    /// The issuer in the authorization server metadata at the server's own origin.
    ///
    /// MCP 2025-03-26 had no protected resource metadata: the server was its own authorization server. Clients still
    /// look there if a server has no protected resource metadata.
    #[must_use]
    pub fn same_origin_issuer(&self) -> Option<String> {
        if self.resource_metadata().is_some() {
            return None;
        }
        string(&document(self.response(Probe::Mirror)?)?, "issuer").map(str::to_owned)
    }

    /// The issuer that clients use.
    ///
    /// # Errors
    /// [`Skip`] if there is none.
    pub fn require_issuer(&self) -> Result<String, Skip> {
        if !self.is_reached() {
            return Err(Skip::new("the endpoint was not reached"));
        }
        self.issuer().ok_or_else(|| Skip::new("the provider is not known (see authorization_servers)"))
    }

    /// The provider's metadata that clients use, with the form of the URL at which it was found first.
    #[must_use]
    pub fn provider_metadata(&self) -> Option<(DiscoveryForm, Map<String, Value>)> {
        DiscoveryForm::ALL.into_iter().find_map(|form| Some((form, document(self.response(Probe::Discovery(form))?)?)))
    }

    /// The provider's metadata.
    ///
    /// # Errors
    /// [`Skip`] if no provider is known, or if its metadata could not be read.
    pub fn require_provider_metadata(&self) -> Result<Map<String, Value>, Skip> {
        self.require_issuer()?;
        let metadata = self.provider_metadata().map(|(_, document)| document);
        metadata.ok_or_else(|| Skip::new("the provider's metadata could not be read (see discovery)"))
    }
}

/// The JSON object in a complete 200 response.
#[must_use]
pub fn document(response: &HttpResponse) -> Option<Map<String, Value>> {
    if response.status != 200 || response.truncated.is_some() {
        return None;
    }
    match serde_json::from_str(response.text()) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// The strings in an array member. Empty if the member is missing or not an array.
#[must_use]
pub fn strings<'a>(document: &'a Map<String, Value>, name: &str) -> Vec<&'a str> {
    let array = document.get(name).and_then(Value::as_array);
    array.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a tool needs an account of another service, as mcp-edge says it in lists.
#[must_use]
pub fn needs_connection(tool: &Value) -> bool {
    tool["_meta"]["mcp-edge/connections"].as_array().is_some_and(|connections| !connections.is_empty())
}

/// A member that is a non-empty string.
#[must_use]
pub fn string<'a>(document: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
