//! The notes of one user.
//!
//! ```text
//! key        <owner>/<id>      owner: SHA-256 of issuer and subject, 64 hexadecimal digits
//!                              id:    12 hexadecimal digits
//! value      the note as JSON
//! metadata   title and time, so that a list needs one read
//! ```
//!
//! A handler gets its [`Notebook`] from the verified identity of its call, and no handler ever sees a key. So whatever
//! a client sends, it reaches the notes of its own user and no others.

use mcp_edge::{Call, Identity, PromptError, ResourceError, ToolError};
use sha2::{Digest, Sha256};

use crate::{
    note::{Note, NoteId, Summary, hex},
    store::{Metadata, NoteStore, StoreError},
};

/// 200 notes for each user: what a model can still choose from, and one page of KV. Two requests at the same moment
/// may exceed it, since KV has no transactions; it is a bound for growth, not a quota that somebody pays for.
pub const NOTES: usize = 200;

/// The notes of the user who calls.
pub struct Notebook<S> {
    store: S,
    /// What all keys of this user, and only those, begin with.
    prefix: String,
}

/// Why a notebook cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotebookError {
    /// There is no such note, or it is somebody else's: the two must look the same.
    NotFound(NoteId),
    /// No room for so many more.
    Full,
    /// The store failed, or holds what it should not.
    Store(StoreError),
}

impl<S: NoteStore> Notebook<S> {
    /// The notebook of the user who calls.
    #[must_use]
    pub fn of(call: &Call<S>) -> Self {
        Self { store: call.env().clone(), prefix: prefix(call.identity()) }
    }

    /// All notes, the newest first.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub async fn summaries(&self) -> Result<Vec<Summary>, NotebookError> {
        let entries = self.store.list(&self.prefix).await?;
        let summaries = entries.into_iter().map(|(key, Metadata { title, created_at })| {
            let id = key.strip_prefix(&self.prefix).unwrap_or_default().to_owned();
            let id = NoteId::try_from(id).map_err(|_| StoreError(format!("{key} is no key of a note")))?;
            Ok(Summary { uri: id.uri(), id, title, created_at })
        });
        let mut summaries = summaries.collect::<Result<Vec<_>, NotebookError>>()?;
        summaries.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
        Ok(summaries)
    }

    /// A note.
    ///
    /// # Errors
    /// [`NotebookError::NotFound`] or [`NotebookError::Store`].
    pub async fn find(&self, id: &NoteId) -> Result<Note, NotebookError> {
        let text = self.store.get(&self.key(id)).await?.ok_or_else(|| NotebookError::NotFound(id.clone()))?;
        serde_json::from_str(&text).map_err(|error| StoreError(format!("note {id}: {error}")).into())
    }

    /// Checks that `count` more notes have room.
    ///
    /// # Errors
    /// [`NotebookError::Full`] or [`NotebookError::Store`].
    pub async fn has_room_for(&self, count: usize) -> Result<(), NotebookError> {
        let present = self.store.list(&self.prefix).await?.len();
        if present + count > NOTES { Err(NotebookError::Full) } else { Ok(()) }
    }

    /// Writes a note.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub async fn write(&self, note: &Note) -> Result<(), NotebookError> {
        let text = serde_json::to_string(note).map_err(|error| StoreError(error.to_string()))?;
        let metadata = Metadata { title: note.title.clone(), created_at: note.created_at };
        Ok(self.store.put(&self.key(&note.id), &text, &metadata).await?)
    }

    /// Removes a note for good.
    ///
    /// # Errors
    /// [`NotebookError::Store`].
    pub async fn remove(&self, id: &NoteId) -> Result<(), NotebookError> {
        Ok(self.store.delete(&self.key(id)).await?)
    }

    fn key(&self, id: &NoteId) -> String {
        format!("{}{id}", self.prefix)
    }
}

/// What the keys of a user begin with.
///
/// A subject is unique together with its issuer only, so both go in; with the subject alone, a second issuer could make
/// an account that opens the notes of a first one's user. They are hashed, with the length of the first part in front:
/// written out, a subject with a `/` in it could be made to look like another user's prefix, or like the end of another
/// issuer. A digest has always the same length, so no prefix begins with another one, and a listing of the namespace
/// tells nobody who keeps notes.
fn prefix(identity: &Identity) -> String {
    let length = (identity.issuer().len() as u64).to_be_bytes();
    let digest = Sha256::new().chain_update(length).chain_update(identity.issuer()).chain_update(identity.subject());
    format!("{}/", hex(&digest.finalize()))
}

impl From<StoreError> for NotebookError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the model reads, and what only the operator does.
impl From<NotebookError> for ToolError {
    fn from(error: NotebookError) -> Self {
        match error {
            NotebookError::NotFound(id) => Self::new(format!("there is no note {id}; list_notes shows all")),
            NotebookError::Full => Self::new(format!("there is room for {NOTES} notes in all; delete some first")),
            NotebookError::Store(StoreError(detail)) => Self::internal(detail),
        }
    }
}

impl From<NotebookError> for ResourceError {
    fn from(error: NotebookError) -> Self {
        match error {
            NotebookError::NotFound(_) => Self::not_found(),
            NotebookError::Full => Self::new("the notebook is full"),
            NotebookError::Store(StoreError(detail)) => Self::internal(detail),
        }
    }
}

impl From<NotebookError> for PromptError {
    fn from(error: NotebookError) -> Self {
        match error {
            NotebookError::NotFound(id) => Self::new(format!("there is no note {id}")),
            NotebookError::Full => Self::new("the notebook is full"),
            NotebookError::Store(StoreError(detail)) => Self::internal(detail),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: &str, subject: &str) -> String {
        prefix(&Identity::for_test(subject, "").with(|verified| verified.issuer = issuer.to_owned()))
    }

    #[test]
    fn a_prefix_belongs_to_one_user_of_one_issuer() {
        let ada = of("https://a.example", "ada");
        assert_eq!(ada, of("https://a.example", "ada"));
        for (issuer, subject) in [
            ("https://b.example", "ada"),
            ("https://a.example", "ada2"),
            ("https://a.example", "ada/"),
            ("https://a.exampl", "eada"),
            ("https://a.exampleada", ""),
        ] {
            let other = of(issuer, subject);
            assert_ne!(ada, other, "{issuer} {subject}");
            assert_eq!(ada.len(), other.len(), "{issuer} {subject}");
        }
    }
}
