//! Notifications, and responses to requests of the upstream.

use super::*;

fn posted(head: &RequestHead<'_>, body: &str, offers: Offers) -> Result<Option<String>, i32> {
    match read(head, body, offers) {
        Ok(Payload::One(envelope)) => {
            assert_eq!((envelope.id, envelope.era), (None, Era::Legacy));
            Ok(Some(envelope.body))
        }
        Ok(Payload::Dropped) => Ok(None),
        Ok(Payload::Batch(_)) => panic!("{body}"),
        Err(refusal) => Err(refusal.error.reason.code(refusal.era)),
    }
}

fn notification(name: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{name}","params":{{"requestId":1,"x":2}}}}"#)
}

#[test]
fn known_notifications_pass_and_others_go_nowhere() {
    for name in ["initialized", "cancelled", "progress", "roots/list_changed"] {
        let body = notification(&format!("notifications/{name}"));
        assert_eq!(posted(&legacy(), &body, MCP), Ok(Some(body.clone())));
    }
    for name in ["notifications/message", "notifications/tasks/status", "tools/call", "initialize", "x"] {
        assert_eq!(posted(&legacy(), &notification(name), MCP), Ok(None), "{name}");
    }
    let body = notification("notifications/tasks/status");
    let envelope = one(&legacy(), &body);
    assert_eq!((envelope.method, envelope.targets), (Some(Method::TaskStatus), vec![Target::Task]));
    assert_eq!(envelope.headers.iter().collect::<Vec<_>>(), [("mcp-protocol-version", "2025-11-25")]);
}

#[test]
fn a_notification_with_an_id_of_null_has_none() {
    let body = r#"{"jsonrpc":"2.0","id":null,"method":"notifications/initialized","params":null,"result":null}"#;
    let expected = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(posted(&legacy(), body, ALL), Ok(Some(expected.to_owned())));
}

#[test]
fn the_modern_era_has_no_notifications_of_clients() {
    let body = notification("notifications/cancelled");
    assert_eq!(posted(&modern("notifications/cancelled", None), &body, ALL), Ok(None));
    let claim = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{{META}}}}}"#);
    assert_eq!(posted(&modern("notifications/cancelled", None), &claim, ALL), Ok(None));
    assert_eq!(posted(&legacy(), &claim, ALL), Err(-32020));
}

#[test]
fn notifications_are_read_as_strictly_as_requests() {
    let head = RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", "1999-01-01");
    assert_eq!(posted(&head, &notification("notifications/initialized"), ALL), Err(-32600));
    let body = notification("notifications/cancelled").replace("\"x\"", "\"requestid\"");
    assert_eq!(posted(&legacy(), &body, ALL), Err(-32600));
}

#[test]
fn responses_are_written_anew() {
    for (response, sent) in [
        (r#""id":7,"result":{"a":[1, 2]}"#, r#""id":7,"result":{"a":[1, 2]}"#),
        (r#""id":"a","error":{"code":1,"Code":2}"#, r#""id":"a","error":{"code":1,"Code":2}"#),
        (r#""result":{},"id":7,"error":null,"method":null,"x":1"#, r#""id":7,"result":{}"#),
        (r#""result":null,"id":7"#, r#""id":7,"result":null"#),
        (r#""result":null,"error":{},"id":7"#, r#""id":7,"error":{}"#),
        (r#""result":{},"params":{"name":1},"id":7"#, r#""id":7,"result":{}"#),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0",{response}}}"#);
        assert_eq!(posted(&legacy(), &body, ALL), Ok(Some(format!(r#"{{"jsonrpc":"2.0",{sent}}}"#))));
    }
    let body = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let envelope = one(&legacy(), body);
    assert_eq!((envelope.method, envelope.targets.len()), (None, 0));
    assert_eq!(envelope.headers.iter().collect::<Vec<_>>(), [("mcp-protocol-version", "2025-11-25")]);
}

#[test]
fn a_response_is_unambiguous() {
    for response in [
        r#""id":7,"result":{},"error":{}"#,
        r#""id":7,"result":null,"error":null"#,
        r#""id":7,"error":null"#,
        r#""id":7,"result":{},"Result":{}"#,
        r#""id":7,"result":{},"ERROR":null"#,
        r#""id":7,"result":{},"result":{}"#,
        r#""id":7,"ID":8,"result":{}"#,
        r#""id":1.5,"result":{}"#,
        r#""id":7,"result":{},"method":"ping""#,
    ] {
        assert_eq!(posted(&legacy(), &format!(r#"{{"jsonrpc":"2.0",{response}}}"#), ALL), Err(-32600), "{response}");
    }
}

#[test]
fn a_response_that_answers_nothing_goes_nowhere() {
    for response in [r#""result":{}"#, r#""id":null,"error":{"code":1,"message":"x"}"#] {
        assert_eq!(posted(&legacy(), &format!(r#"{{"jsonrpc":"2.0",{response}}}"#), ALL), Ok(None), "{response}");
    }
}

#[test]
fn the_modern_era_has_no_responses_of_clients() {
    let body = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    assert_eq!(posted(&modern("x", None), body, ALL), Err(-32600));
    let head = RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", "1999-01-01");
    assert_eq!(posted(&head, body, ALL), Err(-32600));
}
