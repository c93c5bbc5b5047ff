//! Verification of signatures by `jsonwebtoken`, of RSA by `rsa` (for long keys) and of ES512 by `p521`: other code than
//! `WebCrypto`, which the Worker uses.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::jwk::{Curve, Jwk, MAX_RSA_BITS, Material};

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
        Material::Rsa { n, e } => {
            let [n, e] = [n, e].map(|number| BigUint::from_bytes_be(&decode(number)));
            let key = RsaPublicKey::new_with_max_size(n, e, MAX_RSA_BITS).map_err(|error| broken(&error))?;
            return if is_of_rsa(&key, algorithm, message, signature) { Ok(()) } else { Err(SignatureError::Wrong) };
        }
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

/// Whether it is a signature by an RSA key (RFC 7518 §3.3 and §3.5). A salt is as long as the hash.
fn is_of_rsa(key: &RsaPublicKey, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
    let verified = match algorithm {
        "RS256" => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
        "RS384" => key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
        "RS512" => key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
        "PS256" => key.verify(Pss::new_with_salt::<Sha256>(32), &Sha256::digest(message), signature),
        "PS384" => key.verify(Pss::new_with_salt::<Sha384>(48), &Sha384::digest(message), signature),
        "PS512" => key.verify(Pss::new_with_salt::<Sha512>(64), &Sha512::digest(message), signature),
        _ => return false,
    };
    verified.is_ok()
}

/// Numbers of a [`Material`] are base64url: the key was read.
fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}
