//! Every reason to refuse an access key or a personal access token.

use std::rc::Rc;

use mcp_edge_access_keys::vault_call::Refusal;
use mcp_edge_oauth::denial::Reason;
use mcp_edge_runtime::{http::RequestHead, service_call::CallError};
use serde_json::{Value, json};

use super::{Exchanging, KEY_ID, PAT, key_of};
use crate::{
    reasons::{Case, case},
    support::tokens::policy,
};

/// A key, with a change to the set-up in which it is good.
fn key(reason: Reason, what: &'static str, change: fn(&Exchanging)) -> Case {
    case(reason, what, move || {
        let it = Exchanging::with_vault(policy());
        change(&it);
        it.send(&key_of(KEY_ID)).expect_err("refused")
    })
}

fn personal_token(reason: Reason, what: &'static str, status: u16, body: Value) -> Case {
    case(reason, what, move || {
        let it = Exchanging::without_vault(policy());
        it.provider_answers(status, &body);
        it.send(PAT).expect_err("refused")
    })
}

pub fn cases() -> Vec<Case> {
    vec![
        case(Reason::KeyMalformed, "mistyped", || {
            Exchanging::with_vault(policy()).send("mcpk_a").expect_err("refused")
        }),
        case(Reason::KeysNotAccepted, "no vault", || {
            Exchanging::without_vault(policy()).send(&key_of(KEY_ID)).expect_err("refused")
        }),
        case(Reason::KeyInCookie, "a key in a cookie", || {
            let it = Exchanging::with_vault(policy());
            let cookie = format!("key={}", key_of(KEY_ID));
            let head = RequestHead::new("POST", "/mcp").with_header("cookie", &cookie);
            let sent = it.world().run(it.scene.server.authenticate(&head, it.world().now(), it.world()));
            Rc::unwrap_or_clone(sent.outcome.expect_err("refused"))
        }),
        key(Reason::KeyUnknown, "unknown", |it| it.vault_refuses(Refusal::Unknown)),
        key(Reason::KeyExpired, "expired", |it| it.vault_refuses(Refusal::Expired)),
        key(Reason::KeyRevoked, "revoked", |it| it.vault_refuses(Refusal::Revoked)),
        key(Reason::KeyEnded, "ended", |it| it.vault_refuses(Refusal::Ended)),
        key(Reason::KeyOfAnotherUser, "of bob", |it| it.vault_gives(|key| "bob".clone_into(&mut key.subject))),
        key(Reason::VaultUnavailable, "no answer", |it| it.vault.fail(CallError::Failed(500))),
        personal_token(Reason::PersonalTokenRefused, "deleted", 400, json!({ "error": "invalid_grant" })),
        personal_token(Reason::ExchangeRefused, "a wrong secret", 401, json!({ "error": "invalid_client" })),
        personal_token(Reason::ExchangeUnavailable, "no answer", 500, json!({})),
    ]
}
