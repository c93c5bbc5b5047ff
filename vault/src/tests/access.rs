//! Tokens of other services for callers, whose credentials the vault verifies itself.

use std::{cell::RefCell, rc::Rc};

use mcp_edge_connections::{
    port::NoAccess,
    vault_call::{AccessAnswer, AccessRequest, answer_from_json},
};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, Props, Service},
};
use serde_json::{Value, json};

use crate::{
    connection::{
        answer::AccessGiver,
        caller::{Caller, Callers},
        settings::Connection,
        source::{IssuedToken, NoToken, TokenSource},
    },
    credentials::{Credentials, InternalSettings},
    deployment::Deployment,
    internal::Internal,
    settings::tests::parse,
    testing::{
        provider::{ISSUER, OTHER_ISSUER, RESOURCE, sign},
        world::World,
    },
};

const CONNECTIONS: &str = r#"{
    "github": {"kind": "connect", "title": "GitHub", "url": "https://api.github.com", "scopes": "read write",
        "issuer": "https://github.com"},
    "api": {"kind": "exchange", "url": "https://api.example.com", "audience": "api", "scopes": "read write"},
    "weather": {"kind": "static", "url": "https://weather.example.com", "scopes": "read"}
}"#;

/// Issues what the test says.
#[derive(Clone)]
struct TestSource(Rc<RefCell<Result<(String, String), NoToken>>>);

impl TokenSource for TestSource {
    async fn token(&self, _: &Connection, caller: &Caller, _: &[String], _: u64) -> Result<IssuedToken, NoToken> {
        let (token, scopes) = self.0.borrow().clone()?;
        // `own`: the caller's token, as an issuer might repeat it.
        let token = if token == "own" { caller.access_token.clone() } else { Secret::new(token) };
        Ok(IssuedToken { token, scopes, until: u64::MAX })
    }

    fn refused(&self, _: &Connection, _: &Caller, _: &[String], _: &str) {}
}

struct Vault {
    world: World,
    source: TestSource,
    internal: Internal<World, TestSource>,
}

