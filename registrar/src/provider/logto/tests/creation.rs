//! Creating applications, with a fault at every step.

use super::*;

#[test]
fn an_application_is_made_with_everything_that_belongs_to_it() {
    let (world, logto) = (World::default(), logto());
    let created = create(&world, &logto).unwrap();
    assert_eq!(created.secret.unwrap().expose(), "value of Default secret");
    assert_eq!(
        *world.calls.borrow(),
        [
            "GET /resources?includeScopes=true&page=1&page_size=100",
            "POST /applications",
            "POST /applications/app-1/user-consent-scopes",
            "PUT /applications/app-1/sign-in-experience",
            "GET /applications/app-1/secrets",
        ]
    );
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!(app.redirect_uris, json!(["https://agent.example.dev/cb"]));
    assert_eq!(
        (app.user_scopes.as_slice(), app.resource_scopes.as_slice()),
        (&["profile".to_owned()][..], &["scope-whoami".to_owned()][..])
    );
    assert_eq!(app.branding["branding"]["logoUrl"], "https://agent.example.dev/logo.png");
    assert_eq!(app.mark, "pending attempt-1");
}

#[test]
fn a_confirmed_application_is_not_marked_as_unfinished() {
    let (world, logto) = (World::default(), logto());
    let created = create(&world, &logto).unwrap();
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).confirm(&created.client_id)).unwrap();
    assert_eq!(world.apps.borrow()["app-1"].mark, "complete");
    let later = logto.at(&world, TOKEN_ENDPOINT, NOW + 3000);
    assert_eq!(run(later.remove_abandoned(false)), Ok(vec![]));
}

#[test]
fn a_public_client_has_no_secret() {
    let (world, logto) = (World::default(), logto());
    let native = Application { kind: ApplicationType::Native, ..agent() };
    let created = run(logto.at(&world, TOKEN_ENDPOINT, NOW).create(&native, "attempt-1")).unwrap();
    assert_eq!(created.secret, None);
    assert_eq!(run(logto.at(&world, TOKEN_ENDPOINT, NOW).secret("app-1")), Ok(None));
}

/// The heart of "all or nothing": every call of a creation fails in every way, once and for good.
#[test]
fn a_fault_at_any_step_of_a_creation_leaves_nothing_behind() {
    let steps = {
        let world = World::default();
        create(&world, &logto()).unwrap();
        world.calls.borrow().len()
    };
    assert_eq!(steps, 5);
    for fault in
        [Fault::Status(500), Fault::Status(503), Fault::Status(429), Fault::Status(422), Fault::Down, Fault::LostAnswer]
    {
        for step in 0..steps {
            // Four in a row use up the first try and its three repetitions; a refusal is not repeated. Then the way
            // back is open.
            let last = if fault == Fault::Status(422) { step } else { step + 3 };
            let world = World { faults: Cell::new(Some((step, last, fault))), ..World::default() };
            match create(&world, &logto()) {
                Ok(created) => assert_eq!(world.ids(), [created.client_id], "{fault:?} at {step}"),
                Err(_) => assert_eq!(world.ids(), [""; 0], "{fault:?} at {step}: {:?}", world.calls.borrow()),
            }
        }
    }
}

#[test]
fn a_failed_creation_tells_what_was_begun() {
    let begun = |step: usize, fault| {
        let world = World { faults: Cell::new(Some((step, step + 3, fault))), ..World::default() };
        run(logto().at(&world, TOKEN_ENDPOINT, NOW).create(&agent(), "attempt-1")).unwrap_err().begun
    };
    // (1) and (2): looking permissions up, and a creation that was refused.
    assert_eq!((begun(0, Fault::Status(500)), begun(1, Fault::Status(422))), (None, None));
    for step in 2..5 {
        assert_eq!(begun(step, Fault::Status(500)).as_deref(), Some("app-1"), "{step}");
    }
}

