//! ID tokens, signed with real keys: which are taken, and why each other one is refused.

#[path = "../../../oauth-resource-server/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of access tokens")]
mod support;

use mcp_edge_oauth::{
    denial::Reason,
    providers::profiles,
    resource_server::{TrustPolicy, TrustedIssuer},
    token::{denied::DeniedTokens, profile::TokenProfile},
};
use mcp_edge_runtime::{crypto::Algorithm, secret::Secret};
use mcp_edge_sign_in::id_token::{Expected, IdToken, IdTokenError, verify};
use serde_json::{Value, json};

use support::{
    signatures::key_pair,
    tokens::{ISSUER, RESOURCE, Scene, mint, mint_text, policy, policy_of_types},
};

const CLIENT: &str = "vault";
const NONCE: &str = "nonce-of-256-bits";

/// How the verifier is asked.
struct Asked {
    issuer: TrustedIssuer,
    denied: DeniedTokens,
    max_age: Option<u64>,
}

impl Asked {
    fn new() -> Self {
        Self {
            issuer: TrustedIssuer::new(ISSUER, vec![RESOURCE.to_owned()]),
            denied: DeniedTokens::default(),
            max_age: None,
        }
    }

    /// Verifies a token in this scene.
    fn verify(&self, scene: &Scene, token: &str) -> Result<IdToken, IdTokenError> {
        let Self { issuer, denied, max_age } = self;
        let expected = Expected { issuer, client_id: CLIENT, nonce: NONCE, denied, max_age: *max_age };
        let (keys, token) = (&scene.server.keys()[0], Secret::new(token));
        scene.world.run(verify(&token, &expected, keys, scene.world.now(), &scene.world))
    }
}

/// A good ID token with a change to its header or its claims.
fn id_token(scene: &Scene, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let now = scene.world.now();
    let mut header = json!({"alg": "ES384", "kid": "k"});
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": now, "exp": now + 3600, "auth_time": now,
        "sid": "session-1", "name": "Alice", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    });
    change(&mut header, &mut claims);
    mint(&scene.key, Algorithm::ES384, &header, &claims)
}

fn scene() -> Scene {
    Scene::new(policy())
}

/// What becomes of a token with changed claims.
fn with_claims(change: impl FnOnce(&mut Value)) -> Result<IdToken, IdTokenError> {
    let scene = scene();
    let token = id_token(&scene, |_, claims| change(claims));
    Asked::new().verify(&scene, &token)
}

/// The reason of a denial.
fn reason(outcome: &Result<IdToken, IdTokenError>) -> Option<Reason> {
    match outcome {
        Err(IdTokenError::Denied(denial)) => Some(denial.reason()),
        _ => None,
    }
}

#[test]
fn a_good_token_says_who_signed_in() {
    let scene = scene();
    let token = id_token(&scene, |_, _| ());
    let expected = IdToken {
        issuer: ISSUER.to_owned(),
        subject: "alice".to_owned(),
        auth_time: Some(scene.world.now()),
        session_id: Some("session-1".to_owned()),
        name: Some("Alice".to_owned()),
    };
    assert_eq!(Asked::new().verify(&scene, &token), Ok(expected));
    for typ in ["JWT", "jwt", "application/jwt"] {
        let token = id_token(&scene, |header, _| header["typ"] = typ.into());
        assert!(Asked::new().verify(&scene, &token).is_ok(), "{typ}");
    }
}

#[test]
fn a_token_of_another_type_is_refused() {
    let scene = scene();
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "secevent+jwt", "dpop+jwt", ""] {
        let token = id_token(&scene, |header, _| header["typ"] = typ.into());
        assert_eq!(reason(&Asked::new().verify(&scene, &token)), Some(Reason::WrongType), "{typ}");
    }
    for (claim, value) in [
        ("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}})),
        ("events", json!([])),
        ("cnf", json!({"jkt": "x"})),
        ("typ", json!("Bearer")),
        ("typ", json!("Logout")),
        ("token_use", json!("access")),
        ("token_type", json!("Bearer")),
        ("tokenType", json!("access_token")),
        ("tokenName", json!("refresh_token")),
    ] {
        let outcome = with_claims(|it| it[claim] = value.clone());
        assert_eq!(outcome, Err(IdTokenError::NotAnIdToken { claim }), "{value}");
    }
    for (claim, value) in
        [("typ", json!("ID")), ("token_use", json!("id")), ("events", Value::Null), ("tokenName", json!("id_token"))]
    {
        assert!(with_claims(|it| it[claim] = value.clone()).is_ok(), "{claim} {value}");
    }
}

