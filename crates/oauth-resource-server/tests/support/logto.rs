//! What a real Logto answered; see `logto/README.md`.

use std::path::Path;

use mcp_edge_oauth::{
    providers::profiles::LOGTO,
    resource_server::{TrustPolicy, TrustedIssuer},
    token::profile::TokenProfile,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    tokens,
    world::{Answer, World, discovery_url, jwks_url},
};

pub const ISSUER: &str = "http://localhost:3001/oidc";
pub const RESOURCE: &str = "https://mcp.example.dev/mcp";

const FOLDER: &str = "crates/oauth-resource-server/tests/logto";

/// The key sets in order of time.
pub const KEY_SETS: [&str; 6] = [
    "jwks-1-rsa-current-ec-previous.json",
    "jwks-2-ec-grace.json",
    "jwks-3-ec-only.json",
    "jwks-4-rsa-current-ec-previous.json",
    "jwks-5-rsa-current-ec-next.json",
    "jwks-6-ec-current-rsa-previous.json",
];

/// One recorded JWT.
#[derive(Deserialize)]
pub struct Vector {
    file: String,
    pointer: String,
    pub kind: String,
    pub kid: String,
    pub sub: String,
    pub client_id: Option<String>,
    pub scope: Option<String>,
    pub iat: u64,
    pub exp: u64,
    pub now: u64,
    pub verifies_with: Vec<String>,
    pub key_absent_from: Vec<String>,
    pub expect: String,
}

impl Vector {
    /// The token itself.
    pub fn token(&self) -> String {
        self.read().unwrap_or_else(|| panic!("no token at {} in {}", self.pointer, self.file))
    }

    fn read(&self) -> Option<String> {
        Some(file(&self.file).pointer(&self.pointer)?.as_str()?.to_owned())
    }
}

impl std::fmt::Display for Vector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.file, self.pointer)
    }
}

/// All of them.
pub fn vectors() -> Vec<Vector> {
    serde_json::from_value(file("vectors.json")["vectors"].take()).expect("the form of vectors.json")
}

/// A recorded file.
pub fn file(name: &str) -> Value {
    // The tests of other packages read it, too.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(FOLDER));
    let path = folder.into_iter().find(|folder| folder.is_dir()).expect("this repository").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recorded exchange of `introspection.json` or `userinfo.json`, as an answer.
pub fn answer(name: &str, exchange: &str) -> Answer {
    let exchange = &file(name)[exchange];
    let status = exchange["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    Answer::Reply(status, exchange["body"].to_string())
}

/// Trusts the recorded issuer for the recorded resource.
pub fn policy() -> TrustPolicy {
    let mut issuer = TrustedIssuer::new(ISSUER, vec![RESOURCE.to_owned()]);
    issuer.profile = TokenProfile::new(&LOGTO);
    TrustPolicy { issuers: vec![issuer], ..tokens::policy() }
}

/// Logto answers with its recorded discovery document and one of its key sets.
pub fn publish(world: &World, key_set: &str) {
    world.answer(&discovery_url(ISSUER), Answer::json(&file("discovery-openid-configuration.json")));
    world.answer(&jwks_url(ISSUER), Answer::json(&file(key_set)));
}
