//! Access keys and personal access tokens: exchanged for access tokens, which are verified like any other.

mod caching;
mod keys;
mod personal_tokens;
mod places;
pub mod reasons;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use mcp_edge_access_keys::{
    format,
    vault_call::{Answer as VaultAnswer, KeyToken, Refusal},
};
use mcp_edge_identity::Identity;
use mcp_edge_oauth::{
    denial::{Denial, Reason},
    exchange::Exchanges,
    resource_server::{ResourceServer, TrustPolicy},
    settings::{CredentialSettings, Resource},
};
use mcp_edge_runtime::{
    ports::Runtime,
    secret::Secret,
    service_call::{CallError, CallService},
    settings::Reader,
};
use serde_json::{Value, json};

use crate::support::{
    tokens::{ISSUER, RESOURCE, Scene, send},
    world::{Answer, World},
};

pub const PAT: &str = "pat_0123456789abcdefghijklmnopqrstuv";

const PAT_SETTINGS: [(&str, &str); 4] =
    [("PAT_PREFIX", "pat_"), ("PAT_SCOPES", "whoami:read"), ("PAT_CLIENT_ID", "us"), ("PAT_CLIENT_SECRET", "s3cret")];

/// A vault, played by the test.
#[derive(Clone)]
pub struct Vault(Rc<VaultState>);

struct VaultState {
    world: World,
    answer: RefCell<Result<String, CallError>>,
    milliseconds: Cell<u64>,
    messages: RefCell<Vec<String>>,
}

impl CallService for Vault {
    async fn call(&self, message: String) -> Result<String, CallError> {
        self.0.messages.borrow_mut().push(message);
        self.0.world.sleep(std::time::Duration::from_millis(self.0.milliseconds.get())).await;
        self.0.answer.borrow().clone()
    }
}

impl Vault {
    fn new(world: &World) -> Self {
        let answer = RefCell::new(Err(CallError::Failed(500)));
        Self(Rc::new(VaultState {
            world: world.clone(),
            answer,
            milliseconds: Cell::default(),
            messages: RefCell::default(),
        }))
    }

    fn answer(&self, answer: &VaultAnswer) {
        *self.0.answer.borrow_mut() = Ok(answer.to_json());
    }

    fn fail(&self, error: CallError) {
        *self.0.answer.borrow_mut() = Err(error);
    }

    fn calls(&self) -> usize {
        self.0.messages.borrow().len()
    }
}

/// A scene whose server accepts keys and personal access tokens.
pub struct Exchanging {
    pub scene: Scene,
    pub vault: Vault,
}

pub fn token_url() -> String {
    format!("{ISSUER}/token")
}

/// A key of this id with a good checksum.
pub fn key_of(id: &str) -> String {
    format::write("mcpk", id, &Secret::new("s".repeat(43))).expose().to_owned()
}

pub const KEY_ID: &str = "0123456789abcdef";

impl Exchanging {
    /// Personal access tokens are exchanged at the provider; there is no vault.
    pub fn without_vault(policy: TrustPolicy) -> Self {
        Self::create(policy, &PAT_SETTINGS, false)
    }

    /// The vault exchanges both.
    pub fn with_vault(policy: TrustPolicy) -> Self {
        Self::create(policy, &PAT_SETTINGS[..1], true)
    }

    /// The same as without a vault, with further settings.
    pub fn with_settings(policy: TrustPolicy, more: &[(&str, &str)]) -> Self {
        Self::create(policy, &[&PAT_SETTINGS[..], more].concat(), false)
    }

    fn create(policy: TrustPolicy, settings: &[(&str, &str)], has_vault: bool) -> Self {
        let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&get);
        let resource = Resource { url: RESOURCE.to_owned(), ..Resource::default() };
        let settings = CredentialSettings::read(&mut reader, &resource, &policy, has_vault);
        let settings = reader.finish(settings).unwrap();
        let mut scene = Scene::new(policy.clone());
        let vault = Vault::new(&scene.world);
        let server = ResourceServer::new(policy);
        let bound = has_vault.then(|| vault.clone());
        let exchanges = Exchanges::new(settings, Rc::clone(&server.keys()[0]), bound, scene.world.clone());
        scene.server = server.with_exchange(Rc::new(exchanges));
        let it = Self { scene, vault };
        it.provider_gives(&it.scene.token(|_, _| ()));
        it.vault_gives(|_| ());
        it
    }

    pub fn world(&self) -> &World {
        &self.scene.world
    }

    pub fn send(&self, credential: &str) -> Result<Rc<Identity>, Denial> {
        send(&self.scene.world, &self.scene.server, credential)
    }

    pub fn reason(&self, credential: &str) -> Reason {
        self.send(credential).expect_err("refused").reason()
    }

    /// The provider exchanges every personal access token for this one.
    pub fn provider_gives(&self, token: &str) {
        let body = json!({ "access_token": token, "expires_in": 3600, "scope": "whoami:read", "token_type": "Bearer" });
        self.provider_answers(200, &body);
    }

    pub fn provider_answers(&self, status: u16, body: &Value) {
        self.world().answer(&token_url(), Answer::Reply(status, body.to_string()));
    }

    pub fn exchanges(&self) -> usize {
        self.world().calls(&token_url())
    }

    /// The vault knows one key, of the user of the good token.
    pub fn vault_gives(&self, change: impl FnOnce(&mut KeyToken)) {
        let mut token = KeyToken {
            access_token: Secret::new(self.scene.token(|_, _| ())),
            id: KEY_ID.to_owned(),
            issuer: ISSUER.to_owned(),
            subject: "alice".to_owned(),
            scopes: "whoami:read".to_owned(),
            tools: None,
            until: self.world().now() + 60,
        };
        change(&mut token);
        self.vault.answer(&VaultAnswer::Key(token));
    }

    pub fn vault_refuses(&self, refusal: Refusal) {
        self.vault.answer(&VaultAnswer::Refused(refusal));
    }
}
