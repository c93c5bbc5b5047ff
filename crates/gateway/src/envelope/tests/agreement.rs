//! All readers of what is sent on find what access was decided by.

use proptest::{prelude::*, sample::select};
use serde_json::Value;

use super::*;
use crate::envelope::readings;

/// Names of members as JSON: right ones, and ones that some reader takes for them.
fn name() -> impl Strategy<Value = String> {
    let exact = select(vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "name",
        "uri",
        "taskId",
        "task",
        "ref",
        "type",
        "arguments",
        "notifications",
        "resourceSubscriptions",
        "taskIds",
        "_meta",
        "cursor",
        "x",
        "io.modelcontextprotocol/protocolVersion",
    ]);
    (exact, 0..12_u8).prop_map(|(name, how)| match how {
        0 => format!("\"{}\"", name.to_uppercase()),
        1 => format!("\"{}\"", name.replacen('s', "\u{17f}", 1)),
        2 => format!("\"{}\"", name.replacen('k', "\u{212a}", 1)),
        3 => format!("\"{}\"", name.replacen('i', "İ", 1)),
        4 => format!("\"_{name}\""),
        6 => format!("\"{name}\\u0000\""),
        5 => format!("\"\\u{:04x}{}\"", name.as_bytes()[0], &name[1..]),
        _ => format!("\"{name}\""),
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec![
            "null", "1", "true", "[]", "{}", r#""a""#, r#""\u0062""#, r#""\ud800""#, r#""tools/list""#, r#"["a:b"]"#,
            r#"{"type":"ref/prompt","name":"a"}"#, r#"{"type":"ref/resource","uri":"a:b"}"#,
            r#"{"name":"a","name":"b"}"#, r#"{"resourceSubscriptions":["a:b"],"taskIds":[]}"#,
        ])
        .prop_map(str::to_owned),
        1 => "[a-z:\"\\\\\u{0}-\u{1f}äſ]{0,6}".prop_map(|text| Value::from(text).to_string()),
    ]
}

/// Members, in any order.
fn members(base: Vec<String>) -> impl Strategy<Value = String> {
    let more = prop::collection::vec((name(), value()), 0..3);
    (Just(base), more)
        .prop_flat_map(|(mut members, more)| {
            members.extend(more.into_iter().map(|(name, value)| format!("{name}:{value}")));
            Just(members).prop_shuffle()
        })
        .prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// A method with the parameters that it needs.
fn method() -> impl Strategy<Value = (&'static str, &'static str, Option<&'static str>)> {
    select(vec![
        ("tools/call", r#""name":"a""#, Some("a")),
        ("tools/call", r#""name":"a","task":{}"#, Some("a")),
        ("prompts/get", r#""n\u0061me":"\u00e4\"""#, Some("=?base64?w6Qi?=")),
        ("resources/read", r#""uri":"a:b""#, Some("a:b")),
        ("resources/subscribe", r#""uri":"a:b""#, None),
        ("completion/complete", r#""ref":{"type":"ref/prompt","name":"a"}"#, None),
        ("completion/complete", r#""ref":{"type":"ref/resource","uri":"a:{b}","x":1}"#, None),
        ("subscriptions/listen", r#""notifications":{"resourceSubscriptions":["a:b","c"],"taskIds":["t"]}"#, None),
        ("tasks/get", r#""taskId":"a""#, Some("a")),
        ("tasks/update", r#""taskId":"a""#, Some("a")),
        ("tasks/list", r#""x":1"#, None),
        ("tools/list", r#""cursor":"a""#, None),
        ("initialize", r#""protocolVersion":"2025-11-25""#, None),
        ("notifications/tasks/status", r#""taskId":"a""#, None),
        ("ping", r#""x":1"#, None),
    ])
}

/// Headers and body.
fn post() -> impl Strategy<Value = (&'static str, Option<&'static str>, bool, String)> {
    (method(), any::<bool>(), any::<bool>())
        .prop_flat_map(|((method, params, named), is_modern, is_notification)| {
            let mut base = vec![params.to_owned()];
            if is_modern {
                base.push(META.to_owned());
            }
            (Just((method, named, is_modern, is_notification)), members(base))
        })
        .prop_flat_map(|((method, named, is_modern, is_notification), params)| {
            let mut base = vec![
                r#""jsonrpc":"2.0""#.to_owned(),
                format!(r#""method":"{method}""#),
                format!(r#""params":{params}"#),
            ];
            if !is_notification && !method.starts_with("notifications/") {
                base.push(r#""id":"i""#.to_owned());
            }
            (Just((method, named, is_modern)), members(base))
        })
        .prop_map(|((method, named, is_modern), body)| (method, named, is_modern, body))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn all_readers_agree((method, named, is_modern, body) in post(), in_batch: bool) {
        let head = if is_modern { modern(method, named) } else { legacy() };
        if let Ok(posted) = read(&head, &body, ALL) {
            readings::check(&posted);
        }
        if in_batch {
            let body = format!("[{body},{body}]");
            if let Ok(posted) = read(&RequestHead::new("POST", "/mcp"), &body, ALL) {
                readings::check(&posted);
            }
        }
    }

    /// What needs no strictness changes nothing: a second reading finds the same.
    #[test]
    fn what_is_sent_on_is_sent_on_unchanged((method, named, is_modern, body) in post()) {
        let head = if is_modern { modern(method, named) } else { legacy() };
        if let Ok(Payload::One(envelope)) = read(&head, &body, ALL) {
            let Ok(Payload::One(again)) = read(&head, &envelope.body, ALL) else { panic!("{}", envelope.body) };
            prop_assert_eq!(again, envelope.clone());
        }
    }

    /// The arguments arrive, and no message is refused or changed for them.
    #[test]
    fn arguments_arrive(arguments in "\\PC*", key in "\\PC{0,8}") {
        let arguments = Value::from_iter([(key, Value::from(arguments))]);
        let body = request("tools/call", &format!(r#"{{"name":"a","arguments":{arguments}}}"#));
        let sent: Value = serde_json::from_str(&one(&legacy(), &body).body).unwrap_or_default();
        prop_assert_eq!(&sent["params"]["arguments"], &arguments);
    }

    #[test]
    fn no_text_panics(body in "\\PC{0,64}", version in "\\PC{0,12}") {
        let head = RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", &version);
        if let Ok(posted) = read(&head, &body, ALL) {
            readings::check(&posted);
        }
    }
}
