//! Signing in at the provider, and what may come back.

use super::{portal::PORTAL, *};

/// A browser that has been sent to the provider.
struct Sent {
    deployed: Deployed,
    /// The parameters of the authorization request.
    parameters: Vec<(String, String)>,
    /// The cookie of the sign-in in progress.
    cookie: String,
}

fn sent_with(deployed: Deployed, cookies: &str) -> Sent {
    let response = deployed.send("GET", "/sign-in", &[("cookie", cookies)], "").response;
    assert_eq!(response.status, 303);
    let location = response.header("location").expect("a location");
    let query = location.strip_prefix(&format!("{ISSUER}/auth?")).expect("the provider's endpoint");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parameters = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let cookie = response.header("set-cookie").expect("a cookie").split(';').next().unwrap_or_default().to_owned();
    Sent { deployed, parameters, cookie }
}

fn sent() -> Sent {
    sent_with(deploy(&PORTAL), "")
}

impl Sent {
    fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// What the token endpoint answers.
    fn tokens(&self, access_token: &str, id_token: Option<&str>) {
        *self.deployed.outside.tokens.borrow_mut() =
            (200, json!({"access_token": access_token, "id_token": id_token, "token_type": "Bearer"}));
    }

    /// An ID token that answers this sign-in, with these claims.
    fn id_token(&self, claims: &Value) -> String {
        let now = self.deployed.now();
        let mut all = json!({
            "iss": ISSUER, "aud": "portal", "nonce": self.parameter("nonce"), "iat": now, "exp": now + 3600,
        });
        for (name, value) in claims.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        signed(&json!({"alg": "ES384", "kid": "k"}), &all)
    }

    /// The browser comes back.
    fn back(&self, query: &str) -> app::Handled {
        let target = format!("/callback?state={}&{query}", self.parameter("state"));
        self.deployed.send("GET", &target, &[("cookie", &self.cookie)], "")
    }
}

/// Writes a JWT that the test's provider has signed.
fn signed(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(header), encode(claims), URL_SAFE_NO_PAD.encode(SIGNATURE))
}

#[test]
fn the_authorization_request_names_this_resource_and_a_challenge() {
    let sent = sent();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "portal"),
        ("redirect_uri", "https%3A%2F%2Fapps.example.com%2Fcallback"),
        ("scope", "openid%20profile%20apps%3Awrite"),
        ("resource", "https%3A%2F%2Fapps.example.com%2Fregister"),
        ("code_challenge_method", "S256"),
        ("prompt", ""),
    ] {
        assert_eq!(sent.parameter(name), value, "{name}");
    }
    assert!(sent.parameter("state").len() >= 40 && sent.parameter("code_challenge").len() == 43);
    let state = sent.parameter("state").to_owned();
    assert_ne!(sent_with(sent.deployed, "").parameter("state"), state);
    assert_eq!(sent_with(deploy(&PORTAL), "a=b").parameter("prompt"), "");
    let asks = sent_with(deploy(&PORTAL), "a=b; sign-in-asks=1");
    assert_eq!(asks.parameter("prompt"), "login");
}

#[test]
fn an_endpoint_with_parameters_keeps_them() {
    let deployed = deploy(&PORTAL);
    deployed.outside.discovery.borrow_mut()["authorization_endpoint"] = json!(format!("{ISSUER}/auth?tenant=1"));
    let response = deployed.send("GET", "/sign-in", &[], "").response;
    assert!(
        response
            .header("location")
            .is_some_and(|it| it.starts_with(&format!("{ISSUER}/auth?tenant=1&response_type=code")))
    );
}

#[test]
fn a_developer_gets_a_session() {
    let sent = sent();
    let id = sent.id_token(&json!({"sub": "alice", "name": "Alice"}));
    sent.tokens(&access_token(sent.deployed.now(), |_| ()), Some(&id));
    let handled = sent.back("code=a%2Fb&iss=https%3A%2F%2Ftenant.example%2Foidc");
    assert_eq!((handled.response.status, handled.response.header("location")), (303, Some("/")));
    assert_eq!((handled.record.get("sub"), handled.record.get("client_id")), ("alice", "portal"));
    let cookies: Vec<_> = handled
        .response
        .headers
        .iter()
        .filter(|(name, _)| *name == "set-cookie")
        .map(|(_, value)| value.as_ref())
        .collect();
    let [ended, need_not_ask, session] = cookies.as_slice() else { panic!("{cookies:?}") };
    assert!(ended.starts_with("__Host-signin=;") && need_not_ask.starts_with("sign-in-asks=;"), "{cookies:?}");
    let session = session.split(';').next().unwrap_or_default();
    let page = sent.deployed.send("GET", "/", &[("cookie", session)], "").response;
    assert!(page.text().contains("<span>Alice</span>"), "{}", page.text());
    let redeemed = sent.deployed.outside.redeemed.borrow();
    let [form] = redeemed.as_slice() else { panic!("{redeemed:?}") };
    assert!(
        form.contains("&code=a%2Fb&redirect_uri=https%3A%2F%2Fapps.example.com%2Fcallback&code_verifier="),
        "{form}"
    );
    assert!(form.ends_with("&resource=https%3A%2F%2Fapps.example.com%2Fregister"), "{form}");
    // The verifier is that of the challenge.
    let verifier = form.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap_or_default();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(verifier);
    assert_eq!(URL_SAFE_NO_PAD.encode(digest), sent.parameter("code_challenge"));
}

