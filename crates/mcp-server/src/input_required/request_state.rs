//! Sealing what a handler must remember between two rounds of a request (`requestState`, MCP 2026-07-28,
//! basic/patterns/mrtr).
//!
//! The client carries the state, so it is input that anybody may have made. It is encrypted and authenticated
//! (XChaCha20-Poly1305) and bound to the user, the client, its access key, the method, the name and the arguments of the
//! request: it opens for the same request of the same caller at the same server only, and for [`STATE_SECONDS`]. It can
//! be used again within that time; a tool with an effect that must happen once has to see to that itself.

use std::{collections::BinaryHeap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::limits::{STATE_BYTES, STATE_SECONDS};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::{
    json::{to_json, write_json},
    ports::Runtime,
    seal::SealingKey,
};

/// Separates these keys from others made from the same secret, and from other versions of the format.
const KEY_LABEL: &str = "mcp-edge request state key v2";

/// Separates the digests of requests from the keys, and from other versions of the format.
const BINDING_LABEL: &str = "mcp-edge request state binding v2";

/// The key that seals state. All isolates of a deployment need the same one, and other deployments another one.
#[derive(Clone)]
pub struct StateKey(SealingKey);

impl StateKey {
    /// Derives the key of the server at `resource` (`RESOURCE`) from a secret of the operator. The secret must be random
    /// and at least 32 bytes long: nothing here makes a weak one strong. A server with another `resource` gets another
    /// key, even from the same secret: what staging has sealed, production does not open.
    #[must_use]
    pub fn derive(secret: &[u8], resource: &str) -> Self {
        let mut hasher = Sha256::new();
        update(&mut hasher, KEY_LABEL.as_bytes());
        update(&mut hasher, resource.as_bytes());
        update(&mut hasher, secret);
        Self(SealingKey::new(hasher.finalize().into()))
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StateKey")
    }
}

/// What is remembered.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Answers of earlier rounds, by key.
    pub answers: Map<String, Value>,
    /// What the handler has put aside, by key.
    pub notes: Map<String, Value>,
    /// Seconds since 1970.
    expires: u64,
}

/// The request that state belongs to.
pub(crate) struct Binding {
    pub method: &'static str,
    /// The name of the tool or prompt, or the URI.
    pub name: String,
    pub arguments: Value,
}

/// State that cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("more than {STATE_BYTES} bytes must be remembered between two rounds; store them and remember a key")]
    TooLarge,
    #[error("encryption failed")]
    Cipher,
}

/// State that is not ours, not for this request, or too old. Deliberately one error: an attacker who tries states learns
/// nothing from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("requestState is not valid for this request, or has expired")]
pub(crate) struct Rejected;

impl State {
    pub fn new(answers: Map<String, Value>, notes: Map<String, Value>, now: u64) -> Self {
        Self { answers, notes, expires: now.saturating_add(STATE_SECONDS) }
    }

    /// Encrypts the state. Inverse of [`State::open`].
    pub fn seal(
        &self,
        key: &StateKey,
        runtime: &dyn Runtime,
        identity: &Identity,
        binding: &Binding,
    ) -> Result<String, SealError> {
        let plain = write_json(self).map_err(|_| SealError::Cipher)?;
        if plain.len() > STATE_BYTES {
            return Err(SealError::TooLarge);
        }
        key.0.seal(plain.as_bytes(), &binding.digest(identity), runtime).map_err(|_| SealError::Cipher)
    }

    /// Decrypts and checks what a client has returned.
    pub fn open(
        text: &str,
        key: &StateKey,
        identity: &Identity,
        binding: &Binding,
        now: u64,
    ) -> Result<Self, Rejected> {
        let plain = key.0.open(text, &binding.digest(identity)).map_err(|_| Rejected)?;
        // Not `from_slice`: that would be a second instance of the whole parser.
        let plain = std::str::from_utf8(&plain).map_err(|_| Rejected)?;
        let state: Self = serde_json::from_str(plain).map_err(|_| Rejected)?;
        if state.expires <= now { Err(Rejected) } else { Ok(state) }
    }
}

impl Binding {
    /// A digest of the request and of who made it.
    fn digest(&self, identity: &Identity) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let parts = [
            BINDING_LABEL,
            identity.issuer(),
            identity.subject(),
            identity.client_id().unwrap_or_default(),
            self.method,
            &self.name,
        ];
        for part in parts {
            update(&mut hasher, part.as_bytes());
        }
        digest_value(&mut hasher, &self.arguments);
        // Two keys of one user may be for different things.
        if let Some(key) = identity.key_id() {
            update(&mut hasher, key.as_bytes());
        }
        hasher.finalize().into()
    }
}

/// Digests a part behind its length, so that parts cannot run into each other.
fn update(hasher: &mut Sha256, part: &[u8]) {
    hasher.update((part.len() as u64).to_be_bytes());
    hasher.update(part);
}

