//! What tests have in place of the platform.

use std::{cell::Cell, time::Duration};

use futures_util::future::LocalBoxFuture;
use mcp_edge_oauth::provider::{Provider, ProviderLocation};
use mcp_edge_runtime::{ports::Runtime, secret::Secret};
use serde_json::{Value, json};

use crate::client::{Client, SecretMethod};

pub const ISSUER: &str = "https://i.example";

/// Counts instead of drawing at random.
#[derive(Debug, Default)]
pub struct Counter(Cell<u8>);

impl Runtime for Counter {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        unreachable!("nothing here waits")
    }

    fn random(&self, buffer: &mut [u8]) {
        self.0.set(self.0.get() + 1);
        buffer.fill(self.0.get());
    }
}

/// The provider, whose document says this besides.
pub fn provider(change: impl FnOnce(&mut Value)) -> Provider {
    let mut document = json!({
        "issuer": ISSUER, "jwks_uri": "https://i.example/jwks", "authorization_endpoint": "https://i.example/auth",
        "token_endpoint": "https://i.example/token", "revocation_endpoint": "https://i.example/revoke",
    });
    change(&mut document);
    Provider::parse(&document.to_string(), &ProviderLocation::of_issuer(ISSUER)).expect("a good document")
}

/// Our client there.
pub fn client() -> Client {
    Client {
        client_id: "vault".to_owned(),
        client_secret: Some(Secret::new("p:w d")),
        method: SecretMethod::AsSupported,
        redirect_uri: "https://mcp.example.com/account/callback".to_owned(),
    }
}
