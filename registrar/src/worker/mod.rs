//! The adapter to Cloudflare Workers: the bindings of this Worker.

mod kv;

use std::rc::Rc;

use mcp_edge_runtime::cloudflare::{Bindings, EdgeServices, Env, setting};

use self::kv::Kv;
use crate::{
    deployment::Platform,
    ledger::kv::{KvLedger, Memory},
    registrar::Registrar,
    settings::Settings,
};

/// What `wrangler.toml` binds. Nothing limits failed authentications.
const BINDINGS: Bindings = Bindings { store: "JWKS", rate_limiter: "RATE_LIMITER" };

mcp_edge_runtime::worker!(Registrar<Cloudflare>, create, scheduled);

fn create(env: &Env) -> Result<Registrar<Cloudflare>, String> {
    let settings = Settings::parse(|name| setting(env, name)).map_err(|errors| errors.to_string())?;
    let store = Kv(env.clone());
    let ledger = KvLedger::new(store.clone(), Rc::<Memory>::default());
    let services = EdgeServices::new(env.clone(), BINDINGS);
    Ok(Registrar::new(settings, Cloudflare { store, ledger, services }))
}

/// What Cloudflare provides.
struct Cloudflare {
    store: Kv,
    ledger: KvLedger<Kv>,
    services: EdgeServices,
}

impl Platform for Cloudflare {
    type Store = Kv;
    type Ledger = KvLedger<Kv>;
    type Services = EdgeServices;

    fn store(&self) -> &Kv {
        &self.store
    }

    fn ledger(&self) -> &KvLedger<Kv> {
        &self.ledger
    }

    fn services(&self) -> &EdgeServices {
        &self.services
    }
}
