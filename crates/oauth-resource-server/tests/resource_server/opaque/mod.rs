//! Opaque tokens: the recorded answers of Logto's introspection and userinfo endpoints, through the resource server.

mod bounds;
mod caching;
mod given_url;
mod introspection;
mod profiles;

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_oauth::{
    client_policy::ClientList,
    denial::Reason,
    disclosure::Disclosure,
    resource_server::{TrustPolicy, TrustedIssuer},
    token::{
        introspection_limiter::{MAX_QUESTIONS, WINDOW_SECONDS},
        opaque::{AcceptedClients, CheckMethod, OpaquePolicy},
    },
};
use serde_json::{Value, json};

use crate::support::{
    logto,
    tokens::{self, ISSUER, RESOURCE, Scene},
    world::{Answer, discovery, discovery_url, introspection_url, userinfo_url},
};

/// As long as Logto's.
pub const TOKEN: &str = "VXpE0vCeh2tNZGWy1_Qm3dDUTF1f6xDqE4mYk8Nb2sQ";

/// The recorded third-party client.
const AGENT: &str = "nw586goxpxltbp7t0p27k";

/// Accepts opaque tokens of any client, by introspection.
pub fn policy() -> TrustPolicy {
    with_opaque(
        AcceptedClients::Any,
        CheckMethod::Introspection { client_id: "us".into(), client_secret: "s3cret".into() },
    )
}

/// Accepts those of listed clients.
pub fn policy_for(clients: &str) -> TrustPolicy {
    let mut policy = policy();
    if let Some(opaque) = &mut policy.opaque {
        opaque.clients = AcceptedClients::Listed(ClientList::parse(clients));
    }
    policy
}

/// Asks userinfo instead.
pub fn userinfo_policy() -> TrustPolicy {
    with_opaque(AcceptedClients::Any, CheckMethod::Userinfo)
}

fn with_opaque(clients: AcceptedClients, method: CheckMethod) -> TrustPolicy {
    let opaque = OpaquePolicy { clients, method, positive_ttl_seconds: 30, negative_ttl_seconds: 10 };
    TrustPolicy { opaque: Some(opaque), ..tokens::policy() }
}

/// What introspection says of a good token of Alice's.
pub fn active(scene: &Scene) -> Value {
    json!({
        "active": true, "sub": "alice", "client_id": "agent", "iss": ISSUER, "token_type": "Bearer",
        "iat": scene.world.now(), "exp": scene.world.now() + 3600, "scope": "openid profile email",
    })
}

/// A scene in which introspection gives an answer.
fn answering(policy: TrustPolicy, answer: Answer) -> Scene {
    let scene = Scene::new(policy);
    scene.world.answer(&introspection_url(ISSUER), answer);
    scene
}

fn good() -> Scene {
    let scene = Scene::new(policy());
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene
}

fn introspections(scene: &Scene) -> usize {
    scene.world.calls(&introspection_url(ISSUER))
}

fn profiles(scene: &Scene) -> usize {
    scene.world.calls(&userinfo_url(ISSUER))
}

/// What a recorded introspection answer leads to, at the recorded issuer, for clients that the policy lists.
fn recorded(exchange: &str, clients: AcceptedClients) -> Result<String, Reason> {
    let issuer = TrustedIssuer::new(logto::ISSUER, vec![logto::RESOURCE.to_owned()]);
    let mut policy = TrustPolicy { issuers: vec![issuer], ..policy() };
    if let Some(opaque) = &mut policy.opaque {
        opaque.clients = clients;
    }
    let scene = Scene::new(policy);
    scene.world.advance_to(1_795_308_100);
    logto::publish(&scene.world, "jwks-6-ec-current-rsa-previous.json");
    scene.world.answer(&introspection_url(logto::ISSUER), logto::answer("introspection.json", exchange));
    let outcome = scene.send(TOKEN);
    assert_eq!(scene.world.calls(&introspection_url(logto::ISSUER)), 1);
    outcome.map(|identity| identity.scopes().to_string()).map_err(|denial| denial.reason())
}

/// The recorded client that asked and was deleted.
const OURS: &str = "nosuchclientnosuchcli";
