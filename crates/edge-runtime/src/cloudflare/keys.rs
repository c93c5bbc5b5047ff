//! Secret keys in WebCrypto: imported when they are first used, once per isolate, and not extractable.

use std::cell::OnceCell;

use js_sys::{Promise, futures::JsFuture};
use wasm_bindgen::prelude::*;

use super::{event, executor};
use crate::{
    keys::{DerivationKey, KeyError, MacKey, SigningKey},
    secret::Secret,
};

#[wasm_bindgen(module = "/src/cloudflare/keys.js")]
extern "C" {
    #[wasm_bindgen(js_name = importSigningKey)]
    fn import_signing_key(jwk: &str) -> Promise;
    #[wasm_bindgen(js_name = importMacKey)]
    fn import_mac_key(secret: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = importDerivationKey)]
    fn import_derivation_key(secret: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = signEs256)]
    fn sign_es256(key: &JsValue, message: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = signHmac)]
    fn sign_hmac(key: &JsValue, message: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = verifyHmac)]
    fn verify_hmac(key: &JsValue, code: &[u8], message: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = deriveKey)]
    fn derive_key(key: &JsValue, salt: &[u8], info: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = copyBuffer)]
    fn copy_buffer(buffer: &JsValue, into: &mut [u8]) -> bool;
}

/// A key that is imported when it is first used. The `CryptoKey` works in all requests of its isolate.
#[derive(Debug)]
struct Key {
    secret: Secret,
    imported: OnceCell<JsValue>,
}

impl Key {
    const fn new(secret: Secret) -> Self {
        Self { secret, imported: OnceCell::new() }
    }

    async fn get(&self, import: impl FnOnce(&str) -> Promise) -> Result<&JsValue, KeyError> {
        if let Some(key) = self.imported.get() {
            return Ok(key);
        }
        let imported = JsFuture::from(import(self.secret.expose())).await;
        let key = imported.map_err(|thrown| KeyError::Invalid(event::message_of(&thrown)))?;
        // Somebody else may have imported it meanwhile; both are the same.
        Ok(self.imported.get_or_init(|| key))
    }
}

/// What WebCrypto returns; it copies what it is given before it returns the promise, so borrowing is enough.
async fn bytes<const LENGTH: usize>(promise: Promise) -> Result<[u8; LENGTH], KeyError> {
    let value = executor::settled(promise).await;
    let mut bytes = [0; LENGTH];
    if copy_buffer(&value, &mut bytes) { Ok(bytes) } else { Err(KeyError::Failed) }
}

/// A private key that signs with ES256.
#[derive(Debug)]
pub struct Es256Key(Key);

impl Es256Key {
    /// Creates a key from a private JWK (RFC 7517) of the curve P-256.
    #[must_use]
    pub const fn new(jwk: Secret) -> Self {
        Self(Key::new(jwk))
    }
}

impl SigningKey for Es256Key {
    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        bytes(sign_es256(self.0.get(import_signing_key).await?, message)).await
    }
}

/// A shared secret that authenticates with HMAC and SHA-256.
#[derive(Debug)]
pub struct HmacKey(Key);

impl HmacKey {
    /// Creates a key from a secret of at least one byte; its strength is that of the secret.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self(Key::new(secret))
    }

    async fn key(&self) -> Result<&JsValue, KeyError> {
        self.0.get(|secret| import_mac_key(secret.as_bytes())).await
    }
}

impl MacKey for HmacKey {
    async fn sign(&self, message: &[u8]) -> Result<[u8; 32], KeyError> {
        bytes(sign_hmac(self.key().await?, message)).await
    }

    async fn verify(&self, message: &[u8], code: &[u8]) -> Result<bool, KeyError> {
        let verdict = verify_hmac(self.key().await?, code, message);
        executor::settled(verdict).await.as_bool().ok_or(KeyError::Failed)
    }
}

/// A secret from which keys are derived, with HKDF and SHA-256.
#[derive(Debug)]
pub struct HkdfKey(Key);

impl HkdfKey {
    /// Creates a key from a secret that is too long to be guessed: HKDF makes nothing stronger.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self(Key::new(secret))
    }
}

impl DerivationKey for HkdfKey {
    async fn derive(&self, salt: &[u8], info: &[u8]) -> Result<[u8; 32], KeyError> {
        let key = self.0.get(|secret| import_derivation_key(secret.as_bytes())).await?;
        bytes(derive_key(key, salt, info)).await
    }
}
