//! Registering clients: what is stored, repetitions and faults.

use futures_util::future::join;
use serde_json::{Value, json};

use super::{anyone, confidential, developer, form, metadata, request};
use crate::{
    clients::{authenticate::AuthenticateError, register::RegisterError, update::UpdateError},
    failed_attempts::TooManyFailedAttempts,
    ledger::{AdmissionError, CallError, ChangeError},
    policy::{Mode, Registrant},
    provider::ProviderError,
    record::Owner,
    storage::StorageError,
    testing::{NOW, World},
};

#[test]
fn a_client_is_made_recorded_and_confirmed() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    assert_eq!(world.provider.ids(), ["app-1"]);
    assert_eq!(*world.provider.confirmed.borrow(), ["app-1"]);
    let record = world.record("app-1").unwrap();
    assert_eq!(record.metadata.scope.as_deref(), Some("whoami:read"), "never more than the operator allows");
    assert!(record.is_token(registered.token.unwrap().expose()));
    assert_eq!((record.owner, record.created_at), (Owner::Anyone, NOW));
    assert_eq!(world.provider.applications.borrow()["app-1"].ceiling.to_string(), "whoami:read");
    let line: Value = serde_json::from_str(&world.audit.borrow()[0]).unwrap();
    assert_eq!((&line["audit"], &line["client_id"]), (&json!("client_registered"), &json!("app-1")));
    assert_eq!(line["detail"], "native application, answers go to 127.0.0.1");
}

#[test]
fn no_secret_and_no_token_is_kept_or_logged() {
    let world = World::new(Mode::Open);
    let registered = world.register(confidential("Agent"), anyone()).unwrap();
    let (secret, token) = (registered.secret.unwrap(), registered.token.unwrap());
    let kept = format!("{:?}{:?}", world.store.entries.borrow(), world.audit.borrow());
    assert!(!kept.contains(secret.expose()) && !kept.contains(token.expose()), "{kept}");
}

#[test]
fn the_same_form_twice_makes_one_client() {
    let mut world = World::new(Mode::Developers);
    let send = |world: &World, subject: &str| {
        world.with(async |registry| registry.register(form("1", confidential("Agent"), subject)).await).unwrap()
    };
    assert_eq!(send(&world, "alice").client_id, "app-1");
    assert_eq!(send(&world, "alice").client_id, "app-1");
    assert_eq!(send(&world, "bob").client_id, "app-2", "somebody else's form of the same number");
    world.forget();
    let elsewhere = send(&world, "alice");
    assert!(elsewhere.is_repeated && elsewhere.client_id == "app-1", "in another isolate");
    // Ten minutes later the store has forgotten as well.
    world.now.set(NOW + 601);
    world.store.entries.borrow_mut().retain(|key, _| !key.starts_with("form/"));
    assert_eq!(send(&world, "alice").client_id, "app-3");
}

#[test]
fn the_same_form_twice_at_the_same_moment_makes_one_client() {
    let world = World::new(Mode::Open);
    let (one, other) = world.with(async |registry| {
        let register = || registry.register(form("1", metadata("Agent"), "alice"));
        join(register(), register()).await
    });
    assert_eq!((one.unwrap().client_id, other.unwrap().client_id), ("app-1".to_owned(), "app-1".to_owned()));
    assert_eq!(world.provider.created.get(), 1);
}

#[test]
fn each_of_several_equal_registrations_makes_a_client_of_its_own() {
    let token = || Registrant::InitialToken { name: "partner".to_owned(), id: "1".to_owned() };
    for (mode, registrant) in [(Mode::Open, anyone()), (Mode::Token, token()), (Mode::Developers, developer("alice"))] {
        for metadata in [metadata("Agent"), confidential("Agent")] {
            let world = World::new(mode);
            let (one, other) = world.with(async |registry| {
                let register = || registry.register(request(metadata.clone(), registrant.clone()));
                join(register(), register()).await
            });
            let later = world.register(metadata, registrant.clone()).unwrap();
            let clients = [one.unwrap(), other.unwrap(), later];
            assert_eq!(world.provider.ids().len(), 3, "{registrant:?}");
            for client in &clients {
                let record = world.record(&client.client_id).unwrap();
                let theirs = clients.iter().filter(|it| record.is_token(it.token.as_ref().unwrap().expose()));
                assert_eq!(theirs.count(), 1, "{registrant:?}");
                assert_eq!(clients.iter().filter(|it| it.client_id == client.client_id).count(), 1, "{registrant:?}");
            }
        }
    }
}

