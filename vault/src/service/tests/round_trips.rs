//! Authorization requests, codes, secrets and revocation.

use mcp_edge_runtime::{ports::FetchError, secret::Secret};
use serde_json::{Value, json};

use super::world::{ISSUER, World, connection, jwt, response, words};
use crate::{
    connection::settings::{Connection, Place, RegisteredClient},
    service::{AuthorizationServers, ServiceError, ServiceTokens},
};

const TOKEN: &str = "https://login.service.example/token";
const REVOKE: &str = "https://login.service.example/revoke";

pub(super) fn tokens() -> Value {
    json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r1", "scope": "read"})
}

fn redeemed(change: impl FnOnce(&mut Value)) -> Result<ServiceTokens, ServiceError> {
    let world = World::new();
    let mut body = tokens();
    change(&mut body);
    world.issue(200, body);
    world.redeem(&world.clients(&connection(|_, _| ())), "us", "read")
}

pub(super) fn text(error: &ServiceError) -> String {
    let text = format!("{error:?}");
    assert!(!text.contains("t0ken") && !text.contains("hush") && !text.contains("c0de") && !text.contains("r3fresh"));
    text
}

fn endpoints() -> Connection {
    connection(|connection, service| {
        connection.url = "https://api.service.example".to_owned();
        service.place = Place::Endpoints {
            authorization: "https://login.service.example/authorize?tenant=1".to_owned(),
            token: TOKEN.to_owned(),
            revocation: None,
        };
    })
}

#[test]
fn the_user_is_sent_there_with_what_is_asked_for() {
    let world = World::new();
    let asked = connection(|connection, service| {
        connection.scopes = words("openid offline_access read write");
        service.resource = Some("https://api.service.example".to_owned());
        service.parameters =
            vec![("access_type".to_owned(), "offline".to_owned()), ("state".to_owned(), "x".to_owned())];
    });
    let begun = world.begin(&world.clients(&asked)).expect("begun");
    for part in [
        "response_type=code",
        "client_id=us",
        "redirect_uri=https%3A%2F%2Fmcp.example.com%2Faccount%2Fconnections%2Fnotes%2Fcallback",
        "scope=openid%20offline_access%20read&",
        "code_challenge_method=S256",
        "nonce=",
        "resource=https%3A%2F%2Fapi.service.example&",
        "access_type=offline",
    ] {
        assert!(begun.url.contains(part), "{part} {}", begun.url);
    }
    assert!(!begun.url.contains("state=x") && !begun.url.contains("hush") && !begun.url.contains("prompt="));
    let plain = world.begin(&world.clients(&connection(|_, _| ()))).expect("begun");
    assert!(!plain.url.contains("nonce=") && !plain.url.contains("resource="), "{}", plain.url);
    let foreign = words("read admin");
    let clients = world.clients(&connection(|_, _| ()));
    let error = world.clock.run(clients.begin("notes", &foreign, world.clock.now())).expect_err("not offered");
    assert!(text(&error).contains("admin"), "{error}");
    let error = world.clock.run(clients.begin("other", &[], world.clock.now())).expect_err("unknown");
    assert!(matches!(error, ServiceError::Client(_)));
}

#[test]
fn another_account_is_asked_for_as_the_service_knows_it() {
    let prompt = |prompts: Value, given: Option<&str>, of: fn() -> Connection| {
        let world = World::new();
        world.publish(|it| it["prompt_values_supported"] = prompts);
        let mut connection = of();
        if let (Some(given), crate::connection::settings::Kind::Connect(service)) = (given, &mut connection.kind) {
            service.parameters = vec![("prompt".to_owned(), given.to_owned())];
        }
        let clients = world.clients(&connection);
        let scopes = words("read");
        let begun = world.clock.run(clients.begin_for_another_account("notes", &scopes, world.clock.now())).unwrap();
        let (_, after) = begun.url.split_once("prompt=").expect("a prompt");
        after.split('&').next().unwrap_or_default().to_owned()
    };
    let usual = || connection(|_, _| ());
    assert_eq!(prompt(Value::Null, None, usual), "login");
    assert_eq!(prompt(json!(["login", "select_account"]), None, usual), "select_account");
    assert_eq!(prompt(json!(["login", "consent"]), None, usual), "login");
    assert_eq!(prompt(Value::Null, Some("consent"), usual), "consent%20login");
    assert_eq!(prompt(Value::Null, Some("login"), usual), "login");
    assert_eq!(prompt(Value::Null, Some("none"), usual), "login");
    assert_eq!(prompt(Value::Null, None, endpoints), "select_account");
}

