//! Introspection: what is sent, and what the answers mean.

use super::*;

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

/// What Logto answers about our own client, and about the tokens of others.
#[test]
fn recorded_answers_about_our_own_client_are_outages() {
    let send = |exchange: &str, client_id: &str| {
        let method = CheckMethod::Introspection { client_id: client_id.into(), client_secret: "s3cret".into() };
        let scene = Scene::new(with_opaque(AcceptedClients::Any, method));
        scene.world.answer(&introspection_url(ISSUER), logto::answer("introspection-own-client.json", exchange));
        let denial = scene.send(TOKEN).unwrap_err();
        // An outage is over as soon as it is over; a verdict is remembered.
        let calls = introspections(&scene);
        assert_eq!(scene.reason(TOKEN), denial.reason());
        assert_eq!(introspections(&scene) > calls, denial.reason().is_outage(), "{exchange}");
        (denial.reason(), denial.detail().unwrap_or_default())
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
fn a_web_page_is_no_verdict_regardless_of_its_status() {
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
fn our_secret_is_in_the_form_where_the_provider_takes_nothing_else() {
    const LIST: &str = "introspection_endpoint_auth_methods_supported";
    let sent = |change: fn(&mut Value)| {
        let method = CheckMethod::Introspection { client_id: "mcp edge:1".into(), client_secret: "a&b=c+d%ä".into() };
        let scene = Scene::new(with_opaque(AcceptedClients::Any, method));
        scene.world.answer(&introspection_url(ISSUER), Answer::json(&active(&scene)));
        let mut document = discovery(ISSUER);
        change(&mut document);
        scene.world.answer(&discovery_url(ISSUER), Answer::json(&document));
        scene.send(TOKEN).unwrap();
        let calls = scene.world.received();
        let call = calls.iter().find(|call| call.url == introspection_url(ISSUER)).unwrap();
        (call.authorization.is_some(), call.form.clone().unwrap_or_default())
    };
    let form = format!("token={TOKEN}&token_type_hint=access_token");
    assert_eq!(
        sent(|it| it[LIST] = json!(["client_secret_post"])),
        (false, form.clone() + "&client_id=mcp%20edge%3A1&client_secret=a%26b%3Dc%2Bd%25%C3%A4")
    );
    for basic in [
        (|_| ()) as fn(&mut Value),
        |it| it[LIST] = json!(["client_secret_post", "client_secret_basic"]),
        |it| it[LIST] = json!([]),
        |it| it[LIST] = Value::Null,
        |it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]),
    ] {
        assert_eq!(sent(basic), (true, form.clone()));
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
fn the_operator_learns_what_the_provider_said() {
    let denial = answering(policy(), logto::answer("introspection.json", "app_deleted")).send(TOKEN).unwrap_err();
    assert_eq!(denial.detail().as_deref(), Some("introspection answered 400 invalid_client"));
    let denial = answering(policy(), logto::answer("introspection.json", "wrong_secret")).send(TOKEN).unwrap_err();
    assert!(denial.detail().unwrap().contains("INTROSPECTION_CLIENT_SECRET"));
}

#[test]
fn a_machine_is_distinguished_from_a_user() {
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
            assert_eq!(scene.send(TOKEN).err().map(|denial| denial.reason()), expected);
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