#[test]
fn one_fault_is_overcome_where_repeating_is_safe() {
    for step in [0, 2, 3, 4] {
        for fault in [Fault::Status(500), Fault::Status(429), Fault::Down, Fault::LostAnswer] {
            let world = World { faults: Cell::new(Some((step, step, fault))), ..World::default() };
            assert!(create(&world, &logto()).is_ok(), "{fault:?} at {step}");
            assert_eq!(world.ids().len(), 1, "{fault:?} at {step}");
        }
    }
    // The creation itself is repeated after a 429 only: otherwise there might be two.
    let world = World { faults: Cell::new(Some((1, 1, Fault::Status(429)))), ..World::default() };
    assert!(create(&world, &logto()).is_ok());
    for fault in [Fault::Status(500), Fault::LostAnswer] {
        let world = World { faults: Cell::new(Some((1, 1, fault))), ..World::default() };
        assert!(create(&world, &logto()).is_err() && world.ids().is_empty(), "{fault:?}");
    }
}

#[test]
fn what_an_outage_leaves_behind_is_removed_by_the_next_run() {
    // From the third call on nothing works any more, the removal included.
    let (world, logto) = (World { faults: Cell::new(Some((2, usize::MAX, Fault::Down))), ..World::default() }, logto());
    assert!(create(&world, &logto).is_err());
    assert_eq!(world.ids(), ["app-1"]);
    world.faults.set(None);
    let at = |now| logto.at(&world, TOKEN_ENDPOINT, now);
    assert_eq!(run(at(NOW + 60).remove_abandoned(false)), Ok(vec![]), "its registration may still go on");
    assert_eq!(run(at(NOW + 1000).remove_abandoned(true)), Ok(vec!["app-1".to_owned()]));
    assert_eq!(world.ids(), ["app-1"], "a dry run removes nothing");
    assert_eq!(run(at(NOW + 1000).remove_abandoned(false)), Ok(vec!["app-1".to_owned()]));
    assert!(world.ids().is_empty());
}

#[test]
fn only_what_carries_our_mark_is_abandoned() {
    let (world, logto) = (World::default(), logto());
    for (id, mark) in [("by-hand", ""), ("ours", "complete"), ("odd", "pendingx")] {
        let app = App { mark: mark.to_owned(), created_at: NOW - 100_000, ..App::default() };
        world.apps.borrow_mut().insert(id.to_owned(), app);
    }
    assert_eq!(run(logto.at(&world, TOKEN_ENDPOINT, NOW).remove_abandoned(false)), Ok(vec![]));
    assert_eq!(world.ids().len(), 3);
}

#[test]
fn abandoned_applications_are_found_on_every_page_when_their_time_is_over() {
    let (world, logto) = (World::default(), logto());
    let stored = |id: &str, age: u64| json!({"id": id, "customData": {"registrar": "pending 1"}, "createdAt": (NOW - age) * 1000});
    let mut first = vec![stored("old", 15 * 60 + 1), stored("new", 15 * 60)];
    first.resize(100, stored("newer", 0));
    world.scripted.borrow_mut().extend([(200, json!(first)), (200, json!([stored("last", 3_600)]))]);
    let abandoned = run(logto.at(&world, TOKEN_ENDPOINT, NOW).remove_abandoned(true)).unwrap();
    assert_eq!(abandoned, ["old", "last"]);
}

#[test]
fn the_ids_of_permissions_are_looked_up_again_after_ten_minutes() {
    let (world, logto) = (World::default(), logto());
    let looked_up = |now| {
        run(logto.at(&world, TOKEN_ENDPOINT, now).create(&agent(), "attempt")).unwrap();
        world.calls.borrow().iter().filter(|call| call.starts_with("GET /resources")).count()
    };
    assert_eq!((looked_up(NOW), looked_up(NOW + 599), looked_up(NOW + 600)), (1, 1, 2));
}
