//! Lists in settings: clients, and what a scope grants.

/// Clients: their ids, or the hosts of ids that are URLs (client ID metadata documents).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientList(Vec<String>);

impl ClientList {
    /// Reads a list, separated by spaces.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list has this client, by its id or its host.
    #[must_use]
    pub fn contains(&self, client_id: &str) -> bool {
        let host =
            client_id.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        self.0.iter().any(|entry| entry == client_id || host == Some(entry))
    }
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
    /// Reads entries `scope=name,name`, separated by spaces.
    ///
    /// # Errors
    /// The first entry of another form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = |entry: &str| {
            let (scope, names) = entry.split_once('=')?;
            let names: Vec<_> = names.split(',').map(str::to_owned).collect();
            (!scope.is_empty() && names.iter().all(|name| !name.is_empty())).then(|| (scope.to_owned(), names))
        };
        let entries: Result<Vec<_>, String> =
            text.split_whitespace().map(|entry| read(entry).ok_or_else(|| entry.to_owned())).collect();
        entries.map(Self)
    }

    /// What a scope grants.
    pub fn of<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a str> {
        let entries = self.0.iter().filter(move |(granting, _)| granting == scope);
        entries.flat_map(|(_, names)| names.iter().map(String::as_str))
    }
}
