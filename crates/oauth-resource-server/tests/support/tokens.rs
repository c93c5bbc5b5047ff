//! A good set-up and a good token, to change one thing of.

use std::rc::Rc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_identity::{Identity, Scopes};
use mcp_edge_oauth::{
    client_policy::ClientPolicy,
    denial::{Denial, Reason},
    disclosure::Disclosure,
    resource_server::{Authentication, ResourceServer, TrustPolicy, TrustedIssuer},
    scope_hierarchy::Hierarchy,
    scope_prefix::ScopePrefix,
    token::denied::DeniedTokens,
};
use mcp_edge_runtime::{crypto::Algorithm, http::RequestHead};
use serde_json::{Value, json};

use super::{
    signatures::{self, KeyPair, key_pair},
    world::{START, World, thumbprint},
};

pub const ISSUER: &str = "https://tenant.example/oidc";
pub const RESOURCE: &str = "https://mcp.example.com/mcp";

/// Trusts [`ISSUER`] for [`RESOURCE`] and asks for nothing else.
pub fn policy() -> TrustPolicy {
    TrustPolicy {
        issuers: vec![TrustedIssuer::new(ISSUER, vec![RESOURCE.to_owned()])],
        required_scopes: Scopes::default(),
        scope_prefix: ScopePrefix::default(),
        hierarchy: Hierarchy::default(),
        disclosure: Disclosure::default(),
        clients: ClientPolicy::default(),
        organizations: Vec::new(),
        opaque: None,
        denied: DeniedTokens::default(),
    }
}

/// The same for tokens of any of these types.
pub fn policy_of_types(types: &[&str]) -> TrustPolicy {
    let mut policy = policy();
    policy.issuers[0].profile.token_types = types.iter().map(|typ| (*typ).to_owned()).collect();
    policy
}

/// The header of a good token.
pub fn header(algorithm: Algorithm, kid: &str) -> Value {
    json!({ "alg": algorithm.name(), "typ": "at+jwt", "kid": kid })
}

/// The claims of a good token, issued at `now` for an hour.
pub fn claims(now: u64) -> Value {
    json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "agent", "scope": "whoami:read", "jti": "1",
        "iat": now, "exp": now + 3600,
    })
}

/// Signs any claims with a real key.
pub fn mint(key: &KeyPair, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    mint_text(key, algorithm, &header.to_string(), &claims.to_string())
}

/// Likewise, for JSON that no serializer would write.
pub fn mint_text(key: &KeyPair, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let input = signing_input(header, claims);
    let signature = key.sign(algorithm, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Signs with a pretended key, see [`pretended_jwk`].
pub fn mint_pretended(key: &Value, claims: &Value) -> String {
    mint_pretended_as(key, "at+jwt".into(), claims)
}

/// Likewise, with another `typ`; `null` for none.
pub fn mint_pretended_as(key: &Value, typ: Value, claims: &Value) -> String {
    let mut header = header(Algorithm::EdDSA, key["kid"].as_str().expect("a kid"));
    header["typ"] = typ;
    header.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    let input = signing_input(&header.to_string(), &claims.to_string());
    let signature = signatures::pretend(&thumbprint(key), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A published key for pretended signatures; `number` makes it different from others.
pub fn pretended_jwk(kid: &str, number: u64) -> Value {
    let mut x = [0; 32];
    x[..8].copy_from_slice(&number.to_be_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode(x) })
}

fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A world with an honest provider, a server that knows nothing yet, and the provider's key `k` (ES384, as Logto's).
pub struct Scene {
    pub world: World,
    pub server: ResourceServer,
    pub key: KeyPair,
}

impl Scene {
    pub fn new(policy: TrustPolicy) -> Self {
        let world = World::new();
        let key = key_pair("p384-1");
        world.publish(ISSUER, &[key.jwk("k")]);
        Self { world, server: ResourceServer::new(policy), key }
    }

    /// The good token with a change to its header or its claims.
    pub fn token(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = (header(Algorithm::ES384, "k"), claims(self.world.now()));
        change(&mut header, &mut claims);
        mint(&self.key, Algorithm::ES384, &header, &claims)
    }

    /// Sends a token.
    pub fn send(&self, token: &str) -> Result<Rc<Identity>, Denial> {
        send(&self.world, &self.server, token)
    }

    /// Why a token is refused.
    pub fn reason(&self, token: &str) -> Reason {
        self.send(token).expect_err("refused").reason()
    }
}

/// Sends a request with a token, and lets the work that it leaves behind come to its end.
pub fn send(world: &World, server: &ResourceServer, token: &str) -> Result<Rc<Identity>, Denial> {
    send_traced(world, server, token).outcome.map_err(Rc::unwrap_or_clone)
}

/// Likewise, with what was learned on the way.
pub fn send_traced(world: &World, server: &ResourceServer, token: &str) -> Authentication {
    let authentication = world.run(authenticate(world, server, token));
    world.finish_background();
    authentication
}

/// The request alone, to run beside others.
pub async fn authenticate(world: &World, server: &ResourceServer, token: &str) -> Authentication {
    let authorization = format!("Bearer {token}");
    let head = RequestHead::new("POST", "/mcp").with_header("authorization", &authorization);
    server.authenticate(&head, world.now(), world).await
}

/// Both sides of the good token agree.
#[test]
fn the_good_token_is_good() {
    let scene = Scene::new(policy());
    let identity = scene.send(&scene.token(|_, _| ())).expect("the good token is good");
    assert_eq!(identity.subject(), "alice");
    assert_eq!(identity.client_id(), Some("agent"));
    assert_eq!(identity.expires_at(), START + 3600);
}
