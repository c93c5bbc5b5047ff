//! Session ids of an upstream, sealed for one caller.
//!
//! A client gets the id of its session encrypted and authenticated, bound to the upstream, the user, the client and its
//! access key. What another caller shows does not open, and nothing is stored. The ids stay as long as the upstream knows
//! them.

use mcp_edge_identity::Identity;
use mcp_edge_runtime::{digest::sha256, ports::Runtime, seal::SealingKey, secret::Secret};

/// Separates these keys from others made from the same secret, and from other versions of the format. The key of
/// `requestState` is the digest of a text that begins with a zero byte, so no two inputs of both are the same.
const KEY_LABEL: &str = "mcp-edge session key v1";

/// Separates sealed session ids from anything else that may be sealed under this key.
const PURPOSE: &str = "mcp-session-id";

/// Of an upstream's session id. Those of the official servers have 36.
pub const MAX_ID_BYTES: usize = 1024;

/// A longer text is no sealed id: a nonce of 24 bytes, the id, a tag of 16 bytes, in base64url.
const MAX_SEALED_BYTES: usize = (24 + MAX_ID_BYTES + 16).div_ceil(3) * 4;

/// Seals the session ids of one upstream.
#[derive(Clone, Debug)]
pub struct SessionSeal {
    key: SealingKey,
    upstream: String,
}

impl SessionSeal {
    /// Creates the seal of the upstream at the URL `upstream` behind the endpoint at `resource` (`RESOURCE`), from a secret
    /// of at least 32 random bytes (`STATE_SECRET`). Another endpoint has another key, even from the same secret.
    #[must_use]
    pub fn new(secret: &Secret, resource: &str, upstream: &str) -> Self {
        // The length, so that the two cannot run into each other.
        let length = resource.len().to_string();
        let key = [KEY_LABEL, " ", &length, " ", resource, secret.expose()].concat();
        Self { key: SealingKey::new(sha256(&key)), upstream: upstream.to_owned() }
    }

    /// Seals an id of the upstream's for a caller, as visible ASCII. `None` if it is none that a client could send back: not
    /// visible ASCII (MCP 2025-11-25, basic/transports), empty, or longer than [`MAX_ID_BYTES`].
    #[must_use]
    pub fn seal(&self, id: &str, identity: &Identity, runtime: &dyn Runtime) -> Option<String> {
        if !is_session_id(id) {
            return None;
        }
        self.key.seal(id.as_bytes(), &self.associated(identity), runtime).ok()
    }

    /// Opens what was sealed for the same caller at the same upstream. `None` for everything else: such a session does not
    /// exist.
    #[must_use]
    pub fn open(&self, sealed: &str, identity: &Identity) -> Option<String> {
        if sealed.len() > MAX_SEALED_BYTES {
            return None;
        }
        let id = self.key.open(sealed, &self.associated(identity)).ok()?;
        String::from_utf8(id).ok().filter(|id| is_session_id(id))
    }

    /// What an id is bound to, each part behind its length. A part that is missing has a length that none has: a client
    /// without an organization is not one whose organization has no name.
    pub(crate) fn associated(&self, identity: &Identity) -> Vec<u8> {
        let parts = [
            Some(PURPOSE),
            Some(&*self.upstream),
            Some(identity.issuer()),
            Some(identity.subject()),
            identity.client_id(),
            identity.organization_id(),
        ];
        let mut associated = Vec::with_capacity(256);
        // Two keys of one user may be for different tools, and the streams of a session have the results of all.
        let key = identity.key_id().map(Some);
        for part in parts.into_iter().chain(key) {
            associated.extend(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            associated.extend(part.unwrap_or_default().as_bytes());
        }
        associated
    }
}

fn is_session_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use futures_util::future::LocalBoxFuture;
    use mcp_edge_identity::{Credential, KeyUse};
    use proptest::prelude::*;

    use super::*;

    /// Counts instead of drawing at random.
    #[derive(Default)]
    struct Counter(Cell<u8>);

    impl Runtime for Counter {
        fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
            unreachable!("sealing does not wait")
        }

        fn random(&self, buffer: &mut [u8]) {
            self.0.set(self.0.get().wrapping_add(1));
            buffer.fill(self.0.get());
        }
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const RESOURCE: &str = "https://mcp.example.com/mcp";
    const UPSTREAM: &str = "https://upstream.example.com/mcp";
    const ID: &str = "5e55-10n";

    fn of(secret: &str, resource: &str, upstream: &str) -> SessionSeal {
        SessionSeal::new(&Secret::new(secret), resource, upstream)
    }

    fn session() -> SessionSeal {
        of(SECRET, RESOURCE, UPSTREAM)
    }

    fn ada() -> Identity {
        Identity::for_test("ada", "")
    }

    fn with_key(id: &str) -> Identity {
        let used = KeyUse { id: id.to_owned(), tools: None };
        ada().with(|verified| verified.credential = Credential::AccessKey(Rc::new(used)))
    }

