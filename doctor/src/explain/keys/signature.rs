//! Verification of signatures by `jsonwebtoken`, and of ES512 by `p521`: other code than `WebCrypto`, which the Worker uses.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};

use super::jwk::{Curve, Jwk, Material};

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureError {
    /// The key is broken, for example no point of its curve.
    Key(String),
    /// The signature has another length than those of this key.
    Length(usize),
    /// The signature was made by another key, or of another token.
    Wrong,
}

/// Verifies a signature.
///
/// # Errors
/// [`SignatureError`] if it is not a signature of the message by the key.
pub fn verify(key: &Jwk, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let expected = match &key.material {
        Material::Rsa { n, .. } => decode(n).into_iter().skip_while(|byte| *byte == 0).count(),
        Material::Ec { curve, .. } => 2 * curve.bytes(),
        Material::Ed25519 { .. } => 64,
    };
    if signature.len() != expected {
        return Err(SignatureError::Length(signature.len()));
    }
    let broken = |error: &dyn std::fmt::Display| SignatureError::Key(error.to_string());
    let decoding_key = match &key.material {
        Material::Ec { curve: Curve::P521, x, y } => {
            let point = [vec![4], decode(x), decode(y)].concat();
            let key = VerifyingKey::from_sec1_bytes(&point).map_err(|error| broken(&error))?;
            let is_good =
                Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok());
            return if is_good { Ok(()) } else { Err(SignatureError::Wrong) };
        }
        Material::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y),
        Material::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
        Material::Ed25519 { x } => DecodingKey::from_ed_components(x),
    };
    let decoding_key = decoding_key.map_err(|error| broken(&error))?;
    // The library knows EdDSA by its older name alone.
    let name = if algorithm == "Ed25519" { "EdDSA" } else { algorithm };
    let algorithm: Algorithm = name.parse().map_err(|error| broken(&error))?;
    match jsonwebtoken::crypto::verify(&URL_SAFE_NO_PAD.encode(signature), message, &decoding_key, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SignatureError::Wrong),
        Err(error) => Err(broken(&error)),
    }
}

/// Numbers of a [`Material`] are base64url: the key was read.
fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}
