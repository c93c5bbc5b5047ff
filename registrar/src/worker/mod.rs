//! The adapter to Cloudflare Workers: the bindings of this Worker, and its Durable Object.

mod kv;

use mcp_edge_runtime::{
    cloudflare::{Binding, Bindings, EdgeRuntime, EdgeServices, Env, ObjectState, Request, answer, setting},
    http::Response,
};

use self::kv::Kv;
use crate::{
    ledger::{
        client::ObjectLedger,
        message::{self, MAX_MESSAGE_BYTES},
        remembering::{Refusals, Remembering},
        sql_rows::SqlRows,
    },
    platform::Platform,
    registrar::Registrar,
    settings::Settings,
};

/// What `wrangler.toml` binds. Nothing limits failed authentications.
const BINDINGS: Bindings = Bindings { store: "JWKS", rate_limiter: "RATE_LIMITER" };

/// The Durable Object of the ledger: its binding, and the name of the only one.
const LEDGER: (&str, &str) = ("LEDGER", "all");

mcp_edge_runtime::worker!(Registrar<Cloudflare>, create, scheduled);
mcp_edge_runtime::durable_object!(RegistrationLedger, fetch = ledger);

fn create(env: &Env) -> Result<Registrar<Cloudflare>, String> {
    let settings = Settings::parse(|name| setting(env, name)).map_err(|errors| errors.to_string())?;
    let store = Kv(env.clone());
    let object = Binding::object(env, LEDGER.0, LEDGER.1);
    let ledger = Remembering::new(ObjectLedger::new(object, store.clone(), EdgeRuntime), Refusals::default());
    let services = EdgeServices::new(env.clone(), BINDINGS);
    Ok(Registrar::new(settings, Cloudflare { store, ledger, services }))
}

/// Answers a message to the Durable Object. Between reading and writing nothing is awaited.
async fn ledger(state: ObjectState, _: Env, request: Request) -> Response {
    answer(request, MAX_MESSAGE_BYTES, async |message| {
        message::answer(&SqlRows::new(&state), &message, worker::Date::now().as_millis() / 1000)
    })
    .await
}

/// The platform: bindings and services of Cloudflare.
struct Cloudflare {
    store: Kv,
    ledger: Remembering<ObjectLedger<Binding, Kv, EdgeRuntime>, Refusals>,
    services: EdgeServices,
}

impl Platform for Cloudflare {
    type Store = Kv;
    type Ledger = Remembering<ObjectLedger<Binding, Kv, EdgeRuntime>, Refusals>;
    type Services = EdgeServices;

    fn store(&self) -> &Kv {
        &self.store
    }

    fn ledger(&self) -> &Self::Ledger {
        &self.ledger
    }

    fn services(&self) -> &EdgeServices {
        &self.services
    }
}
