//! Opaque tokens: the recorded answers of Logto's introspection and userinfo endpoints, through the resource server.

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_oauth::{
    client_policy::ClientList,
    denial::Reason,
    disclosure::Disclosure,
    resource_server::{TrustPolicy, TrustedIssuer},
    token::{
        budget::{QUESTIONS, WINDOW_SECONDS},
        opaque::{AcceptedClients, Method, OpaquePolicy},
    },
};
use serde_json::{Value, json};

use crate::support::{
    logto,
    tokens::{self, ISSUER, RESOURCE, Scene},
    world::{Answer, introspection_url, userinfo_url},
};

/// As long as Logto's.
pub const TOKEN: &str = "VXpE0vCeh2tNZGWy1_Qm3dDUTF1f6xDqE4mYk8Nb2sQ";

/// The recorded third-party client.
const AGENT: &str = "nw586goxpxltbp7t0p27k";

/// Accepts opaque tokens of any client, by introspection.
pub fn policy() -> TrustPolicy {
    with_opaque(AcceptedClients::Any, Method::Introspection { client_id: "us".into(), client_secret: "s3cret".into() })
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
    with_opaque(AcceptedClients::Any, Method::Userinfo)
}

fn with_opaque(clients: AcceptedClients, method: Method) -> TrustPolicy {
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
    let issuer = TrustedIssuer { issuer: logto::ISSUER.to_owned(), audiences: vec![logto::RESOURCE.to_owned()] };
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
    outcome.map(|identity| identity.scopes().to_string()).map_err(|denial| denial.reason)
}

#[test]
fn recorded_answers_of_logto() {
    let any = || AcceptedClients::Any;
    assert_eq!(recorded("ok_third_party", any()), Ok("email openid profile".to_owned()));
    assert_eq!(recorded("ok_first_party", any()), Ok("email offline_access openid profile".to_owned()));
    assert_eq!(recorded("ok_with_custom_claims", any()), Ok("openid".to_owned()));
    assert_eq!(recorded("public_client_own_token", any()), Ok("email openid profile".to_owned()));
    // Active, and no access token.
    assert_eq!(recorded("refresh_token", any()), Err(Reason::NotAnAccessToken));
    for dead in
        ["unknown", "revoked", "grant_deleted", "user_suspended", "user_unsuspended_again", "public_client_other_token"]
    {
        assert_eq!(recorded(dead, any()), Err(Reason::Inactive), "{dead}");
    }
    // The same error code; only the status tells whose fault it is.
    assert_eq!(recorded("app_deleted", any()), Err(Reason::Inactive));
    assert_eq!(recorded("wrong_secret", any()), Err(Reason::IntrospectionRefused));
    assert_eq!(recorded("jwt", any()), Err(Reason::Inactive));
}

/// The recorded client that asked and was deleted.
const OURS: &str = "nosuchclientnosuchcli";

/// What Logto answers about our own client, and about the tokens of others.
#[test]
fn recorded_answers_about_our_own_client_are_outages() {
    let send = |exchange: &str, client_id: &str| {
        let method = Method::Introspection { client_id: client_id.into(), client_secret: "s3cret".into() };
        let scene = Scene::new(with_opaque(AcceptedClients::Any, method));
        scene.world.answer(&introspection_url(ISSUER), logto::answer("introspection-own-client.json", exchange));
        let denial = scene.send(TOKEN).unwrap_err();
        // An outage is over as soon as it is over; a verdict is remembered.
        let calls = introspections(&scene);
        assert_eq!(scene.reason(TOKEN), denial.reason);
        assert_eq!(introspections(&scene) > calls, denial.reason.is_outage(), "{exchange}");
        (denial.reason, denial.detail.unwrap_or_default())
    };
    for (exchange, expected) in [
        ("own client unknown (deleted)", Reason::IntrospectionRefused),
        ("own client: wrong secret", Reason::IntrospectionRefused),
        ("own client: secret has expired", Reason::IntrospectionRefused),
        ("token of a deleted application", Reason::Inactive),
        ("JWT", Reason::Inactive),
    ] {
        let (reason, detail) = send(exchange, OURS);
        assert_eq!(reason, expected, "{exchange}");
        assert!(!detail.contains(OURS) && !detail.contains("06t66bud9u8g1ej0nier0"), "{detail}");
        let names_the_fix = detail.contains("check INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET");
        assert_eq!(names_the_fix, reason == Reason::IntrospectionRefused, "{detail}");
    }
    assert!(send("own client: secret has expired", OURS).1.contains("the secret has expired"));
    // The same answer about somebody else's client.
    assert_eq!(send("own client unknown (deleted)", "us").0, Reason::Inactive);
    assert_eq!(recorded("no_client_authentication", AcceptedClients::Any), Err(Reason::IntrospectionRefused));
}

