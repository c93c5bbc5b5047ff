//! Who asks for access to a connected account, as users see it: by what was verified, never by what a program says of itself.

use std::collections::BTreeMap;

use mcp_edge_connections::port::UserOfToken;
use mcp_edge_runtime::uri::{is_endpoint_url, origin};
use mcp_edge_sign_in::html::Html;

use crate::{connection::caller::Agent, requested_key::is_invisible};

/// The names of access keys, by their ids.
#[derive(Debug, Default)]
pub struct KeyNames(pub BTreeMap<String, String>);

/// An agent as a page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentName {
    /// What it is called in a sentence.
    pub name: String,
    /// What tells it from others, in full, if that is more than its name.
    pub id: Option<String>,
}

impl KeyNames {
    /// The name of an agent: the host of a client whose id is an https URL (a client id metadata document), any
    /// other as the one with its id, a key by its name.
    #[must_use]
    pub fn of(&self, agent: &Agent) -> AgentName {
        match agent {
            Agent::Client(id) => match host_of(id) {
                Some(host) => AgentName { name: host.to_owned(), id: Some(id.clone()) },
                None => AgentName { name: ["the agent with the id ", &visible(id)].concat(), id: None },
            },
            Agent::AccessKey(id) => match self.0.get(id) {
                Some(name) => AgentName { name: format!("your access key “{name}”"), id: Some(id.clone()) },
                None => AgentName { name: format!("the access key {id}"), id: None },
            },
            Agent::PersonalToken => {
                AgentName { name: "a job with a personal access token of yours".to_owned(), id: None }
            }
            Agent::Unnamed => AgentName { name: "a program that your provider does not name".to_owned(), id: None },
        }
    }
}

/// The host of a client id that is an https URL; `None` for one that readers and browsers could read differently.
fn host_of(client_id: &str) -> Option<&str> {
    let host = origin(client_id)?.strip_prefix("https://")?;
    is_endpoint_url(client_id).then_some(host)
}

/// A text in which nothing is that cannot be seen.
fn visible(text: &str) -> String {
    text.chars().map(|it| if is_invisible(it) { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

/// What needs an account, as it is named in a request for a token.
pub(super) fn user_of_token(html: &mut Html, name: &str) {
    let (kind, name) = match UserOfToken::parse(name) {
        UserOfToken::Gateway => {
            html.raw("the server that this one passes requests on to");
            return;
        }
        UserOfToken::Tool(name) => ("the tool <code>", name),
        UserOfToken::Prompt(name) => ("the prompt <code>", name),
        UserOfToken::Resource(name) => ("the resource <code>", name),
    };
    html.raw(kind).text(name).raw("</code>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_by_its_host_only_if_its_id_is_a_url_that_everybody_reads_alike() {
        let names = KeyNames::default();
        let name = |id: &str| names.of(&Agent::Client(id.to_owned()));
        let url = "https://claude.ai/oauth/client.json";
        assert_eq!(name(url), AgentName { name: "claude.ai".to_owned(), id: Some(url.to_owned()) });
        for id in [
            "x1y2",
            "http://claude.ai/client",
            "https://claude.ai@evil.example/",
            "https:///x",
            "https://",
            "claude.ai",
        ] {
            let expected = format!("the agent with the id {id}");
            assert_eq!(name(id), AgentName { name: expected, id: None });
        }
    }

    #[test]
    fn what_needs_an_account_is_called_what_it_is() {
        for (name, text) in [
            ("list_<issues>", "the tool <code>list_&lt;issues&gt;</code>"),
            ("gateway", "the tool <code>gateway</code>"),
            ("prompt:review", "the prompt <code>review</code>"),
            ("resource:all", "the resource <code>all</code>"),
            ("gateway:", "the server that this one passes requests on to"),
        ] {
            let mut html = Html::default();
            user_of_token(&mut html, name);
            assert_eq!(html.into_string(), text, "{name}");
        }
    }

    #[test]
    fn an_id_hides_nothing() {
        let name = KeyNames::default().of(&Agent::Client("https://claude.ai/\u{202e}x".to_owned()));
        assert_eq!(name, AgentName { name: "the agent with the id https://claude.ai/\u{fffd}x".to_owned(), id: None });
    }

    #[test]
    fn a_key_is_named_as_its_user_named_it() {
        let key = Agent::AccessKey("0123".to_owned());
        let names = KeyNames(BTreeMap::from([("0123".to_owned(), "Nightly".to_owned())]));
        assert_eq!(names.of(&key).name, "your access key “Nightly”");
        assert_eq!(KeyNames::default().of(&key).name, "the access key 0123");
    }
}
