//! A named entrypoint: callers are distinguished by the `props` of their bindings.

use std::time::Duration;

use mcp_edge_runtime::{
    cloudflare::{EdgeRuntime, Env, setting},
    ports::Runtime,
    service_call::{Props, Service},
};
use serde_json::{Value, json};

/// What the Worker keeps for its callers.
pub struct Vault {
    secret: String,
}

impl Vault {
    /// Creates a vault with the secret of the settings.
    ///
    /// # Errors
    /// Names the missing setting.
    pub fn new(env: &Env) -> Result<Self, String> {
        let secret = setting(env, "VAULT_SECRET").ok_or("VAULT_SECRET must be set")?;
        Ok(Self { secret })
    }
}

/// A caller with the role of a reader.
pub struct Reader {
    tenant: String,
}

impl Service for Vault {
    type Caller = Reader;

    const MAX_MESSAGE: usize = 1024;

    fn authorize(&self, props: &Props) -> Option<Reader> {
        let is_reader = props.string("role") == Some("reader");
        let tenant = props.string("tenant")?;
        is_reader.then(|| Reader { tenant: tenant.to_owned() })
    }

    async fn answer(&self, caller: Reader, message: String) -> Result<String, String> {
        let message: Value = serde_json::from_str(&message).map_err(|error| error.to_string())?;
        if let Some(milliseconds) = message["wait"].as_u64() {
            EdgeRuntime.sleep(Duration::from_millis(milliseconds)).await;
        }
        if let Some(length) = message["length"].as_u64() {
            return Ok(json!("a".repeat(usize::try_from(length).unwrap_or_default())).to_string());
        }
        if message["fail"] == true {
            return Err("as this message is meant to".to_owned());
        }
        assert!(message["crash"] != true, "as this message is meant to");
        Ok(json!({ "tenant": caller.tenant, "secret": self.secret }).to_string())
    }
}
