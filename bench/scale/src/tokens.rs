//! Keys and tokens. Signatures are such that anybody can make them: what is simulated is where keys come from, not
//! cryptography.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use mcp_edge_oauth::keys::key_set::KeySet;
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, crypto::Thumbprint};

/// The provider.
pub const ISSUER: &str = "https://tenant.example/oidc";

/// The endpoint.
pub const RESOURCE: &str = "https://mcp.example.com/mcp";

/// How long a token is valid, in seconds: the default of most providers.
pub const TOKEN_SECONDS: u64 = 3600;

/// A signing key of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its `kid`.
    pub kid: String,
    /// Its public part in base64url.
    pub x: String,
    /// As it is published.
    pub jwk: String,
    thumbprint: Thumbprint,
}

impl SigningKey {
    /// Creates the key of this number.
    ///
    /// # Panics
    /// Never: the JWK is one that the product accepts.
    #[must_use]
    pub fn new(number: u64) -> Rc<Self> {
        let mut x = [0; 32];
        x[..8].copy_from_slice(&number.to_be_bytes());
        let (kid, x) = (format!("key-{number}"), URL_SAFE_NO_PAD.encode(x));
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#);
        let set = KeySet::parse(&format!(r#"{{"keys":[{jwk}]}}"#)).expect("a key set");
        let thumbprint = set.iter().next().expect("one key").thumbprint;
        Rc::new(Self { kid, x, jwk, thumbprint })
    }

    /// A token of `subject` that is issued at `now`.
    #[must_use]
    pub fn token(&self, subject: &str, now: u64) -> String {
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, self.kid);
        let claims = format!(
            r#"{{"iss":"{ISSUER}","aud":"{RESOURCE}","sub":"{subject}","client_id":"agent","scope":"whoami:read","jti":"{subject}-{now}","iat":{now},"exp":{}}}"#,
            now + TOKEN_SECONDS
        );
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(&self.thumbprint, input.as_bytes()));
        format!("{input}.{signature}")
    }
}

/// A signature of the length of Ed25519's, another for each key and message.
#[must_use]
pub fn sign(key: &Thumbprint, message: &[u8]) -> [u8; 64] {
    let mut hasher = DefaultHasher::new();
    (key, message).hash(&mut hasher);
    let mut signature = [0; 64];
    signature[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    signature
}
