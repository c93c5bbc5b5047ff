//! Whose token it is, and whether it may be sent as a bearer token at all, by the claims of several providers.

use mcp_edge_identity::Identity;
use mcp_edge_oauth::{client_policy::ClientList, denial::Denial, resource_server::TrustPolicy};
use serde_json::{Value, json};

use crate::support::{
    tokens::{ISSUER, Scene, policy_of_types},
    world::{Answer, introspection_url, userinfo_url},
};

/// Accepts tokens of any form that an operator may configure.
fn lenient() -> TrustPolicy {
    policy_of_types(&["at+jwt", "jwt", ""])
}

/// What becomes of a token with another `typ` in its header (`null` for none) and with these claims in place of
/// `client_id`, under a policy; first verified and then remembered, which must not differ.
fn sent(policy: TrustPolicy, typ: &Value, changes: &Value) -> Result<Identity, Denial> {
    let scene = Scene::new(policy);
    let token = scene.token(|header, claims| {
        header["typ"] = typ.clone();
        let (header, claims) = (header.as_object_mut().unwrap(), claims.as_object_mut().unwrap());
        header.retain(|_, value| !value.is_null());
        claims.remove("client_id");
        claims.extend(changes.as_object().unwrap().clone());
    });
    let first = scene.send(&token);
    assert_eq!(first.is_ok(), scene.send(&token).is_ok(), "remembered differently: {changes}");
    first.map(|identity| (*identity).clone())
}

fn kind(typ: &Value, changes: &Value) -> String {
    let identity = sent(lenient(), typ, changes).unwrap_or_else(|denial| panic!("{denial:?}: {changes}"));
    format!("{:?}", identity.kind())
}

fn reason(typ: &Value, changes: &Value) -> &'static str {
    sent(lenient(), typ, changes).map_or_else(|denial| denial.reason().slug(), |_| "accepted")
}

/// What becomes of an opaque token of which introspection says this.
fn introspected(changes: &Value) -> Result<Identity, Denial> {
    let scene = Scene::new(crate::opaque::policy());
    let mut answer = crate::opaque::active(&scene);
    for (name, value) in changes.as_object().unwrap() {
        answer[name] = value.clone();
    }
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    let first = scene.send(crate::opaque::TOKEN);
    assert_eq!(first.is_ok(), scene.send(crate::opaque::TOKEN).is_ok(), "remembered differently: {changes}");
    first.map(|identity| (*identity).clone())
}

// Connection-constrained tokens.

#[test]
fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for cnf in [
        json!({ "jkt": thumbprint }),
        json!({ "x5t#S256": thumbprint }),
        json!({ "jkt": thumbprint, "x5t#S256": thumbprint }),
        // RFC 7800: regardless of the method, the presenter has to prove something.
        json!({ "jwk": { "kty": "EC" } }),
        json!({ "kid": "key-1" }),
        json!({ "something-new": 1 }),
        json!({}),
        json!("jkt"),
        json!(false),
    ] {
        let bound = json!({ "client_id": "agent", "cnf": cnf });
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(reason(&typ, &bound), "sender_constrained", "{typ} {cnf}");
        }
        let by_introspection = introspected(&json!({ "cnf": cnf })).unwrap_err();
        assert_eq!(by_introspection.reason().slug(), "sender_constrained", "{cnf}");
        assert_eq!((by_introspection.reason().to_public().status, by_introspection.retry_after()), (401, None));
    }
    assert_eq!(reason(&json!("at+jwt"), &json!({ "client_id": "agent", "cnf": null })), "accepted");
    assert!(introspected(&json!({ "cnf": null })).is_ok());
}

// Tokens that are no access tokens.

