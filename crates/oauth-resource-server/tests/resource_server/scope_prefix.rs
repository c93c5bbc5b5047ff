//! What the provider puts before the names of scopes is taken off a token's scopes before anything is decided.

use mcp_edge_identity::{Identity, Kind, Scopes};
use mcp_edge_oauth::{disclosure::Disclosure, resource_server::TrustPolicy, scope_prefix::ScopePrefix};
use serde_json::json;

use crate::{
    opaque::{self, TOKEN},
    support::{
        logto,
        tokens::{ISSUER, Scene, policy},
        world::{Answer, introspection_url, userinfo_url},
    },
};

const PREFIX: &str = "https://mcp.example.com/mcp/";

fn prefixed(policy: TrustPolicy) -> TrustPolicy {
    let mut policy = TrustPolicy {
        required_scopes: Scopes::parse("read"),
        scope_prefix: ScopePrefix::new(PREFIX),
        disclosure: Disclosure::parse("read=plan,name").expect("a mapping"),
        ..policy
    };
    policy.hierarchy.imply("write", &Scopes::parse("read"));
    policy
}

/// Who a token with these scopes stands for; the slug of the reason if it is refused.
fn identity(scope: &str) -> Result<Identity, String> {
    let scene = Scene::new(prefixed(policy()));
    let token = scene.token(|_, claims| {
        claims["scope"] = scope.into();
        claims["plan"] = "gold".into();
        claims["email"] = "alice@example.com".into();
    });
    scene.send(&token).map(|identity| (*identity).clone()).map_err(|denial| denial.reason().slug().to_owned())
}

#[test]
fn the_long_name_and_the_short_one_are_the_same_scope() {
    for scope in ["read", "https://mcp.example.com/mcp/read", "read https://mcp.example.com/mcp/read"] {
        assert_eq!(identity(scope).map(|identity| identity.scopes().to_string()).as_deref(), Ok("read"), "{scope}");
    }
}

#[test]
fn it_is_taken_off_before_scopes_imply_others_and_disclose_claims() {
    assert_eq!(identity("https://mcp.example.com/mcp/write").unwrap().scopes().to_string(), "read write");
    let identity = identity("https://mcp.example.com/mcp/read").unwrap();
    assert_eq!(identity.claims().keys().collect::<Vec<_>>(), ["plan"]);
}

#[test]
fn scopes_of_another_resource_grant_nothing() {
    for scope in [
        "https://other.example.com/mcp/read",
        "https://mcp.example.com/mcp/v2/read",
        "https://mcp.example.com/mcpread",
        "HTTPS://mcp.example.com/mcp/read",
        "https://mcp.example.com/mcp/",
    ] {
        assert_eq!(identity(scope), Err("insufficient_scope".to_owned()), "{scope}");
    }
    let other = identity("https://other.example.com/mcp/write https://mcp.example.com/mcp/read").unwrap();
    assert_eq!(other.scopes().to_string(), "https://other.example.com/mcp/write read");
}

#[test]
fn a_scope_behind_it_discloses_nothing_in_the_name_of_openid_connect() {
    let identity = identity("https://mcp.example.com/mcp/read https://mcp.example.com/mcp/email").unwrap();
    assert!(!identity.scopes().contains("email") && !identity.claims().contains_key("email"));
}

#[test]
fn it_is_taken_off_the_scopes_of_an_introspection_answer() {
    let introspected = |scope: &str| {
        let scene = Scene::new(prefixed(opaque::policy()));
        let mut answer = opaque::active(&scene);
        answer["sub"] = "unzlfabysh60".into();
        answer["scope"] = scope.into();
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
        scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", "ok"));
        let identity = scene.send(TOKEN).expect("an identity");
        let shown = json!(identity.claims().keys().collect::<Vec<_>>());
        (identity.scopes().to_string(), shown, identity.kind())
    };
    assert_eq!(introspected("openid https://mcp.example.com/mcp/write").0, "openid read write");
    // The profile of the user is fetched for a scope that discloses a part of it.
    assert_eq!(introspected("https://mcp.example.com/mcp/read").1, json!(["name"]));
    let (scopes, _, kind) = introspected("https://mcp.example.com/mcp/openid https://mcp.example.com/mcp/read");
    assert_eq!(scopes, "https://mcp.example.com/mcp/openid read");
    assert_ne!(kind, Kind::User, "only the scope openid itself shows a user");
}
