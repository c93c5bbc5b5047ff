//! What Cloudflare provides, as [`Platform`].

use std::rc::Rc;

use mcp_edge::worker::EdgePorts;
use worker::Env;

use super::kv::Kv;
use crate::{
    ledger::kv::{KvLedger, Memory},
    services::Platform,
};

thread_local! {
    static MEMORY: Rc<Memory> = Rc::default();
}

/// The bindings of this Worker.
pub struct Cloudflare {
    store: Kv,
    ledger: KvLedger<Kv>,
    ports: EdgePorts,
}

impl Cloudflare {
    /// Creates the platform from the bindings.
    pub fn new(env: Env, ports: EdgePorts) -> Self {
        let store = Kv(env);
        Self { ledger: KvLedger::new(store.clone(), MEMORY.with(Rc::clone)), store, ports }
    }
}

impl Platform for Cloudflare {
    type Store = Kv;
    type Ledger = KvLedger<Kv>;
    type Ports = EdgePorts;

    fn store(&self) -> &Kv {
        &self.store
    }

    fn ledger(&self) -> &KvLedger<Kv> {
        &self.ledger
    }

    fn ports(&self) -> &EdgePorts {
        &self.ports
    }
}
