//! Sealing: what a client or a browser keeps for us, encrypted and authenticated (XChaCha20-Poly1305).
//!
//! Sealed text comes back as input that anybody may have made. It opens under the same key and for the same associated
//! data only, and it can be opened more than once: what must happen once needs a record of what was used.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};

use crate::{base64::URL_SAFE_NO_PAD, ports::Runtime};

/// A 192-bit nonce, long enough to be drawn at random for every message.
const NONCE_BYTES: usize = 24;

/// A key that seals. All isolates of a deployment need the same one, and other deployments another one.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

/// Encryption failed: more bytes than the cipher takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("encryption failed")]
pub struct SealError;

/// Text that is not ours, or not for this purpose. Deliberately one error: an attacker who tries values learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed text cannot be opened")]
pub struct OpenError;

impl SealingKey {
    /// Creates a key from 32 unguessable bytes: the digest of a secret together with the purpose and the deployment, so that
    /// each of them gets a key of its own.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Encrypts `plain`, bound to `associated` data that is not part of the text. Inverse of [`SealingKey::open`].
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, plain: &[u8], associated: &[u8], runtime: &dyn Runtime) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        runtime.random(&mut nonce);
        let payload = Payload { msg: plain, aad: associated };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).map_err(|_| SealError)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts what was sealed with the same `associated` data.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, text: &str, associated: &[u8]) -> Result<Vec<u8>, OpenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok_or(OpenError)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError)?;
        let payload = Payload { msg: sealed, aad: associated };
        self.cipher().decrypt(&(*nonce).into(), payload).map_err(|_| OpenError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// Hides the key.
impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use futures_util::future::LocalBoxFuture;

    use super::*;

    /// Counts instead of drawing at random.
    #[derive(Default)]
    struct Counter(Cell<u8>);

    impl Runtime for Counter {
        fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
            unreachable!("sealing does not wait")
        }

        fn random(&self, buffer: &mut [u8]) {
            self.0.set(self.0.get() + 1);
            buffer.fill(self.0.get());
        }
    }

    #[test]
    fn sealed_text_opens_under_the_same_key_and_associated_data_only() {
        let (key, runtime) = (SealingKey::new([1; 32]), Counter::default());
        let sealed = key.seal(b"alice", b"session", &runtime).unwrap();
        assert_eq!(key.open(&sealed, b"session").as_deref(), Ok(&b"alice"[..]));
        assert_eq!(key.open(&sealed, b"sign-in"), Err(OpenError));
        assert_eq!(SealingKey::new([2; 32]).open(&sealed, b"session"), Err(OpenError));
        assert_eq!(key.open("", b"session"), Err(OpenError));
        for at in [0, 10, sealed.len() - 1] {
            let mut tampered = sealed.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.open(&String::from_utf8(tampered).unwrap(), b"session"), Err(OpenError), "{at}");
        }
    }

    #[test]
    fn the_same_plain_text_is_sealed_differently_each_time() {
        let (key, runtime) = (SealingKey::new([1; 32]), Counter::default());
        assert_ne!(key.seal(b"alice", b"", &runtime), key.seal(b"alice", b"", &runtime));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", SealingKey::new([65; 32])), "SealingKey(…)");
    }
}
