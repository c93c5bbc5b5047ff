//! What is derived from which secret: ids, hashes, sealing keys.
//!
//! | from | what | label |
//! |---|---|---|
//! | `VAULT_SECRET` | the authentication code in the id of a key | `mcp-edge key id v1` |
//! | `VAULT_SECRET` | seals the refresh token of a key, for its revocation alone | `mcp-edge key grant v1` |
//! | `VAULT_SECRET` | names the object of a personal access token | `mcp-edge personal token name v1` |
//! | the secret of a key | seals its refresh token | `mcp-edge key refresh v1` |
//! | the secret of a key | seals its access token | `mcp-edge key token v1` |
//! | a personal access token | seals its access token | `mcp-edge personal token v1` |
//!
//! Derivation is HKDF (RFC 5869), codes are HMAC (RFC 2104), both with SHA-256. The version at the end of a label changes with
//! the form of what it protects. What is stored is sealed for one purpose, one key and one user ([`Seal`]): a row that is
//! copied into another object opens nothing there. What is sealed for connections has secrets of its own ([`connections`]).

pub mod connections;

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use mcp_edge_access_keys::format::{ID_CODE_LENGTH, ID_LENGTH, random_base62, to_base62};
use mcp_edge_runtime::{
    digest::sha256,
    ports::Runtime,
    seal::{OpenError, SealError, SealingKey},
    secret::Secret,
};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const KEY_ID: &str = "mcp-edge key id v1";
const KEY_GRANT: &str = "mcp-edge key grant v1";
const KEY_REFRESH: &str = "mcp-edge key refresh v1";
const KEY_TOKEN: &str = "mcp-edge key token v1";
const PERSONAL_TOKEN_NAME: &str = "mcp-edge personal token name v1";
const PERSONAL_TOKEN: &str = "mcp-edge personal token v1";

/// Values of an authentication code of [`ID_CODE_LENGTH`] base62 characters.
const ID_CODES: u64 = 62_u64.pow(5);
const _: () = assert!(ID_CODE_LENGTH == 5);

/// What is derived from `VAULT_SECRET`.
#[derive(Clone)]
pub struct VaultSecrets {
    id: [u8; 32],
    /// What stands before the characters of an id when its code is computed.
    jurisdiction: String,
    grant: SealingKey,
    personal_token_name: [u8; 32],
}

/// Hides everything.
impl std::fmt::Debug for VaultSecrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("VaultSecrets(…)")
    }
}

impl VaultSecrets {
    /// Creates the secrets of a deployment from `VAULT_SECRET` and `VAULT_JURISDICTION`. Ids of another jurisdiction are no
    /// ids of this deployment.
    #[must_use]
    pub fn new(secret: &Secret, jurisdiction: Option<&str>) -> Self {
        Self {
            id: derive(secret, KEY_ID),
            jurisdiction: jurisdiction.unwrap_or_default().to_owned(),
            grant: SealingKey::new(derive(secret, KEY_GRANT)),
            personal_token_name: derive(secret, PERSONAL_TOKEN_NAME),
        }
    }

    /// Mints an id: random characters and their authentication code.
    #[must_use]
    pub fn mint_id(&self, runtime: &impl Runtime) -> String {
        let random = random_base62(ID_LENGTH - ID_CODE_LENGTH, runtime);
        let code = self.code_of(&random);
        random + &code
    }

    /// Whether the id was minted here, in constant time. Others are refused before any object is addressed: strangers make
    /// no objects.
    #[must_use]
    pub fn is_own_id(&self, id: &str) -> bool {
        let Some((random, code)) = id.split_at_checked(ID_LENGTH - ID_CODE_LENGTH) else { return false };
        self.code_of(random).as_bytes().ct_eq(code.as_bytes()).into()
    }

