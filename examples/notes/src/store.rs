//! The little that notebooks need from a store: text under keys, found again by the beginning of the key.

use mcp_edge::schema;

/// What a list shows of an entry without reading it.
#[schema]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Of the note.
    pub title: String,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// A store that all users share. It knows nothing of users: [`notebook`](crate::notebook) keeps them apart.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait NoteStore: Clone + 'static {
    /// The keys that begin with `prefix`, with their metadata. A thousand at most.
    ///
    /// # Errors
    /// What the store said.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, Metadata)>, StoreError>;

    /// The text under `key`.
    ///
    /// # Errors
    /// What the store said.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Puts `text` under `key`.
    ///
    /// # Errors
    /// What the store said.
    async fn put(&self, key: &str, text: &str, metadata: &Metadata) -> Result<(), StoreError>;

    /// Removes what is under `key`, if there is anything.
    ///
    /// # Errors
    /// What the store said.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// What a store says when it fails. For the operator's log, never for users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);
