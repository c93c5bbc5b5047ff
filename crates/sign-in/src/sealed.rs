//! Sealed values in cookies: encrypted for one purpose, with an expiry.

use mcp_edge_runtime::{ports::Runtime, seal::SealingKey, secret::Secret};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Seals and opens. All isolates need the same secret.
#[derive(Debug, Clone)]
pub struct Sealer(SealingKey);

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    /// Seconds since 1970.
    until: u64,
    content: T,
}

impl Sealer {
    /// Creates a sealer from a secret of the operator, which must be random: nothing here makes a weak one strong. Another
    /// `deployment` (its URL) has another key also if it was given the same secret, and so has another Worker: `label` names
    /// the Worker and the version of what it seals, and ends with a space.
    #[must_use]
    pub fn new(label: &str, secret: &Secret, deployment: &str) -> Self {
        // A URL has no NUL, so the two cannot run into each other; a label is a constant of a Worker.
        let parts = [label.as_bytes(), deployment.as_bytes(), b"\0", secret.expose().as_bytes()];
        Self(SealingKey::new(parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()))
    }

    /// Seals `content` until `until` (seconds since 1970). It opens for the same `purpose` only. Inverse of
    /// [`Sealer::open`].
    pub fn seal<T: Serialize>(&self, purpose: &str, content: T, until: u64, runtime: &impl Runtime) -> String {
        let plain = serde_json::to_vec(&Sealed { until, content }).unwrap_or_default();
        // A value that could not be sealed opens for nobody.
        self.0.seal(&plain, purpose.as_bytes(), runtime).unwrap_or_default()
    }

    /// Opens a sealed value; `None` if it is not ours, not for this purpose, or expired.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str, now: u64) -> Option<T> {
        let plain = self.0.open(text, purpose.as_bytes()).ok()?;
        let Sealed { until, content } = serde_json::from_slice(&plain).ok()?;
        (now < until).then_some(content)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counter;

    const LABEL: &str = "mcp-edge test cookie v1 ";

    #[test]
    fn what_is_sealed_opens_for_its_purpose_until_its_time() {
        const SECRET: &str = "0123456789abcdef0123456789abcdef";
        const HERE: &str = "https://apps.example.com/register";
        let (runtime, key) = (Counter::default(), Sealer::new(LABEL, &Secret::new(SECRET), HERE));
        let sealed = key.seal("session", "alice".to_owned(), 100, &runtime);
        let open = |key: &Sealer, purpose: &str, text: &str, now| key.open::<String>(purpose, text, now);
        assert_eq!(open(&key, "session", &sealed, 99).as_deref(), Some("alice"));
        assert_eq!(open(&key, "session", &sealed, 100), None);
        assert_eq!(open(&key, "sign-in", &sealed, 99), None);
        for (label, secret, deployment) in [
            (LABEL, "other", HERE),
            (LABEL, SECRET, "https://staging.example.com/register"),
            ("mcp-edge other cookie v1 ", SECRET, HERE),
        ] {
            assert_eq!(open(&Sealer::new(label, &Secret::new(secret), deployment), "session", &sealed, 99), None);
        }
        for at in [0, 10, sealed.len() - 1] {
            let mut tampered = sealed.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(&key, "session", &String::from_utf8(tampered).unwrap(), 99), None, "{at}");
        }
        assert_eq!(open(&key, "session", "", 0), None);
        assert_ne!(sealed, key.seal("session", "alice".to_owned(), 100, &runtime));
    }
}
