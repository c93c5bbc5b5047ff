//! Signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1), and the keys that verify them.
//!
//! Only asymmetric algorithms that WebCrypto verifies. Never `none`, never `HS*`: a resource server that holds a
//! symmetric key could mint tokens itself, and a public key used as an HMAC secret is the oldest JWT attack (RFC 8725
//! §2.1).

/// A JWS `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the RFCs")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    /// Ed25519; `Ed25519` (RFC 9864) is the same algorithm under its newer name.
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// By its registered name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDSA),
            _ => Self::ALL.into_iter().find(|algorithm| algorithm.name() == name),
        }
    }

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }
}

/// SHA-256 thumbprint of a key (RFC 7638): two keys with the same thumbprint are the same key, also under different `kid`s.
pub type Thumbprint = [u8; 32];

/// A public key that verifies signatures.
pub trait VerificationKey {
    /// Tells this key from all others; an imported copy may be kept under it.
    fn thumbprint(&self) -> Thumbprint;

    /// The key as a JWK (RFC 7517) with the required members alone, for an importer.
    fn to_jwk(&self) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_symmetric_algorithms_are_unknown() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
        for name in ["none", "None", "HS256", "HS384", "HS512", "rs256", "ES256K", "", "RS256 "] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
