//! The good token under good settings, to change one thing of.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_edge_doctor::explain::{
    evaluate::{Question, explain},
    explanation::Explanation,
    keys::{fetch::Keys, key_set::KeySet},
    render::{report::Report, terminal},
    settings::{
        issuers::TrustedIssuer,
        sources::Sources,
        values::{Source, Values},
    },
    token_input,
};
use serde_json::{Value, json};

pub const NOW: u64 = 1_800_000_000;
pub const RESOURCE: &str = "https://mcp.example.com/mcp";
pub const ISSUER: &str = "https://tenant.logto.app/oidc";
pub const KID: &str = "key-1";

/// What a case changes of the good one.
pub struct Case {
    pub settings: Vec<(&'static str, String)>,
    pub header: Value,
    pub claims: Value,
    /// The whole token.
    pub token: Option<String>,
    pub keys: Value,
    pub offline: bool,
    pub scopes: Vec<String>,
}

pub fn good() -> Case {
    Case {
        settings: [
            ("ISSUER", ISSUER),
            ("RESOURCE", RESOURCE),
            ("PROVIDER", "logto"),
            ("REQUIRED_SCOPES", "whoami:read"),
            ("CLAIM_SCOPES", "whoami:read=name,email"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec(),
        header: json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KID }),
        claims: json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "user-1", "client_id": "agent", "scope": "whoami:read notes:read",
            "organization_id": "org-1", "name": "Ada", "phone_number": "1", "iat": NOW - 60, "exp": NOW + 3540,
        }),
        token: None,
        keys: json!({ "keys": [public()] }),
        offline: false,
        scopes: vec!["notes:read".to_owned()],
    }
}

pub fn test_keys() -> Value {
    let text = include_str!("../../../crates/oauth-resource-server/tests/keys/test-keys.json");
    serde_json::from_str(text).expect("JSON")
}

pub fn public() -> Value {
    let mut jwk = test_keys()["keys"]["ed25519"]["public"].clone();
    jwk["kid"] = KID.into();
    jwk
}

impl Case {
    pub fn set(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    pub fn header(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    pub fn token(&self) -> String {
        if let Some(token) = &self.token {
            return token.clone();
        }
        let private =
            test_keys()["keys"]["ed25519"]["private_der"].as_str().map(|der| STANDARD.decode(der)).expect("a key");
        let key = EncodingKey::from_ed_der(&private.expect("base64"));
        let input = [&self.header, &self.claims].map(|object| URL_SAFE_NO_PAD.encode(object.to_string())).join(".");
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::EdDSA).expect("a signature");
        format!("{input}.{signature}")
    }

    pub fn values(&self) -> Values {
        let set = self.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Sources { set, ..Sources::default() }.read().expect("known settings")
    }

    pub fn explain(&self) -> Explanation {
        let token = token_input::find(&self.token()).expect("a token");
        let keys = |_: &TrustedIssuer| match KeySet::parse(&self.keys.to_string()) {
            _ if self.offline => Keys::Offline,
            Ok(set) if !set.keys.is_empty() => Keys::Found(set, "https://tenant.logto.app/oidc/jwks".to_owned()),
            _ => Keys::Unavailable("no key that can verify".to_owned()),
        };
        let values = self.values();
        let question = Question { token: &token, values: &values, tool_scopes: &self.scopes, now: NOW, keys: &keys };
        explain(&question)
    }

    pub fn report(&self) -> Report {
        Report {
            token_source: "standard input".to_owned(),
            settings: vec![(Source::File("wrangler.toml".to_owned()), vec!["ISSUER", "RESOURCE"])],
            notes: Vec::new(),
            other_time: None,
            explanation: self.explain(),
        }
    }

    /// The terminal report without colours.
    pub fn shown(&self, width: usize) -> String {
        anstream::adapter::strip_str(&terminal::render(&self.report(), width)).to_string()
    }
}
