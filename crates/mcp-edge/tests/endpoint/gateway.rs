//! An endpoint that passes messages on: everything in front stays as it is.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use mcp_edge::{endpoint::Endpoint, settings::Settings};
use mcp_edge_gateway::{
    gateway::{Handled, PassOn},
    upstream::Caller,
};
use mcp_edge_identity::{AccessNeeded, Scopes};
use mcp_edge_runtime::{
    app::App,
    http::{RequestHead, Response},
};
use mcp_edge_server::{Outcome, Server, Summary};
use serde_json::Value;

use crate::{
    requests::{Deployment, Untouchable},
    support::{
        tokens::{ISSUER, RESOURCE},
        world::World,
    },
};

/// A gateway that says whom it has met.
struct Gateway;

impl PassOn for Gateway {
    fn admit(&self, _: &RequestHead<'_>) -> Result<(), Response> {
        Ok(())
    }

    fn handle<'a>(&'a self, _: &'a RequestHead<'_>, body: &'a str, caller: Caller<'a>) -> LocalBoxFuture<'a, Handled> {
        let response = match body {
            body if body == "scopes" || body.contains("lacking") => {
                Err(AccessNeeded::Scopes(Scopes::parse("docs:read")))
            }
            body => Ok(Response::json(200, [caller.identity.subject(), " ", body].concat())),
        };
        let failure = (body == "fail").then(|| "status 500".to_owned());
        let summary = Summary::new(Outcome::Answered);
        ready(Handled { response, summary, failure, unapproved: Vec::new() }).boxed_local()
    }

    fn scopes(&self) -> Scopes {
        Scopes::parse("docs:read")
    }

    fn public_keys(&self) -> Option<String> {
        Some(r#"{"keys":[]}"#.to_owned())
    }
}

/// The deployment of other tests, with a gateway in place of its tools.
fn deployment() -> Deployment {
    deployment_with(&[])
}

fn deployment_with(more: &[(&str, &str)]) -> Deployment {
    let Deployment { world, .. } = Deployment::new(&[]);
    let setting = |name: &str| {
        let settings = [("ISSUER", ISSUER), ("RESOURCE", RESOURCE), ("REQUIRED_SCOPES", "whoami:read")];
        settings.iter().chain(more).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let server = Server::builder("gateway", "1").build().expect("a server without tools");
    let settings = Settings::parse(setting).expect("good settings");
    let endpoint: Endpoint<(), World> = Endpoint::with_gateway(settings, server, Rc::new(Gateway), (), world.clone());
    Deployment { world, endpoint }
}

fn post(authorization: &str) -> RequestHead<'_> {
    RequestHead::new("POST", "/mcp").with_header("authorization", authorization)
}

#[test]
fn only_verified_callers_are_passed_on() {
    let deployment = deployment();
    let (response, log) = deployment.send(&post("Bearer forged"), Untouchable);
    assert_eq!((response.status, log.get("reason")), (401, "opaque_not_accepted"));
    let authorization = format!("Bearer {}", deployment.token(|_| {}));
    let from_a_page = post(&authorization).with_header("origin", "https://mcp.example.com");
    let (response, log) = deployment.send(&from_a_page, "hello");
    assert_eq!((response.status, response.text()), (200, "alice hello"));
    assert_eq!(log.get("upstream_failure"), "");
    assert_eq!(response.header("access-control-expose-headers"), Some("WWW-Authenticate, Retry-After, Mcp-Session-Id"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let (_, log) = deployment.send(&post(&authorization), "fail");
    assert_eq!(log.get("upstream_failure"), "status 500");
}

#[test]
fn what_the_gateway_lacks_scopes_for_is_a_challenge_with_those_of_every_request() {
    let deployment = deployment();
    let authorization = format!("Bearer {}", deployment.token(|_| {}));
    let (response, log) = deployment.send(&post(&authorization), "scopes");
    assert_eq!((response.status, log.get("reason")), (403, "insufficient_scope"));
    assert!(
        response
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.contains(r#"scope="docs:read whoami:read""#))
    );
}

#[test]
fn a_call_behind_the_gateway_that_lacks_scopes_is_answered_with_a_result_if_the_operator_wants_it() {
    let deployment = deployment_with(&[("STEP_UP", "result")]);
    let authorization = format!("Bearer {}", deployment.token(|_| {}));
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"lacking"}}"#;
    let (response, log) = deployment.send(&post(&authorization), call);
    assert_eq!((response.status, log.get("reason")), (200, "insufficient_scope"));
    let answer: Value = serde_json::from_str(response.text()).expect("JSON");
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&serde_json::json!(7), &serde_json::json!(true)));
    // Other messages are not.
    let (response, _) = deployment.send(&post(&authorization), "scopes");
    assert_eq!(response.status, 403);
}

#[test]
fn the_body_of_get_and_delete_is_not_read() {
    let deployment = deployment();
    let authorization = format!("Bearer {}", deployment.token(|_| {}));
    for method in ["GET", "DELETE"] {
        let head = RequestHead::new(method, "/mcp").with_header("authorization", &authorization);
        assert_eq!(deployment.send(&head, Untouchable).0.text(), "alice ", "{method}");
    }
}

#[test]
fn metadata_names_the_scopes_of_the_gateway_and_its_keys_are_published() {
    let deployment = deployment();
    let get = |path: &str| deployment.send(&RequestHead::new("GET", path), Untouchable).0;
    let metadata: Value = serde_json::from_str(get("/.well-known/oauth-protected-resource/mcp").text()).expect("JSON");
    assert_eq!(metadata["scopes_supported"], serde_json::json!(["docs:read", "whoami:read"]));
    let keys = get("/.well-known/jwks.json");
    assert_eq!((keys.text(), keys.header("content-type")), (r#"{"keys":[]}"#, Some("application/json")));
    let names = deployment.endpoint.header_names();
    assert!(names.of_messages.iter().chain(&names.of_others).any(|name| name == "mcp-session-id"));
    assert!(names.of_others.iter().any(|name| name == "last-event-id"));
    // Without a gateway, neither.
    let without = Deployment::new(&[]);
    assert_eq!(without.send(&RequestHead::new("GET", "/.well-known/jwks.json"), Untouchable).0.status, 404);
    let names = without.endpoint.header_names();
    assert!(names.of_messages.iter().chain(&names.of_others).all(|name| name != "mcp-session-id"));
}