    fn sealed() -> String {
        session().seal(ID, &ada(), &Counter::default()).unwrap()
    }

    #[test]
    fn a_sealed_id_opens_for_the_same_caller() {
        assert_eq!(session().open(&sealed(), &ada()).as_deref(), Some(ID));
        let renewed = ada().with(|verified| {
            verified.expires_at += 600;
            verified.scopes = ["a"].into_iter().collect();
        });
        assert_eq!(session().open(&sealed(), &renewed).as_deref(), Some(ID), "with another token");
    }

    #[test]
    fn a_sealed_id_is_visible_ascii_and_does_not_show_the_id() {
        let sealed = sealed();
        assert!(is_session_id(&sealed));
        assert!(!sealed.contains(ID));
    }

    #[test]
    fn another_caller_does_not_open_it() {
        for other in [
            Identity::for_test("bob", ""),
            ada().with(|verified| verified.issuer = "https://other.example".into()),
            ada().with(|verified| verified.client_id = Some("other-client".into())),
            ada().with(|verified| verified.client_id = None),
            ada().with(|verified| verified.organization_id = Some("other".into())),
            ada().with(|verified| verified.organization_id = Some(String::new())),
            // Another place for the border between issuer and subject.
            ada().with(|verified| {
                verified.issuer = "https://issuer.examplea".into();
                verified.subject = "da".into();
            }),
            with_key("0123456789abcdef"),
            // The same text in another place.
            ada().with(|verified| verified.organization_id = verified.client_id.take()),
        ] {
            assert_eq!(session().open(&sealed(), &other), None, "{other:?}");
        }
    }

    #[test]
    fn the_session_of_a_key_opens_for_that_key_alone() {
        let sealed = session().seal(ID, &with_key("one"), &Counter::default()).unwrap();
        assert_eq!(session().open(&sealed, &with_key("one")).as_deref(), Some(ID));
        assert_eq!(session().open(&sealed, &with_key("another")), None);
        assert_eq!(session().open(&sealed, &ada()), None);
    }

    #[test]
    fn another_deployment_or_upstream_does_not_open_it() {
        for other in [
            of("another secret, as long as the other", RESOURCE, UPSTREAM),
            of(SECRET, "https://staging.example.com/mcp", UPSTREAM),
            of(SECRET, RESOURCE, "https://upstream.example.com/other"),
            // Another place for the border between resource and secret.
            of(&SECRET[1..], &[RESOURCE, &SECRET[..1]].concat(), UPSTREAM),
        ] {
            assert_eq!(other.open(&sealed(), &ada()), None);
        }
    }

    #[test]
    fn what_is_sealed_for_another_purpose_does_not_open() {
        let session = session();
        let mut associated = session.associated(&ada());
        let other = session.key.seal(ID.as_bytes(), &associated, &Counter::default()).unwrap();
        assert_eq!(session.open(&other, &ada()).as_deref(), Some(ID));
        associated[8] ^= 1;
        let other = session.key.seal(ID.as_bytes(), &associated, &Counter::default()).unwrap();
        assert_eq!(session.open(&other, &ada()), None);
    }

    #[test]
    fn an_id_that_no_client_could_send_is_not_sealed() {
        let seal = |id: &str| session().seal(id, &ada(), &Counter::default());
        let longest = "x".repeat(MAX_ID_BYTES);
        let sealed = seal(&longest).unwrap();
        assert!(sealed.len() <= MAX_SEALED_BYTES);
        assert_eq!(session().open(&sealed, &ada()), Some(longest.clone()));
        for id in ["", "a b", "a\nb", "ä", "a\u{7f}", "a\tb", &[&longest, "x"].concat()] {
            assert_eq!(seal(id), None, "{id:?}");
        }
    }

    #[test]
    fn what_was_sealed_and_is_no_id_does_not_open() {
        let session = session();
        for plain in ["a\nb", "", "ä"] {
            let sealed = session.key.seal(plain.as_bytes(), &session.associated(&ada()), &Counter::default()).unwrap();
            assert_eq!(session.open(&sealed, &ada()), None, "{plain:?}");
        }
    }

    #[test]
    fn the_same_id_is_sealed_differently_each_time() {
        let runtime = Counter::default();
        assert_ne!(session().seal(ID, &ada(), &runtime), session().seal(ID, &ada(), &runtime));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", session()).contains("0123"));
        assert!(format!("{:?}", session()).contains("SealingKey(…)"));
    }

    proptest! {
        #[test]
        fn no_other_text_opens(text in "[ -~]{0,200}") {
            prop_assert_eq!(session().open(&text, &ada()), None);
        }

        #[test]
        fn no_tampered_id_opens(position in 0_usize..64, replacement in "[A-Za-z0-9_-]") {
            let sealed = sealed();
            let mut tampered = sealed.clone();
            let position = position % tampered.len();
            tampered.replace_range(position..=position, &replacement);
            if tampered != sealed {
                prop_assert_eq!(session().open(&tampered, &ada()), None);
            }
        }
    }
}
