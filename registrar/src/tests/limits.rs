//! How many clients and requests are admitted.

use futures_util::future::join_all;

use super::{anyone, confidential, developer, metadata, request};
use crate::{
    client_network::client_network,
    clients::register::RegisterError,
    ledger::{AdmissionError, MAX_CALLS_PER_CLIENT_AND_HOUR},
    policy::{Mode, Registrant},
    testing::{NOW, World},
};

#[test]
fn a_flood_from_one_address_stops_at_the_limit() {
    let mut world = World::new(Mode::Open);
    let outcomes = world.with(async |registry| {
        join_all((0..20).map(|n| registry.register(request(metadata(&format!("Agent {n}")), anyone())))).await
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert!(
        outcomes.iter().all(|it| matches!(
            it,
            Ok(_) | Err(RegisterError::Admission(AdmissionError::TooManyRegistrations { retry_after: 1..=3600 }))
        )),
        "{outcomes:?}"
    );
    world.forget();
    let refused = world.register(metadata("Agent X"), anyone());
    assert!(
        matches!(refused, Err(RegisterError::Admission(AdmissionError::TooManyRegistrations { .. }))),
        "another isolate knows: {refused:?}"
    );
    assert_eq!(world.provider.created.get(), 3);
    world.now.set(NOW + 3600);
    assert!(world.register(metadata("Agent Y"), anyone()).is_ok());
}

#[test]
fn a_flood_from_everywhere_stops_when_all_places_are_taken() {
    let mut world = World::new(Mode::Open);
    for is_list_behind in [true, false] {
        world.store.lists_nothing.set(is_list_behind);
        let outcomes = world.with(async |registry| {
            let from = |n: usize| Registrant::Anyone { network: format!("192.0.2.{n}") };
            join_all((0..30).map(|n| registry.register(request(metadata(&format!("Agent {n}")), from(n))))).await
        });
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(RegisterError::Admission(AdmissionError::Full)))));
        assert!(world.provider.ids().len() <= 5, "{}", world.provider.ids().len());
    }
    // One after the other, the last place is taken as well.
    world.now.set(NOW + 10_000);
    world.store.lists_nothing.set(false);
    world.forget();
    for n in 0..10 {
        let _ =
            world.register(metadata(&format!("Late {n}")), Registrant::Anyone { network: format!("198.51.100.{n}") });
    }
    assert_eq!(world.provider.ids().len(), 5);
}

#[test]
fn a_flood_from_a_whole_site_stops_as_well() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 1000;
    let register = |address: String| {
        let registrant = Registrant::Anyone { network: client_network(&address, None) };
        world.register(metadata(&address), registrant)
    };
    // A household or a server has 256 networks at least, and each would be somebody else.
    let outcomes: Vec<_> = (0..256).map(|n| register(format!("2001:db8:1:{n:x}::1"))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 15, "five times the limit of a network");
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, Ok(_) | Err(RegisterError::Admission(AdmissionError::TooManyRegistrations { .. })))),
        "{outcomes:?}"
    );
    assert!(register("2001:db8:2::1".to_owned()).is_ok() && register("192.0.2.9".to_owned()).is_ok());
}

#[test]
fn strangers_leave_places_for_developers() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 20;
    let from = |n: usize| Registrant::Anyone { network: format!("192.0.2.{n}") };
    let made = (0..30).filter(|n| world.register(metadata(&format!("Flood {n}")), from(*n)).is_ok()).count();
    assert_eq!(made, 18);
    assert!(matches!(world.register(metadata("Agent"), from(99)), Err(RegisterError::Admission(AdmissionError::Full))));
    let by = |subject: &str| world.register(metadata("Agent"), developer(subject)).map(|_| ());
    assert_eq!(
        (by("alice"), by("bob"), by("carol")),
        (Ok(()), Ok(()), Err(RegisterError::Admission(AdmissionError::Full)))
    );
}

