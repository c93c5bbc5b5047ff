//! What access is decided by.

use super::*;

fn targets(method: &str, params: &str) -> String {
    let body = request(method, params);
    let targets = one(&legacy(), &body).targets;
    targets.iter().map(|target| format!("{target:?}")).collect::<Vec<_>>().join(" ")
}

/// The filter that is sent on, and the targets.
fn listen(filter: &str, offers: Offers) -> Result<(String, Vec<String>), String> {
    let body = request("subscriptions/listen", &format!(r#"{{"notifications":{filter},{META}}}"#));
    match read(&modern("subscriptions/listen", None), &body, offers) {
        Ok(Payload::One(envelope)) => {
            let sent: serde_json::Value = serde_json::from_str(&envelope.body).map_err(|error| error.to_string())?;
            let targets = envelope.targets.iter().map(|target| format!("{target:?}")).collect();
            Ok((sent["params"]["notifications"].to_string(), targets))
        }
        Ok(other) => Err(format!("{other:?}")),
        Err(refusal) => Err(refusal.error.reason.code(refusal.era).to_string()),
    }
}

#[test]
fn each_method_names_what_it_is_about() {
    for (method, params, expected) in [
        ("tools/call", r#"{"name":"a"}"#, r#"Tool("a")"#),
        ("tools/call", r#"{"name":"a","task":{"ttl":1}}"#, r#"Tool("a") Task"#),
        ("tools/call", r#"{"name":"a","task":null,"uri":"b","taskId":"c"}"#, r#"Tool("a")"#),
        ("prompts/get", r#"{"name":"\u0061"}"#, r#"Prompt("a")"#),
        ("resources/read", r#"{"uri":"a:\/b"}"#, r#"Resource("a:/b")"#),
        ("resources/subscribe", r#"{"uri":"a:b"}"#, r#"Resource("a:b")"#),
        ("resources/unsubscribe", r#"{"uri":"a:b"}"#, r#"Resource("a:b")"#),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a"}}"#, r#"Prompt("a")"#),
        ("completion/complete", r#"{"ref":{"type":"ref/resource","uri":"a:{b}"}}"#, r#"Resource("a:{b}")"#),
        ("tasks/get", r#"{"taskId":"a"}"#, "Task"),
        ("tasks/result", r#"{"taskId":"a"}"#, "Task"),
        ("tasks/cancel", r#"{"taskId":"a"}"#, "Task"),
        ("tasks/list", "{}", "Task"),
        ("tools/list", r#"{"cursor":"a"}"#, ""),
        ("ping", "{}", ""),
        ("logging/setLevel", r#"{"level":"info"}"#, ""),
    ] {
        assert_eq!(targets(method, params), expected, "{method} {params}");
    }
}

#[test]
fn what_must_be_named_is_a_string() {
    for (method, member) in [
        ("tools/call", "name"),
        ("prompts/get", "name"),
        ("resources/read", "uri"),
        ("resources/subscribe", "uri"),
        ("tasks/get", "taskId"),
    ] {
        for value in ["null", "1", "{}", r#"["a"]"#, r#""\ud800""#, r#""\udc00a""#] {
            let refused = refusal(&legacy(), &request(method, &format!(r#"{{"{member}":{value}}}"#)), ALL);
            let expected = (-32602, 200, Some("1".to_owned()), format!("params.{member} must be a string"));
            assert_eq!(refused, expected, "{method} {value}");
        }
        assert_eq!(refusal(&legacy(), &request(method, "{}"), ALL).0, -32602);
    }
    // The form of the era.
    let body = request("tools/call", &format!("{{{META}}}"));
    let refused = refusal(&modern("tools/call", None), &body, ALL);
    assert_eq!((refused.0, refused.1, refused.3.as_str()), (-32602, 200, "params.name must be a string"));
}

#[test]
fn no_reader_takes_a_name_for_a_shorter_one() {
    for name in ["a\\u0000", "a\\u0000b", "a\\nb", "a\\u007f", " a", "a ", "\\ta", "a\\r"] {
        for (method, params) in [
            ("tools/call", format!(r#"{{"name":"{name}"}}"#)),
            ("prompts/get", format!(r#"{{"name":"{name}"}}"#)),
            ("completion/complete", format!(r#"{{"ref":{{"type":"ref/prompt","name":"{name}"}}}}"#)),
        ] {
            assert_eq!(code(&legacy(), &request(method, &params)), -32602, "{method} {name}");
        }
    }
    assert_eq!(targets("tools/call", r#"{"name":"a b ä"}"#), r#"Tool("a b ä")"#);
}

#[test]
fn a_name_has_a_limit() {
    let of =
        |length: usize| code(&legacy(), &request("tools/call", &format!(r#"{{"name":"{}"}}"#, "n".repeat(length))));
    assert_eq!(of(16 * 1024), 0);
    assert_eq!(of(16 * 1024 + 1), -32602);
}

#[test]
fn a_call_as_a_task_needs_tasks() {
    let body = request("tools/call", r#"{"name":"a","task":{}}"#);
    let refused = refusal(&legacy(), &body, MCP);
    assert_eq!((refused.0, refused.3.as_str()), (-32602, "params.task: tasks are not offered"));
}

#[test]
fn a_reference_is_written_anew() {
    let sent = |reference: &str| {
        let body = request("completion/complete", &format!(r#"{{"ref":{reference},"argument":{{"name":"x"}}}}"#));
        match read(&legacy(), &body, ALL) {
            Ok(Payload::One(envelope)) => Ok(envelope.body),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.error.reason.code(refusal.era)),
        }
    };
    let expected = r#"{"ref":{"type":"ref/prompt","name":"a"},"argument":{"name":"x"}}"#;
    let given = r#"{"title":"t","n\u0061me":"a","uri":"b","type":"ref\/prompt"}"#;
    assert_eq!(sent(given), Ok(request("completion/complete", expected)));
    let expected = r#"{"ref":{"type":"ref/resource","uri":"b"},"argument":{"name":"x"}}"#;
    let given = r#"{"name":"a","uri":"b","type":"ref/resource"}"#;
    assert_eq!(sent(given), Ok(request("completion/complete", expected)));
    for reference in [
        "null",
        "[]",
        "\"ref/prompt\"",
        "{}",
        r#"{"type":"ref/tool","name":"a"}"#,
        r#"{"type":"ref/prompt"}"#,
        r#"{"type":"ref/prompt","uri":"a"}"#,
        r#"{"type":"ref/prompt","name":1}"#,
        r#"{"type":"ref/prompt","name":"a","name":"b"}"#,
        r#"{"type":"ref/prompt","name":"a","Name":"b"}"#,
        r#"{"type":"ref/prompt","name":"a","TYPE":"ref/resource"}"#,
    ] {
        assert_eq!(sent(reference), Err(-32602), "{reference}");
    }
}

#[test]
fn what_is_not_offered_is_not_listened_to() {
    let filter = r#"{"toolsListChanged":true,"promptsListChanged":false,"resourcesListChanged":true,"resourceSubscriptions":["a:b","a:\u0063"],"taskIds":["t"],"unknown":true}"#;
    let (sent, targets) = listen(filter, ALL).unwrap_or_else(|error| panic!("{error}"));
    let expected = r#"{"promptsListChanged":false,"resourceSubscriptions":["a:b","a:c"],"resourcesListChanged":true,"taskIds":["t"],"toolsListChanged":true}"#;
    assert_eq!(sent, expected);
    assert_eq!(targets, [r#"Resource("a:b")"#, r#"Resource("a:c")"#, "Task"]);

    let tools = Offers { tools: true, prompts: false, resources: false, tasks: false };
    assert_eq!(listen(filter, tools), Ok((r#"{"toolsListChanged":true}"#.to_owned(), Vec::new())));
    let prompts = Offers { tools: false, prompts: true, ..tools };
    assert_eq!(listen(r#"{"toolsListChanged":true}"#, prompts), Ok(("{}".to_owned(), Vec::new())));
    let nothing = Offers { tools: false, ..tools };
    assert_eq!(listen(filter, nothing), Err("-32601".to_owned()));
}

#[test]
fn a_filter_has_its_form() {
    let uris = |count: usize| {
        let uris: Vec<String> = (0..count).map(|index| format!("\"a:{index}\"")).collect();
        format!(r#"{{"resourceSubscriptions":[{}]}}"#, uris.join(","))
    };
    assert_eq!(listen(&uris(100), ALL).map(|(_, targets)| targets.len()), Ok(100));
    for filter in [
        "null",
        "[]",
        "true",
        r#"{"toolsListChanged":1}"#,
        r#"{"toolsListChanged":"true"}"#,
        r#"{"resourceSubscriptions":"a:b"}"#,
        r#"{"resourceSubscriptions":[1]}"#,
        r#"{"resourceSubscriptions":["\ud800"]}"#,
        r#"{"resourceSubscriptions":["a:b"],"resourcesubscriptions":["a:c"]}"#,
        r#"{"resourceSubscriptions":["a:b"],"resource_subscriptions":["a:c"]}"#,
        r#"{"resourceSubscriptions":["a:b"],"resourceSubscriptions":["a:c"]}"#,
        &uris(101),
    ] {
        assert_eq!(listen(filter, ALL), Err("-32602".to_owned()), "{filter}");
    }
}
