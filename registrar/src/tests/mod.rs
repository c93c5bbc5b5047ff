//! The operations on clients natively: who may make how many clients, what becomes of repetitions, races and faults.

mod app;
mod changes;
mod cleanup;
mod cleanup_order;
mod lease;
mod ledger;
mod limits;
mod locations;
mod register;
mod repeated;
mod rules;
mod tokens;

use serde_json::json;

use crate::{
    client_metadata::ClientMetadata,
    clients::register::{RegisterError, Registered, Registration, Via},
    policy::Registrant,
    record::Record,
    testing::World,
};

/// Where everything comes from, if it does not matter.
const HERE: &str = "192.0.2.1";

fn metadata(name: &str) -> ClientMetadata {
    let body = json!({
        "client_name": name, "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
        "scope": "whoami:read admin",
    });
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

fn confidential(name: &str) -> ClientMetadata {
    let body = json!({"client_name": name, "redirect_uris": ["https://agent.example.com/cb"]});
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

fn anyone() -> Registrant {
    Registrant::Anyone { network: HERE.to_owned() }
}

fn developer(subject: &str) -> Registrant {
    Registrant::Developer { issuer: "https://tenant.example/oidc".to_owned(), subject: subject.to_owned() }
}

fn request(metadata: ClientMetadata, registrant: Registrant) -> Registration<'static> {
    Registration { metadata, registrant, via: Via::Endpoint, reservation: None }
}

/// From a form of the portal with this number.
fn form(number: &'static str, metadata: ClientMetadata, subject: &str) -> Registration<'static> {
    Registration { metadata, registrant: developer(subject), via: Via::Portal { form: number }, reservation: None }
}

impl World {
    fn register(&self, metadata: ClientMetadata, registrant: Registrant) -> Result<Registered, RegisterError> {
        self.with(async |registry| registry.register(request(metadata, registrant)).await)
    }

    fn record(&self, client_id: &str) -> Option<Record> {
        self.with(async |registry| registry.find(client_id).await).unwrap()
    }
}
