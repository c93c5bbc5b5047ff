//! The keys of users: reading the list, and revoking. What pages, holders of keys and administrators have in common.

use futures_util::future::join_all;
use mcp_edge_runtime::secret::Secret;

use crate::{
    account::message::{Answer as AccountAnswer, GrantOutcome, Request as AccountRequest},
    audit::Event,
    deployment::{Deployment, Owner},
    key::message::{Answer as KeyAnswer, Description, Request as KeyRequest, State},
    platform::{ObjectError, Platform},
};

/// So many keys of a user are asked what they are; the list has those that may work first, and forgets those that ended a month ago.
const MAX_LISTED: usize = 200;

/// A key in a user's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The name, which is known even if the key cannot be asked.
    pub name: String,
    /// When it ended, as far as the list knows.
    pub gone_at: Option<u64>,
    /// What the key says; `None`: it cannot be asked.
    pub key: Option<Description>,
}

/// The keys of a user: those that may work first, the newest of each first. A list that does not know of the end of a key
/// learns it. A key that cannot be asked is listed all the same.
///
/// # Errors
/// [`ObjectError`]: the list itself cannot be read.
pub async fn keys_of<P: Platform>(deployment: &Deployment<P>, owner: &Owner) -> Result<Vec<Listed>, ObjectError> {
    let AccountAnswer::Keys(entries) = deployment.account(owner, &AccountRequest::List).await? else {
        return Ok(Vec::new());
    };
    let entries = entries.into_iter().take(MAX_LISTED).filter(|entry| deployment.secrets.is_own_id(&entry.id));
    let described = entries.map(async |entry| {
        let key = match deployment.key(&entry.id, KeyRequest::Describe).await {
            Ok(KeyAnswer::Key(key)) if is_of(&key, owner) => Some(*key),
            // It is being made, or was not made after all.
            Ok(_) => return None,
            Err(_) => None,
        };
        Some(Listed { id: entry.id, name: entry.name, gone_at: entry.gone_at, key })
    });
    let listed: Vec<Listed> = join_all(described).await.into_iter().flatten().collect();
    for Listed { id, gone_at, key, .. } in &listed {
        if gone_at.is_none() && key.as_ref().is_some_and(|key| key.state != State::Active) {
            // If this fails, the next one who looks does it.
            let _ = deployment.account(owner, &AccountRequest::Gone { id: id.clone() }).await;
        }
    }
    Ok(listed)
}

/// Whose key it is.
#[must_use]
pub fn is_of(key: &Description, owner: &Owner) -> bool {
    key.issuer == owner.issuer && key.subject == owner.subject
}

/// What has become of a key that was to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedKey {
    /// It is revoked, now or before.
    Revoked {
        /// The key.
        key: Box<Description>,
        /// What has become of the grant behind it; `None`: that could not be said, and is tried again.
        grant: Option<GrantOutcome>,
    },
    /// There is no such key, or its secret is another.
    Unknown,
}

/// Revokes a key, then the grant behind it as far as no other key needs that. With `secret` only if that is the key's.
///
/// # Errors
/// [`ObjectError`]: it may still work.
pub async fn revoke<P: Platform>(
    deployment: &Deployment<P>,
    id: &str,
    by: &str,
    secret: Option<&Secret>,
) -> Result<RevokedKey, ObjectError> {
    let request = KeyRequest::Revoke { by: by.to_owned(), secret: secret.map(|secret| secret.expose().to_owned()) };
    if !matches!(deployment.key(id, request).await?, KeyAnswer::Done) {
        return Ok(RevokedKey::Unknown);
    }
    let KeyAnswer::Key(key) = deployment.key(id, KeyRequest::Describe).await? else { return Ok(RevokedKey::Unknown) };
    deployment.audit().record(Event::KeyRevoked, id, &key.subject, by, None);
    let owner = Owner { issuer: key.issuer.clone(), subject: key.subject.clone() };
    let gone = deployment.account(&owner, &AccountRequest::Gone { id: id.to_owned() }).await;
    let grant = match gone {
        Ok(AccountAnswer::Grant(outcome)) => Some(outcome),
        Ok(_) | Err(_) => None,
    };
    Ok(RevokedKey::Revoked { key, grant })
}
