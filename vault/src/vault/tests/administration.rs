//! Commands of the operator.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;
use crate::key::message::State;

const SECRET: &str = "fedcba9876543210fedcba9876543210";

fn envelope(message: &str, secret: &str, resource: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("mcp-edge keys administration v1\0{resource}\0{message}").as_bytes());
    let code = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    json!({ "message": message, "mac": code }).to_string()
}

fn message(time: u64, nonce: &str, command: &Value) -> String {
    json!({ "time": time, "nonce": nonce, "command": command }).to_string()
}

impl Deployed {
    fn administer(&self, body: &str) -> (u16, Value) {
        let headers = [("content-type", "application/json")];
        let response = self.send("POST", "/account/administration", &headers, body).response;
        (response.status, serde_json::from_str(response.text()).unwrap_or_default())
    }

    fn command(&self, nonce: &str, command: &Value) -> (u16, Value) {
        self.administer(&envelope(&message(world::NOW, nonce, command), SECRET, RESOURCE))
    }
}

#[test]
fn an_operator_lists_describes_and_revokes() {
    let deployed = deploy(&[("ADMIN_SECRET", SECRET)]);
    let alice = Browser::of(&deployed, "alice");
    let keys = [alice.make(&FORM, "alice"), alice.make(&FORM, "alice"), alice.make(&FORM, "alice")];
    let (status, list) = deployed.command("nonce-nonce-0001", &json!({ "list": { "subject": "alice" } }));
    assert_eq!(
        (status, list["keys"].as_array().map(Vec::len), &list["keys"][0]["state"]),
        (200, Some(3), &json!("active"))
    );
    assert!(!list.to_string().contains(keys[0].split('_').nth(2).unwrap()));
    let (_, nobody) = deployed.command("nonce-nonce-0002", &json!({ "list": { "subject": "bob" } }));
    assert_eq!(nobody["keys"], json!([]));
    let (_, other) =
        deployed.command("nonce-nonce-0003", &json!({ "list": { "subject": "alice", "issuer": "https://x.example" } }));
    assert_eq!(other["keys"], json!([]));
    let (status, one) = deployed.command("nonce-nonce-0004", &json!({ "describe": { "id": id_of(&keys[0]) } }));
    assert_eq!((status, &one["keys"][0]["subject"]), (200, &json!("alice")));
    assert_eq!(deployed.command("nonce-nonce-0005", &json!({ "describe": { "id": "0000000000000000" } })).0, 404);
    let (status, done) = deployed.command("nonce-nonce-0006", &json!({ "revoke": { "id": id_of(&keys[0]) } }));
    assert_eq!((status, &done["revoked"][0]["grant"]), (200, &json!("shared")));
    assert_eq!(deployed.outside.state(id_of(&keys[0])), Some(State::Revoked));
    let (_, all) = deployed.command("nonce-nonce-0007", &json!({ "revoke_all": { "subject": "alice" } }));
    assert_eq!(all["revoked"].as_array().map(Vec::len), Some(2), "those that were left");
    assert!(keys.iter().all(|key| deployed.outside.state(id_of(key)) == Some(State::Revoked)));
    let log = deployed.outside.log.borrow();
    assert_eq!(log.iter().filter(|line| line.contains("\"by\":\"administrator\"")).count(), 3);
}

#[test]
fn nothing_but_a_fresh_message_for_this_deployment_is_carried_out() {
    let deployed = deploy(&[("ADMIN_SECRET", SECRET)]);
    let list = json!({ "list": { "subject": "alice" } });
    let good = message(world::NOW, "nonce-nonce-0001", &list);
    let altered = envelope(&good, SECRET, RESOURCE).replace("alice", "bob");
    for (name, body, status) in [
        ("another secret", envelope(&good, "0123456789abcdef0123456789abcdeX", RESOURCE), 401),
        ("another deployment", envelope(&good, SECRET, "https://staging.example.com/mcp"), 401),
        ("altered", altered, 401),
        ("old", envelope(&message(world::NOW - 301, "nonce-nonce-0002", &list), SECRET, RESOURCE), 401),
        ("of tomorrow", envelope(&message(world::NOW + 301, "nonce-nonce-0003", &list), SECRET, RESOURCE), 401),
        ("a short nonce", envelope(&message(world::NOW, "x", &list), SECRET, RESOURCE), 400),
        ("no such command", envelope(&message(world::NOW, "nonce-nonce-0004", &json!("drop")), SECRET, RESOURCE), 400),
        ("no envelope", "[]".to_owned(), 400),
        ("no code", json!({ "message": good, "mac": "" }).to_string(), 401),
        ("good", envelope(&good, SECRET, RESOURCE), 200),
        ("again", envelope(&good, SECRET, RESOURCE), 401),
        ("within five minutes", envelope(&message(world::NOW - 300, "nonce-nonce-0005", &list), SECRET, RESOURCE), 200),
    ] {
        assert_eq!(deployed.administer(&body).0, status, "{name}");
    }
}

#[test]
fn an_outage_is_no_answer() {
    let deployed = deploy(&[("ADMIN_SECRET", SECRET)]);
    let key = Browser::of(&deployed, "alice").make(&FORM, "alice");
    deployed.outside.broken.set("\"revoke\"");
    assert_eq!(deployed.command("nonce-nonce-0001", &json!({ "revoke": { "id": id_of(&key) } })).0, 503);
}
