//! What passes of responses.

mod event_streams;
mod handshakes;
mod lists;

use mcp_edge_runtime::settings::Reader;
use serde_json::Value;

use super::*;

/// The policy of these settings.
fn policy(settings: &[(&str, &str)]) -> Policy {
    let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let mut reader = Reader::new(&get);
    let policy = Policy::read(&mut reader);
    reader.finish(policy).unwrap()
}

/// A policy that allows what begins with `a`, `a:` or `test:`, and denies `d`; `s` needs a scope.
fn usual() -> Policy {
    policy(&[
        ("TOOL_SCOPES", "a*=allow s=scope d=deny"),
        ("PROMPT_SCOPES", "a*=allow s=scope d=deny"),
        ("RESOURCE_SCOPES", "a:*=allow s:*=scope d:*=deny"),
    ])
}

fn rewritten(what: ReadResult, response: &str, policy: &Policy, era: Era) -> Result<String, UnreadableResult> {
    let identity = Identity::for_test("ada", "");
    let context = RewriteContext { policy, identity: &identity, pins: None, era, now: 10 };
    rewrite(what, response, Ids { asked: "1", answered: "1" }, &context).map(|rewritten| {
        assert!(serde_json::from_str::<Value>(&rewritten.response).is_ok(), "{}", rewritten.response);
        rewritten.response
    })
}

fn response(result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#)
}

/// The result of `what` with the usual policy in the legacy era.
fn result(what: ReadResult, upstream: &str) -> Result<String, UnreadableResult> {
    result_in(Era::Legacy, what, upstream, &usual())
}

fn result_in(era: Era, what: ReadResult, upstream: &str, policy: &Policy) -> Result<String, UnreadableResult> {
    rewritten(what, &response(upstream), policy, era).map(|response| {
        let result = response.strip_prefix(r#"{"jsonrpc":"2.0","id":1,"result":"#);
        result.and_then(|result| result.strip_suffix('}')).expect("a result").to_owned()
    })
}

const TOOLS: ReadResult = ReadResult::List(Listed::Tools);

const EMPTY: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;

#[test]
fn a_response_is_written_anew() {
    let read = |response: &str| rewritten(TOOLS, response, &usual(), Era::Legacy);
    for response in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#,
        r#" { "result" : { "tools" : [ ] } , "id" : 1.0 , "jsonrpc" : "2\u002e0" } "#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"Result":{"tools":[{"name":"d"}]},"ERROR":1,"other":2}"#,
    ] {
        assert_eq!(read(response).as_deref(), Ok(EMPTY), "{response}");
    }
}

