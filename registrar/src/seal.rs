//! Seals what a browser keeps for us: encrypted and authenticated (XChaCha20-Poly1305), for one purpose, until a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use mcp_edge::ports::Runtime;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// A 192-bit nonce, long enough to be drawn at random for every message.
const NONCE_BYTES: usize = 24;

/// Separates these keys from others made of the same secret, and from other versions of the format.
const LABEL: &[u8] = b"mcp-edge registrar cookie v2 ";

/// The key. All isolates need the same one.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    /// Seconds since 1970.
    until: u64,
    content: T,
}

impl SealingKey {
    /// Derives the key from a secret of the operator, which must be random: nothing here makes a weak one strong. Another
    /// `deployment` (its registration endpoint) has another key also if it was given the same secret: whoever is a
    /// developer on a staging server is none here.
    #[must_use]
    pub fn derive(secret: &Secret, deployment: &str) -> Self {
        // An address has no NUL, so the two cannot run into each other.
        let parts = [LABEL, deployment.as_bytes(), b"\0", secret.expose().as_bytes()];
        Self(parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into())
    }

    /// Seals `content` until `until` (seconds since 1970). It opens for the same `purpose` only. Inverse of
    /// [`SealingKey::open`].
    pub fn seal<T: Serialize>(
        &self,
        purpose: &str,
        content: T,
        until: u64,
        runtime: &(impl Runtime + ?Sized),
    ) -> String {
        let plain = serde_json::to_vec(&Sealed { until, content }).unwrap_or_default();
        let mut nonce = [0; NONCE_BYTES];
        runtime.random(&mut nonce);
        let payload = Payload { msg: &plain, aad: purpose.as_bytes() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// What was sealed; `None` for whatever is not ours, not for this purpose, or too old.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str, now: u64) -> Option<T> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        let plain = self.cipher().decrypt(&(*nonce).into(), payload).ok()?;
        let Sealed { until, content } = serde_json::from_slice(&plain).ok()?;
        (now < until).then_some(content)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Mode, testing::World};

    #[test]
    fn what_is_sealed_opens_for_its_purpose_until_its_time() {
        const SECRET: &str = "0123456789abcdef0123456789abcdef";
        const HERE: &str = "https://apps.example.com/register";
        let (world, key) = (World::new(Mode::Open), SealingKey::derive(&Secret::new(SECRET), HERE));
        let sealed = key.seal("session", "alice".to_owned(), 100, &world);
        let open = |key: &SealingKey, purpose: &str, text: &str, now| key.open::<String>(purpose, text, now);
        assert_eq!(open(&key, "session", &sealed, 99).as_deref(), Some("alice"));
        assert_eq!(open(&key, "session", &sealed, 100), None);
        assert_eq!(open(&key, "sign-in", &sealed, 99), None);
        for (secret, deployment) in [("other", HERE), (SECRET, "https://staging.example.com/register")] {
            assert_eq!(open(&SealingKey::derive(&Secret::new(secret), deployment), "session", &sealed, 99), None);
        }
        for at in [0, 10, sealed.len() - 1] {
            let mut tampered = sealed.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(&key, "session", &String::from_utf8(tampered).unwrap(), 99), None, "{at}");
        }
        assert_eq!(open(&key, "session", "", 0), None);
        assert_ne!(sealed, key.seal("session", "alice".to_owned(), 100, &world));
    }
}
