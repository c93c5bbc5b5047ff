//! Revocation by the holder of a key.

use super::*;
use crate::key::message::State;

const PATH: &str = "/account/keys/revoke";

#[test]
fn the_holder_of_a_key_can_revoke_it() {
    let deployed = deploy(&[]);
    let key = Browser::of(&deployed, "alice").make(&FORM, "alice");
    let handled = deployed.post_form(PATH, &[("token", &format!(" {key}\n")), ("token_type_hint", "access_token")]);
    assert_eq!((handled.response.status, handled.response.text()), (200, ""));
    assert_eq!(handled.record.get("key"), id_of(&key));
    assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Revoked));
    assert!(deployed.outside.entries()[0].gone_at.is_some(), "the list knows");
    assert!(deployed.outside.log.borrow().iter().any(|line| line.contains("\"by\":\"holder\"")));
    assert_eq!(deployed.post_form(PATH, &[("token", &key)]).response.status, 200, "again");
}

#[test]
fn what_is_no_key_of_ours_is_answered_alike_and_addresses_no_object() {
    let deployed = deploy(&[]);
    let key = Browser::of(&deployed, "alice").make(&FORM, "alice");
    let other = deploy(&[("VAULT_SECRET", "another secret of at least 32 characters")]);
    other.outside.broken.set("");
    for token in [key.as_str(), "mcpk_x", "Bearer x", "x", &format!("{key}0")] {
        let response = other.post_form(PATH, &[("token", token)]).response;
        assert_eq!((response.status, response.text()), (200, ""), "{token}");
    }
    // The right id, and another secret with a right checksum.
    let secret = mcp_edge_runtime::secret::Secret::new("0".repeat(43));
    let guess = mcp_edge_access_keys::format::write("mcpk", id_of(&key), &secret);
    let response = deployed.post_form(PATH, &[("token", guess.expose())]).response;
    assert_eq!((response.status, response.text()), (200, ""));
    assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Active));
}

#[test]
fn what_cannot_be_done_is_no_success() {
    let deployed = deploy(&[]);
    let key = Browser::of(&deployed, "alice").make(&FORM, "alice");
    deployed.outside.broken.set("\"revoke\"");
    let response = deployed.post_form(PATH, &[("token", &key)]).response;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("10")), "RFC 7009 §2.2.1");
    for fields in [&[][..], &[("token", "")], &[("key", "x")], &[("token", "a"), ("token", "b")]] {
        let response = deployed.post_form(PATH, fields).response;
        assert!(response.status == 400 && response.text().contains("invalid_request"), "{fields:?}");
    }
    let json = deployed.send("POST", PATH, &[("content-type", "application/json")], "{}").response;
    assert_eq!(json.status, 415);
}

#[test]
fn an_alert_revokes_the_keys_that_were_found() {
    let deployed = deploy(&[]);
    let key = Browser::of(&deployed, "alice").make(&FORM, "alice");
    let alert = json!([
        { "token": key, "type": "notes_key", "url": "https://github.com/x/y", "source": "content" },
        { "token": "mcpk_nothing", "type": "notes_key", "url": "" },
    ]);
    let send = |body: &str| {
        deployed.send("POST", "/account/keys/github-alert", &[("content-type", "application/json")], body).response
    };
    let response = send(&alert.to_string());
    let labels: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(
        (response.status, &labels[0]["label"], &labels[1]["label"]),
        (200, &json!("true_positive"), &json!("false_positive"))
    );
    assert_eq!((&labels[0]["token_raw"], &labels[0]["token_type"]), (&json!(key), &json!("notes_key")));
    assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Revoked));
    assert_eq!(send("{}").status, 400);
    assert_eq!(send(&Value::from(vec![json!({ "token": "x" }); 101]).to_string()).status, 400);
}
