//! Initial access tokens (RFC 7591 §3): who has one may register, until it expires or is used up.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use mcp_edge::ports::Runtime;
use serde::{Deserialize, Serialize};

use crate::{
    policy::{Registrant, hex},
    registry::{Failure, Registry},
    store::{RegistrationStore, initial_token_key},
};

/// How every one of them begins.
const PREFIX: &str = "mcpinit_";

/// Shorter than a hash, and still unlike any other's.
const ID_CHARACTERS: usize = 16;

/// The store takes no shorter life.
const MIN_TTL_SECONDS: u64 = 60;

/// An initial access token as the store has it, under the hash of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialToken {
    /// What the operator called it.
    pub name: String,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// Registrations left; `None` for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u32>,
}

impl InitialToken {
    /// Whether it is good at `now`.
    #[must_use]
    pub fn is_good(&self, now: u64) -> bool {
        now < self.expires_at && self.uses_left != Some(0)
    }
}

/// What an isolate knows of the uses of tokens, by their keys in the store.
#[derive(Default)]
pub struct Uses(RefCell<HashMap<String, Left>>);

/// Uses of one token.
#[derive(Clone, Copy)]
struct Left {
    /// Neither spent nor held.
    free: u32,
    /// Of registrations that go on.
    held: u32,
}

/// A use of an initial access token, which is free again when this is dropped, unless it was spent.
pub struct InitialUse<'a> {
    uses: &'a Uses,
    key: String,
    token: InitialToken,
    is_held: bool,
}

impl InitialUse<'_> {
    /// Who its bearer is. Two tokens of the same name are two registrants.
    #[must_use]
    pub fn registrant(&self, token: &str) -> Registrant {
        Registrant::InitialToken { name: self.token.name.clone(), id: hex(token)[..ID_CHARACTERS].to_owned() }
    }

    fn end(&mut self, end: impl FnOnce(&mut Left)) -> Option<Left> {
        if !std::mem::take(&mut self.is_held) {
            return None;
        }
        let mut uses = self.uses.0.borrow_mut();
        let left = uses.get_mut(&self.key)?;
        left.held = left.held.saturating_sub(1);
        end(left);
        Some(*left)
    }
}

impl Drop for InitialUse<'_> {
    fn drop(&mut self) {
        self.end(|left| left.free = left.free.saturating_add(1));
    }
}

impl<'a, A, S: RegistrationStore, R: Runtime + ?Sized> Registry<'a, A, S, R> {
    /// Takes a use of the initial access token that a request from `network` carries, if it is good and has one left. The
    /// isolate counts exactly; at other locations a use may be seen a minute later.
    ///
    /// # Errors
    /// [`Failure::TooMany`], [`Failure::Store`].
    pub async fn take_use(&self, network: &str, token: &str) -> Result<Option<InitialUse<'a>>, Failure> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let guess = self.guess(network)?;
        let key = initial_token_key(token);
        let stored = self.store.get(&key).await?.and_then(|text| serde_json::from_str::<InitialToken>(&text).ok());
        let Some(token) = stored.filter(|token| token.is_good(self.now)) else {
            guess.refuted();
            return Ok(None);
        };
        let uses = &self.memory.uses;
        let Some(stored) = token.uses_left else { return Ok(Some(InitialUse { uses, key, token, is_held: false })) };
        let mut known = uses.0.borrow_mut();
        let left = known.entry(key.clone()).or_insert(Left { free: stored, held: 0 });
        // The store has not been told of those that are held.
        left.free = left.free.min(stored.saturating_sub(left.held));
        let Some(free) = left.free.checked_sub(1) else { return Ok(None) };
        *left = Left { free, held: left.held + 1 };
        Ok(Some(InitialUse { uses, key, token, is_held: true }))
    }

    /// Writes down that a use led to a client.
    ///
    /// # Errors
    /// [`Failure::Store`]; then this isolate remembers it all the same.
    pub async fn spend(&self, mut initial: InitialUse<'_>) -> Result<(), Failure> {
        let Some(left) = initial.end(|_| ()) else { return Ok(()) };
        let token = InitialToken { uses_left: Some(left.free + left.held), ..initial.token.clone() };
        let ttl = Duration::from_secs(token.expires_at.saturating_sub(self.now).max(MIN_TTL_SECONDS));
        let text = serde_json::to_string(&token).unwrap_or_default();
        Ok(self.store.put(&initial.key, &text, None, Some(ttl)).await?)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn initial_tokens_expire_and_are_used_up() {
        let token = InitialToken { name: "partner".into(), expires_at: NOW + 1, uses_left: Some(1) };
        assert!(token.is_good(NOW) && !token.is_good(NOW + 1));
        assert!(!InitialToken { uses_left: Some(0), ..token.clone() }.is_good(NOW));
        assert!(InitialToken { uses_left: None, ..token }.is_good(NOW));
    }
}