#[test]
fn a_web_page_is_no_verdict_whatever_its_status() {
    for status in [400, 401, 403] {
        let page = Answer::Reply(status, "<!doctype html><title>Sorry, you have been blocked</title>".to_owned());
        let scene = answering(policy(), page.clone());
        assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable, "{status}");
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
        assert!(scene.send(TOKEN).is_ok(), "nothing of it is remembered");
        let scene = Scene::new(userinfo_policy());
        scene.world.answer(&userinfo_url(ISSUER), page);
        assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable, "{status}");
        scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", "ok"));
        assert!(scene.send(TOKEN).is_ok(), "nothing of it is remembered");
    }
}

#[test]
fn only_listed_clients_may_come_with_an_opaque_token() {
    let listed = |clients: &str| AcceptedClients::Listed(ClientList::parse(clients));
    assert!(recorded("ok_third_party", listed(AGENT)).is_ok());
    assert_eq!(recorded("ok_first_party", listed(AGENT)), Err(Reason::OpaqueNotAccepted));
    let mut answer = active(&good());
    answer.as_object_mut().unwrap().remove("client_id");
    assert_eq!(answering(policy_for("agent"), Answer::json(&answer)).reason(TOKEN), Reason::OpaqueNotAccepted);
}

#[test]
fn our_credentials_and_the_token_are_sent_and_nothing_else() {
    let scene = good();
    scene.send(TOKEN).unwrap();
    let calls = scene.world.received();
    let call = calls.iter().find(|call| call.url == introspection_url(ISSUER)).unwrap();
    assert_eq!(call.authorization.as_deref(), Some("Basic dXM6czNjcmV0"));
    assert_eq!(call.form, Some(format!("token={TOKEN}&token_type_hint=access_token")));
    for call in calls.iter().filter(|call| call.url.contains("well-known") || call.url.contains("jwks")) {
        assert_eq!((&call.authorization, &call.form), (&None, &None), "{}", call.url);
    }
}

#[test]
fn a_jwt_is_never_sent_to_introspection_however_broken() {
    let scene = good();
    let token = scene.token(|_, _| ());
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for broken in [
        format!("{header}.{claims}"),
        header.to_owned(),
        format!("{header}."),
        format!("{header}..{signature}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}.."),
        format!("{header}.not-json.{signature}"),
        scene.token(|header, _| header["alg"] = "none".into()),
        scene.token(|header, _| header["typ"] = "JWT".into()),
        scene.token(|_, claims| claims["aud"] = "other".into()),
    ] {
        assert!(scene.send(&broken).is_err(), "{broken}");
    }
    assert_eq!((introspections(&scene), profiles(&scene)), (0, 0));
}

#[test]
fn a_good_answer_is_used_for_its_time_and_then_asked_again() {
    let scene = good();
    for _ in 0..5 {
        scene.send(TOKEN).unwrap();
    }
    assert_eq!((introspections(&scene), profiles(&scene)), (1, 1));
    scene.world.advance(29);
    scene.send(TOKEN).unwrap();
    assert_eq!(introspections(&scene), 1);
    scene.world.advance(1);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
    assert_eq!(scene.reason(TOKEN), Reason::Inactive, "a revoked token dies after 30 seconds");
}

#[test]
fn a_good_answer_is_not_used_past_the_expiry_it_names() {
    let scene = good();
    let mut answer = active(&scene);
    answer["exp"] = json!(scene.world.now() + 5);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    scene.send(TOKEN).unwrap();
    scene.world.advance(4);
    scene.send(TOKEN).unwrap();
    assert_eq!(introspections(&scene), 1);
    scene.world.advance(1);
    let _ = scene.send(TOKEN);
    assert_eq!(introspections(&scene), 2);
}

#[test]
fn a_bad_answer_is_remembered_for_ten_seconds() {
    let scene = answering(policy(), Answer::json(&json!({ "active": false })));
    for _ in 0..5 {
        assert_eq!(scene.reason(TOKEN), Reason::Inactive);
    }
    assert_eq!(introspections(&scene), 1);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene.world.advance(10);
    assert!(scene.send(TOKEN).is_ok());
}