#[test]
fn a_token_whose_claims_say_that_it_is_another_kind_of_token_is_refused() {
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    for claims in [
        json!({ "typ": "ID" }),
        json!({ "typ": "id" }),
        json!({ "typ": "Refresh" }),
        json!({ "typ": "Offline" }),
        json!({ "typ": "Logout" }),
        json!({ "typ": "Serialized-ID" }),
        json!({ "typ": "DPoP" }),
        json!({ "typ": "RegistrationAccessToken" }),
        json!({ "typ": ["Bearer"] }),
        json!({ "token_use": "id" }),
        json!({ "token_use": "refresh" }),
        json!({ "token_use": 1 }),
        json!({ "token_type": "refresh" }),
        json!({ "token_type": "id_token" }),
        json!({ "tokenName": "id_token" }),
        json!({ "tokenName": "refresh_token" }),
        json!({ "nonce": "n", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" }),
        // MCP clients send no nonce, so their ID tokens have none.
        json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" }),
        json!({ "c_hash": "77QmUPtjPfzWtF2AnpK9RQ" }),
        json!({ "s_hash": "77QmUPtjPfzWtF2AnpK9RQ" }),
        json!({ "events": events }),
    ] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(reason(&typ, &claims), "not_an_access_token", "{typ} {claims}");
        }
        if claims.get("token_type").is_none() {
            assert_eq!(introspected(&claims).unwrap_err().reason().slug(), "not_an_access_token", "{claims}");
        }
    }
}

#[test]
fn claims_of_access_tokens_are_not_taken_for_those_of_others() {
    for claims in [
        json!({ "typ": "Bearer" }),
        json!({ "typ": "bearer" }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "at+jwt" }),
        json!({ "typ": null }),
        json!({ "token_use": "access" }),
        json!({ "token_use": "access_token" }),
        json!({ "token_type": "Bearer", "tokenName": "access_token" }),
        json!({ "nonce": "n" }),
        json!({ "events": ["a"], "jti": "1" }),
    ] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(reason(&typ, &claims), "accepted", "{typ} {claims}");
        }
    }
}

#[test]
fn a_type_of_another_profile_is_refused_regardless_of_the_policy() {
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "oauth-id-jag+jwt",
        "application/logout+jwt",
        "client-authentication+jwt",
        "token-introspection+jwt",
        "kb+jwt",
        "anything",
    ] {
        let mut policy = lenient();
        policy.issuers[0].profile.token_types.push(typ.to_owned());
        let denial = sent(policy, &json!(typ), &json!({ "client_id": "agent" })).expect_err(typ);
        assert_eq!(denial.reason().slug(), "wrong_type", "{typ}");
    }
    for typ in ["at+jwt", "application/at+jwt", "jwt", "application/jwt"] {
        let policy = policy_of_types(&[typ]);
        assert!(sent(policy, &json!(typ), &json!({ "client_id": "agent" })).is_ok(), "{typ}");
    }
}

// User, machine or unknown.

#[test]
fn service_accounts_are_machines() {
    const UUID: &str = "5f0f9a0e-6ad1-4f66-9b1c-1c1c4a1f7f10";
    let keycloak = json!({ "azp": "reports", "sub": UUID, "typ": "Bearer", "acr": "1",
        "preferred_username": "service-account-reports" });
    let with = |base: &Value, more: Value| {
        let mut claims = base.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let entra = json!({ "azp": "reports", "azpacr": "1", "oid": UUID, "sub": UUID, "roles": ["Notes.Read"] });
    for claims in [
        // Okta
        json!({ "cid": "0oa1", "sub": "0oa1", "scp": ["notes:read"] }),
        keycloak.clone(),
        with(&keycloak, json!({ "client_id": "reports" })),
        with(&keycloak, json!({ "clientId": "reports" })),
        json!({ "azp": "reports", "client_id": "reports", "sub": UUID, "clientHost": "192.0.2.1", "acr": "1" }),
        json!({ "azp": "reports", "client_id": "reports", "sub": UUID, "clientAddress": "192.0.2.1", "acr": "1" }),
        entra.clone(),
        with(&entra, json!({ "azpacr": "2" })),
        json!({ "appid": "reports", "appidacr": "1", "oid": UUID, "sub": UUID, "roles": ["Notes.Read"], "ver": "1.0" }),
        json!({ "appid": "reports", "appidacr": "2", "oid": UUID, "sub": UUID }),
        json!({ "appid": "reports", "idtyp": "app", "sub": UUID, "acr": "1" }),
        // Auth0
        json!({ "azp": "reports", "sub": "reports@clients", "gty": "client-credentials" }),
        json!({ "azp": "reports", "sub": UUID, "gty": ["client_credentials"] }),
        // authentik, which writes acr and auth_time for everybody
        json!({ "azp": "reports", "sub": UUID, "acr": "goauthentik.io/providers/oauth2/default", "auth_time": 1,
            "preferred_username": "ak-reports-client_credentials" }),
        // Cognito, likewise
        json!({ "client_id": "reports", "sub": "reports", "token_use": "access", "auth_time": 1_795_000_000 }),
        json!({ "client_id": "a", "azp": "reports", "sub": "reports" }),
    ] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(kind(&typ, &claims), "Machine", "{typ} {claims}");
        }
    }
}