/// Digests a value independently of the order of members, which a client need not keep.
fn digest_value(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                digest_value(hasher, item);
            }
            hasher.update(b"]");
        }
        Value::Object(members) => {
            let names: BinaryHeap<&str> = members.keys().map(String::as_str).collect();
            hasher.update(b"{");
            for name in names.into_sorted_vec() {
                update(hasher, name.as_bytes());
                digest_value(hasher, &members[name]);
            }
            hasher.update(b"}");
        }
        Value::String(text) => {
            hasher.update(b"\"");
            update(hasher, text.as_bytes());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            hasher.update(b"=");
            update(hasher, to_json(value).as_bytes());
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use mcp_edge_identity::{Credential, KeyUse};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::TestRuntime;

    const NOW: u64 = 1_800_000_000;

    fn binding() -> Binding {
        Binding { method: "tools/call", name: "book".to_owned(), arguments: json!({"from": "A", "to": ["B", 1]}) }
    }

    fn state() -> State {
        let answers = json!({"date": {"action": "accept", "content": {"day": "Monday"}}});
        State::new(answers.as_object().cloned().unwrap_or_default(), Map::new(), NOW)
    }

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const RESOURCE: &str = "https://mcp.example.com/mcp";

    fn key() -> StateKey {
        StateKey::derive(SECRET, RESOURCE)
    }

    fn ada() -> Identity {
        Identity::for_test("ada", "")
    }

    fn sealed() -> String {
        state().seal(&key(), &TestRuntime::default(), &ada(), &binding()).unwrap_or_default()
    }

    #[test]
    fn state_opens_for_the_same_request_of_the_same_caller() {
        assert_eq!(State::open(&sealed(), &key(), &ada(), &binding(), NOW + STATE_SECONDS - 1), Ok(state()));
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let binding = Binding { arguments: json!({"to": ["B", 1], "from": "A"}), ..binding() };
        assert!(State::open(&sealed(), &key(), &ada(), &binding, NOW).is_ok());
    }

    #[test]
    fn state_is_rejected_elsewhere_and_later() {
        let sealed = sealed();
        let open = |identity: &Identity, binding: &Binding, now| State::open(&sealed, &key(), identity, binding, now);
        assert_eq!(open(&ada(), &binding(), NOW + STATE_SECONDS), Err(Rejected));
        assert_eq!(open(&Identity::for_test("bob", ""), &binding(), NOW), Err(Rejected));
        assert_eq!(
            open(&ada().with(|verified| verified.issuer = "https://x.example".into()), &binding(), NOW),
            Err(Rejected)
        );
        assert_eq!(open(&ada().with(|verified| verified.client_id = None), &binding(), NOW), Err(Rejected));
        for other in [
            Binding { method: "prompts/get", ..binding() },
            Binding { name: "cancel".to_owned(), ..binding() },
            Binding { arguments: json!({"from": "A", "to": ["B", "1"]}), ..binding() },
            Binding { arguments: json!({"from": "A", "to": ["B"]}), ..binding() },
        ] {
            assert_eq!(open(&ada(), &other, NOW), Err(Rejected));
        }
        let moved = [RESOURCE.as_bytes(), b"0"].concat();
        for other in [
            StateKey::derive(b"other", RESOURCE),
            StateKey::derive(SECRET, "https://staging.example.com/mcp"),
            // Another place for the border between the two.
            StateKey::derive(&SECRET[1..], std::str::from_utf8(&moved).unwrap_or_default()),
        ] {
            assert_eq!(State::open(&sealed, &other, &ada(), &binding(), NOW), Err(Rejected));
        }
    }

    #[test]
    fn state_of_a_key_opens_for_that_key_alone() {
        let with_key = |id: &str| {
            let used = KeyUse { id: id.to_owned(), tools: None };
            ada().with(|verified| verified.credential = Credential::AccessKey(Rc::new(used)))
        };
        let sealed = state().seal(&key(), &TestRuntime::default(), &with_key("one"), &binding()).unwrap();
        let opens = |identity: &Identity| State::open(&sealed, &key(), identity, &binding(), NOW).is_ok();
        assert!(opens(&with_key("one")));
        assert!(!opens(&with_key("another")) && !opens(&ada()));
    }

    #[test]
    fn the_same_state_is_sealed_differently_each_time() {
        let runtime = TestRuntime::default();
        let seal = || state().seal(&key(), &runtime, &ada(), &binding());
        assert_ne!(seal(), seal());
    }

    #[test]
    fn state_has_a_limit() {
        let mut large = state();
        large.notes.insert("x".to_owned(), Value::String("x".repeat(STATE_BYTES)));
        assert_eq!(large.seal(&key(), &TestRuntime::default(), &ada(), &binding()), Err(SealError::TooLarge));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", key()), "StateKey");
    }

    proptest! {
        #[test]
        fn no_tampered_state_opens(position in 0_usize..200, replacement in "[A-Za-z0-9_-]", suffix in ".{0,4}") {
            let sealed = sealed();
            let mut tampered: Vec<char> = sealed.chars().collect();
            let position = position % tampered.len();
            tampered[position] = replacement.chars().next().unwrap_or('A');
            let tampered: String = tampered.into_iter().chain(suffix.chars()).collect();
            if tampered != sealed {
                prop_assert_eq!(State::open(&tampered, &key(), &ada(), &binding(), NOW), Err(Rejected));
            }
        }
    }
}
