//! One token, judged by both.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    rc::Rc,
};

use mcp_edge_doctor::{
    explain::{
        evaluate::{Question, explain},
        explanation::Verdict,
        keys::fetch::{Keys, keys_of},
        settings::{sources::Sources, values::Values},
    },
    http::{HttpClient, HttpRequest, HttpResponse, TransportError},
    token::Token,
};
use mcp_edge_identity::Party;
use mcp_edge_oauth::{
    resource_server::{ResourceServer, TrustPolicy},
    settings::ResourceServerSettings,
};
use mcp_edge_runtime::settings::Reader;
use serde_json::{Value, json};

use crate::support::{
    tokens::send,
    world::{Answer, START, World},
};

/// What there is besides a token: settings, the provider's documents, and the time.
#[derive(Clone)]
pub struct Scene {
    pub settings: BTreeMap<String, String>,
    /// By URL.
    pub documents: BTreeMap<String, String>,
    pub now: u64,
    /// Whether signatures are taken for good, here and there: thousands of them cost nothing then.
    pub ignores_signatures: bool,
}

/// What becomes of a token: the reason of the denial, or who it stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Refused(String),
    Accepted(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => formatter.write_str(reason),
            Self::Accepted(identity) => write!(formatter, "accepted: {identity}"),
        }
    }
}

impl Scene {
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { settings, documents: BTreeMap::new(), now: START, ignores_signatures: false }
    }

    pub fn with(mut self, settings: &[(&str, &str)]) -> Self {
        self.settings.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Publishes keys at the issuer.
    pub fn publish(&mut self, issuer: &str, keys: &[Value]) {
        let place = issuer.trim_end_matches('/');
        let jwks = format!("{place}/jwks");
        let discovery = json!({ "issuer": issuer, "jwks_uri": jwks });
        self.documents.insert(format!("{place}/.well-known/openid-configuration"), discovery.to_string());
        self.documents.insert(jwks, json!({ "keys": keys }).to_string());
    }

    /// The settings as the library reads them.
    pub fn policy(&self) -> Result<Rc<TrustPolicy>, Vec<String>> {
        let get = |name: &str| self.settings.get(name).cloned();
        let mut reader = Reader::new(&get);
        let settings = ResourceServerSettings::read(&mut reader);
        reader.finish(settings).map(|settings| settings.trust).map_err(|error| error.0)
    }

    /// The settings as `explain` has them.
    pub fn values(&self) -> Values {
        let set = self.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Sources { environment: set, ..Sources::default() }.read().expect("no file is read")
    }

    /// What the library makes of the token.
    pub fn of_library(&self, token: &str) -> Outcome {
        let world = if self.ignores_signatures { World::with_pretend_signatures() } else { World::new() };
        world.advance_to(self.now);
        for (url, body) in &self.documents {
            world.answer(url, Answer::Reply(200, body.clone()));
        }
        let Ok(policy) = self.policy() else { return Outcome::Refused("misconfigured".to_owned()) };
        match send(&world, &ResourceServer::new(policy), token) {
            Err(denial) => Outcome::Refused(denial.reason().slug().to_owned()),
            Ok(identity) => {
                let mut scopes: Vec<_> = identity.scopes().to_string().split(' ').map(str::to_owned).collect();
                scopes.retain(|scope| !scope.is_empty());
                scopes.sort();
                let mut disclosed: Vec<_> = identity.claims().keys().cloned().collect();
                disclosed.sort();
                Outcome::Accepted(
                    json!({
                        "issuer": identity.issuer(), "sub": identity.subject(),
                        "kind": format!("{:?}", identity.kind()).to_lowercase(),
                        "client": identity.client_id(), "first": identity.party() == Party::First, "scopes": scopes,
                        "organization": identity.organization_id(), "disclosed": disclosed,
                    })
                    .to_string(),
                )
            }
        }
    }

    /// What `explain` makes of it.
    pub fn of_explain(&self, token: &str) -> Outcome {
        let Ok(token) = Token::new(token) else { return Outcome::Refused("malformed_authorization".to_owned()) };
        let values = self.values();
        let keys = |issuer: &_| if self.ignores_signatures { Keys::Offline } else { keys_of(issuer, self) };
        let question = Question { token: &token, values: &values, tool_scopes: &[], now: self.now, keys: &keys };
        let explanation = explain(&question);
        match explanation.verdict() {
            Verdict::Refused(reason) => {
                let step = explanation.refusal().expect("a step refused it");
                assert!(!step.fix.is_empty() && !step.observed.is_empty(), "{step:?}");
                Outcome::Refused(reason.to_owned())
            }
            Verdict::Undecided(reason) if !self.ignores_signatures => {
                Outcome::Refused(reason.unwrap_or("undecided").to_owned())
            }
            Verdict::Accepted | Verdict::Undecided(_) => {
                let caller = explanation.caller.expect("an accepted token has a caller");
                Outcome::Accepted(
                    json!({
                        "issuer": caller.issuer, "sub": caller.subject, "kind": caller.kind.slug(),
                        "client": caller.client.map(|(id, _)| id), "first": caller.is_first_party,
                        "scopes": caller.scopes, "organization": caller.organization, "disclosed": caller.disclosed,
                    })
                    .to_string(),
                )
            }
        }
    }
}

impl HttpClient for Scene {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        assert!(request.headers.is_empty() && request.body.is_none(), "a request for keys has nothing but its URL");
        let (status, body) = self.documents.get(&request.url).map_or((404, String::new()), |body| (200, body.clone()));
        Ok(HttpResponse { status, headers: Vec::new(), body, truncated: None })
    }
}

/// Compares the two on many tokens, and fails with all disagreements at the end.
#[derive(Default)]
pub struct Comparison {
    pub accepted: usize,
    pub refused: BTreeMap<String, usize>,
    disagreements: BTreeMap<(Outcome, Outcome), Vec<String>>,
}

impl Comparison {
    /// Compares the two on one token. Returns what both say, or what the library says.
    pub fn compare(&mut self, scene: &Scene, token: &str, name: impl Fn() -> String) -> Outcome {
        let (library, explain) = (scene.of_library(token), scene.of_explain(token));
        match &library {
            Outcome::Accepted(_) => self.accepted += 1,
            Outcome::Refused(reason) => *self.refused.entry(reason.clone()).or_default() += 1,
        }
        if library != explain {
            self.disagreements.entry((library.clone(), explain)).or_default().push(name());
        }
        library
    }

    /// How many tokens were compared.
    pub fn count(&self) -> usize {
        self.accepted + self.refused.values().sum::<usize>()
    }

    /// Fails if there is a disagreement.
    pub fn finish(self) {
        let mut text = String::new();
        for ((library, explain), names) in &self.disagreements {
            let _ = write!(text, "\nlibrary: {library}\nexplain: {explain}\n  {} tokens: ", names.len());
            text += &names.iter().take(4).cloned().collect::<Vec<_>>().join("\n    ");
        }
        assert!(text.is_empty(), "{} disagreements:{text}", self.disagreements.len());
    }
}