#[test]
fn an_outage_is_not_remembered() {
    for outage in [Answer::Down, Answer::Reply(500, String::new()), Answer::After(6000, Box::new(Answer::Down))] {
        let scene = answering(policy(), outage);
        assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable);
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
        assert!(scene.send(TOKEN).is_ok(), "at once, when the provider is back");
    }
    let scene = answering(policy(), logto::answer("introspection.json", "wrong_secret"));
    assert_eq!(scene.reason(TOKEN), Reason::IntrospectionRefused);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert!(scene.send(TOKEN).is_ok(), "at once, when the secret is right");
}

#[test]
fn the_operator_learns_what_the_provider_said() {
    let denial = answering(policy(), logto::answer("introspection.json", "app_deleted")).send(TOKEN).unwrap_err();
    assert_eq!(denial.detail.as_deref(), Some("introspection answered 400 invalid_client"));
    let denial = answering(policy(), logto::answer("introspection.json", "wrong_secret")).send(TOKEN).unwrap_err();
    assert!(denial.detail.unwrap().contains("INTROSPECTION_CLIENT_SECRET"));
}

#[test]
fn a_policy_of_clients_holds_for_remembered_answers_too() {
    let mut policy = policy();
    policy.clients.denied = ClientList::parse("agent");
    let scene = Scene::new(policy);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert_eq!(scene.reason(TOKEN), Reason::ClientDenied);
    assert_eq!(scene.reason(TOKEN), Reason::ClientDenied);
    assert_eq!(introspections(&scene), 1);
}

#[test]
fn claims_beyond_consent_are_dropped() {
    // The recorded answer carries an e-mail address and a user name, and `openid` alone was consented to.
    let mut answer = logto::file("introspection.json")["ok_with_custom_claims"]["body"].take();
    answer["iss"] = ISSUER.into();
    let scene = answering(policy(), Answer::json(&answer));
    scene.world.advance_to(1_795_308_100);
    let identity = scene.send(TOKEN).unwrap();
    assert!(identity.claims().is_empty(), "{:?}", identity.claims());
    assert_eq!(profiles(&scene), 0, "nothing of a profile may be shown, so none is fetched");
}

#[test]
fn a_profile_is_fetched_when_a_consented_scope_covers_it() {
    let mut policy = policy();
    policy.disclosure = Disclosure::parse("whoami:read=name").unwrap();
    for (scope, fetched, shown) in [
        ("openid", 0, vec![]),
        ("openid email", 1, vec!["email", "email_verified"]),
        ("openid whoami:read", 1, vec!["name"]),
        (
            "openid profile email",
            1,
            vec!["email", "email_verified", "name", "preferred_username", "updated_at", "username"],
        ),
    ] {
        let scene = Scene::new(policy.clone());
        let mut answer = active(&scene);
        answer["sub"] = "unzlfabysh60".into();
        answer["scope"] = scope.into();
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
        scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", "ok"));
        let identity = scene.send(TOKEN).unwrap();
        let mut names: Vec<_> = identity.claims().keys().collect();
        names.sort();
        assert_eq!(names, shown, "{scope}");
        assert_eq!(profiles(&scene), fetched, "{scope}");
        assert_eq!(identity.client_id().as_deref(), Some("agent"));
    }
}

#[test]
fn the_profile_of_somebody_else_is_not_shown() {
    let scene = good();
    scene.world.answer(&userinfo_url(ISSUER), Answer::json(&json!({ "sub": "mallory", "name": "Mallory" })));
    let identity = scene.send(TOKEN).unwrap();
    assert_eq!((identity.subject(), identity.claims().len()), ("alice", 0));
    let scene = good();
    scene.world.answer(&userinfo_url(ISSUER), Answer::json(&json!({ "name": "Nobody" })));
    assert!(scene.send(TOKEN).unwrap().claims().is_empty());
}

#[test]
fn a_profile_that_cannot_be_had_makes_the_identity_poorer_not_wrong() {
    for answer in [
        Answer::Down,
        Answer::Reply(500, String::new()),
        Answer::Reply(200, "x".repeat(70_000)),
        Answer::Reply(302, String::new()),
    ] {
        let scene = good();
        scene.world.answer(&userinfo_url(ISSUER), answer);
        assert!(scene.send(TOKEN).unwrap().claims().is_empty());
    }
}

