//! Access keys: what the vault says, and what a key leaves of its access token.

use mcp_edge_access_keys::vault_call::{Answer as VaultAnswer, KeyToken, Refusal, Request};
use mcp_edge_identity::{Credential, Party, Scopes};
use mcp_edge_oauth::{
    client_policy::ClientList, denial::Reason, resource_server::TrustPolicy, token::denied::DeniedTokens,
};
use mcp_edge_runtime::{secret::Secret, service_call::CallError};
use serde_json::Value;

use super::{Exchanging, KEY_ID, key_of};
use crate::support::tokens::policy;

/// A policy with a hierarchy, whose first-party client is that of the good token.
fn rich_policy() -> TrustPolicy {
    let mut policy = policy();
    policy.clients.first_party = ClientList::parse("agent");
    policy.hierarchy.imply("notes:write", &Scopes::parse("notes:read"));
    policy.hierarchy.imply("admin", &Scopes::parse("notes:write whoami:read"));
    policy
}

#[test]
fn a_key_stands_for_its_user_and_says_that_it_is_a_key() {
    let it = Exchanging::with_vault(rich_policy());
    it.vault_gives(|key| key.tools = Some(vec!["whoami".to_owned()]));
    let key = key_of(KEY_ID);
    let identity = it.send(&key).unwrap();
    assert_eq!((identity.subject(), identity.client_id()), ("alice", Some("agent")));
    assert_eq!(identity.key_id(), Some(KEY_ID));
    assert_eq!((identity.may_call("whoami"), identity.may_call("other")), (true, false));
    let message = it.vault.0.messages.borrow()[0].clone();
    assert!(matches!(Request::from_json(&message), Some(Request::UseKey { key: sent }) if sent.expose() == key));
}

/// The same client's own token is first-party.
#[test]
fn a_key_is_never_first_party() {
    let it = Exchanging::with_vault(rich_policy());
    assert_eq!(it.send(&it.scene.token(|_, _| ())).unwrap().party(), Party::First);
    assert_eq!(it.send(&key_of(KEY_ID)).unwrap().party(), Party::Third);
}

fn scopes(granted: &str, of_key: &str) -> String {
    let it = Exchanging::with_vault(rich_policy());
    let access_token = Secret::new(it.scene.token(|_, claims| claims["scope"] = granted.into()));
    it.vault_gives(|key| *key = KeyToken { access_token, scopes: of_key.to_owned(), ..key.clone() });
    it.send(&key_of(KEY_ID)).unwrap().scopes().to_string()
}

#[test]
fn a_key_has_the_scopes_that_both_allow() {
    for (granted, of_key, expected) in [
        ("whoami:read", "whoami:read", "whoami:read"),
        ("whoami:read notes:read", "whoami:read", "whoami:read"),
        ("whoami:read", "whoami:read notes:read", "whoami:read"),
        ("whoami:read", "", ""),
        ("", "whoami:read", ""),
        ("admin", "notes:write", "notes:read notes:write"),
        ("notes:write", "admin", "notes:read notes:write"),
        ("notes:write", "notes:read", "notes:read"),
        ("notes:read", "notes:write", "notes:read"),
    ] {
        assert_eq!(scopes(granted, of_key), expected, "{granted:?} with {of_key:?}");
    }
}

#[test]
fn claims_are_disclosed_by_the_remaining_scopes_alone() {
    for (of_key, disclosed) in [("whoami:read", None), ("whoami:read email", Some("a@example.com"))] {
        let it = Exchanging::with_vault(rich_policy());
        let access_token = Secret::new(it.scene.token(|_, claims| {
            claims["scope"] = "whoami:read email".into();
            claims["email"] = "a@example.com".into();
        }));
        it.vault_gives(|key| *key = KeyToken { access_token, scopes: of_key.to_owned(), ..key.clone() });
        assert_eq!(it.send(&key_of(KEY_ID)).unwrap().claim("email"), disclosed, "{of_key}");
    }
}

#[test]
fn the_access_token_of_another_user_is_refused() {
    for change in [
        (|key| key.subject = "bob".to_owned()) as fn(&mut KeyToken),
        |key| key.issuer = "https://other.example".to_owned(),
        |key| key.subject = String::new(),
    ] {
        let it = Exchanging::with_vault(policy());
        it.vault_gives(change);
        assert_eq!(it.reason(&key_of(KEY_ID)), Reason::KeyOfAnotherUser);
    }
}

/// The provider's token, with a change that makes another one of it.
fn reason_of(policy: TrustPolicy, change: impl FnOnce(&mut Value, &mut Value)) -> Reason {
    let it = Exchanging::with_vault(policy);
    let access_token = Secret::new(it.scene.token(change));
    it.vault_gives(|key| key.access_token = access_token);
    it.reason(&key_of(KEY_ID))
}

