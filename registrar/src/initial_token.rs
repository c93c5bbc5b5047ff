//! Initial access tokens (RFC 7591 §3): who has one may register, until it expires or is used up.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use mcp_edge::ports::Runtime;
use serde::{Deserialize, Serialize};

use crate::{
    policy::{Registrant, hex},
    registry::{Failure, Registry},
    store::{RegistrationStore, initial_token_key, initial_use_prefix},
};

/// How every one of them begins.
const PREFIX: &str = "mcpinit_";

/// Shorter than a hash, and still unlike any other's.
const ID_CHARACTERS: usize = 16;

/// The store takes no shorter life.
const MIN_TTL_SECONDS: u64 = 60;

/// An initial access token as the store has it, under the hash of the token. Only the operator writes it, so that no
/// registration brings back what they have revoked; each use is a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialToken {
    /// What the operator called it.
    pub name: String,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// How many registrations it is good for, beside those that an earlier version has counted off already; `None` for
    /// any number.
    #[serde(default, rename = "uses_left", skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

impl InitialToken {
    /// Whether it is good at `now`, unless it is used up.
    #[must_use]
    pub fn is_good(&self, now: u64) -> bool {
        now < self.expires_at && self.uses != Some(0)
    }
}

/// What an isolate knows of the uses of tokens, by the prefixes of their uses in the store.
#[derive(Default)]
pub struct Uses(RefCell<HashMap<String, Local>>);

/// Uses of one token here.
#[derive(Default)]
struct Local {
    /// Of registrations that go on.
    held: usize,
    /// Keys of uses that lists did not show yet.
    spent: Vec<String>,
}

/// A use of an initial access token, which is free again when this is dropped, unless it was spent.
pub struct InitialUse<'a> {
    uses: &'a Uses,
    prefix: String,
    token: InitialToken,
    is_held: bool,
}

impl InitialUse<'_> {
    /// Who its bearer is. Two tokens of the same name are two registrants.
    #[must_use]
    pub fn registrant(&self, token: &str) -> Registrant {
        Registrant::InitialToken { name: self.token.name.clone(), id: hex(token)[..ID_CHARACTERS].to_owned() }
    }

    /// Gives the use back, or spends it for the client with this key. Whether there was one.
    fn end(&mut self, spent: Option<&str>) -> bool {
        if !std::mem::take(&mut self.is_held) {
            return false;
        }
        let mut uses = self.uses.0.borrow_mut();
        if let Some(local) = uses.get_mut(&self.prefix) {
            local.held = local.held.saturating_sub(1);
            local.spent.extend(spent.map(str::to_owned));
        }
        true
    }
}

impl Drop for InitialUse<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<'a, A, S: RegistrationStore, R: Runtime + ?Sized> Registry<'a, A, S, R> {
    /// Takes a use of the initial access token that a request from `network` carries, if it is good and has one left. The
    /// isolate counts exactly; other locations may see a use a minute later.
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
        let Some(stored) = stored.filter(|stored| stored.is_good(self.now)) else {
            guess.refuted();
            return Ok(None);
        };
        let (uses, prefix) = (&self.memory.uses, initial_use_prefix(token));
        let Some(total) = stored.uses else {
            return Ok(Some(InitialUse { uses, prefix, token: stored, is_held: false }));
        };
        let listed = self.keys(&prefix).await?;
        // No await from here on: two requests must not take the same use.
        let mut known = uses.0.borrow_mut();
        let local = known.entry(prefix.clone()).or_default();
        local.spent.retain(|spent| listed.iter().all(|(client_id, _)| client_id != spent));
        if listed.len() + local.spent.len() + local.held >= total as usize {
            return Ok(None);
        }
        local.held += 1;
        Ok(Some(InitialUse { uses, prefix, token: stored, is_held: true }))
    }

    /// Writes down that a use led to this client.
    ///
    /// # Errors
    /// [`Failure::Store`]; then this isolate remembers it all the same.
    pub async fn spend(&self, mut initial: InitialUse<'_>, client_id: &str) -> Result<(), Failure> {
        if !initial.end(Some(client_id)) {
            return Ok(());
        }
        let ttl = Duration::from_secs(initial.token.expires_at.saturating_sub(self.now).max(MIN_TTL_SECONDS));
        Ok(self.store.put(&format!("{}{client_id}", initial.prefix), "", None, Some(ttl)).await?)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn initial_tokens_expire_and_are_used_up() {
        let token = InitialToken { name: "partner".into(), expires_at: NOW + 1, uses: Some(1) };
        assert!(token.is_good(NOW) && !token.is_good(NOW + 1));
        assert!(!InitialToken { uses: Some(0), ..token.clone() }.is_good(NOW));
        assert!(InitialToken { uses: None, ..token }.is_good(NOW));
    }
}
