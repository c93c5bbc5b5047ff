//! Workers KV as a [`RegistrationStore`].

use std::time::Duration;

use mcp_edge_runtime::ports::StoreError;
use serde_json::Value;
use worker::{Env, KvError, js_sys, kv::KvStore, wasm_bindgen::JsCast};

use crate::storage::{Page, RegistrationStore};

/// The namespace's name in `wrangler.toml`.
const BINDING: &str = "REGISTRATIONS";

/// The namespace.
#[derive(Clone)]
pub struct Kv(pub Env);

impl Kv {
    fn namespace(&self) -> Result<KvStore, StoreError> {
        self.0.kv(BINDING).map_err(|_| not_bound())
    }
}

impl RegistrationStore for Kv {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.namespace()?.get(key).text().await.map_err(failed)
    }

    async fn put(
        &self,
        key: &str,
        value: &str,
        listed: Option<&Value>,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        let mut put = self.namespace()?.put(key, value).map_err(failed)?;
        if let Some(listed) = listed {
            put = put.metadata(listed).map_err(failed)?;
        }
        if let Some(ttl) = ttl {
            put = put.expiration_ttl(ttl.as_secs());
        }
        put.execute().await.map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.namespace()?.delete(key).await.map_err(failed)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError> {
        let mut list = self.namespace()?.list().prefix(prefix.to_owned());
        if let Some(cursor) = cursor {
            list = list.cursor(cursor.to_owned());
        }
        let page = list.execute().await.map_err(failed)?;
        let keys = page.keys.into_iter().map(|key| (key.name, key.metadata.unwrap_or_default())).collect();
        Ok(Page { keys, cursor: page.cursor.filter(|cursor| !page.list_complete && !cursor.is_empty()) })
    }
}

fn not_bound() -> StoreError {
    StoreError(format!("there is no key-value namespace bound to {BINDING}"))
}

/// In the platform's own words, without what JavaScript adds to them: `KV PUT failed: 500 Internal Server Error`.
#[allow(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn failed(error: KvError) -> StoreError {
    StoreError(match error {
        KvError::JavaScript(thrown) => {
            thrown.dyn_ref::<js_sys::Error>().map_or_else(|| "unknown error".to_owned(), |error| error.message().into())
        }
        KvError::Serialization(error) => error.to_string(),
        KvError::InvalidKvStore(_) => return not_bound(),
    })
}
