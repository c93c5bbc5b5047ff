//! Every reason to refuse a token, reached by changing one thing of a good request.

use std::{collections::HashSet, rc::Rc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{
    bearer::MAX_TOKEN_BYTES,
    client_policy::ClientList,
    denial::{Denial, Reason},
    providers::profiles::OKTA,
    resource_server::{ResourceServer, TrustPolicy},
    token::{introspection_limiter::MAX_QUESTIONS, opaque::MAX_OPAQUE_BYTES, profile::TokenProfile},
};
use mcp_edge_runtime::{crypto::Algorithm, http::RequestHead};
use serde_json::{Value, json};

use crate::support::{
    logto,
    signatures::key_pair,
    tokens::{ISSUER, RESOURCE, Scene, claims, header, mint, mint_text, policy},
    world::{Answer, START, introspection_url, jwks_url, thumbprint, userinfo_url},
};

/// Reasons that other layers give, the endpoint and the tools; `endpoint.rs` reaches each of them.
const GIVEN_ELSEWHERE: [Reason; 7] = [
    Reason::KeyRefused,
    Reason::KeyForOtherTools,
    Reason::OriginNotAllowed,
    Reason::RateLimited,
    Reason::UserRequired,
    Reason::FirstPartyOnly,
    Reason::Misconfigured,
];

/// What a case does to the good set-up.
pub struct Case {
    reason: Reason,
    what: &'static str,
    deny: Box<dyn Fn() -> Denial>,
}

pub fn case(reason: Reason, what: &'static str, deny: impl Fn() -> Denial + 'static) -> Case {
    Case { reason, what, deny: Box::new(deny) }
}

/// A token with another header or other claims.
fn token(reason: Reason, what: &'static str, change: fn(&mut Value, &mut Value)) -> Case {
    case(reason, what, move || {
        let scene = Scene::new(policy());
        denial(&scene, &scene.token(change))
    })
}

/// A good token for another policy.
fn with_policy(reason: Reason, what: &'static str, change: fn(&mut TrustPolicy)) -> Case {
    case(reason, what, move || {
        let mut policy = policy();
        change(&mut policy);
        let scene = Scene::new(policy);
        denial(&scene, &scene.token(|_, _| ()))
    })
}

/// A good token, and another key set than the good one.
fn with_keys(reason: Reason, what: &'static str, keys: fn() -> Vec<Value>) -> Case {
    case(reason, what, move || {
        let scene = Scene::new(policy());
        scene.world.publish(ISSUER, &keys());
        denial(&scene, &scene.token(|_, _| ()))
    })
}

/// A request with another `Authorization` or another target.
fn request(reason: Reason, what: &'static str, target: &'static str, authorization: Option<&'static str>) -> Case {
    case(reason, what, move || {
        let scene = Scene::new(policy());
        let head = authorization
            .iter()
            .fold(RequestHead::new("POST", target), |head, value| head.with_header("authorization", value));
        let authenticated = scene.server.authenticate(&head, scene.world.now(), &scene.world);
        Rc::unwrap_or_clone(scene.world.run(authenticated).outcome.expect_err("refused"))
    })
}

/// An opaque token that the provider says something about.
fn opaque(reason: Reason, what: &'static str, answer: fn() -> Answer) -> Case {
    case(reason, what, move || {
        let scene = Scene::new(crate::opaque::policy());
        scene.world.answer(&introspection_url(ISSUER), answer());
        denial(&scene, crate::opaque::TOKEN)
    })
}

fn denial(scene: &Scene, token: &str) -> Denial {
    scene.send(token).expect_err("refused")
}

fn signed_text(header: &str, claims: &str) -> String {
    mint_text(&key_pair("p384-1"), Algorithm::ES384, header, claims)
}

fn cases() -> Vec<Case> {
    let mut cases = crate::exchanged::reasons::cases();
    cases.extend(cases_of_tokens());
    cases
}

#[allow(clippy::too_many_lines, reason = "a list")]
fn cases_of_tokens() -> Vec<Case> {
    vec![
        request(Reason::NoCredentials, "no header", "/mcp", None),
        request(Reason::NoCredentials, "an empty header", "/mcp", Some("")),
        request(Reason::UnsupportedScheme, "Basic", "/mcp", Some("Basic YTpi")),
        request(Reason::UnsupportedScheme, "a token alone", "/mcp", Some("eyJhbGciOiJub25lIn0.e30.")),
        request(Reason::NoCredentials, "no token", "/mcp", Some("Bearer")),
        request(Reason::MalformedAuthorization, "two spaces", "/mcp", Some("Bearer  abc")),
        request(Reason::MalformedAuthorization, "a quote", "/mcp", Some("Bearer \"abc\"")),
        request(Reason::MultipleCredentials, "two headers", "/mcp", Some("Bearer abc, Bearer abc")),
        request(Reason::TokenInQuery, "in the query alone", "/mcp?access_token=abc", None),
        request(Reason::TokenInQuery, "in both places", "/mcp?x&access_token", Some("Bearer abc")),
        case(Reason::TokenTooLarge, "a long JWT", || {
            let scene = Scene::new(policy());
            denial(&scene, &scene.token(|_, claims| claims["pad"] = "x".repeat(MAX_TOKEN_BYTES).into()))
        }),
        case(Reason::TokenTooLarge, "a long opaque token", || {
            denial(&Scene::new(crate::opaque::policy()), &"a".repeat(MAX_OPAQUE_BYTES + 1))
        }),
        case(Reason::MalformedToken, "two segments", || {
            let scene = Scene::new(policy());
            let token = scene.token(|_, _| ());
            denial(&scene, token.rsplit_once('.').map_or("", |(input, _)| input))
        }),
        case(Reason::MalformedToken, "no signature", || {
            let scene = Scene::new(policy());
            let token = scene.token(|_, _| ());
            // An empty signature is base64url; that it has no bytes is found out when the key is known.
            let denied = denial(&scene, &format!("{}.", token.rsplit_once('.').map_or("", |(input, _)| input)));
            assert_eq!(denied.reason(), Reason::BadSignature);
            denial(&scene, &format!("{token}A"))
        }),
        case(Reason::MalformedToken, "claims are a list", || {
            denial(&Scene::new(policy()), &signed_text(r#"{"alg":"ES384","typ":"at+jwt","kid":"k"}"#, "[]"))
        }),
        token(Reason::MalformedToken, "alg is a list", |header, _| header["alg"] = json!(["ES384"])),
        token(Reason::MalformedToken, "kid is a number", |header, _| header["kid"] = json!(1)),
        token(Reason::MalformedToken, "nbf is a text", |_, claims| claims["nbf"] = "now".into()),
        token(Reason::MalformedToken, "client_id is a number", |_, claims| claims["client_id"] = json!(7)),
        case(Reason::EncryptedToken, "five segments", || {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
            denial(&Scene::new(policy()), &format!("{header}.a.b.c.d"))
        }),
        case(Reason::DuplicateMember, "in the header", || {
            let header = r#"{"alg":"ES384","typ":"at+jwt","kid":"k","kid":"l"}"#;
            denial(&Scene::new(policy()), &signed_text(header, "{}"))
        }),
        case(Reason::DuplicateMember, "in the claims", || {
            let scene = Scene::new(policy());
            let claims = claims(scene.world.now()).to_string().replacen('{', r#"{"sub":"mallory","#, 1);
            denial(&scene, &signed_text(&header(Algorithm::ES384, "k").to_string(), &claims))
        }),
        token(Reason::UnsupportedHeader, "crit", |header, _| header["crit"] = json!(["exp"])),
        token(Reason::UnsupportedHeader, "b64", |header, _| header["b64"] = false.into()),
        token(Reason::UnsupportedHeader, "zip", |header, _| header["zip"] = "DEF".into()),
        token(Reason::UnsupportedHeader, "nested", |header, _| header["cty"] = "JWT".into()),
        token(Reason::WrongType, "an ID token", |header, _| drop(header.as_object_mut().unwrap().remove("typ"))),
        token(Reason::WrongType, "a plain JWT", |header, _| header["typ"] = "JWT".into()),
        token(Reason::WrongType, "a logout token", |header, _| header["typ"] = "logout+jwt".into()),
        token(Reason::UnsupportedAlgorithm, "none", |header, _| header["alg"] = "none".into()),
        token(Reason::UnsupportedAlgorithm, "HS256", |header, _| header["alg"] = "HS256".into()),
        token(Reason::WrongIssuer, "somebody else", |_, claims| claims["iss"] = "https://evil.example/oidc".into()),
        token(Reason::WrongIssuer, "one slash more", |_, claims| claims["iss"] = format!("{ISSUER}/").into()),
        token(Reason::WrongIssuer, "none", |_, claims| drop(claims.as_object_mut().unwrap().remove("iss"))),
        token(Reason::WrongAudience, "somebody else", |_, claims| claims["aud"] = "https://other.example".into()),
        token(Reason::WrongAudience, "one slash more", |_, claims| claims["aud"] = format!("{RESOURCE}/").into()),
        token(Reason::WrongAudience, "an object", |_, claims| claims["aud"] = json!({ "0": claims["aud"] })),
        token(Reason::WrongAudience, "none", |_, claims| drop(claims.as_object_mut().unwrap().remove("aud"))),
        token(Reason::MissingExpiry, "none", |_, claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
        token(Reason::MissingExpiry, "a text", |_, claims| claims["exp"] = "1795003600".into()),
        token(Reason::Expired, "a minute ago", |_, claims| {
            claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 60);
            claims["iat"] = json!(claims["iat"].as_u64().unwrap() - 3600);
        }),
        token(Reason::NotYetValid, "tomorrow", |_, claims| {
            claims["nbf"] = json!(claims["iat"].as_u64().unwrap() + 86400);
        }),
        token(Reason::BadIssueTime, "tomorrow", |_, claims| {
            claims["iat"] = json!(claims["iat"].as_u64().unwrap() + 86400);
            claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 86400);
        }),
        token(Reason::BadIssueTime, "a text", |_, claims| claims["iat"] = "now".into()),
        token(Reason::MissingSubject, "none", |_, claims| drop(claims.as_object_mut().unwrap().remove("sub"))),
        token(Reason::MissingSubject, "empty", |_, claims| claims["sub"] = "".into()),
        token(Reason::SenderConstrained, "DPoP", |_, claims| claims["cnf"] = json!({ "jkt": "x" })),
        token(Reason::SenderConstrained, "mutual TLS", |_, claims| claims["cnf"] = json!({ "x5t#S256": "x" })),
        token(Reason::NotAnAccessToken, "an ID token by its claims", |_, claims| claims["token_use"] = "id".into()),
        token(Reason::UnknownKey, "an invented kid", |header, _| header["kid"] = "invented".into()),
        with_keys(Reason::UnknownKey, "another key", || vec![key_pair("p384-2").jwk("other")]),
        case(Reason::UnknownKey, "no kid and no key of this kind", || {
            let scene = Scene::new(policy());
            scene.world.publish(ISSUER, &[key_pair("p256").jwk("k")]);
            denial(&scene, &scene.token(|header, _| drop(header.as_object_mut().unwrap().remove("kid"))))
        }),
        with_keys(Reason::AmbiguousKey, "two keys of one name", || {
            vec![key_pair("p384-1").jwk("k"), key_pair("p384-2").jwk("k")]
        }),
        case(Reason::AmbiguousKey, "no kid and two keys of this kind", || {
            let scene = Scene::new(policy());
            scene.world.publish(ISSUER, &[key_pair("p384-1").jwk("k"), key_pair("p384-2").jwk("l")]);
            denial(&scene, &scene.token(|header, _| drop(header.as_object_mut().unwrap().remove("kid"))))
        }),
        with_keys(Reason::KeyMismatch, "a key of another curve", || vec![key_pair("p256").jwk("k")]),
        with_keys(Reason::KeyMismatch, "an RSA key", || vec![key_pair("rsa-1").jwk("k")]),
        token(Reason::KeyMismatch, "another algorithm", |header, _| header["alg"] = "RS256".into()),
        with_keys(Reason::UnusableKey, "a point off the curve", || {
            let mut key = key_pair("p384-1").jwk("k");
            key["y"] = key["x"].clone();
            vec![key]
        }),
        with_keys(Reason::UnknownKey, "too short a key", || {
            let short = json!({"kty": "RSA", "kid": "k", "n": "A".repeat(171), "e": "AQAB"});
            vec![short, key_pair("p384-2").jwk("other")]
        }),
        with_policy(Reason::KeyDenied, "by its kid", |policy| policy.denied.keys = vec!["k".to_owned()]),
        with_policy(Reason::KeyDenied, "by its thumbprint", |policy| {
            let thumbprint = thumbprint(&key_pair("p384-1").jwk("k"));
            policy.denied.keys = vec![URL_SAFE_NO_PAD.encode(thumbprint)];
        }),
        with_policy(Reason::IssuedBeforeCutoff, "issued before", |policy| policy.denied.issued_before = START + 1),
        case(Reason::IssuedBeforeCutoff, "issued at some time", || {
            let mut policy = policy();
            policy.denied.issued_before = 1;
            let scene = Scene::new(policy);
            denial(&scene, &scene.token(|_, claims| drop(claims.as_object_mut().unwrap().remove("iat"))))
        }),
        with_keys(Reason::BadSignature, "another key under this name", || vec![key_pair("p384-2").jwk("k")]),
        case(Reason::BadSignature, "a signature of wrong length", || {
            let scene = Scene::new(policy());
            denial(&scene, &format!("{}AAAA", scene.token(|_, _| ())))
        }),
        case(Reason::BadSignature, "signed by the key in its own header", || {
            let scene = Scene::new(policy());
            let mallory = key_pair("p384-3");
            let mut header = header(Algorithm::ES384, "k");
            header["jwk"] = mallory.jwk("k");
            header["jku"] = "https://evil.example/jwks".into();
            let denied = denial(&scene, &mint(&mallory, Algorithm::ES384, &header, &claims(scene.world.now())));
            assert_eq!(scene.world.calls("https://evil.example/jwks"), 0);
            denied
        }),
        case(Reason::OpaqueNotAccepted, "not configured", || denial(&Scene::new(policy()), crate::opaque::TOKEN)),
        case(Reason::OpaqueNotAccepted, "of another client", || {
            let scene = Scene::new(crate::opaque::policy_for("somebody-else"));
            scene.world.answer(&introspection_url(ISSUER), Answer::json(&crate::opaque::active(&scene)));
            denial(&scene, crate::opaque::TOKEN)
        }),
        opaque(Reason::Inactive, "revoked", || Answer::json(&json!({ "active": false }))),
        opaque(Reason::Inactive, "a deleted app", || logto::answer("introspection.json", "app_deleted")),
        case(Reason::Inactive, "userinfo refuses", || {
            let scene = Scene::new(crate::opaque::userinfo_policy());
            scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", "garbage"));
            denial(&scene, crate::opaque::TOKEN)
        }),
        opaque(Reason::NotAnAccessToken, "a refresh token", || {
            Answer::json(&json!({ "active": true, "sub": "alice" }))
        }),
        with_policy(Reason::ClaimRequired, "no token of Okta", |policy| {
            policy.issuers[0].profile = TokenProfile::new(&OKTA);
            policy.issuers[0].profile.token_types = vec!["at+jwt".to_owned()];
        }),
        with_policy(Reason::OrganizationNotAllowed, "no organization and a list", |policy| {
            policy.organizations = vec!["acme".to_owned()];
        }),
        with_policy(Reason::ClientDenied, "denied", |policy| policy.clients.denied = ClientList::parse("agent")),
        with_policy(Reason::ClientNotAllowed, "not listed", |policy| {
            policy.clients.allowed = ClientList::parse("other");
        }),
        case(Reason::ClientNotAllowed, "no client and a list", || {
            let mut policy = policy();
            policy.clients.denied = ClientList::parse("somebody");
            let scene = Scene::new(policy);
            denial(&scene, &scene.token(|_, claims| drop(claims.as_object_mut().unwrap().remove("client_id"))))
        }),
        with_policy(Reason::InsufficientScope, "one of two", |policy| {
            policy.required_scopes = Scopes::parse("whoami:read whoami:write");
        }),
        case(Reason::KeysUnavailable, "no connection", || {
            let scene = Scene::new(policy());
            scene.world.take_down(ISSUER);
            denial(&scene, &scene.token(|_, _| ()))
        }),
        case(Reason::KeysUnavailable, "an empty key set", || {
            let scene = Scene::new(policy());
            scene.world.publish(ISSUER, &[]);
            denial(&scene, &scene.token(|_, _| ()))
        }),
        case(Reason::KeysUnavailable, "a redirect", || {
            let scene = Scene::new(policy());
            scene.world.answer(&jwks_url(ISSUER), Answer::Reply(302, String::new()));
            denial(&scene, &scene.token(|_, _| ()))
        }),
        opaque(Reason::IntrospectionUnavailable, "no connection", || Answer::Down),
        opaque(Reason::IntrospectionUnavailable, "429", || Answer::Reply(429, String::new())),
        opaque(Reason::IntrospectionUnavailable, "a page", || Answer::Reply(400, "<html>".to_owned())),
        opaque(Reason::IntrospectionUnavailable, "not JSON", || Answer::Reply(200, "<html>".to_owned())),
        case(Reason::ProviderSpared, "a flood of invented tokens", || {
            let scene = Scene::new(crate::opaque::policy());
            scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
            for number in 0..MAX_QUESTIONS {
                denial(&scene, &format!("invented-{number}"));
            }
            denial(&scene, crate::opaque::TOKEN)
        }),
        opaque(Reason::IntrospectionRefused, "a wrong secret", || logto::answer("introspection.json", "wrong_secret")),
    ]
}

#[test]
fn each_change_has_its_reason() {
    for case in cases() {
        assert_eq!((case.deny)().reason(), case.reason, "{}", case.what);
    }
}

#[test]
fn every_reason_is_reached_here_or_given_elsewhere() {
    let reached: HashSet<_> = cases().iter().map(|case| case.reason).collect();
    let elsewhere = HashSet::from(GIVEN_ELSEWHERE);
    assert!(reached.is_disjoint(&elsewhere), "reached after all");
    let all: HashSet<_> = Reason::ALL.into_iter().collect();
    assert_eq!(reached.union(&elsewhere).copied().collect::<HashSet<_>>(), all);
}

#[test]
fn an_outage_says_when_to_come_back_and_nothing_else_does() {
    for case in cases() {
        let denial = (case.deny)();
        let is_outage = denial.reason().to_public().status == 503;
        assert_eq!(denial.retry_after().is_some(), is_outage, "{}", case.what);
        assert!(denial.retry_after().is_none_or(|seconds| (1..=30).contains(&seconds)), "{}", case.what);
    }
}

#[test]
fn a_shortfall_names_every_scope_that_is_needed() {
    let mut policy = policy();
    policy.required_scopes = Scopes::parse("whoami:read whoami:write");
    let scene = Scene::new(policy);
    let Err(Denial::InsufficientScope { needed }) = scene.send(&scene.token(|_, _| ())) else { panic!("let in") };
    assert_eq!(needed.to_string(), "whoami:read whoami:write");
}

#[test]
fn garbage_costs_neither_a_fetch_nor_cryptography() {
    let changes: [fn(&mut Value, &mut Value); 6] = [
        |header, _| header["typ"] = "JWT".into(),
        |header, _| header["alg"] = "none".into(),
        |_, claims| claims["iss"] = "https://evil.example".into(),
        |_, claims| claims["aud"] = "https://evil.example".into(),
        |_, claims| claims["exp"] = json!(1),
        |_, claims| claims["sub"] = json!(""),
    ];
    for change in changes {
        let scene = Scene::new(policy());
        assert!(scene.send(&scene.token(change)).is_err());
        assert_eq!(scene.world.received(), []);
        assert_eq!((scene.world.store_reads(), scene.world.verifications()), (0, 0));
    }
}

#[test]
fn a_signature_of_wrong_length_costs_no_cryptography() {
    let scene = Scene::new(policy());
    let token = scene.token(|_, _| ());
    for wrong in [format!("{token}AAAA"), token[..token.len() - 4].to_owned()] {
        assert_eq!(scene.reason(&wrong), Reason::BadSignature);
    }
    assert_eq!(scene.world.verifications(), 0);
}

#[test]
fn no_denial_holds_the_token() {
    for (case, token) in [
        ("opaque", crate::opaque::TOKEN.to_owned()),
        ("jwt", {
            let scene = Scene::new(policy());
            scene.token(|header, _| header["kid"] = "invented".into())
        }),
    ] {
        let server = ResourceServer::new(policy());
        let scene = Scene { server, ..Scene::new(policy()) };
        let denial = denial(&scene, &token);
        assert!(!format!("{denial:?}").contains(&token), "{case}");
    }
}