#[test]
fn what_was_never_begun_is_not_undone() {
    let world = World::new(Mode::Developers);
    world.provider.broken.set("begin");
    let failure = world.register(metadata("Agent"), developer("alice")).unwrap_err();
    assert_eq!(failure.to_string(), "the provider is not available: on purpose");
    assert!(world.audit.borrow().is_empty(), "{:?}", world.audit.borrow());
    world.provider.broken.set("create");
    world.register(metadata("Agent"), developer("alice")).unwrap_err();
    let audit = world.audit.borrow();
    assert!(audit.len() == 1 && audit[0].contains(r#""client_id":"app-0""#), "{audit:?}");
}

#[test]
fn the_log_is_written_in_words() {
    let misconfigured = ProviderError::Misconfigured("check X".to_owned());
    let storage = || StorageError::Unavailable(mcp_edge_runtime::ports::StoreError("on fire".to_owned()));
    let errors: [&dyn std::error::Error; 9] = [
        &AuthenticateError::from(TooManyFailedAttempts { retry_after: 60 }),
        &CallError::TooMany { retry_after: 60 },
        &ChangeError::Busy,
        &RegisterError::from(AdmissionError::TooManyRegistrations { retry_after: 60 }),
        &RegisterError::from(AdmissionError::Full),
        &RegisterError::from(AdmissionError::DeveloperQuota { limit: 3 }),
        &RegisterError::from(misconfigured),
        &RegisterError::from(storage()),
        &UpdateError::Gone,
    ];
    for error in errors {
        let (text, debug) = (error.to_string(), format!("{error:?}"));
        assert!(!text.contains(['(', '{']) && text != debug && text.contains(' '), "{text}");
    }
}

#[test]
fn a_failure_leaves_nothing_behind_and_the_next_try_succeeds() {
    for (operation, prefix) in [("create", None), ("confirm", None), ("", Some("client/")), ("", Some("owner/"))] {
        let world = World::new(Mode::Developers);
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        world.register(metadata("Agent"), developer("alice")).unwrap_err();
        assert!(world.provider.ids().is_empty(), "{operation} {prefix:?}");
        assert!(world.store.entries.borrow().is_empty(), "{operation} {prefix:?}: {:?}", world.store.entries.borrow());
        assert!(world.audit.borrow().iter().any(|line| line.contains("registration_undone")), "{operation} {prefix:?}");
        world.provider.broken.set("");
        world.store.broken_prefix.set(None);
        assert!(world.register(metadata("Agent"), developer("alice")).is_ok(), "{operation} {prefix:?}");
    }
}

#[test]
fn what_was_removed_at_the_provider_is_not_given_again() {
    let world = World::new(Mode::Developers);
    world.register(confidential("Agent"), developer("alice")).unwrap();
    world.provider.applications.borrow_mut().clear();
    assert_eq!(world.register(confidential("Agent"), developer("alice")).unwrap().client_id, "app-2");
}

#[test]
fn the_portal_shows_a_secret_once() {
    let world = World::new(Mode::Developers);
    let register = |number: &'static str| {
        world.with(async |registry| registry.register(form(number, confidential("Agent"), "alice")).await)
    };
    let first = register("form 1").unwrap();
    assert!(first.secret.is_some() && first.token.is_none() && first.record.is_made_by_hand());
    let again = register("form 1").unwrap();
    assert!(again.is_repeated && again.client_id == first.client_id && again.secret.is_none());
    assert_ne!(register("form 2").unwrap().client_id, first.client_id, "a second form is a second wish");
}
