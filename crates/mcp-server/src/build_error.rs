//! Errors of a program that no client should meet, and the checks that find them when a server is built.

use std::collections::BinaryHeap;

use mcp_edge_identity::is_scope_token;

#[cfg(feature = "connections")]
use crate::primitives::required::WrongConnection;
use crate::{
    limits::NAME_LENGTH,
    primitives::{icon::Icon, listing::Listing, prompt::PromptArgumentError, resource::Cache, template::TemplateError},
    schema::SchemaError,
};

/// Why a server cannot be built. Each is an error in the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A name that clients may refuse.
    #[error(
        "{kind} name {name:?} is not 1 to {NAME_LENGTH} characters of A-Z a-z 0-9 _ -, of which that of a tool begins with a letter or _"
    )]
    Name {
        /// `tool` or `prompt`.
        kind: &'static str,
        /// As given.
        name: String,
    },
    /// Two items that clients could not tell apart.
    #[error("there are two {kind}s called {name:?}")]
    Duplicate {
        /// `tool`, `resource`, `resource template`, `prompt`, `scope` or `connection`.
        kind: &'static str,
        /// Name or URI.
        name: String,
    },
    /// Not a URI: no scheme, or characters that must be escaped.
    #[error("{0:?} is not an absolute URI")]
    Uri(String),
    /// A scope name that no token can contain (RFC 6749 §3.3).
    #[error("{0:?} is not a scope name")]
    ScopeName(String),
    /// An item requires a scope that is not declared, so users would consent to something without a description.
    #[error("{item:?} requires the scope {scope:?}, which is not declared")]
    UndeclaredScope {
        /// Name or URI.
        item: String,
        /// The scope.
        scope: String,
    },
    /// A schema of a tool.
    #[error("the schema of tool {tool:?}: {error}")]
    Schema {
        /// Its name.
        tool: String,
        /// What is wrong.
        #[source]
        error: SchemaError,
    },
    /// A URI template.
    #[error("the template {template:?}: {error}")]
    Template {
        /// As given.
        template: String,
        /// What is wrong.
        #[source]
        error: TemplateError,
    },
    /// The arguments of a prompt.
    #[error("the prompt {prompt:?}: {error}")]
    PromptArgument {
        /// Its name.
        prompt: String,
        /// What is wrong.
        #[source]
        error: PromptArgumentError,
    },
    /// An icon that clients will not fetch.
    #[error("icon {0:?} is neither an https: nor a data: URI")]
    Icon(String),
    /// Not the name of a connection: a lower-case letter, then up to 31 lower-case letters, digits and `-`.
    #[cfg(feature = "connections")]
    #[error("{0:?} is not the name of a connection")]
    ConnectionName(String),
    /// A resource that not everybody may read, or that is read with an account of the reader's, but that caches may give to
    /// anybody.
    #[error("{0:?} requires something of its readers and yet lets shared caches keep it")]
    PublicCache(String),
    /// Pages without items never end.
    #[error("the page size is 0")]
    PageSize,
}

#[cfg(not(feature = "connections"))]
impl From<std::convert::Infallible> for BuildError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(feature = "connections")]
impl From<WrongConnection> for BuildError {
    fn from(wrong: WrongConnection) -> Self {
        match wrong {
            WrongConnection::Name(name) => Self::ConnectionName(name),
            WrongConnection::Scope(scope) => Self::ScopeName(scope),
            WrongConnection::Twice(name) => Self::Duplicate { kind: "connection", name },
        }
    }
}

/// What is checked of every primitive, regardless of its kind.
pub(crate) struct Registered {
    /// `tool`, `resource`, `resource template` or `prompt`.
    pub kind: &'static str,
    /// Name or URI.
    pub key: String,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
}

impl Registered {
    /// Checks a primitive when it is registered: its name or URI, its icons, and that no shared cache keeps what not
    /// everybody may read.
    pub fn check(kind: &'static str, key: &str, listing: &Listing, cache: Option<Cache>) -> Result<Self, BuildError> {
        match kind {
            "tool" | "prompt" => check_name(kind, key)?,
            _ => check_uri(key, kind == "resource template")?,
        }
        check_icons(&listing.icons)?;
        listing.connections.check()?;
        let is_open = listing.requirements.is_open() && listing.connections.is_empty();
        if cache.is_some_and(|cache| cache.public) && !is_open {
            return Err(BuildError::PublicCache(key.to_owned()));
        }
        Ok(Self { kind, key: key.to_owned(), scopes: listing.requirements.named.clone() })
    }
}

/// Checks the declared scopes, and that every registered primitive is unique and requires no others.
pub(crate) fn check_all(scopes: &[(String, String)], registered: &[Registered]) -> Result<(), BuildError> {
    let names = scopes.iter().map(|(name, _)| name.as_str());
    if let Some(name) = names.clone().find(|name| !is_scope_token(name)) {
        return Err(BuildError::ScopeName(name.to_owned()));
    }
    unique("scope", names)?;
    for kind in ["tool", "prompt", "resource", "resource template"] {
        unique(kind, registered.iter().filter(|item| item.kind == kind).map(|item| item.key.as_str()))?;
    }
    let is_declared = |scope: &&String| scopes.iter().any(|(name, _)| name == *scope);
    for item in registered {
        if let Some(scope) = item.scopes.iter().find(|scope| !is_declared(scope)) {
            return Err(BuildError::UndeclaredScope { item: item.key.clone(), scope: scope.clone() });
        }
    }
    Ok(())
}

fn check_name(kind: &'static str, name: &str) -> Result<(), BuildError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    // Gemini's function declarations: "must start with a letter or an underscore".
    let begins = kind != "tool" || name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if begins && (1..=NAME_LENGTH).contains(&name.len()) && name.bytes().all(valid) {
        Ok(())
    } else {
        Err(BuildError::Name { kind, name: name.to_owned() })
    }
}

/// A scheme (RFC 3986 §3.1), a colon, and visible ASCII but for what must be escaped. The braces of templates are
/// looked at when they are parsed.
fn check_uri(uri: &str, braces: bool) -> Result<(), BuildError> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`|".contains(&byte))
        && (braces || !uri.contains(['{', '}']));
    if valid { Ok(()) } else { Err(BuildError::Uri(uri.to_owned())) }
}

pub(crate) fn check_icons(icons: &[Icon]) -> Result<(), BuildError> {
    match icons.iter().find(|icon| !icon.is_safe()) {
        Some(icon) => Err(BuildError::Icon(icon.src().to_owned())),
        None => Ok(()),
    }
}

fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a str> + Clone) -> Result<(), BuildError> {
    let sorted = names.collect::<BinaryHeap<_>>().into_sorted_vec();
    match sorted.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first()).flatten()) {
        Some(twice) => Err(BuildError::Duplicate { kind, name: (*twice).to_owned() }),
        None => Ok(()),
    }
}