#[test]
fn the_name_comes_from_an_id_token_of_the_same_user() {
    for (claims, name) in [
        (json!({"sub": "alice", "username": "al"}), "al"),
        (json!({"sub": "alice", "preferred_username": "ali"}), "ali"),
        (json!({"sub": "alice"}), "alice"),
        (json!({"sub": "mallory", "name": "Mallory"}), "alice"),
        (json!({"name": "Nobody"}), "alice"),
        (json!({"sub": "alice", "name": "Replayed", "nonce": "of another sign-in"}), "alice"),
        (json!({"sub": "alice", "name": "Other", "aud": "another-client"}), "alice"),
    ] {
        let sent = sent();
        sent.tokens(&access_token(sent.deployed.now(), |_| ()), Some(&sent.id_token(&claims)));
        let handled = sent.back("code=c");
        let session =
            handled.response.headers.last().map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned());
        let page = sent.deployed.send("GET", "/", &[("cookie", &session.unwrap_or_default())], "").response;
        assert!(page.text().contains(&format!("<span>{name}</span>")), "{claims}: {}", page.text());
    }
}

#[test]
fn a_browser_that_was_not_sent_is_not_taken_back() {
    let sent = sent();
    sent.tokens(&access_token(sent.deployed.now(), |_| ()), None);
    let back =
        |target: &str, cookie: &str| sent.deployed.send("GET", target, &[("cookie", cookie)], "").response.status;
    let good = format!("/callback?state={}&code=c", sent.parameter("state"));
    assert_eq!(back(&good, ""), 400);
    assert_eq!(back(&good, "__Host-signin=x"), 400);
    assert_eq!(back("/callback?state=other&code=c", &sent.cookie), 400);
    assert_eq!(back("/callback?code=c", &sent.cookie), 400);
    assert_eq!(sent.deployed.outside.redeemed.borrow().len(), 0);
    let world = sent.deployed.outside.world;
    let began = world.now.get();
    world.now.set(began + 600);
    assert_eq!(back(&good, &sent.cookie), 400, "too long ago");
    world.now.set(began + 599);
    sent.tokens(&access_token(world.now.get(), |_| ()), None);
    assert_eq!(back(&good, &sent.cookie), 303);
}

#[test]
fn what_the_provider_says_instead_of_a_code_is_explained() {
    let sent = sent();
    for (query, status, explanation, detail) in [
        ("iss=https%3A%2F%2Fevil.example&code=c", 400, "came from another provider", ""),
        ("", 400, "has no code", ""),
        ("error=access_denied", 403, "was cancelled", "authorization: access_denied"),
        ("error=server_error", 503, "provider failed", "authorization: server_error"),
        ("error=temporarily_unavailable", 503, "provider failed", "authorization: temporarily_unavailable"),
        ("error=invalid_scope&code=c", 403, "refused the sign-in", "authorization: invalid_scope"),
    ] {
        let handled = sent.back(query);
        assert_eq!((handled.response.status, handled.record.get("detail")), (status, detail), "{query}");
        assert!(handled.response.text().contains(explanation), "{query}");
    }
    let long = sent.back(&format!("error={}", "x".repeat(100)));
    assert_eq!(long.record.get("detail"), format!("authorization: {}", "x".repeat(60)));
    assert_eq!(sent.deployed.outside.redeemed.borrow().len(), 0);
}

#[test]
fn a_code_that_cannot_be_redeemed_is_the_users_or_the_operators_affair() {
    let sent = sent();
    for (status, body, answer, reason, detail) in [
        (400, json!({"error": "invalid_grant"}), 401, "inactive", "the code was refused"),
        (401, json!({"error": "invalid_client"}), 500, "misconfigured", "PORTAL_CLIENT_ID and PORTAL_CLIENT_SECRET"),
        (
            400,
            json!({"error": "invalid_target"}),
            500,
            "misconfigured",
            "no API resource https://apps.example.com/register",
        ),
        (400, json!({"error": "unauthorized_client"}), 500, "misconfigured", "unauthorized_client"),
        (502, json!({}), 503, "keys_unavailable", "status 502"),
        (200, json!({"token_type": "Bearer"}), 503, "keys_unavailable", "no tokens"),
    ] {
        *sent.deployed.outside.tokens.borrow_mut() = (status, body.clone());
        let handled = sent.back("code=c");
        assert_eq!((handled.response.status, handled.record.get("reason")), (answer, reason), "{body}");
        assert!(handled.record.get("detail").contains(detail), "{}", handled.record.get("detail"));
        let explanation = match answer {
            500 => "This server is not set up correctly",
            503 => "The identity provider cannot be reached right now",
            _ => "answer could not be used",
        };
        assert!(handled.response.text().contains(explanation), "{}", handled.response.text());
    }
    sent.deployed.outside.is_down.set(true);
    let handled = sent.back("code=c");
    assert_eq!((handled.response.status, handled.record.get("reason")), (503, "keys_unavailable"));
}