#[test]
fn another_subject_than_the_client_proves_no_user() {
    // RFC 9068 §2.2: a machine's `sub` is any identifier that the server uses for the client.
    for claims in [json!({ "client_id": "agent" }), json!({ "azp": "agent" }), json!({}), json!({ "client_id": "" })] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(kind(&typ, &claims), "Unknown", "{typ} {claims}");
        }
    }
}

#[test]
fn a_sign_in_proves_a_user() {
    for claims in [
        json!({ "azp": "agent", "auth_time": 1_794_999_000 }),
        json!({ "azp": "agent", "acr": "urn:mace:incommon:iap:silver" }),
        json!({ "appid": "agent", "appidacr": "1", "acr": "1", "amr": ["pwd"], "scp": "notes:read", "oid": "o" }),
        json!({ "azp": "agent", "amr": ["pwd", "otp"] }),
        json!({ "azp": "agent", "azpacr": "1", "oid": "alice", "scp": "notes:read", "idtyp": "user" }),
        json!({ "cid": "agent", "uid": "00u1", "auth_time": 1_794_999_000 }),
        // Keycloak
        json!({ "azp": "agent", "typ": "Bearer", "acr": "1", "auth_time": 1_794_999_000, "sid": "s" }),
        json!({ "azp": "agent", "typ": "Bearer", "acr": "1", "sid": "s", "preferred_username": "alice" }),
    ] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(kind(&typ, &claims), "User", "{typ} {claims}");
        }
    }
}

#[test]
fn what_proves_nothing_makes_no_user() {
    for claims in [
        json!({ "azp": "agent" }),
        json!({ "azp": "agent", "auth_time": 0 }),
        json!({ "azp": "agent", "auth_time": -1 }),
        json!({ "azp": "agent", "auth_time": "1794999000" }),
        json!({ "azp": "agent", "auth_time": null }),
        json!({ "azp": "agent", "acr": "" }),
        json!({ "azp": "agent", "acr": 1 }),
        json!({ "azp": "agent", "amr": [] }),
        json!({ "azp": "agent", "amr": [""] }),
        json!({ "azp": "agent", "amr": [1] }),
        json!({ "azp": "agent", "amr": "pwd" }),
        json!({ "azp": "agent", "scope": "openid profile" }),
        json!({ "azp": "agent", "preferred_username": "alice" }),
        // Keycloak writes `acr` into the tokens of service accounts as well, and the session of those with refresh tokens.
        json!({ "azp": "agent", "typ": "Bearer", "acr": "1" }),
        json!({ "azp": "agent", "typ": "Bearer", "acr": "1", "sid": "s" }),
    ] {
        for typ in [json!("at+jwt"), json!("JWT"), json!(null)] {
            assert_eq!(kind(&typ, &claims), "Unknown", "{typ} {claims}");
        }
    }
}

#[test]
fn introspection_proves_a_user_by_the_scope_openid_or_a_sign_in() {
    let kind = |changes: Value| format!("{:?}", introspected(&changes).unwrap().kind());
    assert_eq!(kind(json!({})), "User");
    assert_eq!(kind(json!({ "scope": "openid" })), "User");
    assert_eq!(kind(json!({ "scope": "notes:read", "auth_time": 1_794_999_000 })), "User");
    for scope in [json!("notes:read"), json!("profile email"), json!(null), json!(["openid2"])] {
        assert_eq!(kind(json!({ "scope": scope })), "Unknown", "{scope}");
    }
    assert_eq!(kind(json!({ "sub": "agent" })), "Machine");
    assert_eq!(kind(json!({ "username": "service-account-agent", "sub": "5f0f" })), "Machine");
    assert_eq!(kind(json!({ "preferred_username": "service-account-agent", "sub": "5f0f" })), "Machine");
}

