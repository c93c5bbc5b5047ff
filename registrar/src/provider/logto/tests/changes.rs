//! Changing and removing applications, and their secrets.

use super::*;

#[test]
fn an_update_changes_addresses_scopes_and_branding() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let after = Application {
        name: "SmartMail 2".to_owned(),
        redirect_uris: vec!["https://agent.example.dev/cb2".to_owned()],
        ceiling: Scopes::parse("email todos:write"),
        logo: None,
        ..agent()
    };
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after)).unwrap();
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!((app.name.as_str(), &app.redirect_uris), ("SmartMail 2", &json!(["https://agent.example.dev/cb2"])));
    assert_eq!(
        (app.user_scopes.as_slice(), app.resource_scopes.as_slice()),
        (&["email".to_owned()][..], &["scope-todos".to_owned()][..])
    );
    assert_eq!(app.branding["branding"], json!({}));
}

#[test]
fn an_update_takes_away_what_another_location_has_granted_meanwhile() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    {
        let mut apps = world.apps.borrow_mut();
        let app = apps.get_mut("app-1").unwrap();
        app.user_scopes.push("email".to_owned());
        app.resource_scopes.push("scope-todos".to_owned());
    }
    // What this location has read knows nothing of it.
    let after = Application { name: "SmartMail 2".to_owned(), ..agent() };
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after)).unwrap();
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!((app.user_scopes.join(" "), app.resource_scopes.join(" ")), ("profile".into(), "scope-whoami".into()));
}

#[test]
fn the_api_resource_is_found_among_many() {
    let (world, logto) = (World::default(), logto());
    let many: Vec<Value> =
        (0..100).map(|n| json!({"id": n, "indicator": format!("https://{n}.example/"), "scopes": []})).collect();
    world.scripted.borrow_mut().push((200, Value::Array(many)));
    create(&world, &logto).unwrap();
    assert_eq!(world.calls.borrow()[1], "GET /resources?includeScopes=true&page=2&page_size=100");
}

#[test]
fn a_failed_update_is_taken_back() {
    let after = Application {
        redirect_uris: vec!["https://agent.example.dev/cb2".to_owned()],
        ceiling: Scopes::parse("email"),
        ..agent()
    };
    let steps = 5..10;
    for step in steps {
        let (world, logto) = (World::default(), logto());
        create(&world, &logto).unwrap();
        world.faults.set(Some((step, step + 3, Fault::LostAnswer)));
        let outcome = run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after));
        let apps = world.apps.borrow();
        let app = &apps["app-1"];
        let (uri, scope) = if outcome.is_ok() { ("cb2", "email") } else { ("cb", "profile") };
        assert_eq!(app.redirect_uris, json!([format!("https://agent.example.dev/{uri}")]), "step {step}");
        assert_eq!(app.user_scopes, [scope], "step {step}");
    }
}

#[test]
fn after_a_refused_update_whose_way_back_is_not_answered_the_provider_counts_as_down() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let update = || run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &agent()));
    let refuse = || world.scripted.borrow_mut().push((422, json!({"code": "entity.invalid_input"})));
    refuse();
    assert!(matches!(update(), Err(ProviderError::Refused(_))));
    refuse();
    world.faults.set(Some((world.calls.borrow().len() + 1, usize::MAX, Fault::LostAnswer)));
    assert!(matches!(update(), Err(ProviderError::Unavailable(_))), "{:?}", world.calls);
}

#[test]
fn a_rotation_leaves_one_secret_the_new_one_or_after_a_failure_the_old_one() {
    let rotate = |world: &World, logto: &Logto| run(logto.at(world, TOKEN_ENDPOINT, NOW).rotate_secret("app-1", "n1"));
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    assert_eq!(rotate(&world, &logto).unwrap().expose(), "value of n1");
    assert_eq!(world.apps.borrow()["app-1"].secrets, ["n1"]);
    assert_eq!(rotate(&world, &logto).unwrap().expose(), "value of n1", "the same rotation once more");

    for step in 5..8 {
        for fault in [Fault::Status(500), Fault::LostAnswer] {
            let (world, logto) = (World::default(), self::logto());
            create(&world, &logto).unwrap();
            world.faults.set(Some((step, step + 3, fault)));
            let outcome = rotate(&world, &logto);
            let secrets = world.apps.borrow()["app-1"].secrets.clone();
            match outcome {
                Ok(_) => assert_eq!(secrets, ["n1"], "{fault:?} at {step}"),
                Err(_) if fault == Fault::LostAnswer => {}
                Err(_) => assert!(secrets.contains(&"Default secret".to_owned()), "{fault:?} at {step}: {secrets:?}"),
            }
            assert!(!secrets.is_empty(), "{fault:?} at {step}");
        }
    }
}

#[test]
fn removing_what_is_gone_is_no_failure() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
    assert_eq!((run(at.remove("app-1")), run(at.remove("app-1"))), (Ok(()), Ok(())));
}

#[test]
fn rotations_at_the_same_moment_leave_the_newest_secret() {
    for steps in 0..8 {
        for same_millisecond in [false, true] {
            let (world, logto) = (World::default(), logto());
            create(&world, &logto).unwrap();
            if same_millisecond {
                world.secrets_made.borrow_mut().extend([("n1".to_owned(), 5), ("n2".to_owned(), 5)]);
            }
            let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
            let late = async {
                for _ in 0..steps {
                    others_go_on().await;
                }
                at.rotate_secret("app-1", "n2").await
            };
            let (one, other) = run(join(at.rotate_secret("app-1", "n1"), late));
            let left = world.apps.borrow()["app-1"].secrets.clone();
            assert!(left == ["n2"], "{steps} {same_millisecond}: {left:?}");
            assert_eq!(other.unwrap().expose(), "value of n2", "{steps}");
            assert!(["value of n1", "value of n2"].contains(&one.unwrap().expose()), "{steps}");
            assert_eq!(run(at.secret("app-1")).unwrap().unwrap().expose(), "value of n2");
        }
    }
}

#[test]
fn the_current_secret_is_the_newest_in_any_order() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let secret = |name: &str, at: u64| json!({"name": name, "value": name, "createdAt": at});
    world.scripted.borrow_mut().push((200, json!([secret("b", 7), secret("c", 9), secret("a", 8)])));
    let current = run(logto.at(&world, TOKEN_ENDPOINT, NOW).secret("app-1")).unwrap().unwrap();
    assert_eq!(current.expose(), "c");
}

#[test]
fn a_secret_that_somebody_else_made_later_is_the_one_that_is_given() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let secret = |name: &str, at: u64| json!({"name": name, "value": name, "createdAt": at});
    world.scripted.borrow_mut().extend([(201, secret("b", 7)), (200, json!([secret("b", 7), secret("c", 9)]))]);
    let rotated = run(logto.at(&world, TOKEN_ENDPOINT, NOW).rotate_secret("app-1", "b")).unwrap();
    assert_eq!(rotated.expose(), "c");
}

#[test]
fn a_secret_that_is_refused_is_not_looked_for() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    world.scripted.borrow_mut().push(recorded("app", "secret_on_native"));
    let calls = world.calls.borrow().len();
    let refused = run(logto.at(&world, TOKEN_ENDPOINT, NOW).rotate_secret("app-1", "n"));
    assert!(matches!(refused, Err(ProviderError::Refused(_))), "{refused:?}");
    assert_eq!(world.calls.borrow().len() - calls, 1);
}