#[test]
fn a_user_without_the_permission_reads_what_is_missing() {
    let sent = sent();
    let id = sent.id_token(&json!({"sub": "alice", "name": "Alice"}));
    sent.tokens(&access_token(sent.deployed.now(), |claims| claims["scope"] = json!("profile")), Some(&id));
    let handled = sent.back("code=c");
    assert_eq!((handled.response.status, handled.record.get("reason")), (403, "insufficient_scope"));
    assert!(handled.response.text().contains("You signed in as Alice (user id <code>alice</code>). "));
    assert!(handled.response.text().contains("<code>apps:write</code>"));
    assert!(handled.response.header("set-cookie").is_some_and(|cookie| cookie.starts_with("sign-in-asks=1;")));
}

#[test]
fn a_token_of_another_client_begins_no_session() {
    let sent = sent();
    sent.tokens(&access_token(sent.deployed.now(), |claims| claims["client_id"] = json!("other")), None);
    let handled = sent.back("code=c");
    assert_eq!((handled.response.status, handled.record.get("reason")), (401, "wrong_audience"));
    assert!(handled.record.get("detail").contains("client \"other\""), "{}", handled.record.get("detail"));
    assert!(handled.response.header("set-cookie").is_none());
}

#[test]
fn a_provider_that_cannot_be_reached_signs_nobody_in() {
    let deployed = deploy(&PORTAL);
    deployed.outside.is_down.set(true);
    let handled = deployed.send("GET", "/sign-in", &[], "");
    assert_eq!((handled.response.status, handled.record.get("reason")), (503, "keys_unavailable"));
    let deployed = deploy(&PORTAL);
    deployed.outside.discovery.borrow_mut()["authorization_endpoint"] = Value::Null;
    let handled = deployed.send("GET", "/sign-in", &[], "");
    assert_eq!(handled.response.status, 503);
    assert!(
        handled.record.get("detail").contains("no https authorization_endpoint"),
        "{}",
        handled.record.get("detail")
    );
}

#[test]
fn an_answer_with_tokens_may_have_64_kibibytes() {
    for (padding, status) in [(60_000, 303), (66_000, 503)] {
        let sent = sent();
        sent.tokens(&access_token(sent.deployed.now(), |_| ()), None);
        sent.deployed.outside.tokens.borrow_mut().1["other"] = json!("x".repeat(padding));
        assert_eq!(sent.back("code=c").response.status, status, "{padding}");
    }
}

#[test]
fn an_id_token_that_nobody_signed_names_nobody() {
    let sent = sent();
    let id = sent.id_token(&json!({"sub": "alice", "name": "Mallory"}));
    let (unsigned, _) = id.rsplit_once('.').expect("three segments");
    let forged = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode([b'x'; 96]));
    sent.tokens(&access_token(sent.deployed.now(), |_| ()), Some(&forged));
    let handled = sent.back("code=c");
    let cookie =
        handled.response.headers.last().map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned());
    let page = sent.deployed.send("GET", "/", &[("cookie", &cookie.unwrap_or_default())], "").response;
    assert!(page.text().contains("<span>alice</span>"), "{}", page.text());
}

#[test]
fn an_answer_is_read_in_one_way() {
    let sent = sent();
    for (query, status, detail) in [
        ("code=a&code=b", 400, "the answer has the parameter code more than once"),
        (
            "code=a&iss=https%3A%2F%2Ftenant.example%2Foidc&iss=x",
            400,
            "the answer has the parameter iss more than once",
        ),
    ] {
        let handled = sent.back(query);
        assert_eq!((handled.response.status, handled.record.get("detail")), (status, detail), "{query}");
    }
    let long = sent.back(&format!("code={}", "x".repeat(5_000)));
    assert_eq!((long.response.status, long.record.get("detail")), (400, "the answer has a code of 5000 bytes"));
    assert_eq!(sent.deployed.outside.redeemed.borrow().len(), 0);
}

#[test]
fn a_provider_that_always_names_itself_must_do_so() {
    let deployed = deploy(&PORTAL);
    deployed.outside.discovery.borrow_mut()["authorization_response_iss_parameter_supported"] = json!(true);
    let sent = sent_with(deployed, "");
    sent.tokens(&access_token(sent.deployed.now(), |_| ()), None);
    let handled = sent.back("code=c");
    assert!(handled.response.status == 400 && handled.response.text().contains("came from another provider"));
    assert_eq!(sent.back("code=c&iss=https%3A%2F%2Ftenant.example%2Foidc").response.status, 303);
}
