//! Personal access tokens: the exchange at the provider or by the vault, and what its answers mean.

use mcp_edge_access_keys::vault_call::{Answer as VaultAnswer, Refusal, Request};
use mcp_edge_identity::{Credential, Party, Scopes};
use mcp_edge_oauth::{client_policy::ClientList, denial::Reason};
use mcp_edge_runtime::secret::Secret;
use serde_json::json;

use super::{Exchanging, PAT, token_url};
use crate::support::{
    tokens::{ISSUER, RESOURCE, policy},
    world::Answer,
};

#[test]
fn a_personal_access_token_is_exchanged_at_the_provider() {
    let it = Exchanging::without_vault(policy());
    let identity = it.send(PAT).unwrap();
    assert_eq!((identity.subject(), identity.scopes().to_string()), ("alice", "whoami:read".to_owned()));
    assert_eq!(*identity.credential(), Credential::PersonalAccessToken);
    let received = it.world().received();
    let call = received.iter().find(|call| call.url == token_url()).expect("an exchange");
    // `us:s3cret`
    assert_eq!(call.authorization.as_deref(), Some("Basic dXM6czNjcmV0"));
    let form = call.form.as_deref().unwrap();
    assert!(form.contains(&format!("subject_token={PAT}&")), "{form}");
    assert_eq!((form.matches("resource=").count(), form.matches("scope=").count()), (1, 1), "{form}");
    assert!(form.contains(&RESOURCE.replace(':', "%3A").replace('/', "%2F")), "{form}");
}

#[test]
fn a_personal_access_token_is_never_first_party_and_has_no_other_scopes() {
    let mut policy = policy();
    policy.clients.first_party = ClientList::parse("agent");
    let it = Exchanging::without_vault(policy.clone());
    it.provider_gives(&it.scene.token(|_, claims| claims["scope"] = "whoami:read admin email".into()));
    let identity = it.send(PAT).unwrap();
    assert_eq!(identity.party(), Party::Third);
    assert_eq!(*identity.scopes(), Scopes::parse("whoami:read"), "what was not asked for is not granted");
    // What the vault exchanges is no different.
    let it = Exchanging::with_vault(policy);
    let access_token = Secret::new(it.scene.token(|_, claims| claims["scope"] = "whoami:read admin email".into()));
    let (until, scopes) = (it.world().now() + 300, "whoami:read".to_owned());
    it.vault.answer(&VaultAnswer::PersonalToken { access_token, until, scopes });
    let identity = it.send(PAT).unwrap();
    assert_eq!((identity.party(), identity.scopes()), (Party::Third, &Scopes::parse("whoami:read")));
}

#[test]
fn a_user_without_the_scopes_lacks_scopes() {
    let mut policy = policy();
    policy.required_scopes = Scopes::parse("whoami:read");
    let it = Exchanging::without_vault(policy);
    it.provider_gives(&it.scene.token(|_, claims| claims["scope"] = "".into()));
    assert_eq!(it.reason(PAT), Reason::InsufficientScope);
}

#[test]
fn the_answers_of_the_provider_have_their_reasons() {
    let cases = [
        (400, json!({"error": "invalid_grant"}), Reason::PersonalTokenRefused),
        (401, json!({"error": "invalid_client"}), Reason::ExchangeRefused),
        (
            400,
            json!({"error": "invalid_request", "error_description": "client secret has expired"}),
            Reason::ExchangeRefused,
        ),
        (400, json!({"error": "invalid_target"}), Reason::ExchangeRefused),
        (200, json!({"access_token": "opaque", "token_type": "Bearer"}), Reason::ExchangeRefused),
        (200, json!({}), Reason::ExchangeUnavailable),
        (404, json!(null), Reason::ExchangeUnavailable),
        (429, json!({"error": "invalid_grant"}), Reason::ExchangeUnavailable),
        (302, json!(null), Reason::ExchangeUnavailable),
        (500, json!({"error": "invalid_grant"}), Reason::ExchangeUnavailable),
    ];
    for (status, body, reason) in cases {
        let it = Exchanging::without_vault(policy());
        it.provider_answers(status, &body);
        let denial = it.send(PAT).expect_err("refused");
        assert_eq!(denial.reason(), reason, "{status} {body}");
        assert!(!format!("{denial:?}").contains(PAT));
        assert_eq!(denial.retry_after().is_some(), reason.is_outage());
    }
    for answer in [Answer::Down, Answer::After(6_000, Box::new(Answer::Down))] {
        let it = Exchanging::without_vault(policy());
        it.world().answer(&token_url(), answer);
        assert_eq!(it.reason(PAT), Reason::ExchangeUnavailable);
    }
}

#[test]
fn a_provider_that_cannot_be_had_is_an_outage() {
    let it = Exchanging::without_vault(policy());
    it.world().take_down(ISSUER);
    assert_eq!(it.reason(PAT), Reason::KeysUnavailable);
    assert_eq!(it.exchanges(), 0);
}

#[test]
fn with_a_vault_the_vault_exchanges() {
    let it = Exchanging::with_vault(policy());
    let access_token = Secret::new(it.scene.token(|_, _| ()));
    it.vault.answer(&VaultAnswer::PersonalToken {
        access_token,
        until: it.world().now() + 300,
        scopes: "whoami:read".into(),
    });
    assert_eq!(*it.send(PAT).unwrap().credential(), Credential::PersonalAccessToken);
    let message = it.vault.0.messages.borrow()[0].clone();
    let request = Request::from_json(&message);
    assert!(matches!(request, Some(Request::ExchangePersonalToken { token }) if token.expose() == PAT));
    assert_eq!(it.exchanges(), 0, "the endpoint has no client of its own");
    let it = Exchanging::with_vault(policy());
    it.vault_refuses(Refusal::PersonalToken);
    assert_eq!(it.reason(PAT), Reason::PersonalTokenRefused);
}

#[test]
fn a_long_one_is_not_sent() {
    let it = Exchanging::without_vault(policy());
    assert_eq!(it.reason(&format!("pat_{}", "x".repeat(4093))), Reason::TokenTooLarge);
    assert_eq!(it.exchanges(), 0);
    assert!(it.send(&format!("pat_{}", "x".repeat(4092))).is_ok());
}
