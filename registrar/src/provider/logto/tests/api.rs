//! Calls of the Management API: repetitions, the machine token, and what statuses mean.

use super::*;

#[test]
fn repetitions_are_few_and_further_and_further_apart() {
    let world = World { faults: Cell::new(Some((0, usize::MAX, Fault::Status(429)))), ..World::default() };
    let error = create(&world, &logto()).unwrap_err();
    assert!(matches!(&error, ProviderError::Unavailable(detail) if detail.contains("429")), "{error}");
    assert_eq!(world.calls.borrow().len(), 4);
    let slept: Vec<_> = world.slept.borrow().iter().map(Duration::as_millis).collect();
    assert_eq!(slept, [250, 1000, 3000]);
}

#[test]
fn the_machine_token_is_kept_until_shortly_before_it_expires() {
    let (world, logto) = (World::default(), logto());
    for (now, tokens) in [(NOW, 1), (NOW + 3539, 1), (NOW + 3540, 2)] {
        run(logto.at(&world, TOKEN_ENDPOINT, now).secret("app-1")).unwrap_err();
        assert_eq!(world.tokens_issued.get(), tokens, "{now}");
    }
}

#[test]
fn a_refused_machine_token_is_renewed_once() {
    let (world, logto) = (World::default(), logto());
    world.scripted.borrow_mut().push(recorded("auth", "key_rotated_away"));
    assert!(create(&world, &logto).is_ok());
    assert_eq!(world.tokens_issued.get(), 2);

    let world = World { scripted: RefCell::new(vec![recorded("auth", "wrong_audience"); 9]), ..World::default() };
    let error = create(&world, &self::logto()).unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    assert_eq!(world.tokens_issued.get(), 2, "not a third time");
    assert!(!error.to_string().contains("alice"), "the answer repeats the token's claims: {error}");
}

#[test]
fn wrong_settings_are_called_that() {
    for (answer, fix) in [
        ((401, json!({"error": "invalid_client"})), "MANAGEMENT_CLIENT_SECRET"),
        ((400, json!({"error": "invalid_target"})), "MANAGEMENT_RESOURCE"),
        ((200, json!({"access_token": "x", "expires_in": 3600})), "role for Management API access"),
    ] {
        let world = World { token_answer: RefCell::new(Some(answer)), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains(fix)), "{error}");
        assert!(!error.to_string().contains("machine-secret"));
    }
    let world = World { scripted: RefCell::new(vec![recorded("auth", "without_scope_all")]), ..World::default() };
    assert!(matches!(create(&world, &logto()).unwrap_err(), ProviderError::Misconfigured(_)));

    let unknown = Application { ceiling: Scopes::parse("nope:read"), ..agent() };
    let world = World::default();
    let error = run(logto().at(&world, TOKEN_ENDPOINT, NOW).create(&unknown, "a")).unwrap_err().error;
    assert!(error.to_string().contains("\"nope:read\"") && world.ids().is_empty(), "{error}");
}

#[test]
fn what_logto_says_of_our_own_client_leads_to_its_fix() {
    for (name, fix) in [
        ("wrong secret", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("unknown client", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("public client", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("secret has expired", "MANAGEMENT_CLIENT_SECRET has expired"),
        ("unknown resource", "MANAGEMENT_RESOURCE = \"https://tenant.example/api\" is not known to the provider"),
        ("without the role", "role for Management API access"),
    ] {
        let world = World { token_answer: RefCell::new(Some(recorded("token", name))), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains(fix)), "{name}: {error}");
    }
}

#[test]
fn a_status_without_an_oauth_error_says_nothing_about_our_client() {
    for (status, body) in [(401, json!("<html>")), (403, json!({})), (404, json!({"message": "x"})), (400, json!(null))]
    {
        let world = World { token_answer: RefCell::new(Some((status, body))), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Unavailable(_)), "{status}: {error}");
    }
}

#[test]
fn a_refusal_names_the_code_and_the_members_and_nothing_else() {
    for (name, text) in [
        ("error_not_a_url", "POST /applications: 400 guard.invalid_input oidcClientMetadata.redirectUris.0"),
        ("error_machine_to_machine", "POST /applications: 400 application.invalid_third_party_application_type"),
        ("error_name_too_long", "POST /applications: 400 guard.invalid_input name"),
    ] {
        let world = World::default();
        let logto = logto();
        run(logto.at(&world, TOKEN_ENDPOINT, NOW).consent_for_test());
        world.scripted.borrow_mut().push(recorded("create", name));
        assert_eq!(create(&world, &logto), Err(ProviderError::Refused(text.to_owned())));
    }
}

#[test]
fn only_logto_says_that_an_application_is_gone() {
    // A wrong address answers with 404, too, and a run that believed it would forget every client.
    for body in [json!("Not Found"), json!({"code": "session.not_found"}), json!({})] {
        let (world, logto) = (World::default(), logto());
        create(&world, &logto).unwrap();
        let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
        let answer = || world.scripted.borrow_mut().push((404, body.clone()));
        answer();
        let error = run(at.usage("app-1", ALWAYS)).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains("MANAGEMENT_API")), "{error}");
        answer();
        assert!(matches!(run(at.remove("app-1")), Err(ProviderError::Misconfigured(_))), "{body}");
        assert_eq!(world.ids(), ["app-1"]);
    }
}

#[test]
fn a_code_for_the_log_is_short_and_of_few_characters() {
    let code = |code: Value| {
        let body = json!({ "code": code }).to_string();
        crate::provider::logto::api::code(&HttpResponse { status: 422, challenge: String::new(), body })
    };
    assert_eq!(code(json!("guard.invalid_input-1")).as_deref(), Some("guard.invalid_input-1"));
    assert_eq!(code(json!("x".repeat(80))), Some("x".repeat(80)));
    for other in [json!("x".repeat(81)), json!("two words"), json!("\"quoted\""), json!(1), Value::Null] {
        assert_eq!(code(other.clone()), None, "{other}");
    }
}