#[test]
fn a_code_is_redeemed_by_our_client_for_the_resource() {
    let world = World::new();
    world.issue(200, tokens());
    let with_resource = connection(|_, service| service.resource = Some("https://api.service.example".to_owned()));
    let now = world.clock.now();
    let tokens = world.redeem(&world.clients(&with_resource), "us", "read").expect("tokens");
    assert_eq!(
        (tokens.access_token.expose(), tokens.scopes.as_str(), tokens.client_id.as_str()),
        ("t0ken", "read", "us")
    );
    assert_eq!((tokens.until, tokens.refresh_token), (Some(now + 3600), Some(Secret::new("r1"))));
    let sent = world.sent_tokens();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].authorization.as_deref(), Some("Basic dXM6aHVzaA=="));
    assert_eq!(
        sent[0].body,
        "grant_type=authorization_code&code=c0de&redirect_uri=https%3A%2F%2Fmcp.example.com%2Faccount%2Fconnections\
         %2Fnotes%2Fcallback&code_verifier=verifier&resource=https%3A%2F%2Fapi.service.example"
    );
}

#[test]
fn scopes_are_those_that_were_asked_for_or_fewer() {
    let scopes = |granted: Value, asked: &str| {
        let world = World::new();
        world.issue(200, {
            let mut body = tokens();
            body["scope"] = granted;
            body
        });
        let offering = connection(|connection, _| connection.scopes = words("read write a,b openid"));
        world.redeem(&world.clients(&offering), "us", asked).map(|tokens| tokens.scopes)
    };
    assert_eq!(scopes(Value::Null, "read write"), Ok("read write openid".to_owned()), "RFC 6749 §5.1");
    assert_eq!(scopes(json!("read"), "read write"), Ok("read".to_owned()));
    assert_eq!(scopes(json!(""), "read"), Ok(String::new()));
    assert_eq!(scopes(json!("read,write"), "read write"), Ok("read write".to_owned()), "GitHub");
    assert_eq!(scopes(json!("read  read write"), "read write"), Ok("read write".to_owned()));
    assert_eq!(scopes(json!("a,b"), "a,b"), Ok("a,b".to_owned()), "a comma of the scope itself");
    for (granted, asked) in
        [("read write", "read"), ("read admin", "read"), ("read,admin", "read"), ("Read", "read"), ("a b", "a,b")]
    {
        let error = scopes(json!(granted), asked).expect_err(granted);
        assert!(matches!(error, ServiceError::WiderScopes(_)) && text(&error).contains("connection notes"), "{error}");
    }
    for unreadable in [json!(["read"]), json!(1), json!("read\nwrite")] {
        assert!(matches!(scopes(unreadable, "read"), Err(ServiceError::Unavailable(_))));
    }
}

#[test]
fn tokens_that_are_not_accepted_end_no_account_that_is_connected() {
    let world = World::new();
    world.issue(200, {
        let mut body = tokens();
        body["scope"] = "admin".into();
        body
    });
    world.serve(REVOKE, response(200, ""));
    let clients = world.clients(&connection(|_, _| ()));
    assert!(matches!(world.redeem(&clients, "us", "read"), Err(ServiceError::WiderScopes(_))));
    assert!(world.sent_to(REVOKE).is_empty(), "many services end the whole grant of the user");
}