#[test]
fn the_access_token_passes_the_ordinary_checks() {
    assert_eq!(reason_of(policy(), |_, claims| claims["aud"] = "https://other.example".into()), Reason::WrongAudience);
    assert_eq!(reason_of(policy(), |header, _| header["typ"] = "JWT".into()), Reason::WrongType);
    assert_eq!(reason_of(policy(), |header, _| header["kid"] = "other".into()), Reason::UnknownKey);
    assert_eq!(reason_of(policy(), |_, claims| claims["exp"] = 1.into()), Reason::Expired);
    let mut denied = policy();
    denied.denied = DeniedTokens { keys: vec!["k".to_owned()], ..DeniedTokens::default() };
    assert_eq!(reason_of(denied, |_, _| ()), Reason::KeyDenied);
    let mut old = policy();
    old.denied = DeniedTokens { issued_before: u64::MAX, ..DeniedTokens::default() };
    assert_eq!(reason_of(old, |_, _| ()), Reason::IssuedBeforeCutoff);
    let mut clients = policy();
    clients.clients.denied = ClientList::parse("agent");
    assert_eq!(reason_of(clients, |_, _| ()), Reason::ClientDenied);
    let mut organizations = policy();
    organizations.organizations = vec!["acme".to_owned()];
    assert_eq!(reason_of(organizations, |_, _| ()), Reason::OrganizationNotAllowed);
}

#[test]
fn required_scopes_are_required_of_keys() {
    let mut strict = policy();
    strict.required_scopes = Scopes::parse("whoami:read");
    let it = Exchanging::with_vault(strict);
    it.vault_gives(|key| key.scopes = String::new());
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::InsufficientScope);
}

#[test]
fn each_refusal_of_the_vault_has_its_reason() {
    for (refusal, reason) in [
        (Refusal::Malformed, Reason::KeyMalformed),
        (Refusal::Unknown, Reason::KeyUnknown),
        (Refusal::Expired, Reason::KeyExpired),
        (Refusal::Revoked, Reason::KeyRevoked),
        (Refusal::Ended, Reason::KeyEnded),
        (Refusal::PersonalToken, Reason::PersonalTokenRefused),
    ] {
        let it = Exchanging::with_vault(policy());
        it.vault_refuses(refusal);
        assert_eq!(it.reason(&key_of(KEY_ID)), reason);
    }
}

#[test]
fn a_vault_that_does_not_say_is_an_outage_with_its_cause() {
    for (error, cause) in [
        (CallError::Unbound("VAULT_CALLS".to_owned()), "[[services]]"),
        (CallError::Forbidden, "role = \"endpoint\""),
        (CallError::Timeout(std::time::Duration::from_secs(10)), "10s"),
        (CallError::TooLarge(9), "9 bytes"),
        (CallError::Rejected(413), "413"),
        (CallError::Failed(500), "500"),
        (CallError::Overloaded, "overloaded"),
        (CallError::Network("gone".to_owned()), "gone"),
    ] {
        let it = Exchanging::with_vault(policy());
        it.vault.fail(error);
        let denial = it.send(&key_of(KEY_ID)).expect_err("no answer");
        assert_eq!(denial.reason(), Reason::VaultUnavailable);
        assert!(denial.detail().is_some_and(|detail| detail.contains(cause)), "{denial}");
    }
    let it = Exchanging::with_vault(policy());
    it.vault.answer(&VaultAnswer::Unavailable { retry_after: 7, cause: "the provider is down".to_owned() });
    let denial = it.send(&key_of(KEY_ID)).expect_err("no answer");
    assert_eq!((denial.reason(), denial.retry_after()), (Reason::VaultUnavailable, Some(7)));
    assert_eq!(denial.detail().as_deref(), Some("the provider is down"));
}

#[test]
fn an_answer_to_another_question_is_not_used() {
    let it = Exchanging::with_vault(policy());
    it.vault_gives(|key| key.id = "another_id".to_owned());
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::VaultUnavailable);
    let access_token = Secret::new(it.scene.token(|_, _| ()));
    it.vault.answer(&VaultAnswer::PersonalToken { access_token, until: u64::MAX, scopes: String::new() });
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::VaultUnavailable);
    it.vault_gives(|_| ());
    assert_eq!(it.reason(super::PAT), Reason::VaultUnavailable, "a key for a personal access token");
    it.vault_gives(|key| key.access_token = Secret::new("opaque"));
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::VaultUnavailable, "no JWT");
    *it.vault.0.answer.borrow_mut() = Ok("[]".to_owned());
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::VaultUnavailable);
}

#[test]
fn a_typing_error_asks_nobody() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    for wrong in [&key[..key.len() - 1], "mcpk_", "mcpk_a", &key.replace("ssss", "sSss"), &format!("{key}a")] {
        assert_eq!(it.reason(wrong), Reason::KeyMalformed, "{wrong}");
        assert!(Reason::KeyMalformed.counts_as_failed_attempt());
    }
    assert_eq!((it.vault.calls(), it.world().received()), (0, vec![]));
}

#[test]
fn without_a_vault_keys_are_not_accepted() {
    let it = Exchanging::without_vault(policy());
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::KeysNotAccepted);
    assert_eq!(it.reason("mcpk_mistyped"), Reason::KeysNotAccepted);
    assert_eq!(it.world().received(), []);
    // Another prefix is none of ours.
    assert_eq!(it.reason("mcpkx_abc"), Reason::OpaqueNotAccepted);
}

#[test]
fn the_log_has_the_id_of_the_key_and_never_the_key() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    let trace = crate::support::tokens::send_traced(it.world(), &it.scene.server, &key).trace;
    assert_eq!((trace.key_id.as_deref(), trace.tier), (Some(KEY_ID), Some("exchange")));
    assert!(!format!("{trace:?}").contains(&key));
    assert!(matches!(it.send(&key).unwrap().credential(), Credential::AccessKey(_)));
}
