//! Typed access to what is stored of clients.

use std::{future::poll_fn, task::Poll};

use futures_util::future::maybe_done;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Page, RegistrationStore, StorageError,
    keys::{client_key, metadata_key, owner_prefix, usage_key},
};
use crate::{
    client_metadata::ClientMetadata,
    record::{Listed, Owner, Record, Usage},
};

/// The records of clients in a store.
pub struct Records<'a, S>(pub &'a S);

impl<S: RegistrationStore> Records<'_, S> {
    /// The record of a client, with its present metadata.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find(&self, client_id: &str) -> Result<Option<Record>, StorageError> {
        match self.registered(client_id).await? {
            Some(record) => self.with_present_metadata(client_id, record).await.map(Some),
            None => Ok(None),
        }
    }

    /// The record as it was written when the client was registered.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn registered(&self, client_id: &str) -> Result<Option<Record>, StorageError> {
        self.read(&client_key(client_id), "the record", client_id).await
    }

    /// The same record with the metadata after the last change.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn with_present_metadata(&self, client_id: &str, record: Record) -> Result<Record, StorageError> {
        Ok(match self.changed_metadata(client_id).await? {
            Some(metadata) => Record { metadata, ..record },
            None => record,
        })
    }

    /// Writes the record of a new client. Nobody writes it again.
    ///
    /// # Errors
    /// [`StorageError`]; then a part of it may have been written.
    pub async fn put_new(&self, client_id: &str, record: &Record) -> Result<(), StorageError> {
        let listed = serde_json::to_value(record.listed()).unwrap_or_default();
        if let Owner::Developer { issuer, subject } = &record.owner {
            let key = format!("{}{client_id}", owner_prefix(issuer, subject));
            self.0.put(&key, "", Some(&listed), None).await?;
        }
        let text = serde_json::to_string(record).unwrap_or_default();
        Ok(self.0.put(&client_key(client_id), &text, Some(&listed), None).await?)
    }

    /// Writes changed metadata.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_metadata(&self, client_id: &str, metadata: &ClientMetadata) -> Result<(), StorageError> {
        let text = serde_json::to_string(metadata).unwrap_or_default();
        Ok(self.0.put(&metadata_key(client_id), &text, None, None).await?)
    }

    /// Removes what is stored of a client, the record last: as long as there is one, this can be repeated.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn forget(&self, client_id: &str, record: &Record) -> Result<(), StorageError> {
        self.0.delete(&usage_key(client_id)).await?;
        self.0.delete(&metadata_key(client_id)).await?;
        if let Owner::Developer { issuer, subject } = &record.owner {
            self.0.delete(&format!("{}{client_id}", owner_prefix(issuer, subject))).await?;
        }
        Ok(self.0.delete(&client_key(client_id)).await?)
    }

    /// A developer's clients with their present names, newest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn list(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, StorageError> {
        let mut clients = self.owned(issuer, subject).await?;
        // All at once, as `join_all` does, which for any number of futures is 7 KB of code.
        let mut reads: Vec<_> =
            clients.iter().map(|(client_id, _)| Box::pin(maybe_done(self.changed_metadata(client_id)))).collect();
        poll_fn(|context| {
            let pending = reads.iter_mut().filter_map(|read| read.as_mut().poll(context).is_pending().then_some(()));
            if pending.count() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let changed: Vec<_> = reads.iter_mut().map(|read| read.as_mut().take_output()).collect();
        drop(reads);
        for ((_, listed), metadata) in clients.iter_mut().zip(changed) {
            // A client whose metadata cannot be read keeps its first name: it must not hide the others.
            if let Some(Ok(Some(metadata))) = metadata {
                listed.name = metadata.client_name;
            }
        }
        Ok(clients)
    }

    /// A developer's clients with the names that they were registered with, newest first.
    async fn owned(&self, issuer: &str, subject: &str) -> Result<Vec<(String, Listed)>, StorageError> {
        let keys = self.keys(&owner_prefix(issuer, subject)).await?;
        let mut clients: Vec<(String, Listed)> = Vec::with_capacity(keys.len());
        for (client_id, listed) in keys {
            let Ok(listed) = serde_json::from_value::<Listed>(listed) else { continue };
            let place = clients.partition_point(|(_, other)| other.created_at >= listed.created_at);
            clients.insert(place, (client_id, listed));
        }
        Ok(clients)
    }

    /// What the scheduled run knows of a client's use.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn usage(&self, client_id: &str) -> Result<Usage, StorageError> {
        let usage = self.read(&usage_key(client_id), "what is known of the use", client_id).await?;
        Ok(usage.unwrap_or_default())
    }

    /// Writes what the scheduled run knows of a client's use.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_usage(&self, client_id: &str, usage: Usage) -> Result<(), StorageError> {
        let listed = serde_json::to_value(usage).unwrap_or_default();
        Ok(self.0.put(&usage_key(client_id), &listed.to_string(), Some(&listed), None).await?)
    }

    /// All keys that begin with `prefix`, without it, and their metadata.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn keys(&self, prefix: &str) -> Result<Vec<(String, Value)>, StorageError> {
        let (mut keys, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let Page { keys: page, cursor: next } = self.0.list(prefix, cursor.as_deref()).await?;
            keys.extend(
                page.into_iter().filter_map(|(key, listed)| Some((key.strip_prefix(prefix)?.to_owned(), listed))),
            );
            cursor = next;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// The metadata after the last change; `None` if there was none.
    async fn changed_metadata(&self, client_id: &str) -> Result<Option<ClientMetadata>, StorageError> {
        self.read(&metadata_key(client_id), "the metadata", client_id).await
    }

    async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        key: &str,
        what: &'static str,
        client_id: &str,
    ) -> Result<Option<T>, StorageError> {
        let Some(text) = self.0.get(key).await? else { return Ok(None) };
        let unreadable = |_| StorageError::Unreadable { what, client_id: client_id.to_owned() };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }
}
