//! How often somebody is asked about a credential.

use std::rc::Rc;

use futures_util::FutureExt;
use mcp_edge_access_keys::vault_call::Refusal;
use mcp_edge_oauth::{
    denial::Reason,
    keys::policy::FRESH_SECONDS,
    resource_server::Authentication,
    token::introspection_limiter::{MAX_KEY_QUESTIONS, MAX_QUESTIONS},
};
use mcp_edge_runtime::{crypto::Algorithm, service_call::CallError};
use serde_json::json;

use super::{Exchanging, KEY_ID, PAT, key_of, token_url};
use crate::support::{
    signatures::key_pair,
    tokens::{ISSUER, authenticate, claims, header, mint, policy},
    world::Answer,
};

#[test]
fn a_repeated_use_asks_nobody_and_verifies_nothing() {
    for (it, credential) in
        [(Exchanging::with_vault(policy()), key_of(KEY_ID)), (Exchanging::without_vault(policy()), PAT.to_owned())]
    {
        for _ in 0..50 {
            assert!(it.send(&credential).is_ok());
        }
        assert_eq!((it.vault.calls() + it.exchanges(), it.world().verifications()), (1, 1));
    }
}

#[test]
fn a_key_is_exchanged_again_after_a_minute() {
    let it = Exchanging::with_vault(policy());
    it.vault_gives(|key| key.until = u64::MAX);
    assert!(it.send(&key_of(KEY_ID)).is_ok());
    it.vault_refuses(Refusal::Revoked);
    it.world().advance(59);
    assert!(it.send(&key_of(KEY_ID)).is_ok());
    it.world().advance(1);
    assert_eq!(it.reason(&key_of(KEY_ID)), Reason::KeyRevoked);
    assert_eq!(it.vault.calls(), 2);
}

#[test]
fn a_personal_access_token_is_exchanged_again_after_the_set_time() {
    let it = Exchanging::without_vault(policy());
    assert!(it.send(PAT).is_ok());
    it.provider_answers(400, &json!({"error": "invalid_grant"}));
    it.world().advance(299);
    assert!(it.send(PAT).is_ok());
    it.world().advance(1);
    assert_eq!(it.reason(PAT), Reason::PersonalTokenRefused);
}

#[test]
fn neither_is_used_longer_than_its_access_token() {
    let it = Exchanging::without_vault(policy());
    let end = it.world().now() + 40;
    it.provider_gives(&it.scene.token(|_, claims| claims["exp"] = end.into()));
    assert!(it.send(PAT).is_ok());
    it.world().advance(40);
    it.provider_gives(&it.scene.token(|_, _| ()));
    assert!(it.send(PAT).is_ok(), "another exchange, and not `expired`");
    assert_eq!(it.exchanges(), 2);
    let it = Exchanging::with_vault(policy());
    let until = it.world().now() + 20;
    it.vault_gives(|key| key.until = until);
    assert!(it.send(&key_of(KEY_ID)).is_ok());
    it.world().advance(20);
    assert!(it.send(&key_of(KEY_ID)).is_ok());
    assert_eq!(it.vault.calls(), 2, "the vault's own bound");
}

#[test]
fn an_outage_is_not_seen_while_the_last_exchange_is_good_and_is_never_a_refusal() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    assert!(it.send(&key).is_ok());
    it.vault.fail(CallError::Failed(500));
    it.world().advance(59);
    assert!(it.send(&key).is_ok());
    assert_eq!(it.vault.calls(), 1, "nobody was asked");
    it.world().advance(1);
    assert_eq!(it.reason(&key), Reason::VaultUnavailable);
    assert_eq!(it.reason(&key), Reason::VaultUnavailable);
    assert_eq!(it.vault.calls(), 3, "an outage is not remembered");
    it.vault_gives(|_| ());
    assert!(it.send(&key).is_ok());
}

#[test]
fn a_refusal_is_remembered_for_ten_seconds() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    it.vault_refuses(Refusal::Unknown);
    for _ in 0..20 {
        assert_eq!(it.reason(&key), Reason::KeyUnknown);
    }
    assert_eq!(it.vault.calls(), 1);
    it.world().advance(10);
    it.vault_gives(|_| ());
    assert!(it.send(&key).is_ok());
}

/// Each exchange leaves a grant at the provider.
#[test]
fn an_access_token_that_does_not_pass_is_not_exchanged_for_at_every_request() {
    let it = Exchanging::without_vault(policy());
    it.provider_gives(&it.scene.token(|_, claims| claims["aud"] = "https://other.example".into()));
    for _ in 0..20 {
        assert_eq!(it.reason(PAT), Reason::WrongAudience);
    }
    assert_eq!(it.exchanges(), 1);
    let it = Exchanging::with_vault(policy());
    it.world().take_down(ISSUER);
    for _ in 0..20 {
        assert_eq!(it.reason(&key_of(KEY_ID)), Reason::KeysUnavailable);
    }
    assert_eq!(it.vault.calls(), 1, "what was exchanged waits for the keys");
    it.world().advance(10);
    it.world().publish(ISSUER, &[it.scene.key.jwk("k")]);
    assert!(it.send(&key_of(KEY_ID)).is_ok());
    assert_eq!(it.vault.calls(), 1);
}