#[test]
fn unsigned_symmetric_and_foreign_signatures_are_refused() {
    let scene = scene();
    for alg in ["none", "None", "HS256", "HS384", "RSA1_5"] {
        let token = id_token(&scene, |header, _| header["alg"] = alg.into());
        let outcome = Asked::new().verify(&scene, &token);
        assert_eq!(reason(&outcome), Some(Reason::UnsupportedAlgorithm), "{alg}");
    }
    let good = id_token(&scene, |_, _| ());
    let mut other = scene_of_another_key(&scene);
    assert_eq!(reason(&Asked::new().verify(&scene, &other)), Some(Reason::BadSignature));
    // The claims of one under the signature of another.
    let (input, _) = other.rsplit_once('.').expect("three segments");
    let (_, signature) = good.rsplit_once('.').expect("three segments");
    other = format!("{input}x.{signature}");
    assert!(reason(&Asked::new().verify(&scene, &other)).is_some());
    let unsigned = format!("{}.", good.rsplit_once('.').expect("three segments").0);
    assert_eq!(reason(&Asked::new().verify(&scene, &unsigned)), Some(Reason::BadSignature));
    let unknown = id_token(&scene, |header, _| header["kid"] = "other".into());
    assert_eq!(reason(&Asked::new().verify(&scene, &unknown)), Some(Reason::UnknownKey));
    for bad in ["", "a", "a.b", "a.b.c", "a.b.c.d.e"] {
        assert_eq!(reason(&Asked::new().verify(&scene, bad)), Some(Reason::MalformedToken), "{bad}");
    }
}

/// A token that says that it is signed with `k`, and is signed with another key.
fn scene_of_another_key(scene: &Scene) -> String {
    let now = scene.world.now();
    let claims = json!({"iss": ISSUER, "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": now, "exp": now + 3600});
    mint(&key_pair("p384-2"), Algorithm::ES384, &json!({"alg": "ES384", "kid": "k"}), &claims)
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    for iss in [json!("https://evil.example/oidc"), json!("https://tenant.example/oidc/"), json!(1), Value::Null] {
        let outcome = with_claims(|it| it["iss"] = iss.clone());
        assert_eq!(reason(&outcome), Some(Reason::WrongIssuer), "{iss}");
    }
    let scene = scene();
    let mut asked = Asked::new();
    asked.issuer.accepted = vec!["https://tenant.example/a".to_owned(), "https://tenant.example/b".to_owned()];
    let token = id_token(&scene, |_, claims| claims["iss"] = "https://tenant.example/b".into());
    assert_eq!(asked.verify(&scene, &token).map(|it| it.issuer), Ok("https://tenant.example/b".to_owned()));
    assert_eq!(reason(&asked.verify(&scene, &id_token(&scene, |_, _| ()))), Some(Reason::WrongIssuer));
}

#[test]
fn a_token_for_another_client_is_refused() {
    for (aud, azp, is_ours) in [
        (json!(CLIENT), Value::Null, true),
        (json!([CLIENT]), Value::Null, true),
        (json!(CLIENT), json!(CLIENT), true),
        (json!([CLIENT, "api"]), json!(CLIENT), true),
        (json!([CLIENT, "api"]), Value::Null, false),
        (json!([CLIENT, "api"]), json!("other"), false),
        (json!(CLIENT), json!("other"), false),
        (json!(CLIENT), json!([CLIENT]), false),
        (json!([CLIENT, 1]), json!(CLIENT), false),
        (json!("other"), json!(CLIENT), false),
        (json!(["other"]), json!(CLIENT), false),
        (json!([RESOURCE]), Value::Null, false),
        (json!("Vault"), Value::Null, false),
        (json!([]), json!(CLIENT), false),
        (json!({"vault": 1}), Value::Null, false),
        (Value::Null, json!(CLIENT), false),
    ] {
        let outcome = with_claims(|it| {
            it["aud"] = aud.clone();
            it["azp"] = azp.clone();
        });
        assert_eq!(outcome.is_ok(), is_ours, "{aud} {azp}");
        assert!(is_ours || outcome == Err(IdTokenError::Audience), "{aud} {azp}: {outcome:?}");
    }
}