#[test]
fn answers_that_are_no_bearer_tokens_are_refused() {
    for (member, value) in [
        ("token_type", json!("mac")),
        ("token_type", json!("DPoP")),
        ("token_type", json!("N_A")),
        ("token_type", Value::Null),
        ("access_token", Value::Null),
        ("access_token", json!("a\r\nx-evil: 1")),
        ("access_token", json!("x".repeat(20_000))),
        ("refresh_token", json!(["r"])),
    ] {
        let error = redeemed(|it| it[member] = value.clone()).expect_err("refused");
        assert!(matches!(error, ServiceError::Unavailable(_)) && text(&error).contains(TOKEN), "{member} {error}");
    }
    for (seconds, until) in [(json!("3600"), true), (Value::Null, false), (json!(-5), false), (json!("x"), false)] {
        assert_eq!(redeemed(|it| it["expires_in"] = seconds.clone()).expect("tokens").until.is_some(), until);
    }
    assert!(redeemed(|it| it["token_type"] = "bearer".into()).is_ok());
    for answer in [
        response(200, "<html>"),
        response(200, r#"{"access_token":"a","access_token":"t0ken","token_type":"Bearer"}"#),
        response(500, tokens()),
        response(201, tokens()),
        Err(FetchError::Redirect(302)),
        Err(FetchError::TooLarge(65_536)),
        Err(FetchError::Network("reset".to_owned())),
    ] {
        let world = World::new();
        world.serve(TOKEN, answer);
        let clients = world.clients(&connection(|_, _| ()));
        let error = world.redeem(&clients, "us", "read").expect_err("refused");
        assert!(matches!(error, ServiceError::Unavailable(_)), "{error}");
        assert!(matches!(world.refresh(&clients, "us", "read"), Err(ServiceError::Unavailable(_))));
    }
}

#[test]
fn errors_mean_what_they_say_and_invalid_grant_alone_ends() {
    for (status, code, expected) in [
        (400, "invalid_grant", "Ended"),
        (200, "bad_verification_code", "Ended"),
        (200, "bad_refresh_token", "Ended"),
        (401, "invalid_client", "Client"),
        (200, "incorrect_client_credentials", "Client"),
        (400, "invalid_target", "Client"),
        (400, "invalid_scope", "Client"),
        (400, "temporarily_unavailable", "Unavailable"),
        (503, "invalid_grant", "Unavailable"),
        (429, "invalid_grant", "Unavailable"),
    ] {
        let world = World::new();
        world.issue(status, json!({"error": code, "error_description": "t0ken"}));
        let clients = world.clients(&connection(|_, _| ()));
        let outcomes = [world.redeem(&clients, "us", "read"), world.refresh(&clients, "us", "read")];
        for outcome in outcomes {
            let error = text(&outcome.expect_err("an error"));
            assert!(error.starts_with(expected), "{code} {error}");
            assert!(expected == "Ended" || (error.contains("connection notes") && error.contains(TOKEN)), "{error}");
        }
    }
}

#[test]
fn a_secret_is_sent_as_the_service_takes_it() {
    let is_posted =
        |sent: &super::world::Sent| sent.body.contains("client_secret=hush") && sent.authorization.is_none();
    let is_basic = |sent: &super::world::Sent| !sent.body.contains("client_secret") && sent.authorization.is_some();
    // Without metadata in the form first, and with HTTP Basic after a refusal; then it is known.
    let refusal = || response(401, json!({"error": "invalid_client"}));
    let world = World::new();
    world.serve_each(TOKEN, vec![refusal(), response(200, tokens())]);
    let clients = world.clients(&endpoints());
    assert!(world.redeem(&clients, "us", "read").is_ok() && world.refresh(&clients, "us", "read").is_ok());
    let sent = world.sent_tokens();
    assert!(sent.len() == 3 && is_posted(&sent[0]) && is_basic(&sent[1]) && is_basic(&sent[2]), "{sent:?}");
    // A service may look at the code before it looks at the client: what somebody made up teaches nothing.
    let world = World::new();
    let unknown_code = response(400, json!({"error": "invalid_grant"}));
    world.serve_each(TOKEN, vec![unknown_code, refusal(), response(200, tokens())]);
    let clients = world.clients(&endpoints());
    assert_eq!(world.redeem(&clients, "us", "read").err(), Some(ServiceError::Ended));
    assert!(world.redeem(&clients, "us", "read").is_ok());
    // And it may revoke for everybody.
    let world = World::new();
    let revocable = connection(|_, service| {
        let [authorization, token, revocation] =
            ["https://login.service.example/authorize", TOKEN, REVOKE].map(str::to_owned);
        service.place = Place::Endpoints { authorization, token, revocation: Some(revocation) };
    });
    world.serve(REVOKE, response(200, ""));
    world.serve_each(TOKEN, vec![refusal(), response(200, tokens())]);
    let clients = world.clients(&revocable);
    assert!(world.revoke(&clients, "us") == Ok(true) && world.refresh(&clients, "us", "read").is_ok());
    // With metadata that says nothing the other way round.
    let world = World::new();
    world.publish(|it| it["token_endpoint_auth_methods_supported"] = Value::Null);
    world.serve_each(TOKEN, vec![response(404, "Not Found"), response(200, tokens())]);
    assert!(world.redeem(&world.clients(&connection(|_, _| ())), "us", "read").is_ok());
    let sent = world.sent_tokens();
    assert!(sent.len() == 2 && is_basic(&sent[0]) && is_posted(&sent[1]), "{sent:?}");
    // With a list as it says, and once.
    let world = World::new();
    world.publish(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    world.serve(TOKEN, refusal());
    assert!(world.redeem(&world.clients(&connection(|_, _| ())), "us", "read").is_err());
    let sent = world.sent_tokens();
    assert!(sent.len() == 1 && is_posted(&sent[0]), "{sent:?}");
    // A refusal of the code says that the client was accepted: nothing is sent twice.
    let world = World::new();
    world.issue(400, json!({"error": "invalid_grant"}));
    assert_eq!(world.redeem(&world.clients(&endpoints()), "us", "read").err(), Some(ServiceError::Ended));
    assert_eq!(world.sent_tokens().len(), 1);
    // A public client has none.
    let public = connection(|_, service| {
        service.client = Some(RegisteredClient { client_id: "us".to_owned(), client_secret: None });
    });
    let world = World::new();
    world.issue(200, tokens());
    assert!(world.redeem(&world.clients(&public), "us", "read").is_ok());
    let sent = world.sent_tokens();
    assert!(sent[0].authorization.is_none() && sent[0].body.ends_with("&client_id=us"), "{sent:?}");
}

#[test]
fn revocation_is_done_or_not_offered_or_tried_again() {
    let outcome = |answer, change: fn(&mut Value)| {
        let world = World::new();
        world.publish(change);
        world.serve(REVOKE, answer);
        let outcome = world.revoke(&world.clients(&connection(|_, _| ())), "us");
        (outcome, world.sent_to(REVOKE))
    };
    let (done, sent) = outcome(response(200, ""), |_| ());
    assert_eq!((done, sent[0].body.as_str()), (Ok(true), "token=r3fresh"));
    assert_eq!(outcome(response(400, json!({"error": "invalid_token"})), |_| ()).0, Ok(true));
    assert_eq!(outcome(response(400, json!({"error": "unsupported_token_type"})), |_| ()).0, Ok(false));
    let (none, sent) = outcome(response(200, ""), |it| it["revocation_endpoint"] = Value::Null);
    assert!(none == Ok(false) && sent.is_empty());
    let (foreign, _) = outcome(response(200, ""), |it| it["revocation_endpoint"] = "https://evil.example/r".into());
    assert!(matches!(foreign, Err(ServiceError::ForeignEndpoint(_))));
    assert!(matches!(outcome(response(503, ""), |_| ()).0, Err(ServiceError::Unavailable(_))));
    assert!(matches!(outcome(Err(FetchError::Redirect(308)), |_| ()).0, Err(ServiceError::Unavailable(_))));
    assert!(matches!(
        outcome(response(401, json!({"error": "invalid_client"})), |_| ()).0,
        Err(ServiceError::Client(_))
    ));
    let world = World::new();
    assert_eq!(world.revoke(&world.clients(&endpoints()), "us"), Ok(false));
    assert!(world.sent.borrow().is_empty());
}

#[test]
fn an_id_token_must_answer_the_round_trip() {
    let openid = || connection(|connection, _| connection.scopes = words("read openid"));
    let redeemed = |change: &dyn Fn(&mut Value), prepare: &dyn Fn(&World)| {
        let world = World::new();
        prepare(&world);
        let now = world.clock.now();
        let mut claims = json!({"iss": ISSUER, "sub": "1", "aud": "us", "nonce": "nonce", "iat": now, "exp": now + 60});
        change(&mut claims);
        let mut body = tokens();
        body["id_token"] = jwt(&claims).into();
        world.issue(200, body);
        world.serve(REVOKE, response(200, ""));
        let outcome = world.redeem(&world.clients(&openid()), "us", "read").map(|tokens| tokens.id_token.is_some());
        (outcome, world.sent_to(REVOKE).len())
    };
    assert_eq!(redeemed(&|_| (), &|_| ()), (Ok(true), 0));
    for (claim, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("azp", json!("another")),
        ("exp", json!(1)),
        ("sub", Value::Null),
        ("typ", json!("Bearer")),
    ] {
        let (outcome, revoked) = redeemed(&|it| it[claim] = value.clone(), &|_| ());
        let error = outcome.expect_err(claim);
        assert!(text(&error).contains("its ID token") && revoked == 0, "{claim} {error}");
    }
    // Without keys it says nothing, and the account is connected all the same.
    let no_keys = |world: &World| world.serve("https://login.service.example/jwks", response(503, ""));
    assert_eq!(redeemed(&|_| (), &no_keys), (Ok(false), 0));
    let foreign_keys = |world: &World| world.publish(|it| it["jwks_uri"] = "https://10.0.0.1/jwks".into());
    assert_eq!(redeemed(&|_| (), &foreign_keys), (Ok(false), 0));
    // Nobody has asked for this one.
    let world = World::new();
    let mut body = tokens();
    body["id_token"] = "not one".into();
    world.issue(200, body);
    assert!(world.redeem(&world.clients(&connection(|_, _| ())), "us", "read").expect("tokens").id_token.is_none());
}
