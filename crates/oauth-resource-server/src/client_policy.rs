//! Client policy: which clients are accepted, and which are the operator's own.
//!
//! A client id is an opaque string, or an https URL (client id metadata documents), in which case its host says who
//! is responsible for it. Lists may therefore name ids, or hosts for clients of the second kind. Hosts are compared exactly:
//! `example.com` does not include `agents.example.com`.

use crate::denial::Denial;
use mcp_edge_identity::Party;
use mcp_edge_runtime::settings::words;

/// A list of client ids and of hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientList(Vec<String>);

impl ClientList {
    /// Splits on spaces.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        Self(words(list))
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list names the client by its id or, for an id that is an https URL, by its host.
    #[must_use]
    pub fn contains(&self, client_id: &str) -> bool {
        let host = host_of(client_id);
        self.0.iter().any(|entry| entry == client_id || host.is_some_and(|host| host.eq_ignore_ascii_case(entry)))
    }
}

/// The host (with its port, if any) of a client id that is an https URL. A URL with user information has no host that
/// can be trusted.
fn host_of(client_id: &str) -> Option<&str> {
    let authority = client_id.strip_prefix("https://")?.split(['/', '?', '#', '\\']).next()?;
    if authority.is_empty() || authority.contains('@') { None } else { Some(authority) }
}

/// The operator's policy on clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientPolicy {
    /// If not empty, all others are rejected.
    pub allowed: ClientList,
    /// Always rejected.
    pub denied: ClientList,
    /// The operator's own software.
    pub first_party: ClientList,
}

impl ClientPolicy {
    /// Checks that the client is accepted. A token that names no client passes only if there is no list to check it against.
    ///
    /// # Errors
    /// [`Denial::ClientDenied`], [`Denial::ClientNotAllowed`].
    pub fn check(&self, client_id: Option<&str>) -> Result<(), Denial> {
        match client_id {
            Some(client) if self.denied.contains(client) => Err(Denial::ClientDenied),
            Some(client) if self.allowed.is_empty() || self.allowed.contains(client) => Ok(()),
            None if self.allowed.is_empty() && self.denied.is_empty() => Ok(()),
            _ => Err(Denial::ClientNotAllowed),
        }
    }

    /// Whose software the client is; third-party unless listed.
    #[must_use]
    pub fn party(&self, client_id: Option<&str>) -> Party {
        match client_id {
            Some(client) if self.first_party.contains(client) => Party::First,
            _ => Party::Third,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::Reason;

    #[test]
    fn clients_are_named_by_id_or_by_the_host_of_their_url() {
        let list = ClientList::parse("agent-1 agents.example");
        assert!(list.contains("agent-1"));
        assert!(list.contains("https://agents.example/client.json"));
        assert!(list.contains("https://AGENTS.example"));
        for other in [
            "agent-10",
            "https://agents.example.evil/client.json",
            "https://evil.example/agents.example",
            "https://agents.example@evil.example/",
            "https://evil.example\\@agents.example/",
            "https://sub.agents.example/",
            "http://agents.example/",
            "https://agents.example:8443/",
            "",
        ] {
            assert!(!list.contains(other), "{other}");
        }
    }

    #[test]
    fn a_url_with_user_information_is_of_no_host() {
        // Not even of what would be its host by a careless comparison.
        let list = ClientList::parse("user@agents.example agents.example");
        assert!(!list.contains("https://user@agents.example/client.json"));
        assert!(!list.contains("https:///client.json"));
    }

    fn check(policy: &ClientPolicy, client_id: Option<&str>) -> Result<(), Reason> {
        policy.check(client_id).map_err(|denial| denial.reason())
    }

    #[test]
    fn denial_wins_and_an_allow_list_is_exclusive() {
        let policy = ClientPolicy {
            allowed: ClientList::parse("a b"),
            denied: ClientList::parse("b"),
            first_party: ClientList::parse("a"),
        };
        assert_eq!(check(&policy, Some("a")), Ok(()));
        assert_eq!(check(&policy, Some("b")), Err(Reason::ClientDenied));
        assert_eq!(check(&policy, Some("c")), Err(Reason::ClientNotAllowed));
        assert_eq!(check(&policy, None), Err(Reason::ClientNotAllowed));
        assert_eq!(check(&ClientPolicy::default(), None), Ok(()));
        assert_eq!((policy.party(Some("a")), policy.party(Some("b"))), (Party::First, Party::Third));
        assert_eq!(policy.party(None), Party::Third);
    }
}