#[test]
fn by_userinfo_alone_there_is_a_subject_and_a_profile_and_no_client() {
    let scene = Scene::new(userinfo_policy());
    scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", "ok"));
    let identity = scene.send(TOKEN).unwrap();
    assert_eq!(identity.subject(), "unzlfabysh60");
    assert_eq!((identity.client_id().as_deref(), identity.kind()), (None, Kind::User));
    assert_eq!(identity.scopes().to_string(), "openid");
    assert_eq!(identity.claims()["email"], "alice@example.dev");
    assert_eq!(identity.claims().get("created_at"), None, "no scope of the standard covers it");
    assert_eq!(scene.world.received().last().unwrap().authorization, Some(format!("Bearer {TOKEN}")));
    assert_eq!(introspections(&scene), 0);
    for _ in 0..3 {
        scene.send(TOKEN).unwrap();
    }
    assert_eq!(profiles(&scene), 1);
}

#[test]
fn recorded_refusals_of_userinfo() {
    for exchange in ["garbage", "jwt_access_token", "refresh_token", "grant_deleted", "user_suspended", "app_deleted"] {
        let scene = Scene::new(userinfo_policy());
        scene.world.answer(&userinfo_url(ISSUER), logto::answer("userinfo.json", exchange));
        assert_eq!(scene.reason(TOKEN), Reason::Inactive, "{exchange}");
    }
    let scene = Scene::new(userinfo_policy());
    scene.world.answer(&userinfo_url(ISSUER), Answer::Reply(503, String::new()));
    assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable);
}

#[test]
fn a_machine_is_told_from_a_user() {
    let scene = good();
    let mut answer = active(&scene);
    answer["sub"] = "agent".into();
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    assert_eq!(scene.send(TOKEN).unwrap().kind(), Kind::Machine);
}

#[test]
fn an_audience_that_is_named_must_be_ours() {
    for (audience, expected) in [(json!(RESOURCE), None), (json!("https://other.example"), Some(Reason::WrongAudience))]
    {
        let scene = good();
        let mut answer = active(&scene);
        answer["aud"] = audience;
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
        for _ in 0..2 {
            assert_eq!(scene.send(TOKEN).err().map(|denial| denial.reason), expected);
        }
    }
}

#[test]
fn a_provider_without_the_endpoint_is_an_outage() {
    for policy in [policy(), userinfo_policy()] {
        let scene = Scene::new(policy);
        let document = json!({ "issuer": ISSUER, "jwks_uri": crate::support::world::jwks_url(ISSUER) });
        scene.world.answer(&crate::support::world::discovery_url(ISSUER), Answer::json(&document));
        assert_eq!(scene.reason(TOKEN), Reason::IntrospectionUnavailable);
    }
}

#[test]
fn required_scopes_hold_for_opaque_tokens() {
    let mut policy = policy();
    policy.required_scopes = Scopes::parse("whoami:read");
    let scene = Scene::new(policy.clone());
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert_eq!(scene.reason(TOKEN), Reason::InsufficientScope);
    // The operator may say that a scope of the user's profile stands for one of the API.
    policy.hierarchy.imply("profile", &Scopes::parse("whoami:read"));
    let scene = Scene::new(policy);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert!(scene.send(TOKEN).is_ok());
}

#[test]
fn a_flood_of_invented_tokens_does_not_reach_the_provider_and_spares_who_is_known() {
    let scene = good();
    scene.send(TOKEN).unwrap();
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
    let (before, began) = (introspections(&scene), scene.world.now());
    for number in 0..20 * u64::from(QUESTIONS) {
        let denial = scene.send(&format!("invented-{number}")).unwrap_err();
        assert!(matches!(denial.reason, Reason::Inactive | Reason::ProviderSpared), "{denial:?}");
        assert!(scene.send(TOKEN).is_ok(), "remembered, so nobody need be asked");
        if number % 100 == 99 {
            scene.world.advance(1);
        }
    }
    // Whoever was let in before is asked about again, flood or not.
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    scene.world.advance(policy().opaque.unwrap().positive_ttl_seconds);
    for number in 0..u64::from(QUESTIONS) {
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&json!({ "active": false })));
        scene.send(&format!("more-{number}")).unwrap_err();
    }
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert_eq!(scene.reason("one-too-many"), Reason::ProviderSpared);
    assert!(scene.send(TOKEN).is_ok());
    let windows = usize::try_from((scene.world.now() - began) / WINDOW_SECONDS + 1).unwrap();
    assert!(introspections(&scene) - before <= windows * usize::try_from(QUESTIONS).unwrap());
    // Who is told to come back is let in when the flood is over.
    scene.world.advance(WINDOW_SECONDS);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
    assert!(scene.send("an-honest-one").is_ok());
}
