//! What is derived from which secret.

use std::collections::BTreeSet;

use mcp_edge_runtime::secret::Secret;

use crate::{
    secrets::{
        Owner, Seal, VaultSecrets, account_name,
        connections::{ConnectionSecrets, Opened, Place, Purpose},
        hash_of, is_same_hash,
    },
    testing::world::World,
};

fn secrets(secret: &str, jurisdiction: Option<&str>) -> VaultSecrets {
    VaultSecrets::new(&Secret::new(secret), jurisdiction)
}

#[test]
fn ids_are_our_own_only_unchanged() {
    let world = World::new();
    let own = secrets("one", None);
    let ids: BTreeSet<String> = (0..100).map(|_| own.mint_id(&world)).collect();
    assert_eq!(ids.len(), 100);
    for id in &ids {
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) && own.is_own_id(id), "{id}");
        assert!(!secrets("other", None).is_own_id(id));
        assert!(!secrets("one", Some("eu")).is_own_id(id), "of another jurisdiction");
        for at in 0..id.len() {
            let mut changed = id.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!own.is_own_id(&String::from_utf8(changed).unwrap()), "{id} at {at}");
        }
        assert!(!own.is_own_id(&id[..15]) && !own.is_own_id(&format!("{id}0")));
    }
    for id in ["", "0", "0000000000000000", "ääääääää", "0000000000ä0000"] {
        assert!(!own.is_own_id(id), "{id}");
    }
}

#[test]
fn what_is_sealed_opens_for_the_same_purpose_key_and_user_only() {
    let world = World::new();
    let (secret, plain) = (Secret::new("secret of the key"), Secret::new("refresh token"));
    let owner = Owner { id: "id", issuer: "iss", subject: "sub" };
    let sealed = Seal::refresh(&secret, owner).seal(&plain, &world).unwrap();
    assert_eq!(Seal::refresh(&secret, owner).open(&sealed), Ok(plain.clone()));
    for other in [
        Owner { id: "i", issuer: "diss", subject: "sub" },
        Owner { id: "id", issuer: "is", subject: "ssub" },
        Owner { id: "id", issuer: "iss", subject: "bob" },
    ] {
        assert!(Seal::refresh(&secret, other).open(&sealed).is_err());
    }
    assert!(Seal::token(&secret, owner).open(&sealed).is_err());
    assert!(Seal::refresh(&Secret::new("another"), owner).open(&sealed).is_err());
    let grant = secrets("one", None).grant_seal(owner).seal(&plain, &world).unwrap();
    assert_eq!(secrets("one", Some("eu")).grant_seal(owner).open(&grant), Ok(plain));
    assert!(secrets("other", None).grant_seal(owner).open(&grant).is_err());
}

#[test]
fn tokens_of_connections_open_for_their_user_and_connection_and_after_the_secret_was_replaced() {
    let world = World::new();
    let (first, second, third) = (Secret::new("first secret"), Secret::new("second secret"), Secret::new("third"));
    let plain = Secret::new("token of the service");
    let place = Place { purpose: Purpose::Account, issuer: "iss", subject: "sub", connection: "github" };
    let sealed = ConnectionSecrets::new(&first, None).seal(&plain, place, &world).unwrap();
    let opened = |is_old| Ok(Opened { plain: plain.clone(), is_old });
    assert_eq!(ConnectionSecrets::new(&first, None).open(&sealed, place), opened(false));
    assert_eq!(ConnectionSecrets::new(&second, Some(&first)).open(&sealed, place), opened(true));
    for (current, previous) in [(&second, None), (&third, Some(&second))] {
        assert!(ConnectionSecrets::new(current, previous).open(&sealed, place).is_err());
    }
    let secrets = ConnectionSecrets::new(&first, Some(&second));
    for other in [
        Place { purpose: Purpose::Revocation, ..place },
        Place { issuer: "is", subject: "ssub", ..place },
        Place { subject: "subg", connection: "ithub", ..place },
        Place { subject: "bob", ..place },
        Place { connection: "gitlab", ..place },
    ] {
        assert!(secrets.open(&sealed, other).is_err(), "{other:?}");
    }
    // The name of another key before what this one has sealed.
    let (name, rest) = sealed.split_once('.').unwrap();
    let other = ConnectionSecrets::new(&second, None).seal(&plain, place, &world).unwrap();
    let renamed = [other.split_once('.').unwrap().0, ".", rest].concat();
    assert!(secrets.open(&renamed, place).is_err() && secrets.open(rest, place).is_err());
    assert!(name.len() == 16 && !format!("{secrets:?}").contains("first"));
}

#[test]
fn users_and_personal_access_tokens_have_names_of_their_own() {
    let names =
        [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc")].map(|(issuer, subject)| account_name(issuer, subject));
    assert_eq!(BTreeSet::from(names.clone()).len(), 4);
    assert!(names.iter().all(|name| name.len() == 64));
    let token = Secret::new("pat_1");
    let name = secrets("one", None).personal_token_name(&token);
    assert_eq!(name, secrets("one", None).personal_token_name(&token));
    assert_ne!(name, secrets("other", None).personal_token_name(&token));
    assert!(!name.contains("pat_"));
}

#[test]
fn hashes_are_compared_whole() {
    let hash = hash_of(&Secret::new("secret"));
    assert!(is_same_hash(&hash, &hash_of(&Secret::new("secret"))));
    assert!(!is_same_hash(&hash, &hash_of(&Secret::new("Secret"))));
    assert!(!is_same_hash(&hash[..31], &hash) && !is_same_hash(&[], &hash));
}

#[test]
fn nothing_is_shown() {
    let (own, secret) = (secrets("hunter2 hunter2", Some("eu")), Secret::new("hunter2 too"));
    let seal = Seal::refresh(&secret, Owner { id: "id", issuer: "iss", subject: "sub" });
    assert!(!format!("{own:?} {seal:?}").contains("hunter2"));
}
