//! Lists in settings: clients, and what a scope grants.

/// Clients: their ids, or the hosts of ids that are URLs (client ID metadata documents).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientList(Vec<String>);

impl ClientList {
    /// Reads a list, separated by spaces.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list has this client, by its id or its host.
    #[must_use]
    pub fn contains(&self, client_id: &str) -> bool {
        let host = host(client_id).map(str::to_ascii_lowercase);
        self.0.iter().any(|entry| entry == client_id || host.as_ref() == Some(&entry.to_ascii_lowercase()))
    }
}

/// The host of a client id that is a URL, with its port. None can be trusted that has user information before it.
fn host(client_id: &str) -> Option<&str> {
    let rest = client_id.strip_prefix("https://")?;
    let host = &rest[..rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len())];
    (!host.is_empty() && !host.contains('@')).then_some(host)
}

/// Whether a word is a scope (RFC 6749 §3.3): visible ASCII without quotes and backslashes.
#[must_use]
pub fn is_scope(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

/// What scopes grant: other scopes (`SCOPE_HIERARCHY`), or claims (`CLAIM_SCOPES`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<(String, Vec<String>)>);

impl Grants {
    /// Reads entries `scope=name,name`, separated by spaces, with names for which `is_name` holds.
    ///
    /// # Errors
    /// The first entry of another form.
    pub fn parse(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Self, String> {
        let read = |entry: &str| {
            let (scope, names) = entry.split_once('=')?;
            let names: Vec<_> = names.split(',').map(str::to_owned).collect();
            (is_scope(scope) && names.iter().all(|name| is_name(name))).then(|| (scope.to_owned(), names))
        };
        let entries: Result<Vec<_>, String> =
            text.split_ascii_whitespace().map(|entry| read(entry).ok_or_else(|| entry.to_owned())).collect();
        entries.map(Self)
    }

    /// What a scope grants.
    pub fn of<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a str> {
        let entries = self.0.iter().filter(move |(granting, _)| granting == scope);
        entries.flat_map(|(_, names)| names.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_that_of_every_parser() {
        let list = ClientList::parse("Agents.example client_1");
        for listed in ["https://agents.EXAMPLE/c.json", "https://agents.example?x", "client_1", "Agents.example"] {
            assert!(list.contains(listed), "{listed}");
        }
        for other in [
            "CLIENT_1",
            "https://evil.example\\@agents.example/",
            "https://agents.example@evil.example/",
            "https://x@agents.example/",
            "https://agents.example:8443/",
            "http://agents.example/",
        ] {
            assert!(!list.contains(other), "{other}");
        }
        assert!(ClientList::parse("agents.example").contains("https://agents.example\\x"));
    }
}
