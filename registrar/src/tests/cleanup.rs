use futures_util::future::join;
use serde_json::json;

use crate::{
    cleanup::{MAX_CLIENTS_PER_RUN, Report},
    client_metadata::ClientMetadata,
    clients::register::{Registration, Via},
    policy::{Mode, Registrant},
    provider::{LogReading, Period},
    testing::{DAY, NOW, World, others_go_on},
};

fn metadata(name: &str) -> ClientMetadata {
    let body =
        json!({"client_name": name, "redirect_uris": ["http://localhost/"], "token_endpoint_auth_method": "none"});
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

/// Comes in after so many steps of what else goes on.
async fn later(steps: usize) {
    for _ in 0..steps {
        others_go_on().await;
    }
}

/// A world with clients of strangers (`app-1`, `app-2`) and one made by hand (`app-3`).
fn world() -> World {
    let world = World::new(Mode::Open);
    let anyone = || Registrant::Anyone { network: "192.0.2.1".to_owned() };
    let developer = || Registrant::Developer { issuer: "https://i.example".into(), subject: "alice".into() };
    for (name, registrant, via) in [
        ("One", anyone(), Via::Endpoint),
        ("Two", anyone(), Via::Endpoint),
        ("Three", developer(), Via::Portal { form: "1" }),
    ] {
        let metadata = metadata(name);
        world
            .with(async |registry| {
                registry.register(Registration { metadata, registrant, via, reservation: None }).await
            })
            .unwrap();
    }
    world
}

impl World {
    fn run(&self, days: u64, dry_run: bool) -> Report {
        self.now.set(NOW + days * DAY);
        self.with(async |registry| registry.clean_up(dry_run).await)
    }
}

#[test]
fn what_nobody_ever_used_ends_after_the_configured_time() {
    let world = world();
    world.provider.used.borrow_mut().insert("app-2".to_owned(), NOW + DAY);
    assert_eq!(world.run(6, false).ended, 0);
    let report = world.run(8, false);
    assert_eq!((report.clients, report.looked_at, report.ended), (3, 3, 1), "{report:?}");
    assert_eq!(world.provider.ids(), ["app-2", "app-3"]);
    assert!(!world.store.entries.borrow().contains_key("client/app-1"));
    assert!(world.audit.borrow().iter().any(|line| line.contains("client_ended") && line.contains("app-1")));
}

#[test]
fn idle_clients_end_too_regardless_of_their_owner() {
    let world = world();
    world.provider.used.borrow_mut().insert("app-2".to_owned(), NOW + 10 * DAY);
    let report = world.run(185, false);
    assert_eq!((report.ended, world.provider.ids()), (2, vec!["app-2".to_owned()]));
    assert_eq!(world.run(191, false).ended, 1);
}

#[test]
fn a_sign_in_is_remembered_when_the_provider_has_forgotten_it() {
    let world = world();
    world.provider.used.borrow_mut().insert("app-1".to_owned(), NOW + DAY);
    world.run(2, false);
    world.provider.used.borrow_mut().clear();
    world.run(100, false);
    assert!(world.provider.ids().contains(&"app-1".to_owned()));
    assert!(!world.provider.ids().contains(&"app-2".to_owned()));
}

#[test]
fn what_a_client_changes_while_a_run_looks_at_it_stays_changed() {
    for steps in 0..30 {
        let world = world();
        world.now.set(NOW + DAY);
        let (report, changed) = world.with(async |registry| {
            let change = async {
                later(steps).await;
                let record = registry.find("app-1").await.unwrap().unwrap();
                registry.update("app-1", &record, metadata("Renamed"), "test").await
            };
            join(registry.clean_up(false), change).await
        });
        assert_eq!((report.looked_at, report.ended, changed.map(|_| ())), (3, 0, Ok(())), "{steps}");
        assert_eq!(world.provider.applications.borrow()["app-1"].name, "Renamed", "{steps}");
        let record = world.with(async |registry| registry.find("app-1").await).unwrap().unwrap();
        assert_eq!(record.metadata.client_name, "Renamed", "{steps}");
        assert_eq!(
            world.with(async |registry| registry.clean_up(false).await).looked_at,
            0,
            "{steps}: and it was looked at"
        );
    }
}

#[test]
fn a_client_that_ends_while_it_is_changed_is_gone_in_the_end() {
    for steps in 0..30 {
        let world = world();
        world.now.set(NOW + 8 * DAY);
        let (report, ()) = world.with(async |registry| {
            let change = async {
                later(steps).await;
                if let Some(record) = registry.find("app-1").await.unwrap() {
                    let _ = registry.update("app-1", &record, metadata("Renamed"), "test").await;
                }
            };
            join(registry.clean_up(false), change).await
        });
        assert_eq!(report.ended, 2, "{steps}");
        world.run(10, false);
        assert_eq!(world.provider.ids(), ["app-3"], "{steps}");
        let left: Vec<_> = world.store.entries.borrow().keys().filter(|key| key.contains("app-1")).cloned().collect();
        assert!(left.is_empty(), "{steps}: {left:?}");
    }
}

#[test]
fn a_dry_run_reports_and_removes_nothing() {
    let world = world();
    let report = world.run(8, true);
    assert_eq!((report.dry_run, report.ended, world.provider.ids().len()), (true, 2, 3));
    assert_eq!(world.audit.borrow().iter().filter(|line| line.contains("client_would_end")).count(), 2);
}

#[test]
fn in_doubt_a_client_stays() {
    let world = world();
    world.provider.broken.set("usage");
    let report = world.run(400, false);
    assert_eq!((report.ended, report.failures.len(), world.provider.ids().len()), (0, 3, 3), "{report:?}");
    world.provider.broken.set("remove");
    let report = world.run(400, false);
    assert_eq!((report.ended, world.provider.ids().len()), (0, 3), "{report:?}");
    assert!(world.store.entries.borrow().contains_key("client/app-1"));
}

#[test]
fn a_record_without_a_client_is_removed() {
    let world = world();
    world.provider.applications.borrow_mut().remove("app-1");
    assert_eq!(world.run(1, false).ended, 1);
    assert!(!world.store.entries.borrow().contains_key("client/app-1"));
}

#[test]
fn a_run_looks_at_few_clients_and_the_next_one_at_the_others() {
    let mut world = World::new(Mode::Token);
    world.policy.limits.clients = 100;
    for n in 0..25 {
        let metadata = metadata(&format!("Agent {n}"));
        let registrant = Registrant::InitialToken { name: "partner".to_owned(), id: "1".to_owned() };
        world
            .with(async |registry| {
                registry.register(Registration { metadata, registrant, via: Via::Endpoint, reservation: None }).await
            })
            .unwrap();
    }
    let looked_at: Vec<_> = (0..4).map(|_| world.run(2, false).looked_at).collect();
    assert_eq!(looked_at, [MAX_CLIENTS_PER_RUN, MAX_CLIENTS_PER_RUN, 5, 0]);
}

/// A world with one client of a stranger's.
fn world_with_one() -> World {
    let world = World::new(Mode::Open);
    let registrant = Registrant::Anyone { network: "192.0.2.1".to_owned() };
    let request = Registration { metadata: metadata("One"), registrant, via: Via::Endpoint, reservation: None };
    world.with(async |registry| registry.register(request).await).unwrap();
    world
}

#[test]
fn what_is_not_known_is_not_unused() {
    let world = world_with_one();
    let full = |until: u64| LogReading { unread_until_ms: Some(until * 1000), ..LogReading::default() };
    // Ten days after the registration, the log has more failures than a run reads.
    world.provider.readings.borrow_mut().push(full(NOW + 9 * DAY));
    let report = world.run(10, false);
    assert_eq!((report.ended, report.looked_at), (0, 1));
    assert_eq!(report.unknown, ["app-1"], "the operator sees it");
    assert_eq!(world.run(10, false).looked_at, 0, "it does not keep others from being looked at");
    // The next looks go on where the last one ended, and then with what came meanwhile.
    world.provider.readings.borrow_mut().push(full(NOW + 8 * DAY));
    assert_eq!(world.run(11, false).unknown, ["app-1"]);
    let report = world.run(12, false);
    assert_eq!((report.ended, report.unknown), (0, vec!["app-1".to_owned()]), "the past two days are not known");
    assert_eq!(world.run(13, false).ended, 1, "now all of it was read, and there was nothing");
    let period = |from: u64, until: Option<u64>| Period { from: from - 300, until_ms: until.map(|it| it * 1000) };
    let read = [
        period(NOW, None),
        period(NOW, Some(NOW + 9 * DAY)),
        period(NOW, Some(NOW + 8 * DAY)),
        period(NOW + 10 * DAY, None),
    ];
    assert_eq!(*world.provider.periods.borrow(), read);
}

#[test]
fn a_success_that_failures_hid_is_found_in_the_end() {
    let world = world_with_one();
    let hidden = LogReading { unread_until_ms: Some((NOW + 9 * DAY) * 1000), ..LogReading::default() };
    world.provider.readings.borrow_mut().push(hidden);
    world.run(10, false);
    world.provider.readings.borrow_mut().push(LogReading { last_success: Some(NOW + DAY), ..LogReading::default() });
    world.run(11, false);
    for days in 12..181 {
        assert_eq!(world.run(days, false).ended, 0, "{days}");
    }
    assert_eq!(world.run(181, false).ended, 1, "half a year later");
}

#[test]
fn what_the_provider_does_not_remember_may_have_been_a_sign_in() {
    let world = world_with_one();
    let forgotten = LogReading { forgotten_until: Some(NOW + 28 * DAY), ..LogReading::default() };
    // No run took place for a month.
    world.provider.readings.borrow_mut().push(forgotten);
    assert_eq!(world.run(30, false).ended, 0);
    assert_eq!(world.run(207, false).ended, 0);
    assert_eq!(world.run(208, false).ended, 1);
}

#[test]
fn what_an_earlier_version_found_out_is_found_out_again() {
    let world = world_with_one();
    let old = json!({"used_at": null, "checked_at": NOW + 9 * DAY});
    world.store.entries.borrow_mut().insert("usage/app-1".to_owned(), (old.to_string(), old));
    world.provider.used.borrow_mut().insert("app-1".to_owned(), NOW + DAY);
    assert_eq!(world.run(10, false).ended, 0);
    let first = Period { from: NOW - 300, until_ms: None };
    assert_eq!(*world.provider.periods.borrow(), [first], "since the registration");
}

#[test]
fn what_is_left_of_clients_that_ended_is_removed_and_nothing_of_others() {
    let world = world_with_one();
    let put = |key: &str| world.store.entries.borrow_mut().insert(key.to_owned(), ("{}".to_owned(), json!({})));
    put("usage/gone");
    put("metadata/gone");
    let client = world.with(async |registry| {
        let registrant = Registrant::Anyone { network: "192.0.2.2".to_owned() };
        let request = Registration { metadata: metadata("New"), registrant, via: Via::Endpoint, reservation: None };
        let client = registry.register(request).await.unwrap();
        registry.update(&client.client_id, &client.record, metadata("Changed"), "test").await.unwrap();
        client.client_id
    });
    world.run(1, false);
    let left: Vec<_> = world.store.entries.borrow().keys().filter(|key| key.contains("gone")).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
    // The list of clients does not show the new one yet, that of changes does.
    let metadata_key = format!("metadata/{client}");
    world.store.unlisted.borrow_mut().push(format!("client/{client}"));
    world.run(2, false);
    assert!(world.store.entries.borrow().contains_key(&metadata_key));
}