#[test]
fn a_token_that_answers_another_request_is_refused() {
    for nonce in [json!("nonce-of-256-bit"), json!("nonce-of-256-bits "), json!(""), json!(1), Value::Null] {
        assert_eq!(with_claims(|it| it["nonce"] = nonce.clone()), Err(IdTokenError::Nonce), "{nonce}");
    }
    // Who asks without a nonce gets no token past this.
    let (scene, asked) = (scene(), Asked::new());
    let token = Secret::new(id_token(&scene, |_, claims| claims["nonce"] = "".into()));
    let expected =
        Expected { issuer: &asked.issuer, client_id: CLIENT, nonce: "", denied: &asked.denied, max_age: None };
    let verified = verify(&token, &expected, &scene.server.keys()[0], scene.world.now(), &scene.world);
    assert_eq!(scene.world.run(verified), Err(IdTokenError::Nonce));
}

#[test]
fn a_token_is_good_in_its_time_only() {
    let now = scene().world.now();
    for (claim, value, expected) in [
        ("exp", json!(now - 6), Some(Reason::Expired)),
        ("exp", Value::Null, Some(Reason::MissingExpiry)),
        ("exp", json!("tomorrow"), Some(Reason::MalformedToken)),
        ("iat", json!(now + 61), Some(Reason::BadIssueTime)),
        ("iat", json!(now + 60), None),
        ("iat", Value::Null, Some(Reason::BadIssueTime)),
        ("iat", json!(now + 3600), Some(Reason::BadIssueTime)),
        ("nbf", json!(now + 61), Some(Reason::NotYetValid)),
        ("nbf", json!(now + 60), None),
        ("nbf", json!(-1), Some(Reason::MalformedToken)),
        ("auth_time", json!("now"), Some(Reason::MalformedToken)),
    ] {
        let outcome = with_claims(|it| {
            it["iat"] = json!(now - 10);
            it[claim] = value.clone();
        });
        assert_eq!(reason(&outcome), expected, "{claim} {value}");
        assert_eq!(outcome.is_ok(), expected.is_none(), "{claim} {value}: {outcome:?}");
    }
}

#[test]
fn a_sign_in_may_be_so_long_ago_as_was_asked() {
    let scene = scene();
    let now = scene.world.now();
    let asked = Asked { max_age: Some(600), ..Asked::new() };
    for (auth_time, is_good) in [
        (Some(now), true),
        (Some(now - 600), true),
        (Some(now - 605), true),
        (Some(now - 606), false),
        (Some(now + 60), true),
        (Some(now + 61), false),
        (None, false),
    ] {
        let token = id_token(&scene, |_, claims| claims["auth_time"] = json!(auth_time));
        let outcome = asked.verify(&scene, &token);
        assert_eq!(outcome.is_ok(), is_good, "{auth_time:?}");
        assert!(is_good || outcome == Err(IdTokenError::TooOld { auth_time }), "{auth_time:?}: {outcome:?}");
    }
    // Nobody asked how long ago.
    let token = id_token(&scene, |_, claims| claims["auth_time"] = Value::Null);
    assert_eq!(Asked::new().verify(&scene, &token).map(|it| it.auth_time), Ok(None));
}

#[test]
fn a_subject_has_a_name_of_limited_length() {
    for sub in [json!(""), json!(1), Value::Null, json!("x".repeat(256))] {
        assert_eq!(reason(&with_claims(|it| it["sub"] = sub.clone())), Some(Reason::MissingSubject), "{sub}");
    }
    assert!(with_claims(|it| it["sub"] = json!("x".repeat(255))).is_ok());
}

