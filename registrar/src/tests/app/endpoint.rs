//! `/register`: registration, management, what is refused, and what is said to whom.

use super::*;

const OPEN: [(&str, &str); 1] = [("REGISTRATION", "open")];

fn agent() -> Value {
    json!({"client_name": "Agent", "redirect_uris": ["https://agent.example.com/cb"], "scope": "whoami:read"})
}

/// Registers and returns what the client gets.
fn registered(deployed: &Deployed, metadata: &Value) -> Value {
    let (status, information) = deployed.call("POST", "/register", "", metadata);
    assert_eq!(status, 201, "{information}");
    information
}

fn text<'a>(information: &'a Value, member: &str) -> &'a str {
    information[member].as_str().unwrap_or_else(|| panic!("{member} in {information}"))
}

#[test]
fn a_client_is_registered_read_changed_and_removed() {
    let deployed = deploy(&OPEN);
    let information = registered(&deployed, &agent());
    let (client_id, token) = (text(&information, "client_id"), text(&information, "registration_access_token"));
    let path = format!("/register/{client_id}");
    assert_eq!(information["registration_client_uri"], format!("{HOST}{path}"));
    assert_eq!(
        (&information["client_secret_expires_at"], &information["client_id_issued_at"]),
        (&json!(0), &json!(deployed.now()))
    );
    let secret = text(&information, "client_secret");

    let (status, read) = deployed.call("GET", &path, token, &Value::Null);
    assert_eq!((status, &read["client_secret"], &read["client_name"]), (200, &json!(secret), &json!("Agent")));
    assert_eq!(read["registration_access_token"], token);

    let update = json!({
        "client_id": client_id, "client_secret": secret, "client_name": "Agent 2", "scope": "whoami:read",
        "redirect_uris": ["https://agent.example.com/other"],
    });
    let (status, changed) = deployed.call("PUT", &path, token, &update);
    assert_eq!((status, &changed["client_name"]), (200, &json!("Agent 2")), "{changed}");
    let (_, read) = deployed.call("GET", &path, token, &Value::Null);
    assert_eq!(read["redirect_uris"], json!(["https://agent.example.com/other"]));
    assert_eq!(read["scope"], changed["scope"]);

    assert_eq!(deployed.call("DELETE", &path, token, &Value::Null).0, 204);
    assert_eq!(deployed.call("GET", &path, token, &Value::Null).0, 401);
}

#[test]
fn a_client_without_a_secret_gets_none() {
    let deployed = deploy(&OPEN);
    let mut public = agent();
    public["token_endpoint_auth_method"] = json!("none");
    let information = registered(&deployed, &public);
    assert_eq!(information.get("client_secret"), None);
    let path = format!("/register/{}", text(&information, "client_id"));
    let (status, read) = deployed.call("GET", &path, text(&information, "registration_access_token"), &Value::Null);
    assert_eq!((status, read.get("client_secret")), (200, None));
}

