//! What the tokens of connected accounts are sealed with.
//!
//! | from | what | label |
//! |---|---|---|
//! | `CONNECTIONS_SECRET` | the key | `mcp-edge connections v1` |
//! | `CONNECTIONS_SECRET` | the name of the key, which stands before what it seals | `mcp-edge connections key name v1` |
//!
//! A secret that is replaced goes on opening as `CONNECTIONS_SECRET_PREVIOUS`. What is sealed is bound to its purpose, its user
//! and its connection, each after its length.

use mcp_edge_runtime::{
    ports::Runtime,
    seal::{OpenError, SealError, SealingKey},
    secret::Secret,
};

use super::{derive, length_prefixed, to_hex};

const KEY: &str = "mcp-edge connections v1";
const KEY_NAME: &str = "mcp-edge connections key name v1";

/// Bytes of the name of a key: two secrets of a deployment have different ones.
const KEY_NAME_BYTES: usize = 8;

/// What is derived from `CONNECTIONS_SECRET` and `CONNECTIONS_SECRET_PREVIOUS`.
#[derive(Clone)]
pub struct ConnectionSecrets {
    current: NamedKey,
    previous: Option<NamedKey>,
}

/// Hides everything.
impl std::fmt::Debug for ConnectionSecrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ConnectionSecrets(…)")
    }
}

#[derive(Clone)]
struct NamedKey {
    name: String,
    key: SealingKey,
}

impl NamedKey {
    fn new(secret: &Secret) -> Self {
        let name = to_hex(&derive(secret, KEY_NAME)[..KEY_NAME_BYTES]);
        Self { name, key: SealingKey::new(derive(secret, KEY)) }
    }
}

/// What something is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Tokens of an account, to be used.
    Account,
    /// Tokens of an account that is not used any more, for their revocation alone.
    Revocation,
    /// The secret of our client at a service.
    Registration,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Account => "mcp-edge connected account v1",
            Self::Revocation => "mcp-edge revocation v1",
            Self::Registration => "mcp-edge registration v1",
        }
    }
}

/// What something sealed belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// `iss` of the user; of a registration the issuer of the service.
    pub issuer: &'a str,
    /// `sub` of the user; of a registration the redirect URI.
    pub subject: &'a str,
    /// The name of the connection.
    pub connection: &'a str,
}

impl Place<'_> {
    fn associated(&self) -> Vec<u8> {
        let Self { purpose, issuer, subject, connection } = self;
        length_prefixed(&[purpose.label(), issuer, subject, connection])
    }
}

/// What was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The text.
    pub plain: Secret,
    /// Whether it was sealed with an earlier secret, and is to be sealed anew.
    pub is_old: bool,
}

impl ConnectionSecrets {
    /// Creates the secrets from `CONNECTIONS_SECRET` and, after it was replaced, `CONNECTIONS_SECRET_PREVIOUS`.
    #[must_use]
    pub fn new(current: &Secret, previous: Option<&Secret>) -> Self {
        Self { current: NamedKey::new(current), previous: previous.map(NamedKey::new) }
    }

    /// Seals a text. Inverse of [`ConnectionSecrets::open`].
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, plain: &Secret, place: Place<'_>, runtime: &impl Runtime) -> Result<String, SealError> {
        let sealed = self.current.key.seal(plain.expose().as_bytes(), &place.associated(), runtime)?;
        Ok([&self.current.name, ".", &sealed].concat())
    }

    /// Opens what was sealed for the same place, with the present secret or the previous one.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<Opened, OpenError> {
        let (name, sealed) = sealed.split_once('.').ok_or(OpenError)?;
        let mut keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        let key = keys.find(|key| key.name == name).ok_or(OpenError)?;
        let plain = key.key.open(sealed, &place.associated())?;
        let plain = String::from_utf8(plain).map_err(|_| OpenError)?;
        Ok(Opened { plain: Secret::new(plain), is_old: key.name != self.current.name })
    }
}
