//! What a handler needs of an account at another service.

/// A connection that a handler needs. What it is, the vault's setting `CONNECTIONS` says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredConnection {
    /// Its name.
    pub name: String,
    /// The scopes that are needed of it, as the service calls them.
    pub scopes: Vec<String>,
}

/// What is wrong with the connections of a primitive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg(feature = "connections")]
pub(crate) enum WrongConnection {
    Name(String),
    Scope(String),
    Twice(String),
}
