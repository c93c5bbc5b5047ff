//! Secret keys that sign, authenticate and derive. Code that holds one can use it and cannot read it.

/// A private key that signs with ES256: ECDSA over P-256 with SHA-256 (RFC 7518 §3.4).
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait SigningKey {
    /// The signature over `message`, in the form that JWS has: r and s, 32 bytes each.
    ///
    /// # Errors
    /// [`KeyError`].
    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError>;
}

/// A shared secret that authenticates with HMAC and SHA-256 (RFC 2104).
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait MacKey {
    /// The authentication code of `message`.
    ///
    /// # Errors
    /// [`KeyError`].
    async fn sign(&self, message: &[u8]) -> Result<[u8; 32], KeyError>;

    /// Whether `code` is the authentication code of `message`. Takes the same time regardless of where they differ.
    ///
    /// # Errors
    /// [`KeyError`].
    async fn verify(&self, message: &[u8], code: &[u8]) -> Result<bool, KeyError>;
}

/// A secret from which keys are derived, with HKDF and SHA-256 (RFC 5869).
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait DerivationKey {
    /// A key of 32 bytes for the purpose `info`. Other purposes have other keys, and none tells of another.
    ///
    /// # Errors
    /// [`KeyError`].
    async fn derive(&self, salt: &[u8], info: &[u8]) -> Result<[u8; 32], KeyError>;
}

/// Why a key could not be used. The messages say nothing about the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no key of this kind: not a JWK, of another curve, or empty.
    #[error("the key cannot be imported: {0}")]
    Invalid(String),
    /// The platform failed.
    #[error("the key cannot be used")]
    Failed,
}