#[test]
fn an_update_says_who_it_is_about_and_leaves_the_servers_members_out() {
    let deployed = deploy(&OPEN);
    let information = registered(&deployed, &agent());
    let (client_id, token) = (text(&information, "client_id"), text(&information, "registration_access_token"));
    let path = format!("/register/{client_id}");
    let put = |member: &str, value: Value| {
        let mut update = agent();
        update["client_id"] = json!(client_id);
        update[member] = value;
        let (status, answer) = deployed.call("PUT", &path, token, &update);
        (status, answer["error_description"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(put("client_name", json!("Agent 2")).0, 200);
    for secret in [information["client_secret"].clone(), Value::Null] {
        assert_eq!(put("client_secret", secret).0, 200);
    }
    for (member, value) in [
        ("client_id", json!("another")),
        ("client_id", Value::Null),
        ("client_secret", json!("a guess")),
        ("registration_access_token", json!(token)),
        ("registration_client_uri", json!("https://apps.example.com/register/x")),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(0)),
    ] {
        let (status, description) = put(member, value);
        assert_eq!(status, 400, "{member}");
        assert!(description.contains(member), "{description}");
    }
}

#[test]
fn metadata_that_is_not_acceptable_is_named() {
    let deployed = deploy(&OPEN);
    let (status, answer) = deployed.call(
        "POST",
        "/register",
        "",
        &json!({"client_name": "Agent", "redirect_uris": ["http://evil.example/"]}),
    );
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_redirect_uri")), "{answer}");
    assert!(answer["error_description"].as_str().is_some_and(|text| text.contains("redirect_uris[0]")), "{answer}");
}

#[test]
fn a_wrong_token_and_an_unknown_client_look_the_same() {
    let deployed = deploy(&OPEN);
    let information = registered(&deployed, &agent());
    let (client_id, token) = (text(&information, "client_id"), text(&information, "registration_access_token"));
    let denied = |path: &str, token: &str| {
        let authorization = format!("Bearer {token}");
        let handled = deployed.send("GET", path, &[("authorization", &authorization)], "");
        let challenge = handled.response.header("www-authenticate").map(str::to_owned);
        (
            handled.response.status,
            challenge,
            handled.response.text().to_owned(),
            handled.record.get("reason").to_owned(),
        )
    };
    let wrong = denied(&format!("/register/{client_id}"), "wrong");
    assert_eq!((wrong.0, wrong.1.as_deref(), &*wrong.3), (401, Some("Bearer error=\"invalid_token\""), "inactive"));
    for path in ["/register/nobody", "/register/..", "/register/a%2Fb", "/register/"] {
        assert_eq!(denied(path, token), wrong, "{path}");
    }
}

#[test]
fn a_client_that_was_removed_at_the_provider_has_ended() {
    let deployed = deploy(&OPEN);
    let information = registered(&deployed, &agent());
    let (client_id, token) = (text(&information, "client_id"), text(&information, "registration_access_token"));
    deployed.outside.tenant.forget();
    let path = format!("/register/{client_id}");
    assert_eq!(deployed.call("GET", &path, token, &Value::Null).0, 401);
    assert_eq!(deployed.outside.world.record(client_id), None);
}

#[test]
fn bodies_are_json_and_of_bounded_length() {
    let deployed = deploy(&OPEN);
    let body = agent().to_string();
    let status = |media_type: &str, body: &str| {
        deployed.send("POST", "/register", &[("content-type", media_type)], body).response.status
    };
    assert_eq!(status("application/json", &body), 201);
    assert_eq!(status("Application/JSON ; charset=utf-8", &body), 201);
    for media_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(status(media_type, &body), 415, "{media_type}");
    }
    let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
    assert_eq!(status("application/json", &padded(64 * 1024)), 201);
    let long = padded(64 * 1024 + 1);
    assert_eq!(status("application/json", &long), 413);
    assert_eq!(status("application/json", "{"), 400);
}

#[test]
fn a_compressed_body_is_refused_as_such() {
    let deployed = deploy(&OPEN);
    let send = |coding: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("content-encoding", coding)];
        deployed.send("POST", "/register", &headers, body).response
    };
    for coding in ["gzip", "br", "identity, zstd", "GZIP"] {
        let response = send(coding, "what looks like no JSON");
        assert_eq!((response.status, response.header("accept-encoding")), (415, Some("identity")), "{coding}");
        assert!(response.text().contains("without Content-Encoding"), "{}", response.text());
    }
    for coding in ["", "identity", "Identity"] {
        assert_eq!(send(coding, &agent().to_string()).status, 201, "{coding}");
    }
}

#[test]
fn methods_are_those_of_the_specifications_and_every_page_may_call() {
    let deployed = deploy(&OPEN);
    for (method, path, status, allow) in [
        ("GET", "/register", 405, Some("POST, OPTIONS")),
        ("PUT", "/register", 405, Some("POST, OPTIONS")),
        ("POST", "/register/x", 405, Some("GET, PUT, DELETE, OPTIONS")),
        ("OPTIONS", "/register", 204, None),
        ("OPTIONS", "/register/x", 204, None),
    ] {
        let response = deployed.send(method, path, &[], "").response;
        assert_eq!((response.status, response.header("allow")), (status, allow), "{method} {path}");
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{method} {path}");
    }
    let preflight = deployed.send("OPTIONS", "/register", &[], "").response;
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST, GET, PUT, DELETE, OPTIONS"));
}

