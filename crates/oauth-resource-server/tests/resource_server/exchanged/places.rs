//! Where credentials do not belong.

use mcp_edge_oauth::denial::Reason;
use mcp_edge_runtime::http::RequestHead;

use super::{Exchanging, KEY_ID, PAT, key_of};
use crate::support::tokens::policy;

/// The reason of a refusal, if the request is refused.
fn reason(it: &Exchanging, head: &RequestHead<'_>) -> Option<Reason> {
    let now = it.world().now();
    let authentication = it.world().run(it.scene.server.authenticate(head, now, it.world()));
    it.world().finish_background();
    authentication.outcome.err().map(|denial| denial.reason())
}

#[test]
fn in_a_query_it_is_refused_beside_any_authorization() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    let bearer = format!("Bearer {}", it.scene.token(|_, _| ()));
    for value in [&key, PAT] {
        for query in [
            format!("key={value}"),
            format!("a=1&api_key={value}&b"),
            value.to_owned(),
            format!("access_token={value}"),
        ] {
            let target = format!("/mcp?{query}");
            let head = RequestHead::new("POST", &target);
            assert_eq!(reason(&it, &head), Some(Reason::TokenInQuery), "{query}");
            assert_eq!(reason(&it, &head.with_header("authorization", &bearer)), Some(Reason::TokenInQuery), "{query}");
        }
    }
    for query in ["a=mcp", "mcpk_name=1", "a=xmcpk_b", "a=mcpk_b", ""] {
        let target = format!("/mcp?{query}");
        let head = RequestHead::new("POST", &target).with_header("authorization", &bearer);
        assert_eq!(reason(&it, &head), None, "{query}");
    }
    assert_eq!(it.vault.calls(), 0);
}

#[test]
fn in_a_cookie_it_is_refused_beside_any_authorization() {
    let it = Exchanging::with_vault(policy());
    let key = key_of(KEY_ID);
    let bearers = [format!("Bearer {}", it.scene.token(|_, _| ())), format!("Bearer {key}")];
    for cookies in [format!("key={key}"), format!("a=b; key=\"{key}\"; c=d"), format!("a=b;pat={PAT}")] {
        let head = RequestHead::new("POST", "/mcp").with_header("cookie", &cookies);
        assert_eq!(reason(&it, &head), Some(Reason::KeyInCookie), "{cookies}");
        for bearer in &bearers {
            let head = head.clone().with_header("authorization", bearer);
            assert_eq!(reason(&it, &head), Some(Reason::KeyInCookie), "{cookies}");
        }
    }
    // A short KEY_PREFIX begins many a value: only the whole form is a key.
    for cookies in ["session=abc; theme=dark", "a=mcpk_x", "a=mcpk_"] {
        let head = RequestHead::new("POST", "/mcp").with_header("cookie", cookies);
        assert_eq!(reason(&it, &head.with_header("authorization", &bearers[0])), None, "{cookies}");
    }
}

#[test]
fn together_with_another_credential_it_is_refused_also_when_it_is_known() {
    let it = Exchanging::with_vault(policy());
    let bearer = format!("Bearer {}", key_of(KEY_ID));
    let token = format!("Bearer {}", it.scene.token(|_, _| ()));
    let two = format!("{bearer}, {token}");
    let head = |authorization| RequestHead::new("POST", "/mcp").with_header("authorization", authorization);
    for _ in 0..2 {
        for name in ["x-api-key", "dpop"] {
            assert_eq!(reason(&it, &head(&bearer).with_header(name, "a")), Some(Reason::MultipleCredentials), "{name}");
            // What other tokens come with was never looked at.
            assert_eq!(reason(&it, &head(&token).with_header(name, "a")), None, "{name}");
        }
        assert_eq!(reason(&it, &head(&two)), Some(Reason::MultipleCredentials));
        assert_eq!(reason(&it, &head(&bearer)), None);
    }
    assert_eq!(it.vault.calls(), 1);
}
