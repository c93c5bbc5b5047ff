//! Signatures without WebCrypto: real ones by crates of this machine, and pretended ones for tests that need thousands.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{DecodingKey, EncodingKey};
use mcp_edge_runtime::{
    crypto::{Algorithm, Thumbprint, VerificationKey},
    ports::UnusableKey,
};
use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Verifies as WebCrypto would: the key decides, nothing but the members of its JWK is looked at.
pub fn verify(
    key: &impl VerificationKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, UnusableKey> {
    let unusable = |error: &dyn std::fmt::Display| UnusableKey(error.to_string());
    let jwk: Value = serde_json::from_str(&key.to_jwk()).expect("a JWK");
    let member = |name: &str| jwk[name].as_str().unwrap_or_default();
    let decoding_key = match member("kty") {
        "RSA" => DecodingKey::from_rsa_components(member("n"), member("e")),
        "EC" if algorithm == Algorithm::ES512 => {
            let point = [vec![4], decode(member("x")), decode(member("y"))].concat();
            let key = VerifyingKey::from_sec1_bytes(&point).map_err(|error| unusable(&error))?;
            return Ok(Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok()));
        }
        "EC" => DecodingKey::from_ec_components(member("x"), member("y")),
        _ => DecodingKey::from_ed_components(member("x")),
    };
    let decoding_key = decoding_key.map_err(|error| unusable(&error))?;
    jsonwebtoken::crypto::verify(&URL_SAFE_NO_PAD.encode(signature), message, &decoding_key, other(algorithm))
        .map_err(|error| unusable(&error))
}

/// A signature that anybody can make: as long as one of Ed25519, and different for each key and message.
pub fn pretend(key: &Thumbprint, message: &[u8]) -> [u8; 64] {
    let half: [u8; 32] = Sha256::new().chain_update(key).chain_update(message).finalize().into();
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&half);
    signature[32..].copy_from_slice(&half);
    signature
}

/// A key pair of `keys/test-keys.json`.
pub struct KeyPair {
    public: Value,
    private_der: Vec<u8>,
}

/// Finds a key pair by its name there.
pub fn key_pair(name: &str) -> KeyPair {
    let file: Value = serde_json::from_str(include_str!("../keys/test-keys.json")).expect("JSON");
    let entry = &file["keys"][name];
    let private_der = STANDARD.decode(entry["private_der"].as_str().expect("a known name")).expect("base64");
    KeyPair { public: entry["public"].clone(), private_der }
}

impl KeyPair {
    /// The public half as a provider publishes it, under `kid` and without `alg`.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = self.public.clone();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// Signs, with any algorithm but ES512; the result is not encoded.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(&self.private_der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&self.private_der),
            _ => EncodingKey::from_rsa_der(&self.private_der),
        };
        decode(&jsonwebtoken::crypto::sign(message, &key, other(algorithm)).expect("a key of this kind"))
    }
}

/// The other library's name for it.
fn other(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.name().parse().expect("the same names, but for ES512")
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