#[test]
fn the_name_is_for_display() {
    let name = |claims: Value| {
        let verified = with_claims(|it| {
            it["name"] = Value::Null;
            for (name, value) in claims.as_object().into_iter().flatten() {
                it[name] = value.clone();
            }
        });
        verified.expect("a good token").name
    };
    for (claims, expected) in [
        (json!({"username": "al", "preferred_username": "ali"}), Some("al")),
        (json!({"preferred_username": "ali"}), Some("ali")),
        (json!({"name": 1, "username": "al"}), Some("al")),
        (json!({"name": " ", "username": "al"}), Some("al")),
        (json!({"name": "A\u{0}li\nce\u{7f}"}), Some("Alice")),
        (json!({}), None),
    ] {
        assert_eq!(name(claims.clone()).as_deref(), expected, "{claims}");
    }
    assert_eq!(name(json!({"name": "ä".repeat(100)})), Some("ä".repeat(60)));
    assert_eq!(with_claims(|it| it["sid"] = json!("x".repeat(256))).map(|it| it.session_id), Ok(None));
}

#[test]
fn what_the_operator_denies_is_refused() {
    let scene = scene();
    let token = id_token(&scene, |_, _| ());
    let of = |denied: DeniedTokens| reason(&Asked { denied, ..Asked::new() }.verify(&scene, &token));
    assert_eq!(of(DeniedTokens { keys: vec!["k".to_owned()], issued_before: 0 }), Some(Reason::KeyDenied));
    let cutoff = DeniedTokens { keys: Vec::new(), issued_before: scene.world.now() + 1 };
    assert_eq!(of(cutoff), Some(Reason::IssuedBeforeCutoff));
    assert_eq!(of(DeniedTokens::default()), None);
}

#[test]
fn an_outage_is_no_bad_token() {
    let scene = scene();
    scene.world.take_down(ISSUER);
    let outcome = Asked::new().verify(&scene, &id_token(&scene, |_, _| ()));
    assert!(reason(&outcome).is_some_and(Reason::is_outage), "{outcome:?}");
}

#[test]
fn no_member_may_occur_twice() {
    let scene = scene();
    let now = scene.world.now();
    let claims = format!(
        r#"{{"iss":"{ISSUER}","aud":"vault","sub":"alice","sub":"bob","nonce":"{NONCE}","iat":{now},"exp":{}}}"#,
        now + 60
    );
    let token = mint_text(&scene.key, Algorithm::ES384, r#"{"alg":"ES384","kid":"k"}"#, &claims);
    assert_eq!(reason(&Asked::new().verify(&scene, &token)), Some(Reason::DuplicateMember));
}

/// Neither takes the other's, under all types that an operator may accept of access tokens, and from the same provider
/// with the same key.
#[test]
fn an_access_token_is_no_id_token_and_the_other_way_round() {
    let types = ["at+jwt", "application/at+jwt", "jwt", "application/jwt", ""];
    for policy in [policy(), policy_of_types(&types), of_profile(&profiles::LOGTO), of_profile(&profiles::KEYCLOAK)] {
        let scene = Scene::new(policy);
        for typ in [json!("at+jwt"), json!("JWT"), Value::Null] {
            let access_token = scene.token(|header, claims| {
                header["typ"] = typ.clone();
                claims["typ"] = json!("Bearer");
                header.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
            });
            assert!(Asked::new().verify(&scene, &access_token).is_err(), "{typ}");
            let id_token = id_token(&scene, |header, _| {
                header["typ"] = typ.clone();
                header.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
            });
            assert!(scene.send(&id_token).is_err(), "{typ}");
            assert_eq!(Asked::new().verify(&scene, &id_token).is_ok(), typ != json!("at+jwt"), "{typ}");
        }
    }
}

fn of_profile(provider: &'static mcp_edge_oauth::providers::Profile) -> TrustPolicy {
    let mut policy = policy();
    policy.issuers[0].profile = TokenProfile::new(provider);
    policy
}