#[test]
fn a_signing_key_that_is_gone_leads_to_another_exchange() {
    let it = Exchanging::with_settings(policy(), &[("PAT_SECONDS", "3600")]);
    assert!(it.send(PAT).is_ok());
    let next = key_pair("p384-2");
    it.world().publish(ISSUER, &[next.jwk("next")]);
    it.world().advance(FRESH_SECONDS + 1);
    let token = mint(&next, Algorithm::ES384, &header(Algorithm::ES384, "next"), &claims(it.world().now()));
    it.provider_gives(&token);
    // The copy is old: this request has it renewed, and a later one sees that the key is gone.
    for _ in 0..3 {
        assert!(it.send(PAT).is_ok());
        it.world().advance(1);
    }
    assert_eq!(it.exchanges(), 2);
}

#[test]
fn requests_that_wait_share_one_exchange() {
    for (it, credential) in
        [(Exchanging::with_vault(policy()), key_of(KEY_ID)), (Exchanging::without_vault(policy()), PAT.to_owned())]
    {
        slow_down(&it);
        let requests = (0..100).map(|_| authenticate(it.world(), &it.scene.server, &credential).boxed_local());
        let outcomes = it.world().race(requests).run();
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|it| it.outcome.is_ok())));
        assert_eq!((outcomes.len(), it.vault.calls() + it.exchanges()), (100, 1));
    }
}

/// Vault and provider take their time.
fn slow_down(it: &Exchanging) {
    it.vault.0.milliseconds.set(130);
    let body = json!({"access_token": it.scene.token(|_, _| ()), "token_type": "Bearer"});
    it.world().answer(&token_url(), Answer::After(130, Box::new(Answer::json(&body))));
}

#[test]
fn an_exchange_survives_the_request_that_caused_it() {
    let it = Exchanging::with_vault(policy());
    slow_down(&it);
    let key = key_of(KEY_ID);
    let send = || authenticate(it.world(), &it.scene.server, &key).boxed_local();
    let mut race = it.world().race([send(), send()]);
    race.cancel(0);
    let outcomes = race.run();
    assert!(outcomes[1].as_ref().is_some_and(|it| it.outcome.is_ok()));
    // Also if nobody is left: the next request uses what was obtained.
    let it = Exchanging::with_vault(policy());
    slow_down(&it);
    drop(begun(&it, &key));
    it.world().finish_background();
    assert!(it.send(&key).is_ok());
    assert_eq!(it.vault.calls(), 1);
}

/// A request whose exchange has begun.
fn begun<'a>(it: &'a Exchanging, key: &'a str) -> impl Future<Output = Authentication> + 'a {
    let mut request = Box::pin(authenticate(it.world(), &it.scene.server, key));
    while it.vault.calls() == 0 {
        assert!((&mut request).now_or_never().is_none());
        // The background work goes on, as far as it comes without time going by.
        it.world().run(std::future::ready(()));
    }
    request
}

#[test]
fn work_that_the_platform_drops_is_begun_again() {
    let it = Exchanging::with_vault(policy());
    slow_down(&it);
    let key = key_of(KEY_ID);
    drop(begun(&it, &key));
    it.world().drop_background();
    assert!(it.send(&key).is_ok());
    assert_eq!(it.vault.calls(), 2);
}

#[test]
fn a_flood_of_invented_ones_is_cut_off_and_those_that_were_good_are_not_affected() {
    let it = Exchanging::with_vault(policy());
    let good = key_of(KEY_ID);
    assert!(it.send(&good).is_ok());
    it.vault_refuses(Refusal::Unknown);
    it.world().advance(60);
    let invented = |number: u32| key_of(&format!("{number:016}"));
    for number in 0..MAX_KEY_QUESTIONS {
        assert_eq!(it.reason(&invented(number)), Reason::KeyUnknown);
    }
    let denial = it.send(&invented(MAX_KEY_QUESTIONS)).expect_err("spared");
    assert_eq!(denial.reason(), Reason::ProviderSpared);
    assert!(denial.retry_after().is_some_and(|seconds| (1..=10).contains(&seconds)));
    let calls = it.vault.calls();
    it.vault_gives(|_| ());
    assert!(it.send(&good).is_ok());
    assert_eq!(it.vault.calls(), calls + 1);
    assert!(it.send(&it.scene.token(|_, _| ())).is_ok());
    it.world().advance(10);
    it.vault_refuses(Refusal::Unknown);
    assert_eq!(it.reason(&invented(MAX_KEY_QUESTIONS)), Reason::KeyUnknown);
}

#[test]
fn a_flood_of_invented_personal_access_tokens_keeps_no_key_waiting() {
    let it = Exchanging::with_vault(policy());
    it.vault_refuses(Refusal::PersonalToken);
    let invented = |number: u32| format!("pat_invented{number}");
    for number in 0..MAX_QUESTIONS {
        assert_eq!(it.reason(&invented(number)), Reason::PersonalTokenRefused);
    }
    assert_eq!(it.reason(&invented(MAX_QUESTIONS)), Reason::ProviderSpared);
    it.vault_gives(|_| ());
    assert!(it.send(&key_of(KEY_ID)).is_ok());
}

#[test]
fn no_credential_gets_the_identity_of_another() {
    let it = Exchanging::without_vault(policy());
    let first = it.send(PAT).unwrap();
    it.provider_gives(&it.scene.token(|_, claims| claims["sub"] = "bob".into()));
    let second = it.send("pat_another").unwrap();
    assert_eq!((first.subject(), second.subject()), ("alice", "bob"));
    assert!(!Rc::ptr_eq(&first, &second));
    assert_eq!(it.send(PAT).unwrap().subject(), "alice");
}