#[test]
fn developers_register_with_an_access_token_of_a_person() {
    let deployed = deploy(&[]);
    let (status, _) = deployed.call("POST", "/register", "", &agent());
    assert_eq!(status, 401);
    let handled = deployed.send("POST", "/register", &[("content-type", "application/json")], &agent().to_string());
    let challenge = handled.response.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.contains(&format!("resource_metadata=\"{HOST}/.well-known/oauth-protected-resource/register\"")),
        "{challenge}"
    );
    assert_eq!((handled.record.get("route"), handled.record.get("reason")), ("registration", "no_credentials"));

    let now = deployed.now();
    let (status, information) = deployed.call("POST", "/register", &access_token(now, |_| ()), &agent());
    assert_eq!(status, 201, "{information}");
    let record = deployed.outside.world.record(text(&information, "client_id")).expect("a record");
    assert!(record.belongs_to(ISSUER, "alice") && !record.belongs_to(ISSUER, "bob"));
    for (change, status) in [
        (json!({"scope": "profile"}), 403),
        (json!({"sub": "portal"}), 403),
        (json!({"aud": "https://mcp.example.dev/mcp"}), 401),
    ] {
        let token = access_token(now, |claims| {
            claims.as_object_mut().expect("claims").extend(change.as_object().cloned().expect("changes"));
        });
        assert_eq!(deployed.call("POST", "/register", &token, &agent()).0, status, "{change}");
    }
}

#[test]
fn the_log_names_the_client_and_the_subject_only_if_it_may() {
    for (changes, subject) in [(vec![], "alice"), (vec![("LOG_SUBJECT", "false")], "")] {
        let deployed = deploy(&changes);
        let authorization = format!("Bearer {}", access_token(deployed.now(), |_| ()));
        let headers = [("content-type", "application/json"), ("authorization", &*authorization)];
        let handled = deployed.send("POST", "/register", &headers, &agent().to_string());
        assert_eq!((handled.response.status, handled.record.get("client_id")), (201, "app-1"));
        assert_eq!(handled.record.get("sub"), subject);
        assert_eq!(handled.record.get("detail"), "");
    }
}

#[test]
fn the_metadata_document_is_for_developers_programs() {
    let place = "/.well-known/oauth-protected-resource/register";
    let deployed = deploy(&[]);
    for method in ["GET", "HEAD"] {
        let response = deployed.send(method, place, &[], "").response;
        assert_eq!(response.status, 200);
        let document: Value = serde_json::from_str(response.text()).unwrap();
        assert_eq!((&document["resource"], &document["authorization_servers"]), (&json!(RESOURCE), &json!([ISSUER])));
        assert_eq!(document["scopes_supported"], json!(["apps:write"]));
    }
    assert_eq!(deployed.send("OPTIONS", place, &[], "").response.status, 204);
    let response = deployed.send("POST", place, &[], "").response;
    assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(deployed.send("GET", "/.well-known/oauth-protected-resource", &[], "").response.status, 404);
    assert_eq!(deploy(&OPEN).send("GET", place, &[], "").response.status, 404, "nobody needs a token");
}

#[test]
fn without_a_portal_the_rest_of_the_host_is_not_found() {
    let deployed = deploy(&OPEN);
    for path in ["/", "/registers", "/applications"] {
        let handled = deployed.send("GET", path, &[], "");
        assert_eq!((handled.response.status, handled.record.get("route")), (404, "portal"), "{path}");
    }
}

#[test]
fn a_namespace_for_keys_that_others_write_into_is_refused() {
    let deployed = deploy(&[]);
    let now = deployed.now();
    let token = access_token(now, |_| ());
    assert_eq!(deployed.call("POST", "/register", &token, &agent()).0, 201);
    let own = deployed.outside.keys.borrow().values().next().cloned().expect("a record");
    let foreign = own.replace(&format!("\"writer\":\"{RESOURCE}\""), "\"writer\":\"https://mcp.example.dev/mcp\"");
    assert_ne!(own, foreign);
    deployed.outside.keys.borrow_mut().values_mut().for_each(|value| value.clone_from(&foreign));
    let next = Deployed { registrar: isolate(deployed.outside, &[]), outside: deployed.outside };
    let (status, _) = next.call("POST", "/register", &token, &agent());
    assert_eq!(status, 500);
    for path in ["/register/app-1", "/", "/.well-known/oauth-protected-resource/register"] {
        let handled = next.send("GET", path, &[], "");
        assert_eq!((handled.response.status, handled.record.get("reason")), (500, "misconfigured"), "{path}");
        assert!(handled.record.get("detail").contains("https://mcp.example.dev/mcp"));
    }
}

#[test]
fn an_outage_of_the_provider_is_not_the_clients_fault() {
    let deployed = deploy(&OPEN);
    deployed.outside.is_down.set(true);
    let handled = deployed.send("POST", "/register", &[("content-type", "application/json")], &agent().to_string());
    assert_eq!(handled.response.status, 503);
    assert!(handled.response.header("retry-after").is_some());
    assert!(handled.record.get("detail").contains("connection refused"), "{}", handled.record.get("detail"));
}