#[test]
fn userinfo_speaks_of_users_unless_it_says_otherwise() {
    for (profile, expected) in [
        (json!({ "sub": "alice" }), "User"),
        (json!({ "sub": "5f0f", "preferred_username": "service-account-agent" }), "Machine"),
    ] {
        let scene = Scene::new(crate::opaque::userinfo_policy());
        scene.world.answer(&userinfo_url(ISSUER), Answer::json(&profile));
        assert_eq!(format!("{:?}", scene.send(crate::opaque::TOKEN).unwrap().kind()), expected, "{profile}");
    }
}

// The client.

#[test]
fn the_client_is_found_where_the_provider_writes_it() {
    let client =
        |claims: Value| sent(lenient(), &json!("JWT"), &claims).map(|identity| identity.client_id().map(str::to_owned));
    for (claims, expected) in [
        (json!({ "client_id": "a", "azp": "b", "cid": "c", "appid": "d" }), Some("a")),
        (json!({ "azp": "b", "cid": "c", "appid": "d" }), Some("b")),
        (json!({ "cid": "c", "appid": "d" }), Some("c")),
        (json!({ "appid": "d" }), Some("d")),
        (json!({}), None),
        // An empty name is none, and must not hide the other.
        (json!({ "client_id": "", "azp": "b" }), Some("b")),
        (json!({ "client_id": "", "appid": "d" }), Some("d")),
        (json!({ "cid": "" }), None),
        // Nor is null.
        (json!({ "client_id": null, "azp": "b" }), Some("b")),
        (json!({ "client_id": null, "azp": null, "cid": null, "appid": "d" }), Some("d")),
        (json!({ "client_id": null }), None),
    ] {
        assert_eq!(client(claims.clone()).unwrap().as_deref(), expected, "{claims}");
    }
    for wrong in [json!(7), json!(["agent"]), json!({})] {
        for name in ["client_id", "azp"] {
            let denial = client(json!({ name: wrong })).unwrap_err();
            assert_eq!(denial.reason().slug(), "malformed_token", "{name}: {wrong}");
        }
        // A customer's number, say: no more than a custom claim.
        assert_eq!(client(json!({ "cid": wrong, "appid": "d" })).unwrap().as_deref(), Some("d"), "{wrong}");
        assert_eq!(client(json!({ "appid": wrong })).unwrap(), None, "{wrong}");
    }
}

#[test]
fn lists_of_clients_hold_for_every_claim_that_names_one() {
    for name in ["client_id", "azp", "cid", "appid"] {
        let outcome = |allowed: &str, denied: &str| {
            let mut policy = lenient();
            policy.clients.allowed = ClientList::parse(allowed);
            policy.clients.denied = ClientList::parse(denied);
            sent(policy, &json!("JWT"), &json!({ name: "agent" }))
                .map_or_else(|denial| denial.reason().slug(), |_| "ok")
        };
        assert_eq!(outcome("agent", ""), "ok", "{name}");
        assert_eq!(outcome("other", ""), "client_not_allowed", "{name}");
        assert_eq!(outcome("", "agent"), "client_denied", "{name}");
        assert_eq!(outcome("", "other"), "ok", "{name}");
    }
}

#[test]
fn a_profile_names_no_client() {
    let profile = json!({ "sub": "alice", "cid": "own", "appid": "own", "azp": "own", "client_id": "own" });
    let mut policy = crate::opaque::userinfo_policy();
    policy.clients.first_party = ClientList::parse("own");
    let scene = Scene::new(policy);
    scene.world.answer(&userinfo_url(ISSUER), Answer::json(&profile));
    assert_eq!(scene.send(crate::opaque::TOKEN).unwrap().client_id(), None);
}
