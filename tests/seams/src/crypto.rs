//! Secret keys from the settings: what they sign, authenticate and derive.

use std::fmt::Write;

use mcp_edge_runtime::{
    cloudflare::{Env, Es256Key, HkdfKey, HmacKey, setting},
    keys::{DerivationKey, KeyError, MacKey, SigningKey},
    secret::Secret,
};
use serde_json::{Value, json};

/// The keys of an isolate.
pub struct Keys {
    signing: Es256Key,
    mac: HmacKey,
    derivation: HkdfKey,
}

impl Keys {
    /// Creates keys from the settings.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let secret = |name| Secret::new(setting(env, name).unwrap_or_default());
        Self {
            signing: Es256Key::new(secret("SIGNING_KEY")),
            mac: HmacKey::new(secret("MAC_KEY")),
            derivation: HkdfKey::new(secret("DERIVATION_KEY")),
        }
    }

    /// What all keys make of a message: `{"message", "code", "salt", "info"}`, the code in hexadecimal digits.
    pub async fn use_all(&self, message: &str) -> Value {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        let bytes = |name: &str| message[name].as_str().unwrap_or_default().as_bytes();
        let code = from_hex(message["code"].as_str().unwrap_or_default());
        let verified = self.mac.verify(bytes("message"), &code).await;
        json!({
            "signature": shown(self.signing.sign(bytes("message")).await),
            "code": shown(self.mac.sign(bytes("message")).await),
            "verified": verified.map_or_else(|error| json!(error.to_string()), Value::Bool),
            "derived": shown(self.derivation.derive(bytes("salt"), bytes("info")).await),
        })
    }
}

fn shown<const LENGTH: usize>(result: Result<[u8; LENGTH], KeyError>) -> String {
    match result {
        Ok(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        Err(error) => error.to_string(),
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}