    fn code_of(&self, random: &str) -> String {
        let code = mac(&self.id, &[self.jurisdiction.as_bytes(), b"\0", random.as_bytes()]);
        let [first, ..] = code.as_chunks::<8>().0 else { return String::new() };
        to_base62(u64::from_be_bytes(*first) % ID_CODES, ID_CODE_LENGTH)
    }

    /// The name of a personal access token's object.
    #[must_use]
    pub fn personal_token_name(&self, token: &Secret) -> String {
        to_hex(&mac(&self.personal_token_name, &[token.expose().as_bytes()]))
    }

    /// Seals the refresh token of a key for its revocation, which needs no secret of the key.
    #[must_use]
    pub fn grant_seal<'a>(&self, owner: Owner<'a>) -> Seal<'a> {
        Seal { key: self.grant.clone(), purpose: KEY_GRANT, owner }
    }
}

/// Whose something sealed is: a key, and its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The id of the key, or the name of the object of a personal access token.
    pub id: &'a str,
    /// `iss`.
    pub issuer: &'a str,
    /// `sub`.
    pub subject: &'a str,
}

/// Seals for one purpose and one owner.
#[derive(Debug, Clone)]
pub struct Seal<'a> {
    key: SealingKey,
    purpose: &'static str,
    owner: Owner<'a>,
}

impl<'a> Seal<'a> {
    /// Seals the refresh token of a key, for the holder of its secret.
    #[must_use]
    pub fn refresh(secret: &Secret, owner: Owner<'a>) -> Self {
        Self { key: SealingKey::new(derive(secret, KEY_REFRESH)), purpose: KEY_REFRESH, owner }
    }

    /// Seals the access token of a key, for the holder of its secret.
    #[must_use]
    pub fn token(secret: &Secret, owner: Owner<'a>) -> Self {
        Self { key: SealingKey::new(derive(secret, KEY_TOKEN)), purpose: KEY_TOKEN, owner }
    }

    /// Seals the access token of a personal access token, for its holder.
    #[must_use]
    pub fn personal_token(token: &Secret, name: &'a str) -> Self {
        let owner = Owner { id: name, issuer: "", subject: "" };
        Self { key: SealingKey::new(derive(token, PERSONAL_TOKEN)), purpose: PERSONAL_TOKEN, owner }
    }

    /// Seals a text. Inverse of [`Seal::open`].
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, plain: &Secret, runtime: &impl Runtime) -> Result<String, SealError> {
        self.key.seal(plain.expose().as_bytes(), &self.associated(), runtime)
    }

    /// Opens what was sealed for the same purpose and owner.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, sealed: &str) -> Result<Secret, OpenError> {
        let plain = self.key.open(sealed, &self.associated())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| OpenError)
    }

    fn associated(&self) -> Vec<u8> {
        let Owner { id, issuer, subject } = self.owner;
        length_prefixed(&[self.purpose, id, issuer, subject])
    }
}

/// What is stored of a key's secret: its SHA-256. A secret of 256 random bits needs neither salt nor a slow function.
#[must_use]
pub fn hash_of(secret: &Secret) -> [u8; 32] {
    sha256(secret.expose())
}

/// Whether both hashes are the same, in constant time.
#[must_use]
pub fn is_same_hash(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// The name of a user's object.
#[must_use]
pub fn account_name(issuer: &str, subject: &str) -> String {
    use sha2::Digest as _;
    to_hex(&Sha256::digest(length_prefixed(&[issuer, subject])))
}

/// Strings one after the other, each after its length (8 bytes, the most significant first): no two lists are the same bytes.
#[must_use]
pub fn length_prefixed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn derive(secret: &Secret, label: &str) -> [u8; 32] {
    let mut key = [0; 32];
    // Only more than 255 digests are too long.
    if Hkdf::<Sha256>::new(None, secret.expose().as_bytes()).expand(label.as_bytes(), &mut key).is_err() {
        unreachable!("32 bytes are one digest");
    }
    key
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is accepted (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("keys may have any length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
