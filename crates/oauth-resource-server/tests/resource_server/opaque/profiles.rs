//! Profiles from the userinfo endpoint, and which of their claims are disclosed.

use super::*;

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
        assert_eq!(identity.client_id(), Some("agent"));
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
    assert_eq!((identity.client_id(), identity.kind()), (None, Kind::User));
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
