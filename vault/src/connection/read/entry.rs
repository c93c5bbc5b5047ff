//! One connection in the table: its members, and the errors that name it.

use std::cell::RefCell;

use mcp_edge_runtime::{secret::Secret, settings::Reader};
use mcp_edge_sign_in::client::Client;

use super::json::Json;
use crate::connection::{
    address::Reach,
    settings::{self, Management, RegisteredClient},
};

/// What connections depend on beside their own members.
pub(super) struct Around<'a> {
    /// `RESOURCE`.
    pub(super) resource: &'a str,
    /// `RESOURCE` and `AUDIENCE`: what tokens of the issuer are accepted for here.
    pub(super) audiences: &'a [String],
    /// The vault's client at the provider.
    pub(super) client: &'a Client,
    /// `None`: not set, or no connection needs it.
    pub(super) management: Option<Management>,
}

/// An entry of the table while it is read. Members that nobody has asked for are unknown.
pub(super) struct Entry<'a, 'r> {
    name: &'a str,
    members: &'a [(String, Json)],
    known: RefCell<Vec<&'static str>>,
    reader: RefCell<&'a mut Reader<'r>>,
    pub(super) reach: Reach,
}

impl<'a, 'r> Entry<'a, 'r> {
    pub(super) fn new(name: &'a str, members: &'a [(String, Json)], reader: &'a mut Reader<'r>, reach: Reach) -> Self {
        Self { name, members, known: RefCell::default(), reader: RefCell::new(reader), reach }
    }

    /// Collects an error of this connection: `problem` is the rest of a sentence that begins with its name.
    pub(super) fn error(&self, problem: &str) {
        self.reader.borrow_mut().error(["CONNECTIONS.", self.name, ": ", problem].concat());
    }

    /// Collects the error that a member is wrong.
    pub(super) fn wrong(&self, member: &str, value: &str, problem: &str) {
        self.error(&format!("{member} = {value:?} {problem}"));
    }

    /// A member that is text. White space around it does not count; empty, it is not set.
    pub(super) fn text(&self, member: &'static str) -> Option<String> {
        let value = self.member(member)?;
        let Json::Text(text) = value else {
            self.error(&[member, " must be a string"].concat());
            return None;
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The same, which must be set; `example` says to what.
    pub(super) fn required(&self, member: &'static str, example: &str) -> String {
        self.text(member).unwrap_or_else(|| {
            if !matches!(self.member(member), Some(Json::Other | Json::Object(_))) {
                self.error(&[member, " is not set: ", example].concat());
            }
            String::new()
        })
    }

    /// A member that is a table of strings.
    pub(super) fn pairs(&self, member: &'static str) -> Vec<(String, String)> {
        let pairs = match self.member(member) {
            None => Some(Vec::new()),
            Some(Json::Object(pairs)) => pairs
                .iter()
                .map(|(name, value)| match value {
                    Json::Text(value) => Some((name.clone(), value.clone())),
                    _ => None,
                })
                .collect(),
            Some(_) => None,
        };
        pairs.unwrap_or_else(|| {
            self.error(&[member, " must be a table of strings"].concat());
            Vec::new()
        })
    }

    /// The URL of an endpoint.
    pub(super) fn endpoint(&self, member: &'static str) -> Option<String> {
        let url = self.text(member)?;
        if let Err(problem) = self.reach.check_endpoint(&url) {
            self.wrong(member, &url, problem);
        }
        Some(url)
    }

    /// A URL without query, as it is normalized.
    pub(super) fn base(&self, member: &'static str) -> Option<String> {
        let url = self.text(member)?;
        if let Err(problem) = self.reach.check_base(&url) {
            self.wrong(member, &url, &problem);
        }
        Some(url)
    }

    /// An absolute URI without fragment that nobody is asked at (RFC 8707 §2).
    pub(super) fn identifier(&self, member: &'static str) -> Option<String> {
        let uri = self.text(member)?;
        let is_absolute = uri.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
                && !rest.is_empty()
        });
        if !is_absolute || uri.contains('#') || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.wrong(member, &uri, "must be an absolute URI without fragment, such as https://api.example.com");
        }
        Some(uri)
    }

    /// The name of the secret that belongs to this connection.
    pub(super) fn secret_name(&self) -> String {
        settings::secret_name(self.name)
    }

    /// The secret that belongs to this connection.
    pub(super) fn secret(&self) -> Option<Secret> {
        self.reader.borrow().secret(&self.secret_name())
    }

    /// `client_id` and the secret, which may be missing (`None`: so is the id).
    pub(super) fn client(&self) -> Option<RegisteredClient> {
        let (client_id, client_secret) = (self.text("client_id"), self.secret());
        if client_id.is_none() && client_secret.is_some() {
            let name = self.secret_name();
            self.error(&format!("{name} is set without client_id: set both, or delete it"));
        }
        client_id.map(|client_id| RegisteredClient { client_id, client_secret })
    }

    /// The same of a client that must be confidential.
    pub(super) fn confidential_client(&self) -> Option<RegisteredClient> {
        let client = self.client();
        if client.as_ref().is_some_and(|client| client.client_secret.is_none()) {
            let name = self.secret_name();
            self.error(&format!("client_id needs its secret: set it with `wrangler secret put {name}`"));
        }
        client
    }

    /// Reports members that are unknown to this kind or occur twice.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (at, (member, _)) in self.members.iter().enumerate() {
            if self.members[..at].iter().any(|(other, _)| other == member) {
                self.error(&format!("{member:?} is set twice"));
            } else if !known.contains(&member.as_str()) {
                self.error(&format!("{member:?} is no member of this kind: it has {}", known.join(", ")));
            }
        }
    }

    fn member(&self, member: &'static str) -> Option<&'a Json> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&member) {
            known.push(member);
        }
        self.members.iter().find(|(name, _)| name == member).map(|(_, value)| value)
    }
}
