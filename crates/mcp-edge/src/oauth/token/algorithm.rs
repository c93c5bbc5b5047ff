//! The signature algorithms that are taken: asymmetric ones that WebCrypto verifies. Never `none`, never `HS*`: a
//! resource server that holds a symmetric key could mint tokens itself, and a public key used as an HMAC secret is the
//! oldest JWT attack (RFC 8725 §2.1).

use super::super::keys::jwk::{Curve, Material};

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

    /// Whether a key of this material may verify this algorithm: `kty` and `crv` are fixed by `alg`.
    #[must_use]
    pub fn fits(self, material: &Material) -> bool {
        match (self, material) {
            (
                Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512,
                Material::Rsa { .. },
            )
            | (Self::EdDSA, Material::Ed25519 { .. }) => true,
            (Self::ES256, Material::Ec { curve, .. }) => *curve == Curve::P256,
            (Self::ES384, Material::Ec { curve, .. }) => *curve == Curve::P384,
            (Self::ES512, Material::Ec { curve, .. }) => *curve == Curve::P521,
            _ => false,
        }
    }

    /// How many bytes a signature by this key has. Checked before the signature is verified: WebCrypto's answer to a
    /// wrong length differs between algorithms.
    #[must_use]
    pub fn signature_length(self, material: &Material) -> usize {
        match material {
            Material::Rsa { modulus_length, .. } => *modulus_length,
            Material::Ec { curve, .. } => 2 * curve.coordinate_length(),
            Material::Ed25519 { .. } => 64,
        }
    }
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