#[test]
fn what_is_no_response_to_the_request_is_refused() {
    use UnreadableResult::{AnotherId, Malformed, NotAResponse, Repeated};
    for (response, expected) in [
        ("", Malformed),
        ("[]", Malformed),
        ("<html>", Malformed),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}} {}"#, Malformed),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]"#, Malformed),
        (r#"{"id":1,"result":{"tools":[]}}"#, NotAResponse),
        (r#"{"jsonrpc":"1.0","id":1,"result":{"tools":[]}}"#, NotAResponse),
        (r#"{"jsonrpc":2.0,"id":1,"result":{"tools":[]}}"#, NotAResponse),
        (r#"{"jsonrpc":"2.0","id":1}"#, NotAResponse),
        (r#"{"jsonrpc":"2.0","id":1,"result":null}"#, NotAResponse),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#, NotAResponse),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{"tools":[]}}"#, NotAResponse),
        (r#"{"jsonrpc":"2.0","result":{"tools":[]}}"#, AnotherId),
        (r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"#, AnotherId),
        (r#"{"jsonrpc":"2.0","id":"1","result":{"tools":[]}}"#, AnotherId),
        (r#"{"jsonrpc":"2.0","id":1.5,"result":{"tools":[]}}"#, AnotherId),
        (r#"{"jsonrpc":"2.0","id":[1],"result":{"tools":[]}}"#, AnotherId),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[]}}"#, Repeated("result")),
        (r#"{"jsonrpc":"2.0","id":1,"\u0069d":1,"result":{"tools":[]}}"#, Repeated("id")),
        (r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#, Repeated("jsonrpc")),
        (r#"{"jsonrpc":"2.0","id":1,"error":{},"error":{}}"#, Repeated("error")),
    ] {
        assert_eq!(rewritten(TOOLS, response, &usual(), Era::Legacy), Err(expected), "{response}");
    }
}

#[test]
fn ids_are_compared_as_values() {
    let same = response::is_same_id;
    for (one, another) in [("1", "1"), ("1", "1.0"), ("-7.00", "-7"), ("\"a\"", "\"a\""), ("\"a\"", "\"\\u0061\"")] {
        assert!(same(one, another) && same(another, one), "{one} {another}");
    }
    for (one, another) in [
        ("1", "2"),
        ("1", "\"1\""),
        ("1.5", "1"),
        ("1.05", "1"),
        ("\"a\"", "\"A\""),
        ("10", "1"),
        ("\"\\ud800\"", "\"\\ud801\""),
    ] {
        assert!(!same(one, another) && !same(another, one), "{one} {another}");
    }
}

#[test]
fn an_error_of_the_upstream_passes_rebuilt() {
    let read = |error: &str| {
        let response = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
        rewritten(TOOLS, &response, &usual(), Era::Legacy)
    };
    assert_eq!(
        read(r#"{"data":{"a":[1, 2]},"code":-32602.0,"Code":7,"message":"\u0061\nb","other":1}"#).as_deref(),
        Ok(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"a\nb","data":{"a":[1, 2]}}}"#)
    );
    for error in [
        "{}",
        r#"{"code":1}"#,
        r#"{"code":"1","message":""}"#,
        r#"{"code":1.5,"message":""}"#,
        r#"{"code":1,"message":2}"#,
        r#"{"code":1e999,"message":""}"#,
    ] {
        assert_eq!(read(error), Err(UnreadableResult::Member("error")), "{error}");
    }
    assert_eq!(read(r#"{"code":1,"code":1,"message":""}"#), Err(UnreadableResult::Repeated("code")));
    assert_eq!(read("[]"), Err(UnreadableResult::Malformed));
}

#[test]
fn a_modern_resource_is_for_one_caller_only() {
    let read = |upstream: &str| result_in(Era::Modern, ReadResult::Resource, upstream, &usual());
    let contents = r#""contents":[{"uri":"a:b","text":"{\"cacheScope\":\"public\"}"}],"ttlMs":60000"#;
    let expected = format!(r#"{{{contents},"resultType":"complete","cacheScope":"private"}}"#);
    for scope in
        ["", r#","cacheScope":"public""#, r#","cacheScope":"private","CacheScope":"public","cache_scope":"public""#]
    {
        assert_eq!(
            read(&format!(r#"{{{contents}{scope},"resultType":"complete"}}"#)).as_ref(),
            Ok(&expected),
            "{scope}"
        );
    }
    assert_eq!(
        read(r#"{"contents":[]}"#).as_deref(),
        Ok(r#"{"contents":[],"cacheScope":"private"}"#),
        "without resultType it is complete"
    );
    let input_required = r#"{"inputRequests":{"a":{}},"requestState":"s","resultType":"input_required"}"#;
    assert_eq!(read(input_required).as_deref(), Ok(input_required));
    assert_eq!(read("[]"), Err(UnreadableResult::Malformed));
    assert_eq!(
        read(r#"{"cacheScope":"private","cacheScope":"public"}"#),
        Err(UnreadableResult::Repeated("cacheScope"))
    );
}

#[test]
fn depth_is_passed_on_without_recursion() {
    let deep = [&"[".repeat(200_000), &*"]".repeat(200_000)].concat();
    let read = |what, upstream: &str| rewritten_without_tree(what, &response(upstream));
    read(ReadResult::Resource, &format!(r#"{{"contents":{deep}}}"#));
    read(TOOLS, &format!(r#"{{"tools":[{{"name":"a","inputSchema":{deep}}}],"x":{deep}}}"#));
    read(ReadResult::Initialize, &format!(r#"{{"protocolVersion":"2025-11-25","capabilities":{{"x":{deep}}}}}"#));
}

/// Tests cannot build a tree that is so deep.
fn rewritten_without_tree(what: ReadResult, response: &str) {
    let (policy, identity) = (usual(), Identity::for_test("ada", ""));
    let context = RewriteContext { policy: &policy, identity: &identity, pins: None, era: Era::Modern, now: 10 };
    let rewritten = rewrite(what, response, Ids { asked: "1", answered: "1" }, &context).unwrap();
    assert!(rewritten.response.len() > 400_000);
}