impl Vault {
    fn new() -> Self {
        let world = World::new();
        let settings = parse(&[
            ("CONNECTIONS", CONNECTIONS),
            ("USER_BY_SUBJECT", "true"),
            ("MORE_ISSUERS", r#"[{"issuer": "https://partner.example", "audience": ["https://mcp.example.com/mcp"], "user_by_subject": "true"}]"#),
            ("CONNECTIONS_SECRET", "connections0123456789abcdef01234"),
            ("CONNECTION_WEATHER_SECRET", "the token of the deployment"),
        ])
        .unwrap();
        let internal_settings =
            InternalSettings { key_prefix: "mcpk".to_owned(), personal_token_scopes: None, logs_subjects: true };
        let credentials = Credentials::new(Rc::new(world.clone()), world.secrets.clone(), internal_settings);
        let credentials = Rc::new(credentials);
        let deployment = Rc::new(Deployment::new(settings, world.clone()));
        let callers = Callers::new(Rc::clone(&deployment), Rc::clone(&credentials)).unwrap();
        let source = TestSource(Rc::new(RefCell::new(Ok(("token of the api".to_owned(), "read".to_owned())))));
        let clock = world.clone();
        let internal = Internal::new(credentials, Rc::new(move || clock.clock.now())).with_access(AccessGiver::new(
            deployment,
            callers,
            source.clone(),
        ));
        Self { world, source, internal }
    }

    fn ask(&self, credential: &Secret, connection: &str, scopes: &[&str], tool: &str) -> AccessAnswer {
        let request = AccessRequest {
            credential: credential.clone(),
            connection: connection.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            user_of_token: tool.to_owned(),
            refused: None,
        };
        let endpoint = self.internal.authorize(&Props::from_json(r#"{"role":"endpoint"}"#)).unwrap();
        let answer = self.world.clock.run(self.internal.answer(endpoint, request.to_json())).unwrap();
        answer_from_json(&answer).unwrap()
    }

    fn token_with(&self, change: impl FnOnce(&mut Value)) -> Secret {
        let now = self.world.clock.now();
        let mut claims = json!({
            "iss": ISSUER, "sub": "alice", "aud": RESOURCE, "client_id": "agent", "scope": "whoami:read",
            "iat": now, "exp": now + 3_600,
        });
        change(&mut claims);
        sign(&claims)
    }

    fn alice(&self) -> Secret {
        self.token_with(|_| {})
    }
}

#[allow(clippy::needless_pass_by_value, reason = "what is asked is given as it is")]
fn error(answer: AccessAnswer) -> &'static str {
    match answer {
        Ok(_) => "token",
        Err(NoAccess::NotConnected { .. }) => "not connected",
        Err(NoAccess::Refused { .. }) => "refused",
        Err(NoAccess::NeedsUser) => "needs user",
        Err(NoAccess::CallerRefused) => "caller refused",
        Err(NoAccess::Misconfigured { .. }) => "misconfigured",
        Err(NoAccess::Unavailable { .. }) => "unavailable",
    }
}

#[test]
fn a_user_who_cannot_sign_in_here_is_given_no_link() {
    let vault = Vault::new();
    let partner = vault.token_with(|claims| claims["iss"] = json!(OTHER_ISSUER));
    assert_eq!(error(vault.ask(&partner, "github", &["read"], "list_issues")), "refused");
    // What needs no sign-in here is not refused.
    assert_eq!(error(vault.ask(&partner, "weather", &["read"], "forecast")), "token");
    assert_eq!(error(vault.ask(&partner, "api", &["read"], "list_issues")), "token");
}

#[test]
fn a_user_is_given_the_link_and_after_connecting_the_token() {
    let vault = Vault::new();
    let alice = vault.alice();
    let Err(NoAccess::NotConnected { title, url }) = vault.ask(&alice, "github", &["read"], "list_issues") else {
        panic!("nothing is connected")
    };
    let url = url.unwrap();
    assert!(title == "GitHub" && url.starts_with("https://mcp.example.com/account/connect/"), "{url}");
    let again = vault.ask(&alice, "github", &["read"], "list_issues");
    assert_eq!(again.unwrap_err(), NoAccess::NotConnected { title, url: Some(url) });
    vault.world.connect("g", "octocat");
    vault.world.audit.take();
    let access = vault.ask(&alice, "github", &["read"], "list_issues").unwrap();
    assert_eq!((access.token.expose(), access.scopes.as_str()), ("first access token of g", "read write"));
    assert_eq!((access.url.as_str(), access.connection.as_str()), ("https://api.github.com", "github"));
    let line =
        r#"{"audit":"access_given","connection":"github","sub":"alice","client_id":"agent","tool":"list_issues"}"#;
    assert_eq!(vault.world.audit.take(), [line]);
    let bob = vault.token_with(|claims| claims["sub"] = json!("bob"));
    assert_eq!(error(vault.ask(&bob, "github", &["read"], "list_issues")), "not connected");
}

#[test]
fn a_credential_that_the_endpoint_would_refuse_is_refused() {
    let vault = Vault::new();
    vault.world.connect("g", "octocat");
    let ask = |credential: &Secret| error(vault.ask(credential, "github", &[], "list_issues"));
    assert_eq!(ask(&vault.alice()), "token");
    let expired = vault.token_with(|claims| claims["exp"] = json!(1));
    let foreign = vault.token_with(|claims| claims["aud"] = json!("https://other.example.com/mcp"));
    let other_issuer = vault.token_with(|claims| claims["iss"] = json!("https://evil.example"));
    let unscoped = vault.token_with(|claims| claims["scope"] = json!(""));
    let forged = Secret::new(vault.alice().expose().rsplit_once('.').unwrap().0.to_owned() + ".AAAA");
    for credential in [&expired, &foreign, &other_issuer, &unscoped, &forged, &Secret::new("opaque"), &Secret::new("")]
    {
        assert_eq!(ask(credential), "caller refused", "{}", credential.expose());
    }
    assert_eq!(ask(&Secret::new("mcpk_nonsense")), "caller refused");
}

#[test]
fn an_outage_is_never_a_refusal() {
    let vault = Vault::new();
    *vault.world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    assert_eq!(error(vault.ask(&vault.alice(), "github", &[], "list_issues")), "unavailable");
    *vault.world.provider.fails_with.borrow_mut() = None;
    vault.world.clock.pass(60);
    assert_eq!(error(vault.ask(&vault.alice(), "github", &[], "list_issues")), "not connected");
    let key = vault.world.make("g");
    *vault.world.calls_fail_with.borrow_mut() = Some(CallError::Overloaded);
    assert_eq!(error(vault.ask(&vault.alice(), "github", &[], "list_issues")), "unavailable");
    assert_eq!(error(vault.ask(&key.text(), "github", &[], "whoami")), "unavailable");
}

#[test]
fn a_key_reaches_the_accounts_of_its_user_by_its_tools_alone() {
    let vault = Vault::new();
    let key = vault.world.make("g");
    vault.world.connect("h", "octocat");
    vault.world.audit.take();
    assert_eq!(error(vault.ask(&key.text(), "github", &["read"], "whoami")), "token");
    let line = format!(
        r#"{{"audit":"access_given","connection":"github","sub":"alice","access_key":"{}","tool":"whoami"}}"#,
        key.id
    );
    assert_eq!(vault.world.audit.take(), [line]);
    assert_eq!(error(vault.ask(&key.text(), "github", &["read"], "list_issues")), "caller refused");
    for other in ["gateway:", "resource:issues", "prompt:review"] {
        assert_eq!(error(vault.ask(&key.text(), "github", &["read"], other)), "token", "no tool");
    }
    for other in ["gateway", "gateway:whoami", "resource", "tool:whoami", "Resource:issues", ":whoami", ""] {
        assert_eq!(error(vault.ask(&key.text(), "github", &["read"], other)), "caller refused", "{other}");
    }
    vault.world.revoke(&key);
    assert_eq!(error(vault.ask(&key.text(), "github", &["read"], "whoami")), "caller refused", "at once");
}

#[test]
fn what_the_settings_do_not_offer_is_the_operators_to_correct() {
    let vault = Vault::new();
    for (connection, scope) in [("gitlab", "read"), ("github", "admin"), ("github", "rea"), ("GitHub", "read")] {
        let Err(NoAccess::Misconfigured { cause }) = vault.ask(&vault.alice(), connection, &[scope], "list_issues")
        else {
            panic!("{connection} {scope}")
        };
        assert!(cause.contains(connection), "{cause}");
    }
}

#[test]
fn only_users_have_accounts_and_everybody_has_what_is_the_deployments() {
    let vault = Vault::new();
    let machine = vault.token_with(|claims| claims["sub"] = json!("agent"));
    assert_eq!(error(vault.ask(&machine, "github", &["read"], "list_issues")), "needs user");
    assert_eq!(error(vault.ask(&machine, "api", &["read"], "list_issues")), "needs user");
    let access = vault.ask(&machine, "weather", &[], "forecast").unwrap();
    assert_eq!((access.token.expose(), access.scopes.as_str()), ("the token of the deployment", "read"));
}

#[test]
fn what_is_issued_is_neither_the_callers_own_token_nor_wider_than_asked() {
    let vault = Vault::new();
    let ask = |scopes: &[&str]| error(vault.ask(&vault.alice(), "api", scopes, "list_issues"));
    let issue = |token: &str, scopes: &str| {
        *vault.source.0.borrow_mut() = Ok((token.to_owned(), scopes.to_owned()));
    };
    assert_eq!(ask(&["read"]), "token");
    issue("x", "read write");
    assert_eq!((ask(&["read"]), ask(&[]), ask(&["read", "write"])), ("refused", "token", "token"));
    issue("x", "admin");
    assert_eq!((ask(&[]), ask(&["read"])), ("refused", "refused"));
    issue("own", "read");
    assert_eq!(ask(&["read"]), "refused");
    for (no_token, answer) in [
        (NoToken::Refused("x".to_owned()), "refused"),
        (NoToken::NotLinked(None), "not connected"),
        (NoToken::Misconfigured("x".to_owned()), "misconfigured"),
        (NoToken::Unavailable("x".to_owned()), "unavailable"),
    ] {
        *vault.source.0.borrow_mut() = Err(no_token);
        assert_eq!(ask(&["read"]), answer);
    }
}
