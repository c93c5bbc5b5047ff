//! Workers KV as a [`NoteStore`].
//!
//! KV is eventually consistent: another location may see a new note up to a minute later, and a deleted one as long
//! after. For notes that is good enough; where it is not, use a Durable Object or D1 behind the same trait.

use worker::{Env, KvError, kv::KvStore};

use crate::store::{Metadata, NoteStore, StoreError};

/// The namespace's name in `wrangler.toml`.
const BINDING: &str = "NOTES";

/// What the tools get from [`Call::env`](mcp_edge::Call::env) is the Worker's own environment.
impl NoteStore for Env {
    async fn list(&self, prefix: &str) -> Result<Vec<(String, Metadata)>, StoreError> {
        // One page of KV has a thousand keys, five times what a notebook holds.
        let page = notes(self)?.list().prefix(prefix.to_owned()).execute().await.map_err(failed)?;
        let entries = page.keys.into_iter().map(|entry| {
            let metadata = serde_json::from_value(entry.metadata.unwrap_or_default());
            metadata.map(|metadata| (entry.name, metadata)).map_err(|error| StoreError(error.to_string()))
        });
        entries.collect()
    }

    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        notes(self)?.get(key).text().await.map_err(failed)
    }

    async fn put(&self, key: &str, text: &str, metadata: &Metadata) -> Result<(), StoreError> {
        let put = notes(self)?.put(key, text).and_then(|put| put.metadata(metadata)).map_err(failed)?;
        put.execute().await.map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        notes(self)?.delete(key).await.map_err(failed)
    }
}

fn notes(env: &Env) -> Result<KvStore, StoreError> {
    env.kv(BINDING).map_err(|error| StoreError(error.to_string()))
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn failed(error: KvError) -> StoreError {
    StoreError(error.to_string())
}