#[test]
fn a_repeated_registration_gets_no_place_beyond_the_last() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.per_address_and_hour = 100;
    // Clients with a secret are not shared, so this is a client of its own each time.
    for _ in 0..5 {
        world.register(confidential("Agent"), anyone()).unwrap();
    }
    assert!(matches!(
        world.register(confidential("Agent"), anyone()),
        Err(RegisterError::Admission(AdmissionError::Full))
    ));
    world.policy.limits.clients = 8;
    world.now.set(NOW + 100);
    let at_once = world.with(async |registry| {
        join_all((0..20).map(|_| registry.register(request(confidential("Agent"), anyone())))).await
    });
    assert!(
        at_once.iter().all(|it| matches!(it, Ok(_) | Err(RegisterError::Admission(AdmissionError::Full)))),
        "{at_once:?}"
    );
    assert!(world.provider.ids().len() <= 8, "{:?}", world.provider.ids());
}

#[test]
fn a_flood_that_is_refused_costs_the_store_nothing() {
    let mut world = World::new(Mode::Open);
    for n in 0..30 {
        let registrant = Registrant::Anyone { network: format!("192.0.2.{n}") };
        let _ = world.register(metadata("Agent"), registrant);
    }
    // Also in an isolate that has not found out yet.
    world.forget();
    let writes = world.store.writes.get();
    for n in 0..30 {
        let registrant = Registrant::Anyone { network: format!("198.51.100.{n}") };
        assert!(matches!(
            world.register(metadata("Agent"), registrant),
            Err(RegisterError::Admission(AdmissionError::Full))
        ));
    }
    assert_eq!(world.store.writes.get(), writes);
}

#[test]
fn a_developer_has_so_many_clients_and_no_more() {
    let mut world = World::new(Mode::Developers);
    for n in 0..3 {
        world.register(metadata(&format!("Agent {n}")), developer("alice")).unwrap();
    }
    world.forget();
    assert!(matches!(
        world.register(metadata("Agent 4"), developer("alice")),
        Err(RegisterError::Admission(AdmissionError::DeveloperQuota { limit: 3 }))
    ));
    assert!(world.register(metadata("Agent 4"), developer("bob")).is_ok());
}

#[test]
fn a_client_is_called_for_so_often_and_no_more() {
    let mut world = World::new(Mode::Open);
    let limit = MAX_CALLS_PER_CLIENT_AND_HOUR as usize;
    let call = |world: &World, count: usize| {
        let calls = world.with(async |registry| join_all((0..count).map(|_| registry.count_call("app-1"))).await);
        calls.iter().filter(|it| it.is_ok()).count()
    };
    assert_eq!((call(&world, limit - 1), world.store.writes.get()), (limit - 1, 0));
    assert_eq!((call(&world, limit), world.store.writes.get()), (1, 0));
    assert_eq!(world.with(async |registry| registry.count_call("app-2").await), Ok(()), "another client");
    world.forget();
    assert_eq!(call(&world, limit), 0, "in another isolate");
    world.now.set(NOW + 3600);
    assert_eq!(call(&world, limit), limit);
}

#[test]
fn a_developer_does_not_pass_the_limit_by_asking_for_all_at_once() {
    let world = World::new(Mode::Developers);
    let limit = world.policy.limits.per_developer as usize;
    let made = world.with(async |registry| {
        let names: Vec<String> = (0..4 * limit).map(|number| format!("Agent {number}")).collect();
        join_all(names.iter().map(|name| registry.register(request(metadata(name), developer("alice"))))).await
    });
    assert_eq!(made.iter().filter(|it| it.is_ok()).count(), limit);
    assert!(
        made.iter()
            .all(|it| matches!(it, Ok(_) | Err(RegisterError::Admission(AdmissionError::DeveloperQuota { .. }))))
    );
    assert!(world.register(metadata("One more"), developer("alice")).is_err(), "nor by asking again");
    assert!(world.register(metadata("Another"), developer("bob")).is_ok(), "which is nobody else's affair");
}
